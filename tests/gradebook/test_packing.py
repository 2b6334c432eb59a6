"""Answers as bytes: what is kept comes back to the letter, and takes little room."""

import numpy as np
import pytest

from grader.errors import Unreadable
from grader.evidence import UNASKED, Answer
from grader.gradebook import packing
from grader.records import Observation
from grader.sandbox.inside import protocol


def frame(value: object) -> bytes:
    return b"".join(protocol.encode("", {"value": value}))


def kept(value: object) -> tuple[bytes, dict[str, bytes]]:
    answer = Answer("probe", UNASKED, Observation("value", value, frame=frame(value)))
    return packing.pack_answers({"probe": answer})


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("text " * 400, id="text"),
        pytest.param(np.random.default_rng(0).normal(size=(100, 10)).astype(np.float32), id="floats"),
        pytest.param([np.arange(7), np.array([True] * 3), np.linspace(0, 1, 5)], id="of several sizes"),
        pytest.param({}, id="nothing"),
    ],
)
def test_what_is_kept_comes_back(value: object) -> None:
    index, frames = kept(value)
    read = packing.unpack_answers(index, lambda digest: frames[digest], {}, code_unchanged=True)["probe"].read()
    assert frame(read.value) == frame(value) == read.frame


def test_numbers_and_texts_take_less_room_than_they_had() -> None:
    floats = np.random.default_rng(0).normal(size=5_000).astype(np.float32)
    for value, share in ((floats, 0.9), ("a word and another " * 500, 0.05)):
        (packed,) = kept(value)[1].values()
        assert len(packed) < share * len(frame(value))


def test_damaged_bytes_are_no_answer() -> None:
    index, _ = kept("text " * 400)
    for damaged in (b"", b"g", b"c\0\0", b"?text"):
        answers = packing.unpack_answers(index, lambda digest, data=damaged: data, {}, code_unchanged=True)
        with pytest.raises(Unreadable):
            answers["probe"].read()
