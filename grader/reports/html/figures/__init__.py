"""Pictures of what a submission does, drawn from kept observations alone; what was not observed is left out."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from markupsafe import Markup

from grader.assignment import Assignment
from grader.evidence import Evidence, Unanswered
from grader.firewall import Firewall
from grader.judging import Verdict


@dataclass(frozen=True)
class Figure:
    """One picture.

    Attributes:
        criterion: the id of the one that it belongs to.
        body: HTML or SVG of our own making.
        caption: what to see in it.
        wide: whether it takes the whole width.
    """

    id: str
    criterion: str
    title: str
    body: Markup
    caption: str
    wide: bool = False


FigureFunction = Callable[[Evidence], Figure | None]


def functions(assignment: Assignment) -> dict[str, FigureFunction]:
    """What draws each picture of an assignment, by name; its modules are imported here, since they need matplotlib."""
    return {name.rpartition(".")[2]: importlib.import_module(name).figure for name in assignment.figures}


def draw(evidence: Evidence, wall: Firewall | None = None) -> list[Figure]:
    """All pictures that the observations allow.

    A picture that nothing was observed for is left out, and so is one whose drawing raises.

    Args:
        wall: is told of those that raise.
    """
    wall = wall or Firewall()
    found = [
        wall.attempt(f"the picture {name}", partial(_drawn, figure, evidence), None)
        for name, figure in functions(evidence.assignment).items()
    ]
    return [figure for figure in found if figure is not None]


def _drawn(figure: FigureFunction, evidence: Evidence) -> Figure | None:
    """One picture; none where the answer that it shows is not there, or the submission is wrong there."""
    try:
        return figure(evidence)
    except (Verdict, Unanswered):  # the verdict on the same answer says what is wrong with it
        return None
