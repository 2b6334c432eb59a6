"""The second assignment in docs/examples, which the engine knows nothing of."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from grader.assignments.vit.assignment import VIT
from grader.cli import main
from grader.errors import GraderError
from grader.sandbox.outside.warm import WarmWorkers

EXAMPLE = Path(__file__).resolve().parent.parent / "docs" / "examples" / "linear_regression"
RIGHT = (EXAMPLE / "reference" / "regression.py").read_text()
FAULTS = {
    "without a bias": ("torch.ones(len(x), 1)", "torch.zeros(len(x), 1)", {"regression.fit": "column of ones"}),
    "the bias forgotten": ("x @ weights + bias", "x @ weights", {"regression.predict": "Is the bias added?"}),
    "one result": (
        "return solution[:-1], float(solution[-1])",
        "return solution",
        {"regression.fit": "pair (weights, bias)"},
    ),
    "no numbers": ("return x @ weights + bias", "return 'none'", {"regression.predict": "expected numbers, got str"}),
}


def graded(folder):
    target = folder / "grade.json"
    assert (
        main(["--assignment", str(EXAMPLE / "assignment.py"), str(folder), "--json", str(target), "--seed", "3"]) == 0
    )
    return json.loads(target.read_text())


def test_its_reference_has_full_marks_without_any_data_set(tmp_path, monkeypatch):
    monkeypatch.setenv("FASHION_MNIST_ROOT", str(tmp_path / "none"))
    (tmp_path / "regression.py").write_text(RIGHT)
    grade = graded(tmp_path)
    assert grade["score"] == grade["max_score"] == 10 and grade["status"] == "graded"


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_costs_its_own_criterion_and_is_named(tmp_path, fault):
    old, new, lost = FAULTS[fault]
    (tmp_path / "regression.py").write_text(RIGHT.replace(old, new))
    criteria = {criterion["id"]: criterion for criterion in graded(tmp_path)["criteria"]}
    assert {name for name, criterion in criteria.items() if criterion["status"] != "passed"} == set(lost)
    assert all(criteria[name]["points"] == 0 and words in criteria[name]["feedback"] for name, words in lost.items())


@pytest.mark.parametrize("text", [None, "ASSIGNMENT = 3"], ids=["no file", "another thing"])
def test_a_file_that_is_no_assignment_is_one_line(tmp_path, capsys, text):
    path = tmp_path / "assignment.py"
    if text is not None:
        path.write_text(text)
    assert main(["--assignment", str(path), str(EXAMPLE / "reference")]) == 2
    assert "assignment.py: expected" in capsys.readouterr().err


MISTAKES = {
    "a criterion that is not there": (
        'checks(least_squares), names=("fit",)', 'checks(least_squares), needs=("regression.predct",)',
        "'regression.fit' needs 'regression.predct': there is no such criterion, did you mean 'regression.predict'?",
    ),
    "a text for a tuple": (
        'wanted=("fit", "predict")', 'wanted="fit"', "mine: wanted: expected a tuple, got the text 'fit': is a comma missing, as in ('fit',)?",
    ),
    "a comma forgotten": (
        'names=("fit",)', 'names=("fit")', "the criterion 'regression.fit': names: expected a tuple, got the text 'fit': is a comma",
    ),
    "a misspelt name": (
        'wanted=("fit", "predict")', 'wanted=("fit", "predit")',
        "the criterion 'regression.predict' names 'predict', which is not among the names in wanted, did you mean 'predit'?",
    ),
    "a type without Answered": (
        '"regression.fit": Answered(Result)', '"regression.fit": SequenceResult',
        "forms: 'regression.fit': expected an Answered, got the class SequenceResult: write Answered(SequenceResult)",
    ),
    "a text for a path": ('reference=HERE / "reference"', 'reference="reference"', "reference: expected a Path, got the text 'reference'"),
    "a number for a function": (
        '_ask_fit, lambda evidence: evidence.has("fit")', '_ask_fit, True',
        "the probe 'fit': when: expected a function, got bool",
    ),
    "another name": (
        '"regression.fit": Criterion("regression.fit"', '"regression.fit": Criterion("regression.fitt"',
        "criteria: 'regression.fit' is the criterion 'regression.fitt': give both the same name",
    ),
    "a measure's label": (
        'reference=HERE', 'labels={"r2": "R²"}, reference=HERE', "labels: 'r2': there is no such measure",
    ),
    "criteria of another table": (
        'reference=HERE', 'trained=("regression.fti",), reference=HERE', "trained: 'regression.fti': there is no such criterion, did you mean 'regression.fit'?",
    ),
    "a probe of none": (
        'evidence.has("fit"))', 'evidence.has("fit"), serves=("regression.fti",))',
        "'fit' serves 'regression.fti': there is no such criterion, did you mean 'regression.fit'?",
    ),
    "criteria that need each other": (
        'names=("fit",)', 'needs=("regression.fit",)',
        "the criterion 'regression.fit' needs the criterion 'regression.fit': take one of these needs out",
    ),
    "a probe that needs what it serves": (
        '_ask_fit, lambda evidence: evidence.has("fit")', '_ask_fit, serves=("regression.fit",), needs=("regression.fit",)',
        "the probe 'fit' needs the criterion 'regression.fit', which needs the probe 'fit': take one of these needs out",
    ),
    "no docstring": ('    """`fit` finds', '    unread = """`fit` finds', "has no docstring: it is the sentence"),
}  # fmt: skip


@pytest.mark.parametrize("old, new, words", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_of_its_author_is_one_line(tmp_path, capsys, old, new, words):
    folder = shutil.copytree(EXAMPLE, tmp_path / "mine")
    text = (folder / "assignment.py").read_text()
    assert old in text
    (folder / "assignment.py").write_text(text.replace(old, new, 1))
    assert main(["--assignment", str(folder), str(EXAMPLE / "reference")]) == 2
    assert words in capsys.readouterr().err


DATA = """
class Data:
    def __init__(self, folder):
        self.file = folder / "x.npy"
        self.x = np.load(self.file)

    def shared_paths(self):
        return {"x": str(self.file)}

    def hidden_folders(self):
        return []


ASSIGNMENT = Assignment(
    data=Data,"""


@pytest.mark.parametrize(
    "given, words",
    [([], "no --data was given: the data of linear regression: TypeError: "), (["--data", "no"], "--data no: the data of linear")],
    ids=["no folder", "a folder that is not there"],
)  # fmt: skip
def test_data_that_cannot_be_loaded_are_one_line(tmp_path, capsys, monkeypatch, given, words):
    folder = shutil.copytree(EXAMPLE, tmp_path / "mine")
    code = (folder / "assignment.py").read_text()
    (folder / "assignment.py").write_text(code.replace("ASSIGNMENT = Assignment(", DATA, 1))
    monkeypatch.chdir(tmp_path)
    assert main(["--assignment", str(folder), str(EXAMPLE / "reference"), *given]) == 2
    assert capsys.readouterr().err.startswith(words)
    (tmp_path / "data").mkdir()
    np.save(tmp_path / "data" / "x.npy", np.zeros(3, np.float32))
    assert main(["--assignment", str(folder), str(EXAMPLE / "reference"), "--data", "data"]) == 0


UNUSABLE = {  # by what stands at the end of ops.py, what is said
    "import numpyy": ": numpyy is not installed for ",
    "def (": ": SyntaxError: ",
    "describe.reslut": ": AttributeError: module 'grader.sandbox.inside.describe' has no attribute 'reslut'",
}


@pytest.mark.parametrize("line, words", UNUSABLE.items(), ids=["import", "syntax", "name"])
def test_operations_that_cannot_be_imported_are_one_line_with_their_file(tmp_path, line, words):
    folder = shutil.copytree(EXAMPLE, tmp_path / "mine")
    ops = folder / "ops.py"
    ops.write_text(f"{ops.read_text()}\n{line}\n")
    workers = WarmWorkers([str(ops)], {}, unconfined=True, libraries=("torch",))
    try:
        with pytest.raises(GraderError) as refused:
            workers.zygote.operations()
    finally:
        workers.close()
    lines = len(ops.read_text().splitlines())
    assert str(refused.value).startswith(f"{ops}, line {lines}{words}") and "pip install ." not in str(refused.value)


SLIPS = {  # of the author's that only a grade can show: file, what stands there, what stands there then, the warning
    "an exception in an operation": (
        "ops.py", 'student.get("fit")(*_tensors(x, y))', 'student.get("fit")(*_tensor(x, y))',
        "regression.fit (ops.py, line 16) raises, for the reference as well, NameError: name '_tensor' is not defined",
    ),
    "a name that nobody is to define": (
        "ops.py", 'student.get("fit")', 'student.get("fitt")',
        "regression.fit asks for 'fitt', for the reference as well, which is none of the names in wanted",
    ),
    "a type that no answer fits": (
        "assignment.py", '"regression.fit": Answered(Result)', '"regression.fit": Answered(NumberResult)',
        "regression.fit answers, for the reference as well, what does not fit NumberResult (observations.py, line ",
    ),
    "an answer that cannot be sent": (
        "ops.py", 'describe.result(student.get("fit")(*_tensors(x, y)))', "{1, 2}", "regression.fit (",
    ),
    "an operation that ends the process": (
        "ops.py", 'describe.result(student.get("fit")(*_tensors(x, y)))', '__import__("os")._exit(3)',
        "regression.fit has no answer, for the reference as well: the process ended with exit status 3",
    ),
}  # fmt: skip


@pytest.mark.parametrize("file, old, new, words", SLIPS.values(), ids=SLIPS)
def test_what_the_reference_cannot_answer_either_costs_nobody_points(tmp_path, file, old, new, words):
    folder = shutil.copytree(EXAMPLE, tmp_path / "mine")
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1))
    target = tmp_path / "grade.json"
    assert main(["--assignment", str(folder), str(EXAMPLE / "reference"), "--json", str(target), "--seed", "3"]) == 1
    grade = json.loads(target.read_text())
    assert [each["status"] for each in grade["criteria"]] == ["error", "passed"] and grade["undecided"] == 7
    (warning,) = grade["warnings"]
    assert warning["code"] == "grader.error" and words in warning["message"]
    assert "Does your code" not in json.dumps(grade)


def test_what_the_reference_can_answer_is_held_against_a_submission(tmp_path):
    """A wrong signature raises in the operation, without a line of the submission's."""
    assert "def fit(x: Tensor, y: Tensor)" in RIGHT
    (tmp_path / "regression.py").write_text(RIGHT.replace("def fit(x: Tensor, y: Tensor)", "def fit(x: Tensor)"))
    grade = graded(tmp_path)
    assert grade["criteria"][0]["status"] == "failed" and not grade["warnings"]


@pytest.mark.parametrize("criterion", VIT.criteria)
def test_a_criterion_that_is_judged_alone_finds_all_that_it_looks_at(criterion):
    asked = {probe.id for probe in VIT.probes_for([criterion])}
    for needed in VIT.criteria[criterion].needs:
        assert asked >= {probe.id for probe in VIT.probes if probe.wanted([needed])}


def test_a_criterion_that_is_judged_alone_asks_nothing_that_only_others_need():
    asked = {probe.id for probe in VIT.probes_for(["contrastive.precision"])}
    assert "embeddings" in asked and not asked & {"knn", "transfer", "training", "checkpoint.classifier"}
    assert VIT.probes_for(None) == VIT.probes
