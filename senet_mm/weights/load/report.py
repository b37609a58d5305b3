"""What a load did, tensor by tensor."""

from __future__ import annotations

from dataclasses import dataclass

from ...io.tables import markdown
from ..recognize.normalization import Preprocessing

_SHOWN = 4


@dataclass(frozen=True)
class LoadReport:
    """Which tensors of a checkpoint went where.

    Keys are a backbone's own (``layer1.0.conv1.weight``) but for ``unused``
    and ``others``, which keep the names that they have in the checkpoint.

    Attributes:
        source: The checkpoint's name.
        family: What the weights are.
        preprocessing: How images must be fed to them; None where that is not known.
        expected: How many tensors the backbone has.
        matched: The tensors that are loaded.
        renamed: Those among them that had another name there, as (there, here).
        missing: Tensors of the trunk or of SE that the checkpoint has not.
        mismatched: (name, shape in the checkpoint, shape in the backbone).
        unused: Tensors of the checkpoint's backbone that have no place here.
        others: Classifiers, necks, heads and stages that this backbone does not have.
        new: Tensors of modules that no released weights have (DCN's offsets, plugins): they start
            as they were initialized.
        identity: Units whose SE is not in the checkpoint and starts as the identity.
    """

    source: str
    family: str
    preprocessing: Preprocessing | None
    expected: int
    matched: tuple[str, ...]
    renamed: tuple[tuple[str, str], ...]
    missing: tuple[str, ...]
    mismatched: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...]
    unused: tuple[str, ...]
    others: tuple[str, ...]
    new: tuple[str, ...]
    identity: tuple[str, ...]

    @property
    def is_complete(self) -> bool:
        """Whether every tensor has its place and every place its tensor."""
        return not (self.missing or self.mismatched or self.unused)

    def differences(self) -> str:
        """What has no partner, counted, with the first of each kind."""
        counts = [
            (len(self.missing), "missing", self.missing),
            (len(self.mismatched), "of another shape", [key for key, *_ in self.mismatched]),
            (len(self.unused), "without a place", self.unused),
        ]
        told = ", ".join(
            f"{count} {what} (first: {names[0]})" for count, what, names in counts if count
        )
        if any(".se." in key for key in self.unused):
            told += "; they have SE that it has not: use the config that was saved with them"
        return told

    def line(self) -> str:
        """One line for the log."""
        parts = [f"{len(self.matched)} of {self.expected} tensors of the backbone loaded"]
        if self.renamed:
            parts.append(f"{len(self.renamed)} of them renamed")
        if self.others:
            parts.append(f"{len(self.others)} of other parts left aside ({_some(self.others)})")
        if self.new:
            parts.append(f"{len(self.new)} start as initialized ({_some(self.new)})")
        if self.identity:
            parts.append(f"SE starts as the identity in {len(self.identity)} units")
        if self.preprocessing is not None:
            parts.append(f"images: {self.preprocessing}")
        return f"{self.source} ({self.family}): {'; '.join(parts)}"

    def table(self) -> str:
        """A Markdown table of what went where, with the first names of each group."""
        groups = {
            "matched": self.matched,
            "renamed": tuple(f"{there} -> {here}" for there, here in self.renamed),
            "missing": self.missing,
            "shape mismatch": tuple(
                f"{key}: {there}, expected {here}" for key, there, here in self.mismatched
            ),
            "unused": self.unused,
            "others": self.others,
            "start as initialized": self.new,
            "SE starts as the identity": self.identity,
        }
        rows = [["tensors", "number", "names"], ["---", "---:", "---"]]
        rows += [[name, str(len(keys)), _some(keys)] for name, keys in groups.items() if keys]
        return markdown(rows)


def _some(keys: tuple[str, ...]) -> str:
    return ", ".join(keys[:_SHOWN]) + (", ..." if len(keys) > _SHOWN else "")
