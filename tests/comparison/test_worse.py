from dataclasses import replace

import pytest

from senet_mm.comparison.worse import Limit, worse


@pytest.fixture
def bootstrap(compared):
    """Of a good detector and a poor one; the difference in AP is made up."""
    result = compared[0].bootstrap

    def with_difference(low: float, high: float, p_value: float, others: int = 1):
        difference = result.differences[0]["AP"]
        made_up = replace(difference, value=(low + high) / 2, low=low, high=high, p_value=p_value)
        return replace(result, differences=({"AP": made_up, "AP50": difference},) * others)

    return with_difference


def test_the_whole_interval_must_lie_below_the_margin(bootstrap) -> None:
    names = ("plain", "se")
    lower = bootstrap(-0.030, -0.010, 0.01)
    assert worse(lower, names, Limit()) == [
        "se is worse than plain by more than 0 points of AP (-3.0 to -1.0)"
    ]
    assert worse(lower, names, Limit(margin=0.9))
    assert not worse(lower, names, Limit(margin=1.1))
    assert not worse(bootstrap(-0.03, 0.001, 0.06), names, Limit())
    assert not worse(bootstrap(-0.03, -0.001, 0.06), names, Limit())  # too few resamples
    assert not worse(bootstrap(0.01, 0.03, 0.01), names, Limit())


def test_more_detectors_need_more(bootstrap) -> None:
    # 2 * 5 % / 3 = 3.3 %
    names = ("plain", "a", "b", "c")
    assert len(worse(bootstrap(-0.03, -0.01, 0.03, others=3), names, Limit())) == 3
    assert not worse(bootstrap(-0.03, -0.01, 0.04, others=3), names, Limit())


def test_without_an_interval_nothing_is_said(bootstrap) -> None:
    known = bootstrap(-0.03, -0.01, 0.01)
    unknown = replace(known.differences[0]["AP"], low=None, high=None, p_value=None)
    with pytest.raises(ValueError, match="--fail-if-worse AP: its difference between se and plain"):
        worse(replace(known, differences=({"AP": unknown},)), ("plain", "se"), Limit())
