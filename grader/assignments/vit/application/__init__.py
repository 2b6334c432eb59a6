"""Part 4: looking up neighbours, and learning a task from frozen features.

Shapes: E embedding size, M size of the bank, D hidden size.
"""

from grader.assignment import joined
from grader.assignments.vit.application import answers, knn, transfer

TOPIC = joined(knn.TOPIC, transfer.TOPIC, forms=answers.ANSWERS)
