"""A worker of its own process: ``python __main__.py ROOT SETTINGS`` with pipes on descriptors 3, 4 and 5."""

import json
import os
import sys


def main() -> None:
    """Import what workers need, forget where the grader lies, then serve."""
    root, settings = sys.argv[1], json.loads(sys.argv[2])
    sys.argv[1:] = sys.orig_argv[1:] = []
    sys.path[:] = [root, *(path for path in sys.path if path not in ("", os.path.dirname(__file__)))]
    from grader.sandbox.inside import faults, serve, shared

    faults.report()
    serve.load_ops(settings["ops"])
    serve.forget_project(root)
    serve.run(shared.open_arrays(settings["shared"]))


if __name__ == "__main__":
    main()
