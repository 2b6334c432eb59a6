"""The grades of the whole corpus as JSON, and what differs between two such files: for changes that must change no verdict.

    python -m bench.compare_grades save before.json [--only PART] [--seed 7]
    python -m bench.compare_grades diff before.json after.json

Compared are status, points and the statuses of all checks, and the codes of warnings; words are counted apart.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from grader import audit
from grader.pipeline import Options

SHOWN = 40  # lines of differences


def main() -> int:
    """Run one of the two commands."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("save", "diff"))
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--only", default="", help="part of the ids of the cases wanted")
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    if given.command == "save":
        return save(given.files[0], given.only, given.seed)
    return diff(*(json.loads(path.read_text()) for path in given.files))


def save(path: Path, only: str, seed: int) -> int:
    """Grade the corpus and write what its grades say."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as out:
        audit.run(Options(out=Path(out), seed=seed), only=only, told=lambda line: found.update({line.id: said(line)}))
    path.write_text(json.dumps(found, indent=1, sort_keys=True))
    print(f"{path}: {len(found)} grades")
    return 0


def said(line: audit.AuditedCase) -> dict[str, Any]:
    """What is compared of one grade, and its words."""
    grade = line.grade
    return {
        "grade": [grade.status, round(grade.score, 6), sorted({warning.code for warning in grade.warnings})],
        "criteria": {
            c.id: [c.status, c.points, {check.name: check.status for check in c.checks}] for c in grade.criteria
        },
        "words": {c.id: c.feedback for c in grade.criteria},
        "wrong": list(line.complaints),
    }


def diff(before: dict[str, Any], after: dict[str, Any]) -> int:
    """Print what differs; 1 where a verdict does."""
    lines = [f"{case}: was not there before" for case in sorted(after.keys() - before.keys())]
    words = 0
    for case in sorted(before.keys() & after.keys()):
        old, new = before[case], after[case]
        words += sum(old["words"].get(c) != text for c, text in new["words"].items())
        if old["grade"] != new["grade"]:
            lines.append(f"{case}: {old['grade']} is now {new['grade']}")
        for criterion in sorted(old["criteria"].keys() | new["criteria"].keys()):
            one, other = old["criteria"].get(criterion), new["criteria"].get(criterion)
            if one != other:
                lines.append(f"{case}: {criterion} {one} is now {other}: {new['words'].get(criterion, '')[:200]}")
    print("\n".join(lines[:SHOWN]))
    print(f"{len(before.keys() & after.keys())} grades compared, {len(lines)} differences, {words} texts differ")
    return int(bool(lines))


if __name__ == "__main__":
    sys.exit(main())
