import pytest

from senet_mm.io.tables import escape, markdown


def test_columns_of_one_width_and_no_cell_that_splits() -> None:
    rows = [["", "name"], ["---", "---:"], ["a|b", "1\n2"]]
    assert markdown(rows).splitlines() == [
        "|      | name |",
        "| ---  | ---: |",
        "| a\\|b | 1 2  |",
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<b>dog</b>", "\\<b>dog\\</b>"),
        ("a < b & c", "a < b & c"),
        ("&lt;x", "\\&lt;x"),
        ("[x](http://y)", "[x]\\(http://y)"),
        ("red\x1b[31m\u202edog", "red\ufffd[31m\ufffddog"),
        ("two\nlines", "two lines"),
        ("`code`", "\\`code\\`"),
        ("traffic light (red)", "traffic light (red)"),
    ],
)
def test_names_of_others_are_text(text: str, shown: str) -> None:
    assert escape(text) == shown
