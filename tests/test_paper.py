from pathlib import Path

import pytest

from senet_mm.compat.packaged_configs import config_path
from senet_mm.paper import ABLATIONS, TABLE_2, TABLE_3, TABLE_7, row_of


def test_table_7_has_the_gains_that_section_5_3_names() -> None:
    r50, se_r50, r101, se_r101 = TABLE_7
    assert round(se_r50.ap - r50.ap, 1) == 2.4
    assert round(se_r50.ap50 - r50.ap50, 1) == 3.1
    assert round(se_r101.ap - r101.ap, 1) == 2.0


def test_every_row_has_its_config() -> None:
    for row in (*TABLE_2, *TABLE_3):
        assert config_path(f"{row.config}.py").is_file()
        assert config_path(f"classification/{row.classifier}.py").is_file()
    for row in ABLATIONS:
        assert config_path(f"ablations/{row.config}.py").is_file()
        assert row.config.startswith((f"table{row.table}_", "section4_"))


@pytest.mark.parametrize(("table", "digits"), [(TABLE_2, 2), (TABLE_3, 1)])
def test_the_page_on_classifiers_has_the_papers_errors(repo: Path, table, digits: int) -> None:
    page = (repo / "docs/classification.md").read_text()
    for plain, se in zip(table[::2], table[1::2], strict=True):
        (line,) = (one for one in page.splitlines() if one.startswith(f"| `{plain.classifier}`"))
        errors = [f"{row.top1:.{digits}f} / {row.top5:.{digits}f}" for row in (plain, se)]
        assert [cell.strip() for cell in line.split("|")[3:6]] == [*errors, plain.table]
        assert se.classifier == f"se_{plain.classifier}"


def test_row_of() -> None:
    assert row_of("se_resnet50_in1k") is row_of("faster_rcnn_se_r50_fpn")
    assert row_of("table10_r2").params == 45.7
    assert row_of("mask_rcnn_r50_fpn") is None
