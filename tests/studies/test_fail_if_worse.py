from pathlib import Path

from senet_mm.coco.annotations import read_annotations
from senet_mm.coco.matching import match
from senet_mm.coco.results import read_results
from studies.fail_if_worse import count_failures
from studies.synthetic_results import write_data_set


def test_a_worse_detector_fails_and_an_equal_one_hardly_ever(tmp_path: Path) -> None:
    options = dict(num_images=200, num_objects=800, num_classes=2, per_image=10, seed=0)
    ann_file, (first, second) = write_data_set(tmp_path, gain=1.0, **options)
    annotations = read_annotations(ann_file)
    poor, good = (match(annotations, read_results(path, annotations)) for path in (first, second))
    sizes = dict(num_images=60, num_replications=4, num_resamples=50)
    assert count_failures([good, poor], **sizes) == 4
    assert count_failures([poor, good], **sizes) == 0
    assert count_failures([poor, poor], **sizes) == 0
