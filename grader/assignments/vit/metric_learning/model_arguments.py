"""With which arguments ``train_embedding_model`` builds the ViT and the embedding head."""

from collections.abc import Iterator

from grader.assignments.vit.inside.constants import BUILT
from grader.assignments.vit.metric_learning.watched_runs import TrainingRun, counted, in_full_size, through
from grader.assignments.vit.settings import unequal_heads
from grader.evidence import Evidence
from grader.judging import Fail
from grader.raised import place, raised_hint, raised_words
from grader.torchkit.training_answers import ModelCall

IMAGE_SIZE = 28  # pixels along one side
ORDER_HINTS = {
    "ViT": "The order is ViT(image_size, patch_size, num_channels, hidden_size, layers, heads).",
    "LinearEmbeddingHead": "The order is LinearEmbeddingHead(hidden_size, embed_size).",
}
HYPERPARAMETERS = {"num_channels": "in_channels"}  # arguments that are called otherwise than their hyperparameter


def models_built(evidence: Evidence) -> str | None:
    """The ViT and the embedding head are built with arguments that fit."""
    run = through(evidence)
    in_full = in_full_size(evidence)
    for model in (model for model in run.models if model.calls or model.held):
        if model.role == "vit":
            problem = f"its class does not take them: {model.misfit}" if model.misfit else ""
            problem = problem or _misfit(model.arguments, {} if in_full is None else in_full.sizes)
            if problem and not _takes_another_order(evidence):
                raise Fail(f"the ViT is built with arguments that do not fit: {problem}", ORDER_HINTS["ViT"])
        if model.role == "head" and model.misfit:
            raise Fail(
                f"the embedding head is built with arguments that do not fit: {model.misfit}",
                ORDER_HINTS["LinearEmbeddingHead"],
            )
    if in_full is None or in_full.attempt != BUILT:
        return None
    refused = refused_call(evidence)
    if refused is not None and not _of_larger_images(evidence, in_full):
        raise refused
    _expect_fitting_stand_in(evidence, in_full)
    return _compared(evidence, run, in_full)


def _takes_another_order(evidence: Evidence) -> bool:
    """Whether the ViT's own arguments are wrong, which costs ``vit.model``: a call may follow either order then."""
    judged = evidence.has("ViT") and "vit.model" in evidence.assignment.criteria
    results = evidence.verdict("vit.model").results if judged else ()
    return any(result.name in ("shape", "arguments") and result.status == "failed" for result in results)


def _of_larger_images(evidence: Evidence, in_full: TrainingRun) -> bool:
    """Whether the images have another size on purpose, which costs ``augmentation.tensors``."""
    if in_full.sizes.get("image_size", IMAGE_SIZE) == IMAGE_SIZE:
        return False
    return "augmentation.tensors" in evidence.assignment.criteria and _failed(evidence, "augmentation.tensors")


def _expect_fitting_stand_in(evidence: Evidence, in_full: TrainingRun) -> None:
    """Fail where a stand-in takes what no right ViT can be built with: numbers that are no whole ones, or do not fit."""
    if "ViT" in evidence["training"].question.args["own"] or _takes_another_order(evidence):
        return
    for call in (call for call in in_full.calls if call.name == "ViT" and call.raised is None):
        if _unfit(call, in_full.sizes) and not _of_larger_images(evidence, in_full):
            at = "" if call.frame is None else f" ({place(call.frame)})"
            raise Fail(f"no ViT can be built with these arguments: `{call.words}`{at}", _why(call, in_full.sizes))


def _failed(evidence: Evidence, criterion: str) -> bool:
    return criterion in evidence.assignment.criteria and evidence.verdict(criterion).status == "failed"


def _misfit(given: dict[str, int], sizes: dict[str, int]) -> str:
    """What does not fit the images, in words; empty where all does.

    Args:
        given: to the ViT.
        sizes: the student's hyperparameters; a patch size of their choice may leave some pixels out.
    """
    if given.get("image_size", IMAGE_SIZE) != IMAGE_SIZE:
        swapped = given.get("patch_size") == IMAGE_SIZE
        return (
            "image_size and patch_size are swapped" if swapped else f"image_size is not {IMAGE_SIZE}, as the images are"
        )
    if given.get("num_channels", 1) != 1:
        return "num_channels is not 1: the images are gray"
    patch = given.get("patch_size", 1)
    fits = patch > 0 and (IMAGE_SIZE % patch == 0 or patch == sizes.get("patch_size"))
    return "" if fits else f"patch_size does not divide {IMAGE_SIZE}"


def refused_call(evidence: Evidence) -> Fail | None:
    """A model that cannot be built with the student's own numbers, or takes no image then; None where all can.

    A class that is wrong itself costs its own criterion, and nothing here.
    """
    in_full = in_full_size(evidence)
    if in_full is None:
        return None
    judged_by = {"ViT": "vit.model", "LinearEmbeddingHead": "vit.heads"}
    for call in in_full.calls:
        if call.raised is not None and not _failed(evidence, judged_by[call.name]):
            at = "" if call.frame is None else f", called at {place(call.frame)},"
            on = f" on one image of shape {tuple(call.image)}" if call.image else ""
            return Fail(f"`{call.words}`{at}{on} {raised_words(call.raised)}", _why(call, in_full.sizes))
    return None


def exchanged_call(evidence: Evidence, run: TrainingRun) -> Fail | None:
    """A model that is built with the student's own hyperparameters, two of them exchanged; None where none is."""
    for call in run.calls:
        given = call.arguments
        wanted = {name: run.sizes.get(HYPERPARAMETERS.get(name, name)) for name in given}
        wrong = [name for name in given if given[name] != wanted[name]]
        exchanged = len(wrong) == 2 and given[wrong[0]] == wanted[wrong[1]] and given[wrong[1]] == wanted[wrong[0]]
        if exchanged and not (call.name == "ViT" and _takes_another_order(evidence)):
            at = "" if call.frame is None else f" ({place(call.frame)}: `{call.frame.text}`)"
            return Fail(f"{call.name} is built with {wrong[0]} and {wrong[1]} exchanged{at}", ORDER_HINTS[call.name])
    return None


def replaced_argument(evidence: Evidence) -> Fail | None:
    """Another hyperparameter in the place of one, where the training raises in both sizes; None where none is."""
    large = in_full_size(evidence)
    try:
        if large is not None:
            _compared(evidence, counted(evidence), large)
    except Fail as fail:
        return fail
    return None


def _why(call: ModelCall, sizes: dict[str, int]) -> str:
    """What is wrong with the arguments of a call, as far as they tell."""
    given = call.arguments
    wanted = {name: sizes.get(HYPERPARAMETERS.get(name, name)) for name in given}
    exchanged = given != wanted and sorted(given.values()) == sorted(n for n in wanted.values() if n is not None)
    if exchanged and not call.others:
        others = [f"{name} is {value}" for name, value in given.items() if value != wanted[name]]
        return f"So {' and '.join(others)}: compare the order of the arguments. {ORDER_HINTS[call.name]}"
    return _unfit(call, sizes) or raised_hint(call.raised) or ORDER_HINTS[call.name]


def _unfit(call: ModelCall, sizes: dict[str, int]) -> str:
    """A hint about arguments that no right model can be built with; "" where there are none."""
    given = call.arguments
    for name, value in call.others.items():
        comma = ": take away the comma at the end of its line" if value.endswith(",)") else ""
        return f"The argument {name} is {value}, and not a whole number{comma}."
    if problem := _misfit(given, sizes):
        return f"The arguments do not fit the images: {problem}."
    if given.get("layers", 1) < 1:
        return f"A Transformer has one block or more, and layers is {given['layers']}."
    return unequal_heads(given.get("hidden_size", 0), given.get("heads", 1))


def _compared(evidence: Evidence, run: TrainingRun, in_full: TrainingRun) -> str | None:
    """Compare arguments with the hyperparameters of their names: those are other numbers in the two attempts.

    Raises:
        Fail: another hyperparameter stands in the place of one.

    Returns:
        a remark on a number that is no hyperparameter, and not the one of its name.
    """
    remark = None
    names = {"ViT": "the ViT", "LinearEmbeddingHead": "the embedding head"}
    for call, name, small, full in _arguments(run, in_full):
        own = HYPERPARAMETERS.get(name, name)
        wanted = in_full.sizes.get(own)
        if wanted is None or full == wanted or (call.name == "ViT" and _takes_another_order(evidence)):
            continue
        others = [n for n, size in in_full.sizes.items() if (run.sizes.get(n), size) == (small, full)]
        at = "" if call.frame is None else f" ({place(call.frame)})"
        if others and small != full:
            raise Fail(
                f"{names[call.name]} is built with `{others[0]}` in the place of `{own}`: `{call.words}`{at}",
                ORDER_HINTS[call.name],
            )
        remark = remark or (
            f"{names[call.name]} is built with {name}={full}{at}, though `{own}` is {wanted}: vit_embeds.pt then does "
            f"not fit the hyperparameters"
        )
    return remark


def _arguments(run: TrainingRun, in_full: TrainingRun) -> Iterator[tuple[ModelCall, str, int, int]]:
    """Each argument of the same calls in both attempts: the call in full size, its name and both values."""
    for name in ORDER_HINTS:
        pairs = zip(
            [call for call in run.calls if call.name == name],
            [call for call in in_full.calls if call.name == name],
            strict=False,
        )
        for small, full in pairs:
            for argument in (each for each in small.arguments if each in full.arguments):
                yield full, argument, small.arguments[argument], full.arguments[argument]
