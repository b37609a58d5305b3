"""Let mmengine find the configs that travel with the package.

mmengine resolves ``package::config`` for a fixed list of packages and only for
configs in a subfolder. The functions that do so are wrapped here for names that
begin with ``senet_mm::``; every other name goes to mmengine as before, where the package of an
extra of ours is looked for by its module: distributions of the forks have other names.
"""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mmengine.hub
from mmengine.config import Config
from mmengine.config.utils import MODULE2PACKAGE
from mmengine.infer import BaseInferencer
from mmengine.registry import MODELS, DefaultScope
from torch import nn

PREFIX = "senet_mm::"
_EXTRAS = {"mmpretrain": "classification", "mmseg": "segmentation"}
_PACKAGE = Path(__file__).resolve().parents[1]
_GetPath = Callable[[str, str], tuple[str, str | None]]
_GetConfig = Callable[..., Config]


class MissingPackageError(ImportError):
    """The package that a config's base is of is not installed."""


def configs_root() -> Path:
    """The folder of the packaged configs."""
    # installed, they lie in .mim; in a source tree that is not, beside the package
    roots = (_PACKAGE / ".mim" / "configs", _PACKAGE.parent / "configs")
    return next((root for root in roots if root.is_dir()), roots[0])


def config_path(name: str) -> Path:
    """Path of a packaged config.

    Args:
        name: Path below ``configs/``, such as ``faster_rcnn_se_r50_fpn.py``,
            with or without ``senet_mm::`` before it and ``.py`` behind it.

    Raises:
        FileNotFoundError: If there is no such config; lists those there are.
    """
    root = configs_root()
    path = root / f"{name.removeprefix(PREFIX).removesuffix('.py')}.py"
    if not path.is_file():
        known = sorted(str(p.relative_to(root)) for p in root.rglob("*.py"))
        raise FileNotFoundError(f"senet_mm has no config {name!r}: there are {', '.join(known)}")
    return path


def install() -> None:
    """Make ``senet_mm::NAME`` work in ``_base_``, in ``mmengine.hub`` and for inferencers."""
    if hasattr(mmengine.hub.get_config, "__wrapped__"):
        return
    hub = mmengine.hub.hub
    MODULE2PACKAGE.update({package: package for package in _EXTRAS})
    Config._get_cfg_path = staticmethod(_base_path(Config._get_cfg_path))
    mmengine.hub.get_config = hub.get_config = _get_config(mmengine.hub.get_config)
    mmengine.hub.get_model = hub.get_model = _get_model(mmengine.hub.get_model)
    BaseInferencer._load_model_from_metafile = _load_model(BaseInferencer._load_model_from_metafile)


def _base_path(original: _GetPath) -> _GetPath:
    @functools.wraps(original)
    def get_cfg_path(cfg_path: str, filename: str) -> tuple[str, str | None]:
        if cfg_path.startswith(PREFIX):
            # no scope: our classes live in mmdet's registries, the default scope of our configs
            return str(config_path(cfg_path)), None
        package, is_packaged, _ = cfg_path.partition("::")
        if is_packaged and package in _EXTRAS and importlib.util.find_spec(package) is None:
            raise MissingPackageError(
                f"{filename} builds on {cfg_path}, and {package} is not installed: "
                f"`pip install 'senet_mm[{_EXTRAS[package]}]'` installs all that it needs"
            )
        return original(cfg_path, filename)

    return get_cfg_path


def _get_config(original: _GetConfig) -> _GetConfig:
    @functools.wraps(original)
    def get_config(cfg_path: str, pretrained: bool = False) -> Config:
        if not cfg_path.startswith(PREFIX):
            return original(cfg_path, pretrained)
        if pretrained:
            raise ValueError(
                f"{cfg_path}: senet_mm publishes no trained detectors (pretrained=True)"
            )
        return Config.fromfile(config_path(cfg_path))

    return get_config


def _get_model(original: Callable[..., nn.Module]) -> Callable[..., nn.Module]:
    @functools.wraps(original)
    def get_model(cfg_path: str, pretrained: bool = False, **kwargs: Any) -> nn.Module:
        if not cfg_path.startswith(PREFIX):
            return original(cfg_path, pretrained, **kwargs)
        from mmdet.utils import register_all_modules  # not before mmcv's ops are there

        cfg = mmengine.hub.get_config(cfg_path, pretrained)
        with DefaultScope.overwrite_default_scope("mmdet"):
            register_all_modules(init_default_scope=False)
            return MODELS.build(cfg.model, default_args=kwargs)

    return get_model


def _load_model(
    original: Callable[[BaseInferencer, str], tuple[Config, str | None]],
) -> Callable[[BaseInferencer, str], tuple[Config, str | None]]:
    @functools.wraps(original)
    def load_model(self: BaseInferencer, model: str) -> tuple[Config, str | None]:
        if model.startswith(PREFIX):
            return Config.fromfile(config_path(model)), None  # no weights: the caller gives them
        return original(self, model)

    return load_model
