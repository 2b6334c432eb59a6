"""Submissions and observations as bytes, so that a grade can be computed again from what was kept."""

import dataclasses
import json
import zlib
from pathlib import Path
from typing import Any

from grader.errors import GraderError
from grader.records import CellLog, Frame, Observation, Origin, Piece, Program, Raised, Submission
from grader.worker import protocol


def pack_observations(observations: dict[str, Observation]) -> bytes:
    """Compress observations, arrays included. Nothing is pickled."""
    body = {probe: _plain(observation) for probe, observation in observations.items()}
    return zlib.compress(b"".join(protocol.encode("kept", body)), 1)


def unpack_observations(data: bytes) -> dict[str, Observation]:
    """Read observations back.

    Raises:
        GraderError: the bytes were not written by ``pack_observations``.
    """
    try:
        frame = zlib.decompress(data)
        size, _ = protocol.lengths(frame[: protocol.PREFIX.size])
        middle = protocol.PREFIX.size + size
        _, body = protocol.decode(frame[protocol.PREFIX.size : middle], frame[middle:])
        return {probe: _observation(kept) for probe, kept in body.items()}
    except (zlib.error, protocol.ProtocolError, KeyError, TypeError, ValueError) as error:
        raise GraderError(f"kept observations cannot be read: {error}") from None


def pack_submission(submission: Submission) -> bytes:
    """Compress what judging needs of a submission: its program, its log, its digest; no file."""
    kept = dataclasses.asdict(dataclasses.replace(submission, path=Path(), root=Path(), files={}))
    kept |= {"path": str(submission.path), "root": "", "files": {n: str(p) for n, p in submission.files.items()}}
    return zlib.compress(json.dumps(kept).encode(), 6)


def unpack_submission(data: bytes) -> Submission:
    """Read a submission back; its files are no longer there."""
    kept = json.loads(zlib.decompress(data))
    program = Program(
        tuple(Piece(**piece) for piece in kept["program"]["main"]),
        {name: tuple(Piece(**piece) for piece in pieces) for name, pieces in kept["program"]["modules"].items()},
        {name: Origin(**origin) for name, origin in kept["program"]["names"].items()},
    )
    cells = tuple(CellLog(**{**cell, "errors": tuple(cell["errors"])}) for cell in kept["cells"])
    rest: dict[str, Any] = {
        "path": Path(kept["path"]), "root": Path(kept["root"]), "program": program, "cells": cells,
        "files": {name: Path(path) for name, path in kept["files"].items()},
    }  # fmt: skip
    rest |= {name: kept[name] for name in ("name", "sha256", "notebook")}
    if "problems" in kept:
        rest["problems"] = tuple(kept["problems"])
    return Submission(**rest)


def _plain(observation: Observation) -> dict[str, Any]:
    kept = {f.name: getattr(observation, f.name) for f in dataclasses.fields(observation)}
    raised = observation.raised
    return {**kept, "raised": None if raised is None else dataclasses.asdict(raised)}


def _observation(kept: dict[str, Any]) -> Observation:
    raised = kept["raised"]
    if raised is not None:
        frames = tuple(Frame(**frame) for frame in raised["frames"])
        raised = Raised(raised["type"], tuple(raised["bases"]), raised["message"], frames)
    return Observation(**{**kept, "raised": raised})
