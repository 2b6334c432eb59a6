"""Where a reader of each document stands."""

import os
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from grader.exports.moodle import COLUMNS
from grader.publish import release

ROOT = Path(__file__).resolve().parents[2]
NAMES = (
    "Ada Lovelace", "Alan Turing", "Edsger Dijkstra", "Emmy Noether", "Grace Hopper", "Ida Rhodes", "John Backus",
    "Katherine Johnson", "Mary Jackson", "Tony Hoare",
)  # fmt: skip
FAULTS = (
    ("return self.fc(x)", "return self.fc(x).relu()"),
    ("return x.transpose(1, 2)", "return x"),
    ("torch.cat([cls_token, x], dim=1)", "torch.cat([x, cls_token], dim=1)"),
)


HANDED_IN = datetime(2026, 1, 12, 10, 30, tzinfo=UTC).timestamp()


def checkout(place: Path) -> Path:
    """A copy of this project as it is checked out."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, place / name)
    return place


def released(place: Path) -> Path:
    """What students get."""
    release.release(place / "assignment", checked=lambda: None)
    return place / "assignment"


def course(place: Path) -> Path:
    """A checkout with ten submissions and a worksheet, as Moodle gives them."""
    checkout(place)
    right = (ROOT / "reference" / "vit_model.py").read_text()
    rows = [",".join(COLUMNS)]
    for number, name in enumerate(NAMES):
        folder = place / "submissions" / f"{name}_{123456 + number}_assignsubmission_file"
        folder.mkdir(parents=True)
        old, new = FAULTS[number % 3] if number % 4 else ("", "")
        (folder / "vit_model.py").write_text(right.replace(old, new) if old else right)
        os.utime(folder / "vit_model.py", (HANDED_IN, HANDED_IN))
        state = "Submitted for grading - Not marked"
        rows.append(f"Participant {123456 + number},{name},{number}@example.org,{state},,100.00,Yes,-,-,")
    (place / "worksheet.csv").write_text("\n".join(rows) + "\n")
    return place


PLACES: dict[str, Callable[[Path], Path]] = {
    "README.md": checkout,
    "docs/grade.md": checkout,
    "docs/adder.md": checkout,
    "docs/ci.md": checkout,
    "docs/second-assignment.md": checkout,
    "docs/verdicts.md": checkout,
    "docs/walkthrough-ci.md": checkout,
    "docs/student.md": released,
    "docs/walkthrough-student.md": released,
    "docs/walkthrough-instructor.md": course,
}
