"""The audit in the terminal: a line for every case that is not as it should be, the counts, the matrix as CSV."""

import os
from dataclasses import dataclass, field

from rich.console import Console
from rich.text import Text

from grader import audit
from grader.pipeline import Options
from grader.reports import messages, record
from grader.reports.text import printable
from grader.sentences import number_of


@dataclass
class AuditPrinter:
    """Prints each case as it is judged."""

    console: Console = field(default_factory=lambda: Console(highlight=False))
    cases: int = 0

    def __call__(self, line: audit.AuditedCase) -> None:
        self.cases += 1
        words = Text(
            f"{self.cases:4}  {'wrong' if line.complaints else 'ok':<6}", "red" if line.complaints else "green"
        )
        words.append(f"{line.kind} {line.id}", "default")
        self.console.print(words)
        for complaint in line.complaints:
            self.console.print(Text(f"        {printable(complaint)}"))


def run(options: Options, only: str, show_messages: bool = False) -> int:
    """Audit, print, write the matrix of checks against faults; 1 when a case or a check is not as it should be.

    Args:
        options: how to grade.
        only: part of the ids of the cases wanted.
        show_messages: list every sentence that was said of any case, in the end.
    """
    shown = AuditPrinter()
    lines = audit.run(options, jobs=os.cpu_count() or 1, only=only, told=shown)
    checks = [f"{criterion}/{name}" for criterion, names in options.assignment.check_names.items() for name in names]
    target = options.out / "audit.csv"
    record.replace(target, audit.matrix(lines, checks))
    unneeded = [] if only else audit.unneeded(lines, checks)
    for check in unneeded:
        shown.console.print(Text(f"no fault needs the check {check}: delete it, or seed a fault", "red"))
    if show_messages:
        for text in messages.listed(messages.said((line.id, line.grade) for line in lines)):
            indent = "  " if text.startswith(" ") else ""
            shown.console.print(Text(indent + printable(text)), soft_wrap=True)
    wrong = sum(bool(line.complaints) for line in lines)
    named = sum(line.named for line in lines if line.kind == "fault")
    faults = sum(line.kind == "fault" for line in lines)
    shown.console.print(
        f"{number_of(len(lines), 'case')}, {wrong} not as they should be; {named} of {faults} faults named by their cause; "
        + (f"{number_of(len(unneeded), 'check')} that no fault needs; " if unneeded else "")
        + f"checks against cases: {target}"
    )
    return int(bool(wrong or unneeded or not lines))
