"""Part 3: trainings that reach the sampler and the evaluation by other names than their own: all of them right."""

from grader.assignments.vit.corpus.contrastive_bodies import edited
from grader.assignments.vit.corpus.contrastive_lines import EVALUATE, SAMPLE
from grader.audit import Case

HEAD = "def train_embedding_model(train_dataset: Dataset, test_dataset: Dataset) -> float:\n"
SAMPLED = "train_subset = sample_balanced_subset(train_dataset, 500)"


def by(name: str, before: str, evaluate: str, sample: str, head: str = HEAD) -> Case:
    return edited(
        f"by_{name}",
        (HEAD, before + head),
        (EVALUATE, EVALUATE.replace("evaluate_at_end_epoch", evaluate)),
        (SAMPLE, SAMPLED.replace("sample_balanced_subset", sample)),
    )


VARIANTS = [
    by("an_alias", "sample, evaluate = sample_balanced_subset, evaluate_at_end_epoch\n\n\n", "evaluate", "sample"),
    by(
        "a_table",
        'STEPS = {"begin": sample_balanced_subset, "end": evaluate_at_end_epoch}\n\n\n',
        'STEPS["end"]',
        'STEPS["begin"]',
    ),
    by(
        "a_class",
        "class Steps:\n    sample = staticmethod(sample_balanced_subset)\n    evaluate = staticmethod(evaluate_at_end_epoch)\n\n\n",
        "Steps.evaluate",
        "Steps.sample",
    ),
    by(
        "defaults",
        "",
        "evaluate",
        "sample",
        HEAD.replace(
            "test_dataset: Dataset)",
            "test_dataset: Dataset, sample=sample_balanced_subset, evaluate=evaluate_at_end_epoch)",
        ),
    ),
]
