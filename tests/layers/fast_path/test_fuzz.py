"""Random units, inputs and modes: with the fast path they do what they do without."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from senet_mm.layers import residual
from senet_mm.layers.fast_path import Path

from .units import UNITS, WIDTH, gradients, make, reference

CASES = 600
# relative differences; one rounding that turns the sign at a ReLU is seen in lower precision
TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-2, torch.bfloat16: 0.1}


def _hook(name: str) -> Callable[[nn.Module], None]:
    return lambda unit: getattr(unit, name).register_forward_hook(lambda *args: None)


def _forward(name: str, change: Callable[[Tensor], Tensor]) -> Callable[[nn.Module], None]:
    def apply(unit: nn.Module) -> None:
        module = getattr(unit, name)
        plain = module.forward
        module.forward = lambda x: change(plain(x))

    return apply


def _replace(name: str, make_module: Callable[[], nn.Module]) -> Callable[[nn.Module], None]:
    return lambda unit: setattr(unit, name, make_module())


def _norm(**attributes: Any) -> Callable[[nn.Module], None]:
    def apply(unit: nn.Module) -> None:
        for name, value in attributes.items():
            setattr(unit.last_norm, name, value)

    return apply


def _freeze(part: str) -> Callable[[nn.Module], None]:
    def apply(unit: nn.Module) -> None:
        for name, parameter in unit.named_parameters():
            parameter.requires_grad_(part not in name)

    return apply


# what users do to a unit; conv2 and bn2 are the last ones of a basic block alone
CHANGES: dict[str, Callable[[nn.Module], None]] = {
    "LeakyReLU": _replace("relu", lambda: nn.LeakyReLU(0.1, inplace=True)),
    "SiLU": _replace("relu", lambda: nn.SiLU()),
    "ReLU6": _replace("relu", lambda: nn.ReLU6(inplace=True)),
    "ReLU": _replace("relu", nn.ReLU),
    "no SE": lambda unit: unit.remove_se(),
    "SE is another": _replace("se", nn.Sigmoid),
    **{f"{name} hooked": _hook(name) for name in ("relu", "se", "conv1", "conv2", "bn1", "bn2")},
    **{
        f"{name}.forward": _forward(name, lambda x: x * 0.5 + 0.1)
        for name in ("relu", "se", "conv2", "bn2")
    },
    "fc1.forward": lambda unit: _forward("fc1", lambda x: x * 0.5)(unit.se),
    "momentum": _norm(momentum=None),
    "no count": _norm(num_batches_tracked=None),
    "no mean": _norm(running_mean=None, running_var=None),
    "untracked": _norm(track_running_stats=False),
    "norm in training": lambda unit: unit.last_norm.train(),
    "norm in inference": lambda unit: unit.last_norm.eval(),
    "frozen norms": _freeze("bn"),
    "frozen convolutions": _freeze("conv"),
    "frozen SE": _freeze("se."),
}


def draw(rng: random.Random) -> tuple[str, dict[str, Any], list[str], tuple[int, int, int], bool]:
    """A family, its options, changes of it, the size of an input, and whether it trains."""
    family = rng.choice(list(UNITS))
    usual = rng.random() < 0.7
    se_cfg = dict(
        squeeze=rng.choice(["avg", "avg", "avg", "max"] if usual else ["avg", "max", "none"]),
        gate=rng.choice(["sigmoid", "tanh", "relu", "hard_sigmoid"]),
        reduction=rng.choice([1, 4, 16]),
        identity_init=rng.random() < 0.2,
    )
    if not usual:
        se_cfg["placement"] = rng.choice(["standard", "pre", "post", "identity", "conv2"])
        se_cfg["branch_relu"] = se_cfg["placement"] == "standard"
    stride = rng.choice([1, 1, 2])
    options: dict[str, Any] = dict(stride=stride, project=stride > 1 or rng.random() < 0.3)
    options |= dict(se_cfg=se_cfg, with_cp=rng.random() < 0.2, seed=rng.randrange(1000))
    if rng.random() < 0.1:
        options["norm_cfg"] = dict(type="GN", num_groups=4)
    changes = [] if rng.random() < 0.4 else rng.sample(list(CHANGES), rng.choice([1, 1, 2]))
    size = rng.choice([0, 1, 1, 2, 3]), rng.choice([1, 2, 9, 12]), rng.choice([1, 3, 7, 11])
    return family, options, changes, size, rng.random() < 0.4


def outcome(unit: nn.Module, x: Tensor, *, half: bool) -> tuple[dict[str, Tensor], str]:
    """Outputs, gradients and buffers afterwards, or the kind of error."""
    try:
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            results = gradients(unit, x)
    except (RuntimeError, ValueError, TypeError, AttributeError) as error:
        return {}, f"{type(error).__name__}: {error}"
    return results | dict(unit.named_buffers()), ""


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.slow
def test_with_and_without_the_fast_path(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng, paths = random.Random(seed), Counter()

    def run(path: Path, *args: Any) -> Tensor:
        paths[path] += 1
        return original(path, *args)

    original = residual.run
    monkeypatch.setattr(residual, "run", run)
    compared = 0
    for _ in range(CASES // 3):
        family, options, changes, size, training = case = draw(rng)
        try:
            unit = make(family, training=training, **options)
        except ValueError:
            continue  # options that do not go together
        twin = reference(unit)
        generator = torch.Generator().manual_seed(rng.randrange(1000))
        x = torch.randn(size[0], WIDTH[family], *size[1:], generator=generator).double()
        if rng.random() < 0.3:
            x = x.to(memory_format=torch.channels_last)
        try:
            for module in (unit, twin):
                for change in changes:
                    CHANGES[change](module)
        except AttributeError:
            continue  # changes that do not go together
        dtype = rng.choice([torch.float64, torch.float64, torch.float32, torch.bfloat16])
        half = dtype == torch.bfloat16
        if dtype != torch.float64:
            unit, twin, x = unit.float(), twin.float(), x.float()
        before = paths.total()
        theirs, refusal = outcome(twin, x, half=half)
        assert paths.total() == before
        ours, error = outcome(unit, x, half=half)
        assert error == refusal, (case, error, refusal)
        assert ours.keys() == theirs.keys(), case
        for name, value in theirs.items():
            assert ours[name].dtype == value.dtype, (case, name)
            if half and not name.startswith("out"):
                continue  # oneDNN's bfloat16 gradients read what nobody wrote, for narrow maps
            difference, scale = (v.double().norm() for v in (ours[name] - value, value))
            assert difference <= TOLERANCE[dtype] * (scale + 1), (case, dtype, name)
        compared += 1
    fast = paths.total()
    assert compared > 0.8 * CASES // 3 and fast > 0.35 * CASES // 3, (compared, paths)
    eager = set(Path) - {Path.REFERENCE, Path.OPERATORS}
    assert min(paths[path] for path in eager) > 0, paths
