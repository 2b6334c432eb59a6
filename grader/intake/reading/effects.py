"""Which objects a statement changes without binding a name: ``cfg["lr"] = 1``, ``Net.forward = f``.

Judged from the text alone, on the safe side: an unknown call that stands as a statement changes what
it is called on and what it is handed, unless it is known only to show something.
"""

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field

from .names import (
    COMPREHENSIONS,
    FUNCTIONS,
    bases,
    bound,
    calls_of,
    declared_global,
    dotted,
    evaluated,
    last_name,
    parameters,
    plain_decorators,
    root,
)

CHANGING_METHODS = {
    "append", "extend", "insert", "pop", "remove", "clear", "update", "setdefault", "add", "discard", "sort",
    "reverse", "apply", "add_module", "register_module", "register_parameter", "register_buffer",
    "register_forward_hook", "register_forward_pre_hook", "requires_grad_",
}  # fmt: skip
SHOWING_FUNCTIONS = {
    "print", "pprint", "display", "len", "type", "help", "dir", "isinstance", "repr", "str", "list", "sum", "max",
    "min", "sorted", "summary", "info", "next", "iter", "show", "plot", "imshow", "head", "tail", "item", "size",
    "numpy", "tolist", "keys", "values", "items", "describe", "parameters", "named_parameters", "state_dict",
    "count", "index", "forward", "format", "join", "detach", "cpu", "hist", "flush", "children", "modules",
    "softmax", "cross_entropy", "relu", "getsource", "signature", "isfunction", "hasattr", "getattr", "id",
}  # fmt: skip


Places = frozenset[int | str]  # of arguments: their numbers and names; "*" where any may be meant


@dataclass
class KnownNames:
    """What the names of one file stand for, as far as imports and definitions tell."""

    libraries: dict[str, str] = field(default_factory=dict)  # "plt" -> "matplotlib.pyplot"
    modules: dict[str, str] = field(default_factory=dict)  # "m" -> "model", of the submission
    functions: set[str] = field(default_factory=set)  # defined anywhere in the submission
    changers: dict[str, Places] = field(default_factory=dict)  # those of them that change arguments, and which
    variables: set[str] = field(default_factory=set)  # bound otherwise than by an import, perhaps as well
    heard: dict[str, frozenset[str]] = field(default_factory=dict)  # by class, what a subclass of it changes

    def is_library(self, name: str | None) -> bool:
        return name in self.libraries and name not in self.variables

    def full(self, chain: str) -> str:
        """Return ``matplotlib.pyplot.show`` for ``plt.show``."""
        first, dot, rest = chain.partition(".")
        return self.libraries.get(first, first) + dot + rest


def changed(statement: ast.AST, known: KnownNames) -> set[str]:
    """Return the names at the bottom of what a statement changes when it is evaluated."""
    names: set[str] = set()
    aliases: dict[str, set[str]] = {}
    for node in evaluated(statement):
        names |= changed_here(node, known)
        for target, sources in loop_aliases(node):
            aliases.setdefault(target, set()).update(sources)
    return followed(names, aliases)


def changed_here(node: ast.AST, known: KnownNames) -> set[str]:
    if isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(node.ctx, (ast.Store, ast.Del)):
        return only(root(node))
    if isinstance(node, ast.Expr) and isinstance(node.value, (ast.Call, ast.Await)):
        call = node.value.value if isinstance(node.value, ast.Await) else node.value
        return touched(call, known) if isinstance(call, ast.Call) else set()
    if isinstance(node, ast.Call):
        return changed_by_name(node, known)
    if isinstance(node, (*FUNCTIONS, ast.ClassDef)):  # @d2l.add_to_class(Net) changes Net
        calls = [call for call in node.decorator_list if isinstance(call, ast.Call)]
        names = {name for call in calls for name in touched(call, known)}
        names |= {name for call in plain_decorators(node) for name in touched_by_decorator(call, known)}
        return names | (heard(node, known) if isinstance(node, ast.ClassDef) else patched(node))
    return set()


def patched(node: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    """Return the classes to which a decorator may add a method: ``@patch def forward(self: Net, x)``, as fastcore has it."""
    arguments = [*node.args.posonlyargs, *node.args.args][:1] if node.decorator_list else []
    annotations = [each.annotation for each in arguments if each.arg == "self" and each.annotation is not None]
    texts = {part.value for each in annotations for part in ast.walk(each) if isinstance(part, ast.Constant)}
    return {part.id for each in annotations for part in ast.walk(each) if isinstance(part, ast.Name)} | {
        text for text in texts if isinstance(text, str) and text.isidentifier()
    }


def touched_by_decorator(call: ast.Call, known: KnownNames) -> set[str]:
    """Return what a plain decorator may change: itself, too, where it is an object such as a registry."""
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    is_object = name in known.variables and name not in known.functions
    return touched(call, known) | (only(name) if is_object else set())


def heard(node: ast.ClassDef, known: KnownNames) -> set[str]:
    """Return what defining a class changes, as its bases or its metaclass hear of it."""
    names: set[str] = set()
    for base in bases(node):
        changes = known.heard.get(last_name(base), frozenset())
        names |= changes | only(root(base) if changes else None)
    return names


def changed_by_name(call: ast.Call, known: KnownNames) -> set[str]:
    """Return what a call inside an expression changes: only where its name says that it does."""
    function = call.func
    if isinstance(function, ast.Name):
        return changed_arguments(call, function.id, known)
    if not isinstance(function, ast.Attribute):
        return set()
    in_place = function.attr.endswith("_") and not function.attr.endswith("__")
    if known.is_library(root(function.value)):
        told = only(root(function.value)) if tells_settings(function, known) else set()
        return told | (arguments(call) if in_place else set())
    return only(root(function.value)) if in_place or function.attr in CHANGING_METHODS else set()


def touched(call: ast.Call, known: KnownNames) -> set[str]:
    """Return what a call that stands as a statement may change."""
    function = call.func
    if isinstance(function, ast.Name):
        return touched_by_function(function.id, call, known)
    if not isinstance(function, ast.Attribute) or function.attr in SHOWING_FUNCTIONS:
        return set()
    if known.full(dotted(function.value) or "") == "os.environ":  # set, or looked up, which changes nothing
        return only(root(function.value)) if function.attr in CHANGING_METHODS else set()
    base = root(function.value)
    if base in known.modules and base not in known.variables:
        return touched_by_function(function.attr, call, known)
    setters = ("set_", "manual_seed", "seed", "use_", "filterwarnings", "simplefilter", "append", "insert", "register")
    if known.is_library(base):
        is_setter = function.attr.startswith(setters) or tells_settings(function, known)
        return arguments(call) | (only(base) if is_setter else set())
    return only(base)


def tells_settings(function: ast.Attribute, known: KnownNames) -> bool:
    """Whether a call tells a library that logs runs the settings of one, which code may read back from it."""
    loggers = ("wandb", "swanlab", "trackio")  # as in sandbox/inside/shims.py, which stands for them
    tellers = ("init", "config.")
    return known.full(dotted(function) or "").startswith(tuple(f"{each}.{by}" for each in loggers for by in tellers))


def touched_by_function(name: str, call: ast.Call, known: KnownNames) -> set[str]:
    if name in SHOWING_FUNCTIONS:
        return set()
    if name not in known.functions and name in known.libraries:
        return arguments(call)
    return changed_arguments(call, name, known)


def changed_arguments(call: ast.Call, name: str, known: KnownNames) -> set[str]:
    """Return the names whose objects a function of Python's or of the submission changes, by what is known of it."""
    places = frozenset({"*"}) if name in ("setattr", "delattr") else known.changers.get(name, frozenset())
    unclear = any(isinstance(arg, ast.Starred) for arg in call.args)
    given: list[tuple[int | str | None, ast.expr]] = [*enumerate(call.args), *((k.arg, k.value) for k in call.keywords)]
    if "*" in places or (places and unclear):
        return arguments(call)
    return plain_names(arg for place, arg in given if place in places or (places and place is None))


def arguments(call: ast.Call) -> set[str]:
    """Return the names whose objects are handed over, bare or as ``model.head.weight``."""
    return plain_names([*call.args, *(keyword.value for keyword in call.keywords)])


def plain_names(given: Iterable[ast.expr]) -> set[str]:
    """Return the names that expressions are, or are parts of."""
    plain = [arg for arg in given if isinstance(arg, (ast.Name, ast.Attribute, ast.Subscript, ast.Starred))]
    return {name for arg in plain if (name := root(arg))}


def only(name: str | None) -> set[str]:
    return {name} if name else set()


def loop_aliases(node: ast.AST) -> list[tuple[str, set[str]]]:
    """Return, for each target of a loop, the names whose parts it takes one after another."""
    loops: list[ast.For | ast.AsyncFor | ast.comprehension] = []
    if isinstance(node, (ast.For, ast.AsyncFor)):
        loops = [node]
    elif isinstance(node, COMPREHENSIONS):
        loops = list(node.generators)  # type: ignore[attr-defined]
    pairs = [pair for loop in loops for pair in taken_from(loop.target, loop.iter)]
    return [(name, parts_of(source)) for target, source in pairs for name in bound([target])]


def taken_from(target: ast.expr, source: ast.expr) -> list[tuple[ast.expr, ast.expr]]:
    """Pair each target of a loop with what it takes its values from, through ``zip`` and ``enumerate``."""
    names = target.elts if isinstance(target, (ast.Tuple, ast.List)) else []
    rows = source.elts if isinstance(source, (ast.Tuple, ast.List)) else []
    if names and rows and all(isinstance(row, (ast.Tuple, ast.List)) and len(row.elts) == len(names) for row in rows):
        return [pair for row in rows for pair in zip(names, row.elts, strict=True)]  # type: ignore[attr-defined]
    if not isinstance(source, ast.Call) or any(isinstance(each, ast.Starred) for each in (*names, *source.args)):
        return [(target, source)]
    function = source.func.id if isinstance(source.func, ast.Name) else ""
    if function == "zip" and len(names) == len(source.args):
        return [pair for name, each in zip(names, source.args, strict=True) for pair in taken_from(name, each)]
    if function == "enumerate" and len(names) == 2 and source.args:
        return taken_from(names[1], source.args[0])
    return [(target, source)]


def parts_of(source: ast.expr) -> set[str]:
    """Return the names whose objects, or parts of them, a loop over something gives."""
    names = only(root(source)) | (arguments(source) if isinstance(source, ast.Call) else set())
    if isinstance(source, ast.Call):
        names |= {name for arg in source.args if isinstance(arg, ast.Call) and (name := root(arg))}
    for listed in (source, *(source.args if isinstance(source, ast.Call) else ())):
        if isinstance(listed, (ast.Tuple, ast.List, ast.Set)):  # for transform in (tfm_train, tfm_test)
            names |= {name for each in listed.elts if (name := root(each))}
    return names


def assigned_aliases(statement: ast.AST, known: KnownNames) -> dict[str, set[str]]:
    """Return ``{"t": {"tfm_train"}}`` for ``t = tfm_train.transforms``: changing one changes the other."""
    found: dict[str, set[str]] = {}
    for node in evaluated(statement):
        if isinstance(node, ast.Assign) and isinstance(node.value, (ast.Name, ast.Attribute, ast.Subscript)):
            source = root(node.value)
            if source and not known.is_library(source):
                for name in bound(node.targets):
                    found.setdefault(name, set()).add(source)
    return found


def followed(names: Iterable[str], aliases: dict[str, set[str]]) -> set[str]:
    """Add to names what they are other names of, to a fixpoint."""
    found, pending = set(names), list(names)
    while pending:
        new = aliases.get(pending.pop(), set()) - found
        found |= new
        pending += new
    return found


@dataclass(frozen=True)
class Effect:
    """What calling a function does to its module."""

    binds: frozenset[str]  # ``global lr; lr = 1``
    changes: frozenset[str]  # ``cfg["lr"] = 1``
    changes_arguments: Places

    def joined(self, other: "Effect | None") -> "Effect":
        """Return what this function and another do to the module; what they do to arguments is their own."""
        if other is None:
            return self
        return Effect(self.binds | other.binds, self.changes | other.changes, self.changes_arguments)


def effect(function: ast.FunctionDef | ast.AsyncFunctionDef, known: KnownNames) -> Effect:
    """Return what calling a function does, as far as its own body says."""
    outside = declared_global(function.body)
    names = changed_inside(function, known)
    local = (bound(function.body) - outside) | parameters(function)
    return Effect(frozenset(bound(function.body) & outside), frozenset(names - local), places(function.args, names))


def places(of: ast.arguments, names: set[str]) -> Places:
    """Return where a call hands over the parameters with some names."""
    in_order = [each.arg for each in (*of.posonlyargs, *of.args)]
    more = {each.arg for each in (of.vararg, of.kwarg) if each}
    named = names & {*in_order, *(each.arg for each in of.kwonlyargs)}
    return frozenset(
        {*named, *(in_order.index(name) for name in named if name in in_order), *("*" for _ in names & more)}
    )


def changed_inside(function: ast.FunctionDef | ast.AsyncFunctionDef, known: KnownNames) -> set[str]:
    """Return the names whose objects a body changes: a function inside it, too, is there to be called."""
    aliases: dict[str, set[str]] = {}
    names: set[str] = set()
    for statement in function.body:
        names |= changed(statement, known)
        aliases |= assigned_aliases(statement, known)
        for inner in (node for node in evaluated(statement) if isinstance(node, FUNCTIONS)):
            own = (bound(inner.body) - declared_global(inner.body)) | parameters(inner)
            names |= changed_inside(inner, known) - own
    return followed(names, aliases)


def called(node: ast.AST) -> set[str]:
    """Return the chains that a statement calls when it is evaluated."""
    calls = (call for part in evaluated(node) for call in calls_of(part))
    return {chain for call in calls if (chain := dotted(call.func))}
