"""What is compared: work dirs, checkpoints, and results files of any framework."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..runs.work_dir import Run, detect, make_run, read_run


@dataclass(frozen=True)
class Entry:
    """One run of one detector.

    Attributes:
        name: Name of the detector; entries of one name are its runs, such as seeds.
        source: What the user gave.
        run: Config and checkpoint, if there are any.
        results: A results file that was given instead.
    """

    name: str
    source: str
    run: Run | None = None
    results: Path | None = None

    def results_file(self, iou_type: str) -> Path:
        """The detections; a run's are made if they are not there yet.

        Raises:
            FileNotFoundError: If masks are asked of a detector that has none.
            ValueError: If boxes are asked of a file of masks.
        """
        if self.results is not None:
            if iou_type == "bbox" and self.results.name.endswith(".segm.json"):
                raise ValueError(f"{self.results} holds masks: give --iou-type segm")
            return self.results
        boxes = detect(self.run)
        if iou_type == "bbox":
            return boxes
        masks = Path(str(boxes).removesuffix(".bbox.json") + ".segm.json")
        if not masks.is_file():
            raise FileNotFoundError(f"--iou-type segm: the detector of {self.source} has no masks")
        return masks


def read_entries(
    sources: Sequence[str],
    names: Sequence[str] | None = None,
    *,
    out_dir: Path,
    data_root: str | None = None,
) -> list[Entry]:
    """Read what a user wants to compare.

    Args:
        sources: Each a work dir, ``CONFIG,CHECKPOINT``, or a COCO results file (``.json``).
        names: Names of the detectors; by default the work dir's, the config's or the file's
            without ``.json``, ``.bbox`` and ``.segm``.
        out_dir: Where detections of ``CONFIG,CHECKPOINT`` go.
        data_root: Where the data set is now, if it was moved.

    Raises:
        FileNotFoundError, ValueError: If a source is none of these, names do not fit, or there
            are none and a results file has the name of another run.
    """
    if names is not None and len(names) != len(sources):
        raise ValueError(f"--names has {len(names)} names: expected {len(sources)}, one per run")
    entries = [_read(source, out_dir / "detections", data_root) for source in sources]
    if names is not None:
        return [
            Entry(name, entry.source, entry.run, entry.results)
            for name, entry in zip(names, entries, strict=True)
        ]
    for entry in entries:
        same = [other.source for other in entries if other.name == entry.name]
        if entry.results is not None and len(same) > 1:
            raise ValueError(
                f"{' and '.join(same)} would all be named {entry.name!r}: give --names, one per "
                "run (runs of one name are seeds of one detector)"
            )
    return entries


def _read(source: str, slots: Path, data_root: str | None) -> Entry:
    if "," in source and not Path(source).exists():
        config, _, checkpoint = source.partition(",")
        files = f"{Path(config).resolve()},{Path(checkpoint).resolve()}"
        slot = f"{Path(config).stem}-{hashlib.sha256(files.encode()).hexdigest()[:8]}"
        run = make_run(config, checkpoint, slots / slot, data_root)
        return Entry(Path(config).stem, source, run)
    path = Path(source)
    if path.suffix == ".json":
        if not path.is_file():
            raise FileNotFoundError(f"results file {path} not found")
        name = path.stem.removesuffix(".bbox").removesuffix(".segm")
        return Entry(name, source, results=path)
    if not path.is_dir():
        raise FileNotFoundError(
            f"{source} not found: expected a work dir, CONFIG,CHECKPOINT, or a COCO results file "
            "(.json)"
        )
    run = read_run(path, data_root)
    return Entry(run.name or path.resolve().name, source, run)
