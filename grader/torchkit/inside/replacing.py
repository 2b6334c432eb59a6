"""Puts models of the grader's in the place of a student's class, whatever name the code reaches it by."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from torch import nn

_IN_PLACE: dict[type, Callable[..., Any]] = {}  # by a student's class, what is made when it is called


@contextlib.contextmanager
def made_in_place(of: Mapping[type, Callable[..., Any]]) -> Iterator[None]:
    """Let calls of classes make something else for a while: by an alias, from a registry, inside a closure.

    A class with a ``__new__`` of its own, and what is derived from these classes, is made as it is.
    """
    plain = {cls: make for cls, make in of.items() if cls.__new__ in (nn.Module.__new__, _new)}
    for cls in plain:
        setattr(cls, "__new__", staticmethod(_new))  # noqa: B010  a class of the student's: no type is known
    before = dict(_IN_PLACE)
    _IN_PLACE.update(plain)
    try:
        yield
    finally:
        _IN_PLACE.clear()
        _IN_PLACE.update(before)


@contextlib.contextmanager
def as_they_are() -> Iterator[None]:
    """Let the classes make what they are, inside of ``made_in_place``."""
    before = dict(_IN_PLACE)
    _IN_PLACE.clear()
    try:
        yield
    finally:
        _IN_PLACE.update(before)


def _new(cls: type, *args: Any, **kwargs: Any) -> Any:
    make = _IN_PLACE.get(cls)
    return object.__new__(cls) if make is None else make(*args, **kwargs)
