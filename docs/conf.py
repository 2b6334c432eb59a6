"""The documentation as a site: ``make docs``. Warnings are errors in ``make check``."""

import importlib.metadata

project = "vit-grade"
author = copyright = "the vit-grade authors"
release = importlib.metadata.version("vit-grade")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["ci", "examples"]  # files that pages link to
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_default_options = {"members": True, "undoc-members": False, "show-inheritance": False}
napoleon_numpy_docstring = False
napoleon_use_ivar = True  # attributes are told once, by the docstring of their class

html_theme = "furo"  # system fonts and no file from another place
html_title = "vit-grade"
html_copy_source = html_show_sourcelink = False
