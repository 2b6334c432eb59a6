"""The documentation as a site: ``make docs``. Warnings are errors in ``make check``."""

import importlib.metadata
import inspect
from typing import Any

project = "vit-grade"
author = copyright = "the vit-grade authors"
release = importlib.metadata.version("vit-grade")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["ci", "examples"]  # files that pages link to
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_default_options = {"members": True}
napoleon_numpy_docstring = False
napoleon_use_ivar = True  # attributes are told once, by the docstring of their class

html_theme = "furo"  # system fonts and no file from another place
html_title = "vit-grade"
html_copy_source = html_show_sourcelink = False


def signature(_app: Any, _what: str, _name: str, documented: Any, _options: Any, given: str, returned: str) -> Any:
    """Leave out what a class is built with where its docstring tells each attribute."""
    told = isinstance(documented, type) and "Attributes:" in (inspect.getdoc(documented) or "")
    return ("" if told else given, returned)


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("autodoc-process-signature", signature)
