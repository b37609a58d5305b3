"""The table's columns against the paper's Table 2 and mmdet's count."""

from mmengine.config import Config

from senet_mm.compat.packaged_configs import config_path
from senet_mm.profiling.complexity_table import complexity_table

NETS = ("faster_rcnn_r50_fpn.py", "faster_rcnn_se_r50_fpn.py")


def test_the_table_has_differences_eq_5_and_the_papers_figures(shapes_alone: None) -> None:
    configs = {str(path): Config.fromfile(path) for path in map(config_path, NETS)}
    table = complexity_table(configs)
    last = [line for line in table.splitlines() if "with classifier" in line]
    plain, se = ([cell.strip() for cell in line.strip("|").split("|")] for line in last)
    assert plain[2:] == ["25,557,032", "+0", "+0", "25.6", "4.089", "+0.000", "3.86"]
    assert se[2:] == ["28,088,024", "+2,530,992", "+2,514,944", "28.1", "4.103", "+0.014", "3.87"]
