"""Part 4: looking up neighbours, and learning a task from frozen features.

Shapes: E embedding size, M size of the bank, D hidden size.
"""

from grader.assignments.vit.application import answers, knn, transfer

TOPICS = (knn, transfer)
PROBES = tuple(probe for topic in TOPICS for probe in topic.PROBES)
CRITERIA = tuple(criterion for topic in TOPICS for criterion in topic.CRITERIA)
WARNINGS: tuple = ()
MEASURES: dict = {}
FORMS = answers.ANSWERS
