"""Part 3: training with a triplet loss, its learning-rate scheduler, the embeddings and their evaluation.

Shapes: B batch, D hidden size, E embedding size, T steps of an optimizer, G its parameter groups.
"""

from grader.assignments.vit.metric_learning import (
    embedding_answers,
    embeddings,
    forms,
    protected,
    scheduler,
    training,
)

TOPICS = (embeddings, protected, training, scheduler)
PROBES = tuple(probe for topic in TOPICS for probe in topic.PROBES)
CRITERIA = tuple(criterion for topic in TOPICS for criterion in topic.CRITERIA)
WARNINGS = tuple(warning for topic in TOPICS for warning in topic.WARNINGS)
MEASURES: dict = {}
FORMS = {**embedding_answers.ANSWERS, **forms.FORMS}
