"""What the gates of each block do, and which blocks can lose their SE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from ..io.tables import markdown
from .statistics import Block, GateStatistics

NEAR_ZERO, NEAR_ONE = 0.1, 0.9


@dataclass(frozen=True)
class BlockSummary:
    """The gates of one block over a data set.

    Attributes:
        name: Name of the block.
        path: Its path in the model.
        stage: The paper's stage; None outside of stages.
        channels: Number of gates.
        parameters: Parameters of the block.
        mean: Mean gate.
        near_zero: Share of the channels whose mean gate is below 0.1.
        near_one: Share of the channels whose mean gate is above 0.9.
        between_classes: Variance of the class means, averaged over channels.
        within_class: Variance between the images of a class, averaged over
            classes and channels.
        deviation: How far the gates of an image lie from their mean over all
            images, relative to the mean: root of the mean square of both.
        obstacle: Why the block cannot be dropped; None if it can.
    """

    name: str
    path: str
    stage: int | None
    channels: int
    parameters: int
    mean: float
    near_zero: float
    near_one: float
    between_classes: float
    within_class: float
    deviation: float
    obstacle: str | None


def summarize(
    blocks: Mapping[str, Block], statistics: GateStatistics, obstacles: Mapping[str, str]
) -> list[BlockSummary]:
    """Sum up each block that ran, in the model's order.

    Args:
        blocks: The model's blocks by name.
        statistics: Their gates.
        obstacles: Why blocks cannot be dropped, by name, for those that cannot.
    """
    rows = []
    for name in statistics.names:
        block, mean = blocks[name], statistics.mean(name)[0]
        between, within = statistics.between_and_within_classes(name)
        size = mean.square().mean().sqrt()
        spread = statistics.variance(name)[0].mean().sqrt()
        rows.append(
            BlockSummary(
                name=name,
                path=block.path,
                stage=block.stage,
                channels=len(mean),
                parameters=block.parameters,
                mean=mean.mean().item(),
                near_zero=(mean < NEAR_ZERO).double().mean().item(),
                near_one=(mean > NEAR_ONE).double().mean().item(),
                between_classes=between.mean().item(),
                within_class=within.mean().item(),
                # gates that are all zero are constant too
                deviation=(spread / size).item() if size else 0.0,
                obstacle=obstacles.get(name),
            )
        )
    return rows


def suggest(rows: Sequence[BlockSummary], max_deviation: float) -> list[str]:
    """Blocks that can lose their SE, those with the most constant gates first."""
    return [
        row.name
        for row in sorted(rows, key=lambda row: row.deviation)
        if row.deviation < max_deviation and row.obstacle is None
    ]


def saturation_table(rows: Sequence[BlockSummary]) -> str:
    """A Markdown table with one row per block."""
    header = ["block", "channels", "params", "mean", "<0.1", ">0.9"]
    header += ["between classes", "within class", "deviation"]
    table = [header, ["---"] + ["---:"] * (len(header) - 1)]
    for row in rows:
        cells = [row.name, f"{row.channels}", f"{row.parameters:,}", f"{row.mean:.3f}"]
        cells += [f"{row.near_zero:.1%}", f"{row.near_one:.1%}"]
        cells += [f"{row.between_classes:.2e}", f"{row.within_class:.2e}", f"{row.deviation:.1%}"]
        table.append(cells)
    return markdown(table)


def suggestion(rows: Sequence[BlockSummary], max_deviation: float, total: int) -> str:
    """The suggestion in words, and the blocks and stages ranked, as Markdown.

    Args:
        rows: One per block.
        max_deviation: Blocks below can lose their SE.
        total: Parameters of the whole model.
    """
    chosen = suggest(rows, max_deviation)
    saved = sum(row.parameters for row in rows if row.name in chosen)
    stages = [
        f"stage{stage}"
        for stage in _stages(rows)
        if all(row.name in chosen for row in rows if row.stage == stage)
    ]
    rule = (
        f"A block whose gates deviate by less than {max_deviation:.1%} from their mean hardly "
        "depends on the image, so constants can take its place."
    )
    if chosen:
        verdict = (
            f"Suggested to lose their SE: {', '.join(chosen)}"
            f"{'; whole stages: ' + ', '.join(stages) if stages else ''}. "
            f"That saves {_share(saved, total)}."
        )
    else:
        verdict = "No block that can be dropped is below that."
    return "\n\n".join([f"{rule} {verdict}", _ranking(rows, chosen, total), _stage_table(rows)])


def as_json(rows: Sequence[BlockSummary], statistics: GateStatistics, chosen: list[str]) -> dict:
    """The numbers for other programs."""
    images = dict(zip(statistics.groups, map(int, statistics.counts.tolist()), strict=True))
    return dict(images=images, blocks=[asdict(row) for row in rows], suggested=chosen)


def _ranking(rows: Sequence[BlockSummary], chosen: list[str], total: int) -> str:
    table = [["rank", "block", "deviation", "params saved", "in sum", "verdict"]]
    table.append(["---:", "---", "---:", "---:", "---:", "---"])
    summed = 0
    for rank, row in enumerate(sorted(rows, key=lambda row: row.deviation), start=1):
        summed += row.parameters if row.obstacle is None else 0
        verdict = row.obstacle and f"cannot: {row.obstacle}"
        verdict = verdict or ("drop" if row.name in chosen else "keep")
        saved = "" if row.obstacle else f"{row.parameters:,}"
        in_sum = "" if row.obstacle else _share(summed, total)
        table.append([f"{rank}", row.name, f"{row.deviation:.1%}", saved, in_sum, verdict])
    return markdown(table)


def _stage_table(rows: Sequence[BlockSummary]) -> str:
    table = [["stage", "blocks", "largest deviation", "params"], ["---", "---:", "---:", "---:"]]
    for stage in _stages(rows):
        members = [row for row in rows if row.stage == stage]
        largest = max(row.deviation for row in members)
        parameters = sum(row.parameters for row in members)
        table.append([f"stage{stage}", f"{len(members)}", f"{largest:.1%}", f"{parameters:,}"])
    return markdown(table) if len(table) > 2 else ""


def _stages(rows: Sequence[BlockSummary]) -> list[int]:
    return sorted({row.stage for row in rows if row.stage is not None})


def _share(parameters: int, total: int) -> str:
    return f"{parameters:,} ({parameters / total:.2%})"
