"""The corpus: the reference with a fault seeded, or written another way. `grade.py audit` grades each.

A fault says which criteria it costs, and a word that the feedback must hold. A variant is right and costs nothing.
"""

from grader.audit import Case

BY_HAND = "    powers = shifted.exp()\n    return powers / powers.sum(dim=1, keepdim=True)\n"

FAULTS = [
    Case(
        "softmax.summed_over_rows",
        {"softmax.py": [("powers.sum(dim=1, keepdim=True)", "powers.sum(dim=0, keepdim=True)")]},
        costs=("softmax.values", "softmax.large"),
        word="dim=1",
    ),
    Case(
        "softmax.not_shifted",
        {"softmax.py": [("shifted = scores - scores.max(dim=1, keepdim=True).values", "shifted = scores")]},
        costs=("softmax.large",),
        word="overflows",
    ),
]
VARIANTS = [
    Case(
        "softmax.by_logarithm", {"softmax.py": [(BY_HAND, "    return (shifted - shifted.logsumexp(1, True)).exp()\n")]}
    ),
]


def load() -> tuple[list[Case], list[Case]]:
    """All faults and all correct variants."""
    return FAULTS, VARIANTS
