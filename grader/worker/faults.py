"""Where a worker was when it crashed or hung: its stack, on a descriptor of its own."""

import faulthandler
import os
import signal

DESCRIPTOR = 5
WHERE = signal.SIGUSR2  # asks a worker that gives no answer where it is


def report(descriptor: int = DESCRIPTOR) -> None:
    """Write the stack there when a signal kills this process, and when it is asked."""
    os.set_blocking(descriptor, False)  # nobody is made to wait for a reader
    faulthandler.enable(descriptor, all_threads=False)
    faulthandler.register(WHERE, descriptor, all_threads=False)
