import time

import pytest
import torch

from senet_mm.profiling.turns import median_and_spread, take_turns

pytestmark = pytest.mark.slow


def test_each_takes_its_turn_in_an_order_that_rotates() -> None:
    order: list[str] = []
    steps = {name: (lambda name=name: order.append(name)) for name in "abc"}
    times = take_turns(steps, rounds=3, warm_up=1)
    assert "".join(order) == "abcbcacababc"
    assert {name: len(taken) for name, taken in times.items()} == {"a": 3, "b": 3, "c": 3}


def test_times_are_those_of_the_steps() -> None:
    steps = {"short": lambda: None, "long": lambda: time.sleep(0.01)}
    times = take_turns(steps, rounds=2, warm_up=0)
    assert min(times["long"]) >= 0.01 > max(times["short"])


@pytest.mark.parametrize(("seconds", "rounds"), [(0.0, 3), (100.0, 5), (None, 5)])
def test_a_limit_of_seconds_leaves_three_rounds(seconds: float | None, rounds: int) -> None:
    steps = {"a": lambda: torch.ones(1), "b": lambda: torch.ones(1)}
    times = take_turns(steps, rounds=5, warm_up=2, seconds=seconds)
    assert [len(taken) for taken in times.values()] == [rounds, rounds]


def test_progress_goes_to_stderr(capfd: pytest.CaptureFixture) -> None:
    take_turns({"a": lambda: None}, rounds=2, warm_up=0)
    assert capfd.readouterr() == ("", "")
    take_turns({"a": lambda: None}, rounds=2, warm_up=0, progress=True)
    out, err = capfd.readouterr()
    assert out == "" and "0/2" in err


def test_median_and_spread() -> None:
    assert median_and_spread([1, 2, 3, 4, 5]) == (3, 1.5)
