"""What is never executed to get at a definition: training, downloads, plots, questions, shell commands.

A data set that the worker supplies may be built, and read: nothing is downloaded then.
"""

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from .effects import KnownNames
from .names import FUNCTIONS, calls_of, children, dotted, evaluated, walk
from .parsing import Statement, parsed, parses
from .written_files import files_in

DATA_SETS = {"FashionMNIST", "MNIST", "EMNIST", "KMNIST", "CIFAR10", "CIFAR100", "ImageFolder"}
SYSTEM_CALLS = (
    "subprocess.", "shutil.", "multiprocessing.", "os.system", "os.popen", "os.chdir", "os.exec", "os.kill",
    "os._exit", "os.abort", "os.fork", "os.remove", "os.unlink", "os.rmdir", "sys.exit", "time.sleep",
)  # fmt: skip
NEVER_EXECUTED = {  # functions of Python, and why
    "input": "it waits for somebody to type something",
    "breakpoint": "it waits for somebody to type something",
    "exit": "it ends the program",
    "quit": "it ends the program",
    "exec": "it executes a text",
    "reload": "it imports again",
}
COMMON_METHODS = {"train", "eval", "forward", "to", "fit"}  # methods that nn.Module and others have, too


@dataclass
class Rules:
    """The rules for one submission."""

    never_called: frozenset[str]
    provided: frozenset[str]
    written: set[str] = field(default_factory=set)  # small files that the submission writes
    tainted: set[str] = field(default_factory=set)  # functions that do what is forbidden when called
    tainted_methods: set[str] = field(default_factory=set)

    def reason(self, statement: ast.AST, known: KnownNames) -> str | None:
        """Return why a statement is never executed, as the end of a sentence, or None."""
        own_file = bool(files_in(evaluated(statement)) & self.written)
        for node in evaluated(statement):
            if isinstance(node, ast.Await):
                return "it waits for something"
            for call in calls_of(node):
                why = self.call_reason(call, known, own_file)
                if why and call not in answered_otherwise(statement):
                    return why
        return None

    def call_reason(self, call: ast.Call, known: KnownNames, own_file: bool = False) -> str | None:
        """Return why a call is never made.

        Args:
            own_file: its statement names a small file that the submission itself writes.
        """
        chain = dotted(call.func)
        last = call.func.attr if isinstance(call.func, ast.Attribute) else chain or ""
        full = known.full(chain) if chain else ""
        plotting = ("matplotlib.", "seaborn.", "plotly.", "bokeh.", "pylab.", "plt.", "sns.")
        if full.startswith(plotting) or (last == "show" and isinstance(call.func, ast.Attribute)):
            return "it plots"
        saving_and_loading = ("torch.load", "torch.save", "joblib.", "pickle.", "numpy.load", "numpy.save")
        if (full.startswith(saving_and_loading) and not own_file) or last == "load_state_dict":
            return "it loads or saves results"
        if last in self.tainted_methods and last != chain and self.is_own_method(last, call):
            return f"it trains, by {last}()"
        return self.lasting_reason(call, last, full, known)

    def is_own_method(self, last: str, call: ast.Call) -> bool:
        plain_mode = all(isinstance(arg, ast.Constant) for arg in call.args) and not call.keywords
        return last not in COMMON_METHODS or not plain_mode

    def lasting_reason(self, call: ast.Call, last: str, full: str, known: KnownNames) -> str | None:
        """Return why a call is forbidden also inside a function that would be called."""
        if last in self.never_called or (last in self.tainted and self.is_function_call(call, known)):
            return f"it trains or evaluates, by {last}()"
        if last == "backward" and isinstance(call.func, ast.Attribute):
            return "it trains"
        if {last, full.split(".")[-1]} & self.provided & DATA_SETS:
            return None
        if downloads(call, last, full):
            return "it downloads"
        if last in DATA_SETS:
            return "it reads the data set"
        if why := NEVER_EXECUTED.get("reload" if last == "reload" else full):
            return f"{why}, by {last}()"
        asks_notebook = isinstance(call.func, ast.Attribute) and called_by_name(call.func.value) == "get_ipython"
        if full.startswith(("google.colab", "IPython.")) or asks_notebook:
            return f"it needs a notebook, by {last}()"
        if full.startswith(SYSTEM_CALLS):
            return f"it reaches out of the program, by {full}()"
        return None

    def is_function_call(self, call: ast.Call, known: KnownNames) -> bool:
        if isinstance(call.func, ast.Name):
            return True
        return isinstance(call.func, ast.Attribute) and dotted(call.func.value) in known.modules

    def taint(self, files: Iterable[tuple[ast.Module, KnownNames]]) -> None:
        """Find the functions of a submission that train, download or reach out, through any others."""
        bodies = [(name, method, body, known) for tree, known in files for name, method, body in functions(tree)]
        growing = True
        while growing:
            size = len(self.tainted) + len(self.tainted_methods)
            for name, is_method, body, known in bodies:
                if any(self.body_reason(statement, known) for statement in body):
                    (self.tainted_methods if is_method else self.tainted).add(name)
            growing = len(self.tainted) + len(self.tainted_methods) > size

    def body_reason(self, statement: ast.AST, known: KnownNames) -> bool:
        for call in (call for node in evaluated(statement) for call in calls_of(node)):
            chain = dotted(call.func)
            last = call.func.attr if isinstance(call.func, ast.Attribute) else chain or ""
            forbidden = self.lasting_reason(call, last, known.full(chain) if chain else "", known)
            if forbidden and call not in answered_otherwise(statement):
                return True
            if last in self.tainted_methods - COMMON_METHODS and last != chain:
                return True
        return False


def answered_otherwise(statement: ast.AST) -> set[ast.AST]:
    """Find the calls of ``input`` that a ``try`` answers where nobody types: Python raises EOFError then.

    In a loop it might ask without end.
    """
    found: set[ast.AST] = set()
    pending = [(statement, False)]
    while pending:
        node, caught = pending.pop()
        if isinstance(node, ast.Try):
            pending += [(child, caught or catches_no_input(node)) for child in node.body]
            pending += [(child, caught) for child in children(node) if child not in node.body]
        elif not isinstance(node, (*FUNCTIONS, ast.ClassDef, ast.Lambda, ast.For, ast.While)):
            if caught and isinstance(node, ast.Call) and dotted(node.func) == "input":
                found.add(node)
            pending += [(child, caught) for child in children(node)]
    return found


def catches_no_input(node: ast.Try) -> bool:
    """Whether a ``try`` goes on where there is no input."""
    ends = {"EOFError", "Exception", "BaseException"}
    kinds = [each for handler in node.handlers for each in getattr(handler.type, "elts", [handler.type])]
    return any(kind is None or dotted(kind) in ends for kind in kinds)


def called_by_name(node: ast.AST) -> str | None:
    """Return ``f`` for ``f()``, and None for anything else."""
    return dotted(node.func) if isinstance(node, ast.Call) else None


def downloads(call: ast.Call, last: str, full: str) -> bool:
    """Whether a call downloads, by the last part of its name, the whole of it, or its argument ``download``."""
    libraries = ("requests.", "urllib.", "gdown.", "wget.", "kagglehub.", "kaggle.", "huggingface_hub.", "torch.hub.")
    functions = {
        "urlretrieve", "urlopen", "hf_hub_download", "snapshot_download", "from_pretrained", "load_dataset", "download",
        "download_url", "download_and_extract_archive", "load_state_dict_from_url",
    }  # fmt: skip
    if last in functions or full.startswith(libraries):
        return True
    for keyword in call.keywords:
        if keyword.arg == "download":
            return not (isinstance(keyword.value, ast.Constant) and not keyword.value.value)
    return False


def functions(tree: ast.AST) -> Iterator[tuple[str, bool, list[ast.AST]]]:
    """Yield every function as name, whether it is a method, and body; a class stands for its ``__init__``.

    An alias counts as a function, too: ``run = train_embedding_model`` and ``run = partial(...)``.
    """
    methods: set[ast.AST] = set()
    for node in walk(tree):
        if isinstance(node, ast.ClassDef):
            for method in (child for child in node.body if isinstance(child, FUNCTIONS)):
                methods.add(method)
                builds = method.name in ("__init__", "__new__", "__post_init__")
                yield (node.name, False, list(method.body)) if builds else (method.name, True, list(method.body))
        elif isinstance(node, FUNCTIONS) and node not in methods:
            yield node.name, False, list(node.body)
        elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            yield from alias(node.targets[0].id, node.value)


def alias(name: str, value: ast.expr) -> Iterator[tuple[str, bool, list[ast.AST]]]:
    if isinstance(value, ast.Lambda):
        yield name, False, [value.body]
    if isinstance(value, ast.Call) and (dotted(value.func) or "").split(".")[-1] == "partial" and value.args:
        value = value.args[0]
    if dotted(value):
        yield name, False, [ast.Call(func=value, args=[], keywords=[])]


def permitted(statement: Statement, reason: Callable[[ast.AST], str | None]) -> tuple[Statement | None, str | None]:
    """Return a statement without what is forbidden in it, or None, and why.

    Of an ``if``, ``try`` or ``with`` only the forbidden lines become ``pass``; other statements go whole.
    """
    why = reason(statement.node)
    if not why:
        return statement, None
    whole = parsed(statement.source).body[0]
    lines = list(forbidden_lines(whole, reason))
    if whole in lines:
        return None, why
    source = blanked(statement.source, lines)
    if not parses(source):
        return None, why
    return replace(statement, source=source, node=parsed(source).body[0]), why


def forbidden_lines(node: ast.stmt, reason: Callable[[ast.AST], str | None]) -> Iterator[ast.stmt]:
    if not reason(node):
        return
    blocks = blocks_of(node)
    if not blocks or any(reason(part) for part in heads(node)):
        yield node
        return
    for child in blocks:
        yield from forbidden_lines(child, reason)


def blocks_of(node: ast.stmt) -> list[ast.stmt]:
    if isinstance(node, ast.If):
        return node.body + node.orelse
    if isinstance(node, (ast.With, ast.AsyncWith)):
        return node.body
    if isinstance(node, (ast.Try, ast.TryStar)):
        return node.body + [s for handler in node.handlers for s in handler.body] + node.orelse + node.finalbody
    return []


def heads(node: ast.stmt) -> list[ast.AST]:
    if isinstance(node, ast.If):
        return [node.test]
    return list(node.items) if isinstance(node, (ast.With, ast.AsyncWith)) else []


def blanked(source: str, nodes: list[ast.stmt]) -> str:
    """Put ``pass`` where these statements stand, and leave every other line where it is."""
    lines = [line.encode() for line in source.split("\n")]
    for node in sorted(nodes, key=lambda node: (node.lineno, node.col_offset), reverse=True):
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))]) - 1
        last = (node.end_lineno or node.lineno) - 1
        rest = lines[last][node.end_col_offset :]
        lines[first : last + 1] = [lines[first][: node.col_offset] + b"pass" + rest, *[b""] * (last - first)]
    return b"\n".join(lines).decode()
