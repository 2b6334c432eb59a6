"""Operations on a student's ``nn.Module`` classes: build, fill, run, differentiate, train one step."""

import contextlib
import itertools
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from grader.assignments.vit.inside import (
    provided,  # noqa: F401  registers the names that notebooks set up
    standins,
)
from grader.assignments.vit.inside.tracing import (
    attention_scale,  # all at the top: a confined worker cannot read our files
)
from grader.sandbox.inside import describe, devices, faults
from grader.sandbox.inside.serve import op
from grader.sandbox.inside.student import Student


@op("names.values")
def values(student: Student, names: list[str]) -> dict[str, Any]:
    """The plain values of names: numbers and strings, the type of anything else; undefined ones are left out."""
    return {name: describe.result(student.get(name)) for name in names if student.has(name)}


@op("devices.hard_coded")
def hard_coded(student: Student) -> list[str]:
    """What asked for a GPU on a machine without one, so far."""
    return list(devices.hard_coded)


@op("module.run")
def run(student: Student, name: str, builds: list[dict[str, Any]], stand_ins: list[str]) -> list[dict[str, Any]]:
    """Build a class several times and run each build; one that raises loses nothing of the others.

    A build is {"args", "kwargs", "fill": {"kind": see ``fill``, "seed"}, "calls", "like", "attributes"};
    ``like`` names an earlier build whose state dict is loaded. A call is {"inputs": array,
    "mode": "eval" | "train", "do": a name in ``CALLS``, "seed", …}; the generators are seeded before each
    call, so that calls of different seeds tell what is random from what is not. ``stand_ins`` are names of
    other classes that stand-ins of the grader's replace meanwhile.
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
        _materialise(module, build["calls"])
        fill(module, **build["fill"])
        if build.get("like") is not None:
            _load_state(module, made[build["like"]])
        facts["attributes"] = {a: describe.result(getattr(module, a, None)) for a in build.get("attributes", ())}
        facts["parameters"] = _parameters(module)
        facts["buffers"] = [name[:200] for name, _ in list(module.named_buffers())[:2000]]
    except NotImplementedError:
        raise
    except Exception as error:
        return {**facts, "raised": describe.exception(error), "calls": []}
    facts["calls"] = [_call(module, call) for call in build["calls"]]
    return facts


def _materialise(module: nn.Module, calls: list[dict[str, Any]]) -> None:
    """Let lazy layers take their shapes from a first input."""
    if calls and any(isinstance(p, nn.parameter.UninitializedParameter) for p in module.parameters()):
        _forward(module, calls[0])


def _load_state(module: nn.Module, source: nn.Module | None) -> None:
    if source is None:
        raise RuntimeError("the other build was not made")
    module.load_state_dict(source.state_dict())


def _call(module: nn.Module, call: dict[str, Any]) -> dict[str, Any]:
    faults.step()
    do = CALLS[call.get("do", "forward")]
    module.train(call.get("mode", "eval") == "train")
    seed_everything(call.get("seed", 0))
    try:
        return do(module, call)
    except NotImplementedError:
        raise
    except Exception as error:
        return {"raised": describe.exception(error)}


def _inputs(call: dict[str, Any]) -> Tensor:
    return torch.from_numpy(np.array(call["inputs"]))


def _forward(module: nn.Module, call: dict[str, Any]) -> dict[str, Any]:
    with torch.no_grad():
        return describe.result(module(_inputs(call)))


STRIDE = 0.02  # length of the step by which a slope is measured: long beside rounding, short beside curvature


def _gradients(module: nn.Module, call: dict[str, Any]) -> dict[str, Any]:
    """Gradients of a weighted sum of the output: of each parameter the largest, of the input all.

    "reached" is how many numbers of all parameters have one, "unregistered" are the shapes of tensors that are learned
    and are no parameters of the module. "slope" is what the input's says of a step along it,
    "measured" what the step really does. An output of another shape than the weights is "unlike" them.
    """
    leaf, weights = _inputs(call).requires_grad_(), torch.from_numpy(np.array(call["weights"]))
    module.zero_grad(set_to_none=True)
    output = module(leaf.clone())  # a clone, since in-place operations on it are no fault
    if _unlike(output, weights):
        return {"unlike": True}
    known = {id(leaf), *map(id, module.parameters())}
    strangers = [list(other.shape) for other in _leaves(output) if id(other) not in known]
    (output * weights).sum().backward()
    largest = {n: None if p.grad is None else float(p.grad.abs().max()) for n, p in module.named_parameters()}
    reached = sum(int(p.grad.count_nonzero()) for p in module.parameters() if p.grad is not None)
    found = {"parameters": largest, "reached": reached, "unregistered": strangers[:MAX_UNREGISTERED]}
    if leaf.grad is None:
        return {**found, "inputs": None}
    slope = float(leaf.grad.norm())
    facts = {"slope": slope, "measured": _measured(module, leaf.detach(), leaf.grad / max(slope, 1e-12), weights)}
    return {**found, "inputs": describe.plain(leaf.grad), **facts}


MAX_UNREGISTERED = 20


def _leaves(output: Tensor) -> list[Tensor]:
    """The tensors that a gradient of the output is for: parameters, and whatever else requires one."""
    nodes, met, found = [output.grad_fn], set(), []
    while nodes:
        node = nodes.pop()
        if node is None or node in met:
            continue
        met.add(node)
        if hasattr(node, "variable"):
            found.append(node.variable)
        nodes += [following for following, _ in node.next_functions]
    return found


def _unlike(output: Any, weights: Tensor) -> bool:
    return not isinstance(output, Tensor) or output.shape != weights.shape


def _measured(module: nn.Module, inputs: Tensor, direction: Tensor, weights: Tensor) -> float:
    """The slope along a direction by central differences of two strides, the curvature between them taken off."""

    def difference(stride: float) -> float:
        up, down = (module(inputs + side * stride * direction).double() for side in (1, -1))
        return float(((up - down) * weights).sum()) / (2 * stride)

    with torch.no_grad():
        return (4 * difference(STRIDE / 2) - difference(STRIDE)) / 3  # Richardson's extrapolation


def _step(module: nn.Module, call: dict[str, Any]) -> dict[str, Any]:
    """The output before and after one step of gradient descent on a weighted sum of it."""
    inputs, weights = _inputs(call), torch.from_numpy(np.array(call["weights"]))
    trained = [p for p in module.parameters() if p.requires_grad]
    before = module(inputs.clone())
    if _unlike(before, weights):
        return {"unlike": True}
    if not trained or not before.requires_grad:
        return {"before": describe.plain(before), "after": describe.plain(before)}
    optimizer = torch.optim.SGD(trained, lr=call["lr"])
    optimizer.zero_grad()
    (before * weights).sum().backward()
    optimizer.step()
    with torch.no_grad():
        after = module(inputs)
    return {"before": describe.plain(before), "after": describe.plain(after)}


def _scale(module: nn.Module, call: dict[str, Any]) -> dict[str, Any]:
    """What attention does between its scores and its softmax, as far as it can be followed."""
    scale, width = attention_scale(module, _inputs(call))
    return {"scale": scale, "width": width}


def _replaced(module: nn.Module, call: dict[str, Any]) -> dict[str, Any]:
    """Run with given tokens (B, N + 1, D) in the place of the last tokens that a module inside puts out.

    That is where the work on tokens ends, whatever the modules are called: in a ViT of the usual parts the
    Transformer, or a norm after it. Tokens that a ViT adds behind the N + 1 (registers) stay as they are.
    """
    tokens = torch.from_numpy(np.array(call["tokens"]))
    last: list[int] = []  # exits so far, and the number of the last one with tokens
    with torch.no_grad(), _at_exits(module, lambda number, output: _note(last, number, output, tokens)):
        module(_inputs(call))
    if not last:
        return {"kind": "none"}

    def replace(number: int, output: Any) -> Any:
        if number != last[-1]:
            return None
        if _more(output, tokens) >= 0:
            return torch.cat([tokens, output[:, tokens.shape[1] :]], dim=1)
        return torch.cat([tokens.transpose(0, 1), output[tokens.shape[1] :]])

    with torch.no_grad(), _at_exits(module, replace):
        return describe.result(module(_inputs(call)))


def _note(last: list[int], number: int, output: Any, tokens: Tensor) -> None:
    if isinstance(output, Tensor) and max(_more(output, tokens), _more(output, tokens.transpose(0, 1), 0)) >= 0:
        last.append(number)


def _more(output: Tensor, tokens: Tensor, axis: int = 1) -> int:
    """How many tokens more there are along the axis; negative where these are not such tokens."""
    same = output.dim() == 3 and output.shape[2] == tokens.shape[2] and output.shape[1 - axis] == tokens.shape[1 - axis]
    return output.shape[axis] - tokens.shape[axis] if same else -1


@contextlib.contextmanager
def _at_exits(module: nn.Module, do: Callable[[int, Any], Any]) -> Iterator[None]:
    """Call something at each exit from a module inside, with the exit's number; what it returns is put out."""
    counter = itertools.count()
    inner = [m for m in module.modules() if m is not module]
    handles = [m.register_forward_hook(lambda _, __, output: do(next(counter), output)) for m in inner]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


CALLS = {"forward": _forward, "gradients": _gradients, "step": _step, "replaced": _replaced, "scale": _scale}


def seed_everything(seed: int) -> None:
    """Seed every generator that student code is likely to draw from."""
    torch.default_generator.manual_seed(seed)  # torch.manual_seed also looks for GPUs, which takes a millisecond
    np.random.seed(seed % 2**32)
    random.seed(seed)


FAINT = 1 / 30
TINY = 1e-12  # stands for zero: 0 / 0 in a weight norm or a learned temperature would be NaN


def fill(module: nn.Module, kind: str, seed: int = 0) -> None:
    """Give every parameter a value, of one of these kinds.

    "init" leaves its own, "zero", "random" and "faint" mean all of them, "faint" with matrices ``FAINT`` times as
    large: what they make of long tokens then is of the size of biases.
    "zero_but_ones" leaves those alone that are one everywhere: the weights of norms. "random_but_plain" leaves
    those alone that are zero or one everywhere: the weights and biases of norms. Random means: matrices
    with entries of size 1/sqrt(fan-in), embeddings of size 1/2, vectors (norm weights, biases, scales) moved
    by 0.3, so that nothing that starts at zero or one hides anything, and single numbers moved by 0.3 up or
    down, never by next to nothing.
    """
    if kind == "init":
        return
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            if kind in ("random", "faint") or (kind == "random_but_plain" and not _plain(parameter)):
                _randomise(parameter, generator, FAINT if kind == "faint" else 1.0)
            elif kind == "zero" or (kind == "zero_but_ones" and not bool((parameter == 1).all())):
                parameter.fill_(TINY)


def _plain(parameter: Tensor) -> bool:
    return any(bool((parameter == value).all()) for value in (0, 1))


def _randomise(parameter: Tensor, generator: torch.Generator, strength: float) -> None:
    noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float32).to(parameter.dtype)
    if parameter.numel() == 1:
        parameter.add_(0.3 * noise.sign())
    elif parameter.dim() < 2:
        parameter.add_(0.3 * noise)
    elif parameter.dim() == 3 or 1 in parameter.shape:  # [CLS] tokens and positions
        parameter.copy_(0.5 * noise)
    else:
        parameter.copy_(strength * noise / max(1, parameter[0].numel()) ** 0.5)


def _parameters(module: nn.Module) -> list[dict[str, Any]]:
    """Name, shape and trainability of every parameter."""
    return [
        {"name": name[:200], "shape": list(parameter.shape), "trainable": bool(parameter.requires_grad)}
        for name, parameter in list(module.named_parameters())[:2000]
    ]


@op("shapes")
def shapes(student: Student, cases: dict[str, list[Any]]) -> dict[str, list[dict[str, Any]]]:
    """The shape that each class gives for each case, or what came instead.

    A case is [arguments, the shape put in], or [arguments, what is put in]: then the values come back, too.
    """
    return {name: [_shape(student.get(name), *case) for case in found] for name, found in cases.items()}


def _shape(make: Any, arguments: list[int], given: Any) -> dict[str, Any]:
    put_in = torch.from_numpy(np.array(given)) if isinstance(given, np.ndarray) else None
    try:
        module = make(*arguments)
        if isinstance(module, nn.Module):
            module.eval()
        with torch.no_grad():
            output = module(torch.randn(given) if put_in is None else put_in)
    except (Exception, SystemExit) as error:  # whatever one class does, the others are looked at
        return {"raised": describe.exception(error)}
    if not isinstance(output, torch.Tensor):
        return {"type": type(output).__name__[:100]}
    return {"shape": list(output.shape), **({"values": describe.plain(output)} if put_in is not None else {})}
