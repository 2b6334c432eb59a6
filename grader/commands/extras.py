"""Libraries of an extra that a command needs."""

import importlib.util

from grader.errors import GraderError


def need(what: str, extra: str, *names: str) -> None:
    """Say in one line how to install what is missing.

    Args:
        what: the command or option that needs the libraries.
        extra: of this project, which installs them.
        names: of the libraries.

    Raises:
        GraderError: one of them is not there.
    """
    for name in names:
        if not _is_there(name):
            raise GraderError(f"{what} needs {name}: pip install 'vit-grade[{extra}]'")


def _is_there(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False
