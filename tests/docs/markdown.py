"""What stands on the pages of the documentation: blocks of code, code in the text, links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
CHANGES = REPO / "CHANGELOG.md"  # tells of things that were
_ALL = {path for folder in ("", "docs", "studies") for path in (REPO / folder).glob("*.md")}
PAGES = sorted(_ALL - {CHANGES})
_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)")
_LINK = re.compile(r"\[[^\]]*\]\(([^)]+)\)")
_TOCTREE = re.compile(r"^:::\{toctree\}\n(?::[^\n]*\n)*\n(.*?)^:::$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Code:
    """A piece of code on a page.

    Attributes:
        text: The code.
        place: Page and line.
        language: That of a block; of code in the text empty.
    """

    text: str
    place: str
    language: str = ""

    def __str__(self) -> str:
        return self.place


def blocks(*languages: str) -> list[Code]:
    """The fenced blocks of all pages, or of some languages."""
    found = []
    for page in PAGES:
        text = page.read_text()
        for match in _FENCED.finditer(text):
            code = Code(match[2], _place(page, text, match.start()), match[1])
            if not languages or code.language in languages:
                found.append(code)
    return found


def spans() -> list[Code]:
    """All code between single backticks, each on one line."""
    return [
        Code(" ".join(match[1].split()), _place(page, text, match.start()))
        for page, text in _prose()
        for match in _SPAN.finditer(text)
    ]


def links() -> list[tuple[Path, str]]:
    """Each link, with the page that it stands on."""
    return [
        (page, match[1])
        for page, text in (*_prose(), (CHANGES, CHANGES.read_text()))
        for match in _LINK.finditer(text)
    ]


def contents() -> list[Path]:
    """The pages in the tables of contents of the site."""
    index = REPO / "docs" / "index.md"
    entries = "\n".join(match[1] for match in _TOCTREE.finditer(index.read_text()))
    return [index.parent / f"{entry}.md" for entry in entries.split()]


def anchors(page: Path) -> set[str]:
    """The names by which headings of a page can be linked, as GitHub makes them."""
    text = _FENCED.sub("", page.read_text())
    kept = (re.sub(r"[^\w\- ]", "", match[1].lower()) for match in _HEADING.finditer(text))
    return {name.strip().replace(" ", "-") for name in kept}


def _prose() -> Iterator[tuple[Path, str]]:
    """The pages, whose blocks are blank lines."""
    for page in PAGES:
        yield page, _FENCED.sub(lambda match: "\n" * match[0].count("\n"), page.read_text())


def _place(page: Path, text: str, start: int) -> str:
    return f"{page.relative_to(REPO)}:{text.count(chr(10), 0, start) + 1}"
