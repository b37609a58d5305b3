"""Every config builds, and each pair differs in its backbone alone."""

import copy

import pytest
import timm
import torch
import torchvision
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.registry import DefaultScope
from mmengine.structures import InstanceData

from senet_mm.profiling.complexity import build_backbone, build_detector, count_parameters
from senet_mm.weights import preprocessing
from senet_mm.weights.load.match import match_backbone
from senet_mm.weights.load.other_nets import match_other
from senet_mm.weights.read.checkpoint import Checkpoint
from senet_mm.weights.read.places import url_of
from senet_mm.weights.recognize.backbone import find_backbone
from senet_mm.weights.recognize.normalization import Preprocessing
from tests.backbones.references import PlainBNInception, PlainShuffleNet
from tests.configs.reading import CONFIGS, differences, read

pytestmark = pytest.mark.slow

OF_OTHER_PACKAGES = {"classification", "segmentation"}  # which have tests of their own
ALL = sorted(
    str(path.relative_to(CONFIGS))
    for path in CONFIGS.rglob("*.py")
    if not OF_OTHER_PACKAGES.intersection(path.parts)
)
PAIRS = [
    ("faster_rcnn_r50_fpn.py", "faster_rcnn_se_r50_fpn.py"),
    ("faster_rcnn_r101_fpn.py", "faster_rcnn_se_r101_fpn.py"),
    ("faster_rcnn_r152_fpn.py", "faster_rcnn_se_r152_fpn.py"),
    ("faster_rcnn_x50_32x4d_fpn.py", "faster_rcnn_se_x50_32x4d_fpn.py"),
    ("faster_rcnn_x101_32x4d_fpn.py", "faster_rcnn_se_x101_32x4d_fpn.py"),
    ("mask_rcnn_r50_fpn.py", "mask_rcnn_se_r50_fpn.py"),
    ("cascade_mask_rcnn_r50_fpn.py", "cascade_mask_rcnn_se_r50_fpn.py"),
    ("retinanet_r50_fpn.py", "retinanet_se_r50_fpn.py"),
    ("fcos_r50_fpn.py", "fcos_se_r50_fpn.py"),
    *(
        (
            f"one_recipe/faster_rcnn_r50_fpn_{recipe}.py",
            f"one_recipe/faster_rcnn_se_r50_fpn_{recipe}.py",
        )
        for recipe in ("a1", "a2", "a3")
    ),
    *(
        (
            f"one_recipe/faster_rcnn_x{depth}_32x4d_fpn_gluon.py",
            f"one_recipe/faster_rcnn_se_x{depth}_32x4d_fpn_gluon.py",
        )
        for depth in (50, 101)
    ),
    ("faster_rcnn_r50_fpn.py", "faster_rcnn_se_r50_fpn_identity.py"),
    ("demo/mask_rcnn_r18_fpn_shapes.py", "demo/mask_rcnn_se_r18_fpn_shapes.py"),
    ("demo/faster_rcnn_r18_fpn_shapes.py", "demo/faster_rcnn_se_r18_fpn_shapes.py"),
    ("bccd/faster_rcnn_r18_bccd.py", "bccd/faster_rcnn_se_r18_bccd.py"),
    ("bccd/faster_rcnn_r18_bccd.py", "bccd/faster_rcnn_se_r18_bccd_identity.py"),
    ("bccd/faster_rcnn_r50_bccd.py", "bccd/faster_rcnn_se_r50_bccd.py"),
]
# another attention in SE's place, and its parameters in the last three stages
ATTENTION = [
    ("attention/faster_rcnn_eca_r50_fpn.py", 4 * 5 + 6 * 5 + 3 * 7),
    (
        "attention/faster_rcnn_ese_r50_fpn.py",
        sum(units * (c * c + c) for units, c in ((4, 512), (6, 1024), (3, 2048))),
    ),
]
# SE attached to any backbone: `SEBackbone` around the plain twin's dict
ATTACHED = [
    (f"faster_rcnn_{net}_fpn.py", f"faster_rcnn_se_{net}_fpn.py")
    for net in ("vgg16_bn", "bn_inception", "inception_resnet_v2", "mobilenet", "shufflenet")
]
ONE_FAMILY = sorted(
    {*ALL} - {name for pair in ATTACHED for name in pair} - {name for name, _ in ATTENTION}
)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.usefixtures("shapes_alone")
def test_builds(name: str) -> None:
    cfg = read(name)
    assert cfg.custom_imports.imports == ["senet_mm"]
    model = build_detector(cfg)
    assert type(model.backbone).__name__ == cfg.model.backbone.type


def test_every_se_config_is_in_a_pair() -> None:
    others = {
        *("faster_rcnn_r50_se_pafpn.py", "faster_rcnn_se_r50_sefpn.py"),
        "bccd/faster_rcnn_se_r18_bccd_without_last_stage.py",  # of test_bccd.py
    }
    in_pairs = {se for _, se in PAIRS + ATTACHED}
    assert in_pairs == {name for name in ALL if "rcnn_se_" in name or "_se_r50" in name} - others


@pytest.mark.parametrize(("plain", "se"), PAIRS)
def test_a_pair_differs_in_the_backbone_alone(plain: str, se: str) -> None:
    differ = differences(read(plain), read(se))
    backbone = ".model.backbone."
    assert {backbone + "type", backbone + "se_cfg.reduction"} <= differ
    # what the weights of a twin need: their file, the geometry of the Caffe ports, SE's start
    allowed = ("init_cfg.checkpoint", "stem_pool", "style", "se_cfg.identity_init")
    others = {key.removeprefix(backbone) for key in differ} - {"type", "se_cfg.reduction"}
    assert others <= set(allowed)


@pytest.mark.parametrize(("name", "parameters"), ATTENTION)
def test_attention_is_all_that_differs(name: str, parameters: int) -> None:
    before, after = read("faster_rcnn_r50_fpn.py"), read(name)
    nets = [build_backbone(cfg) for cfg in (before, after)]
    assert count_parameters(nets[1]) - count_parameters(nets[0]) == parameters
    # the plain twin's weights, which leave it as it was built
    weights = nets[0].state_dict()
    _, report = match_backbone(nets[1], find_backbone(Checkpoint("plain", weights)))
    assert report.is_complete
    assert set(report.new) == nets[1].state_dict().keys() - weights.keys()
    assert not any(key.startswith("layer1.") for key in report.new)  # which is frozen
    assert after.model.backbone.pop("se_cfg")[0] is None
    assert after.model.backbone.pop("type") == "SEResNet"
    assert before.model.backbone.pop("type") == "ResNet"
    assert after._cfg_dict == before._cfg_dict


@pytest.mark.parametrize(("plain", "se"), ATTACHED)
def test_attached_se_is_all_that_differs(plain: str, se: str) -> None:
    before, after = read(plain), read(se)
    backbone = after.model.backbone
    assert backbone.keys() == {"type", "backbone", "units", "se_cfg"}
    assert backbone.type == "SEBackbone" and backbone.backbone == before.model.backbone
    assert backbone.se_cfg == dict(reduction=16, identity_init=True)
    after.model.backbone = before.model.backbone
    assert after._cfg_dict == before._cfg_dict


@pytest.mark.parametrize(("plain", "se"), ATTACHED)
@torch.no_grad()
def test_attached_se_starts_as_the_plain_net(plain: str, se: str, randomize) -> None:
    """By the weights of the plain twin, whose names it has."""
    nets = []
    for name in (plain, se):
        cfg = read(name)
        inner = cfg.model.backbone.get("backbone", cfg.model.backbone)
        inner.init_cfg = None
        nets.append(build_backbone(cfg))
    weights = randomize(nets[0]).state_dict()
    fresh = nets[1].load_state_dict(weights, strict=False)
    assert not fresh.unexpected_keys
    assert fresh.missing_keys and all(".se." in key for key in fresh.missing_keys)
    x = torch.randn(1, 3, 64, 64)
    for found, expected in zip(nets[1](x), nets[0](x), strict=True):
        assert torch.equal(found, expected)


def released(source: str) -> dict[str, torch.Tensor]:
    """What a checkpoint of the other networks has, but for its values."""
    if source.startswith("timm://"):
        assert source.removeprefix("timm://") in timm.list_pretrained()
        return timm.create_model(source.removeprefix("timm://"), pretrained=False).state_dict()
    assert url_of(source).startswith("http")
    if source == "torchvision://vgg16_bn":
        return torchvision.models.vgg16_bn(init_weights=False).state_dict()
    if "bn_inception" in source:
        return PlainBNInception().state_dict()
    return {f"backbone.{key}": value for key, value in PlainShuffleNet().state_dict().items()}


@pytest.mark.parametrize("name", [name for pair in ATTACHED for name in pair])
def test_weights_are_of_the_other_networks(name: str) -> None:
    cfg = read(name)
    backbone = cfg.model.backbone
    source = backbone.get("backbone", backbone).init_cfg.checkpoint
    _, report = match_other(MODELS.build(backbone), Checkpoint(source, released(source)))
    assert report.is_complete
    assert Preprocessing.of_config(cfg.model.data_preprocessor).agrees(report.preprocessing)


@pytest.mark.parametrize("name", ONE_FAMILY)
def test_weights_are_of_the_configs_backbone(name: str) -> None:
    """Geometry and preprocessing of the released weights that a config names."""
    cfg = read(name)
    init_cfg = cfg.model.backbone.get("init_cfg")
    if not init_cfg:
        assert name.startswith(("ablations/", "bccd/", "demo/"))
        return
    source = init_cfg["checkpoint"]
    images = Preprocessing.of_config(cfg.model.data_preprocessor)
    assert images.agrees(preprocessing(source)), name
    if source.startswith("timm://"):
        assert source.removeprefix("timm://") in timm.list_pretrained()
        weights = timm.create_model(source.removeprefix("timm://"), pretrained=False).state_dict()
        backbone = MODELS.build(cfg.model.backbone)
        assert match_backbone(backbone, find_backbone(Checkpoint(source, weights)))[1].is_complete
    else:  # in the layout, and of the geometry, of torchvision's and mmpretrain's nets
        assert url_of(source).startswith("https://")
        kind = source.rpartition("/")[2]
        backbone = cfg.model.backbone
        nets = {"SEResNet": "se-resnet{}", "ResNet": "resnet{}", "ResNeXt": "resnext{}_32x4d"}
        assert backbone.get("stem_pool", "pad") == "pad"
        assert backbone.style == "pytorch"
        if backbone.get("se_cfg", {}).get("identity_init"):
            assert kind == f"resnet{backbone.depth}"
        else:
            assert kind == nets[backbone.type].format(backbone.depth)


def test_the_papers_protocol() -> None:
    cfg = read("faster_rcnn_se_r50_fpn.py")
    assert cfg.train_cfg.max_epochs == 24
    assert cfg.param_scheduler[1].milestones == [16, 22]
    assert cfg.optim_wrapper.optimizer.lr == 0.02
    assert cfg.auto_scale_lr.base_batch_size == 16
    resize = cfg.train_dataloader.dataset.pipeline[2]
    assert (resize.type, resize.scale) == ("Resize", (1333, 800))
    assert cfg.train_dataloader.dataset.ann_file.endswith("train2017.json")
    assert cfg.val_dataloader.dataset.ann_file.endswith("val2017.json")


@pytest.mark.parametrize("name", PAIRS[0])
def test_one_training_and_one_inference_step(name: str) -> None:
    torch.manual_seed(0)
    cfg = read(name)
    cfg.model.backbone.init_cfg = None
    with DefaultScope.overwrite_default_scope("mmdet"):
        model = MODELS.build(copy.deepcopy(cfg.model))
    model.init_weights()
    sample = DetDataSample(
        metainfo=dict(img_shape=(64, 96), ori_shape=(64, 96), scale_factor=(1.0, 1.0)),
        gt_instances=InstanceData(
            bboxes=torch.tensor([[8.0, 8.0, 40.0, 40.0]]), labels=torch.tensor([3])
        ),
    )
    data = dict(
        inputs=[torch.randint(0, 255, (3, 64, 96), dtype=torch.uint8)], data_samples=[sample]
    )
    model.train()
    losses = model(**model.data_preprocessor(data, training=True), mode="loss")
    total, _ = model.parse_losses(losses)
    total.backward()
    assert total.isfinite()
    for key, parameter in model.backbone.named_parameters():
        frozen = key.startswith(("conv1", "bn1", "layer1"))
        assert (parameter.grad is None) == frozen, key
    model.eval()
    with torch.no_grad():
        (found,) = model.test_step(data)
    assert len(found.pred_instances) <= 100
    assert found.pred_instances.bboxes.isfinite().all()
