"""Families of weights of nets outside the ResNet family, and which of them a checkpoint is of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from torch import Tensor

from . import paper_nets, timm_names
from .normalization import BN_INCEPTION_BGR, HALF_RGB, IMAGENET_RGB, Preprocessing


def _same(name: str) -> str:
    return name


@dataclass(frozen=True)
class OtherFamily:
    """Weights that are named and fed alike.

    Attributes:
        name: Its name here.
        title: What it is.
        anchor: A key that tells the family, by their name; what stands before it is the prefix.
            None: any checkpoint may be of it.
        rename: Our name of a tensor, from theirs without the prefix.
        root: Below which name the net itself is (``timm_model.``): a tensor of a child that it
            does not have, such as a classifier, is of another part.
        convert: What else must be done to the tensors, under our names; what it leaves out has
            been used up.
        preprocessing: How its images were prepared; None where that is not known.
    """

    name: str
    title: str
    anchor: str | None = None
    rename: Callable[[str], str] = _same
    root: str = ""
    convert: Callable[[dict[str, Tensor]], dict[str, Tensor]] = dict
    preprocessing: Preprocessing | None = None

    def ours(self, name: str, own: Collection[str]) -> str:
        """Our name of a tensor.

        Args:
            name: Its name in a checkpoint, without the prefix.
            own: Names of the backbone's tensors.
        """
        renamed = self.rename(name)
        if renamed in own:
            return renamed
        # timm folds sequences into its feature nets: features.0 is features_0 there
        folded = self.root + renamed.removeprefix(self.root).replace(".", "_", 1)
        return folded if folded in own else renamed


# of those that name the most tensors of a backbone the first; so the general ones stand last
OTHER_FAMILIES = (
    OtherFamily(
        "bn_inception",
        "pretrainedmodels' BN-Inception",
        anchor="conv1_7x7_s2.weight",
        rename=paper_nets.bn_inception_name,
        convert=paper_nets.fold_biases,
        preprocessing=BN_INCEPTION_BGR,
    ),
    OtherFamily(
        "mmpretrain_shufflenet",
        "mmpretrain's ShuffleNet",
        anchor="layers.0.0.depthwise_conv3x3_bn.conv.weight",
        rename=paper_nets.shufflenet_name,
        convert=paper_nets.shuffle_depthwise,
        preprocessing=IMAGENET_RGB,
    ),
    OtherFamily(
        "mmpretrain_vgg16",
        "mmpretrain's VGG-16",
        "features.0.conv.weight",
        timm_names.mmpretrain_vgg16,
        timm_names.NET,
        preprocessing=IMAGENET_RGB,
    ),
    OtherFamily(
        "vgg",
        "VGG of torchvision, timm and mmcv",
        "features.0.weight",
        timm_names.in_net,
        timm_names.NET,
        preprocessing=IMAGENET_RGB,
    ),
    OtherFamily(
        "inception_resnet_v2",
        "Inception-ResNet-v2 of timm and Cadene's",
        "conv2d_1a.conv.weight",
        timm_names.in_net,
        timm_names.NET,
        preprocessing=HALF_RGB,
    ),
    OtherFamily(
        "pytorchcv_mobilenet",
        "PyTorchCV's MobileNet",
        "features.init_block.conv.weight",
        timm_names.pytorchcv_mobilenet,
        timm_names.NET,
        preprocessing=IMAGENET_RGB,
    ),
    OtherFamily("timm", "timm", None, timm_names.in_net, timm_names.NET),
    OtherFamily("timm_getter", "timm", None, timm_names.in_getter, timm_names.GETTER),
    OtherFamily("timm_hooks", "timm", None, timm_names.in_hooks, timm_names.HOOKS),
    OtherFamily("as_is", "the backbone's own layout"),
)


def recognize_other(
    keys: Collection[str], own: Collection[str], source: str, prefix: str | None = None
) -> tuple[OtherFamily, str]:
    """The family of a state dict and what stands before the backbone's names in it.

    Args:
        keys: Names of the checkpoint's tensors.
        own: Names of the backbone's.
        source: The checkpoint's name.
        prefix: The prefix, where it is given; needed only where there are several backbones.

    Raises:
        ValueError: If no tensor has a name of the backbone's in any family, or
            there are several backbones.
    """
    if prefix:
        prefix = f"{prefix.removesuffix('.')}."
    found = Counter(
        (family, start)
        for family in OTHER_FAMILIES
        for key in keys
        for start in _starts(key)
        if prefix in (None, start)
        and _has_anchor(family, start, keys)
        and family.ours(key[len(start) :], own) in own
    )
    if not found:
        below = "" if prefix is None else f" below prefix={prefix!r}"
        raise ValueError(
            f"{source} holds no weights of this backbone: none of its {len(keys)} tensors"
            f"{below} ({', '.join(list(keys)[:3])}, ...) has a name of the backbone's "
            f"({', '.join(list(own)[:3])}, ...)"
        )
    most = max(found.values())
    best = [match for match, count in found.items() if count == most]
    family = best[0][0]
    prefixes = [start for other, start in best if other is family]
    if len(prefixes) > 1:
        raise ValueError(
            f"{source} has several backbones, below {prefixes}: name one, by init_cfg.prefix"
        )
    return family, prefixes[0]


def preprocessing_by_anchor(keys: Collection[str]) -> Preprocessing | None:
    """How images were prepared for a net that one tensor's name tells; None where none does."""
    names = {f".{key}" for key in keys}
    for family in OTHER_FAMILIES:
        if family.anchor and any(name.endswith(f".{family.anchor}") for name in names):
            return family.preprocessing
    return None


def _has_anchor(family: OtherFamily, prefix: str, keys: Collection[str]) -> bool:
    return family.anchor is None or prefix + family.anchor in keys


def _starts(key: str) -> Iterator[str]:
    """Every part of a key that may be a prefix: ``a.b.c`` has '', ``a.`` and ``a.b.``."""
    yield ""
    yield from (key[: index + 1] for index, letter in enumerate(key) if letter == ".")
