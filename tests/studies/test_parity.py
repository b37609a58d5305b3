import numpy as np
import pytest

from studies import parity
from studies.parity import check_parity, odd_case


def test_our_numbers_are_cocoevals() -> None:
    """`python -m studies.parity` does the same on 10,000 cases."""
    found = check_parity(range(500))
    assert found.largest < 1e-12, f"case {found.worst}"
    assert found.num_defined > 2500


def test_the_cases_are_odd() -> None:
    annotations, results, images = [], [], 0
    for seed in range(60):
        truth, found = odd_case(seed, "segm" if seed % 2 else "bbox")
        annotations += truth["annotations"]
        results += found
        used = {a["image_id"] for a in truth["annotations"]}
        images += len(truth["images"]) - len(used)
    assert images  # without an object
    assert {a["iscrowd"] for a in annotations} == {0, 1}
    assert any(a.get("ignore") for a in annotations)
    scores = [r["score"] for r in results]
    assert len(set(scores)) < len(scores) / 2
    sides = [side for r in results if "bbox" in r for side in r["bbox"][2:]]
    assert min(sides) < 0.1 and max(sides) > 10_000
    masks = [a["segmentation"] for a in annotations if "segmentation" in a]
    assert {type(m if isinstance(m, list) else m["counts"]) for m in masks} == {list, str}
    assert any(isinstance(m, list) for m in masks)


def test_a_difference_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    actual = parity.coco_eval

    def wrong(truth: dict, results: list[dict], iou_type: str) -> np.ndarray:
        return actual(truth, results, iou_type) + (1e-9 if iou_type == "segm" else 0)

    monkeypatch.setattr(parity, "coco_eval", wrong)
    found = check_parity(range(2))
    assert (found.largest, found.worst) == (pytest.approx(1e-9), 1)
