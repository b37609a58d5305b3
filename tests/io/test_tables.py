from senet_mm.io.tables import markdown


def test_columns_of_one_width_and_no_cell_that_splits() -> None:
    rows = [["", "name"], ["---", "---:"], ["a|b", "1\n2"]]
    assert markdown(rows).splitlines() == [
        "|      | name |",
        "| ---  | ---: |",
        "| a\\|b | 1 2  |",
    ]
