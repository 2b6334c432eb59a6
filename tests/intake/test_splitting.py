"""A file of which a statement does not parse: that one is said, with what it defines, and all the others are kept."""

import time

import pytest

from grader.intake.reading.parsing import SourcePlace, statements

DOC = '"""Part 2.\n\nShapes: B batch\nimport is a word, x = 3 is none\n\n    an indented line\n"""\nimport torch\n'
AFTER = 'def g():\n    """Doc of g.\n\nShapes: (B, N)\n    """\n    return 1\n\nlr = 1\n'
KEPT = ["g", "lr"]  # of AFTER

# The text before AFTER, and what is said of it: line, names, the beginning of Python's words.
BROKEN = {
    "a bracket never closed": ("tfm = A(1, 2\n", [(1, ("tfm",), "'(' was never closed")]),
    "a bracket never closed, arguments in lines": ("tfm = A(\n    p=2,\n    q=3\n", [(1, ("tfm",), "'('")]),
    "a bracket never closed in a method": (
        "class A:\n    def f(self):\n        return (1\n\n    def h(self):\n        b = 1\n",
        [(3, ("A",), "'(' was never closed")],
    ),
    "a bracket never closed in an import": ("from a import (b,\n    c as d\n", [(1, ("b", "d"), "'('")]),
    "a dictionary": ('cfg = {\n"a": 1,\n"b": 2\n', [(1, ("cfg",), "'{' was never closed")]),
    "a number too long to be written out": (
        f"a = 0\nclass A(0x{'F' * 5000}): pass\n",
        [(2, ("A",), "Exceeds the limit (4300")],
    ),
    "a comma left out": ("tfm = A([\n    B()\n    C(),\n])\n", [(2, ("tfm",), "invalid syntax. Perhaps")]),
    "a bracket too many": ("tfm = A(1))\n", [(1, ("tfm",), "unmatched ')'")]),
    "the wrong bracket": ("tfm = [1, (2]\n", [(1, ("tfm",), "closing parenthesis ']' does not match")]),
    "a string in three quotes never closed": (
        'def f():\n    """Doc\n    return 1\n\n',
        [(2, ("f",), "unterminated triple-quoted string literal")],
    ),
    "a string never closed": ("name = 'abc\n", [(1, ("name",), "unterminated string literal")]),
    "a string with an apostrophe": ("name = 'it's'\n", [(1, ("name",), "unterminated string literal")]),
    "an f-string over lines": ('name = f"""\n{a!}\nimport this\n"""\n', [(4, ("name",), "f-string: invalid conv")]),
    "a fault beside code in a string": ('a = (1 2)\n"""\ndef f():\n  !\n"""\n', [(1, ("a",), "invalid syntax")]),
    "a colon left out": ("def f(\n    a,\n    b=2,\n)\n    loader = 3\n", [(4, ("f",), "expected ':'")]),
    "a colon left out after if": ("if a\n    b = 1\n", [(1, ("b",), "expected ':'")]),
    "a colon left out after else": ("if a:\n    b = 1\nelse\n    c = 1\n", [(3, ("b", "c"), "expected ':'")]),
    "a colon left out after except": ("try:\n    import a\nexcept E\n    a = None\n", [(3, ("a",), "expected ':'")]),
    "one = in a condition": ("if a = 3:\n    b = 1\n", [(1, ("b",), "invalid syntax. Maybe you meant '=='")]),
    "a decorator": ("@a(\n1)\n@b\ndef f(:\n    c = 1\n", [(4, ("f",), "invalid syntax")]),
    "a decorator never closed": ("@a(\ndef f():\n    c = 1\n", [(1, ("f",), "'(' was never closed")]),
    "a coroutine": ("async def f(:\n    c = 1\n", [(1, ("f",), "invalid syntax")]),
    "a line that ends in a backslash": ("a = 1 + \\\n\n", [(1, ("a",), "unexpected EOF")]),
    "lines joined by a backslash": ("a = 1 + \\\n    2 +\n", [(2, ("a",), "invalid syntax")]),
    "a wrong indent": ("def f():\n    a = 1\n   return a\n", [(3, ("f",), "unindent does not match")]),
    "tabs among spaces": ("def f():\n    a = 1\n\tb = 2\n    return a\n", [(3, ("f",), "inconsistent use of tabs")]),
    "no indent": ("def f():\na = 1\n    return a\n", [(2, ("f",), "expected an indented block after function")]),
    "no indent in the midst of a function": ("def f():\n    a = 1\nb = 2\n    return b\n", [(4, ("f",), "unexpected in")]),
    "print of Python 2": ('def f():\n    print "a"\n    a = 1\n', [(2, ("f",), "Missing parentheses")]),
    "text": ("Here is my answer\n", [(1, (), "invalid syntax")]),
    "a return without its indent": ("def f():\n    a = 1\nreturn a\n", [(3, ("f",), "'return' outside function")]),
    "a return without a function": ("return 1\n", [(1, (), "'return' outside function")]),
    "the marks of a merge": (
        "def f():\n<<<<<<< HEAD\n    a = 1\n=======\n    a = 2\n>>>>>>> b\n    return a\n",
        [(2, ("f",), "a mark of a merge conflict is left in")],
    ),
    "the marks of a merge in a class": (
        "class A:\n    def f(self):\n        a = 0\n<<<<<<< HEAD\n        a = 1\n=======\n>>>>>>> b\n        return a\n\n    def h(self):\n        return 2\n",
        [(4, ("A",), "a mark of a merge conflict is left in")],
    ),
    "the marks of a merge around a definition": (
        "<<<<<<< HEAD\nlr = 1\n=======\nlr = 2\n>>>>>>> b\n",
        [(1, (), "a mark of a merge"), (3, (), "a mark of a merge"), (5, (), "a mark of a merge")],
    ),
    "two of them": ("a = = 1\nb = (\n", [(1, ("a",), "invalid syntax"), (2, ("b",), "'(' was never closed")]),
}  # fmt: skip


def read(text: str) -> tuple[list[str], list[tuple[int, tuple[str, ...], str]]]:
    """Return the names that are bound, and what is said of the rest."""
    found, broken = statements(text, SourcePlace("a.py", None), is_main=False)
    names = [getattr(s.node, "name", None) or s.source.partition(" ")[0] for s in found]
    return names, [(each.line, each.names, each.message) for each in broken]


@pytest.mark.parametrize("text, said", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("before", ["", DOC], ids=["first", "after a docstring"])
def test_only_the_statement_at_fault_is_left_out(
    before: str, text: str, said: list[tuple[int, tuple[str, ...], str]]
) -> None:
    names, broken = read(before + text + AFTER)
    assert names[-2:] == KEPT and ("import" in names) == bool(before)
    lines = before.count("\n")
    assert [(line - lines, lost) for line, lost, _ in broken] == [(line, lost) for line, lost, _ in said]
    assert all(found[2].startswith(words) for found, (_, _, words) in zip(broken, said, strict=True))


BESIDE = {
    "an else without an if": ("a = 1\nelse:\n    b = 2\n", ["a"], (2, ("b",), "invalid syntax")),
    "a bracket in a line of its own": ("a = f(1)\n)\n", ["a"], (2, (), "unmatched ')'")),
    "an indent for no reason": ("a = 1\n    b = 2\n", ["a"], (2, ("b",), "unexpected indent")),
    "a docstring never closed": ('"""Doc\na = 1\nimport b\n', ["a", "import"], (1, (), "unterminated triple-quoted")),
    "a shell command after an open bracket": ("a = (1\n!pip install b\n", [], (1, ("a",), "'(' was never closed")),
}


@pytest.mark.parametrize("text, kept, said", BESIDE.values(), ids=BESIDE)
def test_what_stands_beside_the_fault_is_kept(
    text: str, kept: list[str], said: tuple[int, tuple[str, ...], str]
) -> None:
    names, broken = read(text + AFTER)
    assert names == kept + KEPT
    assert [(line, lost) for line, lost, _ in broken] == [said[:2]] and broken[0][2].startswith(said[2])


def test_lines_that_python_names_are_those_of_the_file() -> None:
    assert read(AFTER + "if a:\nb = 1\n")[1][0][2].endswith("after 'if' statement on line 9")


def test_what_a_module_does_when_it_is_executed_itself_loses_no_name() -> None:
    assert read('if __name__ == "__main__":\n    loader = (1\n' + AFTER) == (KEPT, [(2, (), "'(' was never closed")])


@pytest.mark.parametrize("line", ['"""', "(", "x = (", "@a", "def f(", "'''\n\"\"\"", "else:", "\\", "word word"])
def test_a_file_of_faults_is_read_in_bounded_time(line: str) -> None:
    start = time.process_time()
    statements("\n".join([line] * 20_000 + ["x"]), SourcePlace("a.py", None), is_main=False)
    assert time.process_time() - start < 20
