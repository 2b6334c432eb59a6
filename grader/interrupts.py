"""Interrupts (Ctrl-C) that come while a module is imported: they are taken when that is done.

Inside an import they would be lost (C extensions such as NumPy's clear what is raised meanwhile) or arrive as another
exception (Python 3.11 raises a RuntimeError in place of one that comes while a dataclass is made).
"""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

IMPORTING = "<frozen importlib._bootstrap>"  # the file of Python's own frames during an import
SECONDS_FOR_IMPORT = 3.0  # that an import has to end before it is interrupted all the same
AGAIN = 0.02  # seconds until it is looked at again


@contextmanager
def after_imports() -> Iterator[None]:
    """In this block, take an interrupt as soon as no import is under way.

    Raises:
        KeyboardInterrupt: one came.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler or threading.current_thread() is not threading.main_thread():
        yield  # interrupts are ignored, or somebody else takes them
        return
    waiting: list[float] = []  # when the interrupt came that waits for an import, and was looked at again

    def take(number: int, frame: FrameType | None) -> None:
        waiting.append(time.monotonic())
        if not _importing(frame) or waiting[-1] - waiting[0] > SECONDS_FOR_IMPORT:
            waiting.clear()
            raise KeyboardInterrupt
        again = threading.Timer(AGAIN, signal.pthread_kill, (threading.main_thread().ident, number))
        again.daemon = True
        again.start()

    signal.signal(signal.SIGINT, take)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _importing(frame: FrameType | None) -> bool:
    while frame is not None and frame.f_code.co_filename != IMPORTING:
        frame = frame.f_back
    return frame is not None
