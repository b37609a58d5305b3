"""The embedded shapes set: what it writes, that it is repeatable, and that it is never half."""

import copy
import hashlib
import json
import shutil
from collections import Counter

import cv2
import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from senet_mm.shapes import CLASSES, generate_shapes
from senet_mm.shapes import dataset as shapes
from senet_mm.shapes.dataset import SPLITS, describe_shapes, sample_scene
from senet_mm.shapes.masks import mask_fields
from senet_mm.shapes.render import DISC_NAMES, LIGHTS, render_scene

NUM_IMAGES = {"train2017": 48, "val2017": 32}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "shapes"
    return generate_shapes(path, num_train=NUM_IMAGES["train2017"], num_val=NUM_IMAGES["val2017"])


@pytest.fixture(scope="module", params=SPLITS)
def coco(request, root):
    return COCO(root / "annotations" / f"instances_{request.param}.json")


@pytest.fixture
def tiny(tmp_path):
    """Writes a small set; returns its directory."""

    def write(name="tiny", **options):
        defaults = {"num_train": 3, "num_val": 2, "image_size": 64, "max_objects": 3}
        return generate_shapes(tmp_path / name, **(defaults | options))

    return write


def digests(root):
    files = sorted(p for p in root.rglob("*") if p.is_file())
    return {str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def read(root, split):
    return json.loads((root / "annotations" / f"instances_{split}.json").read_text())


# --- repeatable


def test_same_seed_gives_the_same_bytes(tiny):
    assert digests(tiny("a")) == digests(tiny("b"))


def test_seeds_and_splits_differ(tiny):
    first, second = digests(tiny("a")), digests(tiny("b", seed=1))
    names = [name for name in first if name.endswith(".jpg")]
    assert all(first[name] != second[name] for name in names)
    assert len({first[name] for name in names}) == len(names)


def test_longer_set_begins_with_the_shorter(tiny):
    short, long = tiny("short"), tiny("long", num_train=5, num_val=4)
    images = {name: digest for name, digest in digests(short).items() if name.endswith(".jpg")}
    assert images.items() <= digests(long).items()
    for split in SPLITS:
        a, b = read(short, split), read(long, split)
        assert a["images"] == b["images"][: len(a["images"])]
        assert a["annotations"] == b["annotations"][: len(a["annotations"])]


# --- what COCO's tools read


def test_layout(root):
    names = {"train2017", "val2017", "annotations", "shapes.json"}
    assert {p.name for p in root.iterdir()} == names
    for split in SPLITS:
        data = read(root, split)
        assert set(data) == {"info", "licenses", "images", "annotations", "categories"}
        assert [c["id"] for c in data["categories"]] == list(range(1, len(CLASSES) + 1))
        assert tuple(c["name"] for c in data["categories"]) == CLASSES
        assert len(data["images"]) == NUM_IMAGES[split]
        assert {i["file_name"] for i in data["images"]} == {
            p.name for p in (root / split).iterdir()
        }
        for image in data["images"]:
            picture = cv2.imread(str(root / split / image["file_name"]))
            assert picture.shape == (image["height"], image["width"], 3) == (256, 256, 3)


def test_masks_areas_and_boxes_agree(coco):
    assert coco.anns
    for annotation in coco.anns.values():
        mask = coco.annToMask(annotation)
        assert mask.sum() == annotation["area"]
        assert list(cv2.boundingRect(mask)) == annotation["bbox"]
        x, y, width, height = annotation["bbox"]
        assert x >= 0 and y >= 0 and x + width <= 256 and y + height <= 256
        assert annotation["iscrowd"] == 0
        if isinstance(annotation["segmentation"], list):
            assert all(len(polygon) >= 8 for polygon in annotation["segmentation"])


def test_masks_are_the_visible_parts(coco):
    for image_id in coco.imgs:
        masks = [coco.annToMask(a) for a in coco.loadAnns(coco.getAnnIds(image_id))]
        assert sum(masks, np.zeros((256, 256), int)).max() <= 1


def test_ground_truth_scores_full_marks(coco):
    results = []
    for annotation in coco.anns.values():
        keys = ("image_id", "category_id", "bbox")
        result = {key: annotation[key] for key in keys}
        results.append(result | {"segmentation": coco.annToRLE(annotation), "score": 1.0})
    for iou_type in ("bbox", "segm"):
        evaluation = COCOeval(coco, coco.loadRes(copy.deepcopy(results)), iou_type)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
        # AP, and AP of small, medium and large: all of them are present.
        assert evaluation.stats[[0, 3, 4, 5]] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("rows", "polygons"),
    [
        (["1"], 1),
        (["110", "011", "001"], 1),
        (["101"], 2),
        (["111", "101", "111"], None),
    ],
)
def test_mask_fields_of_small_masks(rows, polygons):
    mask = np.zeros((8, 9), bool)
    pattern = np.array([[c == "1" for c in row] for row in rows])
    mask[2 : 2 + pattern.shape[0], 3 : 3 + pattern.shape[1]] = pattern
    fields = mask_fields(mask)
    assert fields["bbox"] == [3, 2, *pattern.shape[::-1]]
    if polygons is None:
        assert isinstance(fields["segmentation"], dict)
    else:
        assert len(fields["segmentation"]) == polygons
    coco = COCO()
    coco.imgs = {1: {"height": 8, "width": 9}}
    assert (coco.annToMask(fields | {"image_id": 1}) == mask).all()


# --- what is in the pictures


def test_every_class_and_size_is_present(root):
    splits = describe_shapes(root)
    for split in SPLITS:
        annotations = read(root, split)["annotations"]
        found = Counter(CLASSES[a["category_id"] - 1] for a in annotations)
        assert splits[split] == {
            "images": NUM_IMAGES[split],
            "annotations": len(annotations),
            "per_class": {name: found[name] for name in CLASSES},
        }
        assert min(splits[split]["per_class"].values()) >= 5
        areas = np.array([a["area"] for a in annotations])
        sides = np.array([max(a["bbox"][2:]) for a in annotations])
        assert (areas < 32**2).mean() > 0.2
        assert ((areas >= 32**2) & (areas < 96**2)).mean() > 0.3
        assert (areas >= 96**2).mean() > 0.03
        assert (sides < 12).mean() < 0.02
        assert 35 < np.median(sides) < 75


def test_some_images_are_empty_and_none_is_over_full(root):
    for split in SPLITS:
        data = read(root, split)
        per_image = Counter(a["image_id"] for a in data["annotations"])
        empty = len(data["images"]) - len(per_image)
        assert NUM_IMAGES[split] // 16 <= empty < NUM_IMAGES[split] // 4
        assert max(per_image.values()) <= 8


def test_boxes_of_objects_overlap_often(root):
    data = read(root, "train2017")
    overlaps = 0
    for image in data["images"]:
        boxes = np.array([a["bbox"] for a in data["annotations"] if a["image_id"] == image["id"]])
        for i, (x, y, w, h) in enumerate(boxes):
            for u, v, s, t in boxes[i + 1 :]:
                overlaps += min(x + w, u + s) > max(x, u) and min(y + h, v + t) > max(y, v)
    assert overlaps > len(data["images"]) // 2


def scene_pair(index):
    """The same scene under both lights."""
    return [
        render_scene(
            np.random.default_rng(index), height=128, width=160, num_objects=6, light=light
        )
        for light in LIGHTS
    ]


def test_only_the_light_tells_sun_from_moon():
    other = {"sun": "moon", "moon": "sun"}
    seen = Counter()
    for index in range(12):
        warm, cool = scene_pair(index)
        assert warm.image.shape == (128, 160, 3)
        assert (warm.image != cool.image).any(axis=2).mean() > 0.3
        for a, b in zip(warm.instances, cool.instances, strict=True):
            seen[a.category] += 1
            assert b.category == other.get(a.category, a.category)
            assert (a.mask == b.mask).all()
            # The picture is blurred a little: leave the outermost pixels out.
            inner = cv2.erode(a.mask.astype(np.uint8), np.ones((5, 5)), borderValue=0) == 1
            assert (warm.image[inner] == cool.image[inner]).all()
    assert seen["sun"] > 0 and seen["moon"] == 0


def test_light_shows_in_the_whole_picture():
    def warmth(image):
        chroma = cv2.cvtColor(image, cv2.COLOR_BGR2YCrCb)[..., 1:].astype(float)
        return np.median(chroma[..., 0] - chroma[..., 1])

    scenes = [sample_scene("train2017", index) for index in range(40)]
    right = [(warmth(scene.image) > 0) == (scene.light == "warm") for scene in scenes]
    assert np.mean(right) > 0.9
    assert {scene.light for scene in scenes} == set(LIGHTS)
    for scene in scenes:
        discs = {i.category for i in scene.instances} & set(DISC_NAMES.values())
        assert discs <= {DISC_NAMES[scene.light]}


def test_image_size_may_be_height_and_width(tiny):
    root = tiny(image_size=(64, 96))
    for image in read(root, "val2017")["images"]:
        assert (image["height"], image["width"]) == (64, 96)
        assert cv2.imread(str(root / "val2017" / image["file_name"])).shape == (64, 96, 3)


# --- never half a set, never another's files


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_interrupted_run_leaves_nothing(tiny, tmp_path, monkeypatch, error):
    def fail_at_third(split, index, **options):
        if index == 2:
            raise error
        return sample_scene(split, index, **options)

    with monkeypatch.context() as patch:
        patch.setattr(shapes, "sample_scene", fail_at_third)
        with pytest.raises(type(error)):
            tiny()
    assert list(tmp_path.iterdir()) == []
    assert len(list((tiny() / "train2017").iterdir())) == 3


def test_whole_set_is_reused(tiny, capsys, monkeypatch):
    root = tiny()
    before = digests(root)
    monkeypatch.setattr(shapes, "sample_scene", None)
    assert tiny() == root
    assert f"Reusing the shapes set in {root}" in capsys.readouterr().out
    assert digests(root) == before


def test_other_options_are_refused_and_forced(tiny, tmp_path):
    root = tiny()
    before = digests(root)
    with pytest.raises(FileExistsError, match=r"tiny holds a shapes set.*--force"):
        tiny(seed=1)
    assert digests(root) == before
    assert digests(tiny(seed=1, force=True)) != before
    assert [p.name for p in tmp_path.iterdir()] == ["tiny"]


def test_damaged_set_is_not_taken_for_a_whole_one(tiny):
    root = tiny()
    before = digests(root)
    (root / "val2017" / "000000000001.jpg").unlink()
    with pytest.raises(FileExistsError, match="files missing"):
        tiny()
    assert digests(tiny(force=True)) == before


@pytest.mark.parametrize("force", [False, True])
def test_other_content_is_never_replaced(tiny, tmp_path, force):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="mine exists and holds other things"):
        tiny("mine", force=force)
    mixed = tiny("mixed")
    shutil.move(mine / "notes.txt", mixed)
    with pytest.raises(FileExistsError, match="mixed exists and holds other things"):
        tiny("mixed", seed=1, force=force)
    assert (mixed / "notes.txt").read_text() == "mine"


def test_file_in_the_way_is_refused(tiny, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(FileExistsError, match="file exists and is no directory"):
        tiny("file", force=True)


def test_empty_directory_is_filled(tiny, tmp_path):
    (tmp_path / "empty").mkdir()
    assert describe_shapes(tiny("empty"))["val2017"]["images"] == 2


def test_describing_no_set_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no shapes set"):
        describe_shapes(tmp_path)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("num_train", 0),
        ("num_val", -1),
        ("num_val", True),
        ("image_size", 63),
        ("image_size", (64, 32)),
        ("image_size", (64, 64, 3)),
        ("image_size", 64.0),
        ("max_objects", 0),
        ("seed", -1),
    ],
)
def test_arguments_out_of_range_are_refused(tmp_path, option, value):
    with pytest.raises(ValueError, match=f"{option}=.*expected"):
        generate_shapes(tmp_path / "set", **{option: value})
    assert list(tmp_path.iterdir()) == []
