"""``msgspec.convert``, for threads.

msgspec keeps what it learns of a class with the class, before it has learned all of it: a thread that converts to a class
while another one does so for the first time ends the process (0.22: segmentation fault). So the first use of a type is
one thread's alone.
"""

import threading
from collections.abc import Callable
from typing import Any

import msgspec

_first_uses = threading.Lock()
_known: set[Any] = set()


def convert(value: Any, kind: Any, dec_hook: Callable[[type, Any], Any] | None = None) -> Any:
    """Convert plain values to a type.

    Args:
        kind: the type, with all that it names.
        dec_hook: as ``msgspec.convert`` has it.

    Raises:
        msgspec.ValidationError: the value does not fit.
    """
    with _first_uses:
        if kind not in _known:
            msgspec.json.Decoder(kind)  # learns the whole of it
            _known.add(kind)
    return msgspec.convert(value, kind, dec_hook=dec_hook)
