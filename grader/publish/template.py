"""Generate an assignment's template from its reference: one source for the template and its solution.

What the assignment makes of the template besides, such as a file of the blocks that it gives, is written as well.

Two kinds of region in the reference's modules and notebook cells stay out of the template:

    ### BEGIN SOLUTION: what to do      becomes    raise NotImplementedError("what to do")
    ...
    ### END SOLUTION

    ### BEGIN SOLUTION                  becomes    the region's lines that start with "# >", without that mark
    # > patch_size = 14                            (a region without such lines disappears)
    patch_size = 7
    ### END SOLUTION

Everything else is kept to the letter. Checkpoints stay behind, and so do the notebook's outputs.
"""

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import nbformat

from grader import syntax
from grader.assignment import Assignment
from grader.errors import GraderError
from grader.solution_regions import BEGIN, END, KEPT_MARK


def without_solutions(source: str, where: str) -> str:
    """Replace each solution region of a piece of Python by what the student finds in its place.

    Args:
        source: text of a module or of a notebook cell.
        where: its file, and its cell.

    Raises:
        GraderError: a region is opened twice, or never closed, or closed without being open, or leaves nothing of a
            function.
    """
    template: list[str] = []
    region: list[str] | None = None
    for number, line in enumerate(source.splitlines(keepends=True), 1):
        mark = line.strip()
        if mark.startswith(BEGIN) and region is None:
            region = [line]
        elif mark == END and region is not None:
            template += _stand_in(region)
            region = None
        elif mark.startswith((BEGIN, END)):
            other = f"no {BEGIN!r}" if region is None else f"{region[0].strip()!r}, which is not closed yet,"
            raise GraderError(f"{where}, line {number}: {mark!r} has {other} before it")
        elif region is None:
            template.append(line)
        else:
            region.append(line)
    if region is not None:
        raise GraderError(f"{where}: {region[0].strip()!r} is never closed: write {END!r} behind its last line")
    made = "".join(template)
    _refuse_emptied(source, made, where)
    return made


def _refuse_emptied(source: str, made: str, where: str) -> None:
    """Refuse a template in which a function has no statement left: it would do nothing, and ask for nothing."""
    try:
        whole = _statements(source)
    except SyntaxError:  # a cell with magics
        return
    try:
        left = _statements(made)
    except SyntaxError as error:
        raise GraderError(f"{where}: what its regions leave is no Python: {error.msg}") from None
    for function, statements in whole.items():
        if statements and left.get(function) == 0:
            advice = f"write what is to do behind its mark, as in '{BEGIN}: the sum'"
            raise GraderError(f"{where}: a region without a title leaves nothing of `{function[1]}`: {advice}")


def _statements(text: str) -> dict[tuple[str, str], int]:
    """By class and function, the number of its statements without a docstring."""
    return {
        (getattr(parent, "name", ""), node.name): len(node.body) - (ast.get_docstring(node) is not None)
        for parent in ast.walk(syntax.parse(text))
        for node in ast.iter_child_nodes(parent)
        if isinstance(node, ast.FunctionDef)
    }


def _stand_in(region: list[str]) -> list[str]:
    """Give the lines that stand in the template for a region, whose first line is its marker."""
    marker, *body = region
    indent = marker[: marker.index(BEGIN)]
    todo = marker.strip().removeprefix(BEGIN).removeprefix(":").strip()
    if todo:
        return [f"{indent}raise NotImplementedError({json.dumps(todo)})\n"]
    kept = [line.strip().removeprefix(KEPT_MARK)[1:] for line in body if line.strip().startswith(KEPT_MARK)]
    return [f"{indent}{line}".rstrip() + "\n" for line in kept]


def template_notebook(source: str, where: str) -> str:
    """Strip the solutions of a notebook, its outputs, and all metadata but the kernel."""
    notebook = nbformat.reads(source, as_version=4)
    notebook.metadata = nbformat.from_dict({"kernelspec": notebook.metadata.kernelspec})
    for number, cell in enumerate(notebook.cells, 1):
        cell.source = without_solutions(cell.source, f"{where}, cell {number}").rstrip("\n")
        cell.metadata = nbformat.from_dict({})
        if cell.cell_type == "code":
            cell.outputs = []
            cell.execution_count = None
    notebook.cells = [cell for cell in notebook.cells if cell.source]
    return nbformat.writes(notebook) + "\n"


def generate(reference: Path) -> dict[str, str]:
    """Make the template, as texts by file name."""
    return {
        path.name: make(path.read_text(encoding="utf-8"), str(path))
        for kind, make in (("*.py", without_solutions), ("*.ipynb", template_notebook))
        for path in sorted(reference.glob(kind))
    }


def drift(template: dict[str, str], student: Path) -> Iterator[str]:
    """Name the files of a student folder that are not what the template says."""
    present = {path.name for pattern in ("*.py", "*.ipynb", "*.pt") for path in student.glob(pattern)}
    for name in sorted(present | template.keys()):
        if (
            name not in template
            or name not in present
            or (student / name).read_text(encoding="utf-8") != template[name]
        ):
            yield name


def drifted(assignment: Assignment) -> list[str]:
    """Name what is not as the reference says: files of the template, and those that are made of its texts."""
    texts, folder = generate(reference_of(assignment)), _template_of(assignment)
    made = assignment.generated(texts)
    others = (
        path.name for path, text in made.items() if not path.is_file() or path.read_text(encoding="utf-8") != text
    )
    return [*drift(texts, folder), *others]


def write(assignment: Assignment) -> None:
    """Write the template, and what is made of its texts."""
    texts, folder = generate(reference_of(assignment)), _template_of(assignment)
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    for path, text in assignment.generated(texts).items():
        path.write_text(text, encoding="utf-8")


def reference_of(assignment: Assignment) -> Path:
    """The folder with the solution.

    Raises:
        GraderError: it is not here.
    """
    if assignment.reference is None:
        raise GraderError(f"the assignment {assignment.name} names no folder for its reference")
    if not assignment.reference.is_dir():
        raise GraderError(
            f"{assignment.reference}: there is no such folder, and the reference of {assignment.name} is needed"
        )
    return assignment.reference


def _template_of(assignment: Assignment) -> Path:
    if assignment.template is None:
        raise GraderError(f"the assignment {assignment.name} names no folder for its template")
    return assignment.template
