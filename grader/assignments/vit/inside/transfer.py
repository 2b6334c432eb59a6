"""A student's ``train_classification_model_head_only``, run on a small set and watched."""

import contextlib
import copy
import inspect
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook
from torch.utils.data import DataLoader

from grader.assignments.vit.inside import standins
from grader.assignments.vit.inside.datasets import Garments
from grader.assignments.vit.inside.modules import seed_everything
from grader.sandbox.inside import describe
from grader.sandbox.inside.serve import op
from grader.sandbox.inside.student import Student

BATCH = 64
OWN_EPOCHS = 5  # what the notebook's ``num_epochs`` says meanwhile: another number than is asked for
KEPT = 400  # states of heads
CALLS = 4_000  # that are noted of one head
TRACKED = 4  # parameters whose gradients are followed

COORDINATES = 8  # of features, by which an item is known again: two lie 0.018 apart or more (0.0017 where D is 4)
SAME = 1e-3  # rounding in batches of another size was seen to change 3e-6

State = dict[str, Tensor]


@dataclass
class Items:
    """A data set's items by their features."""

    features: Tensor  # (n, D)

    def of(self, rows: Tensor | None) -> Tensor:
        """Which item each row is: (B, D) → (B,), -1 where it is none."""
        if rows is None or rows.shape[1:] != self.features.shape[1:]:
            return torch.full((1,), -1)
        few, known = (f.detach().cpu().double()[:, :COORDINATES] for f in (rows, self.features))
        items = torch.cdist(few, known).argmin(1)  # (B,); by way of a matrix product, which rounds
        return torch.where((few - known[items]).norm(dim=1) < SAME, items, -1)


@dataclass
class Head:
    """A ClassificationHead that was made meanwhile."""

    module: nn.Module
    initial: State
    items: Tensor  # (n,) how often each training item passed through it with gradient
    rows: int = 0  # how many rows did, training items as they are or not
    batches: list[int] = field(default_factory=list)  # training items in each of these batches
    states: list[State] = field(default_factory=list)  # while it was evaluated, and learned nothing
    version: tuple[int, ...] = ()
    calls: list[tuple[int, Tensor]] = field(default_factory=list)  # the state and the test items of an evaluation

    def learned(self, count: int, items: Tensor) -> None:
        """Note a batch that was learned from."""
        known = items[items >= 0]
        self.rows += count
        self.items += torch.bincount(known, minlength=len(self.items))
        if len(self.batches) < CALLS:
            self.batches.append(len(known))

    def evaluated(self, module: nn.Module, items: Tensor) -> None:
        """Note a batch that was predicted, and the weights that did so."""
        version = (id(module), *(p._version for p in module.parameters()))
        if version != self.version:
            if len(self.states) == KEPT:
                return
            state = _copied(module.state_dict())
            if _same(state, self.initial):
                return  # what it was before it learned is not the accuracy of what it became
            self.version = version
            self.states.append(state)
        if (items >= 0).all() and len(items) and len(self.calls) < CALLS:
            self.calls.append((len(self.states) - 1, items))


@dataclass
class Notes:
    """What was seen of one run."""

    train: Items
    test: Items
    heads: list[Head] = field(default_factory=list)
    steps: int = 0
    stale: int = 0  # backward passes that met the gradients of the step before
    optimized: set[int] = field(default_factory=set)  # ids of the parameters that optimizers hold
    last: dict[int, tuple[Tensor, Tensor]] = field(default_factory=dict)  # parameters and gradients of their last step
    stepping: bool = False
    closures: int = 0  # backward passes within the step under way: LBFGS looks at the same items again and again


@op("transfer.run")
def run(
    student: Student, train: dict[str, np.ndarray], test: dict[str, np.ndarray], vit: dict[str, np.ndarray],
    width: int, num_epochs: int, own_head: bool, own_vit: bool, seed: int,
) -> dict[str, Any]:  # fmt: skip
    """Train a head on a frozen stand-in; on the student's own ViT where their code asks for its parts.

    Args:
        train, test: {"images": (n, 28, 28), "labels": (n,)}.
        vit: state dict of the stand-in.
        width: its hidden size.
        num_epochs: how often to go through ``train``.
        own_head, own_vit: whether the student's classes are fit for use.
    """
    function = student.get("train_classification_model_head_only")
    stand_in = standins.filled(standins.ViT(hidden_size=width), vit)
    asked = (train, test, num_epochs, own_head, seed)
    try:
        return _attempt(student, function, stand_in, *asked)
    except NotImplementedError:
        raise
    except Exception as error:
        if own_vit:
            seed_everything(seed)
            with contextlib.suppress(Exception):
                return _attempt(student, function, student.get("ViT")(28, 14, 1, width, 1, 1), *asked)
        raise error


def _attempt(
    student: Student, function: Callable[..., Any], vit: nn.Module, train: dict[str, np.ndarray],
    test: dict[str, np.ndarray], num_epochs: int, own_head: bool, seed: int,
) -> dict[str, Any]:  # fmt: skip
    sets = Garments(train["images"], train["labels"]), Garments(test["images"], test["labels"], train=False)
    vit.eval()
    before, pristine = _copied(vit.state_dict()), copy.deepcopy(vit)
    train_features, test_features = _features(pristine, sets)
    notes = Notes(Items(train_features), Items(test_features))
    sets[0].reads.clear()
    make = student.get("ClassificationHead") if own_head else standins.ClassificationHead
    seed_everything(seed)
    with student.overriding(**_names(sets, make)), _noting(make, notes):
        result = function(vit, *sets, num_epochs)
    reads = len(sets[0].reads)
    state = {"before": _plain(before), "after": _plain(vit.state_dict())}
    facts: dict[str, Any] = {"vit": {**state, "buffers": [name for name, _ in vit.named_buffers()]}}
    facts |= {"steps": notes.steps, "stale": notes.stale, "result": _result(result)}
    if isinstance(result, dict):
        facts["head"] = _head(result.get("classifier"), notes, make, pristine, sets)
        if facts["head"] is not None:
            facts["head"]["reads"] = reads
    return facts


def _names(sets: tuple[Garments, Garments], make: Any) -> dict[str, Any]:
    return {
        "ClassificationHead": make, "ViT": standins.ViT,
        "batch_size": BATCH, "num_epochs": OWN_EPOCHS, "train_dataset": sets[0], "test_dataset": sets[1],
        "train_loader": DataLoader(sets[0], BATCH, shuffle=True), "test_loader": DataLoader(sets[1], BATCH),
    }  # fmt: skip


@contextlib.contextmanager
def _noting(make: Any, notes: Notes) -> Iterator[None]:
    """Follow heads from their making, optimizers' steps, and the gradients that a backward pass meets."""
    original, backward = make.__init__, torch.autograd.backward

    def init(self: nn.Module, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        if type(self) is make:
            _follow(self, notes)

    def noted_backward(*args: Any, **kwargs: Any) -> None:
        met = {key: (p, old) for key, (p, old) in notes.last.items() if _is(p.grad, old)}
        notes.closures += notes.stepping
        backward(*args, **kwargs)
        added = [key for key, (p, old) in met.items() if not _is(p.grad, old)]
        notes.stale += bool(added)
        for key in added:
            del notes.last[key]

    hooks = register_optimizer_step_pre_hook(_before_step(notes)), register_optimizer_step_post_hook(_after_step(notes))
    make.__init__, torch.autograd.backward = init, noted_backward
    try:
        yield
    finally:
        make.__init__, torch.autograd.backward = original, backward
        for hook in hooks:
            hook.remove()


def _is(gradient: Tensor | None, old: Tensor) -> bool:
    return gradient is not None and bool(gradient.any()) and torch.equal(gradient, old)


def _before_step(notes: Notes) -> Callable[..., None]:
    def hook(optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        notes.optimized.update(map(id, parameters))
        graded = [p for p in parameters if p.grad is not None][-TRACKED:]
        notes.last |= {id(p): (p, p.grad.clone()) for p in graded}
        notes.stepping, notes.closures = True, 0

    return hook


def _after_step(notes: Notes) -> Callable[..., None]:
    def hook(optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        notes.steps += 1
        notes.stepping = False

    return hook


def _follow(module: nn.Module, notes: Notes) -> None:
    head = Head(module, _copied(module.state_dict()), torch.zeros(len(notes.train.features), dtype=torch.int64))

    def learned(count: int, rows: Tensor | None) -> Callable[[Tensor], None]:
        def hook(gradient: Tensor) -> None:
            if not notes.stepping or notes.closures <= 1:
                head.learned(count, notes.train.of(rows))

        return hook

    def called(self: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        if not isinstance(output, Tensor) or not output.ndim:
            return
        rows = next((value for value in (*args, *kwargs.values()) if isinstance(value, Tensor)), None)
        if output.requires_grad:
            output.register_hook(learned(len(output), rows))
        tested = notes.test.of(rows)
        if not torch.is_grad_enabled() or (tested >= 0).all():
            head.evaluated(self, tested)

    module.register_forward_hook(called, with_kwargs=True)
    if len(notes.heads) < 20:
        notes.heads.append(head)


def _result(result: Any) -> dict[str, Any]:
    """What came back, models described by what they are."""
    if not isinstance(result, dict):
        items = len(result) if isinstance(result, tuple | list) else 0
        return {"type": type(result).__name__[:100], "items": items}
    acc = result.get("acc")
    with contextlib.suppress(Exception):
        acc = float(acc)  # type: ignore[arg-type]
    vit = _state(result.get("vit"))
    return {
        "type": "dict",
        "keys": [str(key)[:60] for key in list(result)[:20]],
        "acc": acc if isinstance(acc, float) else type(acc).__name__,
        "vit": None if vit is None else _plain(vit),
        "kinds": {name: type(result.get(name)).__name__[:60] for name in ("vit", "classifier")},
    }


def _state(model: Any) -> State | None:
    """The state dict of a model, or the state dict that was returned in its place."""
    if isinstance(model, nn.Module):
        model = model.state_dict()
    if not isinstance(model, dict) or not all(isinstance(v, Tensor) for v in model.values()):
        return None
    return {str(key): value for key, value in model.items()}


def _head(
    returned: Any, notes: Notes, make: Any, pristine: nn.Module, sets: tuple[Garments, Garments]
) -> dict[str, Any] | None:
    """What the returned classifier makes of the features, before and after, and while it was evaluated."""
    state = _state(returned)
    if state is None:
        return None
    note = _noted(returned, state, notes)
    facts: dict[str, Any] = {
        "optimized": note is not None and any(id(p) in notes.optimized for p in note.module.parameters()),
        "moved": None if note is None else not _same(note.initial, state),
        **_learning(note),
    }
    try:
        judge = copy.deepcopy(note.module) if note is not None else _made(make, _width(state))
        judge._forward_hooks.clear()
        train, test = _features(pristine, sets)
        facts["logits"] = {"train": _plain_logits(judge, state, train), "test": _plain_logits(judge, state, test)}
    except Exception as error:
        return {**facts, "raised": describe.exception(error)}
    if note is not None:
        facts["logits"]["initial"] = _plain_logits(judge, note.initial, train)
        evaluated = [_logits(judge, s, test).argmax(1) for s in note.states]
        facts["evaluated"] = describe.plain(torch.stack(evaluated).to(torch.uint8)) if evaluated else None
    return facts


def _noted(returned: Any, state: State, notes: Notes) -> Head | None:
    """The head that was returned, or whose state was; else the last one that learned."""
    mine = (h for h in notes.heads if h.module is returned or _same(h.module.state_dict(), state))
    once_mine = (h for h in notes.heads if any(_same(s, state) for s in h.states))
    learned = (h for h in reversed(notes.heads) if h.rows)
    return next(itertools.chain(mine, once_mine, learned, reversed(notes.heads)), None)


def _learning(note: Head | None) -> dict[str, Any]:
    """What a head learned from, and which test items it was asked about."""
    if note is None:
        return {"rows": 0, "items": None, "batches": None, "calls": None}
    items = [items for _, items in note.calls]
    calls = {
        "state": np.array([state for state, _ in note.calls], np.int64),
        "size": np.array([len(i) for i in items], np.int64),
        "item": describe.plain(torch.cat(items)) if items else np.zeros(0, np.int64),
    }
    batches = np.array(note.batches, np.int64)
    return {"rows": note.rows, "items": describe.plain(note.items), "batches": batches, "calls": calls}


def _plain_logits(head: nn.Module, state: State, features: Tensor) -> np.ndarray:
    return describe.plain(_logits(head, state, features))


def _made(make: Any, width: int) -> nn.Module:
    return make(width) if len(inspect.signature(make).parameters) == 1 else make(width, 10)


def _width(state: State) -> int:
    return next(int(value.shape[-1]) for value in state.values() if value.ndim == 2)


def _features(vit: nn.Module, sets: tuple[Garments, Garments]) -> list[Tensor]:
    with torch.no_grad():
        return [vit(data.inputs()) for data in sets]


def _logits(head: nn.Module, state: State, features: Tensor) -> Tensor:
    head.load_state_dict(state, strict=True)
    head.eval()
    with torch.no_grad():
        return head(features)


def _copied(state: dict[str, Any]) -> State:
    return {str(name): value.detach().clone() for name, value in state.items() if isinstance(value, Tensor)}


def _same(a: dict[str, Any], b: dict[str, Any]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name].cpu(), b[name].cpu()) for name in a)


def _plain(state: State) -> dict[str, np.ndarray]:
    return {name: describe.plain(value) for name, value in list(state.items())[:400] if isinstance(value, Tensor)}
