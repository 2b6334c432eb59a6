"""Definitions that register themselves: by a decorator, as a subclass, or by a name that is looked up as text."""

from pathlib import Path

import pytest

from tests.intake.building import from_cells, kept, run

pytestmark = pytest.mark.usefixtures("in_process")

BY_DECORATOR = {
    "a dict": "KNOWN = {}\ndef op(fn):\n    KNOWN[fn.__name__] = fn\n    return fn\nfind = KNOWN.get",
    "an attribute of a class": (
        "class Ops:\n    known = {}\ndef op(fn):\n    Ops.known[fn.__name__] = fn\n    return fn\n"
        "def find(name):\n    return Ops.known[name]"
    ),
    "a static method": (
        "class Ops:\n    known = {}\n    @staticmethod\n    def add(fn):\n        Ops.known[fn.__name__] = fn\n"
        "        return fn\nop = Ops.add\ndef find(name):\n    return Ops.known[name]"
    ),
    "an instance": (
        "class Ops:\n    def __init__(self):\n        self.known = {}\n    def __call__(self, fn):\n"
        "        self.known[fn.__name__] = fn\n        return fn\nop = Ops()\ndef find(name):\n    return op.known[name]"
    ),
    "a lambda": "KNOWN = {}\nop = lambda fn: KNOWN.setdefault(fn.__name__, fn)\ndef find(name):\n    return KNOWN[name]",
    "an attribute of the function": (
        "def op(fn):\n    op.known[fn.__name__] = fn\n    return fn\nop.known = {}\ndef find(name):\n"
        "    return op.known[name]"
    ),
    "a list": (
        "KNOWN = []\ndef op(fn):\n    KNOWN.append(fn)\n    return fn\ndef find(name):\n"
        "    return next(fn for fn in KNOWN if fn.__name__ == name)"
    ),
}
BY_CLASS = {
    "__init_subclass__": (
        "class Op:\n    known = {}\n    def __init_subclass__(cls, **more):\n        super().__init_subclass__(**more)\n"
        "        Op.known[cls.__name__] = cls\ndef find(name):\n    return Op.known[name]",
        "(Op)",
    ),
    "__init_subclass__ with a dict outside": (
        "KNOWN = {}\nclass Op:\n    def __init_subclass__(cls):\n        KNOWN[cls.__name__] = cls\n"
        "def find(name):\n    return KNOWN[name]",
        "(Op)",
    ),
    "a metaclass": (
        "class Meta(type):\n    known = {}\n    def __new__(mcs, name, bases, space):\n"
        "        mcs.known[name] = super().__new__(mcs, name, bases, space)\n        return mcs.known[name]\n"
        "def find(name):\n    return Meta.known[name]",
        "(metaclass=Meta)",
    ),
    "a class with a metaclass": (
        "KNOWN = {}\nclass Meta(type):\n    def __init__(cls, name, bases, space):\n        KNOWN[name] = cls\n"
        "class Op(metaclass=Meta):\n    pass\ndef find(name):\n    return KNOWN[name]",
        "(Op)",
    ),
    "__subclasses__": (
        "class Op:\n    pass\ndef find(name):\n    return {c.__name__: c for c in Op.__subclasses__()}[name]",
        "(Op)",
    ),
    "__subclasses__ of a class's own": (
        "class Op:\n    @classmethod\n    def find(cls, name):\n"
        "        return {c.__name__: c for c in cls.__subclasses__()}[name]\ndef find(name):\n    return Op.find(name)",
        "(Op)",
    ),
}
USED = "class ViT:\n    def found(self):\n        return find('flip')()"


@pytest.mark.parametrize("registry", BY_DECORATOR.values(), ids=BY_DECORATOR.keys())
def test_what_a_plain_decorator_registers_is_kept(tmp_path: Path, registry: str) -> None:
    submission = from_cells(tmp_path, registry, "@op\ndef flip():\n    return 7", "def blur():\n    return 8", USED)
    assert run(submission)["ViT"]().found() == 7
    assert "blur" not in kept(submission)


@pytest.mark.parametrize(("registry", "of"), BY_CLASS.values(), ids=BY_CLASS.keys())
def test_what_registers_as_a_subclass_is_kept(tmp_path: Path, registry: str, of: str) -> None:
    flip = f"class flip{of}:\n    def __call__(self):\n        return 7"
    submission = from_cells(
        tmp_path, registry, flip, "class blur:\n    pass", USED.replace("find('flip')", "find('flip')()")
    )
    assert run(submission)["ViT"]().found() == 7
    assert "blur" not in kept(submission)


def test_a_base_class_that_hears_of_its_subclasses_may_lie_in_a_module(tmp_path: Path) -> None:
    registry, of = BY_CLASS["__init_subclass__"]
    flip = f"from ops import Op, find\nclass flip{of}:\n    def __call__(self):\n        return 7"
    submission = from_cells(tmp_path, flip, USED.replace("find('flip')", "find('flip')()"), ops=registry)
    assert run(submission)["ViT"]().found() == 7


@pytest.mark.parametrize(
    "found",
    ["globals()[f'op_{name}']", "globals()['op_' + name]", "globals().get(f'op_{name}')", "eval(f'op_{name}')",
     "globals()[{'flip': 'op_flip'}[name]]", "getattr(sys.modules[__name__], f'op_{name}')"],
)  # fmt: skip
def test_a_name_that_is_looked_up_as_text_is_kept(tmp_path: Path, found: str) -> None:
    cells = (
        "import sys\ndef op_flip():\n    return 7",
        "def blur():\n    return 8",
        f"def find(name):\n    return {found}",
        USED,
    )
    submission = from_cells(tmp_path, *cells)
    assert "def op_flip" in kept(submission)
    assert "blur" not in kept(submission)


def test_a_decorator_that_registers_nothing_keeps_nothing(tmp_path: Path) -> None:
    timed = "import functools\ndef timed(fn):\n    @functools.wraps(fn)\n    def run(*args):\n        return fn(*args)\n    return run"
    submission = from_cells(
        tmp_path,
        timed,
        "@timed\ndef blur():\n    return 8",
        "@timed\ndef flip():\n    return 7",
        USED.replace("find('flip')", "flip"),
    )
    assert run(submission)["ViT"]().found() == 7
    assert "blur" not in kept(submission)
