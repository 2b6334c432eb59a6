"""A grade on one screen, a class in one table.

    python -m grader.reports.terminal GRADE.json [PICTURE.svg]

shows a grade that was kept, and draws it. All text of a submission passes through ``printable`` and is never
read as markup.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from grader.records import CriterionResult, Grade
from grader.reports.record import from_dict
from grader.reports.text import SIGNS, printable, todo

WIDTH, INDENT = 100, 19  # columns at most: longer lines read badly
WITH_FEEDBACK = ("failed", "partial", "error")  # with their feedback in lines of its own


class Report:
    """One grade: score, criteria by part, what was measured, warnings."""

    def __init__(self, grade: Grade) -> None:
        self.grade = grade

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        page = _Page(self.grade, console, min(options.max_width, WIDTH), options.ascii_only)
        yield from page.header()
        for part, results in groupby(self.grade.criteria, lambda result: result.part):
            yield from page.part(part, list(results))
        yield from page.footer()


def _is_told(result: CriterionResult) -> bool:
    """Whether its feedback has lines of its own."""
    return result.status in WITH_FEEDBACK or result.computed is not None


class _Page:
    """The lines of one grade."""

    # With it in the same line, where it fits or there are too many: a template has seventeen.
    short = ("missing", "blocked")

    def __init__(self, grade: Grade, console: Console, width: int, ascii_only: bool) -> None:
        self.grade, self.console, self.width = grade, console, width
        self.ascii_only, self.bar = ascii_only, "#-" if ascii_only else "━─"
        long = [result for result in grade.criteria if result.status in self.short and not self.fits(result)]
        max_wrapped = 8
        self.wraps_all = len(long) <= max_wrapped
        told = sum(map(_is_told, grade.criteria)) + len(long) * self.wraps_all
        max_feedback_lines = 24  # lines for the feedback of all criteria together; the JSON has it whole
        self.room = max(3, max_feedback_lines // max(1, told))  # lines for each

    def header(self) -> Iterator[Text]:
        grade = self.grade
        name, seed = printable(grade.submission["name"], 60), f"seed {grade.seed}"
        space = " " * max(2, self.width - len(name) - len(seed))
        yield Text().append(name, "bold").append(space).append(seed, "dim")
        score = f"{grade.total} of {grade.max_score:g} points"
        size = max(10, self.width - len(score) - 2)
        filled = round(size * grade.score / grade.max_score) if grade.max_score else 0
        bar = Text().append(self.bar[0] * filled, "green").append(self.bar[1] * (size - filled), "dim")
        yield bar.append(f"  {score}", "bold")
        if grade.reason:
            style = "bold red" if grade.status == "rejected" else "bold yellow"
            yield Text(f"{grade.status.replace('_', ' ')}: {printable(grade.reason)}", style)

    def part(self, part: int, results: list[CriterionResult]) -> Iterator[Text]:
        earned, possible = sum(r.points for r in results), sum(r.max_points for r in results)
        open_ = sum(r.open for r in results)
        words = f"{earned:g} + {open_:g} open of {possible:g}" if open_ else f"{earned:g} of {possible:g}"
        yield Text().append(f"Part {part}", "bold").append(f"  {words}", "dim")
        for result in results:
            yield self.criterion(result)
            if _is_told(result):
                yield from self.wrapped(printable(result.feedback), INDENT, self.room)
            elif result.status in self.short and self.wraps_all and not self.fits(result):
                yield from self.wrapped(todo(result.feedback), INDENT, self.room)

    def fits(self, result: CriterionResult) -> bool:
        """Whether the feedback fits beside the title."""
        return INDENT + len(printable(result.title)) + 2 + len(todo(result.feedback)) <= self.width

    def criterion(self, result: CriterionResult) -> Text:
        line = Text(no_wrap=True, overflow="ellipsis")
        sign = SIGNS[result.status].ascii if self.ascii_only else SIGNS[result.status].text
        style = {
            "passed": "green",
            "partial": "yellow",
            "failed": "red",
            "missing": "cyan",
            "blocked": "blue",
            "error": "magenta",
        }
        line.append(f"  {sign} {result.status:<8}", style[result.status])
        earned = "open" if result.open else f"{result.points:g}"
        line.append(f"{earned}/{result.max_points:g}".rjust(5)).append(f"  {printable(result.title)}")
        if result.status in self.short and (self.fits(result) or not self.wraps_all):
            line.append(f"  {todo(result.feedback)}", "dim")
        elif _is_told(result) and result.origin:
            line.append(f"  {printable(str(result.origin), 120)}", "dim")
        line.truncate(self.width, overflow="ellipsis")
        return line

    def wrapped(self, text: str, indent: int, lines: int, style: str = "") -> Iterator[Text]:
        width = self.width - indent
        wrapped = list(Text(text).wrap(self.console, width))
        if len(wrapped) > lines:
            wrapped = [*wrapped[: lines - 1], Text(wrapped[lines - 1].plain[: width - 2].rstrip() + " …")]
        for line in wrapped:
            yield Text(" " * indent + line.plain.rstrip(), style)

    def footer(self) -> Iterator[Text]:
        grade = self.grade
        measured = [f"{grade.labels.get(name, name)} {value:.4f}" for name, value in grade.measured.items()]
        if measured:
            yield from self.wrapped("Measured: " + ", ".join(measured), 0, 3)
        for warning in grade.warnings:
            yield from self.wrapped(f"Warning {warning.code}: {printable(warning.message)}", 0, 3, "yellow")
        if grade.not_enforced:
            yield Text(f"Not confined: {', '.join(grade.not_enforced)}", "yellow")
        if any(result.status != "passed" for result in grade.criteria):
            path = printable(grade.submission["path"], 200)
            yield Text(f"More: pytest --submission={path} runs one test a check; --json FILE writes everything.", "dim")


def overview(grades: Sequence[Grade]) -> Table:
    """A class: one line a submission."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Submission", overflow="ellipsis", no_wrap=True, max_width=34)
    table.add_column("Score", justify="right", no_wrap=True)
    table.add_column("Status", no_wrap=True)
    table.add_column("Lost")
    for grade in grades:
        status = grade.status.replace("_", " ") + (", adjusted" if grade.adjustments else "")
        table.add_row(Text(printable(grade.submission["name"])), grade.total, status, _lost(grade))
    return table


def _lost(grade: Grade) -> str:
    """The criteria without full marks; of many, some that failed, and how many others."""
    lost = [result for result in grade.criteria if result.status not in ("passed", "error")]
    max_named = 3  # criteria in a line of a class
    if len(lost) <= max_named:
        return ", ".join(f"{result.id} ({result.status})" for result in lost)
    named = [result for result in lost if result.status in WITH_FEEDBACK][:max_named]
    others = Counter(result.status for result in lost if result not in named)
    counts = [f"{count} {'more ' if status in WITH_FEEDBACK else ''}{status}" for status, count in others.items()]
    return ", ".join([*(f"{result.id} ({result.status})" for result in named), *counts])


def review(grades: Sequence[Grade]) -> Iterator[Text]:
    """What a person should look at, and why."""
    reasons = [(grade.submission["name"], reason) for grade in grades for reason in grade.to_look_at]
    if reasons:
        count = sum(bool(grade.to_look_at) for grade in grades)
        yield Text(f"\nTo be looked at: {count} of {len(grades)}", "bold")
    for name, reason in reasons:
        yield Text(f"  {printable(name, 60)}: {printable(reason, 400)}")


def show(grades: Sequence[Grade], console: Console | None = None) -> None:
    """Print one grade as a page, several as a table."""
    console = console or Console(highlight=False)
    if len(grades) == 1:
        console.print(Report(grades[0]))
        return
    console.print(overview(grades), *review(grades), sep="\n")


# rich's own frame loads fonts from the network; a reader's monospace font does as well
FRAME = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px; font-variant-east-asian: full-width; }}
.{unique_id}-title {{ font: bold 18px sans-serif; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" /></clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g></g></svg>
"""


def picture(grade: Grade, path: Path) -> None:
    """Draw a grade as an SVG that needs nothing from the network."""
    with Path("/dev/null").open("w") as nowhere:
        console = Console(record=True, width=WIDTH, file=nowhere, highlight=False, legacy_windows=False)
        console.print(Report(grade))
    command = f"python grade.py {grade.submission['path']}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(console.export_svg(title=command, code_format=FRAME, unique_id="grade"), encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Show the grades of a JSON file; draw the first as SVG when a second path is given."""
    records = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    grades = [from_dict(record) for record in (records if isinstance(records, list) else [records])]
    show(grades)
    if len(arguments) > 1:
        picture(grades[0], Path(arguments[1]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
