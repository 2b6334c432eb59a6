"""Notebooks as people save them: any version, any magic, any output."""

import json
import os
from pathlib import Path
from typing import Any

import nbformat
import pytest

from grader.intake import IntakeLimits, Rejected
from grader.records import CellLog
from tests.intake.building import from_cells, kept, opened, processor_seconds, run, write_notebook

MAGICS = {
    "line magic": "%matplotlib inline\nlr = 0.5",
    "shell": "!pip install 'torch>=2  # don't\nlr = 0.5",
    "shell over two lines": "!pip install a \\\n   b\nlr = 0.5",
    "help": "?print\nprint??\nlr = 0.5",
    "assigned shell": "files = !ls *.pt\nlr = 0.5 + len(files)",
    "assigned magic": "where = %pwd\nlr = 0.5",
    "timed statement": "%time lr = 0.5",
    "timed cell": "%%time\nlr = 0.5",
    "captured cell": "\n%%capture out\nlr = 0.5",
    "two cell magics": "%%capture\n%%time\nlr = 0.5",
    "inside a block": "if True:\n    !ls\n    lr = 0.5",
    "alone in a block": "if True:\n    %cd /content\nlr = 0.5",
    "no magic in a string": "x = '''\n%d\n!\n''' % 5\n!ls\nlr = len(x) / 10",
    "no magic in brackets": "!ls\nlr = (5\n% 10\n) / 10",
    "without percent": "pip install torch\nlr = 0.5",
    "indented": "    lr = 0.5\n    !ls",
    "windows lines": "lr = 0.5\r\nx = 1\r\n",
}


@pytest.mark.parametrize("cell", MAGICS.values(), ids=MAGICS.keys())
@pytest.mark.usefixtures("in_process")
def test_magics_do_no_harm(tmp_path: Path, cell: str) -> None:
    assert run(opened(write_notebook(tmp_path / "a.ipynb", nbformat.v4.new_code_cell(cell))))["lr"] == 0.5


@pytest.mark.parametrize("magic", ["%%bash", "%%html", "%%javascript", "%%script python", "%%unknown", "%%timeit"])
@pytest.mark.usefixtures("in_process")
def test_a_cell_of_another_language_is_left_out_and_said(tmp_path: Path, magic: str) -> None:
    submission = from_cells(tmp_path, f"{magic}\nlr = 1")
    assert submission.program.names == {}
    left_out = f"cell 1: the cell begins with the cell magic {magic!r} and was left out, with what it defines: 'lr'"
    assert submission.problems == (left_out,)


BROKEN = {
    "in the middle": "lr = 1\nclass Broken(:\n    pass\nnum_epochs = 2",
    "unclosed bracket": "lr = 1\nnum_epochs = 2\nx = (1,\n",
    "inside a function": "lr = 1\ndef f(x)\n    return x\nnum_epochs = 2",
    "bad indent": "lr = 1\nnum_epochs = 2\n  x = 3",
    "null character": "lr = 1\nx = '\0'\nnum_epochs = 2",
    "decorated": "lr = 1\n@deco\ndef f():\n    return\nx = = 2\nnum_epochs = 2",
}


@pytest.mark.parametrize("cell", BROKEN.values(), ids=BROKEN.keys())
@pytest.mark.usefixtures("in_process")
def test_a_syntax_error_loses_its_own_statement_only(tmp_path: Path, cell: str) -> None:
    submission = from_cells(tmp_path, cell, "tfm_train = 3")
    assert submission.program.names.keys() == {"lr", "num_epochs", "tfm_train"}
    assert any(problem.startswith("cell 1") for problem in submission.problems)


def test_a_syntax_error_is_told_with_cell_and_line(tmp_path: Path) -> None:
    submission = from_cells(tmp_path, "lr = 1", "num_epochs = 2\n\nx = = 2")
    assert submission.problems == ("cell 2, line 3: invalid syntax; this statement was left out",)


def test_a_module_with_a_syntax_error_keeps_its_other_definitions(tmp_path: Path) -> None:
    submission = from_cells(tmp_path, "from m import *", m="class ViT: pass\ndef f(:\n    pass\nlr = 1")
    assert submission.program.names.keys() == {"ViT", "lr"}


def raw(folder: Path, content: Any) -> Path:
    path = folder / "a.ipynb"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def code(source: Any, **more: Any) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "metadata": {}, "outputs": [], "execution_count": None, **more}


READABLE = {
    "source as lines": {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [code(["lr = \\\n", "1"])]},
    "same ids": {"nbformat": 4, "nbformat_minor": 5, "cells": [code("x = 1", id="a"), code("lr = x", id="a")]},
    "no version": {"cells": [code("lr = 1")]},
    "other cells": {"nbformat": 4, "cells": [{"cell_type": "raw", "source": "lr ="}, code("lr = 1")]},
    "strange cells": {"nbformat": 4, "cells": [None, 3, {"source": 4}, {"cell_type": "code"}, code("lr = 1")]},
    "strange outputs": {"nbformat": 4, "cells": [code("lr = 1", outputs=[None, {"output_type": 3}, {"text": 1}, 7])]},
    "version 3": {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {"name": ""},
        "worksheets": [{"cells": [{"cell_type": "code", "input": "lr = 1", "outputs": [], "language": "python"}]}],
    },
    "version 2": {
        "nbformat": 2,
        "nbformat_minor": 0,
        "metadata": {"name": ""},
        "worksheets": [{"cells": [{"cell_type": "code", "input": "lr = 1", "outputs": [], "language": "python"}]}],
    },
}


@pytest.mark.parametrize("notebook", READABLE.values(), ids=READABLE.keys())
def test_any_readable_notebook_is_read(tmp_path: Path, notebook: dict[str, Any]) -> None:
    assert run(opened(raw(tmp_path, notebook)))["lr"] == 1


@pytest.mark.parametrize("prefix", ["", "\ufeff"], ids=["plain", "byte order mark"])
def test_a_notebook_with_half_characters_is_read(tmp_path: Path, prefix: str) -> None:
    path = raw(tmp_path, prefix + json.dumps({"nbformat": 4, "cells": [code("lr = '\ud800'")]}))
    submission = opened(path)
    assert submission.cells[0].source == "lr = '?'"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_notebook_that_windows_saved_anew_is_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.ipynb"
    path.write_bytes(json.dumps({"nbformat": 4, "cells": [code("lr = 1")]}).encode(encoding))
    assert opened(path).cells[0].source == "lr = 1"


@pytest.mark.parametrize("blank", ["\u00a0", "\u3000", "# a note\n\u00a0", "\x1c", "\u2028", "\ufeff"])
def test_a_cell_of_blanks_that_python_does_not_know_costs_nothing_else(tmp_path: Path, blank: str) -> None:
    path = raw(tmp_path, {"nbformat": 4, "cells": [code("lr = 1"), code(blank), code("num_epochs = 2")]})
    assert set(opened(path).program.names) == {"lr", "num_epochs"}


def test_a_name_that_is_not_unicode_is_read_as_windows_wrote_it(tmp_path: Path) -> None:
    written = raw(tmp_path, {"nbformat": 4, "cells": [code("lr = 1")]})
    folder = tmp_path / os.fsdecode(b"B\xe4r")
    folder.mkdir()
    written.rename(folder / os.fsdecode(b"L\xf6sung.ipynb"))
    found = opened(folder)
    assert found.notebook == "L\u00f6sung.ipynb" and set(found.program.names) == {"lr"}


def test_a_name_that_cannot_be_read_is_said_where_nothing_else_is_there(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    raw(tmp_path, {"nbformat": 4, "cells": []}).rename(tmp_path / "a" / "x\ny.ipynb")
    with pytest.raises(Rejected, match=r"holds no notebook and no .py file; .* has no printable name"):
        opened(tmp_path / "a")


REJECTED = {
    "empty": ("", "empty file"),
    "blank": ("\n  \n", "empty file"),
    "text": ("hello", "JSON is broken"),
    "cut off": ('{"cells": [{"cell_type": "code", "sour', "JSON is broken"),
    "merge conflict": (
        '{\n<<<<<<< HEAD\n "cells": []\n=======\n "cells": [1]\n>>>>>>> b\n}',
        "from line 2 on it holds both",
    ),
    "list": ([], "no object"),
    "no cells": ({"nbformat": 4, "metadata": {}}, "no list of cells"),
    "not a notebook": ({"name": "package", "version": 1}, "expected nbformat"),
    "of the future": ({"nbformat": 9, "cells": []}, "expected nbformat"),
    "damaged version 3": ({"nbformat": 3, "worksheets": 7}, "damaged notebook"),
    "deep lists": ("[" * 200_000 + "]" * 200_000, "nested too deep"),
    "deep objects": ('{"cells":' * 200_000 + "1" + "}" * 200_000, "nested too deep"),
    "a page under its name": ("<!DOCTYPE html>\n<html>", "is a web page, not a notebook: hand in the notebook itself"),
    "a PDF under its name": ("%PDF-1.7", "is a PDF, which holds no code that runs"),
    "an archive under its name": ("PK\x03\x04", "rename it to .zip"),
    "long number": ('{"cells": ' + "1" * 100_000 + "}", "JSON is broken"),
}


@pytest.mark.parametrize("content, reason", REJECTED.values(), ids=REJECTED.keys())
def test_what_is_no_notebook_is_rejected_in_one_line(tmp_path: Path, content: Any, reason: str) -> None:
    path = raw(tmp_path, content)
    (tmp_path / "vit_model.py").write_text("lr = 1")
    with pytest.raises(Rejected) as caught:
        opened(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


DEEP = {
    "brackets": "x = " + "(" * 100_000 + ")" * 100_000,
    "unary": "x = " + "-" * 100_000 + "1",
    "sum": "x = " + "+".join(["1"] * 100_000),
    "attributes": "x = a" + ".b" * 100_000,
    "elif": "if a: pass\n" + "elif a: pass\n" * 20_000,
    "blocks": "".join(" " * depth + "if a:\n" for depth in range(200)),
    "lambdas": "x = " + "lambda: " * 50_000 + "1",
    "subscripts": "x = a" + "[0]" * 50_000,
    "strings": "x = " + "f'{" * 3_000,
}


@pytest.mark.parametrize("cell", DEEP.values(), ids=DEEP.keys())
def test_a_cell_that_exhausts_the_parser_costs_itself_only(tmp_path: Path, cell: str) -> None:
    start = processor_seconds()
    submission = from_cells(tmp_path, cell, "lr = 1")
    assert submission.program.names.keys() == {"lr"}
    assert processor_seconds() - start < 10


@pytest.mark.parametrize("limit", [{"memory": 300_000_000}, {"seconds": 1.0}], ids=["memory", "time"])
def test_a_notebook_that_needs_too_much_is_rejected(tmp_path: Path, limit: dict[str, Any]) -> None:
    path = raw(tmp_path, '{"cells": [' + "[[]]," * 6_000_000 + "[]]}")
    with pytest.raises(Rejected, match=r"memory|was not read within|brought the reading process down"):
        opened(path, limits=IntakeLimits(**limit))


def test_a_notebook_that_is_too_large_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="larger than"):
        opened(write_notebook(tmp_path / "a.ipynb", "lr = 1"), limits=IntakeLimits(notebook=100))


def logged(folder: Path, *outputs: dict[str, Any]) -> CellLog:
    return opened(raw(folder, {"nbformat": 4, "cells": [code("train()", outputs=list(outputs))]})).cells[0]


def stream(text: Any, name: str = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}


def result(**data: Any) -> dict[str, Any]:
    kinds = {kind.replace("_", "/"): value for kind, value in data.items()}
    return {"output_type": "execute_result", "data": kinds, "metadata": {}, "execution_count": 1}


LOGS = {
    "stream": ([stream("a\nb\n")], "a\nb\n"),
    "lines": ([stream(["a\n", "b\n"])], "a\nb\n"),
    "pieces of one line": ([stream("Best Prec"), stream("ision@1: 0.8\n")], "Best Precision@1: 0.8\n"),
    "two streams": ([stream(" 10%", "stderr"), stream("acc 0.9\n")], " 10%\nacc 0.9\n"),
    "result": ([stream("a\n"), result(text_plain=["0.", "5"])], "a\n0.5\n"),
    "picture": ([result(text_plain="<Figure>", image_png="AAAA")], ""),
    "progress bar": ([stream("\r  0%|  | 0/9\r 50%|# | 5/9\r100%|##| 9/9\nacc 0.9\n")], "100%|##| 9/9\nacc 0.9\n"),
    "number after a bar": ([stream("\r 10%| 938/938\rBest: 0.8\n")], "Best: 0.8\n"),
    "trailing return": ([stream("50%\r100%\r")], "100%\n"),
    "windows lines": ([stream("a\r\nb\r\n")], "a\nb\n"),
    "colours": ([stream("\x1b[1;31mloss\x1b[0m 0.5\x1b[K\n")], "loss 0.5\n"),
    "links": ([stream("\x1b]8;;http://x\x07link\x1b]8;;\x07\n")], "link\n"),
    "bells": ([stream("a\x07\x00b\n")], "ab\n"),
}


@pytest.mark.parametrize("outputs, text", LOGS.values(), ids=LOGS.keys())
@pytest.mark.usefixtures("in_process")
def test_a_log_reads_as_its_author_saw_it(tmp_path: Path, outputs: list[dict[str, Any]], text: str) -> None:
    assert logged(tmp_path, *outputs).text == text


def test_a_saved_error_is_told_in_one_line(tmp_path: Path) -> None:
    error = {"output_type": "error", "ename": "KeyboardInterrupt", "evalue": "", "traceback": ["\x1b[31m..."]}
    assert logged(tmp_path, error).errors == ("KeyboardInterrupt: ",)


def test_a_long_log_keeps_its_beginning_and_its_end(tmp_path: Path) -> None:
    text = logged(tmp_path, stream("first\n" + "x" * 3_000_000 + "\nlast\n")).text
    assert len(text) < 2_000_100
    assert text.startswith("first") and text.endswith("last\n")


def test_sixty_megabytes_of_saved_outputs_are_read_quickly(tmp_path: Path) -> None:
    picture = {"output_type": "display_data", "metadata": {}, "data": {"image/png": "iVBOR" * 200_000}}
    cells = [code(f"x{number} = 1", outputs=[picture, stream("\r█" * 50_000)]) for number in range(60)]
    path = raw(tmp_path, {"nbformat": 4, "cells": [*cells, code("lr = 1")]})
    start = processor_seconds()
    assert run(opened(path))["lr"] == 1
    assert processor_seconds() - start < 6  # about 1 s


def test_markdown_is_counted_but_not_read(tmp_path: Path) -> None:
    submission = from_cells(tmp_path, nbformat.v4.new_markdown_cell("lr = 3"), "lr = 1")
    assert [cell.cell for cell in submission.cells] == [2]
    assert kept(submission) == "lr = 1"
