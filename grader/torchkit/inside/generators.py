"""The random generators that student code draws from: the global ones, and those that it made itself."""

import contextlib
import random
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from grader.sandbox.inside.student import Student


def seed_everything(number: int, own: tuple[Any, ...] = ()) -> None:
    """Seed the three global generators that student code is likely to draw from, and the student's own ones."""
    torch.default_generator.manual_seed(number)  # torch.manual_seed also looks for GPUs, which takes a millisecond
    np.random.seed(number % 2**32)
    random.seed(number)
    for generator in own:
        if isinstance(generator, np.random.Generator):
            generator.bit_generator.state = type(generator.bit_generator)(number).state  # type: ignore[call-arg]
        elif isinstance(generator, np.random.RandomState | random.Random):
            generator.seed(number)
        else:  # torch's; not asked by its class, which a worker without a GPU puts another in the place of
            generator.manual_seed(number)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Leave the three global generators as they were."""
    states = torch.get_rng_state(), random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        torch.set_rng_state(states[0])
        random.setstate(states[1])
        np.random.set_state(states[2])


@contextlib.contextmanager
def seeded_default_rng() -> Iterator[None]:
    """Let generators that are made without a seed follow numpy's global one, so that a draw can be repeated."""
    real: Callable[..., Any] = np.random.default_rng
    np.random.default_rng = lambda seed=None: real(np.random.randint(2**31) if seed is None else seed)  # type: ignore
    try:
        yield
    finally:
        np.random.default_rng = real


def own_generators(student: Student, objects: list[Any]) -> tuple[Any, ...]:
    """The student's own generators: in modules, in objects of theirs, and in what functions keep from call to call."""
    from_modules = student.values()
    attributes = [value for each in objects if hasattr(each, "__dict__") for value in list(vars(each).values())]
    values = [*from_modules, *attributes]
    values += [kept for each in [*objects, *values] for kept in _kept_by(each)]
    classes = (np.random.Generator, np.random.RandomState, random.Random, torch.Generator)
    return tuple({id(value): value for value in values if isinstance(value, classes)}.values())


def _kept_by(function: Any) -> list[Any]:
    """The defaults of a function's arguments, and the variables of the function around it."""
    if not isinstance(function, types.FunctionType):
        return []
    cells = [cell.cell_contents for cell in function.__closure__ or () if has_value(cell)]
    return [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values(), *cells]


def has_value(cell: Any) -> bool:
    """Whether a variable of the function around one has a value yet, and not None."""
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False
