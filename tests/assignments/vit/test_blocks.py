"""Which given blocks a submission has left unchanged, told from its text."""

import ast
import time
from pathlib import Path

import pytest

from grader import given
from grader.assignments.vit import blocks
from grader.assignments.vit.assignment import VIT
from grader.assignments.vit.corpus.faults_given import BLOCKS, EACH_EPOCH, OLDER, OWN
from grader.assignments.vit.metric_learning import embeddings, given_text, protected
from grader.assignments.vit.names import WANTED
from grader.evidence import Evidence
from grader.given.blocks import GivenBlocks, listed
from grader.given.namespaces import Namespaces
from grader.given.unchanged import Replaced, changed_texts, replaced_names, still_to_write, unchanged_blocks
from grader.records import Piece, Program
from tests import harness

ALL = frozenset(BLOCKS)
IMPORTS = "import torch\nfrom torch.utils.data import DataLoader, Dataset, Subset\nfrom torch import Tensor, nn\n"
STUDENTS = "def get_embeddings(x, vit_model, model_embedding):\n    return model_embedding(vit_model(x))\n"
EDITIONS = {"project": OWN, "course 2023": OLDER, "each epoch": {**OLDER, **EACH_EPOCH}}


def source(texts: dict[str, str] = OWN, before: str = "", after: str = "") -> str:
    judged = [texts[name] for name in BLOCKS]
    return "\n\n".join([IMPORTS + before, STUDENTS, *judged, after]) + "\n"


def program(**sources: str) -> Program:
    return harness._program(sources, WANTED)


def given_blocks(files: given.GivenFiles | None = None) -> GivenBlocks:
    return blocks.known(files or given.own(VIT)).blocks


def unchanged(files: given.GivenFiles | None = None, **sources: str) -> frozenset[str]:
    return unchanged_blocks(Namespaces(program(**sources)), given_blocks(files))


def changed(files: given.GivenFiles | None = None, **sources: str) -> tuple[str, ...]:
    return changed_texts(program(**sources), given_blocks(files))


@pytest.mark.parametrize("texts", EDITIONS.values(), ids=EDITIONS)
def test_every_edition_is_known(texts: dict[str, str]) -> None:
    assert unchanged(contrastive=source(texts)) == ALL
    assert changed(contrastive=source(texts)) == ()


def test_blocks_are_unchanged_where_the_function_that_they_call_cannot_be_parsed() -> None:
    lost = source().replace(STUDENTS, "")
    assert unchanged(contrastive=lost) == ALL
    assert unchanged(contrastive=lost, notebook="from contrastive import get_embeddings\n") == ALL


def test_layout_comments_annotations_and_docstrings_are_nothing() -> None:
    plain = ast.unparse(ast.parse(source())).replace("torch.cat(labels)", "torch.cat(\n    labels,  # all\n)")
    assert unchanged(contrastive=plain.replace("indices = []", "indices: list[int] = []")) == ALL


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "torch.manual_seed(0)"),
        ("import numpy as np", "class Small(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.head = nn.Linear(2, 2)"),
        ("import torch\nfrom torch.utils.data import Subset", ""),
        ("torch.backends.cudnn.benchmark = True", ""),
        ("", "def loud():\n    size = getattr(nn, 'Linear')\n    return size"),
        ("", "def look(model):\n    model.eval()\n    return [m for m in model.modules()]"),
    ],
    ids=["a seed", "a class", "imported twice", "a setting", "a plain getattr", "methods of modules"],
)  # fmt: skip
def test_ordinary_code_around_them_is_nothing(before: str, after: str) -> None:
    assert unchanged(contrastive=source(before=before, after=after)) == ALL


def test_names_may_come_from_another_module_of_the_submission() -> None:
    vit_model = "import torch\nfrom torch.utils.data import DataLoader as Loader, Subset"
    text = source().replace(
        IMPORTS, "from vit_model import torch, Subset\nfrom vit_model import Loader as DataLoader\n"
    )
    assert unchanged(contrastive=ast.unparse(ast.parse(text)), vit_model=vit_model) == ALL


def asked(old: str = "", new: str = "", files: given.GivenFiles | None = None) -> Evidence:
    """The evidence of the reference, with one edit of its part 3."""
    folder = Path(__file__).resolve().parents[3] / "reference"
    sources = {name: (folder / f"{name}.py").read_text() for name in ("hyperparameters", "vit_model", "contrastive")}
    assert not old or sources["contrastive"].count(old) == 1
    sources["contrastive"] = sources["contrastive"].replace(old, new)
    return harness.evidence(sources, [embeddings.TOPIC, protected.TOPIC], given=files)


def test_blocks_that_were_left_unchanged_pass_unasked() -> None:
    seen = asked()
    assert not {"protected.sampler", "protected.evaluation"} & set(seen.answers)
    assert harness.judged(seen, "contrastive.protected").status == "passed"


@pytest.mark.parametrize(
    ("old", "probes"),
    [("indices += of_class", {"protected.sampler"}), ("labels.append(y)", {"protected.evaluation"})],
    ids=["sampler", "evaluation"],
)
def test_a_block_in_other_words_is_asked_and_no_other(old: str, probes: set[str]) -> None:
    seen = asked(old, {"i": "indices = indices + of_class", "l": "labels += [y]"}[old[0]])
    assert {"protected.sampler", "protected.evaluation"} & set(seen.answers) == probes
    assert harness.judged(seen, "contrastive.protected").status == "passed"


def test_without_given_files_every_block_is_asked() -> None:
    seen = asked(files=given.NO_GIVEN_FILES)
    assert {"protected.sampler", "protected.evaluation"} <= set(seen.answers)
    assert harness.judged(seen, "contrastive.protected").status == "passed"


EVALUATION = {"get_embeddings_over_dataset", "test_embedding_model", "evaluate_at_end_epoch"}
ELSEWHERE = [
    ("a function of one's own", "def Subset(dataset, rows):\n    return dataset", "", {"sample_balanced_subset"}),
    ("a class of one's own", "", "class DataLoader:\n    pass", EVALUATION),
    ("another import", "from mine import Subset", "", {"sample_balanced_subset"}),
    ("a builtin shadowed", "", "range = lambda n: [0]", {"sample_balanced_subset"}),
    ("a builtin shadowed in a loop", "", "for float in [int]:\n    pass", {"test_embedding_model", "evaluate_at_end_epoch"}),
    ("an import that may fail", "try:\n    from torch.utils.data import Subset\nexcept ImportError:\n    Subset = list", "", {"sample_balanced_subset"}),
    ("defined twice", "", "def test_embedding_model(*given):\n    return 0.5", {"test_embedding_model", "evaluate_at_end_epoch"}),
    ("bound by a function", "", "def later():\n    global torch\n    torch = None", ALL),
    ("everything of a library", "from torch import *", "", {"sample_balanced_subset", "test_embedding_model", "evaluate_at_end_epoch"}),
    ("a library's function replaced", "torch.nonzero = len", "", ALL),
    ("a library's class changed", "", "def later():\n    torch.utils.data.Subset.__getitem__ = len", ALL),
    ("an attribute of the block", "", "sample_balanced_subset.__defaults__ = (600, 10)", ALL),
    ("setattr", "", "setattr(torch, 'nonzero', len)", ALL),
    ("setattr under another name", "from builtins import setattr as put", "", ALL),
    ("a name put together", "", "getattr(torch, 'non' + 'zero')", ALL),
    ("the names of the module", "", "globals().update(Subset=list)", ALL),
    ("a dictionary of a module", "", "torch.__dict__['cat'] = len", ALL),
    ("modules replaced", "import sys", "sys.modules['torch'] = None", ALL),
    ("text that is executed", "", "exec('torch.cat = len')", ALL),
    ("a file that is unpickled", "", "def later():\n    return torch.load('vit_embeds.pt', weights_only=False)", ALL),
    ("a name that is forbidden in getattr", "", "getattr(nn, '__dict__')['Linear'] = len", ALL),
    ("a mock", "from unittest import mock", "", ALL),
    ("an object of one's own patched through self", "", "class A:\n    def put(self, new):\n        self.nonzero = new", ALL),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "lost"), [case[1:] for case in ELSEWHERE], ids=[c[0] for c in ELSEWHERE])
def test_a_block_whose_names_mean_something_else_is_judged_by_behaviour(
    before: str, after: str, lost: set[str]
) -> None:
    assert unchanged(contrastive=source(before=before, after=after)) == ALL - lost


def test_a_decorated_block_reads_differently() -> None:
    text = source().replace("def sample_balanced_subset", "@torch.no_grad()\ndef sample_balanced_subset")
    assert unchanged(contrastive=text) == EVALUATION
    assert changed(contrastive=text) == ("sample_balanced_subset",)


def test_a_block_whose_names_were_rebound_reads_as_it_was_given() -> None:
    text = source(before="def Subset(dataset, rows):\n    return dataset")
    assert changed(contrastive=text) == ()
    assert replaced_names(Namespaces(program(contrastive=text)), given_blocks(), BLOCKS[0]) == [
        Replaced("Subset", "torch.utils.data.Subset")
    ]


CAUSES = [
    (f"def {BLOCKS[1]}(*given):\n    return None", "evaluate_at_end_epoch",
     f"it calls `test_embedding_model`, and that calls `{BLOCKS[1]}`, which was changed: correct `{BLOCKS[1]}`."),
    (f"def {BLOCKS[1]}(*given):\n    return None", "test_embedding_model",
     f"it calls `{BLOCKS[1]}`, which was changed: correct `{BLOCKS[1]}`."),
    ("Subset = list", "sample_balanced_subset", "`Subset`, which it uses, is no longer `torch.utils.data.Subset`"),
    ("float = int", "test_embedding_model", "`float`, which it uses, is no longer Python's own"),
    ("torch.nonzero = len", "sample_balanced_subset", "other code replaces what it uses"),
]  # fmt: skip


@pytest.mark.parametrize(("after", "name", "cause"), CAUSES)
def test_the_hint_of_an_unchanged_block_that_fails_names_what_was_changed(after: str, name: str, cause: str) -> None:
    found = given_text._cause(
        replaced_names(Namespaces(program(contrastive=source(after=after))), given_blocks(), name)
    )
    assert found.startswith(cause)


def test_a_hyperparameter_in_a_block_has_to_be_a_plain_number() -> None:
    text = source().replace("batch_size=500", "batch_size=batch_size")
    files = given.GivenFiles({"course.py": text}, replaced=True)
    plain = "hidden_size, batch_size = 64, 2 * 50"
    assert unchanged(files, contrastive=text + plain) == ALL
    assert unchanged(files, contrastive=text + "from settings import batch_size", settings="batch_size = 100") == ALL
    assert unchanged(files, contrastive=text + "batch_size = Odd()") == {"sample_balanced_subset"}


def test_a_block_in_the_notebook_counts_before_one_in_a_module() -> None:
    modules = harness._program({"contrastive": source()}, WANTED)
    main = tuple(Piece(piece.source, "a.ipynb", 1, piece.line) for piece in modules.modules["contrastive"])
    names = {n: type(o)("a.ipynb", 1, o.line, None) for n, o in modules.names.items()}
    both = Program(main, {"contrastive": modules.modules["contrastive"]}, names)
    assert unchanged_blocks(Namespaces(both), given_blocks()) == ALL


@pytest.mark.parametrize("statement", ["(" * 300 + ")" * 300, "x = " + "-" * 5000 + "1"], ids=["brackets", "signs"])
def test_code_that_cannot_be_read_leaves_nothing_alone_and_raises_nothing(statement: str) -> None:
    spoiled = program(contrastive=source())
    pieces = (*spoiled.modules["contrastive"], Piece(statement, "contrastive.py", None, 999))
    found = unchanged_blocks(Namespaces(Program((), {"contrastive": pieces}, spoiled.names)), given_blocks())
    assert found == frozenset()


def test_code_of_any_length_is_read_in_no_time() -> None:
    spoiled = source(after="x = 1\n" * 200_000)
    pieces = (*program(contrastive=source()).modules["contrastive"], Piece(spoiled, "contrastive.py", None, 999))
    names = program(contrastive=source()).names
    start = time.process_time()
    assert unchanged_blocks(Namespaces(Program((), {"contrastive": pieces}, names)), given_blocks()) == frozenset()
    assert time.process_time() - start < 0.5


def test_postponed_annotations_and_a_main_guard_do_not_hide_a_block() -> None:
    text = OWN[BLOCKS[0]]
    postponed = Piece(text, "contrastive.py", None, 10, postponed=True)
    guarded = Piece("if True:\n" + "\n".join(f"    {line}" for line in text.splitlines()), "contrastive.py", None, 10)
    for piece, line in ((postponed, 10), (guarded, 10)):
        origin = type(program(a="ViT = 1").names["ViT"])("contrastive.py", None, line, "contrastive")
        found = Program((), {"contrastive": (piece,)}, {BLOCKS[0]: origin})
        assert changed_texts(found, given_blocks()) == ()


def test_another_name_for_a_block_is_that_block_where_only_one_function_is_called_so() -> None:
    named = f"import contrastive\n{BLOCKS[0]} = contrastive.{BLOCKS[0]}\n"
    assert changed(contrastive=source(), notebook=named) == ()
    assert changed(contrastive=source(), older=source(), notebook=named) == (BLOCKS[0],)


def test_the_digests_of_the_course_of_2023_name_each_block_once() -> None:
    text = (Path(blocks.__file__).parent / "given" / "course_2023.sha256").read_text()
    found = list(listed(text, blocks.RULES.names))
    assert sorted(block for _, block in found) == sorted(blocks.RULES.names)


@pytest.mark.parametrize(
    ("body", "to_do"),
    [
        ('raise NotImplementedError("embed")', True),
        ('"""Embed."""\n    raise NotImplementedError', True),
        ("return model_embedding(vit_model(x))", False),
        ("x = x.cpu()\n    raise NotImplementedError", False),
    ],
    ids=["template", "with a docstring", "written", "begun"],
)
def test_a_function_that_only_raises_is_still_to_do(body: str, to_do: bool) -> None:
    text = f"def get_embeddings(x, vit_model, model_embedding):\n    {body}\n"
    assert still_to_write(Namespaces(program(contrastive=text)), "get_embeddings") == to_do
