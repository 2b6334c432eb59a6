"""Everything that parses a submitted byte; it runs in a short-lived process of its own.

The trusted process starts a Python without its site packages on ``main.serve`` (see ``grader/intake/opening.py``), with
a memory limit, a CPU limit and a deadline, so that a notebook nested 200,000 deep, a module that
exhausts the parser or an archive that never ends costs that process and nothing else. Nothing of a
submission is ever executed here.

One JSON request on stdin:  ``{"do": "open" | "list" | "unpack", "path", "workspace", "limits", ...}``
One JSON reply on stdout:   ``{"value": ...}``, ``{"rejected": line}`` or ``{"error": line}``

The package imports the standard library and itself only (lazily nbformat, for notebooks older than
version 4, and LibCST in ``newer_python``, for code of a newer Python), which keeps the start under 60 ms.
Its modules, in the order in which they run:

- what was handed in: ``members``, ``listing``, ``archives``, ``folders``, ``limits``, ``refusal``; ``freeze`` copies it;
- cells and statements: ``notebook``, ``outputs``, ``magics``, ``splitting``, ``parsing``, ``newer``, ``newer_python``;
- what a statement binds, changes and must not do: ``names``, ``effects``, ``registering``, ``written_files``,
  ``forbidden``, ``dynamic``;
- the slice: ``sources``, ``units``, ``gather``, ``callers``, ``calls``, ``choose``, ``program``;
- what is said of the rest: ``work``, ``slips``, ``left_out``, ``lost_names``.
"""
