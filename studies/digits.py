"""SE-ResNet-110 and its plain twin on real digits, from several seeds: python -m studies.digits

The images are scikit-learn's 1,797 scans of handwritten digits. Half of each class trains.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import mmcv
import numpy as np
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from senet_mm.classification.errors import top_errors
from senet_mm.classification.scores import Scores, write_scores
from senet_mm.cli.errors import run
from senet_mm.compat.packaged_configs import config_path

TWINS = ("resnet110_digits", "se_resnet110_digits")
SIDE = 16  # pixels, twice the original


def write_digits(folder: Path) -> None:
    """Write the digits as ``train/CLASS/NUMBER.png`` and ``val/CLASS/NUMBER.png``.

    Args:
        folder: Where; a folder that is there is left as it is.
    """
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    if folder.exists():
        return
    digits = load_digits()
    numbers = range(len(digits.target))
    halves = train_test_split(numbers, test_size=0.5, stratify=digits.target, random_state=0)
    for split, half in zip(("train", "val"), halves, strict=True):
        for number in half:
            image = np.rint(digits.images[number] * (255 / 16)).astype(np.uint8)
            image = mmcv.imresize(image, (SIDE, SIDE), interpolation="bicubic")
            name = folder / split / str(digits.target[number]) / f"{number:04d}.png"
            mmcv.imwrite(image, str(name))


def train(twin: str, seed: int, *, data_root: Path, work_dir: Path, epochs: int | None) -> Path:
    """Train from a seed and save what the net says of the images of ``val``.

    Args:
        twin: Stem of its config.
        seed: Of weights, order and augmentation.
        data_root: The digits.
        work_dir: Where all goes; a training whose scores are there is not repeated.
        epochs: How long, if not as the config says.

    Returns:
        The file, as ``senet-mm test --out`` writes it.
    """
    path = work_dir / f"{twin}_{seed}.npz"
    if path.exists():
        return path
    cfg = Config.fromfile(config_path(f"classification/{twin}.py"))
    cfg.work_dir = str(work_dir / path.stem)
    cfg.randomness = dict(seed=seed)
    cfg.log_level = "WARNING"
    cfg.train_cfg.max_epochs = epochs or cfg.train_cfg.max_epochs
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        loader.dataset.data_root = str(data_root)
    runner = Runner.from_cfg(cfg)
    runner.train()
    runner.model.eval()
    with torch.no_grad():
        samples = [
            sample for batch in runner.val_dataloader for sample in runner.model.test_step(batch)
        ]
    scores = Scores(
        path.stem,
        torch.stack([sample.pred_score for sample in samples]).numpy(),
        torch.cat([sample.gt_label for sample in samples]).numpy(),
        np.array([str(Path(sample.img_path).relative_to(data_root)) for sample in samples]),
        np.array(runner.val_dataloader.dataset.metainfo["classes"]),
    )
    write_scores(path, scores)
    return path


def error(path: Path) -> float:
    """Top-1 error in percent."""
    with np.load(path) as saved:
        return top_errors(saved["scores"], saved["labels"])[1]


def summary(plain: Sequence[float], se: Sequence[float]) -> str:
    """Mean and deviation of both, and of the differences by seed with Student's 95 % interval.

    Args:
        plain: Errors in percent.
        se: Those of the same seeds.
    """
    from scipy import stats

    differences = np.subtract(se, plain)
    lines = [f"{'seed':10}" + "".join(f"{seed:8d}" for seed in range(len(plain)))]
    for name, values in (("plain", plain), ("SE", se), ("SE - plain", differences)):
        numbers = "".join(f"{value:8.2f}" for value in values)
        mean, deviation = np.mean(values), np.std(values, ddof=1)
        lines.append(f"{name:10}{numbers}   mean {mean:.2f}, deviation {deviation:.2f}")
    error_of_mean = stats.sem(differences)
    low, high = stats.t.interval(0.95, len(plain) - 1, np.mean(differences), error_of_mean)
    lines.append(f"difference {np.mean(differences):+.2f}, 95 % interval {low:+.2f} to {high:+.2f}")
    return "\n".join(lines)


def parse_args() -> argparse.Namespace:
    formatter = argparse.ArgumentDefaultsHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=formatter)
    parser.add_argument("--work-dir", default="work_dirs/digits", help="where all goes")
    parser.add_argument("--seeds", type=int, default=5, help="trainings of each twin")
    parser.add_argument("--epochs", type=int, help="of each training (default: the config's)")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    work_dir = Path(args.work_dir).absolute()
    data_root = work_dir / "data"
    write_digits(data_root)
    errors: dict[str, list[float]] = {twin: [] for twin in TWINS}
    for seed in range(args.seeds):
        for twin in TWINS:
            path = train(twin, seed, data_root=data_root, work_dir=work_dir, epochs=args.epochs)
            errors[twin].append(error(path))
            print(f"{path.name}: {errors[twin][-1]:.2f} % of the images are wrong", flush=True)
    print(f"top-1 error in percent; torch {torch.__version__}, {torch.get_num_threads()} threads")
    print(summary(*errors.values()))


if __name__ == "__main__":
    run(main)
