"""Libraries that are imported when somebody needs them.

Without this module all imports take 4.2 to 4.6 s of processor time instead of 2.0 to 2.2, and 806 MB instead of 575
(three runs each with torch 2.15.0 on 2 cores): 2 s of every grade whose workers are not warm yet.

torchvision and every optimizer import torch's compiler only to tell it what to leave alone, and
pytorch-metric-learning imports the statistics of SciPy and the metrics of scikit-learn for functions that hardly
anybody calls. Stand-ins take that; who asks for anything else gets the library itself.
"""

import contextlib
import importlib
import importlib.abc
import importlib.machinery
import sys
import types
from collections.abc import Callable, Iterable, Iterator
from typing import Any

MARKS = {  # what stands in a program that needs the library
    "torch._dynamo": (
        "torch._dynamo", "torch.func", "functorch", "torch.utils.checkpoint", "torch.utils import checkpoint",
    ),
    "scipy.stats": ("scipy", "sklearn"),
    "sklearn.metrics": ("sklearn",),
}  # fmt: skip


def sources(program: dict[str, Any]) -> list[str]:
    """Of all statements that a program executes, in the form of ``Student``."""
    pieces = [program["main"], *program["modules"].values()]
    return [piece["source"] for each in pieces for piece in each]


def needed(sources: Iterable[str]) -> list[str]:
    """The libraries that a program needs."""
    text = "\n".join(sources)
    text = text.replace("torch.functional", "")  # a part of torch itself
    found = [library for library, marks in MARKS.items() if any(mark in text for mark in marks)]
    return [*found, *(["sklearn.metrics"] if "sklearn.metrics" not in found and _computes_all(text) else [])]


def _computes_all(text: str) -> bool:
    """Whether a calculator of accuracies is made without saying which, so that it computes all that it can."""
    call = "AccuracyCalculator("
    arguments = (part.replace("(", ")").partition(")")[0] for part in text.split(call)[1:])
    return any("include" not in each for each in arguments)


def leave_out() -> None:
    """Put the stand-ins in place, before anything that imports the libraries."""
    metrics = ("adjusted_mutual_info_score", "normalized_mutual_info_score")
    modules: dict[str, dict[str, Any]] = {
        "torch._dynamo": {"disable": _same, "graph_break": _nothing},
        "torch._dynamo.utils": {"is_compile_supported": lambda device: False},
        "scipy.stats": {},
        "sklearn.metrics": {name: _late("sklearn.metrics", name) for name in metrics},
    }
    for name, known in modules.items():
        if name not in sys.modules:
            sys.modules[name] = _StandIn(name, known)
    sys.meta_path.insert(0, _Inside())


def bring(libraries: Iterable[str]) -> None:
    """Import libraries for good; of one that fails the submission's own import tells."""
    for library in MARKS:
        if library in libraries and isinstance(sys.modules.get(library), _StandIn):
            with contextlib.suppress(Exception), _hidden("pandas"):  # scikit-learn looks whether it is there
                _real(library)


class _StandIn(types.ModuleType):
    """A module that knows a few names, and gives way to the real one when it is asked for another."""

    def __init__(self, name: str, known: dict[str, Any]) -> None:
        super().__init__(name)
        self.__dict__.update(known, __path__=[])

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(_real(self.__name__), name)


class _Inside(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds a module inside a library that is left out, whose own import may have loaded it by then."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        library = _library(fullname)
        if library == fullname or not isinstance(sys.modules.get(library), _StandIn):
            return None
        real = _real(library)
        if fullname in sys.modules:
            return importlib.machinery.ModuleSpec(fullname, self)
        return importlib.machinery.PathFinder.find_spec(fullname, real.__path__, target)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return sys.modules[spec.name]

    def exec_module(self, module: types.ModuleType) -> None:
        return None


@contextlib.contextmanager
def _hidden(module: str) -> Iterator[None]:
    """Let a module seem not to be installed; who imports it later gets it."""
    if module not in sys.modules:
        sys.modules[module] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if sys.modules[module] is None:
            del sys.modules[module]


def _library(module: str) -> str:
    """The library that a module belongs to, or the module itself."""
    return next((library for library in MARKS if f"{module}.".startswith(f"{library}.")), module)


def _real(module: str) -> types.ModuleType:
    """A module instead of its stand-in."""
    library = _library(module)
    for name in [name for name, each in sys.modules.items() if isinstance(each, _StandIn)]:
        if _library(name) == library:
            del sys.modules[name]
    importlib.import_module(library)
    return importlib.import_module(module)


def _late(module: str, name: str) -> Callable[..., Any]:
    """A function whose module is imported when it is called."""
    return lambda *args, **options: getattr(_real(module), name)(*args, **options)


def _same(function: Callable[..., Any] | None = None, *args: Any, **options: Any) -> Any:
    """What is never compiled needs no exception from it."""
    return (lambda decorated: decorated) if function is None else function


def _nothing(*args: Any, **options: Any) -> None:
    return None
