"""Detectors, and all that runs or copies them, know nothing of the sizes that SE finds."""

from __future__ import annotations

import copy
import pickle
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from mmdet.apis import DetInferencer
from mmdet.models import DetTTAModel
from mmdet.models.data_preprocessors import BatchFixedSizePad
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.config import ConfigDict
from mmengine.model import ExponentialMovingAverage, MMDistributedDataParallel
from mmengine.structures import InstanceData
from torch import Tensor, nn
from torch.nn import functional as F

from senet_mm import fuse_for_inference
from senet_mm.backbones import SEBackbone
from senet_mm.export.check import compare
from senet_mm.export.detector import PlainDetector
from senet_mm.export.onnx_file import write_onnx
from senet_mm.export.runtime import OnnxDetector
from senet_mm.gates.statistics import GateRecorder
from senet_mm.necks import SEFPN, SENeck
from tests.compat.internals import OLD_TORCH
from tests.export.nets import scene, small_config, small_detector

SIZES = [(75, 107), (96, 64), (50, 130)]
PICTURES = [scene(*size, seed=seed) for seed, size in enumerate(SIZES)]
MAPS = list[Tensor]


def detector(kind: str = "retina", padding: str = "exact") -> nn.Module:
    """A small detector with SE-ResNet-18 in float64, whose batch norm keeps its statistics."""
    plain = small_detector(kind, se=True)
    backbone = dict(type="SEResNet", depth=18, base_channels=16, norm_eval=True, frozen_stages=-1)
    other = MODELS.build(backbone | dict(se_cfg=dict(reduction=4, padding=padding)))
    other.load_state_dict(plain.backbone.state_dict())
    plain.backbone = other
    return plain.eval().double()


def data(*indices: int, objects: bool = False) -> dict[str, list]:
    """What a loader gives of these pictures."""
    samples = []
    for index in indices:
        sample = DetDataSample(
            metainfo=dict(img_shape=SIZES[index], ori_shape=SIZES[index], scale_factor=(1.0, 1.0))
        )
        if objects:
            sample.gt_instances = InstanceData(
                bboxes=torch.tensor([[5.0, 5.0, 40.0, 45.0]]), labels=torch.tensor([1])
            )
        samples.append(sample)
    inputs = [torch.from_numpy(PICTURES[index]).permute(2, 0, 1).double() for index in indices]
    return dict(inputs=inputs, data_samples=samples)


@contextmanager
def recorded(*backbones: nn.Module) -> Iterator[list[MAPS]]:
    """The maps of each pass."""
    passes: list[MAPS] = []
    hooks = [
        backbone.register_forward_hook(lambda net, inputs, maps: passes.append(list(maps)))
        for backbone in backbones
    ]
    yield passes
    for hook in hooks:
        hook.remove()


def assert_same(alone: Sequence[Tensor], beside: Sequence[Tensor], at: int, size: int) -> None:
    """The picture's part of the maps."""
    height, width = SIZES[size]
    for stride, one, other in zip((4, 8, 16, 32), alone, beside, strict=True):
        rows, columns = -(-height // stride), -(-width // stride)
        torch.testing.assert_close(
            other[at, :, :rows, :columns], one[0, :, :rows, :columns], rtol=1e-9, atol=1e-10
        )


@pytest.fixture(scope="module")
def model() -> nn.Module:
    return detector()


@pytest.fixture(scope="module")
def alone(model: nn.Module) -> list[MAPS]:
    """The maps of each picture as the backbone alone gives them, not even padded to 32."""
    normalized = [model.data_preprocessor(data(index), False)["inputs"] for index in range(3)]
    cut = [x[:, :, :height, :width] for x, (height, width) in zip(normalized, SIZES, strict=True)]
    with torch.no_grad():
        return [list(model.backbone(x)) for x in cut]


def run_copy(model: nn.Module) -> nn.Module:
    return copy.deepcopy(model)


def run_pickle(model: nn.Module) -> nn.Module:
    return pickle.loads(pickle.dumps(model))


def run_ema(model: nn.Module) -> nn.Module:
    average = ExponentialMovingAverage(model, momentum=0.5)
    average.update_parameters(model)
    return average.module.eval()


def run_fused(model: nn.Module) -> nn.Module:
    fused = fuse_for_inference(copy.deepcopy(model))
    assert not isinstance(fused.backbone.bn1, nn.BatchNorm2d)
    return fused


def run_last(model: nn.Module) -> nn.Module:
    net = copy.deepcopy(model).to(memory_format=torch.channels_last)
    net.backbone.register_forward_pre_hook(
        lambda net, inputs: inputs[0].contiguous(memory_format=torch.channels_last)
    )
    return net


WAYS = (run_copy, run_pickle, run_ema, run_fused, run_last)


@pytest.mark.parametrize("way", WAYS)
def test_a_test_step_of_the_detector_and_of_its_copies(
    way: Callable[[nn.Module], nn.Module], model: nn.Module, alone: list[MAPS]
) -> None:
    net = way(model)
    with recorded(net.backbone) as passes, torch.no_grad():
        net.test_step(data(2, 0, 1))
        net.test_step(data(1))
        net.test_step(data(0, 1))
    for maps, indices in zip(passes, [(2, 0, 1), (1,), (0, 1)], strict=True):
        for at, index in enumerate(indices):
            assert_same(alone[index], maps, at, index)


def test_only_the_mean_of_the_whole_depends_on_the_neighbours(alone: list[MAPS]) -> None:
    ignoring = detector(padding="ignore")
    with recorded(ignoring.backbone) as passes, torch.no_grad():
        ignoring.test_step(data(2, 0, 1))
    with pytest.raises(AssertionError, match="not close"):
        assert_same(alone[0], passes[0], 1, 0)


def test_test_time_augmentation(model: nn.Module, alone: list[MAPS]) -> None:
    batches = data(0, 1)
    augmented = dict(
        inputs=[[x, x.flip(-1)] for x in batches["inputs"]],
        data_samples=[
            [
                DetDataSample(metainfo=dict(one.metainfo, flip=flip, flip_direction="horizontal"))
                for flip in (False, True)
            ]
            for one in batches["data_samples"]
        ],
    )
    # as the loader hands it over: one list per augmentation
    turned = {
        key: [list(each) for each in zip(*value, strict=True)] for key, value in augmented.items()
    }
    nms = ConfigDict(nms=dict(type="nms", iou_threshold=0.5), max_per_img=10)
    wrapper = DetTTAModel(module=model, tta_cfg=nms)
    with recorded(model.backbone) as passes, torch.no_grad():
        wrapper.test_step(turned)
    assert len(passes) == 2
    for index in (0, 1):
        assert_same(alone[index], passes[0], index, index)


@pytest.mark.parametrize("batch_size", [1, 3])
def test_mmdets_inferencer(
    batch_size: int, model: nn.Module, alone: list[MAPS], monkeypatch: pytest.MonkeyPatch
) -> None:
    cfg = small_config("retina", se=True)
    cfg.model.backbone.se_cfg = dict(reduction=4, padding="exact")
    cfg.test_dataloader.dataset.pipeline[1] = dict(type="Resize", scale_factor=1.0)

    def load(self: object, net: Any, checkpoint: None, cfg: object) -> None:
        net.load_state_dict(model.state_dict())
        net.dataset_meta = dict(classes=("a", "b", "c"))

    monkeypatch.setattr(DetInferencer, "_load_weights_to_model", load)
    inferencer = DetInferencer(cfg, weights=None, device="cpu", show_progress=False)
    with recorded(inferencer.model.backbone) as passes:
        inferencer(PICTURES, batch_size=batch_size, no_save_pred=True, return_datasamples=True)
    for at, index in enumerate(range(3)):
        maps = passes[index // batch_size]
        for one, other in zip(alone[index], maps, strict=True):
            part = other[at % batch_size, :, : one.shape[2], : one.shape[3]].double()
            assert (part - one[0]).norm() <= 1e-5 * one.norm()


def test_distributed_and_a_training_step(
    model: nn.Module, alone: list[MAPS], tmp_path: Any
) -> None:
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1
    )
    try:
        parallel = MMDistributedDataParallel(copy.deepcopy(model), device_ids=None)
        parallel.train()
        with recorded(parallel.module.backbone) as passes, torch.enable_grad():
            batch = parallel.module.data_preprocessor(data(0, 1, objects=True), training=True)
            losses = parallel(**batch, mode="loss")
            parallel.module.parse_losses(losses)[0].backward()
        parallel.eval()
        with torch.no_grad():
            parallel.test_step(data(1, 2))
    finally:
        torch.distributed.destroy_process_group()
    for index in (0, 1):
        assert_same(alone[index], passes[0], index, index)
    gates = [
        block.fc1.weight.grad
        for block in map(lambda unit: unit.se, parallel.module.backbone.layer1)
    ]
    assert all(grad.abs().sum() > 0 for grad in gates)


def test_a_batch_augmentation_that_pads_more(model: nn.Module, alone: list[MAPS]) -> None:
    net = copy.deepcopy(model)
    net.data_preprocessor.batch_augments = nn.ModuleList([BatchFixedSizePad((160, 192))])
    with recorded(net.backbone) as passes, torch.no_grad():
        batch = net.data_preprocessor(data(0, 1, objects=True), training=True)
        assert batch["inputs"].shape[2:] == (160, 192)
        net(**batch, mode="tensor")
    for index in (0, 1):
        assert_same(alone[index], passes[0], index, index)


@torch.no_grad()
def test_a_batch_that_is_resized_after_its_padding(model: nn.Module) -> None:
    images = model.data_preprocessor(data(0, 1), False)["inputs"]
    # as BatchSyncRandomResize does
    resized = F.interpolate(images, (64, 96), mode="bilinear", align_corners=False)
    rows = int((resized[0] != 0).any(0).any(1).sum())
    assert 45 <= rows < 64
    single = model.backbone(resized[:1, :, :rows])
    for one, other in zip(single, model.backbone(resized), strict=True):
        part = other[:1, :, : one.shape[2], : one.shape[3]]
        torch.testing.assert_close(part, one, rtol=1e-9, atol=1e-10)


def test_methods_that_are_called_past_the_detectors_call(
    model: nn.Module, alone: list[MAPS]
) -> None:
    batch = model.data_preprocessor(data(1, 2), False)
    with recorded(model.backbone) as passes, torch.no_grad():
        model.extract_feat(batch["inputs"])
        model.predict(batch["inputs"], batch["data_samples"])
        model.backbone(torch.cat([batch["inputs"], batch["inputs"]]))
    for maps in passes:
        assert_same(alone[1], maps, 0, 1)
        assert_same(alone[2], maps, len(maps[0]) - 1, 2)


def test_detectors_at_once_in_threads(model: nn.Module, alone: list[MAPS]) -> None:
    other = copy.deepcopy(model)
    found: dict[int, MAPS] = {}
    barrier = threading.Barrier(3)

    def run(index: int) -> None:
        net = other if index else model  # two share one
        images = net.data_preprocessor(data(index, (index + 1) % 3), False)["inputs"]
        barrier.wait()
        with torch.no_grad():
            found[index] = list(net.backbone(images))

    threads = [threading.Thread(target=run, args=(index,)) for index in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index, maps in found.items():
        assert_same(alone[index], maps, 0, index)
        assert_same(alone[(index + 1) % 3], maps, 1, (index + 1) % 3)


def test_gates_are_recorded_and_are_those_of_the_picture(model: nn.Module) -> None:
    with GateRecorder(model) as recorder, torch.no_grad():
        model.test_step(data(0))
        single: Mapping[str, Tensor] = recorder.take()
        model.test_step(data(2, 0))
        pair = recorder.take()
    assert len(single) == 8
    for name, gates in single.items():
        torch.testing.assert_close(pair[name][1], gates[0], rtol=1e-9, atol=1e-10)


def test_autocast(model: nn.Module) -> None:
    net = copy.deepcopy(model).float()
    batch = net.data_preprocessor(
        {**data(2, 0), "inputs": [x.float() for x in data(2, 0)["inputs"]]}
    )
    single = net.data_preprocessor({**data(0), "inputs": [x.float() for x in data(0)["inputs"]]})
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        maps, one = net.backbone(batch["inputs"]), net.backbone(single["inputs"])
    for first, second in zip(one, maps, strict=True):
        part = second[1, :, : first.shape[2], : first.shape[3]]
        height, width = (min(a, b) for a, b in zip(first.shape[2:], part.shape[1:], strict=True))
        error = (part[:, :height, :width] - first[0, :, :height, :width]).float().norm()
        assert error <= 0.02 * first.float().norm()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*:torch.jit.TracerWarning")
@pytest.mark.parametrize("padding", ["mask", "exact"])
def test_compiled_and_traced(padding: str) -> None:
    net = detector(padding=padding).backbone
    batches = [torch.zeros(2, 3, 64, 96).double(), torch.zeros(2, 3, 96, 64).double()]
    for batch in batches:
        batch[0, :, :50, :60] = torch.randn(3, 50, 60)
        batch[1, :, :33, :64] = torch.randn(3, 33, 64)
    with torch.no_grad():
        runs = [
            # torch 2.1's compiler leaves the graph where a pass begins, and goes on behind it
            torch.compile(net, backend="eager", fullgraph=not OLD_TORCH),
            torch.jit.trace(net, batches[0], check_trace=False),
        ]
        for run in runs:
            for batch in batches:
                for ours, eager in zip(run(batch), net(batch), strict=True):
                    torch.testing.assert_close(ours, eager, rtol=1e-9, atol=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("padding", ["mask", "exact"])
def test_an_exported_detector_finds_what_mmdet_finds(padding: str, tmp_path: Any) -> None:
    pytest.importorskip("onnxruntime")
    net = detector("faster", padding).float()
    exported = PlainDetector(net)
    description = dict(
        classes=["a", "b", "c"], scale=[160, 112], keep_ratio=True, size=None, fill=[0, 0, 0],
        nms=True, mask_threshold=0.5,
    )  # fmt: skip
    path = tmp_path / "net.onnx"
    write_onnx(exported.eval(), path, size=None, description=description)
    found = compare(net, OnnxDetector(path), PICTURES)
    assert found.objects >= 10 and found.within_tolerance, str(found)


CHANNELS = [16, 32, 64, 128]


@pytest.mark.parametrize("kind", ["fpn", "around"])
def test_necks_know_what_the_backbone_found(kind: str) -> None:
    """Gates of a neck behind a plain network, whose maps only differ near the padding."""
    torch.manual_seed(0)
    plain = dict(type="ResNet", depth=18, base_channels=16, norm_eval=True, frozen_stages=-1)
    backbone = SEBackbone(plain, units=[]).double().eval()
    se_cfg = dict(reduction=4, padding="mask")
    fpn = dict(in_channels=CHANNELS, out_channels=16, num_outs=5)
    neck = (
        SEFPN(**fpn, positions=("input", "lateral", "output"), se_cfg=se_cfg)
        if kind == "fpn"
        else SENeck(dict(type="FPN", **fpn), positions=("input", "output"), se_cfg=se_cfg)
    )
    neck.double().eval()
    images = torch.zeros(2, 3, 96, 160).double()
    images[0, :, :75, :107] = torch.randn(3, 75, 107)
    images[1] = torch.randn(3, 96, 160)
    maps = backbone(images)
    seen: list[tuple[Tensor, Tensor]] = []
    gate = next(iter(neck.gates["output"]))
    hook = gate.fc1.register_forward_pre_hook(lambda fc, inputs: seen.append(inputs[0]))
    record = gate.register_forward_pre_hook(lambda se, inputs: seen.append(inputs[0]))
    neck(maps)
    hook.remove(), record.remove()
    level, z = seen
    torch.testing.assert_close(z[0, :, 0, 0], level[0, :, :19, :27].mean((1, 2)))
    torch.testing.assert_close(z[1, :, 0, 0], level[1].mean((1, 2)))
    with pytest.raises(ValueError, match=r"SEBackbone around any other, also with units=\[\]"):
        neck(backbone.plain(images))


def test_a_plugin_of_a_plain_network_inside() -> None:
    plugins = [
        dict(cfg=dict(type="mmdet.SEBlock", reduction=4, padding="mask"), position="after_conv3")
    ]
    plain = dict(type="ResNet", depth=50, base_channels=8, plugins=plugins, norm_eval=True)
    net = SEBackbone(plain, units=[]).double().eval()
    images = torch.zeros(1, 3, 64, 64).double()
    images[:, :, :64, :33] = torch.randn(3, 64, 33)
    assert len(net(images)) == 4
    with pytest.raises(ValueError, match="does not know which part"):
        net.plain(images)


def test_images_as_arrays_have_the_sizes_said() -> None:
    assert [one.shape[:2] for one in PICTURES] == SIZES
    assert all(isinstance(one, np.ndarray) for one in PICTURES)
