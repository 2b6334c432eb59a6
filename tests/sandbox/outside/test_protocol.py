"""The decoder: whatever bytes come, a value of the agreed form comes out, or one named error."""

import json
import math
import os
import string
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from grader.records import Observation
from grader.sandbox.inside import protocol
from grader.sandbox.outside import replies
from grader.sandbox.outside.connection import WorkerLost, _Incoming

QUICK = settings(max_examples=int(os.environ.get("FUZZ_EXAMPLES", "120")), deadline=None)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
)
keys = st.text(string.printable, max_size=8)
sent_arrays = st.sampled_from(list(protocol.DTYPES.values())).flatmap(
    lambda dtype: arrays.arrays(dtype, arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3))
)
bodies = st.recursive(
    scalars | sent_arrays,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["$array", "nan"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["$array", "$float", "$shared", "value", "raised", "frames", "x"]), inner, max_size=3
        )
    ),
    max_leaves=15,
)


def frame(ident: str, body: Any) -> tuple[bytes, bytes]:
    prefix, header, *blob = protocol.encode(ident, body)
    assert protocol.lengths(prefix) == (len(header), sum(map(len, blob)))
    return header, b"".join(blob)


def same(left: Any, right: Any) -> bool:
    if isinstance(left, np.ndarray):
        return left.dtype == right.dtype and left.shape == right.shape and left.tobytes() == right.tobytes()
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    return type(left) is type(right) and left == right


@QUICK
@given(bodies)
def test_what_was_encoded_is_decoded(body: Any) -> None:
    assert same(body, protocol.decode(*frame("id", body))[1])


@QUICK
@given(st.binary(max_size=300), st.binary(max_size=50))
def test_random_bytes_are_refused_by_name(header: bytes, blob: bytes) -> None:
    with pytest.raises(protocol.ProtocolError):
        protocol.decode(header, blob)


@QUICK
@given(bodies, st.data())
def test_a_changed_frame_is_decoded_or_refused_by_name(body: Any, data: st.DataObject) -> None:
    header, blob = frame("id", body)
    place = data.draw(st.integers(0, len(header) - 1))
    changed = header[:place] + data.draw(st.binary(max_size=4)) + header[place + data.draw(st.integers(0, 4)) :]
    blob = blob[: data.draw(st.integers(0, len(blob)))]
    try:
        protocol.decode(changed, blob)
    except protocol.ProtocolError as error:
        assert len(str(error)) <= 300


@QUICK
@given(json_values, json_values, st.binary(max_size=40))
def test_any_json_becomes_an_observation_or_a_named_error(body: Any, specs: Any, blob: bytes) -> None:
    header = json.dumps({"id": "x", "body": body, "arrays": specs}).encode()
    try:
        _, value = protocol.decode(header, blob)
    except protocol.ProtocolError:
        return
    assert isinstance(replies.observation(value, "", 0.0), Observation)


@QUICK
@given(json_values)
def test_any_body_becomes_an_observation(body: Any) -> None:
    for form in (body, {"value": body}, {"raised": body}, {"undefined": body}):
        assert isinstance(replies.observation(form, "", 0.0), Observation)


@QUICK
@given(st.lists(st.binary(min_size=1, max_size=40), max_size=8))
def test_a_reply_in_any_pieces_is_complete_or_refused(chunks: list[bytes]) -> None:
    incoming = _Incoming()
    try:
        for chunk in chunks:
            incoming.feed(chunk)
        if incoming.complete:
            incoming.decoded()
    except WorkerLost as lost:
        assert lost.outcome == "forged"


BAD = {
    "NaN as a number": b'{"id": "", "body": NaN, "arrays": []}',
    "infinity by its size": b'{"id": "", "body": 1e999, "arrays": []}',
    "a long integer": b'{"id": "", "body": ' + b"1" * 900_000 + b', "arrays": []}',
    "a long fraction": b'{"id": "", "body": 0.' + b"1" * 900_000 + b', "arrays": []}',
    "deep lists": b"[" * 200_000,
    "deep dicts": b'{"a":' * 200_000,
    "deep body": b'{"id": "", "body": ' + b"[" * 40 + b"]" * 40 + b', "arrays": []}',
    "a key twice": b'{"id": "", "body": {"a": 1, "a": 2}, "arrays": []}',
    "a long key": b'{"id": "", "body": {"' + b"a" * 2000 + b'": 1}, "arrays": []}',
    "many values": b'{"id": "", "body": [' + b"[]," * 600_000 + b'1], "arrays": []}',
    "utf-16": '{"id": "", "body": 1, "arrays": []}'.encode("utf-16"),
    "one key more": b'{"id": "", "body": 1, "arrays": [], "more": 1}',
    "an id of numbers": b'{"id": 1, "body": 1, "arrays": []}',
    "a size of true": b'{"id": "", "body": 1, "arrays": [["uint8", [true]]]}',
    "a size of 1.0": b'{"id": "", "body": 1, "arrays": [["uint8", [1.0]]]}',
    "rank 9": b'{"id": "", "body": 1, "arrays": [["uint8", [1,1,1,1,1,1,1,1,1]]]}',
    "sizes that overflow": b'{"id": "", "body": 1, "arrays": [["uint8", [0, 268435456, 268435456, 268435456]]]}',
    "a huge axis beside an empty one": b'{"id": "", "body": 1, "arrays": [["uint8", [268435456, 0]]]}',
    "an array twice": b'{"id": "", "body": [{"$array": 0}, {"$array": 0}], "arrays": [["uint8", [0]]]}',
    "an index of true": b'{"id": "", "body": {"$array": true}, "arrays": [["uint8", [0]]]}',
    "a float of text": b'{"id": "", "body": {"$float": "1.0"}, "arrays": []}',
    "a shared list": b'{"id": "", "body": {"$shared": []}, "arrays": []}',
    "a dtype of lists": b'{"id": "", "body": 1, "arrays": [[["uint8"], [1]]]}',
}


@pytest.mark.parametrize("header", BAD.values(), ids=BAD)
def test_it_is_refused(header: bytes) -> None:
    with pytest.raises(protocol.ProtocolError):
        protocol.decode(header, b"")


def test_not_a_number_passes_where_it_is_agreed() -> None:
    body = {"number": float("nan"), "array": np.array([np.nan, np.inf], np.float32)}
    decoded = protocol.decode(*frame("id", body))[1]
    assert math.isnan(decoded["number"]) and np.isnan(decoded["array"][0])


def test_arrays_are_aligned_and_cannot_be_changed() -> None:
    body = [np.zeros(3, bool), np.arange(3.0)]
    header, blob = frame("id", body)
    for array in protocol.decode(header, memoryview(bytearray(blob)))[1]:
        assert array.flags.aligned and not array.flags.writeable


def test_more_numbers_than_a_check_can_copy_are_refused() -> None:
    count = protocol.LIMITS.numbers + 1
    header = json.dumps({"id": "", "body": {"$array": 0}, "arrays": [["uint8", [count]]]}).encode()
    with pytest.raises(protocol.ProtocolError, match="numbers"):
        protocol.decode(header, bytes(count))


def test_a_length_over_the_cap_is_refused_before_anything_is_kept() -> None:
    incoming = _Incoming()
    with pytest.raises(WorkerLost, match="at most"):
        incoming.feed(protocol.PREFIX.pack(protocol.LIMITS.header + 1, 0))
    with pytest.raises(WorkerLost, match="at most"):
        _Incoming().feed(protocol.PREFIX.pack(1, 2**60))


def test_text_is_cleaned_and_cut() -> None:
    seen = replies.observation({"value": {"k\x1b[31m": "\ud800a\u202e" + "b" * 99_999}}, "", 0.0)
    assert list(seen.value) == ["k"]
    assert seen.value["k"].startswith("ab") and len(seen.value["k"]) < 20_001
