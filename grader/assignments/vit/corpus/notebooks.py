"""Edits of the reference's notebook: other outputs, other cells."""

import json
import re
from collections.abc import Callable
from typing import Any

Notebook = dict[str, Any]
Edit = Callable[[bytes], bytes]
CALL = "train_embedding_model(train_dataset, test_dataset)"


def edit(change: Callable[[Notebook], None]) -> Edit:
    """An edit of the file from one of the notebook."""

    def edited(old: bytes) -> bytes:
        notebook = json.loads(old)
        change(notebook)
        return json.dumps(notebook).encode()

    return edited


def training_cell(notebook: Notebook) -> dict[str, Any]:
    """The cell that trains the embedding."""
    return next(cell for cell in notebook["cells"] if "".join(cell["source"]).strip() == CALL)


def code(source: str, *outputs: dict[str, Any]) -> dict[str, Any]:
    """A code cell."""
    return {"cell_type": "code", "execution_count": 1, "metadata": {}, "source": source, "outputs": list(outputs)}


def stream(text: str, name: str = "stdout") -> dict[str, Any]:
    """What a cell printed."""
    return {"output_type": "stream", "name": name, "text": text}


def error(name: str, value: str = "") -> dict[str, Any]:
    """The error that a cell ended with."""
    trace = ["-" * 75, f"{name} Traceback (most recent call last)", f"{name}: {value}"]
    return {"output_type": "error", "ename": name, "evalue": value, "traceback": trace}


def printed(notebook: Notebook) -> str:
    """What the training of the embedding printed."""
    return "".join("".join(o["text"]) for o in training_cell(notebook)["outputs"] if o["output_type"] == "stream")


def best(notebook: Notebook) -> list[float]:
    """Its values of Precision@1, one an epoch."""
    return [float(value) for value in re.findall(r"Best Precision@1: ([\d.]+)", printed(notebook))]


def outputs(*made: Callable[[list[float]], dict[str, Any]]) -> Edit:
    """Other outputs of the training, each made from the values of Precision@1."""

    def change(notebook: Notebook) -> None:
        values = best(notebook)
        training_cell(notebook)["outputs"] = [one(values) for one in made]

    return edit(change)


def log(line: Callable[[int, float], str], name: str = "stdout", end: str = "\n") -> Edit:
    """A log with other lines: of an epoch, counted from 1, and its best Precision@1."""
    return outputs(lambda values: stream("".join(line(e, v) + end for e, v in enumerate(values, 1)), name))


def lines(change: Callable[[list[str]], list[str]]) -> Edit:
    """A log with other lines, made from those that there are."""

    def edited(notebook: Notebook) -> None:
        training_cell(notebook)["outputs"] = [stream("".join(change(printed(notebook).splitlines(keepends=True))))]

    return edit(edited)
