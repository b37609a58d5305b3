import importlib.util
from pathlib import Path
from types import SimpleNamespace

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from senet_mm.compat import versions
from senet_mm.compat.distributions import FAMILY_MODULES

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib


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


def test_a_broken_package_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def import_module(name: str) -> SimpleNamespace:
        if name == "mmcv":
            raise AttributeError("module 'numpy' has no\nattribute 'float'")
        return SimpleNamespace(__version__="2.1")

    monkeypatch.setattr(importlib, "import_module", import_module)
    monkeypatch.setattr(versions, "is_supported", lambda *_: True)
    told = r"needs mmcv, whose import fails, AttributeError: .* no attribute 'float': `senet-mm doc"
    with pytest.raises(ImportError, match=told):
        versions.check_versions()


@pytest.mark.parametrize(
    ("version", "bounds", "expected"),
    [
        ("3.3.0", ">=3.3.0,<3.6.0", True),
        ("3.3.0rc1", ">=3.3.0,<3.6.0", True),
        ("3.10.0", ">=3.3.0,<3.6.0", False),
        ("2.1.0a0+32f93b1", ">=2.1", True),
        ("2.11.0+cu130", ">=2.1", True),
        ("0.9.10", ">=0.10.0,<0.11.0", False),
        ("unknown", ">=1", False),
        ("1.2", "", True),
    ],
)
def test_versions_are_numbers(version: str, bounds: str, expected: bool) -> None:
    assert versions.is_supported(version, bounds) is expected


def test_pip_is_told_the_same_bounds(repo: Path) -> None:
    project = tomllib.loads((repo / "pyproject.toml").read_text())["project"]
    assert tuple(project["dependencies"]) == versions.DEPENDENCIES
    extras = {name: tuple(wanted) for name, wanted in project["optional-dependencies"].items()}
    assert extras == versions.EXTRAS


@pytest.mark.parametrize("family", ["onedl", "openmmlab"])
def test_what_pip_installs_is_accepted(family: str) -> None:
    for module, wanted in zip(FAMILY_MODULES, versions.EXTRAS[family], strict=False):
        accepted = SpecifierSet(versions.SUPPORTED[module])
        for bound in Requirement(wanted).specifier:
            edge = Version(bound.version)
            if bound.operator == "<":  # the last release before it
                assert edge <= max(Version(one.version) for one in accepted)
            else:
                assert accepted.contains(edge)
    for wanted in map(Requirement, versions.DEPENDENCIES):
        if wanted.name in versions.SUPPORTED:
            assert wanted.specifier == SpecifierSet(versions.SUPPORTED[wanted.name])


@pytest.mark.parametrize(("file", "family"), [("onedl", "onedl"), ("official", "openmmlab")])
def test_the_tested_stacks_and_the_page_of_install_agree(
    repo: Path, file: str, family: str
) -> None:
    lines = (repo / "requirements" / f"{file}.txt").read_text().splitlines()
    pins = {one.name: one for one in map(Requirement, filter(_is_requirement, lines))}
    row = next(
        line
        for line in (repo / "docs" / "install.md").read_text().splitlines()
        if line.startswith(f"| `requirements/{file}.txt`")
    )
    bounds = map(Requirement, (*versions.DEPENDENCIES, *versions.EXTRAS[family]))
    for wanted in {one.name: one for one in bounds if one.name in pins}.values():
        pinned = str(pins[wanted.name].specifier)
        if not pinned.startswith("=="):
            assert pins[wanted.name].specifier == wanted.specifier
            continue
        version = pinned.removeprefix("==")
        assert wanted.specifier.contains(version)
        if wanted.name == "torch" or wanted.name.endswith(("engine", "mmcv", "lite", "det")):
            assert f" {version} |" in row
    modules = dict(zip(FAMILY_MODULES, versions.EXTRAS[family], strict=False))
    assert all(Requirement(wanted).name in pins for wanted in modules.values())


def _is_requirement(line: str) -> bool:
    return bool(line.strip()) and not line.startswith("#")
