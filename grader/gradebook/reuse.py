"""What an earlier grade came to, piece by piece, as far as a change of code cannot have touched it.

A piece is taken over when its code is the same and so is all that it read. An answer is the same, since it was kept; its
question is where the probe's code is the same, and what that read. A verdict that was judged again is the same where it
came out equal.
"""

from collections.abc import Collection
from typing import Any

from grader.gradebook.packing import KeptVerdicts
from grader.gradebook.sources import Reach
from grader.reading import Reading


class Reuse(Reading):
    """Notes of a judging that takes over what it can.

    Args:
        kept: what the earlier grade came to.
        reach: of what has changed since.
        not_wanted: probes that had no turn and have none now, since only some criteria are judged.
    """

    def __init__(self, kept: KeptVerdicts, reach: Reach, not_wanted: Collection[str] = ()) -> None:
        super().__init__()
        self.kept, self.reach, self.not_wanted = kept, reach, not_wanted
        self._before: dict[str, Any] = {
            **kept.results,
            **{f"criterion {ident}": verdict for ident, verdict in kept.verdicts.items()},
        }
        self._same: dict[str, bool] = {}

    def result(self, piece: str, work: Any) -> Any:
        if piece in self._before and self.reused(piece):
            self.results[piece] = self._before[piece]
            return self._before[piece]
        return super().result(piece, work)

    def reused(self, piece: str) -> bool:
        if not self._is_same(piece):
            return False
        self._take_over(piece)
        return True

    def _take_over(self, piece: str) -> None:
        """Note again what a piece read, and what the scores did that it read."""
        self.noted[piece] = self.kept.reads[piece]
        for read in self.noted[piece]:
            if read.startswith("score ") and read not in self.noted:
                self._take_over(read)

    def _is_same(self, piece: str) -> bool:
        """Whether a piece is made of the same code, and reads the same, as the kept one."""
        if piece not in self._same:
            self._same[piece] = False  # where it reads itself by way of others
            reads = self.kept.reads.get(piece)
            self._same[piece] = reads is not None and not self.reach.of(piece) and all(map(self._holds, reads))
        return self._same[piece]

    def _holds(self, read: str) -> bool:
        """Whether what a piece read is the same now."""
        kind, _, name = read.partition(" ")
        if kind == "criterion":  # it may have been judged again
            return read in self.results and self.results[read] == self._before.get(read)
        if kind == "module":
            return not self.reach.of_module(name)
        if kind == "question" and (name in self.not_wanted or read not in self.reach.holders):
            return True  # nothing was asked and nothing is, or it is the engine's own
        return self._is_same(read)
