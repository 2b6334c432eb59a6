"""``python -m grader`` is ``grade.py``; in the folder that students get, it is what they have of it."""

import pkgutil
import sys
from pathlib import Path

if __name__ == "__main__":
    whole = Path(__file__).with_name("cli.py").is_file()
    sys.exit(pkgutil.resolve_name("grader.cli:main" if whole else "grader.students.commands:main")())
