import torch
from torch import nn

from senet_mm.profiling import inference_cost
from senet_mm.profiling.inference_cost import inference_costs


class Net(nn.Module):
    """Makes maps of 3 channels, ``depth`` of them alive at the end."""

    def __init__(self, depth: int) -> None:
        super().__init__()
        self.depth = depth
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, x: torch.Tensor, samples: list, mode: str) -> torch.Tensor:
        assert mode == "predict" and not torch.is_grad_enabled() and not self.training
        kept = [x * self.weight for _ in range(self.depth)]
        return kept[0].relu_()


def test_memory_is_counted_by_living_storages(monkeypatch) -> None:
    monkeypatch.setattr(inference_cost, "_SECONDS", 0.0)
    models = {"one": Net(1).train(), "three": Net(3).train()}
    costs = inference_costs(models, {"one": (8, 4), "three": (8, 4)})
    one_map = 3 * 8 * 4 * 4  # float32; what works in place makes none
    assert costs["one"].memory == one_map
    assert costs["three"].memory == 3 * one_map
    assert all(cost.num_passes == 3 and cost.seconds > 0 for cost in costs.values())
    assert all(model.training for model in models.values())
