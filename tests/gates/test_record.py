"""Gates over a test set against images that are run one by one."""

import copy
import json
import shutil
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config

from senet_mm.compat.packaged_configs import config_path
from senet_mm.gates.record import check_classes, record_gates
from senet_mm.profiling.complexity import build_detector
from senet_mm.runs.data.data_root import set_data_root

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cfg(shapes_root: Path) -> Config:
    """The demo's SE config on images of their own size, loaded in this process."""
    cfg = Config.fromfile(config_path("demo/faster_rcnn_se_r18_fpn_shapes.py"))
    set_data_root(cfg, shapes_root)
    cfg.test_dataloader.update(num_workers=0, persistent_workers=False)
    cfg.test_dataloader.dataset.pipeline[1].scale = (128, 128)
    return cfg


@pytest.fixture(scope="module")
def checkpoint(cfg: Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seeded random weights whose gates differ between images."""
    torch.manual_seed(0)
    model = build_detector(cfg)
    for key, value in model.named_parameters():
        if ".se.fc" in key and key.endswith("weight"):
            torch.nn.init.normal_(value)
    path = tmp_path_factory.mktemp("checkpoint") / "random.pth"
    torch.save(dict(state_dict=model.state_dict(), meta={}), path)
    return path


def by_hand(cfg: Config, checkpoint: Path, root: Path) -> tuple[dict, dict]:
    """Gates per image and unit, and classes per image, by file name, without our recorder."""
    model = build_detector(cfg)
    model.load_state_dict(torch.load(checkpoint, weights_only=False)["state_dict"])
    normalize = cfg.model.data_preprocessor
    gates = defaultdict(dict)
    truth = json.loads((root / "annotations" / "instances_val2017.json").read_text())
    for image in truth["images"]:
        picture = cv2.imread(str(root / "val2017" / image["file_name"]))[:, :, ::-1]
        x = (picture - np.array(normalize.mean)) / np.array(normalize.std)
        x = torch.from_numpy(x.transpose(2, 0, 1)).float()[None]
        with torch.no_grad():
            x = model.backbone.maxpool(
                model.backbone.relu(model.backbone.norm1(model.backbone.conv1(x)))
            )
            for layer in ("layer1", "layer2", "layer3", "layer4"):
                for index, unit in enumerate(getattr(model.backbone, layer)):
                    z = unit.last(unit.first(x)).mean((2, 3), keepdim=True)
                    s = torch.sigmoid(unit.se.fc2(unit.se.fc1(z).relu()))
                    name = f"SE_{int(layer[-1]) + 1}_{index + 1}"
                    gates[image["id"]][name] = s[0, :, 0, 0].double().numpy()
                    x = unit(x)
    present = defaultdict(set)
    for annotation in truth["annotations"]:
        present[annotation["image_id"]].add(annotation["category_id"])
    names = {category["id"]: category["name"] for category in truth["categories"]}
    return gates, {i: {names[c] for c in present[i]} for i in gates}


def test_means_per_class_are_those_of_single_images(cfg, checkpoint, shapes_root, tmp_path) -> None:
    statistics = record_gates(cfg, checkpoint, work_dir=tmp_path)
    gates, present = by_hand(cfg, checkpoint, shapes_root)
    assert len(statistics.names) == 8 and statistics.counts[0] == 6
    shown = {name for classes in present.values() for name in classes}
    assert {g for g, n in zip(statistics.groups[1:], statistics.counts[1:], strict=True) if n} == (
        shown
    )
    for row, group in enumerate(statistics.groups):
        images = [i for i in gates if row == 0 or group in present[i]]
        assert statistics.counts[row] == len(images)
        for name in statistics.names if images else ():
            values = np.stack([gates[i][name] for i in images])
            np.testing.assert_allclose(statistics.mean(name)[row], values.mean(0), atol=2e-5)
            deviation = statistics.variance(name)[row].sqrt()
            np.testing.assert_allclose(deviation, values.std(0), atol=2e-5)
    assert statistics.variance("SE_5_2")[0].max() > 1e-4, "the images must differ"
    assert cfg.get("load_from") is None and "indices" not in cfg.test_dataloader.dataset


def test_the_first_images_only(cfg, checkpoint, shapes_root, tmp_path) -> None:
    statistics = record_gates(cfg, checkpoint, work_dir=tmp_path, max_images=2)
    gates, _ = by_hand(cfg, checkpoint, shapes_root)
    expected = np.mean([list(gates.values())[i]["SE_3_2"] for i in range(2)], axis=0)
    assert statistics.counts[0] == 2
    np.testing.assert_allclose(statistics.mean("SE_3_2")[0], expected, atol=2e-5)


def test_bad_data_and_checkpoints(cfg, checkpoint, shapes_root, tmp_path: Path) -> None:
    root = tmp_path / "shapes"
    shutil.copytree(shapes_root, root)
    file = root / "annotations" / "instances_val2017.json"
    truth = json.loads(file.read_text())
    moved = copy.deepcopy(cfg)
    set_data_root(moved, root)
    file.write_text(json.dumps(dict(truth, annotations=[])))
    with pytest.raises(ValueError, match="has 6 images and no annotated object"):
        record_gates(moved, checkpoint, work_dir=tmp_path / "w")
    plain = Config.fromfile(config_path("demo/faster_rcnn_r18_fpn_shapes.py"))
    set_data_root(plain, shapes_root)
    with pytest.raises(ValueError, match="has no SE block"):
        record_gates(plain, checkpoint, work_dir=tmp_path / "w")
    wider = copy.deepcopy(cfg)
    wider.merge_from_dict({"model.backbone.se_cfg.reduction": 8})
    with pytest.raises(ValueError, match="not those of this SEResNet: they need reduction=16"):
        record_gates(wider, checkpoint, work_dir=tmp_path / "w")


def test_classes(cfg) -> None:
    check_classes(cfg, ["star", "moon"])
    with pytest.raises(ValueError, match="--classes cat: expected some of square, triangle"):
        check_classes(cfg, ["star", "cat"])
    with pytest.raises(ValueError, match="expected some of person, bicycle"):
        check_classes(Config.fromfile(config_path("faster_rcnn_se_r50_fpn.py")), ["star"])


def test_several_test_sets_are_refused(cfg: Config, checkpoint: Path, tmp_path: Path) -> None:
    two = copy.deepcopy(cfg)
    inner = two.test_dataloader.dataset
    two.test_dataloader.dataset = dict(type="ConcatDataset", datasets=[inner, inner])
    with pytest.raises(ValueError, match="expected one data set in test_dataloader.* 2 data sets"):
        record_gates(two, checkpoint, work_dir=tmp_path)
    with pytest.raises(ValueError, match="expected one data set"):
        check_classes(two, [])
