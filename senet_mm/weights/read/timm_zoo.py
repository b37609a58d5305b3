"""Weights of timm, by name: ``timm://NAME``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ...io.near_names import nearest
from .checkpoint import Checkpoint
from .places import first_line, one_process

TIMM = "timm://"
# the nets of timm that mmdet's ResNet family and ours compute, by architecture
_RESNETS = re.compile(
    r"(legacy_)?((se|eca)?resnet(18|34|50|101|152)[cds]?|(se)?resnext(50|101|152)d?_\d+x\d+d|senet154)"
)


def fetch_timm(source: str) -> Checkpoint:
    """Get the weights of ``timm://NAME``, from timm's cache or the network.

    Raises:
        ImportError: If timm is missing.
        ValueError: If timm has no such weights.
        ConnectionError: If the download fails.
    """
    timm, name = import_timm(), _name(source)
    # timm takes minutes to give up; it retries each of its places five times
    try:
        with one_process(name):
            model = timm.create_model(name, pretrained=True)
    except Exception as error:  # whatever its backends raise without a network
        cfg = timm.get_pretrained_cfg(name)
        place = f"https://huggingface.co/{cfg.hf_hub_id}" if cfg.hf_hub_id else cfg.url
        raise ConnectionError(
            f"{source} could not be downloaded ({first_line(error)}). Fetch it from {place} where "
            "there is a network, and give the file: init_cfg.checkpoint=PATH"
        ) from error
    return Checkpoint(source, model.state_dict(), rgb_statistics=timm_statistics(source))


def timm_statistics(source: str) -> tuple[Sequence[float], Sequence[float]]:
    """Mean and standard deviation of the RGB images of ``timm://NAME``; needs no network.

    Raises:
        ImportError, ValueError: As :func:`fetch_timm`.
    """
    cfg = import_timm().get_pretrained_cfg(_name(source))
    return cfg.mean, cfg.std


def import_timm(user: str = "timm:// weights") -> Any:
    """timm, which is optional.

    Args:
        user: What needs it.

    Raises:
        ImportError: If it is missing.
    """
    try:
        import timm
    except ImportError as error:
        raise ImportError(f"{user} need timm: pip install timm") from error
    return timm


def check_resnet_family(source: str) -> None:
    """Check that ``timm://NAME`` is of a net that mmdet's ResNet family or ours computes.

    Raises:
        ImportError, ValueError: As :func:`fetch_timm`, or if it is of another net.
    """
    name = _name(source)
    if not _RESNETS.fullmatch(name.split(".")[0]):
        raise ValueError(
            f"{source}: {name} is of timm, but no net of mmdet's ResNet family or of senet_mm "
            "computes it. Accepted are resnet, resnext, seresnet, seresnext, ecaresnet, senet154 "
            "and their legacy_ forms, or any with backbone=dict(type='TimmBackbone', "
            f"model_name='{name.split('.')[0]}')"
        )


def check_network(source: str, model_name: str) -> None:
    """Check that ``timm://NAME`` is of a network, and not of another with tensors of its shapes.

    Such are ``tf_efficientnet_b0`` and ``efficientnet_b0``, which pad in two ways.

    Args:
        source: The name.
        model_name: timm's name of the network, with or without that of its weights.

    Raises:
        ImportError, ValueError: As :func:`fetch_timm`, or if it is of another.
    """
    own, given = (name.split(".")[0] for name in (model_name, _name(source)))
    if given != own:
        raise ValueError(
            f"weights {source} are not those of model_name={model_name!r}: set "
            f"model_name={given!r}, or give weights of {own}"
        )


def _name(source: str) -> str:
    """The name behind ``timm://``, if timm has weights of it."""
    timm = import_timm()
    name = source[len(TIMM) :]
    known = timm.list_pretrained()
    # timm takes the default of several trainings
    if name not in known and not any(name == full.split(".")[0] for full in known):
        of_net = [full for full in known if full.split(".")[0] == name.split(".")[0]]
        near = nearest(name, of_net or known)
        raise ValueError(f"{source}: timm has no weights named {name!r}{near}")
    return name
