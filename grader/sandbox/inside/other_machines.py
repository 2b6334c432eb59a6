"""Files of the machine that a submission was written on: its paths lead into the scratch, and its folders are there.

``/content/drive/MyDrive/model.pt``, ``/kaggle/working``, ``C:/Users/…`` are nowhere here. What is saved there is written
below one folder of the scratch, whose parts are made as they are needed: on the other machine they were there. What is
read there is looked for in the same place, then by its file name in the current folder, as what was handed in lies.

A folder such as ``checkpoints/`` was made by a cell, or by hand, which no grade executes: it is made where something is
written to it. A text such as ``config.json`` that is read and is nowhere else is looked for in what was handed in.
"""

import builtins
import contextlib
import functools
import io
import os
import sys
import tempfile
from collections.abc import Callable, Iterable
from typing import Any

import torch

FOLDER = "other_machines"  # of the scratch, in which they lie
lstat = os.lstat  # before anything is put in its place


def named_in(sources: Iterable[str]) -> bool:
    """Whether some text may name a path of another machine."""
    marks = ('"/', "'/", ":/", ":\\")  # in a text that may name such a path
    return any(mark in source for source in sources for mark in marks)


def install(elsewhere: bool = True, handed_in: str = "") -> Callable[[], None]:
    """Put the functions that open, make and find files in place; what it returns puts the original ones back.

    Args:
        elsewhere: paths of another machine may be named; else there is less to do.
        handed_in: the folder of what was handed in; empty where there is none.
    """
    if getattr(builtins.open, "maps_paths", False) or os.name == "nt":
        return lambda: None
    replaced: list[tuple[Any, str, Any]] = []

    def put(owner: Any, name: str, made: Callable[..., Any]) -> None:
        original = getattr(owner, name)
        new = functools.wraps(original)(functools.partial(made, original))
        new.maps_paths = True  # type: ignore[attr-defined]
        replaced.append((owner, name, original))
        setattr(owner, name, new)

    one_path = (
        "stat", "lstat", "listdir", "scandir", "remove", "unlink", "rmdir", "access", "chmod", "utime", "readlink",
    )  # fmt: skip
    for name in one_path if elsewhere else ():
        put(os, name, _one_path)
    for name in ("mkdir", "chdir") if elsewhere else ():
        put(os, name, _folder)
    for name in ("rename", "replace", "link", "symlink") if elsewhere else ():
        put(os, name, _two_paths)
    for owner in (builtins, io):
        put(owner, "open", functools.partial(_open, handed_in))
    put(torch, "save", functools.partial(_save, handed_in))
    put(torch, "load", functools.partial(_load, handed_in))

    def undo() -> None:
        for owner, name, original in reversed(replaced):
            setattr(owner, name, original)

    return undo


def here(path: Any, made: bool = False, handed_in: str = "") -> Any:
    """The path to use on this machine; any other value as it is.

    Args:
        made: its folders are made, for something is to be written there.
        handed_in: a folder that can only be read, which is a folder of another machine then.
    """
    text = _text(path)
    if text is None or not (is_elsewhere(text) or _lies_in(handed_in, path)):
        return path
    inside = text.replace("\\", "/").replace(":", "").lstrip("/")
    parts = (part for part in inside.split("/") if part != "..")
    mapped = os.path.join(tempfile.gettempdir(), FOLDER, *parts)
    if made:
        os.makedirs(os.path.dirname(mapped), exist_ok=True)
    return mapped


def is_elsewhere(text: str) -> bool:
    """Whether a path begins where this machine has nothing."""
    if text[1:2] == ":":
        return text[:1].isalpha() and text[2:3] in ("/", "\\")
    if not text.startswith("/"):
        return False
    first, _, rest = text[1:].partition("/")
    if not _is_there(f"/{first}"):
        return True
    shared_roots = ("/home", "/Users", "/root", "/mnt", "/media", "/data", "/workspace", "/scratch")
    return f"/{first}" in shared_roots and bool(rest) and not _is_there(f"/{first}/{rest.partition('/')[0]}")


def _is_there(path: str) -> bool:
    try:
        lstat(path)
    except (OSError, ValueError):
        return False
    return True


def _lies_in(handed_in: str, path: Any) -> bool:
    return bool(handed_in) and (_text(path) or "").startswith(f"{handed_in}/")


def _text(path: Any) -> str | None:
    if isinstance(path, os.PathLike):
        path = os.fspath(path)
    return path if isinstance(path, str) else None


def _found(path: Any, handed_in: str = "") -> Any:
    """Where something is read that was saved on another machine, or that was to be saved beside what was handed in."""
    mapped = here(path, handed_in=handed_in)
    if _lies_in(handed_in, path):
        return mapped if _is_there(mapped) else path
    if mapped is path or _is_there(mapped):
        return mapped
    beside = os.path.basename(mapped)
    return beside if _is_there(beside) else mapped


def _text_in(handed_in: str, path: Any) -> Any:
    """Where a text of that name lies in what was handed in; the path as it is where there is none."""
    name = os.path.basename(_text(path) or "").lower()
    texts = (".json", ".yaml", ".yml", ".toml", ".cfg", ".ini", ".txt", ".csv", ".md")
    if not handed_in or not name.endswith(texts) or _is_there(_text(path) or ""):
        return path
    found = [f"{folder}/{each}" for folder, _, files in os.walk(handed_in) for each in files if each.lower() == name]
    return min(found, key=lambda each: (each.count("/"), each), default=path)


def _to_write(path: Any, handed_in: str = "") -> Any:
    """Where something is written; its folder is made."""
    mapped = here(path, handed_in=handed_in)
    folder = os.path.dirname(_text(mapped) or "")
    if folder:
        with contextlib.suppress(OSError):  # then writing says why
            os.makedirs(folder, exist_ok=True)
    return mapped


def let_pandas_write() -> None:
    """Let tables be written to folders that are not there: pandas, once imported, looks for them before it opens a file."""
    common = sys.modules.get("pandas.io.common")
    if hasattr(common, "check_parent_directory"):
        common.check_parent_directory = _to_write  # type: ignore[union-attr]


def _one_path(original: Callable[..., Any], path: Any = ".", *args: Any, **kwargs: Any) -> Any:
    return original(here(path), *args, **kwargs)


def _two_paths(original: Callable[..., Any], src: Any, dst: Any, *args: Any, **kwargs: Any) -> Any:
    return original(here(src), here(dst, made=True), *args, **kwargs)


def _folder(original: Callable[..., Any], path: Any, *args: Any, **kwargs: Any) -> Any:
    mapped = here(path, made=True)
    if mapped is not path and original.__name__ == "chdir":
        os.makedirs(mapped, exist_ok=True)
    return original(mapped, *args, **kwargs)


def _open(handed_in: str, original: Callable[..., Any], file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
    writing_modes = ("w", "a", "x", "+")
    writes = isinstance(mode, str) and any(letter in mode for letter in writing_modes)
    place = _to_write(file, handed_in) if writes else _text_in(handed_in, _found(file, handed_in))
    return original(place, mode, *args, **kwargs)


def _save(handed_in: str, original: Callable[..., Any], obj: Any, f: Any, *args: Any, **kwargs: Any) -> Any:
    return original(obj, _to_write(f, handed_in), *args, **kwargs)


def _load(handed_in: str, original: Callable[..., Any], f: Any, *args: Any, **kwargs: Any) -> Any:
    return original(_found(f, handed_in), *args, **kwargs)
