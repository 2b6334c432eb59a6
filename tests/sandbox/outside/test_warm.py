"""Warm workers as the rest of the grader sees them."""

import gc
import os
import signal
import sys
import threading
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grader.errors import GraderError
from grader.sandbox.inside import landlock, protocol, usage
from grader.sandbox.inside.plan import Limits
from grader.sandbox.outside import ColdWorkers, access, choose_workers, tiers, zygote_connection
from grader.sandbox.outside.warm import WarmWorkers

OPS = ["tests.attacks.ops"]


def program(*cells: str) -> dict[str, Any]:
    pieces = [{"source": text, "file": "a.ipynb", "cell": cell, "line": 1} for cell, text in enumerate(cells, 1)]
    return {"main": pieces, "modules": {}, "names": {}}


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarmWorkers]:
    path = tmp_path_factory.mktemp("shared") / "images.npy"
    np.save(path, np.arange(12, dtype=np.uint8).reshape(3, 4))
    workers = WarmWorkers(OPS, {"images": str(path)}, limits=Limits(memory=1 << 30))
    yield workers
    workers.close()


def call(workers: WarmWorkers, body: str, seconds: float = 30.0) -> Any:
    worker = workers.open(program("import torch\ndef work():\n    " + body), "")
    try:
        return worker.ask("call", {"name": "work"}, seconds)
    finally:
        worker.close()


def test_a_zygote_starts_in_the_background() -> None:
    workers = WarmWorkers([], {})
    assert workers.zygote.known is None and workers.zygote.process.poll() is None
    workers.close()
    assert workers.zygote.process.poll() is not None


def test_a_function_is_called_and_its_prints_are_kept(workers: WarmWorkers) -> None:
    seen = call(workers, "print('hello'); return torch.arange(3)")
    assert seen.output == "hello\n"
    assert seen.value["array"].tolist() == [0, 1, 2]


def test_shared_arrays_reach_an_operation(workers: WarmWorkers) -> None:
    worker = workers.open(program("def work(): return 1"), "")
    assert worker.ask("call", {"name": "work"}, 30).outcome == "value"
    assert worker.ask("call", {"name": {"$shared": "images"}}, 30).outcome == "raised"  # an array is no name
    worker.close()


def test_two_threads_train_after_the_fork(workers: WarmWorkers) -> None:
    body = "torch.set_num_threads(2); torch.nn.Linear(64, 64)(torch.ones(999, 64)).sum().backward(); return 1"
    assert call(workers, body).outcome == "value"


def test_a_lost_worker_comes_back_loaded(workers: WarmWorkers) -> None:
    worker = workers.open(program("import os\ndef good(): return 1\ndef bad(): os._exit(1)"), "")
    outcomes = [worker.ask("call", {"name": name}, 30).outcome for name in ("good", "bad", "good")]
    worker.close()
    assert outcomes == ["value", "crashed", "value"]


def test_a_worker_that_the_system_kills_lacked_memory_until_a_second_opinion(workers: WarmWorkers) -> None:
    worker = workers.open(program("def work(): import time; time.sleep(60)"), "")
    assert worker.ask("load", {}, 30).outcome == "value"
    pid = usage.children(workers.zygote.process.pid)[0]
    threading.Timer(0.3, os.kill, (pid, signal.SIGKILL)).start()
    seen = worker.ask("call", {"name": "work"}, 30)
    worker.close()
    assert (seen.outcome, "SIGKILL" in seen.detail) == ("memory", True)


def test_a_submission_that_cannot_be_loaded_is_not_tried_again(workers: WarmWorkers) -> None:
    worker = workers.open(program("while True: pass"), "")
    worker.load_seconds = 0.5
    first = worker.ask("call", {"name": "x"}, 30)
    started = next(workers.names)
    again = [worker.ask("call", {"name": "x"}, 30), worker.ask("load", {}, 30)]
    assert again == [first, first] and first.outcome == "timeout"
    assert next(workers.names) == started + 1
    worker.close()


def test_workers_live_side_by_side(workers: WarmWorkers) -> None:
    seen: list[Any] = []
    threads = [threading.Thread(target=lambda: seen.append(call(workers, "return 1"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [each.outcome for each in seen] == ["value"] * 4
    assert workers.slots == set()


def test_the_sandbox_is_told_in_words(workers: WarmWorkers) -> None:
    assert workers.sandbox.keys() == {"tier", "filesystem", "network", "syscalls", "limits"}
    assert "not enforced" not in str(workers.sandbox)


def test_what_a_zygote_cannot_import_is_one_line() -> None:
    workers = WarmWorkers(["no.such.module"], {}, libraries=["torch"])
    with pytest.raises(GraderError, match="no is not installed for"):
        workers.open(program(), "").ask("load", {}, 30)
    workers.close()


def test_a_package_that_is_not_installed_is_named_with_its_interpreter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    venv.create(tmp_path / "bare", with_pip=False)
    bare = str(tmp_path / "bare/bin/python")
    monkeypatch.setattr(sys, "executable", bare)
    monkeypatch.setattr(access, "package_folders", list)  # the tests' own interpreter has torch
    workers = WarmWorkers([], {})
    with pytest.raises(GraderError, match=f"torch is not installed for {bare}; .*{bare} -m pip install"):
        workers.open(program(), "").ask("load", {}, 30)
    workers.close()


def test_the_last_words_of_a_zygote_that_cannot_start_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zygote_connection, "LAUNCH", "raise SystemExit('no space left')")
    workers = WarmWorkers([], {})
    with pytest.raises(GraderError, match="exit status 1: no space left"):
        workers.open(program(), "").ask("load", {}, 30)
    workers.close()


def test_a_zygote_that_dies_twice_is_the_end(workers: WarmWorkers) -> None:
    own = WarmWorkers([], {}, libraries=["torch"])
    for _ in range(2):
        os.kill(own.zygote.process.pid, signal.SIGKILL)
        own.zygote.process.wait()
        worker = own.open(program("x = 1"), "")
        if own.restarts_left:
            assert worker.ask("load", {}, 30).outcome == "value"
            worker.close()
    with pytest.raises(GraderError, match=r"was lost .exit status -9. twice"):
        worker.ask("load", {}, 30)
    own.close()


def test_lives_leave_nothing_behind(workers: WarmWorkers) -> None:
    ends = ["x = 1", "import os\nos._exit(3)", "import ctypes\nctypes.string_at(0)", "while True: pass"]

    def live(source: str) -> None:
        worker = workers.open(program(source), "")
        worker.load_seconds = 0.2 if "while" in source else 30.0
        worker.ask("load", {}, 30)
        worker.close()

    def footprint() -> tuple[int, ...]:
        gc.collect()  # of workers that tests before this one left open
        children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
        return (
            len(list(Path("/proc/self/fd").iterdir())),
            len(children),
            len(list(Path(workers.zygote.folder).iterdir())),
        )

    for end in ends:
        live(end)
    before = footprint()
    for number in range(24):
        live(ends[number % 4])
    assert footprint() == before


def test_a_system_without_confinement_refuses_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(GraderError, match="--unconfined"):
        choose_workers([], {})
    workers = choose_workers([], {}, unconfined=True)
    assert isinstance(workers, ColdWorkers)
    assert all("not enforced" in workers.sandbox[name] for name in ("filesystem", "network", "syscalls"))


def test_a_kernel_without_landlock_refuses_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.sandbox.inside.landlock.version", lambda: 0)
    with pytest.raises(GraderError, match="lacks Landlock"):
        choose_workers([], {})


def test_a_tier_that_a_canary_survives_is_not_chosen() -> None:
    found = {"T1": ["could read a file"], "T3": ["EPERM"]}
    tier = tiers.choose(False, None, lambda tier: found.get(tier.name, []))
    assert tier.name not in found
    with pytest.raises(GraderError, match="could fork"):
        tiers.choose(False, None, lambda tier: ["could fork"])


def test_without_any_layer_the_self_test_finds_every_canary() -> None:
    from grader.sandbox.outside import tier_selftest

    workers = WarmWorkers([], {}, libraries=["torch"])
    found = tier_selftest.findings(workers, tiers.Tier("none", "", (), None))
    workers.close()
    assert {"could read a file", "could connect by TCP", "could signal a process", "could fork"} <= set(found)


def test_words_say_what_is_not_enforced() -> None:
    nothing = tiers.words(tiers.TOO_LITTLE[-1], Limits())
    assert all("not enforced" in nothing[name] for name in ("filesystem", "network", "syscalls"))


def test_landlock_says_its_version() -> None:
    assert landlock.version() >= 1


def test_a_request_over_the_caps_is_the_graders_fault(workers: WarmWorkers) -> None:
    worker = workers.open(program("x = 1"), "")
    assert worker.ask("call", {"name": "x" * (protocol.LIMITS.header + 1)}, 30).outcome == "fault"
    assert worker.ask("call", {"name": "y"}, 30).outcome == "undefined"
    worker.close()
