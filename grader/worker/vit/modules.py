"""Operations on a student's ``nn.Module`` classes: build, fill, run, differentiate, train one step."""

import random
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from grader.worker import describe, shims
from grader.worker.serve import op
from grader.worker.student import Student
from grader.worker.vit import (
    provided,  # noqa: F401  registers the names that notebooks set up
    standins,
)
from grader.worker.vit.tracing import attention_scales  # all at the top: a confined worker cannot read our files


@op("names.values")
def values(student: Student, names: list[str]) -> dict[str, Any]:
    """The plain values of names: numbers and strings, the type of anything else; undefined ones are left out."""
    return {name: describe.result(student.get(name)) for name in names if student.has(name)}


@op("devices.hard_coded")
def hard_coded(student: Student) -> list[str]:
    """What asked for a GPU on a machine without one, so far."""
    return list(shims.hard_coded)


@op("module.run")
def run(student: Student, name: str, builds: list[dict[str, Any]], stand_ins: list[str]) -> list[dict[str, Any]]:
    """Build a class several times and run each build; one that raises loses nothing of the others.

    A build is {"args", "kwargs", "fill": {"kind": "init" | "zero" | "random", "seed"}, "calls", "like",
    "attributes"}; ``like`` names an earlier build whose state dict is loaded. A call is {"inputs": array,
    "mode": "eval" | "train", "do": "forward" | "gradients" | "step" | "cut" | "patch", …}. ``stand_ins``
    are names of other classes that stand-ins of the grader's replace meanwhile.
    """
    replaced = {other: getattr(standins, other) for other in stand_ins}
    with student.overriding(**replaced):
        made: list[nn.Module | None] = []
        return [_build(student, name, build, made) for build in builds]


def _build(student: Student, name: str, build: dict[str, Any], made: list[nn.Module | None]) -> dict[str, Any]:
    seed_everything(build["fill"].get("seed", 0))
    facts: dict[str, Any] = {}
    made.append(None)
    try:
        module = student.get(name)(*build["args"], **build["kwargs"])
        made[-1] = module
        fill(module, **build["fill"])
        if build.get("like") is not None:
            _load_state(module, made[build["like"]])
        facts["attributes"] = {a: describe.result(getattr(module, a, None)) for a in build.get("attributes", ())}
        facts["parameters"] = _parameters(module, student)
    except NotImplementedError:
        raise
    except Exception as error:
        return {**facts, "raised": describe.exception(error), "calls": []}
    facts["calls"] = [_call(student, module, call) for call in build["calls"]]
    return facts


def _load_state(module: nn.Module, source: nn.Module | None) -> None:
    if source is None:
        raise RuntimeError("the other build was not made")
    module.load_state_dict(source.state_dict())


def _call(student: Student, module: nn.Module, call: dict[str, Any]) -> dict[str, Any]:
    do = CALLS[call.get("do", "forward")]
    module.train(call.get("mode", "eval") == "train")
    seed_everything(call.get("seed", 0))
    try:
        return do(student, module, call)
    except NotImplementedError:
        raise
    except Exception as error:
        return {"raised": describe.exception(error)}


def _inputs(call: dict[str, Any]) -> Tensor:
    return torch.from_numpy(np.array(call["inputs"]))


def _forward(student: Student, module: nn.Module, call: dict[str, Any]) -> dict[str, Any]:
    with torch.no_grad():
        return describe.result(module(_inputs(call)))


def _gradients(student: Student, module: nn.Module, call: dict[str, Any]) -> dict[str, Any]:
    """Gradients of a weighted sum of the output: of each parameter the largest, of the input all."""
    inputs = _inputs(call).requires_grad_()
    module.zero_grad(set_to_none=True)
    (module(inputs) * torch.from_numpy(np.array(call["weights"]))).sum().backward()
    largest = {n: None if p.grad is None else float(p.grad.abs().max()) for n, p in module.named_parameters()}
    return {"parameters": largest, "inputs": None if inputs.grad is None else describe.plain(inputs.grad)}


def _step(student: Student, module: nn.Module, call: dict[str, Any]) -> dict[str, Any]:
    """The output before and after one step of gradient descent on a weighted sum of it."""
    inputs, weights = _inputs(call), torch.from_numpy(np.array(call["weights"]))
    trained = [p for p in module.parameters() if p.requires_grad]
    before = module(inputs)
    if not trained or not before.requires_grad:
        return {"before": describe.plain(before), "after": describe.plain(before), "trained": len(trained)}
    optimizer = torch.optim.SGD(trained, lr=call["lr"])
    optimizer.zero_grad()
    (before * weights).sum().backward()
    optimizer.step()
    with torch.no_grad():
        after = module(inputs)
    return {"before": describe.plain(before), "after": describe.plain(after), "trained": len(trained)}


def _scale(student: Student, module: nn.Module, call: dict[str, Any]) -> dict[str, Any]:
    """What attention does between its scores and its softmax, as far as it can be followed."""
    return attention_scales(module, _inputs(call))


def _replaced(student: Student, module: nn.Module, call: dict[str, Any]) -> dict[str, Any]:
    """Run with the output of the Transformer inside replaced by given tokens; tells how often that happened."""
    transformers = tuple(c for c in [_class(student, "Transformer")] if c is not None)
    inner = [m for m in module.modules() if m is not module and isinstance(m, transformers)]
    if len(inner) != 1:
        return {"kind": "none", "found": len(inner)}
    seen: list[list[int]] = []
    tokens = torch.from_numpy(np.array(call["tokens"]))

    def replace(_: nn.Module, __: Any, output: Tensor) -> Tensor:
        seen.append(list(output.shape))
        return tokens if output.shape == tokens.shape else output

    handle = inner[0].register_forward_hook(replace)
    try:
        with torch.no_grad():
            return {**describe.result(module(_inputs(call))), "replaced": seen}
    finally:
        handle.remove()


def _class(student: Student, name: str) -> type | None:
    found = student.get(name) if student.has(name) else None
    return found if isinstance(found, type) else None


CALLS = {"forward": _forward, "gradients": _gradients, "step": _step, "replaced": _replaced, "scale": _scale}


def seed_everything(seed: int) -> None:
    """Seed every generator that student code is likely to draw from."""
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)
    random.seed(seed)


def fill(module: nn.Module, kind: str, seed: int = 0) -> None:
    """Give every parameter a value: its own ("init"), "zero", or "random".

    "zero_but_ones" leaves those alone that are one everywhere: the weights of norms. Random means: matrices with entries of size 1/sqrt(fan-in), embeddings of size 1/2, and vectors (norm
    weights, biases, scales) moved by 0.3, so that nothing that starts at zero or one hides anything.
    """
    if kind == "init":
        return
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            if kind == "zero":
                parameter.zero_()
            elif kind == "zero_but_ones":  # the weights of norms stay
                parameter.mul_(bool((parameter == 1).all()))
            else:
                _randomise(parameter, generator)


def _randomise(parameter: Tensor, generator: torch.Generator) -> None:
    noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float32).to(parameter.dtype)
    if parameter.dim() < 2:
        parameter.add_(0.3 * noise)
    elif parameter.dim() == 3 or 1 in parameter.shape:  # [CLS] tokens and positions
        parameter.copy_(0.5 * noise)
    else:
        parameter.copy_(noise / max(1, parameter[0].numel()) ** 0.5)


def _parameters(module: nn.Module, student: Student) -> list[dict[str, Any]]:
    """Name, shape and trainability of every parameter, and which of the student's classes owns it."""
    owners = {id(p): type(m).__name__ for m in module.modules() for p in m.parameters() if _is_theirs(student, m)}
    return [
        {
            "name": name[:200],
            "shape": list(parameter.shape),
            "trainable": bool(parameter.requires_grad),
            "owner": owners.get(id(parameter), ""),
        }
        for name, parameter in list(module.named_parameters())[:2000]
    ]


def _is_theirs(student: Student, module: nn.Module) -> bool:
    return type(module).__name__ in student.names


@op("check_vit")
def check_vit(student: Student, source: str, names: list[str]) -> list[list[Any]]:
    """Run the project's shape check on the student's classes: [name, right, words] each."""
    space: dict[str, Any] = {"__name__": "check_vit"}
    exec(compile(source, "check_vit.py", "exec"), space)
    classes = {name: student.get(name) for name in names if student.has(name)}
    return [[name, bool(right), str(words)[:500]] for name, right, words in space["check"](classes)]
