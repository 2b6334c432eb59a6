"""What a checkpoint holds, how its state dicts fit the modules that a submission builds, and why not, in words.

``grader.torchkit.inside.state_dicts`` describes checkpoints beside student code.
"""

import math
from collections.abc import Callable, Sequence
from typing import Annotated, Literal

from msgspec import Meta

from grader.judging import Fail
from grader.observations import Count, Name, RaisedResult, Record, Sizes, Text
from grader.raised import raised_hint, raised_words
from grader.records import Raised
from grader.sentences import type_words

MAX_LISTED = 60  # keys of a checkpoint, and tensors of one kind that do not fit, that are told
Words = tuple[str, str]  # a message and a hint


class Opened(Record, frozen=True, tag_field="kind", tag="opened"):
    """A checkpoint that is a dict.

    Attributes:
        types: the type of what stands under each key.
        recorded: the score that it records; None where it records none. May be NaN.
    """

    types: Annotated[dict[Name, Name], Meta(max_length=MAX_LISTED)]
    recorded: float | None


class NoDict(Record, frozen=True, tag_field="kind", tag="no_dict"):
    """A checkpoint that holds something else than a dict, by its type."""

    type: Name


class Unopened(Record, frozen=True, tag_field="kind", tag="unopened"):
    """A file that could not be opened as a checkpoint.

    Attributes:
        exception: what torch.load raised.
        format: what the file is by its first bytes; half a zip has no end.
        size: of the file, in bytes.
        beginning: the first characters of a text.
    """

    exception: Raised
    format: Literal["empty", "zip", "half a zip", "old torch", "pickle", "text", "other"]
    size: Count
    beginning: Name


Opening = Opened | NoDict | Unopened


class ClassMissing(Record, frozen=True, tag_field="kind", tag="undefined"):
    """The submission does not define the class of the model."""


class Absent(Record, frozen=True, tag_field="kind", tag="absent"):
    """The checkpoint does not have the key under which the model's state dict is expected."""


class NoStateDict(Record, frozen=True, tag_field="kind", tag="no_state_dict"):
    """Under the key stands something else than a state dict, by its type."""

    type: Name


class Loaded(Record, frozen=True, tag_field="kind", tag="loaded"):
    """The state dict fits the model and was loaded."""


class NamedShape(Record, frozen=True):
    """A tensor of a state dict, by name and shape."""

    name: Text
    shape: Sizes


class Reshaped(Record, frozen=True):
    """A tensor whose shape in the checkpoint, ``saved``, is not the one in the model, ``built``."""

    name: Text
    built: Sizes
    saved: Sizes


class Mismatch(Record, frozen=True, tag_field="kind", tag="mismatch"):
    """A state dict that does not fit its model.

    Attributes:
        built_blocks, saved_blocks: how many numbered blocks the model and the state dict have.
        owners: the classes whose objects hold the tensors that do not fit.
        missing: tensors of the model that are not in the state dict; the first of ``missing_count``.
        unexpected: tensors of the state dict that are not in the model.
        reshaped: tensors that have another shape.
    """

    built_blocks: Count
    saved_blocks: Count
    owners: Annotated[list[Name], Meta(max_length=MAX_LISTED)]
    missing_count: Count
    unexpected_count: Count
    reshaped_count: Count
    missing: Annotated[list[NamedShape], Meta(max_length=MAX_LISTED)]
    unexpected: Annotated[list[NamedShape], Meta(max_length=MAX_LISTED)]
    reshaped: Annotated[list[Reshaped], Meta(max_length=MAX_LISTED)]


Loading = Loaded | Mismatch | NoStateDict | Absent | ClassMissing | RaisedResult


def share(recorded: float | None) -> float | None:
    """A recorded score as a number from 0 to 1, percent understood; None where it is no such score."""
    if recorded is None or not math.isfinite(recorded):
        return None
    found = recorded / 100 if 1 < recorded <= 100 else recorded
    return found if 0 <= found <= 1 else None


def why_unopened(file: str, unopened: Unopened) -> Words:
    """Say why a file could not be opened, the thing first and Python's words only where nothing better is known."""
    raised, again = unopened.exception, "Hand in the file again, and look whether torch.load opens it before you do."
    if unopened.format == "empty":
        return f"{file} is empty: it has 0 bytes", f"Was it copied before it was written? {again}"
    if unopened.beginning.startswith("version https://git-lfs"):
        return f"{file} is a pointer of Git LFS, not the file", "Run `git lfs pull`, and hand in what it fetches."
    if unopened.format == "text":
        begins = " ".join(unopened.beginning.split())[:30]
        return (
            f'{file} is a text that begins with "{begins}", not a file that torch.save wrote',
            "Was a link or a web page saved in its place? Hand in the file itself.",
        )
    if "Weights only load failed" in raised.message and "GLOBAL " in raised.message:
        name = raised.message.partition("GLOBAL ")[2].split(" ")[0]
        return (
            f"{file} holds an object of the class {name[:80]}; only tensors, numbers, strings, lists and dicts can be "
            "opened safely",
            "Was a whole model saved? Save its weights, model.state_dict(), instead.",
        )
    if unopened.format == "pickle":
        return f"{file} was written by pickle, not by torch.save", "Write it with torch.save({…}, path)."
    if unopened.format == "half a zip":
        size = f"it has {unopened.size:,} bytes, and the end of what torch.save wrote is missing"
        return f"{file} is cut short: {size}", f"Was it copied whole? {again}"
    line = next(iter(raised.message.strip().splitlines()), "")[:200]
    said = f"{raised.type}: {line}" if line else raised.type
    return f"{file} is damaged, or no checkpoint: torch.load ends with {said}", again


def expect_dict(opening: Opening, file: str, save: str) -> Opened:
    """Return what was read of a checkpoint that opens and is a dict.

    Args:
        save: how it is saved rightly.
    """
    if isinstance(opening, Unopened):
        raise Fail(*why_unopened(file, opening))
    if isinstance(opening, NoDict):
        raise Fail(f"expected {file} to hold a dict of state dicts, got {type_words(opening.type)}", save)
    return opening


def what_does_not_fit(key: str, file: str, name: str, mismatch: Mismatch) -> str:
    """Say how many tensors of a state dict do not fit a class, and name three of them."""
    counts = [
        (mismatch.reshaped_count, "{} another shape", "has", "have"),
        (mismatch.missing_count, "of the code {} not in the checkpoint", "is", "are"),
        (mismatch.unexpected_count, "of the checkpoint {} not in the code", "is", "are"),
    ]
    parts: list[str] = []
    for count, words, one, many in counts:
        if count:
            number = f"{count} tensor{'' if count == 1 else 's'} " if not parts else f"{count} "
            parts.append(number + words.format(one if count == 1 else many))
    shown = [f"`{t.name}` is {t.saved} in the checkpoint and {t.built} in the code" for t in mismatch.reshaped]
    several = len(parts) > 1
    others = [f"`{t.name}` {t.shape}{' of the code' if several else ''}" for t in mismatch.missing]
    extra = [f"`{t.name}` {t.shape}{' of the checkpoint' if several else ''}" for t in mismatch.unexpected]
    max_shown = 3
    half = 1 if extra and not shown else max_shown
    shown = [*shown[:max_shown], *others[:half], *extra, *others[half:]][:max_shown]
    total = mismatch.reshaped_count + mismatch.missing_count + mismatch.unexpected_count
    as_ = ", for example " if total > len(shown) else ": "
    return f'"{key}" in {file} does not fit `{name}`: {" and ".join(parts)}{as_}{"; ".join(shown)}'


def why_not_loaded(loading: Loading, key: str, file: str, name: str) -> Words | None:
    """Say why a state dict could not be loaded; None where it was.

    Args:
        key: of the state dict in the file.
        name: of the model's class.
    """
    save = f'Save it as torch.save({{"{key}": model.state_dict(), …}}, "{file}").'
    match loading:
        case ClassMissing():
            return f"`{name}` is not defined, so {file} has no model to go into", ""
        case Absent():
            return f'expected a state dict under "{key}" in {file}', save
        case NoStateDict(type=type_):
            return f'expected a state dict under "{key}" in {file}, got {type_[:60]}', save
        case RaisedResult(exception=exception):
            return f"building `{name}` {raised_words(exception)}", raised_hint(exception)
        case Mismatch():
            return what_does_not_fit(key, file, name, loading), _changed_since(loading)
    return None


def _changed_since(mismatch: Mismatch) -> str:
    """What was changed after training, as far as a state dict tells that does not fit."""
    if mismatch.saved_blocks not in (0, mismatch.built_blocks):
        blocks = f"{mismatch.saved_blocks} blocks, and the code now makes {mismatch.built_blocks}"
        return f"The checkpoint has {blocks}: their number was changed after training."
    if is_renamed(mismatch):
        return "The shapes agree and the names do not: classes or attributes were renamed after training."
    return "A width or the code was changed after training: hand in what this checkpoint came from, or train again."


def differing_sizes(mismatch: Mismatch) -> list[tuple[int, int]]:
    """The sizes of axes that differ, in the model and in the checkpoint, of tensors with as many axes in both."""
    return [
        (built, saved)
        for tensor in mismatch.reshaped
        if len(tensor.built) == len(tensor.saved)
        for built, saved in zip(tensor.built, tensor.saved, strict=True)
        if built != saved
    ]


def is_renamed(mismatch: Mismatch) -> bool:
    """Whether as many tensors of the same shapes are missing as there are unexpected ones."""
    missing, unexpected = (sorted(t.shape for t in tensors) for tensors in (mismatch.missing, mismatch.unexpected))
    return bool(missing) and mismatch.missing_count == mismatch.unexpected_count and missing == unexpected


Explanation = Callable[[Sequence[tuple[int, int]], int], int | None]
"""The value of a setting at saving time that explains all differing sizes, given its value now; None if none does."""


def by_width(differing: Sequence[tuple[int, int]], now: int) -> int | None:
    """Explain differing sizes by a width: each is it, or three or four times it."""
    found = {saved * now // built for built, saved in differing if built in (now, 3 * now, 4 * now)}
    fits = len(found) == 1 and all(built * then == saved * now for built, saved in differing for then in found)
    return found.pop() if fits else None
