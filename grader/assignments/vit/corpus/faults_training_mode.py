"""Part 2: what is wrong in training mode alone, where a model is trained, and right in eval mode, where it is tested."""

from grader.assignments.vit.corpus.vit_lines import (
    ADD,
    ATTEND,
    BLOCK,
    HEADS,
    MODEL,
    NORM,
    PATCHES,
    POSITIONS,
    PROJECT,
    SUM_1,
    SUM_2,
    Edit,
    fault,
)
from grader.audit import Case

KEEP = "torch.rand(x.shape[0], device=x.device)"  # a number for each image
REGULAR_SUM = "        x = x + attended * {keep} if self.training else x + attended\n"


def in_training(name: str, *edits: Edit, costs: str, word: str = "in training mode") -> Case:
    return fault(f"{name}_in_training", costs, word, *edits)


FAULTS = [
    in_training(
        "patches_noise_of_another_shape",
        (PROJECT, PROJECT + "        x = x + torch.randn(7, 7, 7, 7) if self.training else x\n"),
        costs=PATCHES,
        word="must match the size",
    ),
    in_training(
        "patches_detached", (PROJECT, PROJECT + "        x = x.detach() if self.training else x\n"), costs=PATCHES
    ),
    in_training(
        "positions_left_out",
        (ADD, "        return x if self.training else x + self.positions\n"),
        costs=POSITIONS,
        word="reaches `positions`",
    ),
    in_training(
        "block_skips_all",
        (SUM_1, SUM_1.replace("attended", "(0 * attended if self.training else attended)")),
        costs=BLOCK,
        word="no gradient ever reaches",
    ),
    in_training(
        "block_stochastic_depth_over_features",
        (SUM_1, REGULAR_SUM.format(keep=f"({KEEP} > 0.1)")),
        costs=BLOCK,
        word="must match the size",
    ),
    in_training(
        "block_asserts_attention",
        (NORM + ATTEND, NORM + ATTEND + "        assert not self.training or len(x) > 100\n"),
        costs=BLOCK,
        word="AssertionError",
    ),
    in_training(
        "model_returns_early",
        (
            "        x = self.patch_embed(x)",
            "        assert not (self.training and len(x) < 64)\n        x = self.patch_embed(x)",
        ),
        costs=MODEL,
        word="AssertionError",
    ),
    in_training(
        "head_dropped",
        (
            "        return self.fc(x)\n        ### END SOLUTION\n\n",
            "        return self.fc(x) * (not self.training)\n        ### END SOLUTION\n\n",
        ),
        costs=HEADS,
    ),
]
VARIANTS = [
    Case(
        "vit.right_block_deep_stochastic_depth",
        {"vit_model.py": [
            (SUM_1, REGULAR_SUM.format(keep=f"({KEEP} > 0.6)[:, None, None] / 0.4")),
            (SUM_2, "        if self.training and torch.rand(1).item() < 0.7:\n            return x\n" + SUM_2),
        ]},
    ),
]  # fmt: skip
