"""Pictures of what a submission does, drawn from kept observations alone; what was not observed is left out."""

from collections.abc import Callable
from dataclasses import dataclass

from markupsafe import Markup

from grader.evidence import Evidence


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


Draw = Callable[[Evidence], Figure | None]


def draw(seen: Evidence) -> list[Figure]:
    """All pictures that the observations allow.

    Observations come from a process that ran student code: what is not of the form that a picture needs,
    however that shows, means no picture.
    """
    from grader.reports.html.figures import attention, augmentation, classes, log, map, neighbours, schedule

    found = []
    for topic in (augmentation, schedule, log, attention, map, neighbours, classes):
        try:
            found.append(topic.figure(seen))
        except Exception:  # the verdict on the same observation says what is wrong with it
            found.append(None)
    return [figure for figure in found if figure is not None]


CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
