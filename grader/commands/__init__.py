"""The commands of ``grade.py``, a module each.

To add a command:

1. Write ``grader/commands/NAME.py`` with ``add_arguments(parser)`` and ``run(given) -> int``, the exit status.
   ``add_arguments`` may set ``parser.description``; ``arguments.shared(parser, "--out", "--rubric")`` adds options
   that other commands have too.
2. Add its line to ``COMMANDS`` below; it is the description where there is no other.
3. What is slow to import (torch, rich, matplotlib, …) is imported inside of ``run``, so that ``--help`` answers at once.
4. A mistake of the user's is a ``GraderError`` of one line; ``grader.cli`` prints it and returns 2.
"""

DEFAULT = "grade"  # what is done with arguments that begin with no command
COMMANDS = {  # by name: its module, and what it does
    "grade": ("grader.commands.grade", "grade submissions; the word itself may be left out"),
    "regrade": (
        "grader.commands.regrade",
        "compute a class's grades again after a change of points, thresholds or checks",
    ),
    "adjust": ("grader.commands.adjust", "give a student points in place of those that were computed"),
    "log": ("grader.commands.log", "tell what became of a student's grade, in order"),
    "review": ("grader.commands.review", "look at submissions and decide, in a browser on this machine"),
    "request": ("grader.commands.request", "take in what students ask to be looked at again"),
    "export": ("grader.commands.export", "hand on a class's grades: Canvas, Moodle, Gradescope, JUnit, …"),
    "similar": ("grader.commands.similar", "list submissions of a class that are nearly the same"),
    "audit": (
        "grader.commands.audit",
        "grade seeded faults and correct variants, say which verdicts are wrong (also: --audit)",
    ),
    "new": ("grader.commands.new", "write an assignment of your own, small and whole, to be changed"),
    "template": ("grader.commands.template", "write the template of an assignment from its reference"),
    "release": ("grader.commands.release", "make the folder that students get"),
    "package": ("grader.commands.package", "pack the grader for Gradescope, Classroom 50 or a course's repository"),
    "pack": ("grader.students.pack", "make the zip to hand in, with what counts for the grade and nothing else"),
    "explain": ("grader.students.explain", "say what a criterion asks for, where to read about it, what was seen last"),
    "completion": ("grader.commands.completion", "print a script that makes the tab key complete commands and options"),
}
