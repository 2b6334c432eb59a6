"""The operation ``generation.ask``: a student's ``generate`` on a small language model whose tables are given.

Shapes: B texts, T tokens, V size of the vocabulary.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from grader.sandbox.inside.serve import op
from grader.sandbox.inside.student import Student
from grader.torchkit.inside.calls import tensor
from grader.torchkit.inside.generators import seed_everything
from grader.torchkit.inside.results import result_of


class TableModel(nn.Module):
    """Logits from three tables: by the token, by the one before it, and by the first one that it is given.

    In train mode the logits are noise, as dropout would make them.
    """

    def __init__(self, tables: np.ndarray, block_size: int) -> None:
        super().__init__()
        self.tables, self.block_size = nn.Parameter(tensor(tables)), block_size
        self.training_seen: set[bool] = set()
        self.gradient_seen: set[bool] = set()
        self.longest = 0

    def forward(self, idx: Tensor, targets: Tensor | None = None) -> tuple[Tensor, None]:
        self.training_seen.add(self.training)
        self.gradient_seen.add(torch.is_grad_enabled())
        self.longest = max(self.longest, idx.shape[1])
        before = torch.cat([idx[:, :1], idx[:, :-1]], dim=1)
        logits = self.tables[0][idx] + self.tables[1][before] + self.tables[2][idx[:, :1]]  # (B, T, V)
        return (logits + 100 * torch.randn_like(logits) if self.training else logits), None


@op("generation.ask")
def ask(student: Student, tables: np.ndarray, block_size: int, calls: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Call ``generate`` in several ways; what comes back has the type ``grader.torchkit.text.generation.GenerationAnswer``.

    Args:
        tables: (3, V, V) of the model.
        calls: by name, {"idx": (B, T), "new": tokens to add, "training": the model's mode, "more": further arguments,
            "seed": of the generators before it}.
    """
    return {name: _called(student, TableModel(tables, block_size), **call) for name, call in calls.items()}


def _called(
    student: Student, model: TableModel, idx: np.ndarray, new: int, training: bool, more: dict[str, Any], seed: int
) -> dict[str, Any]:
    model.train(training)
    seed_everything(seed)
    prompts = tensor(idx)
    result = result_of(lambda: student.get("generate")(model, prompts, new, **more))
    return {
        "result": result,
        "prompts_changed": not torch.equal(prompts, tensor(idx)),
        "mode_after": model.training,
        "trained": True in model.training_seen,
        "with_gradient": True in model.gradient_seen,
        "longest": model.longest,
    }
