"""Part 3: training with a triplet loss, its learning-rate scheduler, the embeddings and their evaluation.

Shapes: B batch, D hidden size, E embedding size.
"""

from grader.assignment import joined
from grader.assignments.vit.metric_learning import (
    embedding_answers,
    embeddings,
    protected,
    scheduler,
    training,
    watched_runs,
)

TOPIC = joined(
    embeddings.TOPIC, protected.TOPIC, training.TOPIC, scheduler.TOPIC,
    forms={**embedding_answers.ANSWERS, **watched_runs.ANSWERS},
)  # fmt: skip
