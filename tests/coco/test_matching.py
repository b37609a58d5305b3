from pathlib import Path

import numpy as np
import pytest

from senet_mm.coco import matching
from senet_mm.coco.annotations import read_annotations
from senet_mm.coco.matches import Matches
from senet_mm.coco.matching import match, match_runs
from senet_mm.coco.results import read_results
from studies.parity import odd_case
from tests.coco.coco_cases import matches_of, random_case, write_case


def test_hand_made_matches(tmp_path: Path) -> None:
    truth, _ = random_case(0, num_images=2, num_classes=2)
    objects = [
        dict(id=1, image_id=1, category_id=1, bbox=[0, 0, 10, 10], area=100, iscrowd=0),
        dict(id=2, image_id=2, category_id=1, bbox=[0, 0, 50, 50], area=2500, iscrowd=1),
    ]
    results = [
        dict(image_id=1, category_id=1, bbox=[0, 0, 10, 7], score=0.5),  # IoU 0.7
        dict(image_id=1, category_id=1, bbox=[40, 40, 10, 10], score=0.6),  # of nothing
        dict(image_id=2, category_id=1, bbox=[5, 5, 20, 20], score=0.9),  # in the crowd
    ]
    one, _ = matches_of(tmp_path, truth | {"annotations": objects}, results).by_class
    assert one.image.tolist() == [1, 0, 0]
    assert one.rank.tolist() == [0, 0, 1]
    # all sizes: found at 0.5 to 0.65 or 0.7, then a false positive; the crowd's never counts
    assert one.hits[0, :, :2].sum() == 0
    assert one.hits[0, :, 2].tolist() == [True] * 4 + [one.hits[0, 4, 2]] + [False] * 5
    assert one.counted[0].all(axis=0).tolist() == [False, True, True]
    assert not one.counted[0, :, 0].any()
    # medium: no object counts, and none of these small boxes
    assert not one.counted[2].any()
    assert [images.tolist() for images in one.objects] == [[0], [0], [], []]


def test_chunks_of_images_change_nothing(tmp_path: Path, monkeypatch, capsys) -> None:
    truth, results = random_case(1, ties=True)
    whole = matches_of(tmp_path, truth, results)
    monkeypatch.setattr("senet_mm.coco.matching._IMAGES_AT_ONCE", 5)
    checked = read_annotations(tmp_path / "truth.json")
    parts = match(checked, read_results(tmp_path / "results.json", checked), progress=True)
    assert_same(whole, parts)
    out, err = capsys.readouterr()
    assert "3/3" in err and not out


def assert_same(whole: Matches, parts: Matches) -> None:
    assert (whole.num_images, whole.classes) == (parts.num_images, parts.classes)
    for one, other in zip(whole.by_class, parts.by_class, strict=True):
        for name in ("image", "rank", "hits", "counted"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
        for images, same in zip(one.objects, other.objects, strict=True):
            np.testing.assert_array_equal(images, same)


@pytest.mark.filterwarnings("ignore:.*reach over their image's edge")
def test_several_processes_match_the_same(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(matching, "_IMAGES_AT_ONCE", 1)
    for iou_type, seed in (("bbox", 0), ("segm", 25)):
        truth, results = odd_case(seed, iou_type)
        assert len(truth["images"]) > 2 and len(results) > 10
        files = [
            write_case(tmp_path, truth, some, name)
            for name, some in (("all", results), ("half", results[::2]), ("none", []))
        ]
        annotations = read_annotations(files[0][0], masks=iou_type == "segm")
        runs = [read_results(file, annotations, iou_type) for _, file in files]
        monkeypatch.setattr(matching, "_WORTH_PROCESSES", 0)
        for one, run in zip(match_runs(annotations, runs, workers=2), runs, strict=True):
            assert_same(one, match(annotations, run))


def test_processes_are_started_where_it_is_worth_it(tmp_path: Path, monkeypatch) -> None:
    truth, results = random_case(0)
    ann_file, results_file = write_case(tmp_path, truth, results)
    annotations = read_annotations(ann_file)
    run, started = read_results(results_file, annotations), []
    actual = matching.in_processes

    def count(*arguments, workers: int):
        started.append(workers)
        return actual(*arguments, workers=1)

    monkeypatch.setattr(matching, "in_processes", count)
    match_runs(annotations, [run, run], workers=2)
    monkeypatch.setattr(matching, "_WORTH_PROCESSES", 2 * len(results))
    match_runs(annotations, [run], workers=2)
    match_runs(annotations, [run, run], workers=2)
    assert started == [1, 1, 2]


def test_masks_need_masks_in_the_annotations(tmp_path: Path) -> None:
    truth, results = random_case(0)
    for entry in results:
        entry["segmentation"] = {"size": [400, 400], "counts": [160_000]}
    ann_file, results_file = write_case(tmp_path, truth, results)
    with pytest.raises(ValueError, match=r"annotations have no segmentation, first 1"):
        read_annotations(ann_file, masks=True)
    checked = read_annotations(ann_file)
    with pytest.raises(ValueError, match=r"truth\.json were not read"):
        match(checked, read_results(results_file, checked))
    match(checked, read_results(results_file, checked, "bbox"))
