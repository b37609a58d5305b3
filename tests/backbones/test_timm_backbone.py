"""TimmBackbone: timm's features bit for bit, and what must not train does not."""

from __future__ import annotations

import copy
import pickle
import re
import sys
from functools import partial

import pytest
import timm
import torch
from mmdet.registry import MODELS
from mmengine.config import ConfigDict
from mmengine.model import convert_sync_batchnorm
from torch import Tensor, nn

from senet_mm.backbones import TimmBackbone

pytestmark = pytest.mark.slow

# the stem and the stages of small nets, by the names of their tensors
STAGES = {
    "regnetx_002": ["stem", "s1", "s2", "s3", "s4"],
    "regnety_002": ["stem", "s1", "s2", "s3", "s4"],
    "resnet18d": ["(conv1|bn1)", "layer1", "layer2", "layer3", "layer4"],
    "convnext_atto": ["stem_[01]", "stages_0", "stages_1", "stages_2", "stages_3"],
    # timm's map of stride 2 is that of their first block
    "efficientnet_b0": [r"(conv_stem|bn1|blocks\.0)", *(rf"blocks\.{n}" for n in ("1", "2"))]
    + [r"blocks\.[34]", r"blocks\.[56]"],
    "mobilenetv1_100": [r"(conv_stem|bn1|blocks\.0)", *(rf"blocks\.{n}" for n in range(1, 5))],
    "mobilenetv3_small_100": ["(conv_stem|bn1)", r"blocks\.0", r"blocks\.1", r"blocks\.[23]"]
    + [r"blocks\.[45]"],
}  # fmt: skip
# the convolutions before the second pool, which Fast R-CNN freezes, and three groups more
VGG = ["features_[0-5]", "features_([89]|1[0-3])", "features_(1[5-9]|20)", "features_2[2-7]"]


def small(name: str, **options) -> TimmBackbone:
    torch.manual_seed(0)
    return TimmBackbone(name, **options)


def images(side: int = 64) -> Tensor:
    return torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", [*STAGES, "swin_s3_tiny_224", "test_vit"])
def test_features_are_those_of_timm(name: str) -> None:
    options = dict(swin_s3_tiny_224=dict(img_size=64), test_vit=dict(dynamic_img_size=True))
    backbone = small(name, **options.get(name, {})).eval()
    peer = timm.create_model(
        name, features_only=True, out_indices=(-4, -3, -2, -1), **options.get(name, {})
    ).eval()
    peer.load_state_dict(backbone.timm_model.state_dict())
    with torch.no_grad():
        ours, theirs = backbone(images()), peer(images())
    if name.startswith("swin"):  # its maps are NHWC
        theirs = [map_.permute(0, 3, 1, 2) for map_ in theirs]
    assert len(ours) == len(theirs) == 4
    for a, b, channels, stride in zip(
        ours, theirs, backbone.out_channels, backbone.out_strides, strict=True
    ):
        assert torch.equal(a, b)
        assert a.shape == (2, channels, 64 // stride, 64 // stride)


def test_maps_are_chosen_as_timm_counts_them() -> None:
    assert small("resnet18").out_channels == [64, 128, 256, 512]
    assert small("resnet18", out_indices=[0, 4]).out_strides == [2, 32]
    assert small("resnet18", out_indices=(-2, -1)).out_strides == [16, 32]
    assert len(small("resnet18", out_indices=[0, 4])(images())) == 2
    assert small("nest_tiny", img_size=64).out_strides == [4, 8, 16]  # it has no more


def _cases():
    for name, stages in STAGES.items():
        yield from (pytest.param(name, stages, count) for count in (-1, 0, 1, 4))
    yield pytest.param("vgg11_bn", VGG, 0, marks=pytest.mark.slow)


@pytest.mark.parametrize(("name", "stages", "frozen_stages"), list(_cases()))
def test_what_is_frozen_does_not_train(name: str, stages: list[str], frozen_stages: int) -> None:
    backbone = small(name, frozen_stages=frozen_stages).train()
    # all parameters, as mmengine gives them to the optimizer
    optimizer = torch.optim.SGD(backbone.parameters(), lr=0.1, momentum=0.9, weight_decay=0.1)
    before = copy.deepcopy(backbone.state_dict())
    for _ in range(2):
        loss = torch.stack([map_.square().mean() for map_ in backbone(images())]).sum()
        if frozen_stages < 4:
            loss.backward()
        assert loss.requires_grad == (frozen_stages < 4)
        optimizer.step()
    parts = [re.compile(rf"timm_model\.{part}\.") for part in stages]
    frozen = parts[: frozen_stages + 1]
    trained = 0
    for key, value in backbone.state_dict().items():
        assert sum(part.match(key) is not None for part in parts) == 1, key
        if any(part.match(key) for part in frozen):
            assert torch.equal(value, before[key]), key
        else:
            trained += not torch.equal(value, before[key])
    rest = [key for key in before if not any(part.match(key) for part in frozen)]
    assert trained == len(rest)
    assert frozen_stages == 4 or trained > 0


def test_frozen_parts_stay_so() -> None:
    backbone = small("resnet18d", frozen_stages=1, norm_eval=True)
    norms = [m for m in backbone.modules() if isinstance(m, nn.BatchNorm2d)]
    for mode in (True, False, True):
        assert backbone.train(mode) is backbone
        net = backbone.timm_model
        assert not any(m.training for m in net.layer1.modules())
        assert net.layer2.training == net.training == mode
        assert not any(m.training for m in norms)
        assert all(not p.requires_grad for p in (*net.conv1.parameters(), *net.layer1.parameters()))
        assert all(p.requires_grad for p in net.layer2.parameters())
    # as built, before any call of train
    assert not small("resnet18d", frozen_stages=0).timm_model.bn1.training
    free = small("resnet18d").train()
    assert all(m.training for m in free.modules())


@pytest.mark.parametrize("name", ["resnet18d", "efficientnet_b0", "test_vit"])
def test_with_cp_gives_the_same_gradients(name: str) -> None:
    options = dict(dynamic_img_size=True) if name == "test_vit" else {}
    options["frozen_stages"] = 1
    plain, checkpointed = small(name, **options), small(name, with_cp=True, **options)
    for net in (plain, checkpointed):
        torch.manual_seed(2)
        sum(map_.square().mean() for map_ in net.train()(images())).backward()
    for (key, a), b in zip(plain.named_parameters(), checkpointed.parameters(), strict=True):
        assert (a.grad is None) == (b.grad is None) == (not a.requires_grad), key
        assert a.grad is None or torch.allclose(a.grad, b.grad, rtol=1e-4, atol=1e-6), key


def test_a_copy_works_alone() -> None:
    backbone = small("efficientnet_b0", frozen_stages=1)
    twin = copy.deepcopy(backbone)
    again = pickle.loads(pickle.dumps(backbone))
    x = images()
    with torch.no_grad():
        for map_, other, third in zip(
            backbone.eval()(x), twin.eval()(x), again.eval()(x), strict=True
        ):
            assert torch.equal(map_, other) and torch.equal(map_, third)
    twin.train()
    assert not twin.timm_model.bn1.training and twin.timm_model.blocks[2].training


def test_sync_bn_keeps_the_activations_inside_timms_batch_norm() -> None:
    """mmengine puts SyncBN in the place of batch norm, which would forget them."""
    plain = small("efficientnet_b0").eval()
    synced = convert_sync_batchnorm(copy.deepcopy(plain))
    for _ in range(2):  # twice does no more than once
        synced.train().eval()
    assert isinstance(synced.timm_model.bn1, nn.SyncBatchNorm)
    for module in synced.modules():  # in one process they differ in nothing else
        if type(module) is nn.SyncBatchNorm:
            module.forward = partial(nn.BatchNorm2d.forward, module)
            module._check_input_dim = lambda x: None
    with torch.no_grad():
        for a, b in zip(plain(images()), synced(images()), strict=True):
            assert torch.equal(a, b)


def test_options_are_timms() -> None:
    backbone = MODELS.build(
        ConfigDict(
            type="TimmBackbone",
            model_name="mobilenetv1_100",
            act_layer="relu",
            drop_path_rate=0.1,
            out_indices=[1, 2, 3, 4],
            in_chans=1,
        )
    )
    assert not any(isinstance(m, nn.ReLU6) for m in backbone.modules())
    assert sum(isinstance(m, nn.ReLU) for m in backbone.modules()) == 27
    assert backbone.timm_model.conv_stem.in_channels == 1


NEAR = "the nearest are vgg19_bn, vgg16_bn"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (dict(model_name="vgg17_bn"), rf"model_name='vgg17_bn': timm \S+ has no such .*{NEAR}"),
        (dict(model_name="resnet18.nope"), r"Invalid pretrained tag \(nope\) for resnet18"),
        (dict(out_indices=[3, 5]), r"out_indices=\[3, 5\] cannot be had .*0 \(stride 2\)"),
        (dict(out_indices=3), "out_indices=3: expected numbers of maps, in their order"),
        (dict(out_indices=[]), r"out_indices=\[\]: expected numbers of maps"),
        (dict(out_indices=[2, 1]), r"out_indices=\[2, 1\]: expected numbers of maps"),
        (dict(frozen_stages=5), r"frozen_stages=5: expected -1 .* up to 4"),
        (dict(frozen_stages=-2), r"frozen_stages=-2: expected -1"),
        (dict(drop_pth_rate=0.1), r"with drop_pth_rate=0.1 \(TypeError: .*'drop_pth_rate'"),
        (dict(pretrained=True), r"leave out pretrained=True: init_cfg=.*timm://NAME"),
        (dict(features_only=True), "leave out features_only=True: it is always so"),
        (dict(align=True), "align=True: resnet18 has no layer without padding"),
        (dict(model_name="inception_v3", align=True), "not all layers of inception_v3"),
    ],
)
def test_bad_options_are_told_in_one_line(options: dict, told: str) -> None:
    with pytest.raises(ValueError, match=told) as caught:
        TimmBackbone(**dict(model_name="resnet18") | options)
    assert "\n" not in str(caught.value)


def test_a_net_without_maps(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = timm.create_model

    def create(name: str, features_only: bool = False, **options) -> nn.Module:
        if features_only:  # so say older versions of timm
            raise RuntimeError("features_only not implemented for Vision Transformer models.")
        return plain(name, **options)

    monkeypatch.setattr(timm, "create_model", create)
    with pytest.raises(ValueError, match="'test_vit': this network has no feature maps.*not impl"):
        TimmBackbone("test_vit")


def test_a_net_of_one_size_says_so() -> None:
    with pytest.raises(
        ValueError, match=r"swin_\w+ takes pictures of \(224, 224\), not \(64, 64\)"
    ):
        small("swin_s3_tiny_224")(images())


def test_timm_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(ImportError, match="TimmBackbone's networks need timm: pip install timm"):
        TimmBackbone("resnet18")
