"""The files that go with the grader's code: beside the package in a checkout, inside it once it is installed.

What students get holds no reference: there, the blocks that the assignment gives stand in a file of their own.
"""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
FOLDER = "_shipped"  # inside the package
HOME = PACKAGE / FOLDER if (PACKAGE / FOLDER).is_dir() else PACKAGE.parent

RUBRIC = HOME / "rubric.toml"
CHECK_VIT = HOME / "check_vit.py"
REFERENCE = HOME / "reference"
GIVEN = (REFERENCE if REFERENCE.is_dir() else HOME / "given") / "contrastive.py"
