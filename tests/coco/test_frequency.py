from dataclasses import replace

import numpy as np

from senet_mm.coco.annotations import Objects
from senet_mm.coco.frequency import class_groups, images_per_class


def objects_of(images: list[list[int]]) -> Objects:
    """Objects of class k in the images of its list; each twice, and a crowd in image 99."""
    pairs = [(k, i) for k, own in enumerate(images) for i in [*own, *own]]
    pairs += [(k, 99) for k in range(len(images))]
    category, image = np.array(pairs).T
    nothing = np.zeros(len(pairs))
    crowds = image == 99
    return Objects(nothing, image, category, np.zeros((len(pairs), 4)), nothing, crowds, crowds)


def test_thirds_by_the_number_of_images() -> None:
    images = [[0], [0, 1, 2, 3], [5], [0, 1, 2], [7, 8, 9, 10, 11], [0, 2], []]
    objects = objects_of(images)
    assert images_per_class(objects, 7).tolist() == [len(own) for own in images]
    rare, common, frequent = class_groups(objects, 7)
    assert [group.name for group in (rare, common, frequent)] == ["rare", "common", "frequent"]
    assert rare.classes.tolist() == [0, 2]
    assert common.classes.tolist() == [3, 5]
    assert frequent.classes.tolist() == [1, 4]
    assert [(g.fewest, g.most) for g in (rare, common, frequent)] == [(1, 1), (2, 3), (4, 5)]
    assert [g.num_images for g in (rare, common, frequent)] == [2, 3, 9]


def test_few_classes_are_no_groups() -> None:
    objects = objects_of([[0], [1], [2], [3], [4]])
    assert class_groups(objects, 5) == ()
    nothing = replace(objects, is_crowd=np.ones_like(objects.is_crowd))
    assert class_groups(nothing, 5) == ()
