"""The site: `make docs` builds it from the Markdown of this folder, without a network."""

from senet_mm import __version__

project = "senet_mm"
author = copyright = "The senet_mm contributors"
version = release = __version__

extensions = [
    "myst_nb",  # Markdown and notebooks; it brings myst_parser
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
]
exclude_patterns = ["_build", "notebooks/work_dirs"]
html_theme = "furo"
html_title = f"senet_mm {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]

myst_enable_extensions = ["colon_fence"]  # directives that GitHub does not show as code
myst_heading_anchors = 3
# `make notebooks NBMAKE=--overwrite` runs them and keeps what they print
nb_execution_mode = "off"
nb_render_markdown_format = "myst"  # with tables

toc_object_entries_show_parents = "hide"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 90

# Every reference must have its target. Two kinds have none: names of other packages, whose
# inventories would need a network, and records inside the rooms that the page of names leaves out.
_OTHERS = "collections|mmdet|mmengine|numpy|os|pathlib|pycocotools|torch|typing"
nitpick_ignore_regex = [
    ("py:.*", rf"({_OTHERS})\..*"),
    ("py:.*", r"senet_mm\.(coco|runs|statistics)\..*"),
]
