"""The process that reads a submission ends with the grader."""

import subprocess
import sys
import textwrap
from pathlib import Path

from grader.intake import opening

ROOT = Path(opening.__file__).parents[2]


def test_an_interrupt_leaves_no_reading_process_not_even_a_stubborn_or_unburied_one():
    interrupted = """
        import os, signal, threading
        from pathlib import Path
        from grader.intake import opening

        opening.START = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); time.sleep(60)"
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        try:
            opening.run(Path("submission"), "{}", opening.IntakeLimits())
        except KeyboardInterrupt:
            print(os.waitpid(-1, os.WNOHANG))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(interrupted)],
        cwd=ROOT, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert "ChildProcessError" in done.stderr, f"a child was left: {done.stdout}{done.stderr}"


def test_sets_are_read_in_the_same_order_each_time(monkeypatch, tmp_path):
    monkeypatch.setattr(opening, "START", "print(hash('train_set'))")
    told = {opening.run(tmp_path, "{}", opening.IntakeLimits()).stdout for _ in range(3)}
    assert len(told) == 1 and told != {""}
