"""Building the models of a checkpoint from a student's classes and hyperparameters."""

import contextlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from torch import nn

from grader.sandbox.inside import describe
from grader.sandbox.inside.student import Student
from grader.torchkit.inside import state_dicts


@dataclass(frozen=True)
class ModelPart:
    """One model of a checkpoint.

    Attributes:
        name: of its class.
        key: of its state dict.
        arguments: what it is built with, in order: names of hyperparameters, or values.
        keywords: the names of these arguments.
    """

    name: str
    key: str
    arguments: tuple[str | int, ...]
    keywords: tuple[str, ...]


def settings(student: Student, parts: Iterable[ModelPart], given: dict[str, Any]) -> dict[str, Any]:
    """The values of the hyperparameters that some models are built with; undefined ones are left out.

    Args:
        given: values that hold where the student defines none.
    """
    names = {name for part in parts for name in part.arguments if isinstance(name, str)}
    return given | {name: student.get(name) for name in sorted(names) if student.has(name)}


def undefined(part: ModelPart, values: dict[str, Any]) -> list[str]:
    """The hyperparameters of a model that have no value."""
    return [name for name in part.arguments if isinstance(name, str) and name not in values]


def built(student: Student, part: ModelPart, values: dict[str, Any]) -> nn.Module:
    """Build one model by position, or by name where the class takes its arguments in another order.

    An argument that is not defined is left to the class's default.
    """
    make = student.get(part.name)
    pairs = [
        (keyword, values.get(a) if isinstance(a, str) else a)
        for keyword, a in zip(part.keywords, part.arguments, strict=True)
    ]
    while pairs and pairs[-1][1] is None:
        pairs.pop()
    try:
        return make(*(value for _, value in pairs))
    except TypeError as error:
        with contextlib.suppress(TypeError):
            return make(**dict(pairs))
        raise error


def module_class(student: Student, name: str) -> type[nn.Module] | None:
    """What the student's code calls so, if it is a class of modules."""
    cls = student.get(name) if student.has(name) else None
    return cls if isinstance(cls, type) and issubclass(cls, nn.Module) else None


def loaded(
    student: Student, part: ModelPart, values: dict[str, Any], content: dict[str, Any], classes: Collection[str], root: str
) -> tuple[dict[str, Any], Any]:  # fmt: skip
    """How one model of a checkpoint was built and loaded, a ``checkpoints.Loading``, and the model.

    Args:
        values: of the hyperparameters.
        content: of the checkpoint.
        classes, root: as of ``state_dicts.load``.
    """
    if not student.has(part.name):
        return {"kind": "undefined"}, None
    if part.key not in content:
        return {"kind": "absent"}, None
    try:
        module = built(student, part, values)
        return state_dicts.load(module, content[part.key], classes, root), module
    except Exception as error:
        return {"kind": "raised", "exception": describe.exception(error)}, None
