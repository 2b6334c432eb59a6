"""``grade.py release``: the folder that students get."""

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from grader import finding
from grader.assignment import Assignment
from grader.commands.arguments import given_path, shared
from grader.errors import GraderError
from grader.publish.release import MANIFEST, release


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Make the folder that students get: template, given files, suites, settings, README, the grader as far as "
        "the suites need it, and a manifest of digests. Refused when the audit fails."
    )
    parser.add_argument("--out", type=given_path, required=True, metavar="DIR", help="a new or empty folder")
    shared(parser, "--data", "--assignment")
    parser.add_argument(
        "--max-mb", type=int, metavar="MB", help="the most that students may hand in (default: as settings.toml says)"
    )
    parser.add_argument("--skip-audit", action="store_true", help="release although no verdict has been looked at")


def run(given: argparse.Namespace) -> int:
    """Make the folder and say what is in it."""
    assignment = finding.find(given.assignment)
    checked = _loudly_unchecked if given.skip_audit else _audited(given.data, assignment)
    files = release(given.out, checked, given.max_mb, assignment)
    print(f"{given.out}: {len(files)} files, their digests in {MANIFEST}")
    return 0


def _audited(data: Path | None, assignment: Assignment) -> Callable[[], None]:
    def audit() -> None:
        from grader.pipeline import Options  # noqa: PLC0415  slow to import, and --help needs none of it
        from grader.reports import audit_table  # noqa: PLC0415  as above

        with tempfile.TemporaryDirectory(prefix="vit-grade-release-") as out:
            if audit_table.run(Options(data=data, out=Path(out), assignment=assignment), ""):
                raise GraderError("the audit fails, so nothing was released; --skip-audit releases all the same")

    return audit


def _loudly_unchecked() -> None:
    bar = "!" * 72
    print(f"{bar}\nNOT AUDITED: nobody has looked whether the verdicts are right.\n{bar}", file=sys.stderr)
