"""Imports that are written as calls, and lines of Colab: the modules beside the notebook are found."""

from pathlib import Path

import pytest

from grader.records import Origin
from tests.intake.building import from_cells, kept, opened, run, write_notebook

MODULE = "lr = 0.5\nclass ViT:\n    pass\n"
SPEC = "import importlib.util\nspec = importlib.util.spec_from_file_location('vm', {path})\nvm = importlib.util.module_from_spec(spec)\nimport sys\nsys.modules['vm'] = vm\nspec.loader.exec_module(vm)\nlr, ViT = vm.lr, vm.ViT"
WAYS = {
    "import_module": "import importlib\nvm = importlib.import_module('vit_model')\nlr = vm.lr\nViT = vm.ViT",
    "import_module by name": "from importlib import import_module\nvm = import_module('vit_model')\nlr = vm.lr\nViT = vm.ViT",
    "an attribute of import_module": "import importlib\nlr = importlib.import_module('vit_model').lr",
    "__import__": "vm = __import__('vit_model')\nlr = vm.lr",
    "an attribute of __import__": "lr = __import__('vit_model').lr",
    "in a try": "import importlib\ntry:\n    vm = importlib.import_module('vit_model')\nexcept ImportError:\n    pass\nlr = vm.lr",
    "spec_from_file_location": SPEC.format(path="'/content/drive/MyDrive/hw3/vit_model.py'"),
    "a spec of a joined path": "import os\n" + SPEC.format(path="os.path.join('/content/drive', 'vit_model.py')"),
    "a spec of an f-string": "DIR = '/content'\n" + SPEC.format(path="f'{DIR}/vit_model.py'"),
    "SourceFileLoader": "from importlib.machinery import SourceFileLoader\nvm = SourceFileLoader('vm', '/content/vit_model.py').load_module()\nlr = vm.lr",
    "exec of open": "exec(open('vit_model.py').read())",
    "exec of open, elsewhere": "exec(compile(open('/content/drive/MyDrive/vit_model.py').read(), 'vit_model.py', 'exec'))",
    "exec of a text read before": "code = open('/content/vit_model.py').read()\nexec(code, globals())",
    "exec of an open file": "with open('vit_model.py') as f:\n    exec(compile(f.read(), 'vit_model.py', 'exec'))",
    "exec of a text of an open file": "with open('vit_model.py') as f:\n    code = f.read()\n    exec(code)",
    "exec after the file was closed": "with open('vit_model.py') as f:\n    code = f.read()\nexec(code)",
    "a magic as a call": "get_ipython().run_line_magic('run', 'vit_model.py')",
    "an old magic as a call": "get_ipython().magic('run vit_model.py')",
    "exec of a path": "from pathlib import Path\nexec(Path('/content/vit_model.py').read_text())",
    "%run": "%run vit_model.py",
    "%run with an option": "%run -i ./vit_model.py",
    "%run without the ending": "%run vit_model",
    "%run in Drive": "%run /content/drive/MyDrive/vit_model.py",
    "%run in a folder with a blank": "%run '/content/drive/My Drive/hw3/vit_model.py'",
    "%run in another folder": "%run ../src/vit_model.py",
    "a star": "import sys\nsys.path.append('/content/drive/MyDrive/hw3')\nfrom vit_model import *",
    "after a change of folder": "%cd /content/drive/MyDrive\nfrom vit_model import lr",
}


@pytest.mark.parametrize("cell", WAYS.values(), ids=WAYS.keys())
@pytest.mark.usefixtures("in_process")
def test_a_module_beside_the_notebook_is_found_however_it_is_imported(tmp_path: Path, cell: str) -> None:
    submission = from_cells(tmp_path, cell, vit_model=MODULE)
    assert run(submission)["lr"] == 0.5
    assert "lr = 0.5" in kept(submission, "vit_model")


RUNS = {
    "alone": "%run part1.ipynb",
    "with an option, and code": "import torch\n%run -i ./part1.ipynb\nx = lr",
    "in Drive": "%run '/content/drive/My Drive/hw3/part1.ipynb'",
    "in another folder": "%run ../notebooks/part1.ipynb",
}


@pytest.mark.parametrize("cell", RUNS.values(), ids=RUNS.keys())
@pytest.mark.usefixtures("in_process")
def test_a_notebook_that_another_runs_is_a_part_of_it(tmp_path: Path, cell: str) -> None:
    write_notebook(tmp_path / "part1.ipynb", "%run submission.ipynb", "lr = 0.5\nclass ViT:\n    pass", "lr = (")
    write_notebook(tmp_path / "submission.ipynb", "lr = 1", cell, "rate = lr\nnum_epochs = rate")
    submission = opened(tmp_path)
    assert submission.notebook == "submission.ipynb"
    assert run(submission)["num_epochs"] == 0.5
    assert submission.program.names["ViT"] == Origin("part1.ipynb", 2, 2, None)
    assert not any("not: part1.ipynb" in problem for problem in submission.problems)
    assert any(problem.startswith("part1.ipynb, cell 3, line 1:") for problem in submission.problems)


def test_notebooks_that_run_each_other_again_and_again_are_read_once(tmp_path: Path) -> None:
    for number in range(8):
        runs = "\n".join(f"%run part{other}.ipynb" for other in range(8)) + "\n"
        write_notebook(tmp_path / f"part{number}.ipynb", 9 * runs, f"lr = {number}")
    write_notebook(tmp_path / "submission.ipynb", "%run part0.ipynb", "num_epochs = lr")
    assert run(opened(tmp_path))["num_epochs"] == 0


@pytest.mark.usefixtures("in_process")
def test_what_is_no_module_of_the_submission_is_left_as_it_is(tmp_path: Path) -> None:
    cell = "import importlib\nmath = importlib.import_module('math')\nlr = math.pi\nexec('num_epochs = 3')"
    submission = from_cells(tmp_path, cell, vit_model=MODULE)
    assert "importlib.import_module('math')" in kept(submission)
    assert "vit_model" not in kept(submission)


def test_a_statement_that_python_cannot_write_again_is_left_as_it_is(tmp_path: Path) -> None:
    cell = "import importlib\nif True:\n    vm = importlib.import_module('vit_model')\n    x = f\"{vm.names['\u00a0']}\"\nlr = 1"
    assert "lr" in from_cells(tmp_path, cell, vit_model=MODULE).program.names


TEXTS = {
    "an f-string": "f'{name} = {value}'",
    "an f-string with repr": "f'{name}={value!r}'",
    "a sum": "name + ' = ' + str(value)",
    "per cent": "'%s = %r' % (name, value)",
    "format": "'{} = {}'.format(name, value)",
    "format with repr": "'{0} = {1!r}'.format(name, value)",
}


@pytest.mark.parametrize("here", ["", ", globals()"])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.usefixtures("in_process")
def test_settings_that_a_text_assigns_in_a_loop_are_found(tmp_path: Path, text: str, here: str) -> None:
    cell = f"for name, value in {{'lr': 0.5, 'num_epochs': 3}}.items():\n    exec({text}{here})"
    found = run(from_cells(tmp_path, cell))
    assert (found["lr"], found["num_epochs"]) == (0.5, 3)


@pytest.mark.parametrize("text", ["'lr = 0.5', globals()", "code, locals()"])
@pytest.mark.usefixtures("in_process")
def test_a_text_is_executed_in_the_namespace_that_is_named(tmp_path: Path, text: str) -> None:
    assert run(from_cells(tmp_path, f"code = 'lr = 0.5'\nexec({text})"))["lr"] == 0.5


@pytest.mark.parametrize("call", ["exec('lr = 0.5', {})", "exec(f'{name}.{lr}')", "exec('%s = %s' % name)"])
def test_other_texts_are_not_executed(tmp_path: Path, call: str) -> None:
    submission = from_cells(tmp_path, f"lr, name = 0.1, 'lr'\n{call}")
    assert "exec" not in kept(submission) and "0.5" not in kept(submission)
