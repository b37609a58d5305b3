"""The configs of classifiers: pairs, counts, and the recipes that the paper prints."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import PARAM_SCHEDULERS, DefaultScope
from torch import nn

from senet_mm.profiling.classifier import classifier_of, image_size
from senet_mm.profiling.complexity import (
    Cost,
    build_backbone,
    count_parameters,
    stage_costs,
    with_classifier,
)
from tests.configs.reading import CONFIGS, differences, read

ALL = sorted(path.stem for path in (CONFIGS / "classification").glob("*.py"))
PAIRS = [(name.removeprefix("se_"), name) for name in ALL if name.startswith("se_")]
# parameters with classifier, plain and with SE: Eq. 5, other packages and the SE authors' prototxt
PARAMETERS = {
    "resnet50_in1k": (25_557_032, 28_088_024),
    "resnet50_released_in1k": (25_557_032, 28_088_024),
    "resnet50_ablation_in1k": (25_557_032, 25_557_032 + 2_514_944),  # Eq. 5, without biases
    "resnet101_in1k": (44_549_160, 49_326_872),
    "resnet152_in1k": (60_192_808, 66_821_848),
    "resnext50_32x4d_in1k": (25_028_904, 27_559_896),
    "resnext101_32x4d_in1k": (44_177_704, 48_955_416),
    "vgg16_bn_in1k": (138_365_992, 138_596_784),
    "bn_inception_in1k": (11_285_224, 11_931_622),
    "inception_resnet_v2_in1k": (55_843_464, 64_387_444),
    "mobilenet_in1k": (4_231_976, 4_718_044),
    "shufflenet_in1k": (1_865_728, 2_484_533),
    "resnet152_places365": (60_192_808 - 635 * 2049, 66_821_848 - 635 * 2049),
    "resnet110_digits": (1_727_962, 1_742_200),
    "resnet110_cifar10": (1_727_962, 1_742_200),
    "resnet110_cifar100": (1_733_812, 1_733_812 + 1_742_200 - 1_727_962),
    "resnet164_cifar10": (1_703_258, 1_905_362),
    "resnet164_cifar100": (1_726_388, 1_726_388 + 1_905_362 - 1_703_258),
    "wrn16_8_cifar10": (10_961_370, 11_049_290),
    "wrn16_8_cifar100": (11_007_540, 11_007_540 + 11_049_290 - 10_961_370),
    "shake_resnet26_2x96d_cifar10": (26_192_922, 26_392_170),
    "shake_resnext29_2x4x64d_cifar100": (34_529_700, 35_573_316),
}
SENET154 = 115_088_984
# 1e6 multiply-adds, plain and with SE's maps counted once
MULTIPLY_ADDS = {
    "resnet110_cifar10": (252.89, 253.42),
    "resnet164_cifar10": (244.50, 246.76),
    "wrn16_8_cifar10": (1548.15, 1548.69),
    "shake_resnet26_2x96d_cifar10": (3776.9, 3778.5),
    "shake_resnext29_2x4x64d_cifar100": (5387.4, 5391.1),
    "mobilenet_in1k": (568.74, 571.93),
}
# batch, lr, epochs, weight decay, label smoothing
RECIPES = {
    "resnet50_in1k": (1024, 0.6, 100, 1e-4, 0),
    "inception_resnet_v2_in1k": (1024, 0.6, 100, 1e-4, 0),
    "resnet50_released_in1k": (256, 0.1, 120, 1e-4, 0),
    "resnet50_ablation_in1k": (256, 0.1, 270, 1e-4, 0.1),
    "mobilenet_in1k": (256, 0.1, 400, 4e-5, 0),
    "senet154_in1k": (2048, 1.0, 100, 1e-4, 0.1),
    "resnet152_places365": (1024, 0.6, 16, 1e-4, 0),
    "resnet110_cifar10": (128, 0.1, 164, 1e-4, 0),
    "resnet164_cifar100": (128, 0.1, 164, 1e-4, 0),
    "wrn16_8_cifar10": (128, 0.1, 200, 5e-4, 0),
    "shake_resnet26_2x96d_cifar10": (128, 0.2, 1800, 1e-4, 0),
    "shake_resnext29_2x4x64d_cifar100": (32, 0.025, 1800, 5e-4, 0),
}
GPUS = {"senet154_in1k": 64} | {name: 1 for name in RECIPES if "cifar" in name}
# (epoch, lr) on both sides of each step; of ResNets for CIFAR (iteration, lr)
LEARNING_RATES = {
    "resnet50_in1k": [(0, 0.6), (29, 0.6), (30, 0.06), (59, 0.06), (60, 6e-3), (90, 6e-4)],
    "resnet50_ablation_in1k": [(124, 0.1), (125, 0.01), (199, 0.01), (200, 1e-3), (250, 1e-4)],
    "wrn16_8_cifar10": [(59, 0.1), (60, 0.02), (119, 0.02), (120, 4e-3), (160, 8e-4)],
    "resnet110_cifar10": [
        *((0, 0.01), (399, 0.01), (400, 0.1), (31_999, 0.1), (32_000, 0.01), (47_999, 0.01)),
        (48_000, 1e-3),
    ],
    "shake_resnet26_2x96d_cifar10": [(0, 0.2), (450, 0.17071), (900, 0.1), (1799, 1.523e-7)],
    "shake_resnext29_2x4x64d_cifar100": [(0, 0.025), (900, 0.0125)],
    "resnet110_digits": [(0, 0.01), (1, 0.1), (5, 0.1), (6, 0.01), (8, 0.01), (9, 1e-3)],
}


def config(name: str) -> Config:
    return read(f"classification/{name}.py")


def cost_of(name: str, *, counts_multiply_adds: bool = False) -> Cost:
    """The cost with classifier, which follows from shapes alone."""
    cfg = config(name)
    with torch.device("meta"):
        backbone = build_backbone(cfg)
        total = Cost("total", count_parameters(backbone), 0, 0)
        if counts_multiply_adds:
            total = stage_costs(backbone, image_size(cfg))[-1]
        return with_classifier(total, classifier_of(backbone, name, cfg.model.head))


def test_every_config_is_one_of_a_pair() -> None:
    in_pairs = {name for pair in PAIRS for name in pair}
    assert {*ALL} - in_pairs == {"senet154_in1k", "senet154_320_in1k"}
    assert PARAMETERS.keys() == {plain for plain, _ in PAIRS}


@pytest.mark.parametrize(("plain", "se"), PAIRS)
def test_a_pair_differs_in_the_backbone_alone(plain: str, se: str) -> None:
    before, after = config(plain), config(se)
    backbone = ".model.backbone."
    if after.model.backbone.type == "mmdet.SEBackbone":
        assert after.model.backbone.keys() - {"input_shape"} == {
            *("type", "backbone", "units", "se_cfg")
        }
        assert after.model.backbone.backbone == before.model.backbone
        assert after.model.backbone.se_cfg == dict(reduction=16)
        after.model.backbone = before.model.backbone
        assert not differences(before, after)
    else:
        expected = {backbone + "type", backbone + "se_cfg.reduction"}
        if "ablation" in se:  # section 6: no biases
            expected.add(backbone + "se_cfg.bias")
        assert differences(before, after) == expected
        assert after.model.backbone.se_cfg.reduction == 16


@pytest.mark.parametrize("name", ALL)
def test_backbones_train_as_from_scratch(name: str) -> None:
    backbone = config(name).model.backbone
    backbone = backbone.get("backbone", backbone)
    assert len(backbone.get("out_indices", (2,))) == 1
    assert not backbone.get("norm_eval") and backbone.get("frozen_stages", -1) == -1
    assert (backbone.get("init_cfg") or {}).get("type") != "Pretrained"
    if "ResNe" in backbone.type and "depth" in backbone and "cifar" not in name:
        assert backbone.get("zero_init_residual", False) is False


def parameters_of(name: str) -> int:
    if name.startswith("senet154"):
        return SENET154
    return PARAMETERS[name.removeprefix("se_")][name.startswith("se_")]


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_parameters_with_classifier(name: str, shapes_alone: None) -> None:
    assert cost_of(name).parameters == parameters_of(name)


@pytest.mark.slow
@pytest.mark.parametrize("plain", MULTIPLY_ADDS)
def test_multiply_adds_in_one_pass(plain: str, shapes_alone: None) -> None:
    for name, expected in zip((plain, f"se_{plain}"), MULTIPLY_ADDS[plain], strict=True):
        digits = len(str(expected).partition(".")[2])
        assert round(cost_of(name, counts_multiply_adds=True).one_pass / 1e6, digits) == expected


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        *("vgg16_bn_in1k", "se_inception_resnet_v2_in1k", "senet154_320_in1k"),
        *("se_resnet50_ablation_in1k", "se_resnet164_cifar100", "resnet152_places365"),
    ],
)
def test_mmpretrain_builds_the_whole(name: str, shapes_alone: None) -> None:
    pytest.importorskip("mmpretrain")
    from mmpretrain.registry import MODELS

    with DefaultScope.overwrite_default_scope("mmpretrain"), torch.device("meta"):
        model = MODELS.build(config(name).model)
    assert count_parameters(model) == parameters_of(name)


@pytest.mark.parametrize("name", RECIPES)
def test_recipes(name: str) -> None:
    batch, lr, epochs, decay, smoothing = RECIPES[name]
    cfg = config(name)
    assert cfg.auto_scale_lr.base_batch_size == batch
    assert cfg.train_dataloader.batch_size * GPUS.get(name, 8) == batch
    optimizer = cfg.optim_wrapper.optimizer
    assert (optimizer.type, optimizer.momentum) == ("SGD", 0.9)
    assert (optimizer.lr, optimizer.weight_decay) == (lr, decay)
    assert optimizer.get("nesterov", False) == bool(re.match("wrn|shake", name))
    assert cfg.train_cfg.max_epochs == epochs
    assert cfg.model.head.loss.get("label_smooth_val", 0) == smoothing


@pytest.mark.parametrize("name", LEARNING_RATES)
def test_learning_rates(name: str) -> None:
    cfg, expected = config(name), LEARNING_RATES[name]
    found = learning_rates(cfg, 1 + max(place for place, _ in expected))
    assert [found[place] for place, _ in expected] == pytest.approx(
        [lr for _, lr in expected], 1e-3
    )


def learning_rates(cfg: Config, steps: int) -> Sequence[float]:
    """What mmengine's schedulers set, in each of their steps."""
    wrapper = cfg.optim_wrapper.optimizer
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=wrapper.lr)
    schedulers = []
    for one in cfg.param_scheduler:
        one = one.copy()
        one.pop("convert_to_iter_based", None)
        schedulers.append(PARAM_SCHEDULERS.build(dict(one, optimizer=optimizer)))
    found = []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        for scheduler in schedulers:
            scheduler.step()
    return found


def test_mobilenet_has_relu(shapes_alone: None) -> None:
    kinds = {type(module) for module in build_backbone(config("mobilenet_in1k")).modules()}
    assert nn.ReLU in kinds and nn.ReLU6 not in kinds


def test_mobile_nets_watch_the_validation() -> None:
    cfg = config("shufflenet_in1k")
    (scheduler,) = cfg.param_scheduler
    assert (scheduler.type, scheduler.factor) == ("ReduceOnPlateauLR", 0.1)
    assert (scheduler.monitor, scheduler.rule) == ("accuracy/top1", "greater")
    assert cfg.train_cfg.val_interval == 1


@pytest.mark.parametrize(
    ("name", "mean", "std"),
    [
        ("se_resnet50_in1k", [123, 117, 104], [1, 1, 1]),
        ("se_resnet110_cifar10", [125.3, 123.0, 113.9], [63.0, 62.1, 66.7]),
        ("se_resnet110_cifar100", [129.3, 124.1, 112.4], [68.2, 65.4, 70.4]),
    ],
)
def test_normalization(name: str, mean: list[float], std: list[float]) -> None:
    cfg = config(name)
    preprocessor = cfg.data_preprocessor
    assert (preprocessor.mean, preprocessor.std) == (mean, std)
    assert preprocessor.num_classes == cfg.model.head.num_classes
    # mmpretrain's CIFAR is RGB, and files are read as BGR
    assert preprocessor.to_rgb == ("cifar" not in name)
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        assert loader.dataset.get("download", False) is False
