"""Checkpoints as files: what opens and fits is told from what does not, and why in words."""

import io
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from grader.observations import Misfit, converted
from grader.torchkit import checkpoints
from grader.torchkit.checkpoints import Loaded, Loading, Mismatch, NoDict, NoStateDict, Opened, Opening, Unopened
from grader.torchkit.inside import state_dicts

RAISED = {"type": "ValueError", "bases": ["ValueError"], "message": "no", "frames": []}
UNOPENED = {"kind": "unopened", "exception": RAISED, "format": "zip", "size": 3, "beginning": ""}
MISMATCH = {
    "kind": "mismatch", "built_blocks": 3, "saved_blocks": 2, "owners": ["Block"], "missing_count": 1,
    "unexpected_count": 0, "reshaped_count": 0, "missing": [{"name": "a", "shape": [1]}], "unexpected": [],
    "reshaped": [],
}  # fmt: skip


class Whole(nn.Module):
    """A class that nobody else has."""


class Block(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.cut = nn.Conv2d(channels, 8, 7, 7)


class Model(nn.Module):
    def __init__(self, channels: int = 1, norm: str = "norm") -> None:
        super().__init__()
        self.block = Block(channels)
        setattr(self, norm, nn.LayerNorm(8))


def saved(content: Any, **how: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer, **how)
    return buffer.getvalue()


def opening(path: Path, content: bytes) -> Any:
    path.write_bytes(content)
    return converted(state_dicts.opened(str(path), "acc")[1], Opening)


def loading(module: nn.Module, state: Any) -> Any:
    return converted(state_dicts.load(module, state, ("Block",), root="Model"), Loading)


UNOPENABLE: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "m.pt is empty: it has 0 bytes"),
    "text": (lambda: b"see my\ndrive", 'm.pt is a text that begins with "see my drive"'),
    "a pointer of Git LFS": (lambda: b"version https://git-lfs.github.com/spec/v1\noid sha256:ab", "a pointer of Git LFS"),
    "a pickle": (lambda: pickle.dumps({"vit": {}}), "m.pt was written by pickle, not by torch.save"),
    "half a file": (lambda: (full := saved(torch.zeros(4_000)))[: len(full) // 2], "m.pt is cut short"),
    "half a file of the old format": (
        lambda: saved(torch.zeros(400), _use_new_zipfile_serialization=False)[:300], "m.pt is damaged, or no checkpoint",
    ),
    "a whole model": (lambda: saved(Whole()), "m.pt holds an object of the class tests.torchkit.test_checkpoints.Whole"),
    "noise": (lambda: bytes(range(1, 128)), "m.pt is damaged, or no checkpoint"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "words"), UNOPENABLE.values(), ids=UNOPENABLE)
def test_why_a_file_does_not_open_is_said_before_pythons_words(
    content: Callable[[], bytes], words: str, tmp_path: Path
) -> None:
    found = opening(tmp_path / "m.pt", content())
    assert isinstance(found, Unopened)
    message, hint = checkpoints.why_unopened("m.pt", found)
    assert message.startswith("m.pt ") and words in message and hint


def test_a_file_that_is_not_there_is_not_opened(tmp_path: Path) -> None:
    content, told = state_dicts.opened(str(tmp_path / "none.pt"), "acc")
    assert content is None and isinstance(converted(told, Opening), Unopened)


@pytest.mark.parametrize("how", [{}, {"_use_new_zipfile_serialization": False}], ids=["zip", "old"])
def test_a_checkpoint_is_told_by_its_keys_and_its_score(how: dict[str, Any], tmp_path: Path) -> None:
    found = opening(tmp_path / "m.pt", saved({"vit": {}, "acc": torch.tensor(0.5)}, **how))
    assert isinstance(found, Opened)
    assert (found.types, found.recorded) == ({"vit": "dict", "acc": "Tensor"}, 0.5)


class Options:
    """A class that nobody else has, which notices when it is made."""

    made = 0

    def __init__(self, lr: float) -> None:
        self.lr, self.model = lr, None

    def __setstate__(self, state: dict[str, Any]) -> None:
        Options.made += 1


class Harmful:
    """An object that executes something when it is read."""

    def __reduce__(self) -> tuple[Any, ...]:
        return setattr, (Options, "made", 100)


BESIDE: dict[str, Any] = {
    "options": Options(0.1), "options in a list": [Options(0.1), {"a": Path("x"), "b": {Path("y")}}],
    "something harmful": {"deep": Harmful()}, "an optimizer": torch.optim.Adam([nn.Parameter(torch.ones(2))]),
    "a number of numpy": np.float32(0.25), "a kind": torch.float16, "a function": saved,
}  # fmt: skip


@pytest.mark.parametrize("how", [{}, {"_use_new_zipfile_serialization": False}, {"pickle_protocol": 5}], ids=str)
@pytest.mark.parametrize("beside", BESIDE.values(), ids=BESIDE)
def test_other_objects_beside_the_weights_are_passed_over_and_never_made(
    beside: Any, how: dict[str, Any], tmp_path: Path
) -> None:
    state, Options.made = Model().state_dict(), 0
    (tmp_path / "m.pt").write_bytes(saved({"vit": state, "acc": 0.5, "more": beside}, **how))
    content, told = state_dicts.opened(str(tmp_path / "m.pt"), "acc")
    assert content is not None and converted(told, Opening).recorded == 0.5 and Options.made == 0
    assert all(torch.equal(content["vit"][name], tensor) for name, tensor in state.items())
    assert isinstance(loading(Model(), content["vit"]), Loaded)


def test_a_model_in_the_place_of_its_weights_is_said_to_be_one(tmp_path: Path) -> None:
    found = opening(tmp_path / "m.pt", saved({"vit": Whole(), "acc": 0.5}, pickle_protocol=4))
    assert isinstance(found, Unopened)


def test_a_list_is_no_dict(tmp_path: Path) -> None:
    found = opening(tmp_path / "m.pt", saved([1, 2]))
    assert isinstance(found, NoDict) and found.type == "list"


@pytest.mark.parametrize(
    ("recorded", "share"),
    [(None, None), (0.9, 0.9), (90.0, 0.9), (1.0, 1.0), (-0.1, None), (101.0, None), (float("nan"), None),
     (float("inf"), None)],
)  # fmt: skip
def test_a_recorded_score_is_a_share_or_none(recorded: float | None, share: float | None) -> None:
    assert checkpoints.share(recorded) == share


@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module."])
def test_a_state_dict_is_loaded_whatever_wrapped_the_model(prefix: str) -> None:
    source, target = Model(), Model()
    state = {prefix + name: value for name, value in source.state_dict().items()}
    assert isinstance(loading(target, state), Loaded)
    assert all(torch.equal(a, b) for a, b in zip(source.parameters(), target.parameters(), strict=True))


def test_a_tensor_is_no_state_dict() -> None:
    found = loading(Model(), torch.zeros(3))
    assert isinstance(found, NoStateDict) and found.type == "Tensor"


def test_the_owner_of_a_tensor_is_the_innermost_class_that_is_known() -> None:
    assert loading(Model(3), Model(1).state_dict()).owners == ["Block"]
    assert loading(Model(norm="ln"), Model().state_dict()).owners == ["Model"]


def test_what_does_not_fit_is_one_sentence_and_three_tensors() -> None:
    few = loading(Model(3), Model(1).state_dict())
    assert checkpoints.what_does_not_fit("vit", "m.pt", "ViT", few) == (
        '"vit" in m.pt does not fit `ViT`: 1 tensor has another shape: `block.cut.weight` is (8, 1, 7, 7) in the '
        "checkpoint and (8, 3, 7, 7) in the code"
    )
    many = checkpoints.what_does_not_fit("vit", "m.pt", "ViT", loading(Model(3, "ln"), Model().state_dict()))
    assert (
        "1 tensor has another shape and 2 of the code are not in the checkpoint and 2 of the checkpoint are not in the "
        "code, for example"
    ) in many
    assert many.count("`") == 2 * 4  # the class and three tensors


def test_of_renamed_tensors_both_names_are_told() -> None:
    renamed = loading(Model(norm="ln"), Model().state_dict())
    assert checkpoints.is_renamed(renamed) and not checkpoints.is_renamed(loading(Model(3), Model().state_dict()))
    words = checkpoints.what_does_not_fit("vit", "m.pt", "ViT", renamed)
    assert "`ln.weight` (8,) of the code; `norm.weight` (8,) of the checkpoint" in words


@pytest.mark.parametrize(
    ("differing", "now", "then"),
    [([(64, 32), (192, 96), (256, 128)], 64, 32), ([(64, 32), (192, 100)], 64, None), ([(10, 9)], 64, None),
     ([], 64, None)],
)  # fmt: skip
def test_a_width_explains_all_differing_sizes_or_none(
    differing: list[tuple[int, int]], now: int, then: int | None
) -> None:
    assert checkpoints.by_width(differing, now) == then


def test_blocks_are_counted_by_their_numbers() -> None:
    state: dict[str, Tensor] = {f"t.blocks.{n}.ln.weight": torch.zeros(1) for n in range(3)}
    found = loading(Model(), state)
    assert isinstance(found, Mismatch) and (found.built_blocks, found.saved_blocks) == (0, 3)


HOSTILE: dict[str, tuple[Any, dict[str, Any]]] = {
    "an unknown kind of opening": (Opening, {**UNOPENED, "kind": "raised"}),
    "an unknown format": (Opening, {**UNOPENED, "format": "tar"}),
    "a negative size": (Opening, {**UNOPENED, "size": -1}),
    "half an exception": (Opening, {**UNOPENED, "exception": {"type": "ValueError"}}),
    "a long beginning": (Opening, {**UNOPENED, "beginning": "a" * 1_001}),
    "too many keys": (Opening, {"kind": "opened", "types": {str(n): "dict" for n in range(61)}, "recorded": None}),
    "text for a score": (Opening, {"kind": "opened", "types": {}, "recorded": "0.9"}),
    "no score": (Opening, {"kind": "opened", "types": {}}),
    "an unknown kind of loading": (Loading, {"kind": "fits"}),
    "a field that nobody declared": (Loading, {"kind": "loaded", "more": 1}),
    "an array for a count": (Loading, {**MISMATCH, "missing_count": torch.zeros(2).numpy()}),
    "a shape of 100 axes": (Loading, {**MISMATCH, "missing": [{"name": "a", "shape": [2**39] * 100}]}),
    "a size that is none": (Loading, {**MISMATCH, "missing": [{"name": "a", "shape": [float("nan")]}]}),
    "too many tensors": (Loading, {**MISMATCH, "unexpected": [{"name": "a", "shape": [1]}] * 61}),
    "no owners": (Loading, {key: value for key, value in MISMATCH.items() if key != "owners"}),
}


def test_right_descriptions_are_converted() -> None:
    assert converted(UNOPENED, Opening).size == 3
    assert converted(MISMATCH, Loading).missing[0].shape == (1,)


@pytest.mark.parametrize(("kind", "value"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_descriptions_are_refused(kind: Any, value: dict[str, Any]) -> None:
    with pytest.raises(Misfit):
        converted(value, kind)
