from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from torch import nn

from senet_mm.compat.packaged_configs import config_path
from senet_mm.profiling import inference_cost
from senet_mm.profiling.complexity import MultiplyAdds, build_detector
from senet_mm.profiling.inference_cost import inference_costs
from senet_mm.profiling.pictures import load_pictures
from senet_mm.runs.data.data_root import set_data_root


class Preprocessor(nn.Module):
    def forward(self, data: dict, training: bool) -> dict:
        assert not training
        return data


class Net(nn.Module):
    """Makes maps of 3 channels, ``depth`` of them alive at the end."""

    def __init__(self, depth: int) -> None:
        super().__init__()
        self.depth = depth
        self.weight = nn.Parameter(torch.ones(1))
        self.data_preprocessor = Preprocessor()
        self.sides: list[int] = []

    def forward(self, inputs: torch.Tensor, data_samples: list, mode: str) -> torch.Tensor:
        assert mode == "predict" and not torch.is_grad_enabled() and not self.training
        self.sides.append(inputs.shape[-1])
        kept = [inputs * self.weight for _ in range(self.depth)]
        return kept[0].relu_() @ torch.ones(inputs.shape[-1], 1)


def test_work_and_memory_of_pictures_of_several_sizes(monkeypatch) -> None:
    monkeypatch.setattr(inference_cost, "_SECONDS", 0.0)
    models = {"one": Net(1).train(), "three": Net(3).train()}
    pictures = [dict(inputs=torch.ones(1, 3, 8, side), data_samples=[]) for side in (4, 2, 5)]
    costs = inference_costs(models, dict.fromkeys(models, pictures))
    largest, out = 3 * 8 * 5 * 4, 3 * 8 * 4  # float32; what works in place makes none
    # torch counts the weights' broadcast product as none, the matrix product as 3 * 8 * side
    assert all(cost.multiply_adds == 3 * 8 * 4 for cost in costs.values())
    ones = 5 * 4
    assert costs["one"].memory == largest + ones + out
    assert costs["three"].memory == 3 * largest + ones + out
    assert all(cost.num_passes == 3 and cost.seconds > 0 for cost in costs.values())
    assert all(cost.num_images == 3 for cost in costs.values())
    assert all(model.training for model in models.values())
    # three that count, then a round of warming up and three that are timed
    assert models["one"].sides == [4, 2, 5, 4, 2, 5, 4]


@pytest.mark.slow
def test_a_mask_head_costs_what_it_works_on(shapes_root: Path, randomize, monkeypatch) -> None:
    monkeypatch.setattr(inference_cost, "_SECONDS", 0.0)
    models, found = {}, []
    for kind in ("faster", "mask"):
        cfg = Config.fromfile(config_path(f"demo/{kind}_rcnn_r18_fpn_shapes.py"))
        set_data_root(cfg, shapes_root)
        models[kind] = randomize(build_detector(cfg))
    models["mask"].load_state_dict(models["faster"].state_dict(), strict=False)
    head = models["mask"].roi_head.mask_head
    head.register_forward_hook(lambda _, inputs, output: found.append(len(output)))
    pictures = load_pictures(cfg, 1)
    costs = inference_costs(models, dict.fromkeys(models, pictures))
    with MultiplyAdds(head) as one_object, torch.no_grad():
        head(torch.zeros(1, head.in_channels, 14, 14))
    assert found[0] > 0
    added = costs["mask"].multiply_adds - costs["faster"].multiply_adds
    assert added == found[0] * one_object.total
