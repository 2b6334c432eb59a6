"""Models that student code builds, followed from their making: how they are built, called and changed."""

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from grader.sandbox.inside import describe
from grader.torchkit.inside.batch_rows import BatchRows

Built = Callable[[nn.Module, tuple[Any, ...], dict[str, Any]], None]
Refused = Callable[[tuple[Any, ...], dict[str, Any], Exception], None]


@dataclass
class FollowedModel:
    """A model that student code built.

    Attributes:
        role: what it is in the training.
        before: its parameters before anything was learned, by name.
        calls: with gradient.
        shape: (C, H, W) of what it was last called with, where that were images.
        arguments: whole numbers that it was built with, by name.
        misfit: why its class does not take its arguments; "" where it does.
        is_copy: it was made by copying another one that is followed.
        copy_called: told of each call with gradient of a copy that was made of it; None where nobody listens.
        replaced: its parameters each time that a state was loaded over what it had learned, and its calls until then.
    """

    max_calls = 5_000  # that are counted

    role: str
    module: nn.Module
    before: dict[str, Tensor] | None = None
    calls: int = 0
    shape: tuple[int, ...] | None = None
    arguments: dict[str, int] = field(default_factory=dict)
    misfit: str = ""
    is_copy: bool = False
    copy_called: "Callable[[FollowedModel, tuple[Any, ...]], None] | None" = None
    replaced: list[tuple[int, dict[str, Tensor]]] = field(default_factory=list)

    def __deepcopy__(self, memo: dict[int, Any]) -> "FollowedModel":
        """The same note: the hooks of a copied model tell the note of the model that was copied."""
        return self

    def listen(self, rows: BatchRows, copy_called: "Callable[[FollowedModel, tuple[Any, ...]], None]") -> None:
        """Note the model's calls from now on, and the rows that go through it."""
        self.copy_called = copy_called
        self.module.register_forward_pre_hook(self.before_call)
        self.module.register_forward_pre_hook(rows.enter)
        self.module.register_forward_hook(rows.leave)
        self.module.register_forward_hook(self.after_call)
        self.module.register_load_state_dict_pre_hook(self.before_load)

    def __getstate__(self) -> dict[str, Any]:
        """What is pickled with a model that is saved as a whole, and its hooks with it."""
        return {**self.__dict__, "copy_called": None}

    def remember(self) -> None:
        """Keep the parameters as they are, the first time that lazy layers have theirs."""
        if self.before is None and not any(map(is_lazy, self.module.parameters())):
            self.before = {name: p.detach().clone() for name, p in self.module.named_parameters()}

    def before_call(self, called: nn.Module, inputs: tuple[Any, ...]) -> None:
        """Note a call; a forward pre-hook."""
        if called is not self.module and next(called.parameters(), None) is not next(self.module.parameters(), None):
            if torch.is_grad_enabled() and self.copy_called is not None:
                self.copy_called(
                    replace(self, module=called, before=None, calls=0, shape=None, is_copy=True, replaced=[]), inputs
                )
            return
        self.remember()
        if inputs and isinstance(inputs[0], Tensor) and inputs[0].dim() == 4:
            self.shape = tuple(inputs[0].shape[1:])
        if torch.is_grad_enabled() and called is self.module and self.calls < self.max_calls:
            self.calls += 1

    def after_call(self, called: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        """Keep the parameters that lazy layers got in this call; a forward hook."""
        self.remember()

    def before_load(self, module: nn.Module, *arguments: Any) -> None:
        """Note what a state is loaded over; a hook."""
        most = 2  # how often it happened at all is not asked
        if module is self.module and self.calls and len(self.replaced) < most:
            self.replaced.append((self.calls, {name: p.detach().clone() for name, p in module.named_parameters()}))

    def learned(self) -> dict[str, Tensor]:
        """Its parameters at the end of its training: before the best state was loaded again, where that was done after it."""
        after_all = len(self.replaced) == 1 and self.replaced[0][0] == self.calls
        return self.replaced[0][1] if after_all else dict(self.module.named_parameters())

    def facts(self, held: int) -> dict[str, Any]:
        """What is told of it.

        Args:
            held: how many of its parameters optimizers hold.
        """
        parameters, before, learned = dict(self.module.named_parameters()), self.before or {}, self.learned()
        return {
            "role": self.role,
            "calls": self.calls,
            "parameters": len(parameters),
            "held": held,
            "frozen": sum(not parameter.requires_grad for parameter in parameters.values()),
            "arguments": self.arguments,
            "misfit": self.misfit,
            "weights": [  # of as many as the answer's type lets pass
                {"before": _values(before[name]), "after": _values(parameter)}
                for name, parameter in list(learned.items())[:12]
                if name in before
            ],
        }


def _values(parameter: Tensor) -> Any:
    """Enough numbers of a parameter, from all over it, to see that it changed."""
    count, flat = 128, parameter.detach().flatten()
    return describe.plain(flat[:: max(1, len(flat) // count)][:count])


@contextlib.contextmanager
def following(
    cls: type[nn.Module], built: Built, refused: Refused = lambda args, kwargs, error: None
) -> Iterator[None]:
    """Tell of each object of a class that is made meanwhile.

    The class stays the same one, for its methods may call it by name; objects of subclasses are not told of.

    Args:
        built: told of the object, and of the arguments that it was built with.
        refused: told of arguments with which the constructor raised, and of what it raised.
    """
    original: Callable[..., None] = cls.__init__

    @functools.wraps(original)
    def init(self: nn.Module, *args: Any, **kwargs: Any) -> None:
        try:
            original(self, *args, **kwargs)
        except Exception as error:
            if type(self) is cls:
                refused(args, kwargs, error)
            raise
        if type(self) is cls:
            built(self, args, kwargs)

    cls.__init__ = init  # type: ignore[method-assign]
    try:
        yield
    finally:
        cls.__init__ = original  # type: ignore[method-assign]


def followed(cls: type[nn.Module], built: Built) -> type[nn.Module]:
    """A subclass of the same name that tells of each of its objects, as ``following`` does."""

    def init(self: nn.Module, *args: Any, **kwargs: Any) -> None:
        cls.__init__(self, *args, **kwargs)
        built(self, args, kwargs)

    return type(cls.__name__, (cls,), {"__init__": init})


def signature_of(made: Any) -> inspect.Signature | None:
    """The signature of a function, or of a class's constructor without ``self``; None where it has none."""
    try:
        return inspect.signature(made)
    except (TypeError, ValueError):
        return None


def named_arguments(
    wanted: Sequence[str], signature: inspect.Signature | None, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[dict[str, int], str]:
    """The whole numbers among ``bound_arguments``, and why the arguments do not fit the signature."""
    bound, misfit = bound_arguments(wanted, signature, args, kwargs)
    return whole_numbers(bound), misfit


def bound_arguments(
    wanted: Sequence[str], signature: inspect.Signature | None, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[dict[str, Any], str]:
    """What a model is built with, by name, and why that does not fit its signature; "" where it does.

    Args:
        wanted: the names that arguments should have, in order. A class with as many of other names tells them by
            their order, one with fewer or more tells none.
        signature: of its class; None for one that takes arguments of just these names.
    """
    if signature is None:
        signature = inspect.Signature([inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in wanted])
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError as error:
        return {}, str(error)[:200]
    bound.apply_defaults()
    order = list(bound.arguments)
    if not set(wanted) <= set(order) and len(order) == len(wanted):
        order = list(wanted)
    given = dict(zip(order, bound.arguments.values(), strict=True))
    return {name: value for name, value in given.items() if name in wanted}, ""


def whole_numbers(given: dict[str, Any]) -> dict[str, int]:
    """Those of some arguments that are whole numbers, truth values not among them."""
    return {name: value for name, value in given.items() if type(value) is int and abs(value) < 2**40}
