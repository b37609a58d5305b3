import importlib.util
from types import SimpleNamespace

import pytest

from senet_mm.compat import versions


def test_the_installed_stack_is_supported() -> None:
    versions.check_versions()


def test_a_missing_package_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "mmdet" else find_spec(name)
    )
    with pytest.raises(ImportError, match=r"needs mmdet>=3\.3\.0.*not installed: install.*onedl"):
        versions.check_versions()


@pytest.mark.parametrize("found", ["3.2.0", "3.6.0", "2.28.2"])
def test_an_unsupported_version_is_named(monkeypatch: pytest.MonkeyPatch, found: str) -> None:
    import_module = importlib.import_module
    monkeypatch.setattr(
        importlib,
        "import_module",
        lambda name: SimpleNamespace(__version__=found) if name == "mmdet" else import_module(name),
    )
    with pytest.raises(ImportError, match=rf"mmdet>=3\.3\.0,<3\.6\.0 but found {found}"):
        versions.check_versions()
