"""What a config says otherwise than the one that a checkpoint was trained with.

A checkpoint holds its config as text. That text is Python and is parsed, not run.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

EFFECTIVE = "takes effect"
STATE = "has no effect: the checkpoint's own goes on"
WEIGHTS = "has no effect: the weights are the checkpoint's"
REFUSED = "cannot change in a resumed run"

# by the start of a key, the first that fits; what is not listed does not change what is trained
_EFFECTS: tuple[tuple[str, str], ...] = (
    ("model.", EFFECTIVE),
    ("data_preprocessor.", EFFECTIVE),
    ("train_cfg.type", REFUSED),
    ("train_cfg.by_epoch", REFUSED),
    ("train_cfg.max_", f"{EFFECTIVE}; the schedule of the learning rate stays as it was"),
    ("train_cfg.", EFFECTIVE),
    ("train_dataloader.num_workers", ""),
    ("train_dataloader.persistent_workers", ""),
    ("train_dataloader.pin_memory", ""),
    ("train_dataloader.prefetch_factor", ""),
    ("train_dataloader.batch_size", f"{EFFECTIVE}; learning rate and schedule stay as they were"),
    ("train_dataloader.", EFFECTIVE),
    ("optim_wrapper.optimizer.type", REFUSED),
    ("optim_wrapper.optimizer.", STATE),
    ("optim_wrapper.constructor", REFUSED),
    ("optim_wrapper.paramwise_cfg", REFUSED),
    ("optim_wrapper.loss_scale", STATE),
    ("optim_wrapper.", EFFECTIVE),
    ("param_scheduler", STATE),
    ("auto_scale_lr.", STATE),
    ("randomness.seed", STATE),
)
_LOADED = ("init_cfg", "pretrained", "checkpoint")


@dataclass(frozen=True)
class Change:
    """A key that differs.

    Attributes:
        key: Where it stands in the config, as ``--cfg-options`` takes it.
        before: What the checkpoint's config says, as text; None if it says nothing.
        now: What the present one says.
        effect: What follows for a resumed run.
    """

    key: str
    before: str | None
    now: str | None
    effect: str

    @property
    def refused(self) -> bool:
        """Whether a resumed run cannot have it."""
        return self.effect == REFUSED

    def __str__(self) -> str:
        before, now = (_short(value) for value in (self.before, self.now))
        return f"{self.key} was {before} and is {now}: {self.effect}"


def changes(before: str, now: str) -> list[Change]:
    """What differs between two configs and bears upon a resumed training.

    Args:
        before: Text of the config in the checkpoint.
        now: Text of the present one.

    Raises:
        SyntaxError, ValueError: If a text is no config.
    """
    old, new = _options(before), _options(now)
    found = []
    for key in dict.fromkeys([*old, *new]):
        values = old.get(key), new.get(key)
        effect = _effect(key)
        if values[0] != values[1] and effect:
            found.append(Change(key, *values, effect))
    return _whole_schedules(found)


def _effect(key: str) -> str:
    if key.startswith("model.") and any(f".{name}" in key for name in _LOADED):
        return WEIGHTS
    return next((effect for start, effect in _EFFECTS if key.startswith(start)), "")


def _whole_schedules(found: list[Change]) -> list[Change]:
    """Refuse schedules of other kinds: they would begin anew, or take the state of another."""
    kinds = [
        change
        for change in found
        if change.key.startswith("param_scheduler.") and change.key.endswith(".type")
    ]
    if not kinds:
        return found
    others = [change for change in found if not change.key.startswith("param_scheduler")]
    return [*others, *(Change(c.key, c.before, c.now, REFUSED) for c in kinds)]


def _options(text: str) -> dict[str, str]:
    """Values of a config as text, by their dotted keys."""
    return dict(
        item
        for statement in ast.parse(text).body
        if isinstance(statement, ast.Assign)
        for item in _walk(ast.unparse(statement.targets[0]), statement.value)
    )


def _walk(key: str, node: ast.expr) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "dict" and not node.args:
        for keyword in node.keywords:
            yield from _walk(f"{key}.{keyword.arg}", keyword.value)
    elif isinstance(node, ast.Dict):
        for name, value in zip(node.keys, node.values, strict=True):
            label = str(name.value) if isinstance(name, ast.Constant) else "?"
            yield from _walk(f"{key}.{label}", value)
    elif isinstance(node, (ast.List, ast.Tuple)):
        if any(isinstance(item, (ast.Call, ast.Dict)) for item in node.elts):
            for index, item in enumerate(node.elts):
                yield from _walk(f"{key}.{index}", item)
        else:  # lists and tuples mean the same
            yield key, f"[{', '.join(ast.unparse(item) for item in node.elts)}]"
    elif ast.unparse(node) != "None":  # as if it were absent
        yield key, ast.unparse(node)


def _short(value: str | None) -> str:
    if value is None:
        return "not set"
    return value if len(value) <= 60 else f"{value[:57]}..."
