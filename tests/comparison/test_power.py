import numpy as np
import pytest

from senet_mm.coco.bootstrap import bootstrap
from senet_mm.coco.matches import Matches
from senet_mm.comparison.power import check_power, needed_trainings
from senet_mm.statistics.power import power
from studies.synthetic_results import make_results, make_truth
from tests.coco.coco_cases import matches_of


@pytest.fixture(scope="module")
def trainings(tmp_path_factory: pytest.TempPathFactory) -> list[Matches]:
    folder = tmp_path_factory.mktemp("trainings")
    truth = make_truth(num_images=50, num_objects=150, num_classes=2)
    return [
        matches_of(folder, truth, make_results(truth, per_image=6, seed=seed)) for seed in range(4)
    ]


def test_as_many_as_reach_the_power(trainings: list[Matches]) -> None:
    result = bootstrap([trainings[:2], trainings[2:]], num_resamples=60)
    needed = needed_trainings(("plain", "se"), result, 50, [0.2, 0.5])
    assert [(one.difference, one.num_images) for one in needed] == [
        (difference, images) for difference in (0.2, 0.5) for images in (50, 100, 200)
    ]
    ap = result.differences[0]["AP"]
    for one in needed:
        for count, reached in ((one.num_trainings, True), (one.num_trainings - 1, False)):
            if count >= 2:
                options = dict(num_images=ap.num_images, factor=one.num_images / 50)
                chance = power(one.difference, ap.trainings.sources, num_trainings=count, **options)
                assert (chance >= 0.8) == reached
    counts = np.array([one.num_trainings for one in needed]).reshape(2, 3)
    assert (np.diff(counts, axis=1) <= 0).all() and (np.diff(counts, axis=0) <= 0).all()


def test_nothing_to_go_by(trainings: list[Matches]) -> None:
    few = [one.subset(np.arange(10)) for one in trainings]
    result = bootstrap([few[:2], few[2:]], num_resamples=20)
    assert needed_trainings(("plain", "se"), result, 10, [0.05]) == ()
    with pytest.raises(ValueError, match="--power goes by the spread over trainings, and se has"):
        check_power({"plain": 2, "se": 1})
    check_power({"plain": 2, "se": 3})
