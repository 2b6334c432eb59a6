"""Command lines whose mistakes are one line."""

import argparse
from typing import NoReturn

from grader.errors import GraderError


class Parser(argparse.ArgumentParser):
    """Says in one line what is wrong with the arguments."""

    def error(self, message: str) -> NoReturn:
        raise GraderError(f"{self.prog}: {message}; see --help")
