"""What surrounds a submission in a worker: no GPU, no subprocesses of data loaders, no pictures, no Colab."""

import functools
import importlib.abc
import importlib.machinery
import inspect
import sys
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import threadpoolctl
import torch
import tqdm
from torch.utils.data import DataLoader

from grader.sandbox.inside import devices


def install(asks_for_gpu: bool) -> None:
    """Put everything in place, before a student's first statement."""
    absent = (
        "matplotlib", "seaborn", "plotly", "bokeh", "altair", "livelossplot", "IPython", "ipywidgets", "cv2", "umap",
        "torchsummary", "torchinfo", "torchview", "torchviz", "thop", "fvcore", "ptflops",
        "tensorboard", "tensorboardX", "torch.utils.tensorboard", "visdom", "wandb", "mlflow", "neptune", "comet_ml",
        "clearml", "alive_progress", "swanlab", "trackio", "dagshub", "google.colab", "kaggle_secrets", "dotenv",
    )  # fmt: skip
    sys.meta_path.insert(0, _Absent(absent))
    if_not_installed = ("pandas",)  # keeps tables of losses, and now and then counts labels
    sys.meta_path.append(_Absent(if_not_installed))
    _plain_progress_bars()
    _nothing_is_compiled()
    _full_precision()
    _libraries_keep_their_threads()
    _single_process_loaders()
    if not torch.cuda.is_available():
        devices.install(asks_for_gpu)


class Anything(types.ModuleType):
    """Stands for a library that only shows things: every attribute, call and item is another such object."""

    def __init__(self, name: str = "anything") -> None:
        super().__init__(name)
        self.__path__: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return Anything(f"{self.__name__}.{name}")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        made = RESULTS.get(self.__name__.rpartition(".")[2])
        if made is not None:
            return made(*args, **kwargs)
        result = Anything(f"{self.__name__}()")
        if "value" in kwargs:  # that a slider has from the start
            vars(result)["value"] = kwargs["value"]
        return result

    def __iter__(self) -> Any:
        return iter(())

    def __getitem__(self, key: Any) -> Any:
        return Anything(f"{self.__name__}[]")

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *args: Any) -> None:
        return None

    def __setitem__(self, key: Any, value: Any) -> None:
        return None

    def __bool__(self) -> bool:
        return False

    def __mro_entries__(self, bases: Any) -> tuple[type, ...]:
        return (object,)


class Settings(dict[str, Any]):
    """What a library that logs runs is told of one, and gives back: by item and by attribute."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return self[name]

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __missing__(self, name: str) -> Any:
        return Anything(name)

    def update(self, *given: Any, **options: Any) -> None:
        """Take in a dict, or the attributes of an object, as those of ``argparse``."""
        for each in given:
            super().update(each if isinstance(each, dict) else getattr(each, "__dict__", {}))


class RunLogger(Anything):
    """Stands for wandb and those like it: a run's settings are read back from what it was told."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.config = Settings()

    def init(self, *args: Any, config: Any = None, **options: Any) -> Any:
        """Begin a run."""
        if config is not None:
            self.config.update(config)
        return self


class ZMQInteractiveShell(Anything):
    """What ``get_ipython()`` gives in a notebook, whose code looks at its name for the machine that it is on."""


def of_notebooks() -> dict[str, Any]:
    """What every notebook has without an import, by name."""
    return {"display": lambda *shown, **options: None, "get_ipython": lambda: ZMQInteractiveShell("ipykernel.zmqshell")}


def _grid(nrows: int = 1, ncols: int = 1, *, squeeze: bool = True, **options: Any) -> Any:
    """The axes of ``subplots``: one, or an array of them."""
    axes = np.array([[Anything("axes") for _ in range(ncols)] for _ in range(nrows)], dtype=object)
    return (axes.item() if axes.size == 1 else axes.squeeze()) if squeeze else axes


# What is unpacked, as in ``fig, (left, right) = plt.subplots(1, 2)`` or ``line, = axes.plot(losses)``.
RESULTS: dict[str, Callable[..., Any]] = {
    "subplots": lambda *args, **options: (Anything("figure"), _grid(*args, **options)),
    "plot": lambda *args, **options: [Anything("line")],
    "connect": lambda settings=None, *args, **options: settings,  # of ClearML: gives back what it is told
    "alive_it": lambda items, *args, **options: items,
    "hist": lambda *args, **options: (Anything("counts"), Anything("bins"), Anything("patches")),
}


class _Absent(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Answers imports of libraries that only show things; first in line also of those that are installed."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        if fullname == "google" or any(fullname == n or fullname.startswith(n + ".") for n in self.names):
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return RunLogger(spec.name) if spec.name in ("wandb", "swanlab", "trackio") else Anything(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        return None


def _plain_progress_bars() -> None:
    """The bars of notebooks need widgets and a kernel; every bar is one of plain text, without a thread that watches."""
    tqdm.tqdm.monitor_interval = 0
    for name in ("tqdm.notebook", "tqdm.auto", "tqdm.autonotebook"):
        plain = types.ModuleType(name)
        plain.__dict__.update(tqdm=tqdm.tqdm, trange=tqdm.trange, tqdm_notebook=tqdm.tqdm, tnrange=tqdm.trange)
        sys.modules[name] = plain
        setattr(tqdm, name.removeprefix("tqdm."), plain)
    tqdm.tqdm_notebook, tqdm.tnrange = tqdm.tqdm, tqdm.trange


def _nothing_is_compiled() -> None:
    """Leave models as they are: starting a compiler is forbidden in the sandbox, and a script takes no hooks."""

    def compiled(model: Any = None, **options: Any) -> Any:
        return (lambda function: function) if model is None else model

    torch.compile = compiled
    torch.nn.Module.compile = lambda self, *args, **kwargs: None  # type: ignore[method-assign]
    for name in ("script", "trace", "freeze", "optimize_for_inference"):
        setattr(torch.jit, name, _but_for_models(getattr(torch.jit, name)))


def _but_for_models(change: Callable[..., Any]) -> Callable[..., Any]:
    """What gives models back as they are, and makes of all else what it did before."""

    @functools.wraps(change)
    def changed(given: Any, *args: Any, **kwargs: Any) -> Any:
        is_model = isinstance(given, torch.nn.Module) and not isinstance(given, torch.jit.ScriptModule)
        return given if is_model else change(given, *args, **kwargs)

    return changed


def _full_precision() -> None:
    """Switch autocast off, and leave the default dtype as it is: what is asked for here are exact values of float32.

    Either makes a training faster or finer, and changes no meaning.
    """
    torch.set_default_dtype = lambda dtype: None
    torch.set_default_tensor_type = lambda kind: None
    original = torch.autocast.__init__

    @functools.wraps(original)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        self._enabled = False

    torch.autocast.__init__ = init  # type: ignore[method-assign]


def _libraries_keep_their_threads() -> None:
    """scikit-learn looks for the libraries whose threads it limits in /proc, which workers do not see."""
    threadpoolctl.ThreadpoolController._load_libraries = lambda self: None


def _single_process_loaders() -> None:
    """A confined worker may not fork: every DataLoader works in the process itself."""
    original = DataLoader.__init__
    signature = inspect.signature(original)

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        given = signature.bind(self, *args, **kwargs).arguments
        process_arguments = (
            "num_workers", "prefetch_factor", "persistent_workers", "multiprocessing_context", "pin_memory",
            "pin_memory_device", "timeout", "worker_init_fn",
        )  # fmt: skip
        for name in process_arguments:
            given.pop(name, None)
        original(**given)

    DataLoader.__init__ = init  # type: ignore[method-assign]
