"""Tells endless streams of batches, made of one pass over a loader after another, from passes of an epoch each."""

import inspect
import sys
from types import FrameType


class Streams:
    """The passes of one run, by the code that begins them."""

    def __init__(self) -> None:
        self._generators: list[FrameType] = []  # that have begun a pass
        self._fetched_at: tuple[int, int] | None = None  # the frame and instruction that has just asked for a batch

    def goes_on(self, caller: FrameType) -> bool:
        """Whether a pass is begun for more batches: where another has just ended, or by the same generator.

        Args:
            caller: the code that begins it.
        """
        if isinstance(sys.exception(), StopIteration) or self._fetched_at == (id(caller), caller.f_lasti):
            return True  # the second: by itertools
        if not caller.f_code.co_flags & inspect.CO_GENERATOR:
            return False
        known = any(caller is other for other in self._generators)
        self._generators = [*self._generators[-63:], caller]
        return known

    def fetches(self, caller: FrameType) -> None:
        """Some code asks for a batch."""
        self._fetched_at = id(caller), caller.f_lasti

    def interrupt(self) -> None:
        """Something else has happened since, or a batch has come: the pass has not just ended."""
        self._fetched_at = None
