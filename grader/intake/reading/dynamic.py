"""Imports that are written as calls, rewritten as import statements where the module lies in the submission.

``m = importlib.import_module("model")``, ``__import__``, ``spec_from_file_location`` with a path of another
machine, ``exec(open("model.py").read())``: notebooks in Colab import the modules beside them like that.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import PurePosixPath

from .names import dotted, walk
from .parsing import Statement, as_text, parsed, parses
from .sources import SHADOWED, ModuleFiles

MARKS = (
    "import_module", "__import__", "spec_from_file_location", "SourceFileLoader", "exec", ".py", "import *", "magic",
)  # fmt: skip


def plain_imports(statements: Iterable[Statement], sources: ModuleFiles) -> list[Statement]:
    """Rewrite imports that are calls; a statement without one stays as it is."""
    rewriting = Rewriting(sources)
    return [rewriting.rewritten(statement) for statement in statements]


class Rewriting(ast.NodeTransformer):
    """Puts import statements in the place of calls."""

    def __init__(self, sources: ModuleFiles) -> None:
        self.sources, self.changed = sources, False
        self.specs: dict[str, str] = {}  # by name of a variable that holds a spec, the module
        self.texts: dict[str, str] = {}  # by name of a variable, the text that it holds
        self.files: dict[str, str] = {}  # by name of a variable that holds a module's file or its text, the module

    def rewritten(self, statement: Statement) -> Statement:
        if isinstance(statement.node, ast.Assign) and isinstance(statement.node.value, ast.Constant):
            text = statement.node.value.value
            named = (target.id for target in statement.node.targets if isinstance(target, ast.Name))
            self.texts |= dict.fromkeys(named, text) if isinstance(text, str) else {}
        if not any(mark in statement.source for mark in MARKS) and not self.specs:
            return statement
        self.changed = False
        node = self.visit(parsed(statement.source).body[0])
        if not self.changed:
            return statement
        source = as_text(node)
        if not source:
            return statement
        return replace(statement, node=parsed(source).body[0], source=source)

    def visit_Assign(self, node: ast.Assign) -> ast.stmt:
        target = node.targets[0]
        if len(node.targets) > 1 or not isinstance(target, ast.Name):
            return node
        if self.is_call(node.value, "open", "read", "read_text", "compile") and (module := self.file_in(node.value)):
            self.files[target.id] = module
        if self.is_call(node.value, "spec_from_file_location") and (module := self.file_in(node.value)):
            self.specs[target.id] = module
            return node
        if module := self.imported(node.value):
            return self.put(ast.Import([ast.alias(module, target.id)]), node)
        if isinstance(node.value, ast.Attribute) and (module := self.imported(node.value.value)):
            return self.put(ast.ImportFrom(module, [ast.alias(node.value.attr, target.id)], 0), node)
        return node

    def visit_With(self, node: ast.With) -> ast.AST:
        """Leave the file of a module closed where its text is executed: ``with open("model.py") as f: exec(f.read())``."""
        opened = set()
        for item in node.items:
            module = self.file_in(item.context_expr) if self.is_call(item.context_expr, "open") else None
            if module and isinstance(item.optional_vars, ast.Name):
                self.files[item.optional_vars.id] = module
                opened.add(item.optional_vars.id)
        self.generic_visit(node)
        rest = [line for line in node.body if not opened & {n.id for n in ast.walk(line) if isinstance(n, ast.Name)}]
        executed = any(isinstance(line, ast.ImportFrom) for line in rest)
        return self.put(ast.If(ast.Constant(True), rest, []), node) if opened and executed else node

    def visit_Expr(self, node: ast.Expr) -> ast.stmt:
        call = node.value
        runs = self.is_call(call, "run_line_magic", "magic") and "run" in self.words_in(call)
        if (runs or self.is_call(call, "exec")) and (module := self.file_in(call)):
            return self.put(ast.ImportFrom(module, [ast.alias("*")], 0), node)
        if self.is_call(call, "exec") and isinstance(call, ast.Call) and self.is_here(call):
            if body := self.executed(call.args[0]):
                return self.put(ast.If(ast.Constant(True), body, []), node)
            if assigned := assignment_in(call.args[0]):
                return self.put(assigned, node)
        if self.is_namespace_update(call) and (module := self.file_in(call)):
            return self.put(ast.ImportFrom(module, [ast.alias("*")], 0), node)
        if self.is_call(call, "exec_module") and (dotted(call.func) or "").split(".")[0] in self.specs:  # type: ignore[attr-defined]
            return self.put(ast.Pass(), node)
        return node

    def is_here(self, call: ast.Call) -> bool:
        """Whether ``exec`` is given a text and no other namespace than this one."""
        return (
            bool(call.args) and not call.keywords and all(self.is_call(a, "globals", "locals") for a in call.args[1:])
        )

    def executed(self, argument: ast.expr) -> list[ast.stmt]:
        """Return the statements of ``exec("lr = 0.1")`` or ``exec(settings)``; none of any other text."""
        text = self.texts.get(argument.id) if isinstance(argument, ast.Name) else getattr(argument, "value", None)
        return parsed(text).body if isinstance(text, str) and parses(text) else []

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt:
        """Find what ``%run /content/drive/MyDrive/model.py`` became, without the folders of another machine."""
        parts = (node.module or "").split(".")
        if node.level or node.names[0].name != "*" or parts[0] in SHADOWED or self.sources.resolve(".".join(parts)):
            return node
        ends = (".".join(parts[first:]) for first in range(1, len(parts)))
        module = next((end for end in ends if self.sources.resolve(end)), None)
        return self.put(ast.ImportFrom(module, node.names, 0), node) if module else node

    def put(self, new: ast.stmt, old: ast.stmt) -> ast.stmt:
        self.changed = True
        return ast.copy_location(new, old)

    def imported(self, value: ast.expr) -> str | None:
        """Return the submission's module that an expression imports."""
        if not isinstance(value, ast.Call):
            return None
        if self.is_call(value, "import_module", "__import__"):
            name = value.args[0].value if value.args and isinstance(value.args[0], ast.Constant) else None
            return self.sources.resolve(name) if isinstance(name, str) else None
        if self.is_call(value, "module_from_spec") and value.args and isinstance(value.args[0], ast.Name):
            return self.specs.get(value.args[0].id)
        loads = self.is_call(value, "load_module") and isinstance(value.func, ast.Attribute)
        return self.file_in(value.func.value) if loads and isinstance(value.func, ast.Attribute) else None

    def file_in(self, value: ast.expr) -> str | None:
        """Return the submission's module whose file an expression names by a text that ends in .py, or by a variable."""
        files = [PurePosixPath(text.replace("\\", "/")).stem for text in self.words_in(value) if text.endswith(".py")]
        held = [self.files[part.id] for part in walk(value) if isinstance(part, ast.Name) and part.id in self.files]
        return self.sources.resolve(files[0]) if files else next(iter(held), None)

    def words_in(self, value: ast.expr) -> list[str]:
        """Return the texts in an expression; "run model.py" as two."""
        texts = [part.value for part in walk(value) if isinstance(part, ast.Constant) and isinstance(part.value, str)]
        return [word for text in texts for word in (text.split() if text.startswith("run ") else [text])]

    def is_namespace_update(self, call: ast.expr) -> bool:
        """Whether all names of a file become names here: ``globals().update(runpy.run_path("model.py"))``."""
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or len(call.args) != 1:
            return False
        here = self.is_call(call.func.value, "globals", "locals", "vars")
        return here and call.func.attr == "update" and self.is_call(call.args[0], "run_path")

    def is_call(self, value: ast.expr, *names: str) -> bool:
        return isinstance(value, ast.Call) and (dotted(value.func) or last_of(value.func)).split(".")[-1] in names


def assignment_in(text: ast.expr) -> ast.stmt | None:
    """Return ``globals()[name] = value`` for ``exec(f"{name} = {value}")`` in any way to put such a text together."""
    parts = list(parts_of(text))
    if len(parts) != 3 or not isinstance(parts[1], ast.Constant) or str(parts[1].value).strip() != "=":
        return None
    here = ast.Call(ast.Name("globals", ast.Load()), [], [])
    return ast.Assign([ast.Subscript(here, parts[0], ast.Store())], parts[2])


def parts_of(text: ast.expr) -> Iterator[ast.expr]:
    """Yield what a text is put together of, texts and values: an f-string, a sum, ``%`` or ``.format`` with a tuple of values."""
    if isinstance(text, ast.JoinedStr):
        yield from (part.value if isinstance(part, ast.FormattedValue) else part for part in text.values)
    elif isinstance(text, ast.BinOp) and isinstance(text.op, ast.Add):
        yield from (*parts_of(text.left), *parts_of(text.right))
    elif isinstance(text, ast.Call) and dotted(text.func) in ("str", "repr") and len(text.args) == 1:
        yield text.args[0]
    elif gaps := gaps_of(text):
        pieces, values = gaps
        for number, piece in enumerate(pieces):
            yield from ([ast.Constant(piece)] if piece else [])
            yield from values[number : number + 1]
    else:
        yield text


def gaps_of(text: ast.expr) -> tuple[list[str], list[ast.expr]] | None:
    """Return the pieces of ``"%s = %r" % (a, b)`` or ``"{} = {!r}".format(a, b)``, and the values between them."""
    if isinstance(text, ast.BinOp) and isinstance(text.op, ast.Mod) and isinstance(text.right, ast.Tuple):
        form, values = text.left, text.right.elts
    elif isinstance(text, ast.Call) and isinstance(text.func, ast.Attribute) and text.func.attr == "format":
        form, values = text.func.value, text.args
    else:
        return None
    words = str(form.value) if isinstance(form, ast.Constant) else ""
    gaps = {ast.BinOp: ("%s", "%r", "%d", "%f", "%g"), ast.Call: ("{}", "{!r}", "{0}", "{1}", "{0!r}", "{1!r}")}
    for gap in gaps[type(text)]:
        words = words.replace(gap, "\0")
    pieces = words.split("\0")
    return (pieces, values) if len(pieces) == len(values) + 1 else None


def last_of(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else ""
