"""pytorch-metric-learning, imported by a thread while a worker computes: it takes seconds.

Two threads that import the same packages can see each other's half-made modules. So whoever needs the
package waits for the thread first.
"""

import contextlib
import importlib
import threading

NEEDED = "pytorch_metric_learning.utils.accuracy_calculator"
_lock = threading.Lock()
_threads: list[threading.Thread] = []


def begin() -> None:
    """Start the import, once for this process."""
    with _lock:
        if not _threads:
            _threads.append(threading.Thread(target=_import, daemon=True))
            _threads[0].start()


def wait() -> None:
    """Return when no import is under way."""
    with _lock:
        threads = list(_threads)
    for thread in threads:
        thread.join()


def _import() -> None:
    with contextlib.suppress(Exception):  # whoever needs it meets the reason
        importlib.import_module(NEEDED)
