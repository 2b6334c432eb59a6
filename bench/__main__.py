"""How fast the grader is, as ratios measured in one run: ``make bench``.

    python -m bench [--only grade,class,structural,kept,start,others,trainer,growth] [--repeat 5] [--out bench.json]
    python -m bench.publish    # the README's table and the figure, from bench.json

A quiet machine, please: the load is printed beside the figures. Needs FashionMNIST where the grader finds
it; ``others`` installs otter-grader and nbgrader from the package index on its first run.
"""

import argparse
import datetime
import json
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

import grader  # noqa: F401 (lets idle threads sleep, which is read when numpy is imported)
from bench import grades, kept, measure, others

TITLES = {
    "grade": "a full grade of the reference",
    "class": "full grades of a class",
    "structural": "structural criteria, a class of 20",
    "kept": "a large class in the gradebook",
    "start": "seconds to start",
    "others": "the Part 2 checks",
    "trainer": "time to 88 %",
    "growth": "full grades by size of the class",
}


def trainer(repeat: int) -> dict[str, Any]:
    """The trainer over the notebook's own loop; once, for it takes minutes."""
    told = measure.run([sys.executable, str(grades.ROOT / "bench" / "notebook.py")]).output
    return dict(json.loads(told.strip().splitlines()[-1]))


PARTS: dict[str, Callable[[int], dict[str, Any]]] = {
    "grade": grades.single, "class": grades.whole_class, "structural": grades.structural, "kept": kept.at_scale,
    "start": kept.start, "others": others.compared, "trainer": trainer, "growth": grades.growth,
}  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", help=f"parts, with commas: {', '.join(PARTS)}")
    parser.add_argument("--repeat", type=int, default=5, help="runs that a median is taken of")
    parser.add_argument("--out", type=Path, default=Path("bench.json"))
    arguments = parser.parse_args()
    chosen = arguments.only.split(",") if arguments.only else list(PARTS)
    if unknown := [name for name in chosen if name not in PARTS]:
        parser.error(f"no such part: {', '.join(unknown)}")
    result = earlier(arguments.out)
    for name in chosen:
        begun = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        figures = PARTS[name](arguments.repeat)
        result["parts"][name] = {
            **figures, "when": begun, "repeat": arguments.repeat, "load": round(os.getloadavg()[0], 1)
        }  # fmt: skip
        show(name, result["parts"][name])
        arguments.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0


def earlier(file: Path) -> dict[str, Any]:
    """What was measured on this machine before, each part with its own day; nothing where it was another machine."""
    machine = {"machine": f"{processor()}, {os.cpu_count()} cores", "python": platform.python_version()}
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        kept = {}
    same = all(kept.get(name) == value for name, value in machine.items())
    return {**machine, "parts": kept.get("parts", {}) if same else {}}


def processor() -> str:
    """The processor's name, as Linux tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def show(name: str, figures: dict[str, Any]) -> None:
    """Print one part."""
    table = Table(title=TITLES[name], title_justify="left", show_header=False)
    for key, value in figures.items():
        table.add_row(key, f"{value:.2f}" if isinstance(value, float) else str(value))
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
