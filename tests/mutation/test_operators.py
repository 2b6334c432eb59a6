"""Each operator on a line of code: what it changes it into."""

import ast

import pytest

from grader.mutation.mutations import lines_of, mutations

LINES = {
    "constant": ("f(5)", {"f(6)", "f(4)"}),
    "zero": ("f(0)", {"f(1)", "f(-1)"}),
    "float": ("f(0.3)", {"f(0.0)", "f(-0.3)", "f(3.0)"}),
    "truth value": ("f(True)", {"f(False)"}),
    "word": ("f('all')", {"f('all_')"}),
    "operator": ("x = a + b", {"x = a - b", "x = a", "x = b"}),
    "division": ("x = a // b", {"x = a * b", "x = a / b", "x = a", "x = b"}),
    "augmented": ("a += b", {"a -= b", "a = b"}),
    "unary": ("x = not a", {"x = a"}),
    "equal": ("x = a == b", {"x = a != b"}),
    "less": ("x = a < b", {"x = a <= b", "x = a > b"}),
    "condition": ("x = a and b", {"x = a or b", "x = a", "x = b"}),
    "with dropped": ("with a:\n    b()", {"b()"}),
    "arguments": ("f(a, b)", {"f(b)", "f(a)", "f(b, a)"}),
    "keyword": ("f(a, k=b)", {"f(k=b)", "f(a)"}),
    "keywords": ("f(k=a, m=b)", {"f(m=b)", "f(k=a)", "f(k=b, m=a)"}),
    "call taken away": ("x = f(a)", {"x = a"}),
    "method taken away": ("x = f(a).b()", {"x = f(a)"}),
    "a class is not taken away": ("x = Linear(a)", {"x = Linear()"}),
    "mode": ("f(a).eval()", {"f(a).train()"}),
    "reduction": ("x = a.min()", {"x = a.max()"}),
    "gradient": ("with no_grad():\n    b()", {"with enable_grad():\n    b()"}),
    "element": ("x = [a, b]", {"x = [b]", "x = [a]"}),
    "dictionary": ("x = {a: b}", {"x = {}"}),
    "tuple turned": ("x = a, b", {"x = b, a"}),
    "target turned": ("a, b = x", {"b, a = x"}),
    "index": ("x = a[b]", {"x = a"}),
    "one of two indices": ("x = a[:, b]", {"x = a[b]", "x = a[:]"}),
    "slice": ("x = a[:b]", {"x = a[:]", "x = a[b:]"}),
    "default": ("def f(a=b):\n    return", {"def f(a):\n    return"}),
    "branch": ("if a:\n    b()", {"if True:\n    b()", "if False:\n    b()"}),
    "else": ("if a:\n    b()\nelse:\n    c()", {"if a:\n    b()"}),
    "expression": ("x = a if b else c", {"x = a", "x = c"}),
    "loop": ("for a in b:\n    c()", {"for a in b:\n    c()\n    break"}),
    "condition of a loop": ("x = [a for a in b if c]", {"x = [a for a in b]"}),
    "break": ("while a:\n    break", {"while a:\n    continue", "while False:\n    break"}),
}


def meant(text: str) -> str:
    return ast.unparse(ast.parse(text))


def mutants(text: str) -> set[str]:
    return {meant(mutation.text) for mutation in mutations(text, set(lines_of(text)))}


@pytest.mark.parametrize("name", LINES)
def test_an_operator_changes_one_thing(name: str) -> None:
    text, expected = LINES[name]
    assert {meant(each) for each in expected} <= mutants(text + "\n")


def test_a_call_of_a_class_is_no_argument() -> None:
    assert meant("x = a") not in mutants("x = Linear(a)\n")


def test_a_statement_left_out_is_one_line_of_the_diff() -> None:
    (mutation,) = [m for m in mutations("# why\na()\nb()\n", {3}) if m.what == "statement left out"]
    assert mutation.text == "# why\na()\npass\n" and mutation.changed() == ("b()", "pass")


def test_layout_and_comments_stay() -> None:
    text = "x = f(\n    a,  # first\n    b,\n)\n"
    assert "x = f(\n    b,  # first\n    a,\n)\n" in {m.text for m in mutations(text, {1})}


@pytest.mark.parametrize(
    "text",
    ["import a", "from a import b", '"""Text."""', 'raise E(f"{a} of 3")', "def f(a: int) -> str: ..."],
    ids=["import", "from", "docstring", "message", "annotation"],
)
def test_what_is_said_to_people_and_to_the_loader_is_not_changed(text: str) -> None:
    assert all("left out" in m.what or "replaced" in m.what for m in mutations(f"{text}\n", {1}))


def test_only_the_lines_asked_for_are_changed() -> None:
    assert {m.line for m in mutations("f(1)\nf(2)\nf(3)\n", {2})} == {2}


def test_each_meaning_comes_once() -> None:
    found = [meant(m.text) for m in mutations("x = a + a\n", {1})]
    assert len(found) == len(set(found))


def test_a_mutation_knows_the_function_it_is_in() -> None:
    text = "class A:\n    def f(self):\n        return 1\n\n\ny = 2\n"
    assert {(m.function, m.owner) for m in mutations(text, {3})} == {("A.f", "A")}
    assert {(m.function, m.owner) for m in mutations(text, {6})} == {("y", "y")}
