import pytest

from senet_mm.io.near_names import nearest


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, "; the nearest are resnet18, resnet34, resnext50"),
        (dict(number=1), "; the nearest are resnet18"),
        (dict(cutoff=0.85), "; the nearest are resnet18"),
        (dict(cutoff=0.95), ""),
    ],
)
def test_the_nearest_first(options: dict, expected: str) -> None:
    assert nearest("resnet1", ["resnext50", "vgg", "resnet34", "resnet18"], **options) == expected
