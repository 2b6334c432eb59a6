"""Submissions, answers and scores as bytes, so that a grade can be computed again from what was kept.

Nothing is pickled. Of an answer the frame is kept that came over the wire, whole, under its digest; it is decoded and
converted to its type again when somebody looks at it.
"""

import dataclasses
import hashlib
import json
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import zstandard

from grader.errors import Outdated, Unreadable
from grader.evidence import Answer, Evidence, KeptAnswer, MeasuredScore
from grader.gradebook import digests
from grader.observations import fit
from grader.records import (
    CellLog,
    CheckResult,
    Frame,
    GradeWarning,
    Judgement,
    Measurement,
    Observation,
    Origin,
    Piece,
    Program,
    Raised,
    Submission,
    SyntaxProblem,
)
from grader.rubric_reads import Noted
from grader.sandbox.inside import protocol
from grader.sandbox.outside import replies
from grader.sharing import Recall

# How the bytes of a frame are kept. Of floats the signs and exponents compress, once they lie side by side. What earlier
# versions of this project kept is raw or deflated.
RAW, DEFLATED, COMPRESSED, GROUPED = b"r", b"z", b"c", b"g"
Fetch = Callable[[str], bytes]  # a packed frame by its digest


def pack_answers(answers: Mapping[str, Answer]) -> tuple[bytes, dict[str, bytes]]:
    """Pack answers.

    Args:
        answers: by probe.

    Returns:
        an index of all answers, and by digest the frames that they came in.
    """
    frames: dict[str, bytes] = {}
    index = {probe: _entry(answer, frames) for probe, answer in answers.items()}
    return zlib.compress(json.dumps(index).encode(), 1), frames


def _entry(answer: Answer, frames: dict[str, bytes]) -> dict[str, Any]:
    """What is kept of an answer beside its frame, which is added to ``frames``."""
    observation = answer.observation
    frame = bytes(observation.frame) or (
        b"".join(protocol.encode("", {"value": observation.value})) if answer.ok else b""
    )
    digest = ""
    max_unfit_frame = 4 << 20  # bytes of a frame that does not fit its type; what is longer is not kept
    if frame and (observation.outcome in ("value", "raised", "undefined") or len(frame) <= max_unfit_frame):
        digest = hashlib.sha256(frame).hexdigest()
        frames[digest] = packed_frame(frame)
    raised = None if observation.raised is None else dataclasses.asdict(observation.raised)
    return {
        "outcome": observation.outcome, "frame": digest, "raised": raised, "detail": observation.detail, "output": observation.output,
        "seconds": observation.seconds, "asked": answer.asked, "misfit": observation.misfit,
        "slip": observation.slip,
    }  # fmt: skip


def packed_frame(frame: bytes) -> bytes:
    """The bytes of a frame as they are kept."""
    max_thorough = 1 << 18  # bytes; embeddings and predictions are longer, and hardly get any smaller
    level = 9 if len(frame) <= max_thorough else 3
    grouped = GROUPED + zstandard.compress(_grouped(frame), level)
    return min(COMPRESSED + zstandard.compress(frame, level), grouped, key=len)


def _grouped(frame: bytes) -> bytes:
    """The first bytes of all float32, then the second ones, and so on, as if a frame were nothing but these."""
    whole = len(frame) // 4 * 4
    return np.frombuffer(frame[:whole], np.uint8).reshape(-1, 4).T.tobytes() + frame[whole:]


def _ungrouped(data: bytes) -> bytes:
    whole = len(data) // 4 * 4
    return np.frombuffer(data[:whole], np.uint8).reshape(4, -1).T.tobytes() + data[whole:]


def unpack_answers(
    data: bytes, fetch: Fetch, declared: Mapping[str, Any], code_unchanged: bool
) -> dict[str, KeptAnswer]:
    """Read back what was kept; each frame is read when its answer is looked at.

    Args:
        fetch: gives packed frames.
        declared: by probe, the type of its answer.
        code_unchanged: the questions cannot have changed since.

    Raises:
        Unreadable: the bytes were not written by ``pack_answers``.
    """
    try:
        index = json.loads(zlib.decompress(data))
        return {
            probe: KeptAnswer(
                partial(_read, entry, fetch, declared.get(probe)), entry["asked"], code_unchanged, entry["seconds"]
            )
            for probe, entry in index.items()
        }
    except Exception as error:
        raise Unreadable(f"kept answers cannot be read: {error}") from None


def _read(entry: dict[str, Any], fetch: Fetch, declared: Any) -> Observation:
    """An observation from its index entry and its frame.

    Raises:
        Outdated: the answer does not fit the type that its operation declares today: it has to be asked again.
        Unreadable: the bytes are damaged.
    """
    try:
        raised = None if entry["raised"] is None else _raised(entry["raised"])
        plain = Observation(
            entry["outcome"], raised=raised, detail=entry["detail"], output=entry["output"], seconds=entry["seconds"],
            misfit=entry.get("misfit", ""), slip=entry.get("slip", ""),
        )  # fmt: skip
        frame = _frame(fetch(entry["frame"]), entry["frame"]) if entry["frame"] else b""
        if plain.outcome != "value":
            return dataclasses.replace(plain, frame=frame)
        observation = _answered(plain, frame, declared)
    except Exception as error:
        raise Unreadable(f"a kept answer cannot be read: {error}") from None
    if observation.outcome != "value":
        raise Outdated("a kept answer has another form than this version reads: the submission must be graded again")
    return observation


def _answered(plain: Observation, frame: bytes, declared: Any) -> Observation:
    """A value from the frame that it came in, and from all else that is known of it."""
    body = protocol.decode(*_parts(frame))[1]
    return fit(replies.observation(body, plain.output, plain.seconds, frame), declared, None)


def recall(fetch: Fetch, forms: Mapping[str, Any]) -> Recall:
    """What reads answers back that submissions of one run have in common.

    Args:
        fetch: gives packed frames.
        forms: by operation, the type of its answer.
    """

    def read(op: str, plain: Observation, digest: str) -> Observation:
        found = _answered(plain, _frame(fetch(digest), digest), forms.get(op))
        return dataclasses.replace(found, content=plain.content)

    return read


def _frame(packed: bytes, digest: str) -> bytes:
    unpack: dict[bytes, Callable[[bytes], bytes]] = {
        RAW: bytes,
        DEFLATED: zlib.decompress,
        COMPRESSED: zstandard.decompress,
        GROUPED: lambda data: _ungrouped(zstandard.decompress(data)),
    }
    frame = unpack[packed[:1]](packed[1:])
    if hashlib.sha256(frame).hexdigest() != digest:
        raise ValueError("its bytes do not have their digest")
    return frame


def _parts(frame: bytes) -> tuple[bytes, memoryview]:
    """The header and the arrays' bytes of a frame."""
    start = protocol.PREFIX.size
    middle = start + protocol.lengths(frame[:start])[0]
    return frame[start:middle], memoryview(frame)[middle:]


def _raised(kept: dict[str, Any]) -> Raised:
    frames = tuple(Frame(**frame) for frame in kept["frames"])
    return Raised(kept["type"], tuple(kept["bases"]), kept["message"], frames)


def pack_submission(submission: Submission) -> bytes:
    """Compress what judging needs of a submission: its program, its log, its digest, its small code files."""
    kept = dataclasses.asdict(dataclasses.replace(submission, path=Path(), root=Path(), files={}))
    files = {name: path.relative_to(submission.root).as_posix() for name, path in submission.files.items()}
    kept |= {"path": str(submission.path), "root": "", "files": files, "texts": _texts(submission)}
    kept["weights"] = {
        name: _checksums(path) for name, path in submission.files.items() if name.endswith((".pt", ".pth"))
    }
    return zlib.compress(json.dumps(kept).encode(), 6)


def _texts(submission: Submission) -> dict[str, str]:
    """Code files that a check may compare."""
    found: dict[str, str] = {}
    max_bytes_of_one, max_bytes_of_all = 64 << 10, 1 << 20  # bytes of code files that are kept, of one and of all
    left = max_bytes_of_all
    for name, path in sorted(submission.files.items()):
        if name.endswith(".py") and path.is_file() and path.stat().st_size <= min(max_bytes_of_one, left):
            found[name] = path.read_bytes().decode("latin-1")
            left -= len(found[name])
    return found


def unpack_submission(data: bytes, root: Path) -> Submission:
    """Read a submission back.

    Args:
        root: an empty or new folder, which the code files that were kept are written into.

    Raises:
        GraderError: the bytes were not written by ``pack_submission``.
    """
    try:
        return _submission(json.loads(zlib.decompress(data)), root)
    except Exception as error:
        raise Unreadable(f"a kept submission cannot be read: {error}") from None


def _piece(kept: dict[str, Any]) -> Piece:
    """A statement; until 2026-11-30 those with postponed annotations were kept with a line before them that says so."""
    line = "from __future__ import annotations\n"
    if not kept["source"].startswith(line):
        return Piece(**kept)
    return Piece(**{**kept, "source": kept["source"].removeprefix(line), "line": kept["line"] + 1, "postponed": True})


def _submission(kept: dict[str, Any], root: Path) -> Submission:
    program = Program(
        tuple(map(_piece, kept["program"]["main"])),
        {name: tuple(map(_piece, pieces)) for name, pieces in kept["program"]["modules"].items()},
        {name: Origin(**origin) for name, origin in kept["program"]["names"].items()},
        tuple((module, _piece(piece)) for module, piece in kept["program"].get("call", [])),
        kept["program"].get("undefined", {}),
        {name: (cell, line) for name, (cell, line) in kept["program"].get("called", {}).items()},
    )
    cells = tuple(CellLog(**{**cell, "errors": tuple(cell["errors"])}) for cell in kept["cells"])
    unparsed = (SyntaxProblem(**{**each, "names": tuple(each["names"])}) for each in kept.get("syntax_errors", ()))
    files = {name: root / inside for name, inside in kept["files"].items()}
    for name, text in kept["texts"].items():
        files[name].parent.mkdir(parents=True, exist_ok=True)
        files[name].write_bytes(text.encode("latin-1"))
    return Submission(
        kept["name"], Path(kept["path"]), root, kept["sha256"], kept["notebook"],
        program, cells, files, tuple(kept["problems"]), tuple(kept.get("left_out", ())),
        tuple(unparsed),
    )  # fmt: skip


def _checksums(path: Path) -> list[str]:
    """CRC and size of every storage, as the archive itself names them: nothing is unpickled or unpacked."""
    min_bytes, max_storages = 1 << 10, 10_000  # bytes of a tensor that tells something; how many of them
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()[:max_storages]
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):  # an old or a broken checkpoint
        return []
    storages = (member for member in members if "/data/" in member.filename and member.file_size >= min_bytes)
    return sorted({f"{member.CRC:08x}-{member.file_size}" for member in storages})


def pack_scores(measured: Mapping[str, MeasuredScore]) -> bytes:
    """Pack the scores that are kept, each with the digest of the module that computed it."""
    kept = {n: [score.value, score.code, digests.package(score.code)] for n, score in measured.items() if score.code}
    return json.dumps(kept).encode()


def unpack_scores(data: bytes) -> dict[str, MeasuredScore]:
    """Read back the scores that still hold; none where they are damaged: they can be computed again."""
    try:
        kept = json.loads(data).items()
        return {name: MeasuredScore(value, code) for name, (value, code, was) in kept if digests.package(code) == was}
    except Exception:
        return {}


@dataclass(frozen=True)
class KeptVerdicts:
    """What was judged, and what that rests on.

    Attributes:
        verdicts: by criterion.
        noted: what they take from the rubric, see ``rubric_reads``.
        results: what measures and warnings came to, by piece of judging, see ``reading``.
        reads: by piece of judging, the pieces that it read.
        code: digest of the code that judged, see ``sources``; "" where that is not known.
        given: … of the given files.
    """

    verdicts: dict[str, Judgement]
    noted: Noted
    results: dict[str, Any] = field(default_factory=dict)
    reads: dict[str, list[str]] = field(default_factory=dict)
    code: str = ""
    given: str = ""


def verdicts_of(evidence: Evidence, code: str) -> KeptVerdicts:
    """What is kept of a judging by some code."""
    results = {piece: found for piece, found in evidence.reading.results.items() if not piece.startswith("criterion ")}
    noted, reads = evidence.rubric.noted, evidence.reading.noted
    return KeptVerdicts(evidence.verdicts, noted, results, reads, code, evidence.given.digest)


def pack_verdicts(kept: KeptVerdicts) -> bytes:
    """Pack the verdicts of a grade, all that were judged."""
    return zstandard.compress(json.dumps(kept, default=vars).encode())


def unpack_verdicts(data: bytes) -> KeptVerdicts | None:
    """Read back what was judged; None where that cannot be read: it can be judged again."""
    try:
        kept = json.loads(zstandard.decompress(data))
        verdicts = {ident: _judgement(each) for ident, each in kept.pop("verdicts").items()}
        results = {piece: _result(found) for piece, found in kept.pop("results", {}).items()}
        return KeptVerdicts(verdicts, results=results, **kept)
    except Exception:
        return None


def _result(kept: Any) -> Any:
    """What a measure or a warning function came to."""
    return [GradeWarning(**warning) for warning in kept] if isinstance(kept, list) else kept


def _judgement(kept: dict[str, Any]) -> Judgement:
    results = (
        CheckResult(**{**each, "measurement": each["measurement"] and Measurement(**each["measurement"])})
        for each in kept["results"]
    )
    return Judgement(**{**kept, "results": tuple(results)})
