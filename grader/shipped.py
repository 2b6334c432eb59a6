"""The files that go with the grader's code: beside the package in a checkout, inside it once it is installed.

What students get holds no reference.
"""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
FOLDER = "_shipped"  # inside the package
HOME = PACKAGE / FOLDER if (PACKAGE / FOLDER).is_dir() else PACKAGE.parent

CHECK_VIT = HOME / "check_vit.py"
REFERENCE = HOME / "reference"
ASSIGNMENT = PACKAGE / "assignments" / "vit"
RUBRIC = ASSIGNMENT / "rubric.toml"
GIVEN = (
    CHECK_VIT,
    *sorted((ASSIGNMENT / "given").glob("[!_.]*")),
)  # the course's own files, see grader.assignments.vit.blocks
