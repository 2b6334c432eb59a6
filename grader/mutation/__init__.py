"""Mutants: a right submission with one thing changed, to see whether the checks notice.

The mutator rests on libcst, which the grader needs anyway: it keeps every space and comment, so that a mutant differs
from its origin in the changed place alone and its diff is mostly a line. Libraries for mutation (cosmic-ray, mutmut)
run a project's own tests on mutants of the project; here a grader judges mutants of a submission, and all that could
be taken from them are their lists of operators, which know nothing of tensors, axes or modes.

``mutations`` changes a text, ``places`` finds what may be changed in a submission, ``hunt`` grades what came of it, and
``entries`` knows which mutants are right as well. Nothing here knows an assignment.
"""
