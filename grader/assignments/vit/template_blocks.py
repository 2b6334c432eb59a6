"""The blocks that the template gives, as one file beside the course's other editions of them.

There the grader finds what a student has left as it was.
"""

import ast
import json
from collections.abc import Mapping
from pathlib import Path

from grader import syntax
from grader.assignments.vit import blocks, files
from grader.given.namespaces import imported
from grader.intake.reading.names import uses


def generated(template: Mapping[str, str]) -> dict[Path, str]:
    """The file of blocks, from the template's texts by file name."""
    return {files.TEMPLATE_BLOCKS: text_of(template)}


def text_of(template: Mapping[str, str]) -> str:
    """The blocks that the template gives, with the imports of libraries that they rest on, as one file."""
    sources = [text if name.endswith(".py") else _notebook_code(text) for name, text in sorted(template.items())]
    found = [(node, source) for source in sources for node in syntax.parse(source).body]
    functions = [(n, source) for n, source in found if isinstance(n, ast.FunctionDef) and n.name in blocks.RULES.names]
    paths = {
        name: path for node, _ in found for name, path in imported(node) if f"{path.split('.')[0]}.py" not in template
    }
    used = {name.partition(".")[0] for node, _ in functions for name in uses(node).now | uses(node).later}
    lines = sorted(_import(name, path) for name, path in paths.items() if name in used)
    texts = [ast.get_source_segment(source, node) or "" for node, source in functions]
    head = '"""The blocks that student/ gives, generated from reference/ by python grade.py template."""'
    return "\n\n\n".join([f"{head}\n\n" + "\n".join(lines), *texts]) + "\n"


def _import(name: str, path: str) -> str:
    if name == path:
        return f"import {name}"
    module, _, last = path.rpartition(".")
    return f"from {module} import {last}" + (f" as {name}" if name != last else "")


def _notebook_code(source: str) -> str:
    """The code cells of a notebook as one text."""
    cells = json.loads(source)["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
