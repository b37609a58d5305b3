"""Our configs, and what two of them differ in."""

from __future__ import annotations

from pathlib import Path

from mmengine.config import Config

CONFIGS = Path(__file__).resolve().parents[2] / "configs"


def read(name: str) -> Config:
    """A config by its path below ``configs/``."""
    return Config.fromfile(CONFIGS / name)


def flat(node: object, prefix: str = "") -> dict[str, object]:
    """The values of nested dicts and lists, by dotted keys."""
    if isinstance(node, dict):
        items = node.items()
    elif isinstance(node, (list, tuple)) and any(isinstance(child, dict) for child in node):
        items = enumerate(node)
    else:
        return {prefix: node}
    return {k: v for key, child in items for k, v in flat(child, f"{prefix}.{key}").items()}


def differences(first: Config, second: Config) -> set[str]:
    """Dotted keys of values that differ, or that one config alone has."""
    before, after = (flat(cfg._cfg_dict.to_dict()) for cfg in (first, second))
    return {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
