"""Time to 88 %: the project's trainer over the notebook's own ``train_classification_model``.

    python bench/notebook.py [--whole]

The notebook's loop runs as it stands, up to the first epoch whose accuracy is 88 %: the saved log of the
reference says which that is, and without ``--whole`` two epochs are timed and multiplied.
"""

import contextlib
import json
import os
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

REFERENCE = Path(__file__).resolve().parents[1] / "reference"
TARGET = 0.88
EPOCHS_TIMED = 2


class Enough(Exception):
    """The accuracy or the number of epochs is reached."""


def cells() -> list[dict[str, Any]]:
    """The code cells of the reference notebook."""
    notebook = json.loads((REFERENCE / "submission.ipynb").read_text(encoding="utf-8"))
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def logged_epoch() -> int:
    """The first epoch of the reference's saved log with the wanted accuracy."""
    text = "".join("".join(output.get("text", "")) for cell in cells() for output in cell["outputs"])
    for epoch, accuracy in re.findall(r"Epoch (\d+)/\d+ +loss [\d.]+ +accuracy ([\d.]+)", text):
        if float(accuracy) >= TARGET:
            return int(epoch)
    raise RuntimeError("the saved log of the reference never reaches the wanted accuracy")


def notebooks_own(whole: bool) -> tuple[float, int]:
    """Seconds of the notebook's loop until it is enough, and the epochs that were run."""
    sys.path.insert(0, str(REFERENCE))
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)  # it writes its checkpoint, and torchvision unpacks what it finds
        if root := os.environ.get("FASHION_MNIST_ROOT"):
            raw = Path("data/FashionMNIST/raw")
            raw.mkdir(parents=True)
            for file in Path(root, "FashionMNIST/raw").glob("*ubyte*"):
                shutil.copyfile(file, raw / file.name)
            os.environ["FASHION_MNIST_ROOT"] = "data"
        return timed(defined(), whole)


def defined() -> dict[str, Any]:
    """The notebook's names, as its cells define them."""
    space: dict[str, Any] = {"__name__": "notebook"}
    for cell in cells():
        source = "".join(cell["source"])
        if "def train_classification_model" in source or source.startswith(("import os", "root =")):
            exec(source.replace("import matplotlib.pyplot as plt", ""), space)
    return space


def timed(space: dict[str, Any], whole: bool) -> tuple[float, int]:
    """Train as the notebook does, until it is enough."""
    measured, epochs = space["test_classification_model"], 0

    def stopping(*models: Any) -> float:
        nonlocal epochs
        epochs += 1
        accuracy = float(measured(*models))
        if accuracy >= TARGET if whole else epochs >= EPOCHS_TIMED:
            raise Enough
        return accuracy

    space["test_classification_model"] = stopping
    start = time.monotonic()
    with contextlib.suppress(Enough):
        space["train_classification_model"]()
    return time.monotonic() - start, epochs


def main(whole: bool = False) -> None:
    """Print both and their ratio as JSON."""
    from bench import trainer
    from grader.torchkit import fashion_mnist as data

    ours = trainer.trained(trainer.loaded(), data.load(), "reference", seed=0)
    took, epochs = notebooks_own(whole)
    theirs = took if whole else took / epochs * logged_epoch()
    print(json.dumps({
        "trainer": ours["wall_seconds"], "accuracy": ours["accuracy"], "notebook": theirs,
        "epochs run": epochs, "epochs to 88 %": epochs if whole else logged_epoch(),
        "notebook / trainer": theirs / ours["wall_seconds"], "promised": "notebook / trainer >= 5",
    }))  # fmt: skip


if __name__ == "__main__":
    main("--whole" in sys.argv[1:])
