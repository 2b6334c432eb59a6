"""Checkpoints for variants that name their parameters otherwise than the reference.

The reference's weights are put into the variant's model, tensor by tensor in the order of registration, where that
gives a model that computes the same.
"""

import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

SIZES = (13, 12, 2, 4, 48)  # of the reference
REFERENCE = Path(__file__).resolve().parent.parent / "reference"


def transplant(folder: Path) -> bool:
    """Put the weights of a folder's gpt.pt into its own GPT; take the file away where that cannot be done."""
    file = folder / "gpt.pt"
    content = torch.load(file, weights_only=True)
    moved = _moved(_built(folder), content["model"])
    if moved is None:
        file.unlink()
        return False
    torch.save({**content, "model": moved}, file)
    return True


def _built(folder: Path) -> nn.Module:
    """The GPT that a folder's model.py defines."""
    space: dict[str, Any] = {"__name__": "variant"}
    sys.path.insert(0, str(folder))
    try:
        exec(compile((folder / "model.py").read_text(encoding="utf-8"), "model.py", "exec"), space)
    finally:
        sys.path.remove(str(folder))
    model: nn.Module = space["GPT"](*SIZES).eval()
    return model


def _moved(module: nn.Module, weights: dict[str, Tensor]) -> dict[str, Tensor] | None:
    """The weights under the module's own names, where it then computes what the reference does."""
    torch.manual_seed(1)
    reference, idx = _built(REFERENCE), torch.randint(0, SIZES[0], (3, SIZES[1]))
    reference.load_state_dict(weights)
    wanted = module.state_dict()
    if wanted.keys() == weights.keys():
        moved = weights
    elif [t.numel() for t in wanted.values()] == [t.numel() for t in weights.values()]:
        pairs = zip(wanted.items(), weights.values(), strict=True)
        moved = {name: tensor.reshape(target.shape).clone() for (name, target), tensor in pairs}
    else:
        return None
    if any(wanted[name].shape != tensor.shape for name, tensor in moved.items()):
        return None
    module.load_state_dict(moved)
    with torch.no_grad():
        same = torch.allclose(module(idx)[0], reference(idx)[0], atol=1e-3)
    return moved if same else None
