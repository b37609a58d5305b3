"""Find the backbone in a checkpoint, whatever family it is of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..read.checkpoint import Checkpoint
from .families import Family, recognize
from .geometry import Hidden, structure
from .key_maps import to_ours
from .meta import read_meta
from .normalization import Preprocessing, rgb
from .plugins import SEPlugins

# every family has this tensor; what stands before it is a prefix
ANCHOR = "layer1.0.conv1.weight"
CLASSIFIER = "fc."
_FLOATS = (torch.float32, torch.float16, torch.bfloat16, torch.float64)


@dataclass(frozen=True)
class BackboneWeights:
    """The backbone in a checkpoint, in our layout.

    Attributes:
        source: The checkpoint's name.
        family: What the weights are.
        tensors: The backbone's, by our names.
        names: The name in the checkpoint of each.
        others: Names in the checkpoint of other tensors: classifier, neck, heads.
        prefix: What stood before the backbone's names there (``backbone.``).
        hidden: The options that the tensors do not tell.
        plugins: Those of SE blocks among its plugins.
        attached: Those of SE behind its units.
        is_stated: Whether the checkpoint says them itself; else they are those of its family.
        preprocessing: How images must be fed to it.
    """

    source: str
    family: Family
    tensors: dict[str, Tensor]
    names: dict[str, str]
    others: tuple[str, ...]
    prefix: str
    hidden: Hidden
    plugins: SEPlugins
    attached: Sequence[Mapping[str, Any]]
    is_stated: bool
    preprocessing: Preprocessing


def find_backbone(checkpoint: Checkpoint, prefix: str | None = None) -> BackboneWeights:
    """Recognize the backbone in a checkpoint and rename its tensors.

    Args:
        checkpoint: Of a classifier, of a detector, or of a backbone alone.
        prefix: What stands before the backbone's names; needed only where the
            checkpoint has several.

    Raises:
        ValueError: If there is no net of the ResNet family, there are several,
            or a tensor of it is not finite or has a shape or type that it
            cannot have.
    """
    prefix = _prefix(checkpoint, prefix)
    inside = [key for key in checkpoint.state_dict if key.startswith(prefix)]
    family = recognize((key[len(prefix) :] for key in inside), checkpoint.source)
    names = {to_ours(key[len(prefix) :], family.rules): key for key in inside}
    names = {name: key for name, key in names.items() if not name.startswith(CLASSIFIER)}
    tensors = {
        name: _as_convolution(name, checkpoint.state_dict[key]) for name, key in names.items()
    }
    given = {names[name]: tensor for name, tensor in tensors.items()}
    check_types(given, checkpoint.source)
    check_finite(given, checkpoint.source)
    try:
        shapes = structure(tensors)
    except ValueError as error:
        raise ValueError(f"{checkpoint.source} is no net of the ResNet family: {error}") from error
    stated = read_meta(checkpoint.meta)
    of_source = checkpoint.rgb_statistics and rgb(*checkpoint.rgb_statistics)
    taken = set(names.values())
    return BackboneWeights(
        checkpoint.source,
        family,
        tensors,
        names,
        tuple(key for key in checkpoint.state_dict if key not in taken),
        prefix,
        stated.hidden or family.hidden(shapes),
        stated.plugins,
        stated.attached,
        stated.hidden is not None,
        stated.preprocessing or of_source or family.preprocessing,
    )


def _prefix(checkpoint: Checkpoint, given: str | None) -> str:
    found = [key.removesuffix(ANCHOR) for key in checkpoint.state_dict if key.endswith(ANCHOR)]
    if given is not None:
        given = given if not given or given.endswith(".") else f"{given}."
        if given not in found:
            raise ValueError(
                f"{checkpoint.source} has no backbone below prefix={given!r}: expected one of "
                f"{found}"
            )
        return given
    if not found:
        first = ", ".join(list(checkpoint.state_dict)[:3])
        raise ValueError(
            f"{checkpoint.source} holds no net of the ResNet family: no tensor is named "
            f"{ANCHOR}, with or without a prefix. It has {len(checkpoint.state_dict)} tensors "
            f"({first}, ...)"
        )
    if len(found) > 1:
        raise ValueError(
            f"{checkpoint.source} has several backbones, below {found}: name one, by "
            "init_cfg.prefix or by --prefix of senet-mm convert"
        )
    return found[0]


def _as_convolution(name: str, tensor: Tensor) -> Tensor:
    """A fully connected layer's matrix, as the 1x1 convolution that SE has here."""
    is_matrix = tensor.ndim == 2 and ".se.fc" in name
    return tensor[:, :, None, None] if is_matrix else tensor


def check_types(tensors: Mapping[str, Tensor], source: str) -> None:
    """Check that all are numbers that a net computes with.

    Raises:
        ValueError: Naming the checkpoint and the first tensor that is not.
    """
    for name, tensor in tensors.items():
        if tensor.dtype not in _FLOATS and not name.endswith("num_batches_tracked"):
            raise ValueError(
                f"{source}: tensor {name} is of type {tensor.dtype}, expected one of "
                f"{', '.join(map(str, _FLOATS))}"
            )


def check_finite(tensors: Mapping[str, Tensor], source: str) -> None:
    """Check that there is no NaN and no infinite value.

    Raises:
        ValueError: Naming the checkpoint and the first tensor.
    """
    wrong = [
        name
        for name, tensor in tensors.items()
        if tensor.dtype in _FLOATS and not torch.isfinite(tensor).all()
    ]
    if wrong:
        raise ValueError(
            f"{source} has NaN or infinite values in {len(wrong)} tensors (the first is "
            f"{wrong[0]}): the training diverged, or the file is corrupt"
        )
