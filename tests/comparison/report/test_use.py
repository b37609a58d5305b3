"""Tables on how detectors do in use."""

from dataclasses import replace

from senet_mm.comparison.report import use


def test_rates(compared) -> None:
    comparison, _ = compared
    rows = {row[0]: row[1:] for row in use.rate_rows(comparison)}
    given = comparison.explanation.given.detectors
    assert rows["recall, score 0.3"][:2] == [f"{100 * each['recall'].value:.1f}" for each in given]
    assert {"oLRP", "oLRP: localization", "F1, best threshold", "D-ECE"} <= set(rows)
    thresholds = comparison.explanation.best_thresholds
    assert [len(values) for values in thresholds] == [1, 2]
    assert f"good {thresholds[0][0]:.2f}; poor {thresholds[1][0]:.2f}, " in use.about_rates(
        comparison
    )


def test_confusions_the_most_frequent_first(compared) -> None:
    comparison, _ = compared
    total = len(comparison.bootstrap.classes)
    matrices = [[[0] * (total + 1) for _ in range(total + 1)] for _ in range(2)]
    matrices[0][0][1], matrices[1][1][0], matrices[0][2][2] = 3, 1200, 9
    explanation = replace(comparison.explanation, confusions=tuple(matrices))
    odd = replace(comparison, explanation=explanation)
    a, b, *_ = comparison.bootstrap.classes
    assert use.confusion_rows(odd) == [
        ["object", "found as", "good", "poor"],
        [b, a, "0", "1,200"],
        [a, b, "3", "0"],
    ]
    whole = use.confusion_matrices(odd)["poor"]
    assert whole[2][:2] == [b, "1200"]
    assert [row[0] for row in whole[1:]] == [*comparison.bootstrap.classes, "background"]


def test_matrices_of_many_classes_are_not_shown(compared) -> None:
    comparison, _ = compared
    many = replace(comparison.bootstrap, classes=tuple(map(str, range(11))))
    assert use.confusion_matrices(replace(comparison, bootstrap=many)) == {}
