"""COCO evaluation and the comparison of runs."""
