"""Converted files: what is in them, that they load, and that they lead back."""

from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from mmdet.registry import MODELS
from mmengine.config import Config

from senet_mm.backbones import BNInception, SEResNet
from senet_mm.compat.packaged_configs import config_path
from senet_mm.weights import load_weights
from senet_mm.weights.convert import convert, convert_other, write
from senet_mm.weights.load.match import match_backbone
from senet_mm.weights.read.checkpoint import Checkpoint, unwrap
from senet_mm.weights.read.file import read_file, sha256
from senet_mm.weights.read.sources import fetch
from senet_mm.weights.recognize.backbone import find_backbone
from senet_mm.weights.recognize.backbone_config import backbone_config
from senet_mm.weights.recognize.meta import Stated, read_meta
from senet_mm.weights.recognize.normalization import BN_INCEPTION_BGR, CAFFE_BGR, IMAGENET_RGB
from tests.backbones.references import PlainBNInception

pytestmark = pytest.mark.slow


def converted(path: Path, **options: object) -> dict:
    checkpoint = fetch(str(path))
    return convert(checkpoint, find_backbone(checkpoint), **options)[0]


def detector(**backbone: object) -> tuple[dict, Config]:
    """A checkpoint as mmengine writes it, of a random detector."""
    cfg = Config.fromfile(config_path("faster_rcnn_se_r50_fpn.py"))
    cfg.model.backbone.update(backbone)
    net = MODELS.build(cfg.model.backbone)
    weights = {f"backbone.{key}": value for key, value in net.state_dict().items()}
    weights["neck.lateral_convs.0.conv.weight"] = torch.zeros(1)
    meta = dict(cfg=cfg.pretty_text, epoch=3, dataset_meta=dict(classes=("a",)))
    return dict(meta=meta, state_dict=weights, optimizer={"big": torch.zeros(9)}), cfg


def test_a_converted_file_knows_its_geometry(tmp_path: Path) -> None:
    net = timm.create_model("legacy_seresnet50", pretrained=False)
    torch.save(net.state_dict(), tmp_path / "se_resnet50.pth")
    content = converted(tmp_path / "se_resnet50.pth")
    path = write(content, tmp_path / "out" / "ours.pth")
    assert path.name == f"ours-{sha256(path)[:8]}.pth"
    assert [other.name for other in path.parent.iterdir()] == [path.name]
    meta = read_file(path)["meta"]["senet_mm"]
    assert meta["source"] == "se_resnet50.pth"
    assert meta["source_sha256"] == sha256(tmp_path / "se_resnet50.pth")
    assert meta["family"] == "legacy"
    assert meta["backbone"] == dict(
        type="SEResNet", depth=50, style="caffe", stem_pool="ceil", se_cfg=dict(reduction=16)
    )
    # its keys are now those of a net in torchvision's style; the file says otherwise
    assert load_weights(MODELS.build(meta["backbone"]), str(path)).is_complete
    with pytest.raises(ValueError, match=r"style='caffe' .*stem_pool='ceil'"):
        load_weights(SEResNet(50), str(path))
    # and back, the classifier too
    back = write(converted(path, to="timm"), tmp_path / "back.pth")
    assert timm.create_model("legacy_seresnet50", checkpoint_path=str(back)) is not None
    for key, tensor in read_file(back)["state_dict"].items():
        assert torch.equal(tensor, net.state_dict()[key]), key


def test_backbone_only_of_a_trained_detector(tmp_path: Path) -> None:
    checkpoint, _ = detector(style="caffe", se_cfg=[{}, dict(gate="tanh"), None, dict(bias=False)])
    torch.save(checkpoint, tmp_path / "epoch_3.pth")
    content = converted(tmp_path / "epoch_3.pth", backbone_only=True)
    assert set(content["meta"]) == {"senet_mm"}
    assert {key.split(".")[0] for key in content["state_dict"]} == {
        "conv1", "bn1", "layer1", "layer2", "layer3", "layer4",
    }  # fmt: skip
    config = content["meta"]["senet_mm"]["backbone"]
    assert config["style"] == "caffe"
    assert config["se_cfg"][1:] == [
        dict(reduction=16, gate="tanh"),
        None,
        dict(reduction=16, bias=False),
    ]
    path = write(content, tmp_path / "backbone.pth")
    assert load_weights(MODELS.build(config), str(path)).is_complete
    with pytest.raises(ValueError, match=r"gate='tanh' \(the backbone has 'sigmoid'\) in layer2"):
        load_weights(
            MODELS.build(config | dict(se_cfg=[{}, {}, None, dict(bias=False)])), str(path)
        )
    with pytest.raises(
        ValueError, match="no net of timm computes what .*epoch_3.pth needs: .*tanh"
    ):
        converted(tmp_path / "epoch_3.pth", to="timm")
    # a detector as a whole keeps its other parts and its classes, and loses the optimizer
    whole = converted(tmp_path / "epoch_3.pth")
    assert whole["state_dict"].keys() == checkpoint["state_dict"].keys()
    assert whole["meta"]["dataset_meta"] == dict(classes=("a",))
    assert "optimizer" not in whole


def test_identity_init_has_no_form_in_timm(tmp_path: Path) -> None:
    model = SEResNet(18, se_cfg=dict(identity_init=True))
    torch.save(model.state_dict(), tmp_path / "x.pth")
    content = converted(tmp_path / "x.pth")
    assert content["meta"]["senet_mm"]["backbone"]["se_cfg"]["identity_init"] is True
    with pytest.raises(ValueError, match=r"x\.pth has identity_init=True"):
        converted(tmp_path / "x.pth", to="timm")


def test_writing_is_all_or_nothing(tmp_path: Path, monkeypatch) -> None:
    content = {"state_dict": {"a": torch.zeros(3)}}
    path = write(content, tmp_path / "x.pth")
    with pytest.raises(FileExistsError, match=r"x-\w{8}\.pth exists already: --force"):
        write(content, tmp_path / "x.pth")
    assert write(content, tmp_path / "x.pth", force=True) == path
    with pytest.raises(ValueError, match=r"x\.bin: expected a name that ends in \.pth"):
        write(content, tmp_path / "x.bin")

    def full(self: Path, data: bytes) -> None:
        with self.open("wb") as file:
            file.write(data[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match=r"cannot write .*y-\w{8}\.pth \(No space left"):
        write(content, tmp_path / "y.pth")
    assert [other.name for other in tmp_path.iterdir()] == [path.name]


def test_a_config_in_a_checkpoint_is_read_and_not_run(tmp_path: Path) -> None:
    checkpoint, cfg = detector(style="caffe", stem_pool="ceil")
    stated = read_meta(checkpoint["meta"])
    assert (stated.hidden.style, stated.hidden.stem_pool) == ("caffe", "ceil")
    assert stated.preprocessing == IMAGENET_RGB
    cfg.model.data_preprocessor.update(CAFFE_BGR.as_config())
    assert read_meta(dict(cfg=cfg.pretty_text)).preprocessing == CAFFE_BGR
    proof = tmp_path / "ran"
    for text in (
        f"model = dict(backbone=open({str(proof)!r}, 'w'))",
        f"open({str(proof)!r}, 'w')\nmodel = 1",
        "model = dict(backbone=dict(type='SwinTransformer', style='caffe'))",
        "model = [",
        "model = dict(**x)",
        "",
    ):
        assert read_meta(dict(cfg=text)) == Stated(), text
    assert not proof.exists()


RGB = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375])


@pytest.mark.parametrize(
    ("text", "style", "preprocessing"),
    [
        # mmdet 2
        ("img_norm_cfg = dict(**RGB, to_rgb=True)", "caffe", None),
        (f"img_norm_cfg = dict(to_rgb=True, **{RGB})", "caffe", None),
        (f"img_norm_cfg = {RGB | dict(to_rgb=True)}", "caffe", IMAGENET_RGB),
        # mmpretrain
        (f"data_preprocessor = {RGB | dict(num_classes=9, to_rgb=True)}", "caffe", IMAGENET_RGB),
        # what is no literal elsewhere
        (f"img_norm_cfg = {RGB | dict(to_rgb=True)}\nhooks = [f(x)]", "caffe", IMAGENET_RGB),
    ],
)
@pytest.mark.parametrize("key", ["cfg", "config"])
def test_configs_of_other_codes(text: str, style: str, preprocessing: object, key: str) -> None:
    for kind in ("'ResNet'", "mmdet.models.backbones.resnet.ResNet", "'mmdet.ResNet'"):
        model = f"model = dict(backbone=dict(type={kind}, style='caffe'), test_cfg=dict(x=inf))"
        stated = read_meta({key: f"{model}\n{text}"})
        assert (stated.hidden.style, stated.preprocessing) == (style, preprocessing)


def test_what_a_bare_file_does_not_say_is_stated_once(tmp_path: Path) -> None:
    options = dict(style="caffe", se_cfg=dict(gate="tanh"))
    net, path = SEResNet(50, **options), tmp_path / "mine.pth"
    torch.save(net.state_dict(), path)
    with pytest.raises(ValueError, match=r"style='pytorch'.*senet-mm convert IN OUT.pth --backb"):
        load_weights(SEResNet(50, **options), str(path))
    ours = write(converted(path, stated=options), tmp_path / "ours.pth")
    assert load_weights(SEResNet(50, **options), str(ours)).is_complete
    with pytest.raises(ValueError, match="gate='tanh'") as caught:
        load_weights(SEResNet(50), str(ours))
    assert "--backbone" not in str(caught.value)
    for wrong, message in (
        (dict(depth=50, se_cfg=dict(reduction=2)), "--backbone depth, se_cfg.reduction: expected"),
        (dict(se_cfg=dict(gate="softmax")), "softmax"),
        (dict(style="tensorflow"), "tensorflow"),
    ):
        with pytest.raises(ValueError, match=message):
            converted(path, stated=wrong)
    with pytest.raises(ValueError, match="says itself what its backbone is"):
        converted(ours, stated=options)


def test_what_is_kept_of_a_checkpoint_can_be_read_again(tmp_path: Path) -> None:
    checkpoint, _ = detector()
    checkpoint["meta"] |= dict(best=np.float64(0.5), where=tmp_path, sizes=[1, (2, "x")])
    torch.save(checkpoint, tmp_path / "epoch_3.pth")
    path = write(converted(tmp_path / "epoch_3.pth"), tmp_path / "x.pth")
    meta = torch.load(path, weights_only=True)["meta"]
    assert (meta["epoch"], meta["sizes"]) == (3, [1, (2, "x")])
    assert not {"best", "where"} & meta.keys()
    checkpoint["state_dict"]["neck.lateral_convs.0.conv.weight"] += float("inf")
    torch.save(checkpoint, tmp_path / "epoch_3.pth")
    with pytest.raises(ValueError, match=r"NaN or infinite .*neck\.lateral_convs"):
        converted(tmp_path / "epoch_3.pth")


def test_se_in_some_units_of_a_stage() -> None:
    se_cfg = [dict(), dict(blocks=(1,)), dict(reduction=8), None]
    found = find_backbone(unwrap("x.pth", SEResNet(18, se_cfg=se_cfg).state_dict()))
    config = backbone_config(found)
    assert config["se_cfg"] == [
        dict(reduction=16), dict(reduction=16, blocks=(1,)), dict(reduction=8), None,
    ]  # fmt: skip
    assert match_backbone(MODELS.build(config), found)[1].is_complete
    with pytest.raises(ValueError, match=r"no SE in layer2, where this SEResNet has it"):
        match_backbone(SEResNet(18, se_cfg=[dict(), dict(), dict(reduction=8), None]), found)


def test_nets_that_no_config_can_say_are_refused() -> None:
    weights = SEResNet(18).state_dict()
    del weights["layer4.1.conv1.weight"]
    with pytest.raises(
        ValueError, match=r"x\.pth has stages of 2-2-2-1 residual units: no backbone"
    ):
        backbone_config(find_backbone(unwrap("x.pth", weights)))
    weights = SEResNet(18).state_dict()
    del weights["layer2.1.se.fc1.bias"]
    with pytest.raises(ValueError, match=r"x\.pth has SE in layer2 that differs within the stage"):
        backbone_config(find_backbone(unwrap("x.pth", weights)))


def test_a_net_outside_the_resnet_family(tmp_path: Path) -> None:
    source, path = PlainBNInception(), tmp_path / "bn_inception.pth"
    torch.save(source.state_dict(), path)
    cfg = dict(type="BNInception", init_cfg=dict(type="Pretrained", checkpoint="elsewhere.pth"))
    content, report = convert_other(fetch(str(path)), cfg)
    assert report.is_complete
    meta = content["meta"]["senet_mm"]
    assert meta["family"] == "bn_inception" and meta["backbone"] == dict(type="BNInception")
    assert {"last_linear.weight", "inception_3a.conv_1x1.conv.weight"} <= content[
        "state_dict"
    ].keys()
    again = load_weights(BNInception(), str(write(content, tmp_path / "ours.pth")))
    assert again.is_complete and not again.renamed
    assert again.preprocessing == BN_INCEPTION_BGR
    alone, _ = convert_other(fetch(str(path)), cfg, backbone_only=True)
    assert alone["state_dict"].keys() == BNInception().state_dict().keys()


def test_resnets_are_converted_without_a_config() -> None:
    checkpoint = Checkpoint("net.pth", SEResNet(18).state_dict())
    with pytest.raises(ValueError, match="is a SEResNet, of the ResNet family, .* leave --config"):
        convert_other(checkpoint, dict(type="SEResNet", depth=18))
