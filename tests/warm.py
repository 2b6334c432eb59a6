"""Workers for all graders that tests open in this process: their parent is started once, which takes longer than a grade.

Tests of the workers themselves make ``WarmWorkers`` of their own, and a ``grade.py`` that a test runs asks ``warm_commands.py``.
"""

import contextlib
import os
import sys
from collections.abc import Sequence
from typing import Any

from grader.sandbox.inside.plan import Limits
from grader.sandbox.outside import Workers, choose, choose_workers
from grader.sandbox.outside.warm import WarmWorkers
from tests import warm_commands


class LentWorkers(WarmWorkers):
    """Workers of a parent that outlives the grader which asked for them."""

    def __init__(self, kept: WarmWorkers, limits: Limits | None) -> None:
        self.__dict__.update(vars(kept))
        self.kept, self.limits, self.returned = kept, limits or Limits(), False

    def close(self) -> None:
        if self.zygote is not self.kept.zygote:  # it was lost meanwhile, and another was started
            self.zygote.close()
        self.returned = True


class Lending:
    """Stands for ``choose_workers`` and gives the same workers to all who ask for the same."""

    def __init__(self) -> None:
        self.kept: dict[Any, WarmWorkers] = {}
        self.lent: list[LentWorkers] = []

    def __call__(
        self, ops: list[str], shared: dict[str, str], unconfined: bool = False, hide: Sequence[str] = (),
        limits: Limits | None = None,
    ) -> Workers:  # fmt: skip
        key = (*ops, *shared.items(), unconfined, *hide, os.environ.get("GRADER_TIER"), *sys.path)
        self.lent = [each for each in self.lent if not each.returned]
        kept = self.kept.pop(key, None)
        if kept is None or kept.zygote.process.poll() is not None or choose._lacking():
            attack = "attacks/" in os.environ.get("PYTEST_CURRENT_TEST", "")
            with contextlib.nullcontext() if attack else warm_commands.asked():
                made = choose_workers(ops, shared, unconfined, hide, limits)
            if not isinstance(made, WarmWorkers):
                return made
            kept = made
        self._make_room()
        self.kept[key] = kept
        self.lent.append(LentWorkers(kept, limits))
        return self.lent[-1]

    def _make_room(self) -> None:
        """Keep one more at the most of those that nobody uses: each takes half a gigabyte."""
        unused = [key for key, kept in self.kept.items() if all(each.kept is not kept for each in self.lent)]
        for key in unused[:-1]:
            self.kept.pop(key).close()

    def close(self) -> None:
        for kept in self.kept.values():
            kept.close()
