"""Where a worker was when it crashed or hung, and that it gets further, on a descriptor of its own."""

import contextlib
import faulthandler
import os
import signal
import time

STACK_SIGNAL = getattr(signal, "SIGUSR2", None)  # asks a worker that gives no answer where it is; Windows has none
PROGRESS_SIGN = b"step\n"  # the sign that a request gets further
_sign = {"descriptor": -1, "last": 0.0}  # where signs are written, nowhere but in a worker; when the last one was


def report(descriptor: int = 5) -> None:
    """Write the stack there when a signal kills this process, and when it is asked."""
    _sign["descriptor"] = descriptor
    faulthandler.enable(descriptor, all_threads=False)
    if STACK_SIGNAL is not None:
        faulthandler.register(STACK_SIGNAL, descriptor, all_threads=False)


def step() -> None:
    """Give a sign that the request gets further: a call, a batch or a statement is done."""
    now = time.monotonic()
    seconds_between_signs = 0.1  # seconds between two signs
    if _sign["descriptor"] >= 0 and now - _sign["last"] >= seconds_between_signs:
        _sign["last"] = now
        with contextlib.suppress(OSError):
            os.write(int(_sign["descriptor"]), PROGRESS_SIGN)
