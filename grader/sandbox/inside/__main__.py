"""A worker of its own process: ``python __main__.py ROOT SETTINGS TOLD`` with requests on stdin, replies on stdout."""

import json
import os
import sys


def main() -> None:
    """Import what workers need, forget where the grader lies, then serve."""
    root, settings, told = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]
    sys.argv[1:] = sys.orig_argv[1:] = []
    sys.path[:] = [root, *(path for path in sys.path if path not in ("", os.path.dirname(__file__)))]
    requests, replies = _taken_streams()
    from grader.sandbox.inside import faults, serve, shared  # noqa: PLC0415  only the path above finds them

    faults.report(os.open(told, os.O_WRONLY | os.O_APPEND))
    serve.load_ops(settings["ops"])
    serve.forget_project(root)
    serve.run(shared.open_arrays(settings["shared"]), requests, replies)


def _taken_streams() -> tuple[int, int]:
    """Take stdin and stdout for requests and replies; what is printed goes to stderr from here on."""
    requests, replies = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415  there is none elsewhere

        for descriptor in (requests, replies):
            msvcrt.setmode(descriptor, os.O_BINARY)
    return requests, replies


if __name__ == "__main__":
    main()
