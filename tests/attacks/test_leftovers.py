"""Nothing outlives its worker, and no worker outlives the grader."""

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from grader.sandbox.inside import cgroups
from grader.sandbox.outside.warm import WarmWorkers

from .attack import LIMITS, load, program, told
from .targets import PROJECT

MARK = "vit_attack_mark"


def marked(mark: str) -> list[int]:
    """Processes, other than this one, whose name is the mark."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                name = (entry / "comm").read_text().strip()
                if name == mark and (entry / "stat").read_text().split(") ")[1][0] != "Z":
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def gone(mark: str, seconds: float = 60.0) -> bool:
    deadline = time.monotonic() + seconds
    while marked(mark) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not marked(mark)


def naming(mark: str) -> str:
    return f"libc.prctl(15, b'{mark}', 0, 0, 0)\n"


@pytest.mark.parametrize("end", ["close", "timeout", "crash"])
def test_no_process_outlives_its_worker(end: str, workers: WarmWorkers) -> None:
    mark = f"mark{os.getpid()}{end}"
    code = naming(mark) + "threading.Thread(target=time.sleep, args=(60,)).start()\n"
    code += {"close": "", "timeout": "time.sleep(60)", "crash": "ctypes.string_at(0)"}[end]
    seen = load(workers, code, seconds=1.0 if end == "timeout" else 60.0)
    assert seen.outcome == {"close": "value", "timeout": "timeout", "crash": "crashed"}[end], told(seen)
    assert not marked(mark)


def test_a_daemon_survives_only_where_nothing_is_confined(unconfined: WarmWorkers) -> None:
    mark = f"mark{os.getpid()}dmn"
    code = f"""
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        {naming(mark)}        time.sleep(60)
"""
    load(unconfined, code, seconds=60.0)
    assert not marked(mark), "even there its inheritor, the zygote, ends it"


def test_every_worker_starts_with_nothing(workers: WarmWorkers) -> None:
    load(workers, "import torch\ntorch.mark = 1\nos.environ['MARK'] = '1'\nopen('mark', 'w').close()")
    seen = load(workers, "import torch\nprint(hasattr(torch, 'mark'), 'MARK' in os.environ, os.listdir('.'))")
    assert seen.output == "False False []\n", told(seen)


def test_the_scratch_is_gone_whatever_was_done_to_it(workers: WarmWorkers) -> None:
    code = """
os.makedirs('a/b'); open('a/b/c', 'w').close(); os.symlink('/', 'root'); os.mkfifo('fifo')
os.mkdir('closed', 0); os.mkdir('\\udcff'.encode('utf-8', 'surrogateescape')); print(os.getcwd())
for _ in range(300): os.mkdir('d'); os.chdir('d')
"""
    seen = load(workers, code)
    assert not os.path.lexists(seen.output.strip()), told(seen)


def test_environment_of_the_grader_is_not_there(workers: WarmWorkers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    seen = load(workers, "libc.getenv.restype = ctypes.c_char_p\nprint(dict(os.environ), libc.getenv(b'SECRET_TOKEN'))")
    assert "hunter2" not in seen.output and "SECRET" not in seen.output
    assert str(Path.home()) + "'" not in seen.output


@pytest.mark.parametrize("together", [False, True], ids=["the grader", "the grader and the parent of workers"])
def test_a_grader_that_is_killed_leaves_no_process(together: bool, workers: WarmWorkers) -> None:
    mark = f"mark{os.getpid()}gr{together:d}"
    script = f"""
    import sys
    sys.path.insert(0, {str(PROJECT)!r})
    from grader.sandbox.outside.warm import WarmWorkers
    from tests.attacks.attack import program
    workers = WarmWorkers([], {{}}, libraries=["torch"], tier={workers.tier().name!r})
    worker = workers.open(program({naming(mark)!r} + "while True: pass"), "")
    print(workers.zygote.folder, workers.zygote.process.pid, flush=True)
    worker.load_seconds = 100
    worker.ask("load", {{}}, 100)
    """
    grader = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True)
    assert grader.stdout is not None
    place, zygote = grader.stdout.readline().split()
    folder = Path(place)
    deadline = time.monotonic() + 60
    while not marked(mark) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert marked(mark)
    grader.kill()
    if together:
        os.kill(int(zygote), signal.SIGKILL)
    grader.wait()
    grader.stdout.close()
    assert gone(mark)
    if together:  # see gaps.py: nobody is left to remove it
        shutil.rmtree(folder)
    while folder.exists() and time.monotonic() < deadline + 60:
        time.sleep(0.05)
    assert not folder.exists()


def test_a_zygote_that_is_killed_takes_its_workers_along_and_is_replaced(workers: WarmWorkers) -> None:
    mark = f"mark{os.getpid()}zyg"
    worker = workers.open(program(naming(mark)), "")
    assert worker.ask("load", {}, 30).outcome == "value"
    assert marked(mark)
    os.kill(workers.zygote.process.pid, signal.SIGKILL)
    assert gone(mark)
    assert worker.ask("call", {"name": "nothing"}, 30).outcome == "undefined"
    worker.close()
    assert gone(mark)


def test_a_worker_is_in_its_control_group_before_it_is_sent_anything(workers: WarmWorkers) -> None:
    mark = f"mark{os.getpid()}grp"
    worker = workers.open(program(naming(mark)), "")
    assert worker.ask("load", {}, 60).outcome == "value"
    (pid,) = marked(mark)
    groups = [line for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines() if "/worker-" in line]
    worker.close()
    may = "cgroup" in workers.tier().layers and bool(cgroups.create(f"try-{mark}", LIMITS))
    cgroups.remove(tuple(path for path in _tried(f"try-{mark}")))
    assert bool(groups) == may


def _tried(name: str) -> list[str]:
    return [str(path) for path in Path(cgroups.MOUNTS).rglob(name)]
