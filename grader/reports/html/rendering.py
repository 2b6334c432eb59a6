"""Templates to pages: everything is escaped, style and script stand inside, and a policy lets nothing else in."""

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from grader import patterns
from grader.reports.text import SIGNS, visible

TEMPLATES = Path(__file__).resolve().parent / "templates"
MAX_MESSAGE = 1_200  # characters


@cache
def environment() -> Environment:
    """The templates; what is not marked as safe is escaped, and invisible characters are shown."""
    found = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, finalize=_finalize,
    )  # fmt: skip
    found.globals.update(sign={status: sign.text for status, sign in SIGNS.items()})
    found.filters.update(points=points, percent=percent, coded=coded, capitalised=capitalised)
    return found


def render(template: str, *scripts: str, styles: tuple[str, ...] = (), stamp: str = "", forms: str = "'none'",
           **content: Any) -> str:  # fmt: skip
    """Make a page.

    Args:
        template: one of the folder's.
        scripts: names of the files whose code it holds.
        styles: names of style sheets besides the common one.
        stamp: tells a page from one of another grade.
        forms: where its forms may be sent, as a content security policy says it.
        content: what the template names.
    """
    return (
        environment()
        .get_template(template)
        .render(
            style=_style(styles), script=_script(scripts), policy=policy(scripts, styles, forms), stamp=stamp, **content
        )
    )


def policy(scripts: Sequence[str], styles: Sequence[str], forms: str) -> str:
    """What a page may do: show its own style, run its own script, send its forms where it says, and nothing else."""
    script = _script(scripts)
    allowed = f"'sha256-{_hash(script)}'" if script else "'none'"
    return (
        f"default-src 'none'; style-src 'sha256-{_hash(_style(styles))}'; img-src data:; "
        f"script-src {allowed}; base-uri 'none'; form-action {forms}"
    )


def _style(names: Sequence[str]) -> Markup:
    return Markup("".join(source(name) for name in ("page.css", *names)))


def _script(names: Sequence[str]) -> Markup:
    return Markup("".join(source(name) for name in names))


def points(value: float) -> str:
    """Points without needless zeros: 7, 2.5."""
    return f"{round(value, 2):g}"


def capitalised(text: str) -> str:
    """A text with a capital at its beginning; "Precision@1" stays as it is."""
    return text[:1].upper() + text[1:]


def percent(value: float) -> str:
    """A share as a reader says it: 0.8119 is 81.2 %."""
    return f"{value * 100:.1f} %"


def coded(text: str) -> Markup:
    """Text in which what stands between backticks is code; all of it escaped."""
    text = text if len(text) <= MAX_MESSAGE else text[: MAX_MESSAGE - 1] + "…"
    backticks = patterns.compile(r"`([^`\n]{1,400})`")
    parts = backticks.split(visible(text))
    return Markup("").join(Markup("<code>{}</code>").format(p) if n % 2 else escape(p) for n, p in enumerate(parts))


@cache
def source(name: str) -> str:
    """The text of a style sheet or a script."""
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _finalize(value: Any) -> Any:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
