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
    for row in ABLATIONS:
        assert config_path(f"ablations/{row.config}.py").is_file()
        assert row.config.startswith((f"table{row.table}_", "section4_"))


def test_row_of() -> None:
    assert row_of("table10_r2").params == 45.7
    assert row_of("mask_rcnn_r50_fpn") is None
