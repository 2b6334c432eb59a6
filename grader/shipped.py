"""The files that go with the grader's code: beside the package in a checkout, inside it once it is installed.

What students get holds no reference.
"""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
FOLDER = "_shipped"  # inside the package
HOME = PACKAGE / FOLDER if (PACKAGE / FOLDER).is_dir() else PACKAGE.parent
