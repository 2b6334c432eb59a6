"""Learning rates that student code sets itself, in the parameter groups of its optimizers, and where it does."""

import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any, ClassVar

from torch.optim import Optimizer

from grader.sandbox.inside import describe


class NotedGroup(dict[str, Any]):
    """A parameter group of an optimizer that tells who sets its learning rate.

    Attributes:
        told: what is told of the frame that does; None where nobody listens.
    """

    told: ClassVar[Callable[[FrameType], None] | None] = None

    def __setitem__(self, key: str, value: Any) -> None:
        if key == "lr" and NotedGroup.told is not None:
            NotedGroup.told(sys._getframe(1))
        super().__setitem__(key, value)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """As ``dict.update``."""
        if NotedGroup.told is not None and "lr" in dict(*args, **kwargs):
            NotedGroup.told(sys._getframe(1))
        super().update(*args, **kwargs)


class SetRates:
    """The places in student code that set a learning rate, and the functions that do the training."""

    def __init__(self) -> None:
        self._places: dict[CodeType, dict[str, Any]] = {}
        self._training: set[CodeType] = set()  # functions under way when a backward pass begins

    def patch(self) -> tuple[type, str, Callable[..., None]]:
        """What to put in place of ``Optimizer.add_param_group``, which every group comes through."""
        original = Optimizer.add_param_group

        def add(optimizer: Optimizer, group: dict[str, Any]) -> None:
            original(optimizer, group)
            optimizer.param_groups[-1] = NotedGroup(optimizer.param_groups[-1])

        return Optimizer, "add_param_group", add

    def note(self, frame: FrameType) -> None:
        """Note a place where a learning rate is set, if it lies in student code; schedulers of torch set it elsewhere."""
        place = describe.frame(frame)
        function: FrameType | None = frame
        comprehensions = ("<listcomp>", "<genexpr>", "<setcomp>", "<dictcomp>")  # frames of their own inside a function
        while function is not None and function.f_code.co_name in comprehensions:
            function = function.f_back
        max_places = 20
        if place is not None and function is not None and len(self._places) < max_places:
            self._places.setdefault(function.f_code, place)

    def backward(self) -> None:
        """Note the functions that are under way in a backward pass: they do the training."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            if describe.is_students(frame.f_code.co_filename):
                self._training.add(frame.f_code)
            frame = frame.f_back

    def facts(self) -> list[dict[str, Any]]:
        """Explained at ``grader.torchkit.training_answers.SetRate``."""
        return [{"frame": place, "in_training": code in self._training} for code, place in self._places.items()]
