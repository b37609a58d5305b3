import pytest
import torch

from senet_mm.comparison.trainings.launchers import Processes, visible_gpus


@pytest.mark.parametrize(
    ("count", "variable", "expected"),
    [
        (0, None, []),
        (2, None, ["0", "1"]),
        (2, "5, GPU-1a", ["5", "GPU-1a"]),
        (1, "5,-1,6", ["5"]),  # CUDA sees those before the first that is not there
        (0, "", []),
    ],
)
def test_visible_gpus(
    monkeypatch: pytest.MonkeyPatch, count: int, variable: str | None, expected: list[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if variable is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", variable)
    assert visible_gpus() == expected
    assert Processes().num_places == max(len(expected), 1)
