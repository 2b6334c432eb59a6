"""IPython's lines that are no Python: made harmless without moving any other line."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

ASSIGNED = re.compile(r"(?P<target>[\w.,\s\[\]*]+?=)\s*(?P<magic>[%!].*)$")


@dataclass(frozen=True)
class Code:
    """A cell as Python."""

    source: str  # with as many lines as the cell up to its end
    writes: str | None = None  # the file that %%writefile makes of this source
    appends: bool = False
    skipped: str | None = None  # the line with the cell magic for which the cell is no Python: "%%add_to Net"


def neutralised(source: str) -> Code:
    """Return a cell's Python: cell magics resolved; line magics are left to ``python_lines``."""
    lines = source.split("\n")
    python_cells = {"time", "capture", "prun", "px", "memray_flamegraph", "wandb", "heat", "mprun", "lprun"}
    for index, line in enumerate(lines):
        stripped = line.strip()
        if not stripped:
            continue
        if not stripped.startswith("%%"):
            break
        name, _, rest = stripped[2:].partition(" ")
        if name in {"writefile", "file"}:
            words = [word for word in rest.split() if not word.startswith("-")]
            body = "\n" * (index + 1) + "\n".join(lines[index + 1 :])
            return Code(body, writes=words[-1].strip("'\"") if words else None, appends="-a" in rest.split())
        if name not in python_cells:
            return Code("", skipped=" ".join(stripped.split())[:60])  # characters
        lines[index] = ""
    return Code("\n".join(lines))


def python_lines(source: str) -> str:
    """Replace magic, shell and help lines by Python that does nothing, line for line."""
    lines = source.split("\n")
    continued = False
    for index in logical_starts(lines):
        for number in magic_lines(lines, index):
            lines[number] = "" if continued else replaced(lines[number])
            continued = True
        continued = False
    return "\n".join(lines)


def magic_lines(lines: list[str], index: int) -> Iterator[int]:
    """Yield the line at ``index`` if it is magic, and the lines that its backslashes join to it."""
    if not is_magic(lines[index].strip()):
        return
    while index < len(lines):
        ends = not lines[index].rstrip().endswith("\\")
        yield index
        if ends:
            return
        index += 1


def is_magic(line: str) -> bool:
    if not line or line.startswith("#"):
        return False
    help = re.compile(r"[\w.*\[\]'\"]+\?{1,2}$")
    starts = line[0] in "%!?" or (line.endswith("?") and help.match(line) is not None)
    shell_words = re.compile(
        r"(?:pip3?|conda|mamba|apt|apt-get|git|wget|curl|cd|ls|mkdir|unzip|rm|cp|mv|cat|pwd|nvidia-smi)(?:\s+[\w./~\-].*)?$"
    )
    return starts or ASSIGNED.match(line) is not None or shell_words.match(line) is not None


def replaced(line: str) -> str:
    """Return the Python for one magic line, indented as it was."""
    indent, body = line[: len(line) - len(line.lstrip())], line.strip()
    run_line = re.compile(r"%(?:time|prun|lprun)\b(?:\s+-\S+)*\s*(?P<code>.*)")
    if match := ASSIGNED.match(body):
        timed = run_line.match(match["magic"])
        value = timed["code"] if timed else "[]" if match["magic"].startswith("!") else "None"
        return f"{indent}{match['target']} {value or 'None'}"
    if match := run_line.match(body):
        return indent + (match["code"] or "pass")
    module = run_module(body)
    return f"{indent}from {module} import *" if module else indent + "pass"


def run_module(line: str) -> str:
    """Return the module that ``%run -i "/content/my drive/src/model.py"`` names, as ``src.model``; else ""."""
    path = run_path(line)
    parts = [part for part in path.removesuffix(".py").split("/") if part not in ("", ".")]
    unnamed = max((place for place, part in enumerate(parts, 1) if not part.isidentifier()), default=0)
    return "" if path.endswith((".ipynb", ".sh")) else ".".join(parts[unnamed:])


def run_path(line: str) -> str:
    """Return the file that a ``%run`` names, "" for any other line."""
    word, _, rest = line.strip().partition(" ")
    if word != "%run":
        return ""
    rest = rest.strip()
    while rest.startswith("-"):
        rest = rest.partition(" ")[2].strip()
    quoted = rest[:1] in ("'", '"') and rest[1:].partition(rest[0])[0]
    return (quoted or rest.partition(" ")[0]).replace("\\", "/").removeprefix("./")


def logical_starts(lines: list[str]) -> Iterator[int]:
    """Yield the lines at which a statement may start: outside brackets, strings and continuations.

    Lines are looked at as they are when their turn comes, so a magic line that was replaced meanwhile
    never opens a bracket or a string.
    """
    state = ""
    depth = 0
    joined = False
    for index in range(len(lines)):
        if not state and depth == 0 and not joined:
            yield index
        state, depth = scanned(lines[index], state, depth)
        joined = not state and lines[index].endswith("\\")


def scanned(line: str, state: str, depth: int) -> tuple[str, int]:
    """Return the open string's quotes ("" for none) and the bracket depth after a line."""
    tokens = re.compile(r"\\.|'''|\"\"\"|['\"()\[\]{}#]")
    for match in tokens.finditer(line):
        token = match[0]
        if state:
            if token == state or (len(state) == 1 and token == state * 3):
                state = ""
        elif token == "#":
            break
        elif token in "([{":
            depth += 1
        elif token in ")]}":
            depth = max(0, depth - 1)
        elif token[0] in "'\"":
            state = token
    return (state if len(state) == 3 else ""), depth
