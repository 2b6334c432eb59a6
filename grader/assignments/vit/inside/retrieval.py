"""Part 4: a student's nearest neighbours, asked on given embeddings, and their transfer learning."""

from typing import Any

import numpy as np
import torch

from grader.assignments.vit.inside import transfer as transfer  # registers its operation with this one
from grader.assignments.vit.inside.modules import seed_everything
from grader.sandbox.inside import describe, faults
from grader.sandbox.inside.serve import op
from grader.sandbox.inside.student import Student


@op("knn.ask")
def ask(student: Student, cases: list[dict[str, Any]], seed: int) -> list[dict[str, Any]]:
    """Call ``retrieve_topk_nearest_neighbors_l2`` on queries and banks.

    Args:
        cases: {"query": (E,) or (1, E), "ref": (M, E), "k": how many, or None for the default}.
    """
    function = student.get("retrieve_topk_nearest_neighbors_l2")
    return [_called(function, case, seed) for case in cases]


def _called(function: Any, case: dict[str, Any], seed: int) -> dict[str, Any]:
    """What comes back, and which of the values that were given it changed."""
    faults.step()
    seed_everything(seed)
    given = {name: torch.from_numpy(np.array(case[name])) for name in ("query", "ref")}
    try:
        result = function(*given.values()) if case["k"] is None else function(*given.values(), case["k"])
        changed = [name for name, tensor in given.items() if not np.array_equal(tensor.flatten(), case[name].flatten())]
        return {**describe.result(result), "changed": changed}
    except NotImplementedError:
        raise
    except Exception as error:
        return {"raised": describe.exception(error)}
