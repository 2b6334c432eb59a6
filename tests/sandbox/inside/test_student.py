"""What a submission's program finds when it is executed."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.asking import program_to_load
from grader.assignments.vit.model import heads
from grader.sandbox.inside.student import Student
from grader.students import in_process
from tests import harness
from tests.intake.building import opened, write_modules, write_notebook

HEADS = """
import torchmetrics.functional as measures
from nowhere.at_all import something, ClassificationHead
from torch import nn
class ClassificationHead(nn.Module):
    def __init__(self, hidden_size, num_classes=10):
        super().__init__()
        self.fc = nn.Linear(hidden_size, num_classes)
    def forward(self, x):
        return measures.softmax(self.fc(x))
class LinearEmbeddingHead(ClassificationHead):
    def __init__(self, hidden_size, embed_size=64):
        super().__init__(hidden_size, embed_size)
    def forward(self, x):
        return something(self.fc(x))
"""


@contextlib.contextmanager
def loaded_cells(folder: Path, *cells: str) -> Iterator[Student]:
    """A notebook whose call of ``train_embedding_model`` is looked for."""
    submission = opened(write_notebook(folder / "submission.ipynb", *cells), traced="train_embedding_model")
    with in_process.loaded(program_to_load(submission), str(submission.root)) as student:
        yield student


def test_what_is_not_installed_says_so_where_it_is_used():
    verdict = harness.verdicts({"vit_model": HEADS}, [heads.TOPIC])["vit.heads"]
    assert verdict.status == "failed"
    for package in ("torchmetrics", "nowhere"):
        assert f"No module named '{package}'" in verdict.feedback, verdict.feedback
    assert "measures.softmax" in verdict.feedback and "Other packages than the assignment's" in verdict.feedback


def test_an_import_that_fails_is_no_definition():
    seen = harness.evidence({"vit_model": "from nowhere import ClassificationHead, LinearEmbeddingHead"}, [heads.TOPIC])
    assert harness.judged(seen, "vit.heads").status == "missing"


WHERE = """
import json
from pathlib import Path
HERE = Path(__file__).resolve().parent
lr = json.loads((HERE / "config.json").read_text())["lr"], __name__
"""


@pytest.mark.parametrize("module", ["vit_model", "models/__init__", "models/vit", "hw3-src/vit_model"])
def test_a_module_knows_its_file_and_reads_beside_it(tmp_path: Path, module: str):
    write_modules(tmp_path / "hand-in", **{module: WHERE, "other": "num_epochs = 1"})
    (tmp_path / "hand-in" / module).with_name("config.json").write_text('{"lr": 0.5}')
    submission = opened(tmp_path / "hand-in")
    with in_process.loaded(program_to_load(submission), str(submission.root)) as student:
        assert student.get("lr") == (0.5, submission.program.names["lr"].module), student.problems


def test_a_module_that_a_cell_writes_lies_beside_the_notebook_which_has_no_file(tmp_path: Path):
    cells = ("%%writefile vit_model.py\nlr = __file__", "from vit_model import lr\nnum_epochs = __file__")
    submission = opened(write_notebook(tmp_path / "submission.ipynb", *cells))
    with in_process.loaded(program_to_load(submission), str(submission.root)) as student:
        assert student.get("lr") == f"{submission.root}/vit_model.py"
        assert not student.has("num_epochs")
        assert [problem["message"] for problem in student.problems] == ["name '__file__' is not defined"]


CAUSE = """
from torch import nn
SIZES = {}["sizes"]
BIAS = SIZES[0] > 0
class ClassificationHead(nn.Module):
    def __init__(self, hidden_size, num_classes=10):
        super().__init__()
        self.fc = nn.Linear(hidden_size, num_classes, bias=BIAS)
    def forward(self, x):
        return self.fc(x)
class LinearEmbeddingHead(ClassificationHead):
    def __init__(self, hidden_size, embed_size=64):
        super().__init__(hidden_size, embed_size)
"""


def test_a_name_whose_definition_failed_says_where_and_how():
    feedback = harness.verdicts({"vit_model": CAUSE}, [heads.TOPIC])["vit.heads"].feedback
    assert "name 'BIAS' is not defined at vit_model.py, line 8" in feedback
    assert "bias=BIAS)`, because vit_model.py, line 3 raised KeyError: 'sizes'" in feedback


def test_a_name_that_an_import_misspells_says_where_it_is_imported():
    source = CAUSE.replace(CAUSE[: CAUSE.index("class")], "from torch import nn\nfrom parts import bIas\n")
    sources = {"parts": "BIAS = True", "vit_model": source}
    feedback = harness.verdicts(sources, [heads.TOPIC])["vit.heads"].feedback
    assert "name 'BIAS' is not defined at vit_model.py, line 6" in feedback
    assert (
        "because vit_model.py, line 2 raised ImportError: cannot import name 'bIas' from 'parts' (did you mean 'BIAS'?)"
        in feedback
    )


def test_a_name_that_was_never_defined_says_no_more():
    feedback = harness.verdicts({"vit_model": CAUSE.replace("BIAS =", "bias =")}, [heads.TOPIC])["vit.heads"].feedback
    assert "name 'BIAS' is not defined at vit_model.py, line 8" in feedback


def test_messages_name_files_as_their_author_does(tmp_path: Path):
    write_modules(
        tmp_path / "hand-in", vit_model="from parts import ViT\nlr = open(__file__ + 'x')", parts="num_epochs = 1"
    )
    submission = opened(tmp_path / "hand-in")
    with in_process.loaded(program_to_load(submission), str(submission.root)) as student:
        messages = [problem["message"] for problem in student.problems]
    assert any("from 'parts' (parts.py)" in message for message in messages), messages
    assert any("No such file or directory: 'vit_model.pyx'" in message for message in messages), messages


def test_a_statement_that_does_not_parse_loses_nothing_else():
    piece = {"file": "a.ipynb", "cell": 1, "line": 1}
    program = {"main": [{"source": "x = = 1", **piece}, {"source": "lr = 1", **piece}], "modules": {}, "names": {}}
    with in_process.loaded(program) as student:
        assert student.get("lr") == 1 and student.problems[0]["type"] == "SyntaxError"


TRAINING = "def train_embedding_model(train_dataset, test_dataset):\n    return num_epochs\n"
LATER = {
    "a loop": "for num_epochs in (1, 2):\n    print(num_epochs)",
    "a part of a pair": "num_epochs, other = 1, 2",
    "a loop to a text": "for num_epochs in ('none',):\n    print(num_epochs)",
    "a loop to no number": "for num_epochs in (float('nan'),):\n    print(num_epochs)",
}


@pytest.mark.parametrize("later", LATER.values(), ids=LATER)
def test_a_number_that_is_bound_again_below_the_training_keeps_its_value(tmp_path: Path, later: str) -> None:
    cells = ("num_epochs = 3", TRAINING, "num_epochs = 8", "best = train_embedding_model(1, 2)", later)
    with loaded_cells(tmp_path, *cells) as student:
        assert student.get("num_epochs") == 8
        with student.as_at_the_end():
            assert student.get("num_epochs") != 8
        assert student.get("num_epochs") == 8


def test_a_number_that_is_bound_once_or_above_the_last_call_is_as_it_stands(tmp_path: Path) -> None:
    cells = (
        "lr = 1",
        TRAINING,
        "train_embedding_model(1, 2)",
        "lr = 2",
        "train_embedding_model(1, 2)",
        "num_epochs = 5",
    )
    with loaded_cells(tmp_path, *cells) as student:
        assert (student.get("lr"), student.get("num_epochs")) == (2, 5)
        assert not student.rebound


HELPED = "def train_embedding_model(train_dataset, test_dataset):\n    return one_epoch(), math.sqrt(4.0)\n"
EARLIER = ("import math", "def one_epoch():\n    return 'embedding'", HELPED, "train_embedding_model(1, 2)")


@pytest.mark.parametrize(
    "later",
    [
        ("def one_epoch(head):\n    return 'head'", "def ViT(size):\n    one_epoch(size)"),
        ("math = [0.5, 0.2]", "def ViT(size):\n    return math"),
        ("for math in (1, 2):\n    one_epoch = None",),
    ],
    ids=["a helper of part 4", "a list named as a library", "a loop"],
)
def test_what_is_bound_again_below_the_training_is_at_its_call_as_it_was(
    tmp_path: Path, later: tuple[str, ...]
) -> None:
    with loaded_cells(tmp_path, *EARLIER, *later) as student:
        train = student.get("train_embedding_model")
        with student.as_it_was_for("train_embedding_model"):
            assert train(1, 2) == ("embedding", 2.0)


def test_a_helper_that_is_defined_again_is_the_last_one_for_all_others(tmp_path: Path) -> None:
    again = "def one_epoch():\n    return 'head'"
    part_4 = "def ViT(size):\n    return one_epoch()"
    with loaded_cells(tmp_path, *EARLIER, again, part_4) as student:
        assert student.get("ViT")(1) == "head"


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        (("import math", "def ViT():\n    return math.pi > 3", "math = [1.0]"), True),
        (("import math", "math = [1.0]", "def ViT():\n    return math.pop()"), 1.0),
        (("import math", "math = math.pi", "def ViT():\n    return round(math) == 3"), True),
        (
            (
                "import time",
                "def a():\n    return time.time()",
                "from time import time",
                "def ViT():\n    a\n    return time() > 1",
            ),
            True,
        ),
    ],
    ids=["used as the library", "used as the list", "a value of the library", "imported anew, another thing"],
)
def test_a_library_has_its_name_where_what_is_read_of_it_is_there_alone(
    tmp_path: Path, cells: tuple[str, ...], found: object
) -> None:
    with loaded_cells(tmp_path, *cells) as student:
        assert student.get("ViT")() == found


def test_what_is_imported_anew_above_the_call_is_not_bound_back_for_it(tmp_path: Path) -> None:
    cells = ("math = [1.0]", "import math", "train = math.floor(2.5)", HELPED, "def one_epoch():\n    return 1")
    with loaded_cells(tmp_path, *cells, "train_embedding_model(train, math)") as student:
        student.execute_call()
        assert student.get("train_embedding_model")(1, 2) == (1, 2.0)


PART_4 = "def ViT(size):\n    return helper(), lr"  # a name that these tests look for


def test_each_function_has_its_names_as_they_were_where_it_was_called_last(tmp_path: Path) -> None:
    helper = "def helper():\n    return '{}'"
    bonus = (helper.format("bonus"), "lr = 3", "def train_embedding_model(a, b):\n    return helper()")
    cells = (
        helper.format("part 4"),
        "lr = 2",
        PART_4,
        "seen = ViT(1)",
        *bonus,
        "train_embedding_model(1, 2)",
        "lr = 4",
    )
    with loaded_cells(tmp_path, *cells) as student:
        called = student.get("ViT")
        assert called(1) == ("bonus", 3)
        with student.as_it_was_for("ViT"):
            assert called(1) == ("part 4", 2)
        with student.as_it_was_for("train_embedding_model"):
            assert student.get("train_embedding_model")(1, 2) == "bonus"


def test_a_function_that_is_called_by_another_was_called_where_that_one_was(tmp_path: Path) -> None:
    cells = ("lr = 2", PART_4, "def show(x):\n    return ViT(x)", "def helper():\n    return 1", "show(1)", "lr = 5")
    with loaded_cells(tmp_path, *cells) as student:
        with student.as_it_was_for("ViT"):
            assert student.get("ViT")(1) == (1, 2)
        with student.as_it_was_for("nothing"):
            assert student.get("ViT")(1) == (1, 5)


def test_a_function_that_was_defined_again_since_its_last_call_has_the_names_of_the_end(tmp_path: Path) -> None:
    helper = "def helper():\n    return {}"
    cells = ("lr = 2", helper.format(1), PART_4, "seen = ViT(1)", helper.format(2), PART_4)
    with loaded_cells(tmp_path, *cells) as student, student.as_it_was_for("ViT"):
        assert student.get("ViT")(1) == (2, 2)
