"""What is compared: work dirs, checkpoints, and results files of any framework."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .runs import Run, detect, make_run, read_run


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
        """
        if self.results is not None:
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
        names: Names of the detectors; by default the work dir's, the config's or the file's.
        out_dir: Where detections of ``CONFIG,CHECKPOINT`` go.
        data_root: Where the data set is now, if it was moved.

    Raises:
        FileNotFoundError, ValueError: If a source is none of these, or names do not fit.
    """
    if names is not None and len(names) != len(sources):
        raise ValueError(f"--names has {len(names)} names: expected {len(sources)}, one per run")
    entries = [
        _read(source, out_dir / "detections" / str(index), data_root)
        for index, source in enumerate(sources)
    ]
    if names is not None:
        entries = [
            Entry(name, entry.source, entry.run, entry.results)
            for name, entry in zip(names, entries, strict=True)
        ]
    return entries


def _read(source: str, work_dir: Path, data_root: str | None) -> Entry:
    if "," in source and not Path(source).exists():
        config, _, checkpoint = source.partition(",")
        run = make_run(config, checkpoint, work_dir, data_root)
        return Entry(Path(config).stem, source, run)
    path = Path(source)
    if path.suffix == ".json":
        if not path.is_file():
            raise FileNotFoundError(f"results file {path} not found")
        return Entry(path.name.split(".")[0], source, results=path)
    if not path.is_dir():
        raise FileNotFoundError(
            f"{source} not found: expected a work dir, CONFIG,CHECKPOINT, or a COCO results file "
            "(.json)"
        )
    run = read_run(path, data_root)
    return Entry(run.name or path.resolve().name, source, run)
