"""A notebook's cells as HTML by nbconvert, their pictures apart. Runs in the rendering process alone."""

import base64
import io
import json
import secrets
import warnings
from functools import cache
from html import escape
from typing import Any

warnings.simplefilter("ignore")

import nbformat  # noqa: E402
from nbconvert.exporters.html import HTMLExporter  # noqa: E402
from PIL import Image  # noqa: E402

MAX_OUTPUT = 20_000  # characters; the rest is said to be left out
Image.MAX_IMAGE_PIXELS = 40_000_000

Node = dict[str, Any]


class Pictures:
    """Plots, decoded and encoded anew: what a file hides beside its pixels does not survive."""

    max_pictures = 80

    def __init__(self) -> None:
        self.kept: list[str] = []
        self.bytes = 0

    def keep(self, encoded: str) -> int | None:
        """The number of a picture, None where it is none or there are too many."""
        max_bytes = 3_000_000  # of all pictures together, so that the page stays light
        if len(self.kept) >= self.max_pictures or self.bytes > max_bytes:
            return None
        try:
            png = _png(base64.b64decode(encoded))
        except Exception:  # Pillow gives way in many ways over a damaged picture
            return None
        self.bytes += len(png)
        self.kept.append(base64.b64encode(png).decode())
        return len(self.kept) - 1


def _png(data: bytes) -> bytes:
    max_width = 900  # pixels
    with Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "GIF")) as image:
        image.thumbnail((max_width, max_width * 2))
        few = image.convert("RGBA").quantize(128, method=Image.Quantize.FASTOCTREE)
        stream = io.BytesIO()
        few.save(stream, format="PNG", optimize=False)
        return stream.getvalue()


def warm_up() -> None:
    """Have templates and lexers compiled before the first fork."""
    cell = {"cell_type": "code", "source": "x = 1", "outputs": [{"output_type": "stream", "text": "1"}]}
    text = {"cell_type": "markdown", "source": "# Title\n\n`code`"}
    rendered(json.dumps({"nbformat": 4, "nbformat_minor": 5, "cells": [cell, text]}).encode())


def rendered(raw: bytes) -> list[Node]:
    """Each cell: its number, kind, HTML that is not yet harmless, and base64 PNG pictures by their mark in it."""
    notebook, mark, pictures = _read(raw), secrets.token_hex(12), Pictures()
    max_cells = 600
    cells = [_cell(cell, mark, pictures) for cell in notebook["cells"][:max_cells] if isinstance(cell, dict)]
    found = []
    for number, cell in enumerate(cells, 1):
        html = _html(cell)  # each alone: a tag that one leaves open swallows nothing of the next
        used = {_mark(mark, n): png for n, png in enumerate(pictures.kept) if _mark(mark, n) in html}
        found.append({"number": number, "kind": cell["cell_type"], "html": html, "pictures": used})
    return found


@cache
def _exporter() -> HTMLExporter:
    return HTMLExporter(template_name="basic", exclude_anchor_links=True)


def _html(cell: Node) -> str:
    language = {"name": "python", "pygments_lexer": "ipython3"}
    one = {"nbformat": 4, "nbformat_minor": 4, "metadata": {"language_info": language}, "cells": [cell]}
    try:
        return str(_exporter().from_notebook_node(nbformat.from_dict(one))[0])
    except Exception:  # nbconvert gives way in many ways: the cell is text then
        return f"<pre>{escape(cell['source'])}</pre>"


def _mark(mark: str, number: int) -> str:
    return f"picture-{mark[::-1]}-{number}-"


def _read(raw: bytes) -> Node:
    notebook: Node = json.loads(raw.decode("utf-8-sig", "replace"), strict=False)
    if notebook.get("nbformat", 4) != 4:
        notebook = dict(nbformat.convert(nbformat.from_dict(notebook), 4))
    return notebook


def _cell(cell: Node, mark: str, pictures: Pictures) -> Node:
    """Only what is known and of moderate size."""
    kind = cell.get("cell_type")
    max_characters = 100_000  # characters of a cell
    source = _cut(_text(cell.get("source")), max_characters)
    if kind != "code":
        return {"cell_type": "markdown" if kind == "markdown" else "raw", "metadata": {}, "source": source}
    count = cell.get("execution_count")
    max_outputs = 60  # of a cell
    outputs = _list(cell.get("outputs"))[:max_outputs]
    shown = [_output(output, mark, pictures) for output in outputs if isinstance(output, dict)]
    return {"cell_type": "code", "metadata": {}, "source": source, "outputs": [o for o in shown if o],
            "execution_count": count if isinstance(count, int) else None}  # fmt: skip


def _output(output: Node, mark: str, pictures: Pictures) -> Node | None:
    kind = output.get("output_type")
    if kind == "stream":
        name = "stderr" if output.get("name") == "stderr" else "stdout"
        return {
            "output_type": "stream",
            "name": name,
            "text": _cut(_overwritten(_text(output.get("text"))), MAX_OUTPUT),
        }
    if kind == "error":
        lines = [_cut(_text(line), MAX_OUTPUT) for line in _list(output.get("traceback"))[:40]]
        return {"output_type": "error", "ename": "", "evalue": "", "traceback": lines}
    data = output.get("data")
    if kind not in ("display_data", "execute_result") or not isinstance(data, dict):
        return None
    return {"output_type": "display_data", "metadata": {}, "data": _data(data, mark, pictures)}


def _data(data: Node, mark: str, pictures: Pictures) -> Node:
    """One form of a result: a picture, a table, or text; widgets, SVG and scripts are none of these."""
    for kind in ("image/png", "image/jpeg"):
        if kind in data:
            number = pictures.keep(_text(data[kind]))
            return {"text/plain": "[a picture that is left out]" if number is None else _mark(mark, number)}
    if "text/html" in data and len(_text(data["text/html"])) <= MAX_OUTPUT * 5:
        return {"text/html": _text(data["text/html"])}
    return {"text/plain": _cut(_text(data.get("text/plain")), MAX_OUTPUT)}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    if isinstance(value, list):
        value = "".join(part for part in value if isinstance(part, str))
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def _cut(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    return f"{text[: most // 2]}\n[… {len(text) - most:,} characters left out …]\n{text[-most // 2 :]}"


def _overwritten(text: str) -> str:
    """Of each line what came after its last carriage return: a progress bar as it ended."""
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)
