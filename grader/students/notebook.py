"""``grader.check("CRITERION")``: a verdict inside a notebook, or in any Python session.

What is checked are the cells that were executed so far, with the modules and checkpoints beside the notebook, in
the same workers and by the same checks as a grade. Where nothing can confine the worker, as on Colab, it runs with
the rights of the notebook, whose code it is after all, and the verdict says so.
"""

import atexit
import html
import secrets
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import v4

from grader import finding
from grader.errors import Rejected
from grader.evidence import Evidence
from grader.pipeline import Grader, Options, open_grader
from grader.records import CriterionResult
from grader.reports.text import SIGNS, printable
from grader.sentences import did_you_mean

UNCONFINED = "Nothing confines code on this system: it ran with your own rights, as your cells do."
_open: dict[str, Grader] = {}  # by assignment, one for the session: its workers stay warm


@dataclass(frozen=True)
class NotebookVerdict:
    """What was found; a notebook shows it with its pictures.

    Attributes:
        result: the criterion's result, with its checks.
        sentences: what each check demands, by name.
        pictures: HTML of our own making.
        notes: what to know about this verdict.
    """

    result: CriterionResult
    sentences: Mapping[str, str]
    pictures: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return self.result.status == "passed"

    def __repr__(self) -> str:
        return "\n".join([self._head(), *self._body(), *self.notes])

    def _repr_html_(self) -> str:
        # Pictures take the colours of the page that they are made for; these are its light ones.
        page_colours = {
            "ink": "#1b1e24", "rule": "#dcdcd5", "card": "#ffffff", "good": "#0a7d5a", "bad": "#b3202f",
            "c0": "#0b67b2", "c1": "#c2540a", "c2": "#0a7d5a", "c3": "#a3347c", "c4": "#8a6d00",
            "c5": "#5d50c6", "c6": "#16849b", "c7": "#5c5f66", "c8": "#b3202f", "c9": "#5a7d10",
        }  # fmt: skip
        colours = ";".join(f"--{name}:{value}" for name, value in page_colours.items())
        lines = "".join(f"<div>{html.escape(line)}</div>" for line in self._body())
        notes = "".join(f"<div>{html.escape(note)}</div>" for note in self.notes)
        pictures = "".join(f'<div style="max-width:40em">{picture}</div>' for picture in self.pictures)
        return (
            f'<div role="status" style="{colours};color-scheme:light;background:var(--card);color:var(--ink);'
            f'padding:.8em 1em;border:1px solid var(--rule);border-radius:8px;max-width:60em">'
            f'<strong>{html.escape(self._head())}</strong>{lines}{pictures}<small style="opacity:.8">{notes}</small></div>'
        )

    def _head(self) -> str:
        result = self.result
        return f"{SIGNS[result.status].text} {result.id} {result.status}: {printable(result.title)}"

    def _body(self) -> list[str]:
        if self.result.status in ("missing", "blocked"):
            return [printable(self.result.feedback)]
        return [line for check in self.result.checks for line in self._lines(check)]

    def _lines(self, check: Any) -> list[str]:
        lines = [f"{SIGNS[check.status].text} {self.sentences.get(check.name, check.name)}"]
        if check.status != "passed":
            lines += [f"   {printable(text)}" for text in (check.message, check.hint) if text]
        return lines


def check(criterion: str, submission: str | Path | None = None, *, seed: int | None = None,
          assignment: str | Path = "") -> NotebookVerdict:  # fmt: skip
    """Judge one criterion.

    Args:
        criterion: its id in the rubric.
        submission: a notebook, folder or archive. In a notebook its executed cells where there is none;
            elsewhere ``student/`` or the current folder.
        seed: fixes every random input.
        assignment: an installed one's name, or the folder of one; the default where there is none.

    Raises:
        ValueError: there is no such criterion.
        GraderError: nothing could be judged; why, in a line.
    """
    grader = _grader(criterion, str(assignment))
    judging = grader.assignment.criteria[criterion]
    pictures: list[str] = []
    with _submission(submission) as path:
        chosen = secrets.randbelow(2**31) if seed is None else seed
        graded = grader.graded(
            path, chosen, only=[criterion], look=lambda evidence: pictures.extend(_drawn(evidence, criterion))
        )
    if graded.grade.status == "rejected":
        raise Rejected(printable(graded.grade.reason))
    result = next(each for each in graded.grade.criteria if each.id == criterion)
    official = "The official grade uses random inputs of its own, and decides whether slow code is too slow."
    return NotebookVerdict(
        result,
        {c.name: c.sentence for c in judging.checks},
        tuple(pictures),
        (*([UNCONFINED] if graded.grade.not_enforced else []), official),
    )


def _grader(criterion: str, named: str) -> Grader:
    """The session's grader; data are found as ``grade.py`` finds them."""
    assignment = finding.find(named)
    known = assignment.criteria
    if criterion not in known:
        meant = did_you_mean(criterion, known, f"; there are {', '.join(known)}")
        raise ValueError(f"no criterion {criterion!r}{meant}")
    if named not in _open:
        _open[named] = open_grader(Options(train="never", unconfined=True, assignment=assignment))
        atexit.register(_open[named].close)
    return _open[named]


@contextmanager
def _submission(given: str | Path | None) -> Iterator[Path]:
    if given is not None:
        yield Path(given)
        return
    cells = _executed_cells()
    if cells is None:
        yield Path("student") if Path("student").is_dir() else Path()
        return
    with tempfile.TemporaryDirectory(prefix="vit-grade-check-") as folder:
        yield _as_submission(cells, Path.cwd(), Path(folder, "notebook"))


def _executed_cells() -> list[str] | None:
    """The source of the cells executed in this session, None outside of IPython."""
    try:
        from IPython import get_ipython  # noqa: PLC0415  only notebooks have it
    except ImportError:
        return None
    shell = get_ipython()
    return None if shell is None else [cell for cell in shell.history_manager.input_hist_raw if cell.strip()]


def _as_submission(cells: Sequence[str], beside: Path, folder: Path) -> Path:
    """A notebook of these cells, with the modules and checkpoints of another folder beside it."""
    folder.mkdir()
    for path in sorted(beside.iterdir()):
        if path.is_file() and path.suffix in (".py", ".pt"):
            shutil.copyfile(path, folder / path.name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nbformat.write(v4.new_notebook(cells=[v4.new_code_cell(cell) for cell in cells]), folder / "notebook.ipynb")
    return folder


def _drawn(evidence: Evidence, criterion: str) -> list[str]:
    """The criterion's pictures, where matplotlib is there to draw them."""
    try:
        from grader.reports.html import figures  # noqa: PLC0415  a library of an extra
    except ImportError:
        return []
    return [
        f"<figure>{figure.body}<figcaption>{html.escape(figure.caption)}</figcaption></figure>"
        for figure in figures.draw(evidence)
        if figure.criterion == criterion
    ]
