"""Feed hostile bytes to what reads them: the protocol's decoder, the notebook intake, the archive intake.

    python bench/fuzz.py [--minutes 3] [--engine hypothesis|atheris] [--target protocol notebook archive] [--seed N]

Every input must be answered: by a value or by one named refusal, within SECONDS, without a file outside the
workspace and without memory that stays. hypothesis builds inputs of the right form and damages them; atheris
(``pip install atheris``) starts from the same kind of inputs and follows coverage. The minutes are each target's.
Exit status 1 when an input was not answered; it is kept in ``fuzz-failures/``.
"""

import argparse
import atexit
import hashlib
import io
import json
import random
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

SECONDS = 10.0  # one input; the slowest seen is printed
GROWTH_MIB = 64  # what the generators themselves may keep
FAILURES = Path("fuzz-failures")


def protocol_target(data: bytes) -> None:
    """A reply as it comes from a worker, in two chunks."""
    from grader.records import Observation
    from grader.sandbox.outside import replies
    from grader.sandbox.outside.connection import WorkerLost, _Incoming

    incoming = _Incoming()
    try:
        incoming.feed(data[: len(data) // 2])
        incoming.feed(data[len(data) // 2 :])
        if incoming.complete:
            _, body = incoming.decoded()
            assert isinstance(replies.observation(body, "", 0.0), Observation)
    except WorkerLost as lost:
        assert lost.outcome == "forged" and len(str(lost)) < 400


def notebook_target(data: bytes) -> None:
    _opened("x.ipynb", data)


def archive_target(data: bytes) -> None:
    _opened("x.tar" if data[:1] == b"t" else "x.zip", data[1:])


def _opened(name: str, data: bytes) -> None:
    """Open a submission in this process, which takes a hundredth of the time."""
    from grader.intake.reading.limits import IntakeLimits
    from grader.intake.reading.main import reply

    folder = _folder()
    (folder / name).write_bytes(data)
    root = folder / "root"
    root.mkdir()
    request = {"do": "open", "path": str(folder / name), "workspace": str(root), "files": {}}
    request |= {"wanted": ["x"], "provided": ["y"], "never_called": ["z"]}
    answer = reply(request, IntakeLimits(unpacked=20_000_000, ratio_from=1_000_000))
    assert len(answer) == 1 and json.dumps(answer)
    assert "value" in answer or not any(root.iterdir()), "a refused submission left files"
    assert sorted(path.name for path in folder.iterdir()) == sorted([name, "root"]), "written outside the workspace"
    (folder / name).unlink()
    shutil.rmtree(root)


def _folder() -> Path:
    if not hasattr(_folder, "path"):
        _folder.path = Path(tempfile.mkdtemp(prefix="vit-fuzz-"))  # type: ignore[attr-defined]
        atexit.register(shutil.rmtree, _folder.path, ignore_errors=True)  # type: ignore[attr-defined]
    return _folder.path  # type: ignore[attr-defined,no-any-return]


def _replies() -> st.SearchStrategy[bytes]:
    from grader.sandbox.inside import protocol
    from tests.sandbox.outside.test_protocol import bodies, json_values

    def raw(values: tuple[object, object, bytes]) -> bytes:
        header = json.dumps({"id": "x", "body": values[0], "arrays": values[1]}).encode()
        return protocol.PREFIX.pack(len(header), len(values[2])) + header + values[2]

    sent = bodies.map(lambda body: b"".join(protocol.encode("x", {"value": body})))
    return st.one_of(sent, st.tuples(json_values, json_values, st.binary(max_size=40)).map(raw), st.binary())


def _notebooks() -> st.SearchStrategy[bytes]:
    from tests.intake.test_fuzz import anything, code

    cells = st.lists(code.map(lambda text: {"cell_type": "code", "source": text}) | anything, max_size=4)
    return cells.map(lambda found: json.dumps({"nbformat": 4, "cells": found}).encode("utf-8", "replace"))


def _archives() -> st.SearchStrategy[bytes]:
    from tests.intake.test_fuzz import names

    usable = names.filter(lambda name: not any("\ud800" <= char <= "\udfff" for char in name))
    files = st.dictionaries(usable | st.sampled_from(["a.ipynb", "m.py", "in.zip"]), st.binary(max_size=60), max_size=4)
    return st.tuples(st.sampled_from([_zip, _tar, _tar_gz]), files).map(lambda made: made[0](made[1]))


def _zip(files: dict[str, bytes]) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("\0", "") or "x", content)  # zipfile cuts names there
    return b"z" + memory.getvalue()


def _tar(files: dict[str, bytes], mode: str = "w") -> bytes:
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode=mode) as archive:  # type: ignore[call-overload]
        for number, (name, content) in enumerate(files.items()):
            info = tarfile.TarInfo(name)
            info.size, info.type = len(content), tarfile.SYMTYPE if number == 3 else tarfile.REGTYPE
            archive.addfile(info, io.BytesIO(content))
    return b"t" + memory.getvalue()


def _tar_gz(files: dict[str, bytes]) -> bytes:
    return _tar(files, "w:gz")


TARGETS: dict[str, tuple[Callable[[bytes], None], Callable[[], st.SearchStrategy[bytes]]]] = {
    "protocol": (protocol_target, _replies),
    "notebook": (notebook_target, _notebooks),
    "archive": (archive_target, _archives),
}


@st.composite
def damaged(draw: st.DrawFn, whole: st.SearchStrategy[bytes]) -> bytes:
    """Inputs of the right form, as they are or changed in a few places."""
    data = bytearray(draw(whole))
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, len(data)))
        data[place : place + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(data)


def by_hypothesis(name: str, minutes: float, start_seed: int) -> bool:
    """Batches of fresh inputs until the time is over; whether all were answered."""
    target, inputs = TARGETS[name]
    slowest, count, memory = 0.0, 0, 0.0

    def once(data: bytes) -> None:
        nonlocal slowest, count
        start = time.monotonic()
        try:
            target(data)
            slowest = max(slowest, time.monotonic() - start)
            assert time.monotonic() - start < SECONDS, "too slow"
        except BaseException:
            _keep(name, data)
            raise
        count += 1

    plain = settings(
        max_examples=500, deadline=None, database=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate]
    )
    strategy, end = damaged(inputs()), time.monotonic() + 60 * minutes
    for number in _numbers(end, start_seed):
        seed(number)(plain(given(strategy)(once)))()
        memory = memory or _resident_mib()  # after the first batch everything is imported
    grown = _resident_mib() - memory
    print(f"hypothesis {name}: {count} inputs in {minutes:g} min, slowest {slowest:.2f} s, memory {grown:+.0f} MiB")
    return grown < GROWTH_MIB


def _numbers(end: float, first: int) -> Iterator[int]:
    while time.monotonic() < end:
        yield first
        first += 1


def _resident_mib() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / (1 << 20)


def _keep(name: str, data: bytes) -> None:
    FAILURES.mkdir(exist_ok=True)
    (FAILURES / f"{name}-{hashlib.sha256(data).hexdigest()[:12]}").write_bytes(data)


def by_atheris(name: str, minutes: float, start_seed: int) -> bool:
    """libFuzzer in a process of its own, which ends with the process; whether it found nothing."""
    with tempfile.TemporaryDirectory(prefix="vit-fuzz-corpus-") as corpus:
        for number, data in enumerate(_seeds(name)):
            (Path(corpus) / str(number)).write_bytes(data)
        FAILURES.mkdir(exist_ok=True)
        command = [sys.executable, __file__, "--inside", name, corpus, f"-max_total_time={round(60 * minutes)}"]
        command += [f"-seed={start_seed + 1}", f"-timeout={SECONDS:.0f}", "-rss_limit_mb=3000", "-max_len=20000"]
        command += [f"-artifact_prefix={FAILURES}/{name}-", "-print_final_stats=1"]
        done = subprocess.run(command, capture_output=True, text=True)
    if not any(FAILURES.iterdir()):
        FAILURES.rmdir()
    stats = [line for line in done.stderr.splitlines() if line.startswith(("stat::number_of", "stat::peak", "Done"))]
    print(f"atheris {name}:", "; ".join(stats) or done.stderr[-2000:])
    if done.returncode:
        print(done.stderr[-3000:])
    return done.returncode == 0


def _seeds(name: str) -> list[bytes]:
    found: list[bytes] = []
    gather = settings(max_examples=60, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    gather(given(TARGETS[name][1]())(lambda data: found.append(data)))()
    return found


def inside(name: str, arguments: list[str]) -> None:
    """The process that atheris takes over."""
    import atheris

    with atheris.instrument_imports(
        include=["grader.sandbox.inside.protocol", "grader.sandbox.outside", "grader.intake.reading"]
    ):
        pass
    warnings.simplefilter("ignore")
    atheris.Setup([sys.argv[0], *arguments], TARGETS[name][0])
    atheris.Fuzz()


def main() -> int:
    if sys.argv[1:2] == ["--inside"]:
        inside(sys.argv[2], sys.argv[3:])
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--engine", choices=("hypothesis", "atheris"), default="hypothesis")
    parser.add_argument("--target", nargs="+", choices=TARGETS, default=list(TARGETS))
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # zipfile warns of doubled names
    sys.setrecursionlimit(3000)  # as the reading process has it
    run = by_hypothesis if arguments.engine == "hypothesis" else by_atheris
    print(f"seed {arguments.seed}", flush=True)
    answered = [run(name, arguments.minutes, arguments.seed) for name in arguments.target]
    return int(not all(answered))


if __name__ == "__main__":
    sys.exit(main())
