"""Stacks and exit statuses in words."""

import pytest

from grader.records import Raised
from grader.sandbox.outside import replies

STACK = """Fatal Python error: Segmentation fault

Current thread 0x00007f (most recent call first):
  File "/usr/lib/python3.11/ctypes/__init__.py", line 519 in string_at
  File "<submission>/vit_model.py", line 12 in forward
  File "<submission>/submission.ipynb#cell-4", line 3 in <module>
"""


@pytest.mark.parametrize(
    ("status", "stack", "words"),
    [
        (-11, STACK, "crashed (SIGSEGV) in forward (vit_model.py, line 12)"),
        (-11, STACK.replace("Segmentation fault", "Aborted"), "crashed (SIGABRT) in forward (vit_model.py, line 12)"),
        (-9, "", "crashed (SIGKILL)"),
        (-64, "", "crashed (SIGRTMAX)"),
        (-99, "", "crashed (signal 99)"),
        (3, "", "the process ended with exit status 3"),
        (-11, 'File "<submission>/a.ipynb#cell-4", line 3 in <module>', "crashed (SIGSEGV) (a.ipynb, cell 4, line 3)"),
    ],
)
def test_an_end_is_described(status: int, stack: str, words: str) -> None:
    assert replies.death(status, stack) == words


def test_a_place_cannot_smuggle_control_characters() -> None:
    assert replies.place('File "<submission>/\x1b[2Ja.py", line 1 in f') == " in f (a.py, line 1)"


@pytest.mark.parametrize(
    ("bases", "message", "lacked"),
    [
        (("MemoryError", "Exception"), "", True),
        (("RuntimeError",), "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried", True),
        (("ValueError",), "wrong shape", False),
    ],
)
def test_lack_of_memory_is_recognised(bases: tuple[str, ...], message: str, lacked: bool) -> None:
    assert replies.lacked_memory(Raised(bases[0], bases, message)) == lacked


FRAME = {"file": "a.py", "cell": None, "line": 3, "function": "f", "text": "raise ValueError"}
EXCEPTION = {"type": "ValueError", "bases": ["ValueError"], "message": "no", "frames": [FRAME]}


@pytest.mark.parametrize(
    "frames",
    [[FRAME | {"line": "3"}], [FRAME | {"extra": 1}], [FRAME | {"cell": True}], [FRAME] * 21, [3], None],
    ids=["a line as text", "one key more", "a truth value", "too many", "a number", "none"],
)
def test_a_loading_holds_exceptions_as_they_are_described_and_nothing_else(frames: object) -> None:
    assert replies.is_loading({"defined": ["f"], "problems": [EXCEPTION]})
    assert not replies.is_loading({"defined": ["f"], "problems": [EXCEPTION | {"frames": frames}]})
