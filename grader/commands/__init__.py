"""The commands of ``grade.py``, a module each.

To add a command:

1. Write ``grader/commands/NAME.py`` with ``add_arguments(parser)`` and ``run(given) -> int``, the exit status.
   ``add_arguments`` sets ``parser.description`` as well; ``arguments.shared(parser, "--out", "--rubric")`` adds
   options that other commands have too.
2. Add its line to ``COMMANDS`` below.
3. What is slow to import (torch, rich, matplotlib, …) is imported inside of ``run``, so that ``--help`` answers at once.
4. A mistake of the user's is a ``GraderError`` of one line; ``grader.cli`` prints it and returns 2.
"""

DEFAULT = "grade"  # what is done with arguments that begin with no command
COMMANDS = {
    "grade": "grade submissions; the word itself may be left out",
    "regrade": "compute a class's grades again after a change of points, thresholds or checks",
    "export": "hand on a class's grades: Canvas, Moodle, Gradescope, JUnit, …",
    "similar": "list submissions of a class that are nearly the same",
    "audit": "grade seeded faults and correct variants, and say which verdicts are wrong; --audit is the same",
    "template": "write the template of an assignment from its reference",
    "release": "make the folder that students get",
    "package": "pack the grader for Gradescope, Classroom 50 or a course's repository",
}
