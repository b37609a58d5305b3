import pytest
import torch

from senet_mm.weights.load.complete import check_complete


def test_every_tensor_in_its_shape() -> None:
    model = {"a.weight": torch.zeros(2, 3), "b.weight": torch.zeros(4)}
    check_complete(
        {"module.a.weight": torch.ones(2, 3), "module.b.weight": torch.ones(4)}, model, "x"
    )
    with pytest.raises(ValueError, match=r"x\.pth .*1 are missing and 0.*b\.weight is missing"):
        check_complete({"a.weight": torch.ones(2, 3)}, model, "x.pth")
    with pytest.raises(ValueError, match=r"a\.weight is \(2, 9\), expected \(2, 3\)"):
        check_complete({"a.weight": torch.ones(2, 9), "b.weight": torch.ones(4)}, model, "x.pth")
