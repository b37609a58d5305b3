from pathlib import Path

import numpy as np

from senet_mm.coco.confusion import confusion_matrix
from tests.coco.coco_cases import outcomes_of, random_case
from tests.coco.test_outcomes import hand_made


def test_hand_made(tmp_path: Path) -> None:
    """Rows: the two classes, background. Columns: the two classes, missed."""
    outcomes = outcomes_of(tmp_path, *hand_made())
    # a hit; 2 as 1 (IoU 1); 1 as 2 (IoU 0.6); one object of class 2 missed; the rest background
    assert confusion_matrix(outcomes, 0).tolist() == [[1, 1, 0], [1, 0, 1], [3, 2, 0]]
    # without the scores below 0.65 (1 as 2, both, background, crowds)
    assert confusion_matrix(outcomes, 0.65).tolist() == [[1, 0, 1], [1, 0, 1], [2, 0, 0]]
    assert confusion_matrix(outcomes, 2).tolist() == [[0, 0, 2], [0, 0, 2], [0, 0, 0]]


def test_every_object_and_detection_is_counted_once(tmp_path: Path) -> None:
    outcomes = outcomes_of(tmp_path, *random_case(2, num_images=40))
    for threshold in (0, 0.4, 0.9):
        matrix = confusion_matrix(outcomes, threshold)
        total = outcomes.num_classes
        objects = np.bincount(outcomes.object_category, minlength=total)
        np.testing.assert_array_equal(matrix[:-1].sum(axis=1), objects)
        kept = outcomes.counts & (outcomes.score >= threshold)
        detections = np.bincount(outcomes.category[kept], minlength=total)
        np.testing.assert_array_equal(matrix[:, :-1].sum(axis=0), detections)
        hits = outcomes.category[kept & outcomes.hits]
        np.testing.assert_array_equal(np.diag(matrix)[:-1], np.bincount(hits, minlength=total))
        assert matrix[-1, -1] == 0
        # the more detections count, the more classes are confused
        assert threshold or matrix[:-1, :-1].sum() > np.trace(matrix)
