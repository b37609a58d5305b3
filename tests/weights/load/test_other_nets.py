"""Nets outside the ResNet family: tensors go where their names say, and none is left in silence."""

from pathlib import Path

import pytest
import torch
from mmdet.models.backbones import MobileNetV2
from torch import Tensor, nn
from torchvision.models import vgg11_bn

from senet_mm.layers import SEBlock
from senet_mm.weights import load_weights
from senet_mm.weights.load import other_nets
from senet_mm.weights.load.other_nets import match_other
from senet_mm.weights.read.checkpoint import Checkpoint
from senet_mm.weights.recognize import other_families
from senet_mm.weights.recognize.normalization import CAFFE_BGR, rgb
from senet_mm.weights.recognize.other_families import OtherFamily


class Net(nn.Module):
    """Two convolutions with batch norm, and SE after the second if asked for."""

    def __init__(self, se_cfg: dict | None = None) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
        self.body = nn.Sequential(nn.Conv2d(4, 8, 3), nn.BatchNorm2d(8))
        if se_cfg is not None:
            self.body.add_module("se", SEBlock(8, 2, **se_cfg))


def checkpoint(net: nn.Module, prefix: str = "", **more: Tensor) -> Checkpoint:
    tensors = {prefix + key: tensor for key, tensor in net.state_dict().items()}
    return Checkpoint("net.pth", tensors | more)


def refusal(backbone: nn.Module, given: Checkpoint, prefix: str | None = None) -> str:
    with pytest.raises(ValueError) as caught:
        match_other(backbone, given, prefix)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("prefix", ["", "backbone.", "student.backbone."])
def test_tensors_are_found_below_any_prefix(prefix: str) -> None:
    source = Net()
    given = checkpoint(source, prefix, **{"head.fc.weight": torch.ones(2, 2)})
    tensors, report = match_other(Net(), given)
    assert tensors.keys() == source.state_dict().keys()
    assert all(torch.equal(tensors[key], value) for key, value in source.state_dict().items())
    assert report.is_complete
    assert report.others == ("head.fc.weight",)
    assert not report.renamed
    assert report.preprocessing is None
    assert report.line().startswith("net.pth (the backbone's own layout): 14 of 14 tensors")


def test_mmdet_loads_its_own_mobilenet(tmp_path: Path) -> None:
    source, path = MobileNetV2(widen_factor=0.25), tmp_path / "net.pth"
    meta = dict(
        cfg="model = dict(backbone=dict(type='MobileNetV2'), data_preprocessor=dict("
        "mean=[103.53, 116.28, 123.675], std=[1.0, 1.0, 1.0], bgr_to_rgb=False))"
    )
    weights = {f"backbone.{key}": value for key, value in source.state_dict().items()}
    torch.save(dict(state_dict=weights, meta=meta), path)
    net = MobileNetV2(widen_factor=0.25)
    report = load_weights(net, str(path))
    assert report.is_complete
    assert report.preprocessing == CAFFE_BGR
    for key, value in source.state_dict().items():
        assert torch.equal(net.state_dict()[key], value), key


def test_a_classifier_is_another_part() -> None:
    source = vgg11_bn()
    net = nn.Module()
    net.features = source.features
    _, report = match_other(net, checkpoint(source))
    assert report.is_complete
    assert {key.partition(".")[0] for key in report.others} == {"classifier"}


def test_a_stage_that_was_not_built_is_another_part() -> None:
    class Short(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.Sequential(nn.Conv2d(3, 4, 3))

        def left_out(self, name: str) -> bool:
            return name.startswith("layers.1.")

    given = Checkpoint(
        "net.pth",
        {
            f"layers.{index}.{name}": tensor
            for index in (0, 1)
            for name, tensor in nn.Conv2d(3, 4, 3).state_dict().items()
        },
    )
    _, report = match_other(Short(), given)
    assert report.is_complete
    assert report.others == ("layers.1.weight", "layers.1.bias")


def test_what_does_not_fit_is_counted() -> None:
    tensors = checkpoint(Net()).state_dict
    del tensors["stem.1.bias"]
    tensors["stem.0.weight"] = torch.ones(4, 3, 5, 5)
    tensors["body.7.weight"] = torch.ones(1)
    message = refusal(Net(), Checkpoint("net.pth", tensors))
    assert message == (
        "weights net.pth (the backbone's own layout) are not those of this Net: of the tensors "
        "1 missing (first: stem.1.bias), 1 of another shape (first: stem.0.weight), 1 without a "
        "place (first: body.7.weight)"
    )


def test_old_files_have_no_counter_of_batches() -> None:
    tensors = checkpoint(Net()).state_dict
    del tensors["stem.1.num_batches_tracked"]
    assert match_other(Net(), Checkpoint("net.pth", tensors))[1].is_complete


def test_values_and_types_are_checked() -> None:
    given = checkpoint(Net(), "backbone.")
    given.state_dict["backbone.body.1.bias"][0] = torch.nan
    assert "NaN or infinite values in 1 tensors (the first is backbone.body.1.bias)" in refusal(
        Net(), given
    )
    given.state_dict["backbone.body.1.bias"] = torch.ones(8, dtype=torch.int64)
    assert "tensor backbone.body.1.bias is of type torch.int64" in refusal(Net(), given)


def test_se_stays_random_only_where_it_is_the_identity() -> None:
    message = refusal(Net(dict()), checkpoint(Net()))
    assert "have no SE in body, where this Net has it: it would stay random" in message
    assert "identity_init=True" in message
    tensors, report = match_other(Net(dict(identity_init=True)), checkpoint(Net()))
    assert report.identity == ("body",)
    assert report.is_complete
    assert not any(".se." in key for key in tensors)


def test_se_is_loaded_whole_and_never_dropped() -> None:
    source = Net(dict())
    tensors, report = match_other(Net(dict()), checkpoint(source))
    assert torch.equal(tensors["body.se.fc2.bias"], source.body.se.fc2.bias)
    assert report.is_complete
    assert "4 without a place (first: body.se.fc1.weight)" in refusal(Net(), checkpoint(source))
    given = checkpoint(source)
    del given.state_dict["body.se.fc2.bias"]
    assert "1 missing (first: body.se.fc2.bias)" in refusal(Net(dict()), given)
    assert "gate_scale" in refusal(Net(dict(identity_init=True)), checkpoint(source))


def test_several_backbones_need_a_prefix() -> None:
    both = checkpoint(Net(), "teacher.").state_dict | checkpoint(Net(), "student.").state_dict
    given = Checkpoint("net.pth", both)
    assert "several backbones, below ['teacher.', 'student.']" in refusal(Net(), given)
    tensors, report = match_other(Net(), given, "student")
    assert torch.equal(tensors["stem.0.weight"], both["student.stem.0.weight"])
    assert len(report.others) == 14
    assert "none of its 28 tensors below prefix='pupil.'" in refusal(Net(), given, "pupil")


def test_a_family_renames_and_converts(monkeypatch: pytest.MonkeyPatch) -> None:
    def rename(name: str) -> str:
        return (
            name.replace("features.", "body.")
            .replace("conv1.", "stem.0.")
            .replace("bn1.", "stem.1.")
        )

    def convert(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        tensors = dict(tensors)
        shift = tensors.pop("body.shift")
        tensors["body.1.running_mean"] = tensors["body.1.running_mean"] - shift
        return tensors

    family = OtherFamily(
        "told", "weights of a test", "conv1.weight", rename, "", convert, rgb([0.5] * 3, [0.5] * 3)
    )
    monkeypatch.setattr(other_families, "OTHER_FAMILIES", (family, *other_families.OTHER_FAMILIES))
    source = Net()
    theirs = {
        key.replace("body.", "features.").replace("stem.0.", "conv1.").replace("stem.1.", "bn1."): v
        for key, v in source.state_dict().items()
    }
    theirs |= {"features.shift": torch.full((8,), 2.0), "last_linear.weight": torch.ones(1)}
    tensors, report = other_nets.match_other(Net(), Checkpoint("net.pth", theirs))
    assert report.is_complete
    assert report.family == "weights of a test"
    assert str(report.preprocessing) == "RGB, mean [127.5, 127.5, 127.5], std [127.5, 127.5, 127.5]"
    assert ("conv1.weight", "stem.0.weight") in report.renamed
    assert torch.equal(tensors["body.1.running_mean"], source.body[1].running_mean - 2)
    assert report.others == ("last_linear.weight",)
