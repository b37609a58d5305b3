import numpy as np
import pytest

from senet_mm.coco.paired import pair


def test_means_of_runs_and_paired_differences() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.1, 1001)
    noise[0] = 0
    one, other = 0.4 + noise, 0.5 + noise  # the images are the same, and so is the noise
    samples = [[{"a": one}], [{"a": other - 0.02}, {"a": other + 0.02}]]
    numbers = pair(samples, num_images=50, confidence=0.95)
    first, second = (detector["a"] for detector in numbers.detectors)
    assert (first.value, second.value) == (pytest.approx(0.4), pytest.approx(0.5))
    assert first.standard_error == pytest.approx(0.1, rel=0.1)
    (differences,) = numbers.differences
    assert differences["a"].value == pytest.approx(0.1)
    assert differences["a"].interval == (pytest.approx(0.1), pytest.approx(0.1))
    assert differences["a"].p_value < 0.01


def test_few_images_give_no_interval() -> None:
    values = np.linspace(0, 1, 101)
    samples = [[{"a": values, "b": values}], [{"a": values**2, "b": values**2}]]
    numbers = pair(samples, num_images={"a": 19, "b": 20}, confidence=0.95)
    for each in (*numbers.detectors, *numbers.differences):
        assert each["a"].value is not None and each["a"].interval is None
        assert each["a"].p_value is None
        assert each["b"].interval is not None
