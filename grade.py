"""Grade submissions: ``python grade.py SUBMISSION...``, see ``--help``."""

import sys

from grader.cli import main

if __name__ == "__main__":
    sys.exit(main())
