"""A worker of its own process: ``python -I grader/worker/__main__.py`` with pipes on descriptors 3 and 4."""

import json
import os
import sys
from pathlib import Path

ROOT = str(Path(__file__).resolve().parents[2])


def main() -> None:
    """Import what workers need, forget where the grader lies, then serve."""
    settings = json.loads(sys.argv[1])
    sys.path.insert(0, ROOT)
    from grader.worker import serve, shared

    serve.load_ops(settings["ops"])
    sys.path.remove(ROOT)
    arrays = shared.open_arrays(settings["shared"])
    with os.fdopen(3, "rb") as requests, os.fdopen(4, "wb") as replies:
        serve.serve(requests, replies, arrays)
    sys.stdout.flush()
    os._exit(0)  # a normal exit of torch prints leak reports and runs students' atexit functions


if __name__ == "__main__":
    main()
