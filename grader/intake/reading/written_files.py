"""Small files that a notebook writes and reads again, as a ``config.yaml``: whoever reads one needs who wrote it."""

import ast
from collections.abc import Iterable
from pathlib import PurePosixPath

from .names import evaluated

SUFFIXES = {
    ".json", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".csv", ".tsv", ".txt", ".npy", ".npz", ".pkl", ".pickle",
}  # fmt: skip
WRITING = {
    "write", "writelines", "write_text", "write_bytes", "writerow", "writerows", "dump", "save", "savez", "savetxt",
    "tofile", "to_csv", "to_json", "to_pickle",
}  # fmt: skip


def files_in(nodes: Iterable[ast.AST]) -> set[str]:
    """Return the names of such files that stand in some nodes as text."""
    texts = (node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))
    short = 200  # characters of a path; what is longer is a text
    names = (PurePosixPath(text.replace("\\", "/")).name for text in texts if "." in text and len(text) < short)
    return {name for name in names if PurePosixPath(name).suffix.lower() in SUFFIXES and "*" not in name}


def written_by(statement: ast.AST) -> set[str]:
    """Return the files that a statement writes when it is evaluated."""
    parts = list(evaluated(statement))
    return files_in(parts) if any(isinstance(part, ast.Call) and writes(part) for part in parts) else set()


def writes(call: ast.Call) -> bool:
    """Tell ``f.write(...)`` and ``open(..., "w")``."""
    function = call.func
    if isinstance(function, ast.Attribute) and function.attr in WRITING:
        return True
    modes = [*call.args[1:2], *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]
    opens = (isinstance(function, ast.Name) and function.id == "open") or (
        isinstance(function, ast.Attribute) and function.attr == "open"
    )
    return opens and any(isinstance(mode, ast.Constant) and set("wax") & set(str(mode.value)) for mode in modes)


def as_names(files: Iterable[str]) -> set[str]:
    """Return names that no Python name is, for files: who writes one changes it, who reads one uses it."""
    return {f"file {file.replace('.', ' ')}" for file in files}
