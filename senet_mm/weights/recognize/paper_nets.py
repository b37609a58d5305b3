"""From the released BN-Inception and ShuffleNet to ours: names, and what must be computed."""

from __future__ import annotations

import re

from torch import Tensor

_INCEPTION = re.compile(r"(?:(inception_\d\w)_)?(\w+?)(_bn)?\.(\w+)")
# of pretrainedmodels' layers, in the stem and in a module, ours
_LAYERS = {
    "conv1_7x7_s2": "conv1",
    "conv2_3x3_reduce": "conv2_reduce",
    "conv2_3x3": "conv2",
    "1x1": "conv_1x1",
    "3x3_reduce": "conv_3x3.0",
    "3x3": "conv_3x3.1",
    "double_3x3_reduce": "double_3x3.0",
    "double_3x3_1": "double_3x3.1",
    "double_3x3_2": "double_3x3.2",
    "pool_proj": "pool_proj",
}


def bn_inception_name(key: str) -> str:
    """Our name of a tensor of pretrainedmodels' BN-Inception (``inception_3a_1x1_bn.weight``)."""
    match = _INCEPTION.fullmatch(key)
    if match is None or match[2] not in _LAYERS:
        return key
    module = f"{match[1]}." if match[1] else ""
    return f"{module}{_LAYERS[match[2]]}.{'bn' if match[3] else 'conv'}.{match[4]}"


def fold_biases(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Take the biases of convolutions off the running means behind them, which computes the same.

    Args:
        tensors: Layers of ``conv`` and ``bn``, by name.
    """
    folded = dict(tensors)
    for name in tensors:
        layer = name.removesuffix(".conv.bias")
        mean = f"{layer}.bn.running_mean"
        if layer != name and mean in tensors:
            folded[mean] = tensors[mean] - folded.pop(name)
    return folded


def shufflenet_name(key: str) -> str:
    """Our name of a tensor of mmpretrain's ShuffleNet."""
    return key.replace(".depthwise_conv3x3_bn.", ".depthwise.")


def shuffle_depthwise(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Reorder depthwise filters for channels that are shuffled before them and not after.

    Args:
        tensors: mmpretrain's ShuffleNet, by our names.
    """
    shuffled = dict(tensors)
    for name, tensor in tensors.items():
        unit, mark, _ = name.partition(".depthwise.")
        if not mark or not tensor.ndim:  # a counter
            continue
        expand = tensors.get(f"{unit}.g_conv_1x1_expand.conv.weight")
        if expand is None or len(tensor) % expand.shape[1]:
            continue  # a net that does not fit, of which the report says so
        groups = len(tensor) // expand.shape[1]
        shuffled[name] = tensor.unflatten(0, (groups, -1)).transpose(0, 1).flatten(0, 1)
    return shuffled
