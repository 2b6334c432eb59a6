"""What a statement changes, as the slice takes it: a cell that only shows something is not executed, one that changes is."""

from pathlib import Path

import pytest

from tests.intake.building import from_cells, kept, run

pytestmark = pytest.mark.usefixtures("in_process")

DEFINED = """
settings, others = {"lr": 1}, [{"lr": 2}]
class ViT:
    def lr(self):
        return settings["lr"]
def to_eval(x, model):
    model.eval()
    return x
def set_rate(of, rate, *, more=None):
    of["lr"] = rate
    return more
def set_both(rate, first, second):
    set_rate(second, rate=rate)
    return set_rate(first, rate)
def handed_on(*given, **named):
    set_rate(*given, **named)
"""


@pytest.mark.parametrize(
    "cell",
    [
        "shown = to_eval(settings['lr'], vit)",
        "shown = to_eval(settings, model)",
        "set_rate(others[0], settings)",
        "set_rate(rate=settings, of=others[0])",
        "set_rate(others[0], 3, more=settings)",
        "set_both(settings, others[0], others[0])",
        "for axis, picture in zip(axes, [settings, settings]):\n    axis.set_title(picture)",
        "for number, (axis, picture) in enumerate(zip(axes, settings)):\n    axis.set_title(number)",
        "for axis, (picture, label) in zip(axes, settings.items()):\n    to_eval(picture, axis)",
    ],
)
def test_what_only_reads_an_object_is_left_out(tmp_path: Path, cell: str) -> None:
    submission = from_cells(tmp_path, DEFINED, cell)
    assert run(submission)["ViT"]().lr() == 1
    assert cell not in kept(submission)


@pytest.mark.parametrize(
    "cell",
    [
        "set_rate(settings, 3)",
        "changed = set_rate(settings, 3)",
        "set_rate(rate=3, of=settings)",
        "set_both(3, settings, others[0])",
        "set_both(3, others[0], settings)",
        "set_both(3, second=settings, first=others[0])",
        "given = [3]\nset_rate(settings, *given)",
        "handed_on(settings, 3)",
        "for one, rate in zip([settings], (3,)):\n    one['lr'] = rate",
        "for number, (rate, one) in enumerate(zip((3,), [settings])):\n    set_rate(one, rate)",
        "for one in [settings, others[0]]:\n    set_rate(one, 3)",
        "pairs = [(settings, 3)]\nfor one, rate in zip(*zip(*pairs)):\n    settings['lr'] = rate",
    ],
)
def test_what_changes_an_object_is_kept(tmp_path: Path, cell: str) -> None:
    assert run(from_cells(tmp_path, DEFINED, cell))["ViT"]().lr() == 3


def test_a_name_of_pythons_own_is_its_own_again_below_del(tmp_path: Path) -> None:
    looked = "max = 0\nfor each in (1, 2):\n    max = each\nprint(max)\ndel max, missing"
    submission = from_cells(tmp_path, looked, "class ViT:\n    def most(self):\n        return max(3, 1)")
    assert run(submission)["ViT"]().most() == 3
