"""The operation ``shapes``: the shape of what each of several classes gives for each of several cases."""

from typing import Any

import numpy as np
import torch
from torch import nn

from grader.sandbox.inside import describe
from grader.sandbox.inside.serve import op
from grader.sandbox.inside.student import Student
from grader.torchkit.inside.calls import tensor


@op("shapes")
def shapes(student: Student, cases: dict[str, list[Any]]) -> dict[str, list[dict[str, Any]]]:
    """The shape that each class gives for each case, or what came instead.

    Args:
        cases: by class, [arguments of the constructor, the shape of random numbers put in] or [arguments, the array
            put in]; with an array the values of the output come back, too.
    """
    return {name: [_output(student.get(name), *case) for case in found] for name, found in cases.items()}


def _output(make: Any, arguments: list[int], given: Any) -> dict[str, Any]:
    put_in = tensor(given) if isinstance(given, np.ndarray) else None
    try:
        module = make(*arguments)
        if isinstance(module, nn.Module):
            module.eval()
        with torch.no_grad():
            output = module(torch.randn(given) if put_in is None else put_in)
    except (Exception, SystemExit) as error:  # whatever one class does, the others are looked at
        return {"kind": "raised", "exception": describe.exception(error)}
    if not isinstance(output, torch.Tensor):
        return {"kind": "no tensor", "type": type(output).__name__[:100]}
    values = describe.plain(output) if put_in is not None else None
    return {"kind": "shape", "shape": list(output.shape), "values": values}
