"""What the padding of batches does to SE: python -m studies.padding CONFIG CHECKPOINT

Of a trained detector with SE and its test set: how much of its batches is padding; AP in batches of
1 and of random pictures, with each ``padding`` of ``se_cfg``; how far the maps of a picture move
beside others; what each way costs. Then, of random weights, how exact ``padding='exact'`` is.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.evaluator import Evaluator
from mmengine.registry import DATASETS
from torch import Tensor, nn
from tqdm import tqdm

from senet_mm import SEResNet
from senet_mm.cli.errors import run
from senet_mm.io.tables import markdown
from senet_mm.layers.padding import PADDINGS
from senet_mm.profiling.complexity import build_detector
from senet_mm.profiling.turns import median_and_spread, take_turns
from senet_mm.runs.config import read_config
from senet_mm.runs.data.data_root import set_data_root
from senet_mm.weights.load.detector import complete_weights
from senet_mm.weights.read.sources import fetch

STRIDES = (4, 8, 16, 32)


def batches(count: int, size: int, *, wide: np.ndarray | None, seed: int) -> list[np.ndarray]:
    """Pictures in random batches.

    Args:
        count: How many pictures.
        size: Of a batch; the last one may be smaller.
        wide: Whether each picture is wider than high: then each batch is of one kind, as
            mmdet's ``AspectRatioBatchSampler`` has it in training.
        seed: Of their order.
    """
    order = np.random.default_rng(seed).permutation(count)
    groups = [order] if wide is None else [order[wide[order]], order[~wide[order]]]
    return [group[at : at + size] for group in groups for at in range(0, len(group), size)]


def share_of_padding(sizes: np.ndarray, groups: Sequence[np.ndarray], divisor: int = 32) -> float:
    """The mean over pictures of the share of padding in what the net sees.

    Args:
        sizes: Heights and widths, (N, 2), in pixels.
        groups: The pictures of each batch.
        divisor: Both sides of a batch are multiples of it.
    """
    shares = []
    for group in groups:
        padded = -(-sizes[group].max(0) // divisor) * divisor
        shares.extend(1 - sizes[group].prod(1) / padded.prod())
    return float(np.mean(shares))


def shares_table(sizes: np.ndarray, seeds: int = 20) -> str:
    """The share of padding by batch size, of random batches and of those of one orientation."""
    wide = sizes[:, 1] >= sizes[:, 0]
    rows = [["batch", "grouped by orientation", "random"], ["---:"] * 3]
    for size in (1, 2, 4, 8):
        means = [
            np.mean(
                [
                    share_of_padding(sizes, batches(len(sizes), size, wide=kind, seed=seed))
                    for seed in range(seeds)
                ]
            )
            for kind in (wide, None)
        ]
        rows.append([str(size), *(f"{mean:.1%}" for mean in means)])
    return markdown(rows)


def detectors(cfg: Config, checkpoint: str) -> dict[str, Any]:
    """The detector with each way of padding, with the same weights."""
    found = {}
    for padding in PADDINGS:
        own = cfg.copy()
        se_cfg = own.model.backbone.get("se_cfg") or {}
        own.model.backbone.se_cfg = (
            dict(se_cfg, padding=padding)
            if isinstance(se_cfg, Mapping)
            else [None if one is None else dict(one, padding=padding) for one in se_cfg]
        )
        model = build_detector(own)
        model.load_state_dict(complete_weights(model, fetch(checkpoint)), strict=False)
        found[padding] = model.eval()
    return found


@torch.no_grad()
def average_precision(
    model: Any, loaded: Sequence[dict], dataset: Any, evaluator: Any, groups: Sequence[Any]
) -> float:
    """COCO's AP of a detector that sees the pictures in these batches."""
    judge = Evaluator(evaluator)
    judge.dataset_meta = dataset.metainfo
    for group in tqdm(groups, leave=False):
        samples = model.test_step(pseudo_collate([loaded[index] for index in group]))
        judge.process(samples)
    metrics = judge.evaluate(len(loaded))
    return next(value for key, value in metrics.items() if key.endswith("bbox_mAP"))


@torch.no_grad()
def movement(model: Any, loaded: Sequence[dict], others: Sequence[int]) -> list[list[float]]:
    """How far the first picture's maps move: the largest relative distance beside each other one.

    Returns:
        By stage, of the whole picture and of the quarter by quarter farthest from the padding,
        where the border of a plain network is hardly felt.
    """

    def maps_of(indices: Sequence[int]) -> tuple[Tensor, ...]:
        data = pseudo_collate([loaded[index] for index in indices])
        return model.backbone(model.data_preprocessor(data, False)["inputs"])

    height, width = loaded[0]["inputs"].shape[1:]
    alone = maps_of([0])
    worst = [[0.0] * len(alone) for _ in (1, 4)]
    for other in others:
        for stage, (one, two) in enumerate(zip(alone, maps_of([0, other]), strict=True)):
            for row, parts in zip(worst, (1, 4), strict=True):
                part = [slice(-(-side // (parts * STRIDES[stage]))) for side in (height, width)]
                first, second = (maps[0][(slice(None), *part)] for maps in (one, two))
                row[stage] = max(row[stage], float((second - first).norm() / first.norm()))
    return worst


def costs(models: Mapping[str, Any], images: Tensor, rounds: int) -> dict[str, list[str]]:
    """Time of the backbone by way, as a ratio to ``ignore``: inference, and a training step."""

    def inference(net: nn.Module) -> None:
        with torch.no_grad():
            net(images)

    def training(net: nn.Module) -> None:
        net.zero_grad(set_to_none=True)
        sum(value.square().mean() for value in net(images)).backward()

    table: dict[str, list[str]] = {name: [] for name in models}
    for step in (inference, training):
        steps = {name: lambda net=m.backbone, go=step: go(net) for name, m in models.items()}
        times = take_turns(steps, rounds=rounds, warm_up=2)
        base = np.array(times["ignore"])
        for name, seconds in times.items():
            ratio, spread = median_and_spread(list(np.array(seconds) / base))
            table[name].append(f"{ratio:.2f} ± {spread:.2f}")
    return table


@torch.no_grad()
def exactness(depth: int, padding: str) -> list[float]:
    """Relative distance of the maps of a 150 x 213 picture in 192 x 320, by stage, in float32."""
    torch.manual_seed(0)
    net = SEResNet(depth, se_cfg=dict(padding=padding), norm_eval=True, frozen_stages=-1).eval()
    for norm in net.modules():
        if isinstance(norm, nn.BatchNorm2d):
            nn.init.normal_(norm.running_mean, std=0.1)
            nn.init.uniform_(norm.running_var, 0.5, 1.5)
            nn.init.normal_(norm.bias, std=0.1)
    picture, batch = torch.randn(1, 3, 150, 213), torch.zeros(1, 3, 192, 320)
    batch[:, :, :150, :213] = picture
    return [
        float((two[:, :, : one.shape[2], : one.shape[3]] - one).norm() / one.norm())
        for one, two in zip(net(picture), net(batch), strict=True)
    ]


def report(args: argparse.Namespace) -> Iterator[str]:
    """The tables, as they are made."""
    torch.manual_seed(0)
    cfg = read_config(args.config)
    if args.data_root:
        set_data_root(cfg, args.data_root)
    dataset = DATASETS.build({"_scope_": "mmdet", **cfg.test_dataloader.dataset})
    loaded = [dataset[index] for index in range(len(dataset))]
    sizes = np.array([one["inputs"].shape[1:] for one in loaded])
    yield f"{len(loaded)} pictures\n\n{shares_table(sizes)}"
    models = detectors(cfg, args.checkpoint)
    rows = [
        ["padding", "AP, batch 1", *(f"batch {args.batch}, seed {s}" for s in range(args.seeds))]
    ]
    rows.append(["---"] * len(rows[0]))
    orders = [batches(len(loaded), 1, wide=None, seed=0)]
    orders += [batches(len(loaded), args.batch, wide=None, seed=s) for s in range(args.seeds)]
    for name, model in models.items():
        aps = [average_precision(model, loaded, dataset, cfg.test_evaluator, one) for one in orders]
        rows.append([name, *(f"{100 * ap:.2f}" for ap in aps)])
    yield markdown(rows)
    others = range(1, min(args.others + 1, len(loaded)))
    moved = {name: movement(model, loaded, others) for name, model in models.items()}
    for place, title in enumerate(("the whole picture", "its far corner")):
        rows = [[title, "C2", "C3", "C4", "C5"], ["---"] * 5]
        rows += [[name, *(f"{value:.1e}" for value in moved[name][place])] for name in models]
        yield markdown(rows)
    data = pseudo_collate([loaded[0], loaded[int(sizes[:, 0].argmax())]])
    images = models["ignore"].data_preprocessor(data, False)["inputs"]
    ratios = costs(models, images, args.rounds)
    rows = [["cost", "inference", "training"], ["---"] * 3]
    rows += [[name, *cells] for name, cells in ratios.items()]
    yield markdown(rows)
    rows = [["random weights", "C2", "C3", "C4", "C5"], ["---"] * 5]
    rows += [
        [f"R{depth} {padding}", *(f"{value:.1e}" for value in exactness(depth, padding))]
        for depth in (18, 50)
        for padding in PADDINGS
    ]
    yield markdown(rows)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", help="a detector with SEResNet, SEResNeXt or SENet")
    parser.add_argument("checkpoint", help="its weights")
    parser.add_argument("--data-root", help="where the data set is")
    parser.add_argument("--batch", type=int, default=4, help="pictures in a batch (4)")
    parser.add_argument("--seeds", type=int, default=3, help="random orders (3)")
    parser.add_argument("--others", type=int, default=20, help="neighbours of a picture (20)")
    parser.add_argument("--rounds", type=int, default=20, help="of the timing (20)")
    return parser.parse_args()


def main() -> None:
    for table in report(parse_args()):
        print(f"{table}\n", flush=True)


if __name__ == "__main__":
    run(main)
