"""Arguments by their names: of functions, and of classes that hand them on."""

from __future__ import annotations

from typing import Any

from senet_mm.compat.signatures import arguments_of_kind, takes_others


class Base:
    def __init__(self, a: int, *, b: int = 0) -> None: ...


class HandsOn(Base):
    def __init__(self, *args: Any, c: int = 0, **kwargs: Any) -> None: ...


class Closed(HandsOn):
    def __init__(self, d: int) -> None: ...


def test_a_class_takes_what_its_bases_take_while_it_hands_on() -> None:
    assert arguments_of_kind(Base) == ({"self", "a", "b"}, False)
    assert arguments_of_kind(HandsOn) == ({"self", "a", "b", "c"}, False)
    assert arguments_of_kind(Closed) == ({"self", "d"}, False)


def test_functions_and_what_tells_nothing() -> None:
    assert arguments_of_kind(lambda x, *, y=0: x) == ({"x", "y"}, False)
    assert arguments_of_kind(lambda x, **others: x) == ({"x"}, True)


def test_who_has_kwargs_itself() -> None:
    assert takes_others(HandsOn) and takes_others(lambda **others: None)
    assert not takes_others(Closed) and not takes_others(Base)
