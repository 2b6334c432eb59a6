"""The blocks that the course gives: left alone, in each edition; written otherwise; and made to mean something else."""

import ast
from collections.abc import Callable
from functools import partial

from grader.assignments.vit import files
from grader.assignments.vit.corpus import notebooks
from grader.audit import Case

__all__ = ["FAULTS", "VARIANTS"]

PROTECTED = "contrastive.protected"
MODIFIED = ("protected.modified",)
GIVEN = files.HERE / "given"
CHECK_VIT = files.CHECK_VIT.read_text(encoding="utf-8")
BLOCKS = ("sample_balanced_subset", "get_embeddings_over_dataset", "test_embedding_model", "evaluate_at_end_epoch")
IMPORTS = 'device = torch.device("cuda" if torch.cuda.is_available() else "cpu")\n'
AFTER_SAMPLER = "def get_embeddings(x: Tensor"
AFTER_EVALUATION = "def train_embedding_model("
Texts = dict[str, str]


def functions(source: str) -> dict[str, tuple[int, int, str]]:
    """The functions of a file: first line, last line, text."""
    found = (node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef))
    return {f.name: (f.lineno, f.end_lineno or 0, ast.get_source_segment(source, f) or "") for f in found}


def edition(name: str) -> Texts:
    """The blocks of another edition of the course."""
    return {block: text for block, (_, _, text) in functions((GIVEN / name).read_text(encoding="utf-8")).items()}


def rewritten(texts: Texts | Callable[[str], str], old: bytes) -> bytes:
    """The file with other texts of its given blocks."""
    lines = old.decode().splitlines(keepends=True)
    for block, (first, last, text) in reversed(functions(old.decode()).items()):
        if block in BLOCKS:
            new = texts.get(block, text) if isinstance(texts, dict) else texts(text)
            lines[first - 1 : last] = [f"{new}\n"]
    return "".join(lines).encode()


def variant(name: str, texts: Texts | Callable[[str], str], warns: tuple[str, ...] = ()) -> Case:
    return Case(f"given.variant_{name}", {"contrastive.py": partial(rewritten, texts)}, warns=warns)


def fault(name: str, texts: Texts, word: str) -> Case:
    return Case(f"given.{name}", {"contrastive.py": partial(rewritten, texts)}, (PROTECTED,), word, MODIFIED)


def replaced(name: str, place: str, code: str, word: str, warns: tuple[str, ...] = ()) -> Case:
    """The blocks read as given, and code in front of a place makes them mean something else."""
    return Case(f"given.{name}", {"contrastive.py": [(place, code + place)]}, (PROTECTED,), word, warns)


def check_vit(name: str, text: str, warns: tuple[str, ...] = ()) -> Case:
    return Case(f"given.variant_check_vit_{name}", {"check_vit.py": text}, warns=warns)


def unparsed(text: str) -> str:
    """Other layout and quotes, no comments."""
    return ast.unparse(ast.parse(text))


def bare(text: str) -> str:
    """No annotations and no docstring either."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, ast.FunctionDef):
            node.returns, node.body = None, node.body[1:]
    return ast.unparse(tree)


def logging_more(notebook: notebooks.Notebook) -> None:
    """Change the classifier's loop, as its author may."""
    (cell,) = (cell for cell in notebook["cells"] if "def train_classification_model" in "".join(cell["source"]))
    old, new = "total_loss += loss.item()\n", "total_loss += loss.item() * 1.0\n"
    cell["source"] = "".join(cell["source"]).replace(old, new, 1)


OLDER, EACH_EPOCH = edition("course_2023.py"), edition("course_2023_each_epoch.py")
OWN = edition("project.py")
SAMPLER, OVER, PRECISION, END = BLOCKS
KEEPS = "if len(found[c]) < n_samples_per_class:"


def older(block: str, old: str, new: str) -> Texts:
    """The older edition with one block changed."""
    assert OLDER[block].count(old) == 1
    return {**OLDER, block: OLDER[block].replace(old, new)}


def own(block: str, old: str, new: str) -> Texts:
    assert OWN[block].count(old) == 1
    return {block: OWN[block].replace(old, new)}


VARIANTS = [
    variant("course_2023", OLDER),
    variant("course_2023_each_epoch", {**OLDER, **EACH_EPOCH}),
    variant("two_editions", {SAMPLER: OLDER[SAMPLER], END: EACH_EPOCH[END]}),
    variant("other_layout", unparsed),
    variant("no_annotations", bare),
    # Other text, judged by what both editions do
    variant("sampler_says_how_many", older(SAMPLER, "    return Subset", "    print(sum(map(len, found.values())))\n    return Subset"), MODIFIED),
    variant("sampler_of_ten_classes", own(SAMPLER, "range(n_classes)", "range(10)"), MODIFIED),
    variant("prints_only_what_is_better", own(END, "    print(f", "        print(f"), MODIFIED),
    variant("prints_every_time", older(END, "        print(", "    print("), MODIFIED),
    variant("over_in_larger_batches", own(OVER, "batch_size=500", "batch_size=1000"), MODIFIED),
    # What no criterion judges
    Case("given.variant_loop_of_the_classifier", {"submission.ipynb": notebooks.edit(logging_more)}, warns=MODIFIED),
    check_vit("other_layout", "# mine\n" + ast.unparse(ast.parse(CHECK_VIT))),
    check_vit("changed", CHECK_VIT.replace("(2, 16, 64)", "(2, 17, 64)"), ("check_vit.modified",)),
    check_vit("of_another_course", "from vit_model import ViT\n\nassert ViT(28, 7, 1, 64, 2, 4) is not None\n"),
]  # fmt: skip

FAULTS = [
    # Either edition, tampered with
    fault("older_sampler_one_more", older(SAMPLER, KEEPS, KEEPS.replace("<", "<=")), "keeps 40 items"),
    fault("older_sampler_all", older(SAMPLER, KEEPS, "if True:"), "keeps 80 items"),
    fault("older_sampler_last", older(SAMPLER, "return Subset", "found = {c: found[c][::-1] for c in found}\n    return Subset"), "another order"),
    fault("sampler_more_than_500", own(SAMPLER, "of_class[:n_samples_per_class]", "of_class[:n_samples_per_class + 5 * (n_samples_per_class == 500)]"), "keeps 5050 items"),
    fault("sampler_less_than_500", own(SAMPLER, "of_class[:n_samples_per_class]", "of_class[:min(n_samples_per_class, 400)]"), "keeps 4000 items"),
    fault("older_end_prints_another", older(END, '"Best Precision@1:", best_prec', '"Best Precision@1:", 0.99'), "printed 0.99"),
    fault("older_end_prints_nothing", older(END, '        print("Best Precision@1:", best_prec)\n', ""), "to be printed"),
    fault("older_end_keeps_all", older(END, "if prec > best_prec:", "if prec > 0:"), "worse than the best"),
    # The text is as it was given, and means something else
    replaced("subset_of_ones_own", IMPORTS, "def Subset(dataset, rows):\n    return torch.utils.data.Subset(dataset, rows[::-1])\n\n\n", "`Subset`"),
    replaced("library_replaced", IMPORTS, "whole = torch.nonzero\ntorch.nonzero = lambda mask: whole(mask).flip(0)\n", "replaces what it uses"),
    replaced("builtin_replaced", IMPORTS, "def float(value):\n    return 0.123 + 0 * value\n\n\n", "`float`"),
    replaced("overwritten", AFTER_SAMPLER, "def sample_balanced_subset(train_dataset, n_samples_per_class=50, n_classes=10):\n    return Subset(train_dataset, range(10 * n_samples_per_class))\n\n\n", "other items", MODIFIED),
    replaced("wrapped", AFTER_SAMPLER, "given = sample_balanced_subset\nsample_balanced_subset = lambda dataset, n=50, n_classes=10, **more: given(dataset, more.get('n_samples_per_class', n) + 1)\n\n\n", "keeps 40 items", MODIFIED),
    replaced("defaults_changed", AFTER_SAMPLER, "sample_balanced_subset.__defaults__ = (51, 10)\n\n\n", "keeps 510 items"),
    replaced("set_by_name", AFTER_EVALUATION, "globals()['test_embedding_model'] = lambda *given: 0.5\n\n\n", "Precision@1", MODIFIED),
    replaced("evaluation_of_ones_own", AFTER_EVALUATION, "def get_embeddings_over_dataset(dataset, vit_model, model_embedding):\n    pairs = [(get_embeddings(x, vit_model, model_embedding), y) for x, y in DataLoader(dataset, batch_size=500)]\n    return pairs[0]\n\n\n", "labels", MODIFIED),
]  # fmt: skip
