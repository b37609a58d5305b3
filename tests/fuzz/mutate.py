"""Small damage to data, drawn from a seeded generator."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

WRONG: tuple[Any, ...] = (
    None, True, -1, 0, 3.7, 1e308, float("nan"), float("inf"), "", "a b", "\x1b[31m", "é" * 3,
    [], [1], [[]], {}, {"id": 1}, 2**70,
)  # fmt: skip


def mutate_json(content: Any, rng: random.Random) -> bytes:
    """A JSON text of the content with one to three changes; now and then of its bytes."""
    changed = copy.deepcopy(content)
    for _ in range(rng.randint(1, 3)):
        _change(changed, rng)
    text = json.dumps(changed).encode()
    return mutate_bytes(text, rng) if rng.random() < 0.25 else text


def mutate_bytes(content: bytes, rng: random.Random) -> bytes:
    """Bytes cut short, overwritten, removed or put in."""
    place = rng.randrange(len(content) + 1)
    kind = rng.randrange(5)
    if kind == 0:
        return content[:place]
    if kind == 1:
        junk = rng.randbytes(rng.randint(1, 8))
        return content[:place] + junk + content[place + len(junk) :]
    if kind == 2:
        return content[:place] + content[place + rng.randint(1, 40) :]
    if kind == 3:
        return content[:place] + rng.randbytes(rng.randint(1, 8)) + content[place:]
    return b"\xef\xbb\xbf" + content


def _change(node: Any, rng: random.Random) -> None:
    """Change one place somewhere below a list or dict."""
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not keys:
            return
        key = rng.choice(keys)
        child = node[key]
        if isinstance(child, (dict, list)) and child and rng.random() < 0.8:
            node = child
            continue
        kind = rng.randrange(4)
        if kind == 0:
            del node[key]
        elif kind == 1 and isinstance(node, list):
            node.append(copy.deepcopy(child))
        elif kind == 2 and isinstance(child, (int, float)):
            node[key] = child * rng.choice((-1, 0, 1000, 0.001))
        else:
            node[key] = copy.deepcopy(rng.choice(WRONG))
        return
