"""What ``se_cfg`` says: its keys, their defaults and their checks, all of them here alone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import Field, dataclass, field, fields
from typing import Any

from .functions import ACTIVATIONS, SQUEEZES
from .padding import PADDINGS

# where the block may sit in a residual unit: Fig. 5, Tables 14 and 15
PLACEMENTS = ("standard", "pre", "post", "identity", "conv2")
# whose option a key is: the SE block's, its residual unit's, the stage's
OWNERS = ("block", "unit", "stage")


def _flag(value: object) -> None:
    if not isinstance(value, bool):
        raise ValueError("expected True or False")


def _count(value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("expected an integer of 1 or more")
    if value < 1:
        raise ValueError("expected 1 or more")


def _count_or_none(value: object) -> None:
    if value is not None:
        _count(value)


def _indices_or_none(value: object) -> None:
    if value is None:
        return
    if not isinstance(value, Sequence) or not all(type(index) is int for index in value):
        raise TypeError("expected a sequence of integers, such as (0, 2)")


def _one_of(accepted: Collection[str]) -> Callable[[object], None]:
    def check(value: object) -> None:
        if value not in tuple(accepted):  # not a dict: a list has no hash
            raise ValueError(f"expected one of {list(accepted)}")

    return check


def _key(
    default: object, check: Callable[[object], None], *, owner: str, hidden: bool = False
) -> Any:
    return field(default=default, metadata=dict(check=check, owner=owner, hidden=hidden))


@dataclass(frozen=True, kw_only=True)
class SEConfig:
    """SE in a stage: one dict of ``se_cfg``, checked.

    Attributes:
        reduction: r of Eq. 3; the hidden layer has ``C // r`` channels (Table 10).
        squeeze_channels: Width of the hidden layer, instead of ``C // r``.
        squeeze: ``avg``, ``max`` (Table 11), or ``none``: no pooling, the two
            1x1 convolutions act on the map (Table 16, NoSqueeze).
        gate: The activation that makes the gates: ``sigmoid``, ``tanh``,
            ``relu`` (Table 12) or ``hard_sigmoid``.
        bias: Whether fc1 and fc2 have biases. Released weights have them; the
            paper's ablations (section 6) were run without.
        identity_init: Start as the exact identity, see
            :class:`senet_mm.layers.SEBlock`.
        padding: What the padding of a batch is to SE: ``ignore`` squeezes it with the picture,
            ``mask`` squeezes the picture alone; ``exact``, in residual networks, also zeroes it
            before each layer with a window, so that a picture alone gives the same maps.
        placement: Where SE is in its residual unit, see
            :class:`senet_mm.layers.SEResidualMixin`.
        branch_relu: One more ReLU at the end of the residual branch, before SE.
        fused: False rules the fast path out.
        blocks: The units of the stage that have SE, counted from 0; None: all.

    Raises:
        TypeError: If a value that is a number or numbers is something else.
        ValueError: If another value is not accepted, or two do not go together.
    """

    reduction: int = _key(16, _count, owner="block")
    squeeze_channels: int | None = _key(None, _count_or_none, owner="block")
    squeeze: str = _key("avg", _one_of(SQUEEZES), owner="block", hidden=True)
    gate: str = _key("sigmoid", _one_of(ACTIVATIONS), owner="block", hidden=True)
    bias: bool = _key(True, _flag, owner="block")
    identity_init: bool = _key(False, _flag, owner="block")
    padding: str = _key("ignore", _one_of(PADDINGS), owner="block")
    placement: str = _key("standard", _one_of(PLACEMENTS), owner="unit", hidden=True)
    branch_relu: bool = _key(False, _flag, owner="unit", hidden=True)
    fused: bool = _key(True, _flag, owner="unit")
    blocks: tuple[int, ...] | None = _key(None, _indices_or_none, owner="stage")

    def __post_init__(self) -> None:
        for key in fields(self):
            value = getattr(self, key.name)
            try:
                key.metadata["check"](value)
            except (TypeError, ValueError) as error:
                raise type(error)(f"{key.name}={value!r}: {error}") from None
        if self.branch_relu and self.placement != "standard":
            raise ValueError(
                f"branch_relu=True with placement={self.placement!r}: expected 'standard'"
            )
        if self.identity_init and ACTIVATIONS[self.gate].start and not self.bias:
            raise ValueError(f"identity_init=True with gate={self.gate!r} needs bias=True")
        if self.padding == "mask" and self.squeeze == "none":
            raise ValueError("padding='mask' with squeeze='none': nothing is squeezed")
        if self.blocks is not None:
            if not self.blocks and not self.branch_relu:  # which a stage of None would lose
                raise ValueError("blocks=(): expected one or more; no SE in a stage is None")
            object.__setattr__(self, "blocks", tuple(self.blocks))  # configs have lists

    @classmethod
    def of(
        cls,
        options: SEConfig | Mapping[str, Any],
        where: str = "se_cfg",
        *,
        owners: Collection[str] = OWNERS,
    ) -> SEConfig:
        """A dict of ``se_cfg``, checked; what is one already stays as it is.

        Args:
            options: Values by key.
            where: Whose options they are; starts every error.
            owners: Which keys are accepted, by whose option they are.

        Raises:
            TypeError: If it is no dict, or as :class:`SEConfig`.
            ValueError: If a key is unknown, or as :class:`SEConfig`.
        """
        if isinstance(options, cls):
            return options
        if not isinstance(options, Mapping):
            raise TypeError(f"{where} is {options!r}: expected a dict")
        accepted = [key.name for key in fields(cls) if key.metadata["owner"] in owners]
        unknown = [key for key in options if key not in accepted]
        if unknown:
            raise ValueError(f"{where} has unknown keys {unknown}: accepted are {accepted}")
        try:
            config = cls(**options)
            if "unit" not in owners:
                config.check_alone()
            return config
        except (TypeError, ValueError) as error:
            raise type(error)(f"{where}: {error}") from None

    @classmethod
    def parse(
        cls, se_cfg: Mapping[str, Any] | Sequence[Any], num_stages: int
    ) -> tuple[SEConfig | None, ...]:
        """Spread a backbone's ``se_cfg`` over its stages.

        Args:
            se_cfg: One dict for all stages, or one dict or None (no SE) per stage.
            num_stages: Number of stages of the backbone.

        Returns:
            One config or None per stage.

        Raises:
            TypeError: If se_cfg or an entry is neither a dict nor (entry) None.
            ValueError: If there is not one entry per stage.
            TypeError, ValueError: As :meth:`of`; names the stage.
        """
        if isinstance(se_cfg, Mapping):
            se_cfg = [se_cfg] * num_stages
        elif not isinstance(se_cfg, Sequence) or isinstance(se_cfg, str):
            raise TypeError(
                f"se_cfg={se_cfg!r}: expected a dict for all stages or a sequence with one dict or "
                "None per stage (for a plain net use mmdet's ResNet or ResNeXt)"
            )
        if len(se_cfg) != num_stages:
            raise ValueError(
                f"se_cfg has {len(se_cfg)} entries: expected {num_stages}, one dict or None per "
                "stage"
            )
        return tuple(
            None if options is None else cls.of(options, f"se_cfg of layer{stage}")
            for stage, options in enumerate(se_cfg, start=1)
        )

    def changed(self) -> dict[str, Any]:
        """The keys that differ from their defaults: what a config must say."""
        return self._values(lambda key: getattr(self, key.name) != key.default)

    def of_block(self) -> dict[str, Any]:
        """The options of :class:`senet_mm.layers.SEBlock`, of which its network's are left out."""
        options = self._values(lambda key: key.metadata["owner"] == "block")
        if self.padding == "exact":
            options["padding"] = "ignore" if self.squeeze == "none" else "mask"
        return options

    def check_alone(self) -> None:
        """Check that no key asks something of a network, for a block that is in none of ours.

        Raises:
            ValueError: If one does.
        """
        if self.padding == "exact":
            raise ValueError(
                "padding='exact': expected 'ignore' or 'mask'; what lies between SE blocks must "
                "zero the padding too, and only SEResNet, SEResNeXt and SENet do so"
            )

    def hidden(self) -> dict[str, Any]:
        """What changes the function and leaves no trace in a state dict."""
        return self._values(lambda key: key.metadata["hidden"])

    def hidden_channels(self, channels: int) -> int:
        """Channels between fc1 and fc2 of an SE block for a map of so many channels.

        Raises:
            ValueError: If there would be none.
        """
        if type(channels) is not int or channels < 1:
            raise ValueError(f"in_channels={channels!r}: expected 1 or more, of the map")
        if self.squeeze_channels is not None:
            return self.squeeze_channels
        if self.reduction > channels:
            raise ValueError(
                f"reduction={self.reduction}: expected 1 to {channels}, the channels of the map "
                "(more leaves no hidden channel; or set squeeze_channels)"
            )
        return channels // self.reduction

    def units(self, num_units: int) -> set[int]:
        """The units that have SE in a stage of so many, counted from 0.

        Raises:
            ValueError: If ``blocks`` names one that is not there, or one twice.
        """
        if self.blocks is None:
            return set(range(num_units))
        units = set(self.blocks)
        if len(units) < len(self.blocks) or not units <= set(range(num_units)):
            raise ValueError(
                f"blocks={self.blocks!r}: expected each of 0 to {num_units - 1} at most once"
            )
        return units

    def _values(self, wanted: Callable[[Field[Any]], bool]) -> dict[str, Any]:
        return {key.name: getattr(self, key.name) for key in fields(self) if wanted(key)}
