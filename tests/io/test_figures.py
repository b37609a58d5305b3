from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from senet_mm.io.figures import add_legend


def test_labels_are_shown_as_they_are(tmp_path) -> None:
    figure = Figure()
    labels = ["_hidden", "$x$ and $", "plain"]
    legend = add_legend(figure.subplots(), {label: Line2D([], []) for label in labels})
    assert [text.get_text() for text in legend.texts] == labels
    assert not any(text.get_parse_math() for text in legend.texts)
    figure.savefig(tmp_path / "x.png")  # one $ alone would be a broken formula
