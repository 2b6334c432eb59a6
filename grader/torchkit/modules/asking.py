"""Put together what ``module.run`` is asked: builds of a class and their calls, by name."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from grader.torchkit.modules.arrays import Array

Call = dict[str, Any]
LAYERS = 3  # of a model some of whose layers are silent


def build(
    *args: Any, calls: Mapping[str, Call], seed: int, fill: str = "random", like: str | None = None,
    attributes: Sequence[str] = (), silent: Sequence[int] = (), **kwargs: Any,
) -> dict[str, Any]:  # fmt: skip
    """Describe one build of a class.

    Args:
        args: of its constructor, as ``kwargs``.
        calls: what is called on it, by name, in order.
        seed: of the generators while it is made, and of the values of its parameters.
        fill: which values its parameters get, a kind of ``grader.torchkit.inside.filling.fill``.
        like: the name of an earlier build whose state dict is loaded then.
        attributes: names of attributes whose values are told.
        silent: numbers of layers, of ``LAYERS``, whose parameters are all zero.
    """
    return {
        "args": list(args),
        "kwargs": kwargs,
        "fill": {"kind": fill, "seed": seed, **({"silent": list(silent), "layers": LAYERS} if silent else {})},
        "like": like,
        "attributes": list(attributes),
        "calls": dict(calls),
    }


def call(inputs: Array, do: str = "forward", seed: int = 0, **more: Any) -> Call:
    """Describe one call.

    Args:
        inputs: what the module is called on.
        do: "forward", "with targets" or "loss gradients" (with ``targets``), "gradients" or "training step" (with
            ``weights``, and ``lr``), "in training", "tokens replaced" (with ``tokens``), "attention scale" or "without
            attention" (with ``layers``, how often it is computed at least).
        seed: of the generators before it.
    """
    return {"inputs": inputs, "do": do, "seed": seed, **more}


def normal(rng: np.random.Generator, *shape: int) -> Array:
    """Standard normal float32 numbers."""
    return rng.standard_normal(shape, dtype=np.float32)
