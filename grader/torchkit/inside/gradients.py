"""Differentiate what a module computes, and train it for one step."""

from typing import Any

import torch
from torch import Tensor, nn

from grader.sandbox.inside import describe
from grader.torchkit.inside.calls import inputs_of, tensor

OTHER_SHAPE = {"kind": "other shape"}


def gradients(module: nn.Module, call: dict[str, Any]) -> dict[str, Any]:
    """The gradients of a weighted sum of the output: of each parameter the largest, of the input all.

    What it returns is explained at ``grader.torchkit.modules.answers.Gradients``.

    Args:
        call: {"inputs", "weights": an array of the shape that the output should have}.
    """
    leaf, weights = inputs_of(call).requires_grad_(), tensor(call["weights"])
    module.zero_grad(set_to_none=True)
    parameters = dict(module.named_parameters())
    output = module(leaf.clone())  # a clone, since in-place operations on it are no fault
    if _has_other_shape(output, weights):
        return OTHER_SHAPE
    found = _of_parameters(parameters, (output * weights).sum(), leaf)
    if leaf.grad is None:
        return found
    slope = float(leaf.grad.norm())
    measured = _measured_slope(module, leaf.detach(), leaf.grad / max(slope, 1e-12), weights)
    return {**found, "inputs": describe.plain(leaf.grad), "slope": slope, "measured_slope": measured}


def loss_gradients(module: nn.Module, call: dict[str, Any]) -> dict[str, Any]:
    """The gradients of the parameters for the loss that a module returns beside its output, when it is given targets.

    Args:
        call: {"inputs", "targets": arrays}.
    """
    module.zero_grad(set_to_none=True)
    parameters = dict(module.named_parameters())
    output = module(inputs_of(call), tensor(call["targets"]))
    loss = output[1] if isinstance(output, tuple | list) and len(output) == 2 else None
    if not isinstance(loss, Tensor) or loss.numel() != 1:
        return OTHER_SHAPE
    return _of_parameters(parameters, loss)


def in_training(module: nn.Module, call: dict[str, Any]) -> dict[str, Any]:
    """Which matrices of parameters gradients reach in training mode, where parts may be left out at random.

    Buffers stay as they were. Vectors are not told of: a bias of the keys has no gradient in right code.

    Args:
        call: {"inputs"}.
    """
    inputs, buffers = inputs_of(call), {name: buffer.clone() for name, buffer in module.named_buffers()}
    module.train()
    try:
        return _reached(module, inputs)
    finally:
        module.eval()
        module.zero_grad(set_to_none=True)
        with torch.no_grad():
            for name, buffer in module.named_buffers():
                if name in buffers and buffer.shape == buffers[name].shape:
                    buffer.copy_(buffers[name])


def _reached(module: nn.Module, inputs: Tensor) -> dict[str, Any]:
    parameters = {name: parameter for name, parameter in module.named_parameters() if parameter.dim() > 1}
    reached = dict.fromkeys(parameters, False)
    draws = 24  # in which what is left out nine times in ten is left out each time once in 12 trainings
    for _ in range(draws):
        module.zero_grad(set_to_none=True)
        output = module(inputs.clone())
        if not isinstance(output, Tensor) or not output.is_floating_point():
            return OTHER_SHAPE
        (output * torch.randn_like(output)).sum().backward()
        reached |= {n: True for n, p in parameters.items() if p.grad is not None and bool(p.grad.any())}
        if all(reached.values()):
            break
    return {"kind": "in training", "reached": reached}


def _of_parameters(parameters: dict[str, nn.Parameter], number: Tensor, *inputs: Tensor) -> dict[str, Any]:
    """Differentiate a number, and tell which parameters have gradients; there are none of the inputs yet.

    Args:
        parameters: that there were before it was computed: an optimizer knows none of those that forward makes.
        inputs: tensors that may have a gradient and are no parameters.
    """
    known = {*map(id, inputs), *map(id, parameters.values())}
    strangers = [list(other.shape) for other in _leaves(number) if id(other) not in known]
    number.sum().backward()
    reached = {n: 0 if p.grad is None else int(p.grad.count_nonzero()) for n, p in parameters.items()}
    return {
        "kind": "gradients",
        "largest": {n: None if p.grad is None else float(p.grad.abs().max()) for n, p in parameters.items()},
        "reached": sum(reached.values()),
        "reached_of": reached,
        "unregistered": strangers[:20],  # as the type of the answer lets pass
        "inputs": None,
        "slope": 0.0,
        "measured_slope": 0.0,
    }


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


def _has_other_shape(output: Any, weights: Tensor) -> bool:
    return not isinstance(output, Tensor) or output.shape != weights.shape


def _measured_slope(module: nn.Module, inputs: Tensor, direction: Tensor, weights: Tensor) -> float:
    """The slope along a direction by central differences of two strides, the curvature between them taken off."""

    def difference(stride: float) -> float:
        up, down = (module(inputs + side * stride * direction).double() for side in (1, -1))
        return float(((up - down) * weights).sum()) / (2 * stride)

    length = 0.001  # of the step by which a slope is measured: long beside rounding, short beside curvature and kinks
    with torch.no_grad():
        return (4 * difference(length / 2) - difference(length)) / 3  # Richardson's extrapolation


def training_step(module: nn.Module, call: dict[str, Any]) -> dict[str, Any]:
    """The output before and after one step of gradient descent on a weighted sum of it.

    Args:
        call: {"inputs", "weights": an array of the shape that the output should have, "lr"}.
    """
    inputs, weights = inputs_of(call), tensor(call["weights"])
    trained = [p for p in module.parameters() if p.requires_grad]
    before = module(inputs.clone())
    if _has_other_shape(before, weights) or not before.is_floating_point():
        return OTHER_SHAPE
    if not trained or not before.requires_grad:
        return {"kind": "training step", "before": describe.plain(before), "after": describe.plain(before)}
    optimizer = torch.optim.SGD(trained, lr=call["lr"])
    optimizer.zero_grad()
    (before * weights).sum().backward()
    optimizer.step()
    with torch.no_grad():
        after = module(inputs)
    if _has_other_shape(after, weights) or not after.is_floating_point():
        return OTHER_SHAPE
    return {"kind": "training step", "before": describe.plain(before), "after": describe.plain(after)}
