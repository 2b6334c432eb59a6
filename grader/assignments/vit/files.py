"""The files that belong to this assignment: beside its code, and at the top of a checkout or an installed copy."""

from pathlib import Path

from grader import shipped

HERE = Path(__file__).resolve().parent
RUBRIC = HERE / "rubric.toml"
CHECK_VIT = shipped.HOME / "check_vit.py"
REFERENCE = shipped.HOME / "reference"
TEMPLATE = shipped.HOME / "student"
README = shipped.HOME / "docs" / "student.md"
GIVEN = (CHECK_VIT, *sorted((HERE / "given").glob("[!_.]*")))  # the course's own files, see ``blocks``
TEMPLATE_BLOCKS = HERE / "given" / "project.py"  # generated from the template
