"""Conversion from several threads at once."""

import subprocess
import sys
import textwrap

THREADS = """
    import sys
    import threading

    import msgspec

    from grader.conversion import convert

    sys.setswitchinterval(1e-6)


    def nested():
        kind, value = int, 1
        for depth in range(6):
            kind = msgspec.defstruct(f"Of{depth}", [("a", list[kind]), ("b", dict[str, kind]), ("c", kind | None)])
            value = {"a": [value], "b": {"x": value}, "c": None}
        return kind, value


    def work(kind, value, start):
        start.wait()
        convert(value, kind)


    for _ in range(150):
        kind, value = nested()
        start = threading.Barrier(4)
        threads = [threading.Thread(target=work, args=(kind, value, start)) for _ in range(4)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
"""


def test_threads_that_meet_a_type_for_the_first_time_end_no_process() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(THREADS)], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0 and not ended.stderr, ended.stderr
