"""What the slice keeps and what it leaves out, shown by executing it beside stand-ins."""

from pathlib import Path

import pytest

from grader.asking import program_to_load
from grader.records import Origin
from tests.intake.building import from_cells, kept, opened, run, write_modules, write_notebook

pytestmark = pytest.mark.usefixtures("in_process")

MESSY = (
    "!pip install -q pytorch-metric-learning\nimport torch, os\nfrom torch import nn\nimport matplotlib.pyplot as plt",
    "from google.colab import drive\ndrive.mount('/content/drive')\nos.chdir('/content/drive/MyDrive/hw3')",
    "%matplotlib inline\nlr = 1e-3\nnum_epochs = 5\nconfig = {'dim': 32}",
    """
    train_dataset = FashionMNIST("data", train=True, download=True)
    images, labels = next(iter(train_loader))
    plt.imshow(images[0].squeeze())
    plt.show()
    """,
    """
    def helper(x):
        return x * config["dim"]

    class ViT(nn.Module):
        dim = helper(2)
    """,
    "vit = ViT()\nprint(vit)\nsum(p.numel() for p in vit.parameters())",
    """
    def train_embedding_model(train_dataset, test_dataset):
        for epoch in range(num_epochs):
            loss = criterion(epoch)
            loss.backward()
        return "trained"
    """,
    "criterion = nn.TripletMarginLoss()\nconfig['dim'] = 64",
    "history = train_embedding_model(train_dataset, test_dataset)\nplt.plot(history)",
    """
    for epoch in range(num_epochs):
        for x, y in train_loader:
            loss = criterion(vit(x), y)
            loss.backward()
    """,
    "lr = lr * 10",
)


def test_a_messy_notebook_gives_its_definitions_and_none_of_its_training(tmp_path: Path) -> None:
    submission = from_cells(tmp_path, *MESSY)
    space = run(submission)
    assert {"ViT", "train_embedding_model", "lr", "num_epochs", "criterion"} <= space.keys()
    assert space.keys().isdisjoint({"history", "vit", "images", "loss", "drive", "plt", "epoch"})
    assert space["lr"] == 1e-2


@pytest.mark.parametrize("word", ["drive", "FashionMNIST", "plt.", "print", "next(", "train_embedding_model(train"])
def test_nothing_that_trains_downloads_or_plots_is_kept_of_a_messy_notebook(tmp_path: Path, word: str) -> None:
    text = kept(from_cells(tmp_path, *MESSY)).replace("def train_embedding_model(train", "")
    assert word not in text


VALUES = {
    "plain": ("lr = 0.5",),
    "tuple": ("a, lr = 1, 0.5",),
    "starred": ("lr, *rest = 0.5, 1, 2",),
    "chained": ("rate = lr = 0.5",),
    "annotated": ("lr: float = 0.5",),
    "augmented": ("lr = 5", "lr /= 10"),
    "from itself": ("lr = 1", "lr = lr / 2"),
    "walrus": ("print(lr := 0.5)",),
    "walrus in a comprehension": ("x = [lr := each for each in (1, 0.5)]",),
    "for": ("for lr in (1, 0.5):\n    pass",),
    "with": ("import contextlib\nwith contextlib.nullcontext(0.5) as lr:\n    pass",),
    "if": ("if True:\n    lr = 0.5\nelse:\n    lr = 1",),
    "try": ("try:\n    lr = undefined\nexcept NameError:\n    lr = 0.5",),
    "match": ("match [0.5]:\n    case [lr]:\n        pass",),
    "global in a function": ("def setup():\n    global lr\n    lr = 0.5", "setup()"),
    "global through two functions": ("def a():\n    global lr\n    lr = 0.5\ndef b():\n    a()", "b()"),
    "globals()": ("globals()['lr'] = 0.5",),
    "globals() in a function": ("def setup():\n    globals()['lr'] = 0.5", "setup()"),
    "a class's attribute": ("class Config:\n    rate = 0.5", "lr = Config.rate"),
    "changed dict": ("cfg = dict(lr=1)", "cfg['lr'] = 0.5", "lr = cfg['lr']"),
    "updated dict": ("cfg = dict(lr=1)", "cfg.update(lr=0.5)", "lr = cfg['lr']"),
    "changed through an alias": ("cfg = {'a': {}}", "inner = cfg['a']\ninner['lr'] = 0.5", "lr = cfg['a']['lr']"),
    "changed by a function": ("cfg = {}\ndef put(c):\n    c['lr'] = 0.5", "put(cfg)", "lr = cfg['lr']"),
    "changed by a function's call": ("cfg = {}\ndef put():\n    cfg['lr'] = 0.5", "put()", "lr = cfg['lr']"),
    "changed by a decorator": (
        "class Config:\n    pass\ndef add_to(target):\n    def put(f):\n        setattr(target, f.__name__, f)\n    return put",
        "@add_to(Config)\ndef rate():\n    return 0.5",
        "lr = Config.rate()",
    ),
    "changed by a loop over several": (
        "box, other = [1], []",
        "for each in (box, other):\n    each.append(0.5)",
        "lr = box[-1]",
    ),
    "changed by a loop over pairs": (
        "box, other = [1], []",
        "for n, each in zip((1, 2), [box, other]):\n    each.append(n / 2)",
        "lr = box[-1]",
    ),
    "changed in a loop": ("box = []", "for x in (1, 0.5):\n    box.append(x)", "lr = box[-1]"),
    "under the main guard": ("if __name__ == '__main__':\n    lr = 0.5",),
    "after a semicolon": ("import os; lr = 0.5; print(lr)",),
    "last of many": ("lr = 1", "lr = 2", "lr = 0.5"),
    "reused later for something else": ("x = 0.5", "lr = x", "x = undefined_function()"),
    "f-string": ("half = '0.5'", "lr = float(f'{half}')"),
    "default argument": ("half = 0.5", "def f(x=half):\n    return x", "lr = f()"),
    "lambda": ("half = 0.5", "f = lambda: half", "lr = f()"),
    "decorator": ("def twice(f):\n    return lambda: 2 * f()", "@twice\ndef f():\n    return 0.25", "lr = f()"),
    "type comment of the future": ("from __future__ import annotations", "lr: Undefined = 0.5"),
    "deleted afterwards": ("lr = 0.5", "del lr"),
    "asked for, with an answer where nobody types": (
        "try:\n    lr = float(input('lr? '))\nexcept Exception:\n    lr = 0.5",
    ),
    "asked for by a function": (
        "def ask(text, otherwise):\n    try:\n        return float(input(text))\n    except (EOFError, OSError):\n"
        "        return otherwise",
        "lr = ask('lr? ', 0.5)",
    ),
    "dead branch": ("lr = 0.5", "if False:\n    lr = 1"),
}


@pytest.mark.parametrize("cells", VALUES.values(), ids=VALUES.keys())
def test_a_value_is_found_however_it_is_bound(tmp_path: Path, cells: tuple[str, ...]) -> None:
    submission = from_cells(tmp_path, *cells)
    assert run(submission)["lr"] == 0.5
    assert "lr" in submission.program.names


def test_annotations_that_wait_move_no_line(tmp_path: Path) -> None:
    submission = from_cells(
        tmp_path, "from __future__ import annotations", "class ViT:\n    x: Undefined = 1\nlr = 0.5"
    )
    assert [(piece.cell, piece.line, piece.postponed) for piece in submission.program.main] == [
        (2, 1, True),
        (2, 3, True),
    ]
    assert "__future__" not in "".join(piece.source for piece in submission.program.main)
    assert run(submission)["ViT"].x == 1


UNTOLD = {
    "globals().update": ("cfg = dict(lr=0.5)", "globals().update(cfg)"),
    "locals().update": ("cfg = dict(lr=0.5)", "locals().update(**cfg)"),
    "vars().update": ("vars().update(lr=0.5)",),
    "a loop": ("cfg = dict(lr=0.5)", "for name, value in cfg.items():\n    globals()[name] = value"),
    "a function": ("def put(cfg):\n    globals().update(cfg)", "put(dict(lr=0.5))"),
    "used by another value": ("globals().update({'half': 0.5})", "lr = half"),
    "the last word": ("lr = 1", "globals().update(lr=0.5)"),
}


@pytest.mark.parametrize("cells", UNTOLD.values(), ids=UNTOLD.keys())
def test_a_value_is_found_whose_name_no_text_tells(tmp_path: Path, cells: tuple[str, ...]) -> None:
    assert run(from_cells(tmp_path, *cells))["lr"] == 0.5


CLASSES = {
    "alias": ("class MyViT:\n    good = True", "ViT = MyViT"),
    "inside if": ("if 1:\n    class ViT:\n        good = True",),
    "method put in": ("class ViT:\n    good = False", "def f(self): pass\nViT.good = True"),
    "setattr": ("class ViT:\n    good = False", "setattr(ViT, 'good', True)"),
    "setattr by alias": ("class ViT:\n    good = False\nV = ViT", "V.good = True"),
    "patched by a function": ("class ViT:\n    good = False\ndef patch(c):\n    c.good = True", "patch(ViT)"),
    "base class": ("class Base:\n    good = True", "class ViT(Base): pass"),
    "base in an older cell, redefined": ("class Base: pass", "class Base:\n    good = True", "class ViT(Base): pass"),
    "nested function's global": ("good_ = True", "class ViT:\n    good = (lambda: (lambda: good_)())()"),
    "class attribute hides nothing from methods": (
        "size = True",
        "class ViT:\n    def make(self):\n        return size\n    size = 3\n    good = make(None)",
    ),
    "partial": ("import functools", "class A:\n    good = True", "ViT = functools.partial(A)()"),
    "indented cell": ("    class ViT:\n        good = True",),
}


@pytest.mark.parametrize("cells", CLASSES.values(), ids=CLASSES.keys())
def test_a_class_is_found_however_it_is_made(tmp_path: Path, cells: tuple[str, ...]) -> None:
    assert run(from_cells(tmp_path, *cells))["ViT"].good


NEVER = {
    "training": "def train_embedding_model(a, b): pass\nlr = train_embedding_model(1, 2)",
    "training through a function": "def run():\n    return train_embedding_model(1, 2)\nlr = run()",
    "training through a method": "class T:\n    def go(self):\n        loss.backward()\nlr = T().go()",
    "training in a constructor": "class T:\n    def __init__(self):\n        loss.backward()\nlr = T()",
    "training through an alias": "go = train_embedding_model\nlr = go(1, 2)",
    "training through a partial": "from functools import partial\ngo = partial(train_embedding_model, 1)\nlr = go(2)",
    "training in a comprehension": "lr = [train_embedding_model(1, x) for x in range(2)]",
    "training as a decorator": "@train_classification_model\ndef lr(): pass",
    "backward": "lr = loss.backward()",
    "download": "lr = MNIST('data', download=True)",
    "download asked for": "lr = Anything('data', download=not False)",
    "url": "import urllib.request\nlr = urllib.request.urlopen('http://x')",
    "plot": "import matplotlib.pyplot as plt\nlr, axes = plt.subplots()",
    "plot by another name": "import seaborn\nlr = seaborn.heatmap([])",
    "question": "lr = float(input('lr?'))",
    "question whose answer may be no number": "try:\n    lr = float(input())\nexcept ValueError:\n    print('again')",
    "question until there is an answer": "for _ in range(3):\n    try:\n        lr = float(input())\n    except Exception:\n        lr = 1",
    "upload": "from google.colab import files\nlr = files.upload()",
    "mounting": "from google.colab import drive\nlr = drive.mount('/x')",
    "checkpoint": "import torch\nlr = torch.load('x.pt')",
    "checkpoint by another name": "from torch import load as get\nlr = get('x.pt')",
    "state": "lr = model.load_state_dict({})",
    "shell": "import os\nlr = os.system('ls')",
    "process": "import subprocess as s\nlr = s.run('ls')",
    "notebook": "lr = get_ipython().system('ls')",
    "waiting": "lr = await something()",
    "exit": "import sys\nlr = sys.exit()",
}


@pytest.mark.parametrize("cell", NEVER.values(), ids=NEVER.keys())
def test_a_value_that_only_such_a_statement_gives_stays_undefined(tmp_path: Path, cell: str) -> None:
    submission = from_cells(tmp_path, cell)
    assert "lr" not in submission.program.names
    assert any("'lr'" in problem for problem in submission.problems)
    assert "is not executed, for it" in submission.program.undefined["lr"]
    assert submission.program.undefined["lr"] in program_to_load(submission)["lost"].values()


def test_a_value_that_another_statement_gives_is_defined(tmp_path: Path) -> None:
    assert not from_cells(tmp_path, "lr = float(input('lr?'))", "lr = 0.5").program.undefined


def test_what_needs_such_a_value_is_left_out_with_it(tmp_path: Path) -> None:
    submission = from_cells(tmp_path, "data = MNIST(download=True)", "mean = data.mean()\nlr = mean", "num_epochs = 3")
    assert submission.program.names.keys() == {"num_epochs"}
    assert any("needs mean" in problem for problem in submission.problems)


BLOCKS = {
    "if": "if True:\n    device = 'cpu'\n    train_embedding_model(1, 2)\nlr = device",
    "try": "try:\n    import google.colab\n    device = 1\nexcept ImportError:\n    device = 'cpu'\nlr = device",
    "with": "import contextlib\nwith contextlib.suppress(KeyError):\n    plt.show(); device = 'cpu'\nlr = device",
    "nested": "if 1:\n    if 1:\n        device = 'cpu'\n        plt.show()\nlr = device",
    "guard": "if __name__ == '__main__':\n    device = 'cpu'\n    train_embedding_model(1, 2)\n    lr = device",
    "only child": "if 0:\n    plt.show()\nelse:\n    device = 'cpu'\nlr = device",
}


@pytest.mark.parametrize("cell", BLOCKS.values(), ids=BLOCKS.keys())
def test_of_a_block_only_the_forbidden_lines_are_left_out(tmp_path: Path, cell: str) -> None:
    assert run(from_cells(tmp_path, cell))["lr"] == "cpu"


def test_line_numbers_survive_magics_blocks_and_splitting(tmp_path: Path) -> None:
    cells = "%time x = 1\n\nif __name__ == '__main__':\n    lr = (\n        x)\nimport os, \\\n    sys\ndef ViT(): sys"
    submission = from_cells(tmp_path, "# first", cells)
    lines = {piece.source.split("\n")[-1]: piece.line for piece in submission.program.main}
    assert lines == {"x = 1": 1, "        x)": 3, "import sys": 7, "def ViT(): sys": 8}
    assert submission.program.names["ViT"] == Origin("submission.ipynb", 2, 8, None)


GUARDED_MODULES = {  # with the line that is executed
    "else": ("if __name__ == '__main__':\n    lr = 1\nelse:\n    lr = (\n        0.5)", 3),
    "on one line": ("if __name__ == '__main__': lr = 1\nelse: lr = 0.5", 2),
    "elif": ("if __name__ == '__main__':\n    lr = 1\nelif True:\n    lr = 0.5\nelse:\n    lr = 2", 3),
    "not": ("if __name__ != '__main__':\n    lr = 0.5\nelse:\n    lr = 1", 1),
}


@pytest.mark.parametrize(("text", "line"), GUARDED_MODULES.values(), ids=GUARDED_MODULES.keys())
def test_of_a_module_counts_what_is_done_where_it_is_imported(tmp_path: Path, text: str, line: int) -> None:
    submission = from_cells(tmp_path, "from settings import lr", settings=text)
    assert run(submission)["lr"] == 0.5
    assert [piece.line for piece in submission.program.modules["settings"]] == [line]


STUBS = {
    "to do": "class ViT:\n    def forward(self, x):\n        raise NotImplementedError",
    "without its middle": "class ViT:\n    def __init__(self):\n        self.parts = None\n    def forward(self, x):\n        return out",
}
WORK = "class ViT:\n    good = True\n    def forward(self, x):\n        return x"


@pytest.mark.parametrize("stub", STUBS.values(), ids=STUBS.keys())
@pytest.mark.parametrize("name", ["my_vit", "vit_model (1)", "vit_model-2", "vit_final"])
@pytest.mark.parametrize("cells", [("lr = 1",), ("import vit_model\nlr = 1",)], ids=["alone", "imported"])
def test_the_untouched_template_beside_the_work_does_not_count(
    tmp_path: Path, name: str, cells: tuple[str, ...], stub: str
) -> None:
    submission = from_cells(tmp_path, *cells, **{"vit_model": stub, name: WORK})
    origin = submission.program.names["ViT"]
    assert origin.file == f"{name}.py" and "good = True" in kept(submission, origin.module)


def test_of_two_that_are_filled_in_the_one_named_as_in_the_template_counts(tmp_path: Path) -> None:
    submission = from_cells(tmp_path, "lr = 1", vit_model=WORK, a_vit=WORK, **{"vit_model (1)": WORK})
    assert submission.program.names["ViT"].file == "vit_model.py"


RUNS = {
    "as it begins": ("import wandb\nwandb.init(config={'lr': 0.5})", "lr = wandb.config.lr"),
    "bound": ("import wandb as w\nrun = w.init(config=dict(lr=0.5))", "lr = w.config['lr']"),
    "later": ("import wandb\nwandb.init()\nwandb.config.update({'lr': 0.5})", "config = wandb.config\nlr = config.lr"),
    "one by one": ("import swanlab\nswanlab.init()\nswanlab.config.lr = 0.5", "lr = swanlab.config.lr"),
    "in a function": (
        "import wandb\ndef begin():\n    wandb.init(config={'lr': 0.5})",
        "begin()\nlr = wandb.config.lr",
    ),
}


@pytest.mark.parametrize("cells", RUNS.values(), ids=RUNS.keys())
def test_what_a_run_is_told_is_kept_for_what_is_read_back(tmp_path: Path, cells: tuple[str, ...]) -> None:
    submission = from_cells(tmp_path, *cells, "wandb.log({})\nwandb.finish()\nnum_epochs = 3")
    assert "0.5" in kept(submission) and "finish" not in kept(submission)
    assert not submission.program.undefined


IMPORTS = {
    "from": "from vit_model import ViT",
    "star": "from vit_model import *",
    "renamed": "from vit_model import Vision as ViT",
    "attribute": "import vit_model as vm\nViT = vm.ViT",
    "attribute of a plain import": "import vit_model\nclass ViT(vit_model.ViT): pass",
    "module handed around": "import vit_model as vm\nViT = getattr(vm, 'ViT')",
    "not at all": "num_epochs = 3",
    "only imported": "import vit_model",
    "inside a function": "def make():\n    from vit_model import ViT\n    return ViT\nViT = make()",
    "with a fallback": "try:\n    from vit_model import ViT\nexcept ImportError:\n    ViT = None",
    "executed": "%run vit_model.py",
}
MODULE = """
from torch import nn
import matplotlib.pyplot as plt
from parts import dim
size = dim * 2
plt.plot([1])
class Vision(nn.Module):
    good = size == 8
ViT = Vision
if __name__ == "__main__":
    ViT.good = False
    raise SystemExit
"""


@pytest.mark.parametrize("cell", IMPORTS.values(), ids=IMPORTS.keys())
def test_a_class_of_a_module_is_found_however_it_is_imported(tmp_path: Path, cell: str) -> None:
    submission = from_cells(tmp_path, cell, vit_model=MODULE, parts="dim = 4\nunused = input()")
    assert run(submission)["ViT"].good
    assert "plt.plot" not in kept(submission, "vit_model")
    assert kept(submission, "parts") == "dim = 4"


def test_the_environment_is_as_the_notebook_sets_it(tmp_path: Path) -> None:
    cells = 'import os\nos.environ.setdefault("LR", "1")\nos.environ.get("HOME")', 'lr = int(os.environ["LR"])'
    text = kept(from_cells(tmp_path, *cells))
    assert "setdefault('LR'" in text.replace('"', "'") and "HOME" not in text


def test_names_that_a_namespace_is_updated_with_are_bound(tmp_path: Path) -> None:
    assert run(from_cells(tmp_path, "_Own = type('ViT', (), {})\nvars().update(ViT=_Own)"))["ViT"].__name__ == "ViT"


BLOCKS = {
    "tried": "try:\n    from parts import *\nexcept ImportError:\n    !cp /content/drive/MyDrive/parts.py .",
    "in the end": "try:\n    pass\nfinally:\n    from parts import *",
    "under a condition": "import os\nif os.path.exists('parts.py') or True:\n    from parts import *",
    "in a with": "import warnings\nwith warnings.catch_warnings():\n    from parts import *",
    "of a module that tries": "from between import *",
    "run": "import runpy\nglobals().update(runpy.run_path('parts.py'))",
}


@pytest.mark.parametrize("cell", BLOCKS.values(), ids=BLOCKS)
def test_a_star_in_a_block_brings_its_names(tmp_path: Path, cell: str) -> None:
    between = "try:\n    from .parts import *\nexcept ImportError:\n    from parts import *"
    modules = {"parts": "dim = 4\nother = 5", "between": between}
    submission = from_cells(tmp_path, cell, "def lr():\n    return dim", **modules)
    assert run(submission)["lr"]() == 4


def test_the_origin_is_where_the_definition_stands_and_the_module_where_the_name_is_looked_up(tmp_path: Path) -> None:
    submission = from_cells(tmp_path, "from vit_model import *", vit_model="\n\nclass ViT: pass", other="lr = 3")
    assert submission.program.names["ViT"] == Origin("vit_model.py", None, 1, None)
    assert submission.program.names["lr"] == Origin("other.py", None, 1, "other")


def test_the_notebooks_own_definition_counts_before_a_modules(tmp_path: Path) -> None:
    submission = from_cells(tmp_path, "lr = 1", vit_model="lr = 2")
    assert submission.program.names["lr"].module is None
    assert run(submission)["lr"] == 1


def test_the_last_of_import_and_definition_counts(tmp_path: Path) -> None:
    assert run(from_cells(tmp_path, "lr = 1", "from vit_model import lr", vit_model="lr = 2"))["lr"] == 2


@pytest.mark.parametrize(
    "modules, best",
    [
        ({"zeta": "lr = 1", "vit_model": "lr = 2"}, "vit_model"),
        ({"zeta": "lr = 1", "alpha": "lr = 2"}, "alpha"),
        ({"test_lr": "lr = 1", "zeta": "lr = 2"}, "zeta"),
        ({"alpha": "lr = input()", "zeta": "lr = 2"}, "zeta"),
    ],
    ids=["the assignment's own", "alphabetical", "no tests", "one that can be had"],
)
def test_of_several_modules_one_is_preferred(tmp_path: Path, modules: dict[str, str], best: str) -> None:
    write_modules(tmp_path / "hand-in", **modules)
    assert opened(tmp_path / "hand-in").program.names["lr"].module == best


PACKAGES = {
    "relative": (
        "from models import ViT",
        {"models/__init__": "from .vit import ViT", "models/vit": "class ViT: pass"},
    ),
    "dotted": ("import models.vit\nViT = models.vit.ViT", {"models/vit": "class ViT: pass"}),
    "submodule": ("from models import vit\nViT = vit.ViT", {"models/vit": "class ViT: pass"}),
    "sibling": (
        "from models.vit import ViT",
        {"models/vit": "from . import parts\nclass ViT(parts.Base): pass", "models/parts": "class Base: pass"},
    ),
    "elsewhere": ("import sys\nsys.path.append('src')\nfrom vit import ViT", {"src/deep/vit": "class ViT: pass"}),
}


@pytest.mark.parametrize("cell, modules", PACKAGES.values(), ids=PACKAGES.keys())
def test_packages_are_sliced_like_modules(tmp_path: Path, cell: str, modules: dict[str, str]) -> None:
    write_notebook(tmp_path / "hand-in" / "a.ipynb", cell)
    write_modules(tmp_path / "hand-in", **modules)
    assert run(opened(tmp_path / "hand-in"))["ViT"].__name__ == "ViT"


def test_of_a_notebook_file_the_packages_that_it_imports_belong_to_it(tmp_path: Path) -> None:
    modules = {"models/vit": "from layers.base import Base\nclass ViT(Base): pass", "layers/base": "class Base: pass"}
    submission = from_cells(tmp_path, "from models.vit import ViT", **modules, **{"strangers/x": "lr = 1"})
    assert run(submission)["ViT"].__name__ == "ViT"
    assert not (submission.root / "strangers").exists()


def test_a_value_set_on_a_module_from_the_notebook_is_kept(tmp_path: Path) -> None:
    cells = ("import config\nconfig.rate = 2", "from model import ViT")
    submission = from_cells(
        tmp_path, *cells, config="rate = 1", model="import config\nclass ViT:\n    lr = config.rate"
    )
    assert run(submission)["ViT"].lr == 2


def test_a_star_of_a_library_is_always_kept(tmp_path: Path) -> None:
    submission = from_cells(tmp_path, "from vit_model import *", "from numpy import *", vit_model="from torch import *")
    assert "from numpy import *" in kept(submission)
    assert "from torch import *" in kept(submission, "vit_model")


def test_an_import_that_nobody_needs_is_left_out(tmp_path: Path) -> None:
    assert kept(from_cells(tmp_path, "import a, b\nfrom c import (d,\n  e)", "lr = b.x + e")) == (
        "import b\nfrom c import e\nlr = b.x + e"
    )


@pytest.mark.parametrize("name", ["torch", "json", "conftest", "sitecustomize", "numpy"])
def test_a_module_named_like_a_library_is_never_imported_in_its_place(tmp_path: Path, name: str) -> None:
    submission = from_cells(tmp_path, f"import {name}\nlr = {name}.x", **{name: "x = 1"})
    assert submission.program.modules == {}
    assert any(f"{name}.py" in problem for problem in submission.problems)


FOLDERS = ("code", "test", "site", "email", "torch", "hw3 code", "Assignment 3", "hw3-src", "2_parts", "part 1-2")


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_that_no_import_can_name_is_one_on_the_path(tmp_path: Path, folder: str) -> None:
    (tmp_path / "hand-in").mkdir()
    (tmp_path / "hand-in" / "README.md").write_text("run it")
    write_modules(tmp_path / "hand-in" / folder, vit_model="from parts.size import lr\nclass ViT: rate = lr")
    write_modules(tmp_path / "hand-in" / folder, **{"parts/size": "lr = 3"})
    assert run(opened(tmp_path / "hand-in"))["ViT"].rate == 3
    write_notebook(tmp_path / "hand-in" / "a.ipynb", f"%cd {folder}", "from vit_model import ViT")
    assert run(opened(tmp_path / "hand-in", workspace=tmp_path / "work"))["ViT"].rate == 3


@pytest.mark.parametrize(
    "cell, files, best",
    [
        ("", ("vit_model", "old-code/vit_model"), "vit_model"),
        ("sys.path.append('hw3-src')", ("vit_model", "hw3-src/vit_model"), "vit_model"),
        ("", ("src/vit_model", "old-code/vit_model"), "src/vit_model"),
        ("sys.path.append('hw3-src')", ("old/vit_model", "hw3-src/vit_model"), "hw3-src/vit_model"),
        ("%cd 'hw3 code'", ("a code/vit_model", "hw3 code/vit_model"), "hw3 code/vit_model"),
        ("sys.path.insert(0, f'{root}/src')", ("old/vit_model", "src/vit_model"), "src/vit_model"),
        ("", ("a-b/vit_model", "c-d/vit_model"), "a-b/vit_model"),
    ],
    ids=["top", "top before the path", "named", "put on the path", "entered", "of two packages", "alphabetical"],
)
def test_of_two_files_of_one_name_one_is_imported(tmp_path: Path, cell: str, files: tuple[str, str], best: str) -> None:
    write_notebook(tmp_path / "hand-in" / "a.ipynb", f"import sys\n{cell}\nfrom vit_model import lr")
    write_modules(tmp_path / "hand-in", **{file: f"lr = {file == best}" for file in files})
    assert run(opened(tmp_path / "hand-in"))["lr"] is True


@pytest.mark.parametrize("file", ["code", "code/__init__", "hw3 code/code", "src-1/types"])
def test_a_file_named_like_a_library_is_refused_in_any_folder_on_the_path(tmp_path: Path, file: str) -> None:
    write_notebook(tmp_path / "hand-in" / "a.ipynb", "num_epochs = 1")
    write_modules(tmp_path / "hand-in", **{file: "lr = 1"})
    submission = opened(tmp_path / "hand-in")
    assert submission.program.names.keys() == {"num_epochs"}
    assert any(file in problem and "name of a library" in problem for problem in submission.problems)


def test_a_module_that_a_cell_writes_is_read_where_no_such_file_lies(tmp_path: Path) -> None:
    cells = ("%%writefile vit_model.py\nlr = 3", "from vit_model import lr")
    submission = from_cells(tmp_path / "a", *cells)
    assert run(submission)["lr"] == 3
    assert submission.program.names["lr"] == Origin("submission.ipynb", 1, 2, None)
    assert run(from_cells(tmp_path / "b", *cells, vit_model="lr = 4"))["lr"] == 4


def test_circular_imports_and_stars_come_to_an_end(tmp_path: Path) -> None:
    modules = {"a": "from b import *\nlr = 1", "b": "from a import *\nnum_epochs = 2"}
    submission = from_cells(tmp_path, "from a import *", **modules)
    assert submission.program.names.keys() == {"lr", "num_epochs"}


def test_a_notebook_of_another_assignment_defines_none_of_the_names(tmp_path: Path) -> None:
    submission = from_cells(tmp_path, "import pandas as pd\ndf = pd.read_csv('x.csv')\ndf.head()")
    assert (submission.program.main, submission.program.names) == ((), {})


IN_A_DICT = {
    "flags": "config = dict(dim=2)\nother = 5",
    "model": "from flags import config\nclass ViT:\n    def dim(self):\n        return config['dim']",
}


@pytest.mark.parametrize(
    ("cell", "modules"),
    [
        ("import flags\nflags.dim = 3\nfrom model import ViT", {}),
        ("import setting\nfrom model import ViT", {"setting": "import flags\nflags.dim = 3"}),
        ("from model import ViT\nimport whole", {"whole": "import setting", "setting": "import flags\nflags.dim = 3"}),
        ("from model import ViT", {"setting": "import flags\nflags.dim = 3", "used": "import setting"}),
        ("from flags import config\nconfig['dim'] = 3\nfrom model import ViT", IN_A_DICT),
        (
            "import setting\nfrom model import ViT",
            {"setting": "from flags import config\nconfig.update(dim=3)", **IN_A_DICT},
        ),
    ],
    ids=[
        "the notebook",
        "a module",
        "a module of a module",
        "a module that the model imports",
        "a dict",
        "a dict, by a module",
    ],
)
def test_what_changes_a_module_is_kept_with_its_import(tmp_path: Path, cell: str, modules: dict[str, str]) -> None:
    model = "import flags\nimport used\nclass ViT:\n    def dim(self):\n        return flags.dim"
    modules = {"used": "", "flags": "dim = 2\nother = 5", "model": model, **modules}
    submission = from_cells(tmp_path / "a", cell, **modules)
    assert run(submission)["ViT"]().dim() == 3
    assert "other" not in kept(submission, "flags")


OTHERWISE = ("Vit_Model", "VIT_MODEL", "vit_model_final", "my_vit_model", "vit_model_v2")


@pytest.mark.parametrize("name", OTHERWISE)
def test_a_module_with_more_to_its_name_is_the_one_that_is_imported(tmp_path: Path, name: str) -> None:
    submission = from_cells(tmp_path, "from vit_model import ViT", **{name: "class ViT: rate = 3"})
    assert run(submission)["ViT"].rate == 3


def test_no_module_of_two_is_taken_for_another(tmp_path: Path) -> None:
    modules = {"vit_model_old": "class ViT: rate = 2", "vit_model_new": "class ViT: rate = 3"}
    submission = from_cells(tmp_path, "from vit_model import ViT", **modules)
    assert "vit_model" not in submission.program.modules


@pytest.mark.parametrize("name", ["torch", "wandb"])
def test_a_library_is_none_of_the_modules(tmp_path: Path, name: str) -> None:
    submission = from_cells(tmp_path, f"import {name}\nlr = {name}.x", **{f"{name}_helpers": "x = 1"})
    assert name not in submission.program.modules


def test_what_stands_beside_the_notebook_is_imported_before_what_stands_above(tmp_path: Path) -> None:
    write_modules(tmp_path / "hand-in", vit_model="class ViT: rate = 2")
    write_modules(tmp_path / "hand-in" / "done", vit_model="class ViT: rate = 3")
    write_notebook(tmp_path / "hand-in" / "done" / "a.ipynb", "from vit_model import ViT")
    assert run(opened(tmp_path / "hand-in", workspace=tmp_path / "work"))["ViT"].rate == 3
