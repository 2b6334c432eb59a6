"""Does the same seed give the same grade, and does every fresh seed give the reference full marks?

python -m bench.repeatability [--same 10] [--fresh 20] [SUBMISSION]
"""

import argparse
import dataclasses
import json
from pathlib import Path

from grader.pipeline import Options, open_grader
from grader.reports.record import to_dict

REFERENCE = Path("reference/submission.ipynb")


def main() -> None:
    """Print how often the JSON differed, and the scores of the fresh seeds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("submission", nargs="?", type=Path, default=REFERENCE)
    parser.add_argument("--same", type=int, default=10, help="grades with seed 1")
    parser.add_argument("--fresh", type=int, default=20, help="grades with a seed drawn for each")
    arguments = parser.parse_args()
    grader = open_grader(Options())
    try:
        fresh = [grader.grade(arguments.submission) for _ in range(arguments.fresh)]
        grader.options = dataclasses.replace(grader.options, seed=1)
        same = [
            json.dumps({**to_dict(grader.grade(arguments.submission)), "timings": {}}) for _ in range(arguments.same)
        ]
    finally:
        grader.close()
    print(f"seed 1, {len(same)} times: {len(set(same))} different JSON, timings aside")
    print(f"{len(fresh)} fresh seeds: scores {sorted({g.score for g in fresh})}")
    for grade in fresh:
        for criterion in grade.criteria:
            if criterion.status != "passed":
                print(f"  seed {grade.seed}: {criterion.id} {criterion.status}: {criterion.feedback}")
        if grade.warnings:
            print(f"  seed {grade.seed}: warnings {[w.code for w in grade.warnings]}")


if __name__ == "__main__":
    main()
