"""Part 3: training with a triplet loss, its learning-rate scheduler, the embeddings and their evaluation.

Shapes: B batch, D hidden size, E embedding size.
"""

from grader.assignments.vit.metric_learning import (
    embedding_answers,
    embeddings,
    protected,
    scheduler,
    training,
    watched_runs,
)

TOPICS = (embeddings, protected, training, scheduler)
PROBES = tuple(probe for topic in TOPICS for probe in topic.PROBES)
CRITERIA = tuple(criterion for topic in TOPICS for criterion in topic.CRITERIA)
WARNINGS = tuple(warning for topic in TOPICS for warning in topic.WARNINGS)
MEASURES: dict = {}
FORMS = {**embedding_answers.ANSWERS, **watched_runs.ANSWERS}
