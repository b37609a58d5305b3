"""The index of configs says what they are, and the files that are made of it are up to date."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from senet_mm.compat.packaged_configs import config_path
from senet_mm.runs.config_index import PackagedConfig, metafiles, packaged_configs, page_of
from tests.configs.test_configs import ATTACHED, ATTENTION, PAIRS

MODEL = "model = dict(backbone=dict({}))\n"
SMALL = {
    "plain.py": "# A plain net (Table 1). And more.\n" + MODEL.format("depth=18"),
    "se.py": "# SE of 1.5 kinds\n_base_ = './plain.py'\n" + MODEL.format("se_cfg=dict()"),
    "own/later.py": "# More\n_base_ = '../se.py'\n" + MODEL.format("init_cfg=None"),
    "deeper.py": "# Deeper\n_base_ = './se.py'\n" + MODEL.format("depth=50"),
    "longer.py": "# Longer\n_base_ = './se.py'\nmax_epochs = 3\n",
    "eca.py": "# ECA\n_base_ = './plain.py'\n" + MODEL.format("se_cfg=dict(type='ECA')"),
    "_base_/x.py": "model = dict()\n",
}


@pytest.fixture(scope="module")
def configs(repo: Path) -> dict[str, PackagedConfig]:
    return {config.name: config for config in packaged_configs(repo / "configs")}


@pytest.fixture
def small(tmp_path: Path) -> Path:
    for name, text in SMALL.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_what_the_text_says(small: Path) -> None:
    found = {c.name: (c.description, c.twin, c.collection) for c in packaged_configs(small)}
    assert found == {
        "plain": ("A plain net (Table 1)", None, "Plain twins"),
        "se": ("SE of 1.5 kinds", "plain", "SENet"),
        "own/later": ("More", "plain", "SENet"),
        "deeper": ("Deeper", None, "SENet"),
        "longer": ("Longer", None, "SENet"),
        "eca": ("ECA", "plain", "Other attention"),
    }


def test_a_config_must_say_what_it_is(small: Path) -> None:
    (small / "silent.py").write_text("model = dict()\n")
    with pytest.raises(ValueError, match=r"silent.py begins with no comment"):
        packaged_configs(small)


def test_all_configs_are_there(configs: dict[str, PackagedConfig]) -> None:
    assert len(configs) > 120
    for name in configs:
        assert config_path(name).is_file()


def test_twins_are_those_that_are_compared(configs: dict[str, PackagedConfig]) -> None:
    """Other tests build each of these pairs, and see that they differ in SE alone."""
    pairs = [*PAIRS, *ATTACHED, *(("faster_rcnn_r50_fpn.py", name) for name, _ in ATTENTION)]
    for plain, se in pairs:
        assert configs[se.removesuffix(".py")].twin == plain.removesuffix(".py")
        assert configs[plain.removesuffix(".py")].twin is None
    assert configs["faster_rcnn_senet154_fpn"].twin is None
    assert configs["ablations/table12_relu"].twin == "faster_rcnn_r50_fpn"


def test_data_and_task(configs: dict[str, PackagedConfig]) -> None:
    assert {(configs[name].data, configs[name].task) for name in TOLD} == {*TOLD.values()}


TOLD = {
    "mask_rcnn_se_r50_fpn": ("COCO", "Instance Segmentation"),
    "bccd/faster_rcnn_r18_bccd": ("BCCD", "Object Detection"),
    "classification/se_resnet110_cifar100": ("CIFAR-100", "Image Classification"),
    "segmentation/deeplabv3plus_r50_d8_ade20k": ("ADE20K", "Semantic Segmentation"),
}


def test_metafiles_and_the_page_are_up_to_date(repo: Path, configs) -> None:
    for path, text in metafiles([*configs.values()]).items():
        assert (repo / path).read_text() == text, f"{path} is old: make metafiles"
    page = (repo / "docs" / "configs.md").read_text()
    assert page == page_of(page, [*configs.values()]), "docs/configs.md is old: make metafiles"


def test_metafiles_promise_neither_results_nor_weights(configs) -> None:
    texts = metafiles([*configs.values()])
    index = yaml.safe_load(texts.pop("model-index.yml"))
    assert index == {"Import": sorted(texts)}
    models = [model for text in texts.values() for model in yaml.safe_load(text)["Models"]]
    assert len(models) == len({model["Name"] for model in models}) == len(configs)
    assert all({"Results", "Weights"}.isdisjoint(model) for model in models)


def test_the_index_is_one_that_mim_reads(repo: Path, configs) -> None:
    modelindex = pytest.importorskip("modelindex.load_model_index")
    found = modelindex.load(str(repo / "model-index.yml"))
    assert {model.name for model in found.models} == {Path(name).name for name in configs}
    by_name = {model.name: model for model in found.models}
    assert by_name["faster_rcnn_se_r50_fpn"].in_collection == "SENet"
    assert by_name["table10_r2"].metadata.data["Twin"] == "faster_rcnn_r50_fpn"
