"""How long a grade takes: ``python -m tests.bench [SUBMISSION] [RUNS]``; writes ``bench.json``."""

import json
import os
import platform
import statistics
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def main(submission: str = "reference/submission.ipynb", runs: str = "5") -> int:
    """Grade with seeds 0, 1, …: the first grade starts workers and reads the data, the others find them warm."""
    start = time.monotonic()
    from grader.grading import Options, open_grader

    grader = open_grader(Options(train="never"))
    opened = time.monotonic() - start
    grades = []
    for seed in range(int(runs)):
        grader.options = Options(train="never", seed=seed)
        grades.append(grader.grade(Path(submission)))
        slow = sorted(grades[-1].timings.items(), key=lambda pair: -pair[1])[1:6]
        print(f"seed {seed}: {grades[-1].score:g} points, {grades[-1].timings['total']:.2f} s; slowest {slow}")
    grader.close()
    totals = [grade.timings["total"] for grade in grades]
    result = {
        "machine": platform.platform(), "cores": os.cpu_count(), "submission": submission,
        "open": round(opened, 3), "first": totals[0],
        "warm_median": statistics.median(totals[1:] or totals), "warm_max": max(totals[1:] or totals),
    }  # fmt: skip
    Path("bench.json").write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
