"""Charts by matplotlib as SVG that takes the page's colours, light or dark, and images as small PNG."""

import base64
import io
import itertools
import re
import threading
import xml.etree.ElementTree as ET

import matplotlib
import numpy as np
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure as Canvas
from PIL import Image

# Colours stand for the page's own, which differ between light and dark: "#0000ff" is var(--c1) and so on.
INK, FAINT, PAPER = "#010101", "#020202", "#030303"
SERIES = tuple(f"#04{number:02x}04" for number in range(10))
NAMED = {INK: "var(--ink)", FAINT: "var(--rule)", PAPER: "var(--card)"}
NAMED |= {colour: f"var(--c{number})" for number, colour in enumerate(SERIES)}

WIDTH = 4.8  # inches: as wide as half a page, so that letters have their size

SVG = "{http://www.w3.org/2000/svg}"
MATPLOTLIB_LOCK = threading.Lock()  # matplotlib's settings and caches belong to the whole process
CHART_NUMBERS = itertools.count()

ET.register_namespace("", SVG[1:-1])
ET.register_namespace("xlink", "http://www.w3.org/1999/xlink")
matplotlib.rcParams.update({
    "svg.fonttype": "none", "svg.hashsalt": "grade", "font.size": 10, "path.simplify": False, "text.parse_math": False,
    "axes.edgecolor": FAINT, "axes.labelcolor": INK, "text.color": INK, "axes.titlesize": 10, "xtick.color": INK, "ytick.color": INK,
    "axes.spines.top": False, "axes.spines.right": False, "grid.color": FAINT, "grid.linewidth": 0.6,
    "lines.linewidth": 1.8, "xtick.major.size": 0, "ytick.major.size": 0,
})  # fmt: skip


def axes(width: float = WIDTH, height: float = 3.0) -> tuple[Canvas, Axes]:
    """An empty chart, sizes in inches."""
    canvas, plots = panels(1, width, height)
    return canvas, plots[0]


def panels(count: int, width: float = WIDTH, height: float = 3.0) -> tuple[Canvas, list[Axes]]:
    """Empty charts side by side."""
    canvas = Canvas(figsize=(width, height), layout="constrained")
    FigureCanvasSVG(canvas)
    plots = list(canvas.subplots(1, count, squeeze=False)[0])
    for plot in plots:
        plot.grid(axis="y")
        plot.set_axisbelow(True)
    return canvas, plots


def svg(canvas: Canvas, title: str, kind: str = "") -> Markup:
    """A chart as SVG that stands in a page; ``title`` is what a screen reader says."""
    stream = io.StringIO()
    with MATPLOTLIB_LOCK:
        canvas.savefig(stream, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    root = ET.fromstring(stream.getvalue())
    _theme(root, f"f{next(CHART_NUMBERS) % 1_000_000}-")
    for name in ("width", "height"):
        root.attrib.pop(name, None)
    root.set("class", f"chart {kind}".strip())
    root.set("role", "img")
    root.set("aria-label", title)
    return Markup(ET.tostring(root, encoding="unicode"))


def _theme(root: ET.Element, prefix: str) -> None:
    """Styles become attributes, which the page's policy allows, and colours the page's; ids become unique."""
    for parent in root.iter():
        for child in list(parent):
            if child.tag in (f"{SVG}style",) or child.tag.endswith(("metadata", "RDF")):
                parent.remove(child)
    for element in root.iter():
        for part in filter(None, (p.strip() for p in element.attrib.pop("style", "").split(";"))):
            name, _, value = part.partition(":")
            if not name.strip().startswith("font"):
                element.set(name.strip(), value.strip())
        for name, value in list(element.attrib.items()):
            element.set(name, _attribute(name, value, prefix))
        if element.tag == f"{SVG}text":
            element.attrib.setdefault("fill", "var(--ink)")


def _attribute(name: str, value: str, prefix: str) -> str:
    if name == "id":
        return prefix + value
    if name.endswith("href") and value.startswith("#"):
        return f"#{prefix}{value[1:]}"
    long_decimal = re.compile(r"-?\d+\.\d{2,}")
    if name in ("d", "transform", "points", "x", "y"):
        return long_decimal.sub(lambda number: f"{float(number[0]):.1f}", value).replace("\n", " ")
    return NAMED.get(value, value).replace("url(#", f"url(#{prefix}")


def picture(image: np.ndarray, alt: str, kind: str = "pixels") -> Markup:
    """A gray (H, W) or coloured (H, W, 3) uint8 image."""
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, format="PNG")
    data = base64.b64encode(stream.getvalue()).decode()
    height, width = image.shape[:2]
    return Markup('<img class="{}" alt="{}" width="{}" height="{}" src="data:image/png;base64,{}">').format(
        kind, alt, width, height, Markup(data)
    )


def gray(image: np.ndarray, low: float, high: float) -> np.ndarray:
    """Values as gray levels, ``low`` black and ``high`` white."""
    levels = (np.asarray(image, dtype=np.float64) - low) / max(high - low, 1e-12)
    return (levels.clip(0, 1) * 255).round().astype(np.uint8)


def grid(rows: list[list[Markup]], heads: list[str], label: str, kind: str) -> Markup:
    """Pictures in rows, each with a word in front."""
    lines = Markup("").join(
        Markup('<tr><th scope="row">{}</th>{}</tr>').format(
            head, Markup("").join(Markup("<td>{}</td>").format(p) for p in row)
        )
        for head, row in zip(heads, rows, strict=True)
    )
    return Markup('<div class="scroll" tabindex="0" role="region" aria-label="{0}"><table class="{1}">'
                  '<tbody>{2}</tbody></table></div>').format(escape(label), kind, lines)  # fmt: skip
