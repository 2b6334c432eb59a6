"""Functions and heads that take other arguments than the assignment's, and are called so: they alone are wrong, if anything is.

Beside them, functions that read the sizes of the notebook, which may differ from no model that they are given.
"""

from grader.assignments.vit.corpus.application_lines import body
from grader.assignments.vit.corpus.contrastive_lines import BODY, EVALUATE, PROTECTED, RETURN, SAMPLE
from grader.assignments.vit.corpus.notebooks import Notebook, edit
from grader.assignments.vit.corpus.vit_lines import HEADS, SHAPES
from grader.audit import Case

MODIFIED = ("protected.modified",)
SAMPLER = "train_dataset: Dataset, n_samples_per_class: int = 50, n_classes: int = 10\n"
CLASSES_FIRST = (
    "def __init__(self, hidden_size: int, num_classes: int = 10)",
    "def __init__(self, num_classes: int, hidden_size: int)",
)
BEST_LAST = (
    ("    best_prec: float,\n    train_dataset: Dataset,\n    test_dataset: Dataset,\n) -> float:\n"
     '    """Measure Precision@1, and',
     "    train_dataset: Dataset,\n    test_dataset: Dataset,\n    best_prec: float,\n) -> float:\n"
     '    """Measure Precision@1, and'),
    (EVALUATE, EVALUATE.replace("best_prec, train_subset, test_dataset", "train_subset, test_dataset, best_prec")),
)  # fmt: skip


def contrastive(name: str, *edits: tuple[str, str], costs: tuple[str, ...] = (), word: str = "") -> Case:
    return Case(f"signatures.{name}", {"contrastive.py": list(edits)}, costs, word, MODIFIED)


def _without_transform(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        cell["source"] = [line.replace("transform=tfm_train, ", "") for line in cell["source"]]


FAULTS = [
    contrastive(
        "sampler_names_its_argument_otherwise",
        (SAMPLER, SAMPLER.replace("n_samples_per_class", "n_per_class")),
        ("of_class[:n_samples_per_class]", "of_class[:n_per_class]"),
        (SAMPLE, "train_subset = sample_balanced_subset(train_dataset, n_per_class=500)"),
        costs=(PROTECTED,),
        word="n_samples_per_class",
    ),
    contrastive(
        "sampler_gives_indices",
        ("    return Subset(train_dataset, indices)", "    return indices"),
        (SAMPLE, "train_subset = Subset(train_dataset, sample_balanced_subset(train_dataset, 500))"),
        costs=(PROTECTED,),
        word="Subset",
    ),
    Case(
        "signatures.evaluation_under_another_name",
        {
            "contrastive.py": [
                ("def evaluate_at_end_epoch(", "def evaluate_epoch("),
                (EVALUATE, EVALUATE.replace("evaluate_at_end_epoch", "evaluate_epoch")),
            ]
        },
        (PROTECTED,),
        "defines `evaluate_epoch`",
    ),
    contrastive("evaluation_takes_the_best_last", *BEST_LAST, costs=(PROTECTED,), word="evaluate_at_end_epoch"),
    Case(
        "signatures.classes_before_hidden_size",
        {
            "vit_model.py": [CLASSES_FIRST],
            "application.py": [
                ("ClassificationHead(vit_model.hidden_size)", "ClassificationHead(10, vit_model.hidden_size)")
            ],
        },
        (HEADS, SHAPES, "vit.accuracy"),
        "hidden_size",
    ),
]
VARIANTS = [
    contrastive(
        "sampler_takes_one_more",
        (SAMPLER, SAMPLER.replace("= 10\n", "= 10, verbose: bool = False\n")),
        (SAMPLE, "train_subset = sample_balanced_subset(train_dataset, 500, verbose=True)"),
    ),
    Case("signatures.embeddings_read_the_size", {"contrastive.py": [
        (BODY, BODY + "    buffer = torch.zeros(len(x), int(embed_size))\n"),
        (RETURN, "    buffer[:] = F.normalize(embeddings, dim=1).cpu()\n    return buffer\n"),
    ]}),
    Case("signatures.neighbours_read_the_size", {"application.py": body(
        "return the k smallest",
        "from hyperparameters import embed_size\n"
        "distances = torch.cdist(query.view(1, embed_size), ref.view(-1, embed_size))[0]\n"
        "return distances.topk(k, largest=False)",
    )}),
    Case("signatures.data_set_without_a_transform", {"submission.ipynb": edit(_without_transform)}),
]  # fmt: skip
