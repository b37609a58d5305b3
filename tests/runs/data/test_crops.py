"""Corner crops against torchvision's."""

import numpy as np
import pytest
import torch
from mmcv.transforms import TRANSFORMS, CenterCrop, Compose
from torchvision.transforms import functional as F

import senet_mm  # noqa: F401
from senet_mm.runs.data.crops import CORNERS, CornerCrop

SIZES = [(5, 5), (6, 7), (11, 5), (9, 12)]


def chw(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_five_crops_are_torchvisions(height: int, width: int) -> None:
    image = np.arange(height * width * 3, dtype=np.uint8).reshape(height, width, 3)
    crops = [CornerCrop(5, corner=corner) for corner in CORNERS] + [CenterCrop(5)]
    for crop, expected in zip(crops, F.five_crop(chw(image), 5), strict=True):
        found = crop(dict(img=image))
        assert torch.equal(chw(found["img"]), expected)
        assert tuple(found["img_shape"])[:2] == (5, 5)


def test_ten_crops_in_one_pipeline() -> None:
    """As torchvision's, which flips the image first: in another order, and by one pixel beside
    it where the centre is no whole pixel."""
    image = np.random.default_rng(0).integers(0, 256, (9, 13, 3), dtype=np.uint8)
    ten = dict(
        type="TestTimeAug",
        transforms=[
            [
                *(dict(type="CornerCrop", crop_size=5, corner=corner) for corner in CORNERS),
                dict(type="CenterCrop", crop_size=5),
            ],
            [dict(type="RandomFlip", prob=0.0), dict(type="RandomFlip", prob=1.0)],
        ],
    )
    found = Compose([TRANSFORMS.build(ten)])(dict(img=image))["img"]
    expected = F.ten_crop(chw(image), 5)

    def key(crop: torch.Tensor) -> list[int]:
        return crop.flatten().tolist()

    assert len(found) == 10
    assert sorted(key(chw(crop)) for crop in found) == sorted(map(key, expected))


def test_bad_input() -> None:
    with pytest.raises(ValueError, match="corner='middle'.*'top-left'"):
        CornerCrop(5, corner="middle")
    with pytest.raises(ValueError, match="crop_size=5 of an image of 4 x 8"):
        CornerCrop(5, corner="top-left")(dict(img=np.zeros((4, 8, 3))))
