"""Files, tests, classes, weights and links that the documentation names are there."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest
from mmengine.runner.checkpoint import (
    get_external_models,
    get_mmcls_models,
    get_torchvision_models,
)

from tests.docs.markdown import PAGES, REPO, anchors, contents, links, spans

# where the name of a file is looked for
FOLDERS = ("", "configs", "docs", "senet_mm")
FILE = re.compile(r"(?!\.)[\w.*/-]*(?:\w/|\w\.(?:py|md|txt|toml|cff|json|html|png|yaml|pth))")
# what commands write
WRITTEN = {
    *("report.md", "report.json", "report.html", "work_dirs/demo/report.html"),
    *("output.txt", "detections.json", "images.json"),
    *("gates.md", "gates.json", "dropped.md", "figure6.png", "figure7_CLASS.png"),
    "docs/_build/html/index.html",
    *("OUT_DIR/dropped/", "WORK_DIR/annotations/"),
    *("model.pth", "config.py", "data/NAME/"),
    *("data.html", "senet_mm_annotations/", "senet_mm_annotations/val_split.json"),
}
MODELS = {
    "torchvision": get_torchvision_models,
    "open-mmlab": get_external_models,
    "mmcls": get_mmcls_models,
}


def test_files() -> None:
    named = [span for span in spans() if FILE.fullmatch(span.text) and span.text not in WRITTEN]
    named = [span for span in named if not span.place.startswith("docs/data.md:")]  # the reader's
    assert len(named) >= 50
    for span in named:
        found = [path for folder in FOLDERS for path in (REPO / folder).glob(span.text.lstrip("/"))]
        assert found, f"{span}: there is no {span.text}"


def test_what_commands_write_is_spoken_of() -> None:
    assert {span.text for span in spans()} >= WRITTEN


def test_tests() -> None:
    sources = "".join(path.read_text() for path in (REPO / "tests").rglob("test_*.py"))
    there = set(re.findall(r"def (test_\w+)", sources))
    keys = {"test_dataloader", "test_cfg", "test_evaluator"}  # of configs
    named = [span for span in spans() if re.fullmatch(r"test_\w+", span.text)]
    named = [span for span in named if span.text not in keys]
    assert len(named) >= 30
    for span in named:
        assert span.text in there, f"{span}: there is no {span.text}"


def test_python_names() -> None:
    named = [span for span in spans() if re.match(r"senet_mm(\.\w+)+", span.text)]
    assert len(named) >= 4
    for span in named:
        module, _, name = re.sub(r"\(.*", "", span.text).rpartition(".")
        assert hasattr(importlib.import_module(module), name), span


def test_weights() -> None:
    timm = pytest.importorskip("timm")
    text = "\n".join(page.read_text() for page in PAGES)
    named = set(re.findall(r"\b(torchvision|open-mmlab|mmcls|timm)://([\w./-]*\w)", text))
    named -= {("timm", "NAME")}
    assert len(named) >= 15
    for scheme, name in sorted(named):
        if scheme == "timm":
            assert timm.models.is_model_pretrained(name), name
        else:
            assert name in MODELS[scheme](), f"{scheme}://{name}"


def test_links() -> None:
    assert len(links()) >= 20
    for page, target in links():
        if target.startswith("https://"):
            continue
        file, _, anchor = target.partition("#")
        path = Path(page.parent, file) if file else page
        assert path.exists(), f"{page.name}: {target}"
        assert not anchor or anchor in anchors(path), f"{page.name}: {target}"


def test_every_page_and_study_is_listed() -> None:
    """Pages by the site's tables of contents, studies by their own page."""
    index = REPO / "docs" / "index.md"
    assert {*REPO.glob("docs/*.md")} - {index} <= {*contents()}
    listed = " ".join(span.text for span in spans() if span.place.startswith("studies/"))
    for path in (REPO / "studies").glob("*.py"):
        assert "__main__" not in path.read_text() or f"studies.{path.stem}" in listed, path
