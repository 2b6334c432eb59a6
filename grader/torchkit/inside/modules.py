"""The operation ``module.run``: build a class of a student's, fill it, and call it in several ways.

What comes back has the types of ``grader.torchkit.modules.answers``.
"""

import contextlib
import functools
import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

import torch
from torch import nn

from grader.sandbox.inside import describe, faults
from grader.sandbox.inside.serve import Op, op
from grader.sandbox.inside.student import Student
from grader.torchkit.inside.attention_off import without_attention
from grader.torchkit.inside.attention_scale import attention_scale
from grader.torchkit.inside.building import module_class
from grader.torchkit.inside.calls import inputs_of, tensor
from grader.torchkit.inside.filling import fill
from grader.torchkit.inside.generators import seed_everything
from grader.torchkit.inside.gradients import gradients, in_training, loss_gradients, training_step
from grader.torchkit.inside.replacing import as_they_are, made_in_place
from grader.torchkit.inside.tokens import with_tokens_replaced

Call = dict[str, Any]
Made = dict[str, nn.Module]  # by name of the build, those that could be made


@op("module.run")
def run(student: Student, name: str, builds: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Build a class several times and call each build; one that raises loses nothing of the others.

    Args:
        name: of the class.
        builds: by name, {"args", "kwargs": of the constructor, "fill": of ``fill``, "like": the name of an earlier
            build whose state dict is loaded, or None, "attributes": names whose values are told, "calls": by name, in
            order}. A call is {"do": a key of ``KINDS``, "inputs": array, "seed": of the generators before it, …}; calls
            of different seeds tell what is random from what is not.
    """
    made: Made = {}
    return {key: _build(student, name, build, key, made) for key, build in builds.items()}


def run_with(module: ModuleType) -> Op:
    """Make the operation that does what ``module.run`` does while parts that may be broken are replaced.

    Args:
        module: holds classes of the grader's, each with the name of the class that it takes the place of.
    """

    def run_replaced(
        student: Student, name: str, builds: dict[str, dict[str, Any]], stand_ins: list[str]
    ) -> dict[str, Any]:
        replaced = {other: _taking_as_own(getattr(module, other), student, other) for other in stand_ins}
        built = module_class(student, name)
        classes = {other: cls for other in stand_ins if (cls := module_class(student, other)) not in (None, built)}
        own = {cls: replaced[other] for other, cls in classes.items() if cls is not None}
        with student.overriding(**replaced), made_in_place(own):
            return run(student, name, builds)

    return run_replaced


def _taking_as_own(stand_in: type[nn.Module], student: Student, name: str) -> type[nn.Module]:
    """A stand-in for whoever knows the student's own class.

    It is also made with arguments that the own class takes besides those of the assignment, and has its attributes,
    as the layer whose dtype a model asks for.
    """
    try:
        own, assigned = student.get(name), inspect.signature(stand_in)
        taken = inspect.signature(own)
    except Exception:  # there is no such class
        return stand_in

    class Fitted(stand_in):  # type: ignore[misc,valid-type]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self.__dict__["made_with"] = args, kwargs
            if not _binds(assigned, args, kwargs) and _binds(taken, args, kwargs):
                given = taken.bind(*args, **kwargs)
                given.apply_defaults()
                by_name = {each: given.arguments[each] for each in assigned.parameters if each in given.arguments}
                few = len(by_name) < len(assigned.parameters)
                args = tuple(given.arguments.values())[: len(assigned.parameters)] if few else ()
                kwargs = {} if few else by_name
            super().__init__(*args, **kwargs)

        def __getattr__(self, attribute: str) -> Any:
            try:
                return super().__getattr__(attribute)
            except AttributeError:
                if attribute.startswith("_"):
                    raise
                found = getattr(self._as_own, attribute)
                if isinstance(found, torch.Tensor):  # what a model computes with is to be the stand-in's
                    raise
                return found

        @functools.cached_property
        def _as_own(self) -> Any:
            """What the student's own class makes of the same arguments; None where it raises."""
            args, kwargs = self.made_with
            with contextlib.suppress(Exception), as_they_are():
                return own(*args, **kwargs)
            return None

    Fitted.__name__ = Fitted.__qualname__ = name
    return Fitted


def _binds(signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    try:
        signature.bind(*args, **kwargs)
    except TypeError:
        return False
    return True


def _build(student: Student, name: str, build: dict[str, Any], key: str, made: Made) -> dict[str, Any]:
    seed_everything(build["fill"]["seed"])
    try:
        module = made[key] = student.get(name)(*build["args"], **build["kwargs"])
        calls = list(build["calls"].values())
        if calls and any(isinstance(p, nn.parameter.UninitializedParameter) for p in module.parameters()):
            _forward(module, calls[0])  # lazy layers take their shapes from a first input
        fill(module, **build["fill"])
        if build["like"] is not None:
            _load_state_of(made, build["like"], module)
        facts = _facts(module, build["attributes"])
    except NotImplementedError:
        raise
    except Exception as error:
        return {"kind": "raised", "exception": describe.exception(error)}
    return {**facts, "calls": {name: _call(module, call) for name, call in build["calls"].items()}}


def _load_state_of(made: Made, other: str, module: nn.Module) -> None:
    if other not in made:
        raise RuntimeError("the other build was not made")
    module.load_state_dict(made[other].state_dict())


def _facts(module: nn.Module, attributes: list[str]) -> dict[str, Any]:
    max_listed = 2_000  # parameters and buffers of a module, as the type of the answer lets pass
    return {
        "kind": "built",
        "attributes": {name: describe.result(getattr(module, name, None)) for name in attributes},
        "parameters": [
            {"name": name[:200], "shape": list(parameter.shape), "trainable": bool(parameter.requires_grad)}
            for name, parameter in list(module.named_parameters())[:max_listed]
        ],
        "buffers": [name[:200] for name, _ in list(module.named_buffers())[:max_listed]],
    }


def _call(module: nn.Module, call: Call) -> dict[str, Any]:
    faults.step()
    module.eval()
    seed_everything(call["seed"])
    try:
        return KINDS[call["do"]](module, call)
    except NotImplementedError:
        raise
    except Exception as error:
        return {"kind": "raised", "exception": describe.exception(error)}


def _forward(module: nn.Module, call: Call) -> dict[str, Any]:
    with torch.no_grad():
        described: dict[str, Any] = describe.result(module(inputs_of(call)))
        return described


def _with_targets(module: nn.Module, call: Call) -> dict[str, Any]:
    """What a module gives that is told the targets, too, as a language model is that returns its loss."""
    with torch.no_grad():
        described: dict[str, Any] = describe.result(module(inputs_of(call), tensor(call["targets"])))
        return described


def _attention_scale(module: nn.Module, call: Call) -> dict[str, Any]:
    scale, width = attention_scale(module, inputs_of(call))
    return {"kind": "attention scale", "scale": scale, "width": width}


KINDS: dict[str, Callable[[nn.Module, Call], dict[str, Any]]] = {
    "forward": _forward,
    "with targets": _with_targets,
    "loss gradients": loss_gradients,
    "gradients": gradients,
    "training step": training_step,
    "in training": in_training,
    "tokens replaced": with_tokens_replaced,
    "attention scale": _attention_scale,
    "without attention": without_attention,
}
