import json
import warnings
from pathlib import Path

import numpy as np
import pytest
from pycocotools import mask as mask_utils

from senet_mm.coco.annotations import Annotations, read_annotations
from senet_mm.coco.results import Detections, read_results
from tests.coco.coco_cases import random_case, write_case

BOX = dict(image_id=1, category_id=2, bbox=[10, 20, 30, 40], score=0.5)


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Annotations:
    """Twelve images of 400 x 400, four classes."""
    return read_annotations(write_case(tmp_path_factory.mktemp("truth"), *random_case(0))[0])


def read(folder: Path, truth: Annotations, content: object, **options: str) -> Detections:
    path = folder / "run.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return read_results(path, truth, **options)


def test_boxes(tmp_path: Path, truth: Annotations) -> None:
    entries = [BOX, {**BOX, "image_id": 12, "category_id": 4, "score": 1, "bbox": [0, 0, 0, 5.5]}]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = read(tmp_path, truth, entries)
    assert (found.iou_type, found.num_outside) == ("bbox", 0)
    assert found.image.tolist() == [0, 11]
    assert found.category.tolist() == [1, 3]
    assert found.score.tolist() == [0.5, 1]
    assert found.area.tolist() == [1200, 0]
    assert found.shapes == [[10, 20, 30, 40], [0, 0, 0, 5.5]]


def test_masks_compressed_or_not(tmp_path: Path, truth: Annotations) -> None:
    mask = np.zeros((400, 400), np.uint8, order="F")
    mask[100:110, 50:70] = 1
    compressed = mask_utils.encode(mask)
    runs = np.diff(np.flatnonzero(np.diff(mask.ravel("F"), prepend=2, append=2))).tolist()
    entries = [
        {**BOX, "segmentation": {"size": [400, 400], "counts": counts}}
        for counts in (compressed["counts"].decode(), runs)
    ]
    found = read(tmp_path, truth, entries)
    assert found.iou_type == "segm"
    assert found.area.tolist() == [200, 200]
    np.testing.assert_array_equal(mask_utils.decode(found.shapes[1]), mask)
    # the same file's boxes
    assert read(tmp_path, truth, entries, iou_type="bbox").area.tolist() == [1200, 1200]


@pytest.mark.parametrize(
    ("name", "iou_type"), [("run.bbox.json", "bbox"), ("run.segm.json", "segm")]
)
def test_no_detection_at_all(name: str, iou_type: str, tmp_path: Path, truth: Annotations) -> None:
    (tmp_path / name).write_text("[]")
    found = read_results(tmp_path / name, truth)
    assert found.iou_type == iou_type
    assert found.image.shape == found.score.shape == found.area.shape == (0,)


def test_boxes_beyond_the_edge_are_kept_with_a_warning(tmp_path: Path, truth: Annotations) -> None:
    boxes = [[-5, 0, 9, 9], [390, 0, 20, 5], [0, 500, 5, 5], [-0.9, 0, 401.8, 5], [0, 0, 400, 400]]
    with pytest.warns(UserWarning, match=r"3 of 5 boxes reach over .* evaluated as they are"):
        found = read(tmp_path, truth, [{**BOX, "bbox": box} for box in boxes])
    assert found.num_outside == 3
    assert found.shapes == boxes


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"image_id": 7000}, "image_id 7000, which is not among the 12 of .*truth.json"),
        ({"image_id": "1"}, "image_id '1', which is not among"),
        ({"category_id": 0}, "category_id 0, which is not among the 4 of"),
        ({"score": float("nan")}, "score nan; expected a finite number"),
        ({"score": float("inf")}, "score inf; expected a finite number"),
        ({"score": None}, "score None; expected a finite number"),
        ({"score": "0.5"}, "score '0.5'; expected a finite number"),
        ({"bbox": [0, 0, float("nan"), 1]}, r"bbox \[0, 0, nan, 1\]; expected \[x, y, width"),
        ({"bbox": [0, 0, 5, -1]}, r"bbox \[0, 0, 5, -1\]"),
        ({"bbox": [0, 0, -5, 1]}, r"bbox \[0, 0, -5, 1\]"),
        ({"bbox": [float("-inf"), 0, 5, 1]}, r"bbox \[-inf, 0, 5, 1\]"),
        ({"bbox": [0, 0, 5]}, r"bbox \[0, 0, 5\]"),
        ({"bbox": None}, "bbox None"),
        ({"bbox": ["0", 0, 5, 5]}, r"bbox \['0', 0, 5, 5\]"),
    ],
)
def test_wrong_entries_are_counted_and_the_first_shown(
    wrong: dict, message: str, tmp_path: Path, truth: Annotations
) -> None:
    entries = [BOX, {**BOX, **wrong}, BOX, {**BOX, **wrong}]
    with pytest.raises(ValueError, match=message) as error:
        read(tmp_path, truth, entries)
    assert str(error.value).startswith(
        f"{tmp_path / 'run.json'}: 2 of 4 entries are wrong; entry 1"
    )


def test_missing_keys_are_named(tmp_path: Path, truth: Annotations) -> None:
    short = {key: BOX[key] for key in ("image_id", "bbox")}
    with pytest.raises(ValueError, match="1 of 2 entries are wrong; entry 1 lacks category_id, sc"):
        read(tmp_path, truth, [BOX, short])
    with pytest.raises(ValueError, match="entry 0 lacks segmentation"):
        read(tmp_path, truth, [BOX], iou_type="segm")
    with pytest.raises(ValueError, match=r"entry 0 is 3, no object"):
        read(tmp_path, truth, [3])
    with pytest.raises(ValueError, match="a image_id is no id: unhashable"):
        read(tmp_path, truth, [{**BOX, "image_id": [1]}])


@pytest.mark.parametrize(
    "mask",
    [
        {"size": [400, 300], "counts": "1"},
        {"size": [400], "counts": "1"},
        {"size": [400, 400]},
        [[0, 0, 5, 0, 5, 5]],
    ],
)
def test_masks_must_be_rle_of_the_images_size(
    mask: object, tmp_path: Path, truth: Annotations
) -> None:
    with pytest.raises(ValueError, match="entry 0 has segmentation .* expected RLE"):
        read(tmp_path, truth, [{**BOX, "segmentation": mask}])


def test_other_files_are_refused(tmp_path: Path, truth: Annotations) -> None:
    with pytest.raises(FileNotFoundError, match=r"results file .*none\.json not found"):
        read_results(tmp_path / "none.json", truth)
    whole = json.dumps([BOX, BOX])
    for content in ("", "no json", whole[:-5], "\x00\x01"):
        with pytest.raises(ValueError, match=r"run\.json is not a whole JSON file"):
            read(tmp_path, truth, content)
    with pytest.raises(ValueError, match="it holds a dict; expected a list"):
        read(tmp_path, truth, {"annotations": [BOX]})
    with pytest.raises(ValueError, match="iou_type is 'keypoints'; expected 'bbox' or 'segm'"):
        read(tmp_path, truth, [BOX], iou_type="keypoints")


def test_more_masks_than_a_byte_counts(tmp_path: Path, truth: Annotations) -> None:
    size = [int(side) for side in truth.image_sizes[0][::-1]]
    mask = np.zeros(size, np.uint8, order="F")
    mask[:7, :9] = 1
    rle = mask_utils.encode(mask)
    rle["counts"] = rle["counts"].decode()
    entry = {**BOX, "image_id": truth.image_ids[0], "segmentation": rle}
    found = read(tmp_path, truth, [entry] * 300)
    assert found.iou_type == "segm"
    assert (found.area == 63).all() and len(found.area) == 300
