"""An allow-list for what a notebook may show: text, code, tables, and pictures that were encoded anew."""

from collections.abc import Mapping

import nh3
from markupsafe import Markup

from grader import patterns
from grader.patterns import Match


def harmless(html: str, pictures: Mapping[str, str] | None = None) -> Markup:
    """HTML of which only allowed tags, attributes and classes are left.

    Args:
        html: anything.
        pictures: base64 PNG by the mark that stands for it in the text.
    """
    tags = {
        "a", "b", "blockquote", "br", "caption", "code", "dd", "del", "div", "dl", "dt", "em", "h1", "h2", "h3", "h4",
        "h5", "h6", "hr", "i", "kbd", "li", "ol", "p", "pre", "s", "small", "span", "strong", "sub", "sup", "table",
        "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "ul",
    }  # fmt: skip
    lost = {"script", "style", "svg", "math", "template", "iframe", "object", "noscript", "title", "textarea", "select"}
    attributes = {"a": {"href"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}, "*": {"class"}}
    clean = nh3.clean(
        html, tags=tags, clean_content_tags=lost, attributes=attributes, attribute_filter=_attribute,
        url_schemes={"http", "https"}, url_relative="deny", link_rel="noopener noreferrer nofollow",
    )  # fmt: skip
    heading = patterns.compile(r"<(/?)h([1-6])>")
    clean = heading.sub(_lower, clean)
    picture = patterns.compile(r"[A-Za-z0-9+/]+={0,2}")
    for mark, png in (pictures or {}).items():
        if picture.fullmatch(png):
            clean = clean.replace(mark, f'<img alt="a picture that the cell shows" src="data:image/png;base64,{png}">')
    return Markup(clean)


def _attribute(tag: str, name: str, value: str) -> str | None:
    # class names that the page's style gives a meaning: nbconvert's, Pygments', terminal colours. A verdict's are not
    # among them, so no cell can look like one.
    class_names = patterns.compile(
        r"highlight|input|input_area|output|output_area|output_(?:stdout|stderr|error|html|text)|prompt|text_cell_render|"
        r"ansi-[a-z-]{2,30}|[a-z][a-z0-9]?"
    )
    if name == "class":
        return " ".join(word for word in value.split() if class_names.fullmatch(word)) or None
    if name in ("colspan", "rowspan"):
        return value if value.isascii() and value.isdigit() and int(value) <= 100 else None
    return value


def _lower(heading: Match) -> str:
    """The page has headings of its own: a notebook's stand below them."""
    return f"<{heading[1]}h{min(6, int(heading[2]) + 2)}>"
