import json
import sys
from pathlib import Path

import numpy as np
import pytest
from pycocotools.cocoeval import COCOeval

from senet_mm.coco.annotations import read_annotations
from senet_mm.coco.engines import evaluator_of
from senet_mm.coco.matching import match
from senet_mm.coco.results import read_results
from studies.parity import odd_case


def test_the_default_is_pycocotools() -> None:
    assert evaluator_of("pycocotools") is COCOeval


def test_another_engine_is_refused() -> None:
    with pytest.raises(ValueError, match="engine is 'rust'; expected one of pycocotools, vernier"):
        evaluator_of("rust")


def test_without_vernier_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vernier", None)
    with pytest.raises(ImportError, match=r"pip install vernier, or leave it out") as error:
        evaluator_of("vernier")
    assert "\n" not in str(error.value)


@pytest.mark.filterwarnings("ignore:.*reach over their image's edge")
def test_vernier_matches_the_same(tmp_path: Path) -> None:
    pytest.importorskip("vernier")
    for seed in range(40):
        iou_type = "segm" if seed % 2 else "bbox"
        for name, data in zip(("truth", "results"), odd_case(seed, iou_type), strict=True):
            (tmp_path / f"{name}.json").write_text(json.dumps(data))
        annotations = read_annotations(tmp_path / "truth.json", masks=iou_type == "segm")
        detections = read_results(tmp_path / "results.json", annotations, iou_type)
        ours, theirs = (
            match(annotations, detections, engine=e) for e in ("pycocotools", "vernier")
        )
        for one, other in zip(ours.by_class, theirs.by_class, strict=True):
            for field in ("image", "rank", "hits", "counted"):
                np.testing.assert_array_equal(getattr(one, field), getattr(other, field), str(seed))
            for images, same in zip(one.objects, other.objects, strict=True):
                np.testing.assert_array_equal(images, same)
