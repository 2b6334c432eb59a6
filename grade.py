"""Grade submissions: ``python grade.py SUBMISSION...``, see ``--help``."""

import sys

if __name__ == "__main__":
    try:
        from grader.cli import main

        status = main()
    except KeyboardInterrupt:  # before the command line could take it
        sys.stderr.write("interrupted; nothing was written\n")
        status = 130
    sys.exit(status)
