"""The desk's list in a terminal."""

from grader.desk.attention import KINDS
from grader.desk.desk import Desk, DeskOptions
from grader.reports.text import printable


def show(options: DeskOptions) -> None:
    """Print what a person should look at first, a line for each reason."""
    with options.reader() as reader:
        rows, missing = Desk(options).rows(reader, patience=None)
    first = [row for row in rows if row.reasons]
    print(f"{len(first)} of {len(rows)} to look at")
    if missing:
        print(printable(missing, 300))
    for row in first:
        for reason in row.reasons:
            line = f"{row.names}: {KINDS[reason.kind]}: {reason.said.replace('`', '')}"
            print(f"  {printable(line, 300)}")
