"""Text that students write is matched in time that grows with it, whatever stands in it."""

import ast
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import grader
from grader import patterns
from grader.assignments.vit import logs
from grader.assignments.vit.figures.log import LOSS
from grader.exports.markdown import escaped
from grader.intake.layouts import canvas_name, moodle_name
from grader.intake.reading import lost_names, magics, outputs, parsing, sources
from grader.records import CellLog
from grader.reports.html.causes import NUMBERS, PLACES
from grader.sandbox.inside import lazy_imports
from grader.sandbox.outside import replies
from grader.torchkit import printed_runs

PACKAGE = Path(grader.__file__).parent
READING = "the reading process has Python's own library alone; each of its patterns is tried below"
BACKTRACKING = {  # where Python's own patterns are used, and why they may be
    "publish/release.py": "reads the project's own pyproject.toml",
    "publish/package.py": "reads the name of an assignment's folder, one character at a time",
    "publish/new.py": "reads the name that an instructor gives a new assignment, one character at a time",
    "finding.py": "reads the name of an assignment's folder, one character at a time",
    "students/plugin.py": "reads names of the project's own files",
    "reports/html/figures/drawing.py": "reads pictures that the project has drawn",
    "intake/reading/folders.py": READING,
    "intake/reading/lost_names.py": READING,
    "intake/reading/magics.py": READING,
    "intake/reading/outputs.py": READING,
    "intake/reading/parsing.py": READING,
    "intake/reading/sources.py": READING,
    "intake/reading/splitting.py": READING,
    "exports/junit.py": "one character at a time; RE2 has no halves of surrogate pairs",
    "reports/record.py": "one character at a time; RE2 has no halves of surrogate pairs",
}
KINDS = {
    "blank lines": "\n",
    "spaces": " ",
    "digits": "7",
    "brackets": "[",
    "parentheses": "(",
    "pairs of parentheses": "()",
    "epochs": "epoch ",
    "numbered epochs": "epoch 3 ",
    "epochs of something": "[1/2] ",
    "best": "best prec@1 ",
    "best values": "Best Precision@1: 0.5 ",
    "bars": "50%| ",
    "quotes": "'\"",
    "triple quotes": '"""',
    "backslashes": "\\",
    "joined lines": "%time \\\n",
    "magic": "%time -x ",
    "assignments": "a = ",
    "comments": "# \n",
    "escapes": "\x1b[",
    "links of a terminal": "\x1b]",
    "backticks": "`",
    "colons": ":",
    "calls": "train_embedding_model (",
    "calculators": "AccuracyCalculator(",
    "words of settings": "margin batch size ",
    "errors": "Unable to allocate ",
    "underscores": "a_1_2",
    "letters of another script": "эпоха ",
}


def log(text: str) -> None:
    cell = CellLog(1, text, text, ())
    (
        printed_runs.errors_of(cell),
        printed_runs.bars(cell),
        logs.READER.last_run((cell,)),
        printed_runs.uncountable(cell),
    )


def of_reports(text: str) -> None:
    NUMBERS.sub("#", PLACES.sub("", text)), LOSS.findall(text), escaped(text)


def of_settings(text: str) -> None:
    for pattern in logs.SETTINGS.values():
        patterns.compile(rf"\b{pattern}\s*[:=]\s*({printed_runs.NUMBER})", ignore_case=True).findall(text)


READERS: dict[str, Callable[[str], object]] = {
    "the log": log,
    "its settings": of_settings,
    "magic lines": magics.python_lines,
    "cell magic": magics.neutralised,
    "statements": lambda text: parsing.statements(f"{text}\n(\n", parsing.SourcePlace("a.py", None), is_main=False),
    "names that are lost": lost_names.lost_names,
    "outputs": lambda text: outputs.overwritten(outputs.without_escapes(text)),
    "names of files": lambda text: (
        canvas_name(text),
        moodle_name(text, folder=True),
        moodle_name(text, folder=False),
        sources.without_copy(text),
    ),
    "modules": lambda text: sources.ONLY_IF_IMPORTED.search(text),
    "folders on the path": lambda text: sources.ModuleFiles([], "", f"hw3{text}").on_path("hw3"),
    "messages": lambda text: (replies.clean(text), replies.NO_MEMORY.search(text), replies.place(text)),
    "reports": of_reports,
    "libraries": lambda text: lazy_imports.needed([text]),
}
SIZE = 12_500  # characters, and four times as many
NOTHING = 0.08  # seconds of a processor: too short to tell how it grows
TRIES = 3


def seconds(read: Callable[[str], object], text: str) -> float:
    start = time.process_time()
    read(text)
    return time.process_time() - start


def growth(read: Callable[[str], object], small: str, large: str) -> float:
    """How many times as long the large text takes: of each the least of three tries, since a busy machine stretches."""
    short, long = (min(seconds(read, text) for _ in range(TRIES)) for text in (small, large))
    return long / max(short, 0.02) if long > NOTHING else 1.0


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_four_times_the_text_takes_no_sixteen_times_as_long(read: Callable[[str], object]) -> None:
    slow = {}
    for name, part in KINDS.items():
        small, large = (f"import x\n{part * (size // len(part))}" for size in (SIZE, 4 * SIZE))
        if seconds(read, large) > NOTHING and (times := growth(read, small, large)) > 8:
            slow[name] = times
    assert not slow


def test_a_pattern_that_backtracks_is_found() -> None:
    wanders = re.compile(r"\n\s*\s*x")  # at each blank line it parts all that follow in every way
    small = "\n" * 250
    while seconds(wanders.search, 4 * small) < 1.5 * NOTHING:  # a fast machine is given more to do
        small += "\n" * 50
    assert growth(wanders.search, small, 4 * small) > 8


def test_300_kb_of_blank_lines_are_read_at_once() -> None:
    assert seconds(log, "import x" + "\n" * 300_000) < 10


def test_the_rooms_that_read_what_students_write_use_patterns_that_cannot_backtrack() -> None:
    using = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if "corpus" not in path.parts and _imports_re(path)
    }
    assert using == set(BACKTRACKING)


def _imports_re(path: Path) -> bool:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import) and any(alias.name == "re" for alias in node.names):
            return True
        if isinstance(node, ast.ImportFrom) and node.module == "re":
            return True
    return False


def test_halves_of_surrogate_pairs_are_no_error() -> None:
    pattern = patterns.compile("b+")
    assert pattern.search("a\udc80bb").span() == (2, 4)
    assert pattern.sub("", "a\udc80") == "a\udc80" and pattern.sub("", "\udc80b") == "?"
