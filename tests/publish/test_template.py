"""The template is the reference without its solution, and nothing else."""

import ast
import dataclasses
import importlib
import sys
from pathlib import Path

import nbformat
import pytest

from grader.assignments.vit import files, template_blocks
from grader.assignments.vit.assignment import VIT
from grader.cli import main
from grader.errors import GraderError
from grader.publish import template

MODULES = ["hyperparameters", "augmentation", "vit_model", "contrastive", "application"]
# Where a student looks for the names of the contract.
CONTRACT = {
    "hyperparameters": {
        "image_size",
        "in_channels",
        "patch_size",
        "hidden_size",
        "layers",
        "heads",
        "embed_size",
        "batch_size",
        "num_epochs",
        "lr",
        "weight_decay",
        "margin",
    },
    "augmentation": {"tfm_train", "tfm_test"},
    "vit_model": {
        "PatchEmbeddings",
        "PositionEmbedding",
        "ResidualAttentionBlock",
        "Transformer",
        "ViT",
        "ClassificationHead",
        "LinearEmbeddingHead",
    },
    "contrastive": {
        "sample_balanced_subset",
        "train_embedding_model",
        "get_embeddings",
        "get_embeddings_over_dataset",
        "test_embedding_model",
        "evaluate_at_end_epoch",
    },
    "application": {"retrieve_topk_nearest_neighbors_l2", "train_classification_model_head_only"},
}
IN_NOTEBOOK = {"train_classification_model", "test_classification_model", "train_loader", "test_loader", "classes"}


def notebook_code(folder: Path) -> str:
    notebook = nbformat.read(folder / "submission.ipynb", as_version=4)
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")


def defined_names(source: str) -> set[str]:
    names = set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names


def solution_lines() -> set[str]:
    """Lines that stand in the reference's solution regions and nowhere else in the reference."""
    solution, given, inside = set(), set(), False
    sources = [path.read_text() for path in VIT.reference.glob("*.py")]
    for line in map(str.strip, "\n".join([*sources, notebook_code(VIT.reference)]).splitlines()):
        if line.startswith((template.BEGIN, template.END)):
            inside = line.startswith(template.BEGIN)
        elif inside and not line.startswith(template.KEPT_MARK):
            solution.add(line)
        else:
            given.add(line.removeprefix(template.KEPT_MARK).strip())
    return solution - given


def test_student_is_what_the_reference_says() -> None:
    generated = template.generate(VIT.reference)
    assert list(template.drift(generated, VIT.template)) == [], "run python grade.py template"


def test_no_line_of_a_solution_is_in_the_template() -> None:
    student = "\n".join([*(path.read_text() for path in VIT.template.glob("*.py")), notebook_code(VIT.template)])
    assert solution_lines() & set(map(str.strip, student.splitlines())) == set()
    assert template.BEGIN not in student
    assert template.KEPT_MARK not in student


def test_the_template_has_no_checkpoint_and_no_output() -> None:
    assert list(VIT.template.glob("*.pt")) == []
    notebook = nbformat.read(VIT.template / "submission.ipynb", as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code and all(cell.outputs == [] and cell.execution_count is None for cell in code)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_of_the_template_defines_its_part_of_the_contract(module: str) -> None:
    assert CONTRACT[module] <= defined_names((VIT.template / f"{module}.py").read_text())


def test_the_notebook_of_the_template_defines_the_rest() -> None:
    names = defined_names(notebook_code(VIT.template))
    assert names >= IN_NOTEBOOK | {"train_dataset", "test_dataset", "device"}


def test_the_template_imports_and_says_what_is_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.syspath_prepend(VIT.template)
    try:
        modules = {name: importlib.import_module(name) for name in MODULES}
    finally:
        for name in MODULES:
            sys.modules.pop(name, None)
    assert {Path(module.__file__ or "").parent for module in modules.values()} == {VIT.template}
    given, vit_model = modules["augmentation"], modules["vit_model"]
    for call in (given.tfm_train, given.tfm_test, lambda _: vit_model.ClassificationHead(8)):
        with pytest.raises(NotImplementedError, match=r"."):  # something is said
            call(None)


def test_protected_functions_are_kept_to_the_letter() -> None:
    def functions(folder: Path) -> dict[str, str]:
        source = (folder / "contrastive.py").read_text()
        nodes = ast.parse(source).body
        return {n.name: ast.unparse(n) for n in nodes if isinstance(n, ast.FunctionDef)}

    reference, student = functions(VIT.reference), functions(VIT.template)
    kept = {name for name in reference if reference[name] == student[name]}
    assert kept == CONTRACT["contrastive"] - {"get_embeddings", "train_embedding_model"}


def test_a_region_with_a_hint_becomes_a_not_implemented_error() -> None:
    source = "def f():\n    ### BEGIN SOLUTION: say \"hi\"\n    print('hi')\n    ### END SOLUTION\n"
    assert template.without_solutions(source, "a.py") == 'def f():\n    raise NotImplementedError("say \\"hi\\"")\n'


def test_a_region_without_a_hint_leaves_only_the_lines_kept_for_the_student() -> None:
    source = "a = 1\n### BEGIN SOLUTION\n# > def f():\n# >     return 0\nb = 2\n### END SOLUTION\nc = 3\n"
    assert template.without_solutions(source, "a.py") == "a = 1\ndef f():\n    return 0\nc = 3\n"


FUNCTION = 'def f():\n    """Doc."""\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION\n'


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("### BEGIN SOLUTION\n", "a.py: '### BEGIN SOLUTION' is never closed: write '### END SOLUTION' behind its last line"),
        ("x = 1\n### END SOLUTION\n", "a.py, line 2: '### END SOLUTION' has no '### BEGIN SOLUTION' before it"),
        (
            "### BEGIN SOLUTION: a\n### BEGIN SOLUTION\n### END SOLUTION\n",
            "a.py, line 2: '### BEGIN SOLUTION' has '### BEGIN SOLUTION: a', which is not closed yet, before it",
        ),
        (FUNCTION, "a.py: a region without a title leaves nothing of `f`: write what is to do behind its mark, as in"),
        (FUNCTION.replace('    """Doc."""\n', ""), "a.py: what its regions leave is no Python: expected an indented block"),
    ],
    ids=["never closed", "never opened", "opened twice", "nothing left", "no body left"],
)  # fmt: skip
def test_a_region_that_cannot_be_what_its_author_means_is_refused(source: str, words: str) -> None:
    with pytest.raises(GraderError) as refused:
        template.without_solutions(source, "a.py")
    assert str(refused.value).startswith(words)


def test_a_region_is_named_with_its_file_and_its_cell(tmp_path: Path) -> None:
    cells = [nbformat.v4.new_code_cell(source) for source in ("%pip install x", "### END SOLUTION")]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "x"}})
    nbformat.write(notebook, tmp_path / "a.ipynb")
    with pytest.raises(GraderError, match=r"a\.ipynb, cell 2, line 1: '### END SOLUTION' has no"):
        template.generate(tmp_path)


def test_a_reference_that_is_not_there_is_named_with_its_folder(tmp_path: Path) -> None:
    with pytest.raises(GraderError, match=f"^{tmp_path}/right: there is no such folder, and the reference of vit is"):
        template.reference_of(dataclasses.replace(VIT, reference=tmp_path / "right"))


def test_drift_names_the_files_that_differ(tmp_path: Path) -> None:
    (tmp_path / "same.py").write_text("a = 1\n")
    (tmp_path / "edited.py").write_text("a = 2\n")
    (tmp_path / "leftover.py").write_text("")
    generated = {"same.py": "a = 1\n", "edited.py": "a = 1\n", "missing.py": "a = 1\n"}
    assert list(template.drift(generated, tmp_path)) == ["edited.py", "leftover.py", "missing.py"]


@pytest.mark.parametrize(("edit", "status"), [("", 0), ("# edited\n", 1)], ids=["in step", "drifted"])
def test_check_says_in_one_line_that_the_template_has_drifted(
    edit: str, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(template, "generate", lambda _: {"vit_model.py": "a = 1\n"})
    monkeypatch.setattr("grader.finding.find", lambda name: dataclasses.replace(VIT, template=tmp_path))
    monkeypatch.setattr(files, "TEMPLATE_BLOCKS", tmp_path / "given")
    (tmp_path / "given").write_text(template_blocks.text_of({"vit_model.py": "a = 1\n"}))
    (tmp_path / "vit_model.py").write_text("a = 1\n" + edit)
    assert main(["template", "--check"]) == status
    assert len(capsys.readouterr().out.splitlines()) == status
