"""Every count that the paper prints."""

from pathlib import Path

import pytest

from senet_mm.paper import ABLATIONS, TABLE_2, ImageNet, row_of
from senet_mm.profiling.paper_table import paper_cost, paper_table

PLAIN = "faster_rcnn_r50_fpn"
pytestmark = pytest.mark.usefixtures("shapes_alone")


@pytest.mark.parametrize("row", (*TABLE_2, *ABLATIONS), ids=lambda row: row.config)
def test_every_published_count(row: ImageNet) -> None:
    cost = paper_cost(row)
    if row.gflops is not None:
        assert cost.multiply_adds / 1e9 == pytest.approx(row.gflops, abs=0.025)
    if row.params is not None:
        # docs/complexity.md: some of the paper's rows lie 0.1 above Eq. 5, others do not
        assert cost.parameters / 1e6 == pytest.approx(row.params, abs=0.12)
    assert cost.parameters > 25e6


def test_section_4_dropping_the_last_stage_leaves_about_4_percent() -> None:
    plain, dropped = (paper_cost(row_of(name)) for name in (PLAIN, "section4_without_last_stage"))
    added = dropped.parameters - plain.parameters
    assert added == 942_080
    assert round(100 * added / plain.parameters, 2) == 3.69


@pytest.mark.slow
def test_the_documentation_has_the_table_that_is_printed(repo: Path) -> None:
    assert f"\n\n{paper_table()}\n\n" in (repo / "docs/complexity.md").read_text()
