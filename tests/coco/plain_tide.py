"""TIDE as its paper tells it, detection by detection in plain Python: slow, and written apart."""

from __future__ import annotations

import math
from collections.abc import Callable

ERRORS = ("classification", "localization", "both", "duplicate", "background", "missed")


def _iou(a: list[float], b: list[float], *, crowd: bool = False) -> float:
    width = max(0.0, min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1]))
    common = width * height
    return common / (a[2] * a[3] if crowd else a[2] * a[3] + b[2] * b[3] - common)


def _size(area: float) -> int:
    return 0 if area <= 32**2 else 1 if area <= 96**2 else 2


def classify(truth: dict, results: list[dict]) -> tuple[list[dict], list[dict]]:
    """Detections with their ``state`` (hit, ignored, false), ``error`` and ``aim``; and objects."""
    found, everything = [], []
    for image in truth["images"]:
        inside = [dict(a) for a in truth["annotations"] if a["image_id"] == image["id"]]
        objects = [a | {"used": False} for a in inside if not a["iscrowd"]]
        crowds = [a for a in inside if a["iscrowd"]]
        own = [dict(r) for r in results if r["image_id"] == image["id"]]
        own.sort(key=lambda r: -r["score"])
        own = own[:100]
        for one in own:
            overlaps = [(_iou(one["bbox"], o["bbox"]), o) for o in objects]
            one["same"] = [(v, o) for v, o in overlaps if o["category_id"] == one["category_id"]]
            one["other"] = [(v, o) for v, o in overlaps if o["category_id"] != one["category_id"]]
            one["state"], one["error"], one["aim"] = "false", None, None
            free = [(v, o) for v, o in one["same"] if not o["used"] and v >= 0.5]
            if free:
                one["iou"], best = max(free, key=lambda pair: pair[0])
                best["used"], one["state"] = True, "hit"
            elif any(
                _iou(one["bbox"], c["bbox"], crowd=True) > 0.5
                for c in crowds
                if c["category_id"] == one["category_id"]
            ):
                one["state"] = "ignored"
        for one in own:
            if one["state"] != "hit":
                _name_error(one)
        found += own
        everything += objects
    winners: dict[int, dict] = {}
    for one in found:
        if one["aim"] is not None and not one["aim"]["used"]:
            key = one["aim"]["id"]
            if key not in winners or one["score"] > winners[key]["score"]:
                winners[key] = one
    for one in found:
        aim = one["aim"]
        one["wins"] = aim is not None and winners.get(aim["id"]) is one
    for o in everything:
        o["missed"] = not o["used"] and o["id"] not in winners
    return found, everything


def _name_error(one: dict) -> None:
    nothing = (0.0, None)
    best_same = max(one["same"], key=lambda pair: pair[0], default=nothing)
    best_other = max(one["other"], key=lambda pair: pair[0], default=nothing)
    used = [value for value, o in one["same"] if o["used"]]
    if 0.1 <= best_same[0] <= 0.5:
        one["error"], one["aim"] = "localization", best_same[1]
    elif best_other[0] >= 0.5:
        one["error"], one["aim"] = "classification", best_other[1]
    elif max(used, default=0.0) >= 0.5:
        one["error"] = "duplicate"
    elif max(best_same[0], best_other[0]) <= 0.1:
        one["error"] = "background"
    else:
        one["error"] = "both"


def _average_precision(points: list[tuple[float, bool]], objects: int) -> float | None:
    """AP50 of (score, right) points; None where there is neither an object nor a point."""
    if not objects:
        return 0.0 if points else None
    points = sorted(points, key=lambda point: -point[0])
    curve, hits = [], 0
    for place, (_, right) in enumerate(points, start=1):
        hits += right
        curve.append((hits / objects, hits / place))
    levels = [k / 100 for k in range(101)]
    best = [max((p for r, p in curve if r >= level), default=0.0) for level in levels]
    return sum(best) / 101


def tide(
    truth: dict, results: list[dict], *, size: int | None = None
) -> tuple[float, dict[str, float]]:
    """AP50 and the dAP of each type in 0..1, of errors of a size (0, 1, 2) if one is given."""
    found, objects = classify(truth, results)

    def chosen(entry: dict) -> bool:
        area = (entry.get("aim") or entry).get("area", math.prod(entry["bbox"][2:]))
        return size is None or _size(area) == size

    def mean(
        point_of: Callable[[dict, int], tuple[float, bool] | None],
        counts: Callable[[dict], bool] = lambda o: True,
    ) -> float:
        values = []
        for category in (entry["id"] for entry in truth["categories"]):
            points = [point for one in found if (point := point_of(one, category)) is not None]
            own = sum(counts(o) for o in objects if o["category_id"] == category)
            if any(o["category_id"] == category for o in objects):
                values.append(_average_precision(points, own))
        defined = [value for value in values if value is not None]
        return sum(defined) / len(defined)

    def as_is(one: dict, category: int) -> tuple[float, bool] | None:
        if one["category_id"] != category or one["state"] == "ignored":
            return None
        return one["score"], one["state"] == "hit"

    def mended(error: str) -> Callable[[dict, int], tuple[float, bool] | None]:
        def point_of(one: dict, category: int) -> tuple[float, bool] | None:
            if one["error"] != error or not chosen(one):
                return as_is(one, category)
            if one["wins"] and one["aim"]["category_id"] == category:
                return one["score"], True
            return None

        return point_of

    def sorted_out(one: dict, category: int) -> tuple[float, bool] | None:
        point = as_is(one, category)
        return None if point is None else (float(point[1]), point[1])

    before = mean(as_is)
    effects = {error: max(0.0, mean(mended(error)) - before) for error in ERRORS[:-1]}
    without_missed = mean(as_is, lambda o: not (o["missed"] and chosen(o)))
    effects["missed"] = max(0.0, without_missed - before)
    if size is None:
        effects["false positives"] = mean(sorted_out) - before
        effects["false negatives"] = mean(as_is, lambda o: o["used"]) - before
    return before, effects
