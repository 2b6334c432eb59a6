"""Publish what was measured: a table in the README and a figure beside it, from bench.json.

python -m bench.publish [--bench bench.json] [--readme README.md] [--figure docs/growth.svg]
"""

import argparse
import json
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure

BEGIN, END = "<!-- measured: python -m bench.publish -->", "<!-- end of what was measured -->"


@dataclass(frozen=True)
class Row:
    """A line of the table.

    Attributes:
        part: of the bench.
        figure: its name there.
        words: what it is; a name in braces stands for another figure of the part.
        unit: "×", "s", "kB", "MiB".
        goal: what it should be; empty where there is none.
    """

    part: str
    figure: str
    words: str
    unit: str
    goal: str = ""


ROWS = (
    Row("grade", "warm / bare", "a full grade over the bare forward passes of its models", "×", "≤ 1.5"),
    Row("grade", "cold", "a full grade from the command line, start included", "s"),
    Row("class", "grades / bare", "{submissions} full grades over as many bare passes, all cores, start included", "×", "≤ 1.15"),
    Row("structural", "a submission", "a submission of 20, all criteria that need no trained model", "s", "≤ 1.0"),
    Row("growth", "20 / 5", "a submission of 20 over one of 5, full grades", "×", "≤ 1"),
    Row("growth", "peak MiB of 20", "memory at most, a class of 20 ({peak MiB of 5} MiB with 5)", "MiB"),
    Row("start", "to the first probe", "from `grade.py SUBMISSION` to its first question", "s", "≤ {imports alone} + 0.5"),
    Row("start", "imports alone", "… `import torch, torchvision, pytorch_metric_learning` in the same run", "s"),
    Row("start", "grade.py --help", "`grade.py --help`", "s", "≤ 0.3"),
    Row("start", "grade.py regrade --help", "`grade.py regrade --help`", "s", "≤ 0.3"),
    Row("start", "pytest -k vit.heads", "`pytest -k vit.heads`", "s", "≤ 3"),
    Row("kept", "regrade, a threshold", "`regrade` of {students} students by another threshold", "s", "≤ 10"),
    Row("kept", "regrade, a check", "`regrade` of {students} by another check", "s", "≤ 30"),
    Row("kept", "export", "`export json` of {students}", "s", "≤ 5"),
    Row("kept", "desk's first page", "the review desk's list of {students}", "s", "≤ 2"),
    Row("kept", "kB kept of one, embeddings aside", "kept of a submission, embeddings and predictions aside", "kB", "< 250"),
    Row("others", "otter / ours", "otter-grader over this grader, the Part 2 checks, 10 submissions", "×", "≥ 20"),
    Row("others", "nbgrader / ours", "nbgrader over this grader, the same checks and submissions", "×", "≥ 5"),
)  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--bench", type=Path, default=Path("bench.json"))
    parser.add_argument("--readme", type=Path, default=Path("README.md"))
    parser.add_argument("--figure", type=Path, default=Path("docs/growth.svg"))
    given = parser.parse_args()
    measured = json.loads(given.bench.read_text(encoding="utf-8"))
    growth = measured["parts"].get("growth")
    if growth:
        draw(growth, measured["machine"], given.figure)
    beside = os.path.relpath(given.figure, given.readme.parent)
    whole = section(measured, beside if growth else "")
    given.readme.write_text(placed(given.readme.read_text(encoding="utf-8"), whole), encoding="utf-8")
    return 0


def section(measured: dict[str, Any], figure: str) -> str:
    """The README's section: the table, how it was measured, the figure."""
    rows = [row for row in ROWS if row.figure in measured["parts"].get(row.part, {})]
    lines = [line(row, measured["parts"][row.part]) for row in rows]
    days = sorted({part["when"][:10] for part in measured["parts"].values()})
    repeats = sorted({measured["parts"][row.part]["repeat"] for row in rows})
    loads = max(part["load"] for part in measured["parts"].values())
    picture = "Seconds until so many submissions of a class are graded, on one core and on all"
    return "\n".join([
        BEGIN, "## How fast", "",
        f"Measured on {measured['machine']}, Python {measured['python']}, {' and '.join(days)}, load {loads:g} at most:",
        f"medians of {' or '.join(map(str, repeats))} runs, each ratio within one run, the peers in the same one. Full grades",
        "are of the reference, checkpoints and all; class sizes are run twice on all cores and once on one. The commands are",
        "`make bench` and, for this section, `python -m bench.publish`.",
        "", "| what | measured | goal |", "|---|---:|---:|", *lines,
        *(["", f"![{picture}]({figure})"] if figure else []),
        END,
    ])  # fmt: skip


def line(row: Row, part: dict[str, Any]) -> str:
    """A row of the table in Markdown."""
    return f"| {filled(row.words, part)} | {number(part[row.figure])} {row.unit} | {filled(row.goal, part)} |"


def filled(words: str, part: dict[str, Any]) -> str:
    """Words with figures for the names in braces."""
    return re.sub(r"{([^}]*)}", lambda name: number(part[name[1]]), words)


def number(value: float) -> str:
    """Three digits that tell something; whole numbers from 100 on."""
    if isinstance(value, int) or value >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


def placed(readme: str, whole: str) -> str:
    """The README with the section where it was, or at its end."""
    if BEGIN in readme:
        before, _, rest = readme.partition(BEGIN)
        return before + whole + rest.partition(END)[2]
    return f"{readme.rstrip()}\n\n{whole}\n"


def draw(growth: dict[str, Any], machine: str, file: Path) -> None:
    """Draw how the time of a class grows with its size and with cores."""
    matplotlib.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "growth"}  # text as text, and the same file again
    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.subplots()
    for name, words in (("done after, one core", "one core"), ("done after, all cores", "all cores")):
        ends = growth[name]
        axes.plot(range(1, len(ends) + 1), ends, marker="o", markersize=3, label=words)
        axes.annotate(words, (len(ends), ends[-1]), xytext=(6, 0), textcoords="offset points", va="center")
    axes.set(xlabel="submissions graded in full", ylabel="seconds since the command", xlim=(0, None), ylim=(0, None))
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_title(machine, fontsize="small")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, metadata={"Date": None})


if __name__ == "__main__":
    sys.exit(main())
