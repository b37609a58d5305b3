"""The page of a trained model on the Hugging Face hub: what it is, how good, how to use it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.config import Config

from ..io.tables import markdown
from ..version import __version__
from ..weights.init_cfg import pretrained_of
from ..weights.read.hub import import_hub
from ..weights.recognize.normalization import Preprocessing
from .config_file import preprocessor_of
from .task import Task, task_of

_TAGS = {
    Task.DETECTION: "object-detection",
    Task.CLASSIFICATION: "image-classification",
    Task.SEGMENTATION: "image-segmentation",
}


def model_card(
    repo: str,
    cfg: Config,
    meta: Mapping[str, Any],
    metrics: Mapping[str, float],
    *,
    license: str | None = None,
) -> str:
    """The text of a model card, with the data that the hub reads in its head.

    Args:
        repo: Where it will stand, ``OWNER/REPO``.
        cfg: The config as it was run.
        meta: What the checkpoint says of itself.
        metrics: What the training's own validation has measured of the checkpoint; may be none.
        license: The licence's identifier on the hub.

    Raises:
        ImportError: If huggingface_hub is missing.
    """
    task, name = task_of(cfg), repo.partition("/")[2]
    head = _head(name, task, cfg, metrics, license).to_yaml()
    images = Preprocessing.of_config(preprocessor_of(cfg))
    return "\n".join(
        [
            f"---\n{head}\n---\n",
            f"# {name}\n",
            f"{cfg.model.type} with {_kind(cfg.model.get('backbone'))}, of senet_mm (arXiv "
            "1709.01507) and OpenMMLab.\n",
            "## Use\n",
            _use(repo, task),
            "## Results\n",
            _results(metrics, meta),
            "## Training\n",
            _table([("", ""), *_training(cfg, meta)]),
            "## Images\n",
            f"{images}, of values in 0 to 255; `config.py` prepares them so.\n"
            if images
            else "`config.py` says how they are prepared.\n",
            "## Backbone\n",
            f"```python\n{_text(dict(backbone=cfg.model.get('backbone')))}```\n",
        ]
    )


def _head(
    name: str, task: Task, cfg: Config, metrics: Mapping[str, float], license: str | None
) -> Any:
    hub = import_hub()
    data = _data(cfg)
    results = [
        hub.EvalResult(
            task_type=_TAGS[task],
            dataset_type=data.lower().replace(" ", "-"),
            dataset_name=data,
            metric_type=key,
            metric_value=value,
        )
        for key, value in metrics.items()
    ]
    return hub.ModelCardData(
        license=license,
        library_name="senet_mm",
        pipeline_tag=_TAGS[task],
        tags=["squeeze-and-excitation", "openmmlab", task.value],
        model_name=name if results else None,
        eval_results=results or None,
    )


def _use(repo: str, task: Task) -> str:
    command = "infer" if task is Task.DETECTION else "test"
    last = " street.jpg" if task is Task.DETECTION else " --data-root FOLDER"
    return (
        "```shell\n"
        "pip install 'senet_mm[onedl,hub]'\n"
        f"hf download {repo} config.py --local-dir .\n"
        f"senet-mm {command} config.py hf://{repo}{last}\n"
        "```\n\n"
        "The weights are tensors and plain data, and are read so. The config is Python, which runs "
        "when it is read: look at it first.\n"
    )


def _results(metrics: Mapping[str, float], meta: Mapping[str, Any]) -> str:
    if not metrics:
        return "The training that it comes from has not validated it.\n"
    after = f"epoch {meta['epoch']}" if "epoch" in meta else "the training"
    rows = [(key, f"{value:g}") for key, value in metrics.items()]
    return (
        f"On the validation set of its training, after {after}, as that measured it:\n\n"
        f"{_table([('metric', 'value'), *rows])}"
    )


def _training(cfg: Config, meta: Mapping[str, Any]) -> list[tuple[str, str]]:
    classes = (meta.get("dataset_meta") or {}).get("classes") or meta.get("CLASSES") or ()
    start = [cfg_["checkpoint"] for cfg_ in pretrained_of(_init_cfg(cfg))]
    told = {
        "data": _data(cfg),
        "classes": f"{len(classes)}: {', '.join(map(str, classes))}" if classes else None,
        "epochs": meta.get("epoch"),
        "iterations": meta.get("iter"),
        "seed": meta.get("seed"),
        "backbone starts from": ", ".join(start) or None,
        "card written by": f"senet_mm {__version__}",
    }
    return [(key, str(value)) for key, value in told.items() if value is not None]


def _init_cfg(cfg: Config) -> Any:
    backbone = cfg.model.get("backbone") or {}
    inner = backbone.get("backbone") or {}
    return backbone.get("init_cfg") or inner.get("init_cfg")


def _data(cfg: Config) -> str:
    """The data set by its class, and its folder where that has a name."""
    dataset = (cfg.get("train_dataloader") or cfg.get("test_dataloader") or {}).get("dataset") or {}
    while isinstance(dataset.get("dataset"), Mapping):  # repeated, or the like
        dataset = dataset["dataset"]
    folder = str(dataset.get("data_root") or "").strip("/").rpartition("/")[2]
    return " ".join(part for part in (str(dataset.get("type", "unknown")), folder) if part)


def _kind(backbone: Any) -> str:
    """A backbone in words: its class, depth and what it is around."""
    if not isinstance(backbone, Mapping):
        return "a backbone"
    inner = backbone.get("backbone")
    if isinstance(inner, Mapping):
        return f"{backbone['type']} around {_kind(inner)}"
    told = [str(backbone[key]) for key in ("type", "depth", "model_name") if key in backbone]
    return " ".join(told)


def _table(rows: list[tuple[str, str]]) -> str:
    header, *body = rows
    return markdown([header, ("---", "---"), *body]) + "\n"


def _text(content: Mapping[str, Any]) -> str:
    return Config(dict(content)).pretty_text
