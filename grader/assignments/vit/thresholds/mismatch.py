"""Why a state dict does not fit the model that the notebook builds: which hyperparameter was changed after training."""

from collections.abc import Iterator, Sequence

from grader.assignments.vit.settings import hyperparameter
from grader.evidence import Evidence
from grader.sentences import number_of
from grader.torchkit.checkpoints import Explanation, Mismatch, by_width, differing_sizes, is_renamed


def cause(evidence: Evidence, key: str, mismatch: Mismatch) -> str:
    """The likely cause in words.

    Args:
        key: of the state dict: "vit", "classifier" or "embedding_head".
    """
    if mismatch.saved_blocks not in (0, mismatch.built_blocks):
        return (
            f"The checkpoint has {number_of(mismatch.saved_blocks, 'block')}, the notebook builds {mismatch.built_blocks}: "
            "`layers` was changed after training."
        )
    differing = differing_sizes(mismatch)
    classes = 10  # of FashionMNIST
    saved = {then for built, then in differing if built == classes}
    if key == "classifier" and len(saved) == 1 and {built for built, _ in differing} == {classes}:
        return (
            f"The checkpoint has {number_of(saved.pop(), 'class', 'classes')}, FashionMNIST {classes}: train a `ClassificationHead` with "
            f"num_classes={classes}."
        )
    for name, explains in _explanations(evidence, key, mismatch):
        now = int(hyperparameter(evidence, name) or 0)
        then = explains(differing, now) if now > 0 and differing else None
        if then:
            return f"The checkpoint has {name} {then}, the notebook {now}: `{name}` was changed after training."
    if is_renamed(mismatch):
        return "The shapes agree and the names do not: classes or their attributes were renamed after training."
    return "The code was changed after training: hand in the code that this checkpoint came from, or train again."


def _explanations(evidence: Evidence, key: str, mismatch: Mismatch) -> Iterator[tuple[str, Explanation]]:
    """The hyperparameters that may explain differing sizes, likely ones first."""
    # an embedding head with other rows has another embed_size, one with other columns another hidden_size
    if key == "embedding_head" and any(tensor.built[:1] != tensor.saved[:1] for tensor in mismatch.reshaped):
        yield "embed_size", by_width
    yield "hidden_size", by_width
    if key == "vit":
        patch = int(hyperparameter(evidence, "patch_size") or 0)
        yield "patch_size", _by_patches
        yield "in_channels", lambda differing, now: _by_channels(differing, now, patch)


def _by_patches(differing: Sequence[tuple[int, int]], now: int) -> int | None:
    """The patch size that explains all differing sizes: numbers of patches, of tokens, or of pixels in a patch."""
    for then in range(1, 29):
        pairs = {((28 // now) ** 2 + k, (28 // then) ** 2 + k) for k in (0, 1)} | {(now, then), (now**2, then**2)}
        if then != now and pairs.issuperset(differing):
            return then
    return None


def _by_channels(differing: Sequence[tuple[int, int]], now: int, patch: int) -> int | None:
    """The number of channels that explains all differing sizes: channels, or all pixels of a patch."""
    for _, saved in differing:
        for then in {saved, saved // max(1, patch) ** 2} - {0, now}:
            if {(now, then), (now * patch**2, then * patch**2)}.issuperset(differing):
                return then
    return None
