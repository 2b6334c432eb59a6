"""What any module must do: outputs of the right shape, without chance, each item by itself, and trainable."""

import numpy as np

from grader.judging import Fail, Skip
from grader.torchkit.modules.answers import Built, Gradients, Parameter
from grader.torchkit.modules.arrays import TOLERANCE, Array, same
from grader.torchkit.modules.run import ModuleRun

LONE_ITEM_SCALE = 0.5
"""How large the item is that is also given alone, beside the others of its batch: a maximum over the batch is another's
then, and not its own."""


def expect_shape(run: ModuleRun, build: str, call: str, shape: tuple[int, ...], hint: str = "") -> None:
    """Fail unless an output has the shape.

    Args:
        hint: for a wrong shape that says nothing by itself.
    """
    got = run.tensor(build, call).shape
    if got != shape:
        raise wrong_shape(run, build, call, shape, _shape_hint(got, shape) or hint)


def wrong_shape(run: ModuleRun, build: str, call: str, shape: tuple[int, ...], hint: str) -> Fail:
    """The verdict on an output that should have had another shape."""
    got, inputs = run.tensor(build, call).shape, run.inputs(build, call).shape
    return Fail(f"expected output shape {shape} for an input of shape {inputs}, got {got}", hint)


def _shape_hint(got: tuple[int, ...], expected: tuple[int, ...]) -> str:
    if expected[0] == 1 and got == expected[1:]:
        return "A squeeze or an index takes the batch axis away when the batch holds one item only."
    if len(got) == len(expected) and sorted(got) == sorted(expected):
        return "Two axes are in the other order: the batch comes first and the features last."
    if len(got) != len(expected):
        return "The number of axes differs: look for a missing or an additional squeeze, flatten or index."
    if got[0] != expected[0]:
        return "The first axis is the batch's: is its size hard-coded, or are axes mixed by a reshape?"
    return ""


def expect_repeatable(first: Array, again: Array, what: str, built: Built | None = None) -> None:
    """Fail when the same input gave different results in eval mode.

    Args:
        built: what gave them, where its call "gradients" may tell why.
    """
    if not same(again, first):
        raise Fail(
            f"in eval mode, the same {what} should give the same output each time, and gave two different ones",
            "A layer or an nn.Parameter is made in forward, with new random numbers each time: make it in __init__ and keep "
            "it in self."
            if built is not None and _computes_with_others(built)
            else "Random numbers are drawn in forward, or a dropout is active in eval mode: "
            "F.dropout needs training=self.training, dropout_p of scaled_dot_product_attention is 0 in eval mode; layers in a "
            "plain list are not told of eval mode: hold them in an nn.ModuleList or an nn.Sequential; and forward calls "
            "no train().",
        )


def _computes_with_others(built: Built) -> bool:
    """Whether gradients reach tensors that are no parameters of the module."""
    found = built.calls.get("gradients")
    return isinstance(found, Gradients) and bool(found.unregistered)


def noise_alone(first: Array, again: Array) -> bool:
    """Whether two answers to the same input have nothing to do with each other; dropout leaves more of them."""
    min_likeness = 0.3  # their correlation: dropout of one half gives 0.5 and more, noise 0.1 at most
    if same(again, first):
        return False
    with np.errstate(all="ignore"):  # of numbers that are all the same
        likeness = np.corrcoef(first.ravel(), again.ravel())[0, 1]
    return not likeness > min_likeness


def expect_alone(run: ModuleRun, build: str, call: str, expected: Array, what: str) -> None:
    """Fail when one input alone does not give what it gives among others.

    Args:
        call: the one with that input alone.
        expected: what the input gave among others.
        what: "an image".
    """
    alone = run.tensor(build, call)
    if alone.shape != expected.shape:
        raise Skip
    if not np.isfinite(alone).all():
        raise Fail(
            f"{what} alone gives NaN: `{run.name}` computes a statistic over the batch",
            "Normalise over the features, not over the batch.",
        )
    if not same(alone.astype(np.float64), expected):
        raise Fail(f"the output for {what} depends on which others are in the batch", _why_not_alone(run, build))


def _why_not_alone(run: ModuleRun, build: str) -> str:
    """Why an output depends on the batch: on its place in it, where a parameter has a row for each place."""
    tokens = [p for p in run.built(build).parameters if len(p.shape) == 3 and p.shape[0] > 1]
    if tokens:
        name, shape = tokens[0].name, tokens[0].shape
        return (
            f"`{name}` has the shape {shape}: is its first axis the size of a batch? Then each place in the batch has "
            "numbers of its own. Make it of size 1 there, and expand it to x.shape[0] in forward."
        )
    return (
        "A reshape mixes the batch axis with others, attention or recurrence runs over the batch axis (see batch_first), or something is normalised "
        "over the batch."
    )


def expect_trained(run: ModuleRun, build: str, call: str, whole: Gradients | None = None) -> None:
    """Fail unless every parameter is trainable and has a gradient, and the input has one.

    In training mode, too, where the build has a call "in training".

    Args:
        call: one of the kind "gradients".
        whole: gradients in a model that is built of this class: what it applies itself may be unused here.
    """
    expect_parameters_trained(run, build, call, whole)
    inputs = run.gradients(build, call).inputs
    if inputs is None or not inputs.any():
        raise Fail("no gradient reaches the input", "Look for detach, .data, NumPy or a no_grad block in forward.")
    if "in training" in run.built(build).calls:
        _expect_trained_in_training(run, build, call)


def _expect_trained_in_training(run: ModuleRun, build: str, call: str) -> None:
    """Fail where what works in eval mode raises in training mode, or is cut off there."""
    reached, usual = run.reached_in_training(build), run.gradients(build, call).largest
    cut_off = [name for name, largest in usual.items() if largest and reached.get(name) is False]
    if cut_off:
        raise Fail(
            f"in training mode, as after model.train(), no gradient ever reaches {_listed(cut_off)}; in eval mode one does",
            "Look at what forward does in training mode alone, where self.training is true: dropout and stochastic depth "
            "leave out a part now and then, not always.",
        )


def expect_learned(run: ModuleRun, build: str, shape: tuple[int, ...]) -> None:
    """Fail where what outputs owe to their inputs is the same with all parameters zero, as in the build "zero".

    Args:
        build: with random parameters; both builds have the call "batch" of the same inputs.
        shape: of its output, inputs first.
    """
    usual = run.output(build, "batch", shape)
    try:
        zero = run.output("zero", "batch", shape)
    except Fail:  # it divides by what its parameters give, for example
        return
    usual, zero = usual - usual[:1], zero - zero[:1]
    if np.abs(zero).max() > TOLERANCE and same(zero, usual):
        raise Fail(
            "what the input is multiplied with is no parameter: with all parameters at zero, other inputs give other "
            "outputs as before",
            "A tensor that is learned is an nn.Parameter, kept in self: a plain tensor or a buffer is never trained.",
        )


def expect_registered(copy: Array, original: Array, what: str) -> None:
    """Fail where a module that loaded another one's state dict gives something else for the same input.

    Args:
        copy, original: what the two gave.
        what: the kind of module, as "a block".
    """
    if not same(copy, original):
        raise Fail(
            f"{what} that loads another one's state dict should give the same output, and does not: something it "
            "computes with is not registered",
            "Layers belong in nn.ModuleList or nn.Sequential, not in a Python list, and are made in __init__, not in "
            "forward; tensors that are learned are nn.Parameters.",
        )


def expect_parameters_trained(run: ModuleRun, build: str, call: str, whole: Gradients | None = None) -> None:
    """Fail unless every parameter is trainable and has a gradient.

    A vector whose gradient is zero is let pass: a bias of the keys has none, since softmax ignores it.

    Args:
        call: one of the kind "gradients" or "loss gradients".
        whole: gradients in a model that is built of this class: what it applies itself may be unused here.
    """
    parameters, gradients = run.built(build).parameters, run.gradients(build, call)
    if gradients.unregistered:
        raise Fail(*_unregistered(gradients.unregistered, run.name))
    if not parameters:
        raise Fail(
            f"`{run.name}` has no parameters: no layer of it is registered",
            "Make layers and nn.Parameters in __init__ and keep them in self; several in nn.ModuleList, not in a "
            "Python list.",
        )
    frozen = [parameter.name for parameter in parameters if not parameter.trainable]
    if frozen:
        be, it = ("are", "them") if len(frozen) > 1 else ("is", "it")
        raise Fail(
            f"{_listed(frozen)} {be} frozen (requires_grad=False): training cannot change {it}",
            "Take out what sets requires_grad to False.",
        )
    trained_elsewhere = _trained_in(whole, _of_one_kind([parameter.name for parameter in parameters]))
    unused = [p.name for p in parameters if _is_untouched(p, gradients) and p.name not in trained_elsewhere]
    if unused:
        raise Fail(
            f"no gradient reaches {_listed(unused)}",
            "It is defined but not used in forward, or what was computed with it is cut off: look for detach, .data "
            "or a no_grad block.",
        )


def _unregistered(shapes: list[tuple[int, ...]], name: str) -> tuple[str, str]:
    if len(shapes) == 1:
        what = f"a tensor of shape {shapes[0]} is computed with and requires a gradient, but is not registered as a "
        what += f"parameter of `{name}`: an optimizer that is given its parameters() never changes it"
    else:
        what = f"{len(shapes)} tensors are computed with and require gradients, but are not registered as "
        what += f"parameters of `{name}`: an optimizer that is given its parameters() never changes them"
    return (
        what,
        "Wrap a tensor in nn.Parameter and keep it in self, in __init__; layers in a Python list or dict belong in "
        "nn.ModuleList or nn.ModuleDict, parameters in nn.ParameterList; nothing is made outside the class or in "
        "forward.",
    )


def _is_untouched(parameter: Parameter, gradients: Gradients) -> bool:
    largest = gradients.largest.get(parameter.name)
    return largest is None or (len(parameter.shape) > 1 and largest == 0)


def _of_one_kind(names: list[str]) -> list[str]:
    """The names that no others are like but for a number: those of layers that are repeated are trained here or nowhere."""
    kinds = [tuple(part for part in name.split(".") if not part.isdigit()) for name in names]
    return [name for name, kind in zip(names, kinds, strict=True) if kinds.count(kind) < 2]


def _trained_in(whole: Gradients | None, names: list[str]) -> set[str]:
    """The parameters of these names that a gradient reaches in the part of a whole model that has most of them."""
    if whole is None:
        return set()
    parts = sorted({full.removesuffix(name) for full in whole.largest for name in names if full.endswith(f".{name}")})
    part = max(parts, key=lambda part: sum(part + name in whole.largest for name in names), default="")
    return {name for name in names if part and whole.largest.get(part + name)}


def _listed(names: list[str]) -> str:
    return f"`{names[0]}`" + (f" and {len(names) - 1} more" if len(names) > 1 else "")
