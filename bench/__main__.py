"""How fast the grader is, as ratios measured in one run: ``make bench``.

    python -m bench [--only grade,class,structural,kept,start,others,trainer,growth] [--repeat 5] [--out bench.json]

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
    result: dict[str, Any] = {
        "when": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": platform.platform(), "cores": os.cpu_count(), "repeat": arguments.repeat,
    }  # fmt: skip
    for name in chosen:
        result[name] = {**PARTS[name](arguments.repeat), "load": round(os.getloadavg()[0], 1)}
        show(name, result[name])
        arguments.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0


def show(name: str, figures: dict[str, Any]) -> None:
    """Print one part."""
    table = Table(title=TITLES[name], title_justify="left", show_header=False)
    for key, value in figures.items():
        table.add_row(key, f"{value:.2f}" if isinstance(value, float) else str(value))
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
