"""Part 4: a student's nearest neighbours, asked on given embeddings, and their transfer learning.

Shapes: E embedding size, M size of the bank.
"""

from typing import Any

import numpy as np
import torch

from grader.assignments.vit.inside import transfer as transfer  # registers its operation with this one
from grader.sandbox.inside.serve import op
from grader.sandbox.inside.student import Student
from grader.torchkit.inside.generators import seed_everything
from grader.torchkit.inside.results import result_of


@op("knn.ask")
def ask(student: Student, cases: list[dict[str, Any]], seed: int) -> list[dict[str, Any]]:
    """Call ``retrieve_topk_nearest_neighbors_l2`` on queries and banks.

    Args:
        cases: {"query": (E,) or (1, E), "ref": (M, E), "k": how many, or None for the default}.

    Returns:
        an ``application.answers.LookUp`` a case.
    """
    name = "retrieve_topk_nearest_neighbors_l2"
    with student.as_it_was_for(name):
        return [_look_up(student.get(name), case, seed) for case in cases]


def _look_up(function: Any, case: dict[str, Any], seed: int) -> dict[str, Any]:
    seed_everything(seed)
    given = {name: torch.from_numpy(np.array(case[name])) for name in ("query", "ref")}
    k = () if case["k"] is None else (case["k"],)
    result = result_of(lambda: function(*given.values(), *k))
    now = {name: tensor.detach().flatten() for name, tensor in given.items()}
    return {
        "result": result,
        "changed": [n for n, values in now.items() if not np.array_equal(values, case[n].flatten())],
    }
