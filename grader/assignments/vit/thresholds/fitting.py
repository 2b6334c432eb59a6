"""Whether a checkpoint opens and fits the submitted code, and if not, why."""

from collections.abc import Iterator
from typing import Any

from grader.assignments.vit.settings import hyperparameter
from grader.assignments.vit.thresholds.endings import endings
from grader.assignments.vit.thresholds.questions import FILES, training
from grader.evidence import Evidence
from grader.judging import Blocked, Fail, Malformed, Missing, dig, raised_hint, raised_words
from grader.records import Raised
from grader.sandbox.outside.replies import raised_from

PART_OF = {"vit": "vit.model", "classifier": "vit.heads", "embedding_head": "vit.heads"}
CLASS_OF = {"vit": "ViT", "classifier": "ClassificationHead", "embedding_head": "LinearEmbeddingHead"}
PART_OF_CLASS = {
    "ViT": "vit.model", "PatchEmbeddings": "vit.patch_embeddings", "PositionEmbedding": "vit.position_embedding",
    "ResidualAttentionBlock": "vit.attention_block", "Transformer": "vit.attention_block",
}  # fmt: skip
MODEL = ("vit.patch_embeddings", "vit.position_embedding", "vit.attention_block", "vit.model", "vit.heads")
SHOWN = 3  # tensors named in a message


def broken(seen: Evidence, *criteria: str) -> str | None:
    """The first of some criteria that the submission's code fails: what a checkpoint of right code cannot go into."""
    return next((criterion for criterion in criteria if seen.verdict(criterion).status == "failed"), None)


def outputs(seen: Evidence, probe: str) -> dict[str, Any]:
    """What a checkpoint's models gave for each set of images.

    Raises:
        Fail, Missing, Blocked: there is nothing to judge; why, in words.
    """
    endings(seen)  # Blocked where images cannot be turned into tensors
    value = seen[probe].value
    _opens(dig(value, "checkpoint"), FILES[probe])
    _settled(dig(value, "undefined"))
    for key, facts in _models(dig(value, "models")):
        _fits(seen, FILES[probe], key, facts)
    return ran(seen, dig(value, "outputs"))


def trained(seen: Evidence) -> dict[str, Any]:
    """What the ViT gave for each set of images after it was trained here; raises as ``outputs`` does."""
    endings(seen)
    value = seen[training(seen)].value
    _settled(dig(value, "undefined"))
    return ran(seen, dig(value, "outputs"))


def ran(seen: Evidence, found: Any) -> dict[str, Any]:
    """The outputs, unless the models raised."""
    if not isinstance(found, dict):
        raise Malformed
    if "raised" in found:
        _raised(seen, "vit.model", "running the model on images", found["raised"])
    return found


def _opens(facts: Any, file: str) -> None:
    if not isinstance(facts, dict):
        raise Malformed
    if "raised" in facts:
        raised = raised_from(facts["raised"])
        if raised is None:
            raise Malformed
        raise Fail(*_unopened(file, raised))
    if "type" in facts:
        raise Fail(
            f"expected {file} to hold a dict of state dicts, got {str(facts['type'])[:60]}",
            'Save it as the provided functions do: torch.save({"vit": vit_model.state_dict(), …}, path).',
        )


def _unopened(file: str, raised: Raised) -> tuple[str, str]:
    text = raised.message
    if "Unsupported operand" in text:
        # what git leaves of a large file says "version https://git-lfs…", and 118 is its v
        if "Unsupported operand 118" in text:
            return f"{file} is a pointer of Git LFS, not the file", "Run `git lfs pull`, and hand in what it fetches."
        return f"{file} was not written by torch.save", "Save it as the provided functions do: torch.save({…}, path)."
    if "Weights only load failed" in text and "GLOBAL " in text:
        name = text.partition("GLOBAL ")[2].split(" ")[0]
        return (
            f"{file} holds a pickled object ({name[:80]}), where only tensors, numbers and dicts can be opened safely",
            "A whole model was saved: save its weights, model.state_dict(), instead.",
        )
    return (
        f"{file} cannot be opened: {raised.type}{f': {_line(text)}' if text.strip() else ', it is empty'}",
        "The file is damaged, cut short or no checkpoint: does torch.load open it where it was made? Hand it in again.",
    )


def _line(text: str) -> str:
    return (text.strip().splitlines() or [""])[0][:200]


def _settled(undefined: Any) -> None:
    if not isinstance(undefined, list):
        raise Malformed
    if undefined:
        names = ", ".join(f"`{str(name)[:40]}`" for name in undefined)
        raise Missing(f"{names} not defined: the model of a checkpoint is built with the notebook's hyperparameters")


def _models(facts: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    if not isinstance(facts, dict) or len(facts) != 2:
        raise Malformed
    for key, found in facts.items():
        if key not in CLASS_OF or not isinstance(found, dict):
            raise Malformed
        yield key, found


def _fits(seen: Evidence, file: str, key: str, facts: dict[str, Any]) -> None:
    if "undefined" in facts:
        raise Blocked(PART_OF[key], f"`{CLASS_OF[key]}` is not defined, so {file} has no model to go into")
    if "absent" in facts:
        kinds = dig(seen[_probe(file)].value, "checkpoint", "kinds")
        held = ", ".join(f'"{name}"' for name in list(kinds)[:6]) if isinstance(kinds, dict) else ""
        raise Fail(
            f'expected a state dict under "{key}" in {file}, which holds {held or "nothing"}',
            "Keep the keys that the provided functions write.",
        )
    if "raised" in facts:
        _raised(seen, PART_OF[key], f"building `{CLASS_OF[key]}` with the notebook's hyperparameters", facts["raised"])
    if "type" in facts:
        raise Fail(
            f'expected a state dict under "{key}" in {file}, got {str(facts["type"])[:60]}',
            "Save model.state_dict().",
        )
    if facts.get("fits") is not True:
        message, hint = mismatch(seen, file, key, facts)
        by = broken(seen, *(PART_OF_CLASS[owner] for owner in facts.get("owners", ())), "vit.model", *MODEL)
        raise Blocked(by, message) if by else Fail(message, hint)


def _probe(file: str) -> str:
    return next(probe for probe, name in FILES.items() if name == file)


def _raised(seen: Evidence, part: str, doing: str, facts: Any) -> None:
    raised = raised_from(facts)
    if raised is None:
        raise Malformed
    by = part if "NotImplementedError" in raised.bases else broken(seen, part, *MODEL)
    if by or not seen.passed(part):
        raise Blocked(by or part, f"{doing} {raised_words(raised)}")
    raise Fail(f"{doing} {raised_words(raised)}", raised_hint(raised))


def mismatch(seen: Evidence, file: str, key: str, facts: dict[str, Any]) -> tuple[str, str]:
    """Say which tensors do not fit, both shapes, and the likely cause."""
    shapes = [(str(n), tuple(a), tuple(b)) for n, a, b in _rows(facts.get("shapes"), 3)]
    missing = [(str(n), tuple(a)) for n, a in _rows(facts.get("missing"), 2)]
    unexpected = [(str(n), tuple(a)) for n, a in _rows(facts.get("unexpected"), 2)]
    said = [f"`{n}` is {b} in the checkpoint and {a} in the code" for n, a, b in shapes]
    said += [f"`{n}` {a} of the code is not in the checkpoint" for n, a in missing[:SHOWN]]
    said += [f"`{n}` {a} of the checkpoint is not in the code" for n, a in unexpected[:SHOWN]]
    more = len(shapes) + len(missing) + len(unexpected) - len(said[: 2 * SHOWN])
    told = "; ".join(said[: 2 * SHOWN]) + (f"; and {more} tensors more" if more > 0 else "")
    # an embedding head with other rows has another embed_size, one with other columns another hidden_size
    rows = key == "embedding_head" and any(a[:1] != b[:1] for _, a, b in shapes)
    widths = ("embed_size", "hidden_size") if rows else ("hidden_size", "patch_size")
    cause = _cause(seen, facts, widths, shapes, missing, unexpected)
    return f'"{key}" in {file} does not fit `{CLASS_OF[key]}`: {told}', cause


Shape = tuple[int, ...]


def _cause(
    seen: Evidence, facts: dict[str, Any], sizes: tuple[str, ...], shapes: list[tuple[str, Shape, Shape]],
    missing: list[tuple[str, Shape]], unexpected: list[tuple[str, Shape]],
) -> str:  # fmt: skip
    blocks = facts.get("blocks")
    if isinstance(blocks, dict) and blocks.get("saved") != blocks.get("built") and blocks.get("saved"):
        return (
            f"The checkpoint has {blocks.get('saved')} blocks, the notebook builds {blocks.get('built')}: "
            "`layers` was changed after training."
        )
    differing = [
        (a, b)
        for _, built, saved in shapes
        if len(built) == len(saved)
        for a, b in zip(built, saved, strict=True)
        if a != b
    ]
    for name in sizes:
        now = int(hyperparameter(seen, name) or 0)
        explains = _by_patches if name == "patch_size" else _by_width
        then = explains(differing, now) if now > 0 else None
        if then:
            return f"The checkpoint has {name} {then}, the notebook {now}: `{name}` was changed since."
    if (
        missing
        and len(missing) == len(unexpected)
        and sorted(s for _, s in missing) == sorted(s for _, s in unexpected)
    ):
        return "The shapes agree and the names do not: classes or their attributes were renamed after training."
    return "The code was changed after training: hand in the code that this checkpoint came from, or train again."


def _by_width(differing: list[tuple[int, int]], now: int) -> int | None:
    """The width that explains all differing sizes: each is it, or three or four times it."""
    found = {saved * now // built for built, saved in differing if built in (now, 3 * now, 4 * now)}
    fits = len(found) == 1 and all(built * found_ == saved * now for built, saved in differing for found_ in found)
    return found.pop() if fits else None


def _by_patches(differing: list[tuple[int, int]], now: int) -> int | None:
    """The patch size that explains all differing sizes: numbers of patches, of tokens, or of pixels in a patch."""
    for then in range(1, 29):
        pairs = {((28 // now) ** 2 + k, (28 // then) ** 2 + k) for k in (0, 1)} | {(now, then), (now**2, then**2)}
        if differing and then != now and pairs.issuperset(differing):
            return then
    return None


def _rows(value: Any, width: int) -> list[Any]:
    """Rows of a name and shapes, as the worker lists them."""
    if not isinstance(value, list):
        raise Malformed
    for row in value:
        shapes = row[1:] if isinstance(row, list) and len(row) == width else [None]
        if not all(isinstance(s, list) and all(isinstance(n, int) for n in s) for s in shapes):
            raise Malformed
    return value
