"""How the tensors of each family of weights are named, and what we call them.

Our names are mmdet's for the trunk (``conv1``, ``bn1`` or ``stem.N``, ``layerN.M.``) and timm's for
SE (``layerN.M.se.fc1``, ``.fc2``). A classifier, which no backbone has, is called ``fc``.

A rule is a pair (their name, ours) of a part of a key; with ``^`` it is the start of the key. At
most one rule of a map fits any key, the first.
"""

from __future__ import annotations

Rules = tuple[tuple[str, str], ...]

# timm's and torchvision's nets with a 7x7 stem, mmdet's nets, and our own
SHARED: Rules = ()

# timm's nets with a stem of three 3x3 convolutions: conv1.{0,1,3,4,6}, then bn1
TIMM_DEEP: Rules = (("^bn1.", "^stem.7."), ("^conv1.", "^stem."))

# timm's legacy_se* and Cadene's ports of the Caffe models
LEGACY: Rules = (
    ("^layer0.conv1.", "^conv1."),
    ("^layer0.bn1.", "^bn1."),
    (".se_module.", ".se."),
    ("^last_linear.", "^fc."),
)
LEGACY_DEEP: Rules = (  # SENet-154
    ("^layer0.conv1.", "^stem.0."),
    ("^layer0.bn1.", "^stem.1."),
    ("^layer0.conv2.", "^stem.3."),
    ("^layer0.bn2.", "^stem.4."),
    ("^layer0.conv3.", "^stem.6."),
    ("^layer0.bn3.", "^stem.7."),
    (".se_module.", ".se."),
    ("^last_linear.", "^fc."),
)

# mmpretrain's (mmcls's) ResNet, SEResNet and kin, below their prefix `backbone.`
MMPRETRAIN: Rules = (
    (".se_layer.conv1.conv.", ".se.fc1."),
    (".se_layer.conv2.conv.", ".se.fc2."),
    ("^stem.0.conv.", "^stem.0."),
    ("^stem.0.bn.", "^stem.1."),
    ("^stem.1.conv.", "^stem.3."),
    ("^stem.1.bn.", "^stem.4."),
    ("^stem.2.conv.", "^stem.6."),
    ("^stem.2.bn.", "^stem.7."),
)

# its V1d nets: average pooling before a projection only where there is a stride, here always
MMPRETRAIN_V1D: Rules = (
    ("^layer1.0.downsample.0.", "^layer1.0.downsample.1."),
    ("^layer1.0.downsample.1.", "^layer1.0.downsample.2."),
    *MMPRETRAIN,
)

# moskomule/senet.pytorch, whose fully connected layers are matrices
MOSKOMULE: Rules = ((".se.fc.0.", ".se.fc1."), (".se.fc.2.", ".se.fc2."))


def to_ours(key: str, rules: Rules) -> str:
    """Our name of a tensor."""
    return _rename(key, rules)


def to_theirs(key: str, rules: Rules) -> str:
    """The family's name of a tensor of ours."""
    return _rename(key, tuple((ours, theirs) for theirs, ours in rules))


def _rename(key: str, rules: Rules) -> str:
    for old, new in rules:
        if not old.startswith("^"):
            if old in key:
                return key.replace(old, new, 1)
        elif key.startswith(old[1:]):
            return new[1:] + key[len(old) - 1 :]
    return key
