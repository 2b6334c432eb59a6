"""Part 3: loops over the epochs that never end, and others that end by themselves."""

from dataclasses import replace

from grader.assignments.vit.corpus.contrastive_bodies import plain
from grader.assignments.vit.corpus.contrastive_lines import TRAINING
from grader.audit import Case

EACH = "    for epoch in range(num_epochs):\n"
BEST = "        best = evaluate_at_end_epoch(vit, head, calculator, best, subset, test_dataset)\n"


def looped(name: str, loop: str, after: str = "") -> Case:
    """The plain training with another loop over the epochs.

    Args:
        loop: the lines in the place of the loop's head.
        after: what follows the evaluation in each epoch.
    """
    case = plain(f"epochs_{name}")
    edit = case.edits["contrastive.py"]

    def edits(old: bytes) -> bytes:
        text = edit(old).decode()
        assert EACH in text and BEST in text
        return text.replace(EACH, loop).replace(BEST, BEST + after).encode()

    return replace(case, edits={"contrastive.py": edits})


def endless(name: str, loop: str, after: str = "") -> Case:
    case = looped(name, loop, after)
    return replace(case, id=case.id.replace("variant_", ""), costs=(TRAINING,), word="does not end")


FAULTS = [
    endless("never_counted", "    epoch = 0\n    while epoch < num_epochs:\n"),
    endless("without_a_break", "    epoch = -1\n    while True:\n        epoch += 1\n"),
    endless(
        "counted_anew",
        "    while True:\n        epoch = 0\n",
        "        epoch += 1\n        if epoch >= num_epochs: break\n",
    ),
    endless("counted_down", "    epoch = 0\n    while epoch < num_epochs:\n", "        epoch -= 1\n"),
    endless("of_itertools", "    import itertools\n    for epoch in itertools.count():\n"),
]
VARIANTS = [
    looped("counted_by_hand", "    epoch = 0\n    while epoch < num_epochs:\n", "        epoch += 1\n"),
    looped("with_a_break", "    epoch = 0\n    while True:\n", "        epoch += 1\n        if epoch >= num_epochs: break\n"),
    looped("until_it_is_good", "    while best < 0.95:\n"),
    looped("until_nothing_gets_better", "    waited, most = 0, 0.0\n    while waited < 12:\n",
           "        waited = 0 if best > most else waited + 1\n        most = max(best, most)\n"),
    looped("more_than_num_epochs", "    for epoch in range(3 * num_epochs + 70):\n"),
]  # fmt: skip
