"""By which criteria a changed helper is judged: those of the names that use it."""

from grader.mutation.users import users
from grader.records import Piece, Program


def program(*texts: str) -> Program:
    return Program(tuple(Piece(text, "m.py", None, 1) for text in texts), {}, {})


NET = "class Net:\n    def go(self, x):\n        return half(x)"


def test_a_name_that_is_judged_is_judged_alone() -> None:
    assert users(program(NET, "def train():\n    return Net()"), "Net", {"Net", "train"}) == {"Net"}


def test_a_helper_is_judged_by_what_uses_it() -> None:
    texts = ("rate = 2", "def half(x):\n    return x / rate", NET, "def other():\n    return 1")
    assert users(program(*texts), "rate", {"Net", "other"}) == {"Net"}


def test_what_uses_a_judged_name_is_not_judged_for_its_helper() -> None:
    texts = ("def half(x):\n    return x / 2", NET, "def train():\n    return Net()")
    assert users(program(*texts), "half", {"Net", "train"}) == {"Net"}


def test_helpers_that_use_each_other_come_to_an_end() -> None:
    texts = ("def a():\n    b()", "def b():\n    a()", "def train():\n    return a()")
    assert users(program(*texts), "b", {"train"}) == {"train"}


def test_what_nothing_uses_is_judged_by_no_criterion_of_its_own() -> None:
    assert users(program("spare = 1", NET), "spare", {"Net"}) == set()


def test_statements_of_modules_are_read_as_well() -> None:
    helper = Piece("import m\n\n\ndef half(x):\n    return m.width", "m.py", None, 1)
    assert users(Program((Piece(NET, "n.ipynb", 1, 1),), {"m": (helper,)}, {}), "m", {"Net"}) == {"Net"}
