"""Everything that parses a submitted byte; it runs in a short-lived process of its own.

The trusted process starts ``python -I -S`` on ``main.serve`` (see ``grader/intake/opening.py``), with
a memory limit, a CPU limit and a deadline, so that a notebook nested 200,000 deep, a module that
exhausts the parser or an archive that never ends costs that process and nothing else. Nothing of a
submission is ever executed here.

One JSON request on stdin:  ``{"do": "open" | "list" | "unpack", "path", "workspace", "limits", ...}``
One JSON reply on stdout:   ``{"value": ...}``, ``{"rejected": line}`` or ``{"error": line}``

The package imports the standard library and itself only (nbformat, lazily, for notebooks older than
version 4), which keeps the start under 60 ms. Names of its modules, in the order in which they run:
``members`` and ``archives`` and ``folders`` (what was handed in), ``freeze`` (copy), ``notebook`` and
``outputs`` (cells), ``magics`` and ``parsing`` (statements), ``names``, ``effects`` and ``forbidden``
(what a statement binds, changes, and must not do), ``units`` and ``gather`` (the slice), ``choose``.
"""
