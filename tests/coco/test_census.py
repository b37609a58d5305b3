import json
from pathlib import Path

import numpy as np
import pytest

from senet_mm.coco.annotations import read_annotations
from senet_mm.coco.census import census


@pytest.fixture
def counted(tmp_path: Path):
    def count(*objects: tuple):
        """``objects`` are (image, category, box, iscrowd)."""
        file = tmp_path / "x.json"
        data = dict(
            images=[dict(id=i, file_name=f"{i}.jpg", width=200, height=200) for i in (1, 2, 3)],
            categories=[dict(id=5, name="b"), dict(id=2, name="a")],
            annotations=[
                dict(id=n, image_id=i, category_id=c, bbox=box, area=box[2] * box[3], iscrowd=crowd)
                for n, (i, c, box, crowd) in enumerate(objects, 1)
            ],
        )
        file.write_text(json.dumps(data))
        return census(read_annotations(file))

    return count


def test_counts_by_image_class_and_size(counted) -> None:
    found = counted(
        (1, 2, [0, 0, 32, 32], 0),  # as large as small ones are at most
        (1, 2, [50, 0, 33, 32], 0),
        (1, 5, [0, 50, 97, 96], 0),
        (3, 2, [0, 0, 10, 10], 0),
        (3, 5, [0, 0, 100, 100], 1),
    )
    np.testing.assert_array_equal(found.per_image, [3, 0, 1])
    np.testing.assert_array_equal(found.per_class, [3, 1])  # a, b: by their ids
    np.testing.assert_array_equal(found.images_of_class, [2, 1])
    np.testing.assert_array_equal(found.sizes, [[2, 1, 0], [0, 0, 1]])
    assert found.num_crowds == 1


def test_overlaps_and_repetitions_within_an_image(counted) -> None:
    box, half, less = [10, 10, 20, 20], [10, 10, 20, 10], [10, 10, 20, 9]
    assert counted((1, 2, box, 0), (2, 2, box, 0)).num_overlapping == 0
    assert counted((1, 2, box, 0), (1, 5, half, 0), (1, 5, [90, 9, 9, 9], 0)).num_overlapping == 2
    assert counted((1, 2, box, 0), (1, 5, less, 0)).num_overlapping == 0
    assert counted((1, 2, box, 0), (1, 5, box, 0), (2, 2, box, 0)).num_repeated == 0
    assert counted((1, 2, box, 0), (1, 2, box, 0), (1, 2, box, 0)).num_repeated == 2
    assert counted().per_class.tolist() == [0, 0]
