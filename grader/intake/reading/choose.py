"""From frozen files to a program: read the notebooks, choose one, gather."""

import codecs
import contextlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from .gather import Gathering, Texts, WantedNames
from .limits import IntakeLimits
from .magics import Code, neutralised, run_path
from .members import holds_notebook_text, is_notebook, may_be_notebook
from .names import bound
from .notebook import Cell, read_cells
from .parsing import Broken, SourcePlace, Statement, statements
from .refusal import RefusalError
from .sources import ModuleFiles
from .work import gaps


@dataclass(frozen=True)
class Choice:
    """The notebook that counts, read and ready to be gathered; ``notebook`` None for modules only."""

    notebook: str | None
    cells: list[Cell]
    gathering: Gathering
    problems: list[str]
    others: list["Choice"] = field(default_factory=list)  # notebooks that could be read and do not count
    broken: dict[str, str] = field(default_factory=dict)  # those that could not though they hold something, and why
    run: Collection[str] = ()  # notebooks that it runs, whose cells are among its own


def read_notebook(
    root: Path, notebook: str, files: Collection[str], question: WantedNames, limits: IntakeLimits
) -> Choice:
    """Read one notebook with the modules beside it, and with the notebooks that it runs."""
    cells, problems = read_cells(root / notebook)
    broken: list[Broken] = []
    base = str(PurePosixPath(notebook).parent).removeprefix(".")
    main: list[Statement] = []
    written: Texts = {}
    in_order = list(with_run(root, notebook, cells, files, {notebook}))
    for place, cell in in_order:
        code = neutralised(cell.source)
        if code.skipped:
            problems.append(left_out_magic(place, code.skipped, cell.source))
        elif code.writes is not None:
            write_module(f"{base}/{code.writes}".lstrip("/"), code.source, code.appends, place, written)
            main += statements(write_text(code), place, is_main=True)[0]
        else:
            found, unread = statements(code.source, place, is_main=True)
            main += found
            broken += unread
    texts = written | read_modules(root, files, limits)
    sources = module_files(texts, base, [cell.source for _, cell in in_order])
    gathering = Gathering(main, notebook, texts, sources, question)
    gathering.broken[:0] = broken
    return Choice(notebook, cells, gathering, problems, run={place.file for place, _ in in_order} - {notebook})


def with_run(
    root: Path, notebook: str, cells: Iterable[Cell], files: Collection[str], known: set[str], is_run: bool = False
) -> Iterator[tuple[SourcePlace, Cell]]:
    """Yield a notebook's cells, before each those of the notebooks that it runs: ``%run part1.ipynb``.

    Args:
        known: the notebook that counts, and those that were run before: each is run once.
        is_run: another notebook runs it.
    """
    for cell in cells:
        for path in filter(None, map(run_path, cell.source.split("\n"))):
            other = run_notebook(path, files)
            if other and other not in known:
                known.add(other)
                with contextlib.suppress(RefusalError):
                    yield from with_run(root, other, read_cells(root / other)[0], files, known, is_run=True)
        yield SourcePlace(notebook, cell.number, is_run), cell


def run_notebook(path: str, files: Collection[str]) -> str:
    """Return the notebook that ``%run`` means, in whatever folder; "" where it means none."""
    notebooks = [name for name in files if name.endswith(".ipynb")]
    named = [name for name in notebooks if f"/{path}".endswith(f"/{name}")]
    same = [name for name in notebooks if PurePosixPath(name).name == PurePosixPath(path).name]
    return next(iter([*named, *same]), "")


def left_out_magic(place: SourcePlace, magic: str, source: str) -> str:
    """Say that a cell was left out for its magic, and what it would define."""
    body = source.partition(magic.split()[0])[2].partition("\n")[2]
    names = [name for each in statements(body, place, is_main=True)[0] for name in sorted(bound([each.node]))]
    max_shown = 6  # of those that a cell would define
    defines = f", with what it defines: {', '.join(map(repr, names[:max_shown]))}" if names else ""
    return f"{place}: the cell begins with the cell magic {magic!r} and was left out{defines}"


def module_files(texts: Texts, base: str, cells: list[str]) -> ModuleFiles:
    """Find the modules by name, where the code tells folders of theirs and a template's gaps tell what is no work yet."""
    told = "\n".join([*cells, *(text for text, _ in texts.values())])
    return ModuleFiles(texts, base, told, {file: gaps(text) for file, (text, _) in texts.items()})


def write_module(file: str, source: str, appends: bool, place: SourcePlace, written: Texts) -> None:
    """Remember what ``%%writefile model.py`` would write."""
    if not file.endswith(".py"):
        return
    if appends and file in written:
        source, place = written[file][0] + "\n" + source.lstrip("\n"), SourcePlace(file, None)
    written[file] = source, place


def write_text(code: Code) -> str:
    """Return the statement that writes what ``%%writefile config.yaml`` does; nothing for a module."""
    name, text = str(code.writes), code.source.lstrip("\n") + "\n"
    return "" if name.endswith(".py") else f"open({name!r}, {'aw'[not code.appends]!r}).write({text!r})"


def read_modules(root: Path, files: Iterable[str], limits: IntakeLimits) -> Texts:
    names = sorted((name for name in files if name.lower().endswith(".py")), key=lambda name: (name.count("/"), name))
    return {name: (text_of((root / name).read_bytes()), SourcePlace(name, None)) for name in names[: limits.modules]}


def text_of(raw: bytes) -> str:
    """The text of a module; Windows calls UTF-16 "Unicode" and marks it at the beginning."""
    is_utf_16 = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return raw.decode("utf-16" if is_utf_16 else "utf-8-sig", "replace")


def modules_only(root: Path, files: Iterable[str], question: WantedNames, limits: IntakeLimits) -> Choice:
    """Read a submission without a notebook."""
    texts = read_modules(root, files, limits)
    return Choice(None, [], Gathering([], "", texts, module_files(texts, "", []), question), [])


def choose(root: Path, files: list[str], question: WantedNames, limits: IntakeLimits) -> Choice:
    """Read the notebook that holds the work: which defines or imports most of the wanted names, filled in.

    A template's gaps count for less than any definition. Among equals the one that was executed counts, then the one
    that is named like a submission, then the one that is no copy, then the one nearer to the top, then the shorter and
    alphabetically first name; never the newest.

    Raises:
        RefusalError: the notebook cannot be read, or all that could count cannot.
    """
    notebooks = sorted(notebooks_among(root, files), key=rank)[: limits.notebooks]
    if not notebooks:
        return modules_only(root, files, question, limits)
    readable: list[Choice] = []
    refusals: dict[str, str] = {}
    for notebook in notebooks:
        try:
            readable.append(read_notebook(root, notebook, files, question, limits))
        except RefusalError as error:
            refusals[notebook] = str(error)
    run_by_others = {name for choice in readable for name in choice.run}
    outermost = [choice for choice in readable if choice.notebook not in run_by_others]
    best = max(outermost or readable, key=work, default=None)  # two may run each other
    if best is None or (refusals and best.gathering.score() == 0):
        raise RefusalError(refusal(*next(iter(refusals.items()))))
    best.problems[:0] = [*(refusal(*each) for each in refusals.items()), *chosen(best, notebooks)]
    best.others.extend(choice for choice in readable if choice is not best and choice.notebook not in best.run)
    best.broken.update((name, why) for name, why in refusals.items() if (root / name).read_bytes().strip())
    return best


def notebooks_among(root: Path, files: list[str]) -> list[str]:
    """Return the notebooks, those that a browser saved as ``assignment3.ipynb.txt`` included.

    Where there is no other, one that is named like any text counts as well.
    """
    named = [name for name in files if is_notebook(name)]
    texts = [name for name in files if may_be_notebook(name) and (not named or ".ipynb" in name.lower())]
    return named + [name for name in texts if holds_notebook_text((root / name).read_bytes())]


def work(choice: Choice) -> tuple[int, int, bool, bool]:
    """Return how much of the work a notebook holds, and whether it was executed: outputs tell, or counts of cells."""
    printed, counted = any(cell.outputs for cell in choice.cells), any(cell.executed for cell in choice.cells)
    return choice.gathering.filled(), choice.gathering.score(), printed, counted


def refusal(notebook: str, why: str) -> str:
    return f"file {notebook!r} {why}"


def chosen(best: Choice, notebooks: list[str]) -> list[str]:
    others = [name for name in notebooks if name != best.notebook and name not in best.run]
    return [f"{best.notebook}: graded; the other notebooks are not: {', '.join(others)}"] if others else []


def rank(name: str) -> tuple[bool, bool, int, int, str]:
    lower = PurePosixPath(name).name.lower()
    named = "submission" in lower or "assignment" in lower
    return not named, "copy" in lower, name.count("/"), len(name), name
