"""The annotated notebook: rendered under limits, executed never, harmless always."""

import base64
import io
import json
import re

import pytest
from PIL import Image

from grader.reports.html.notebooks import server
from grader.reports.html.notebooks.client import Renderer
from grader.reports.html.notebooks.sanitising import harmless
from tests.pages.hostile import SCRIPTS

DANGER = re.compile(
    r"<(script|style|svg|iframe|object|embed|link|meta|base|form|img)\b|\son\w+\s*=|javascript:|srcdoc", re.I
)


@pytest.fixture(scope="module")
def renderer():
    found = Renderer()
    yield found
    found.close()


def render(renderer, tmp_path, *cells, **more):
    path = tmp_path / "n.ipynb"
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells), **more}))
    return renderer.render(path)


def code(source="", *outputs):
    return {"cell_type": "code", "source": source, "outputs": list(outputs), "execution_count": 1, "metadata": {}}


def shows(**data):
    return {"output_type": "display_data", "data": {k.replace("_", "/", 1): v for k, v in data.items()}, "metadata": {}}


def tags(html):
    """What stands in tags: text may hold any word."""
    return "".join(re.findall(r"<[^>]*>", html))


@pytest.mark.parametrize("attack", SCRIPTS, ids=range(len(SCRIPTS)))
def test_nothing_that_acts_survives(attack, renderer, tmp_path):
    text = {"cell_type": "markdown", "source": attack, "metadata": {}}
    stream = {"output_type": "stream", "name": "stdout", "text": attack}
    error = {"output_type": "error", "ename": attack, "evalue": attack, "traceback": [attack]}
    found = render(
        renderer, tmp_path, text, code(attack, stream, error, shows(text_html=attack), shows(text_plain=attack))
    )
    assert len(found.cells) == 2
    for cell in found.cells:
        assert not DANGER.search(tags(cell.html)) and "id=" not in tags(cell.html)
        assert not set(re.findall(r'class="([^"]*)"', cell.html)) & {"note failed chip", "note"}


@pytest.mark.parametrize(
    "kind", ["image/svg+xml", "application/javascript", "application/vnd.jupyter.widget-view+json"]
)
def test_other_forms_of_output_are_left_out(kind, renderer, tmp_path):
    output = {"output_type": "display_data", "data": {kind: "<svg onload=alert(1)>", "text/plain": "plain"}}
    (cell,) = render(renderer, tmp_path, code("x", output)).cells
    assert "plain" in cell.html and "onload" not in cell.html


def picture(size=(4, 4), form="PNG"):
    stream = io.BytesIO()
    Image.new("RGB", size, "red").save(stream, format=form)
    return base64.b64encode(stream.getvalue() + b"<script>window.hacked=1</script>").decode()


def test_a_plot_is_encoded_anew(renderer, tmp_path):
    (cell,) = render(renderer, tmp_path, code("plot", shows(image_png=picture(form="JPEG")))).cells
    (data,) = re.findall(r'src="data:image/png;base64,([^"]+)"', cell.html)
    assert base64.b64decode(data).startswith(b"\x89PNG") and b"hacked" not in base64.b64decode(data)


def test_what_is_no_picture_is_left_out(renderer, tmp_path):
    (cell,) = render(renderer, tmp_path, code("plot", shows(image_png='x" onerror="alert(1)'))).cells
    assert "left out" in cell.html and "<img" not in cell.html


def test_the_mark_of_a_picture_is_not_to_be_guessed(renderer, tmp_path):
    (cell,) = render(renderer, tmp_path, code("picture-0-0-", shows(image_png=picture()))).cells
    assert cell.html.count("<img") == 1


def test_a_table_keeps_its_form(renderer, tmp_path):
    table = "<style>td{}</style><table class='dataframe' onclick=alert(1)><tr><td colspan=2>0.81</td></tr></table>"
    (cell,) = render(renderer, tmp_path, code("df", shows(text_html=table))).cells
    assert '<td colspan="2">0.81</td>' in cell.html and "dataframe" not in cell.html


def test_nothing_is_executed(renderer, tmp_path):
    mark = tmp_path / "executed"
    source = f"open({str(mark)!r}, 'w')"
    render(renderer, tmp_path, code(source), code(f"!touch {mark}"), metadata={"kernelspec": {"name": "python3"}})
    assert not mark.exists()


@pytest.mark.parametrize(
    ("raw", "cells"),
    [
        (b"", 0), (b"no json", 0), (b"[1]", 0), (b'{"cells": 3}', 0), (b'{"nbformat": 4, "cells": [1, {}]}', 1),
        (b"[" * 99_999, 0),
    ],
    ids=["empty", "no json", "a list", "cells of another type", "a cell of another type", "deep"],
)  # fmt: skip
def test_a_broken_notebook_is_words_not_an_exception(raw, cells, renderer, tmp_path):
    (path := tmp_path / "n.ipynb").write_bytes(raw)
    found = renderer.render(path)
    assert len(found.cells) == cells and bool(found.problem) == (not cells)


def test_a_flood_of_output_is_cut(renderer, tmp_path):
    flood = {"output_type": "stream", "name": "stdout", "text": "x\n" * 5_000_000}
    (cell,) = render(renderer, tmp_path, code("print", flood)).cells
    assert len(cell.html) < 50_000 and "left out" in cell.html


def test_the_renderer_goes_on_after_a_notebook_that_takes_too_long(tmp_path, monkeypatch):
    monkeypatch.setattr(server, "MAX_SECONDS", 0.2)
    monkeypatch.setattr(server, "_rendered", lambda path: server.time.sleep(60))
    assert b"too long" in server._forked(tmp_path)
    monkeypatch.setattr(server, "_rendered", lambda path: bytes(server.MAX_MEMORY_BYTES))
    monkeypatch.setattr(server, "MAX_SECONDS", 20)
    assert b"MemoryError" in server._forked(tmp_path)


def test_an_old_notebook_is_rendered(renderer, tmp_path):
    (path := tmp_path / "n.ipynb").write_text(
        json.dumps({"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [
            {"cells": [{"cell_type": "code", "input": "print(3)", "outputs": [], "language": "python"}]}]})
    )  # fmt: skip
    (cell,) = renderer.render(path).cells
    assert "print" in cell.html


def test_headings_stand_below_those_of_the_page():
    assert harmless("<h1>a</h1><h6>b</h6>") == "<h3>a</h3><h6>b</h6>"


def test_verdicts_stand_beside_their_cells(made):
    page = (made[1] / "ab12-notebook.html").read_text()
    cells = re.split(r'<article class="cell', page)
    (scheduler,) = [cell for cell in cells if "Learning-rate scheduler</strong>" in cell]
    assert "train_embedding_model" in scheduler and "counts batches" in scheduler
    assert len(page.encode()) < 2_000_000


def test_a_process_that_ended_is_started_again(tmp_path):
    renderer = Renderer()
    renderer.process.kill()
    renderer.process.wait()
    assert render(renderer, tmp_path, code("x")).cells
    renderer.close()
