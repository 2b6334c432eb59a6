"""On a machine without a GPU: whatever asks for one gets the CPU, and is noted.

A submission that was made on another machine may name its device without asking whether there is one: a string,
a number, a ``torch.device``, a type of tensors, an event, a stream.
"""

import sys
import types
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

KINDS = ("cuda", "mps", "xpu", "hip")
hard_coded: list[str] = []  # what asked for a GPU without looking whether there is one


def asks_for_gpu(source: str) -> bool:
    """Whether code may ask for a GPU without looking whether there is one."""
    text = "".join(source.split())
    guards = ("torch.cuda.is_available()else", "cuda.is_available()else")  # behind '"cuda" if', without blanks
    for guard in guards:
        for kind in ("cuda", "cuda:0"):
            for quote in "\"'":
                text = text.replace(f"{quote}{kind}{quote}if{guard}", "")
    signs = (  # in a text without blanks: what a GPU is asked for by; numbers are found when modules or tensors move, too
        *(f"{quote}{kind}" for kind in KINDS for quote in "\"'"),
        ".cuda(", "torch.cuda.current_device", "device(0", "device(1", "device=0", "device=1", ".to(0", ".to(1",
    )  # fmt: skip
    return any(sign in text for sign in signs)


def install(asks_for_gpu: bool) -> None:
    """Put everything in place, before a student's first statement."""
    _modules_are_idle()
    _tensors_stay_here()
    load, set_default = torch.load, torch.set_default_device
    torch.load = lambda *args, **kwargs: load(*args, **{**kwargs, "map_location": "cpu"})
    torch.set_default_device = lambda device: set_default(_here(device, number=True))
    torch.Generator = _Generator  # type: ignore[assignment, misc]
    if asks_for_gpu:
        watch_every_call()


_watching: list["_OnCPU"] = []


def watch_every_call() -> None:
    """From now on devices are looked for in every torch call; it costs 2 microseconds a call."""
    if not _watching:
        _watching.append(_OnCPU())
        _watching[0].__enter__()


class Idle:
    """An event, a stream, a device of which there is none: whatever it is asked to do is done at once."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        return None

    def elapsed_time(self, other: Any) -> float:
        """Milliseconds between two events."""
        return 0.0

    def query(self) -> bool:
        """Whether all work is done."""
        return True

    def _nothing(self, *args: Any, **kwargs: Any) -> None:
        return None

    record = synchronize = wait = wait_event = wait_stream = _nothing

    def record_event(self, event: Any = None) -> Any:
        """The event, or a new one."""
        return Idle() if event is None else event

    def __enter__(self) -> "Idle":
        return self

    def __exit__(self, *args: Any) -> None:
        return None


PROPERTIES = types.SimpleNamespace(
    name="none", major=0, minor=0, total_memory=1, multi_processor_count=0, uuid="", is_integrated=False,
)  # fmt: skip
ANSWERS: dict[str, Callable[..., Any]] = {
    "get_device_properties": lambda *args, **kwargs: PROPERTIES,
    "get_device_capability": lambda *args, **kwargs: (0, 0),
    "get_device_name": lambda *args, **kwargs: "none",
    "mem_get_info": lambda *args, **kwargs: (1, 1),
    "memory_summary": lambda *args, **kwargs: "",
    "get_rng_state": lambda *args, **kwargs: torch.get_rng_state(),
    "initial_seed": lambda: torch.initial_seed(),
    "recommended_max_memory": lambda: 1,
    "current_stream": Idle, "default_stream": Idle, "stream": Idle, "Stream": Idle, "ExternalStream": Idle,
    "Event": Idle, "device": Idle, "device_of": Idle, "StreamContext": Idle,
    **dict.fromkeys(
        ("memory_allocated", "max_memory_allocated", "memory_reserved", "max_memory_reserved", "memory_cached",
         "max_memory_cached", "current_allocated_memory", "driver_allocated_memory", "utilization", "temperature"),
        lambda *args, **kwargs: 0,
    ),
}  # fmt: skip


def _modules_are_idle() -> None:
    """What prepares a GPU, waits for one or reads what one has saved does nothing more."""
    doing_nothing = (
        "synchronize", "set_device", "set_device_index", "set_device_idx", "reset_peak_memory_stats", "init", "empty_cache",
        "reset_max_memory_allocated", "reset_max_memory_cached", "reset_accumulated_memory_stats", "ipc_collect",
        "set_per_process_memory_fraction", "set_rng_state", "set_rng_state_all", "set_stream",
    )  # fmt: skip
    need_one = (  # of those, what raises an exception where there is no GPU
        "Stream", "ExternalStream", "Event", "synchronize", "set_device", "get_device_properties", "get_device_capability",
        "get_device_name", "mem_get_info",
    )  # fmt: skip
    for module in (torch.cuda, torch.mps, torch.xpu, torch.accelerator):
        for name, answer in {**dict.fromkeys(doing_nothing, _nothing), **ANSWERS}.items():
            if hasattr(module, name):
                what = f"{module.__name__}.{name}()"
                setattr(module, name, _noted(what, answer) if name in need_one else _of_its_own(answer))
    # torch.random.fork_rng asks the module of the device, which is the CPU here
    vars(torch.cpu).update(get_rng_state=ANSWERS["get_rng_state"], set_rng_state=lambda *args, **kwargs: None)
    torch.Event, torch.Stream = _of_its_own(Idle), _of_its_own(Idle)  # type: ignore[misc]
    for module in (torch.cuda, torch.xpu):
        setattr(module, "current_device", _noted("current_device()", _first))  # noqa: B010 not all of them have it
    for name in ("current_device_index", "current_device_idx"):
        setattr(torch.accelerator, name, _noted("torch.accelerator", _first))
    torch.accelerator.current_accelerator = _accelerator
    torch.accelerator.is_available, torch.accelerator.device_count = lambda: False, lambda: 0


def _of_its_own(answer: Callable[..., Any]) -> Any:
    """A function or a class like another: torch's compiler, where it is imported, wants no two names for one."""
    if isinstance(answer, type):
        return type(answer.__name__, (answer,), {})
    return lambda *args, **kwargs: answer(*args, **kwargs)


def _nothing(*args: Any, **kwargs: Any) -> None:
    return None


def _first(*args: Any, **kwargs: Any) -> int:
    """The number of the only device."""
    return 0


def _noted(what: str, answer: Callable[..., Any]) -> Any:
    """A function or a class like another, which is noted when it is called."""

    def asked(*args: Any, **kwargs: Any) -> Any:
        if not _asked_by_torch():
            _note(what)
        return answer(*args, **kwargs)

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        if not _asked_by_torch():
            _note(what)

    return type(answer.__name__, (answer,), {"__init__": init}) if isinstance(answer, type) else asked


def _asked_by_torch() -> bool:
    """Whether the function that called ours is one of torch's own."""
    return str(sys._getframe(2).f_globals.get("__name__", "")).partition(".")[0] == "torch"


def _accelerator(check_available: bool = False) -> Any:
    if check_available:
        return None
    if not _asked_by_torch():  # checkpointing asks, too
        _note("torch.accelerator.current_accelerator()")
    return torch.device("cpu")


class _CudaTensors(type):
    """The types ``torch.cuda.FloatTensor`` and its like, which make tensors of the CPU's type."""

    here: Any

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        _note(f"torch.cuda.{cls.__name__}")
        return cls.here(*args, **kwargs)

    def __instancecheck__(cls, value: Any) -> bool:
        return False


def _tensors_stay_here() -> None:
    """Tensors and modules stay where they are, whatever they are moved to."""
    tensor_types = ("Float", "Double", "Half", "BFloat16", "Byte", "Char", "Short", "Int", "Long", "Bool")
    for name in tensor_types:
        here = getattr(torch, f"{name}Tensor")
        setattr(torch.cuda, f"{name}Tensor", _CudaTensors(f"{name}Tensor", (), {"here": here}))
    convert, set_type = torch.Tensor.type, torch.set_default_tensor_type
    torch.Tensor.type = lambda tensor, *args, **kwargs: convert(tensor, *map(_type, args), **_types(kwargs))  # type: ignore[method-assign, assignment]
    torch.set_default_tensor_type = lambda kind: set_type(_type(kind))
    torch.Tensor.pin_memory = lambda tensor, *args, **kwargs: tensor  # type: ignore[method-assign]
    torch.Tensor.get_device = lambda tensor: -1  # type: ignore[method-assign, assignment, misc]
    torch.Tensor.record_stream = lambda tensor, stream: None  # type: ignore[method-assign, assignment, misc]
    torch.nn.Module.to = _moved(torch.nn.Module.to)  # type: ignore[method-assign]
    torch.Tensor.to = _moved(torch.Tensor.to)  # type: ignore[method-assign]
    for of_lazy_layers in (torch.nn.parameter.UninitializedParameter, torch.nn.parameter.UninitializedBuffer):
        known: list[Any] = of_lazy_layers._allowed_methods  # type: ignore[union-attr]
        of_lazy_layers._allowed_methods = [*known, torch.Tensor.to, torch.Tensor.get_device]  # type: ignore[union-attr]


def _types(kwargs: dict[str, Any]) -> dict[str, Any]:
    return {name: _type(value) for name, value in kwargs.items()}


def _type(kind: Any) -> Any:
    """The type of tensors to use instead of a GPU's."""
    if isinstance(kind, _CudaTensors):
        _note(f"torch.cuda.{kind.__name__}")
        return kind.here
    if isinstance(kind, str) and kind.startswith("torch.cuda."):
        _note(kind)
        return kind.replace("torch.cuda.", "torch.", 1)
    return kind


def _moved(original: Callable[..., Any]) -> Callable[..., Any]:
    """``to`` of tensors or modules, which takes a number as a device."""

    def to(self: Any, *args: Any, **kwargs: Any) -> Any:
        if args and _is_gpu(args[0], number=True):
            args = (_here(args[0], number=True), *args[1:])
        if _is_gpu(kwargs.get("device"), number=True):
            kwargs["device"] = _here(kwargs["device"], number=True)
        return original(self, *args, **kwargs)

    return to


class _Generator(torch.Generator):
    def __new__(cls, device: Any = "cpu") -> "_Generator":
        return super().__new__(cls, _here(device, number=True))  # type: ignore[call-arg]


def _here(device: Any, number: bool = False) -> Any:
    """The device to use instead of a GPU."""
    if not _is_gpu(device, number):
        return device
    kind = device.type if isinstance(device, torch.device) else str(device).partition(":")[0]
    _note(f"device {kind}" if number and type(device) is int else f'device "{kind}"')
    watch_every_call()  # whoever asks once may ask again, in any call
    return torch.device("cpu")


class _OnCPU(TorchFunctionMode):
    """``.cuda()`` and ``device="cuda"`` leave things where they are, in any torch call; notes that they were asked."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is torch.Tensor.cuda:
            _note(".cuda()")
            return args[0]
        if _any_gpu(args) or (kwargs and (_any_gpu(kwargs.values()) or type(kwargs.get("device")) is int)):
            if func is torch.device:
                return func(*args, **kwargs)
            args = tuple(_here(value) for value in args)
            kwargs = {key: _here(value, number=key == "device") for key, value in kwargs.items()}
        return func(*args, **kwargs)


def _any_gpu(values: Iterable[Any]) -> bool:
    device_types = (str, torch.device)
    for value in values:  # noqa: SIM110 every torch call comes by here, and a generator is slower
        if isinstance(value, device_types) and _is_gpu(value):
            return True
    return False


def _is_gpu(value: Any, number: bool = False) -> bool:
    if isinstance(value, torch.device):
        return value.type in KINDS
    if isinstance(value, str):
        return value.partition(":")[0] in KINDS
    return number and type(value) is int


def _note(what: str) -> None:
    max_noted = 100
    if what not in hard_coded and len(hard_coded) < max_noted:
        hard_coded.append(what)
