"""How often the project's trainer brings a sensible ViT to 88 %, and after how many passes.

    python bench/trainer.py [--sets reference wide …] [--seeds 10] [--budget 600] [--out trainer.jsonl]

The reference's classes with several sets of hyperparameters, trained by the same operation as a submission
without a checkpoint, without a budget unless one is given: what is printed does not depend on the machine's load
then, save for the seconds, which are CPU seconds of this process. One line of JSON a run; a summary at the end.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from grader.asking import program_to_load
from grader.assignments.vit.assignment import VIT
from grader.assignments.vit.inside import constants, trainer
from grader.intake import open_submission
from grader.sandbox.inside.student import Student
from grader.torchkit import fashion_mnist as datasets
from grader.torchkit import image_sets

TARGET = 0.88
UNLIMITED = 1e6  # seconds
REFERENCE = Path(__file__).resolve().parents[1] / "reference"
SETS = {  # (patch_size, hidden_size, layers, heads)
    "reference": (7, 64, 3, 2),
    "narrow": (7, 32, 3, 2),
    "deep": (7, 64, 6, 4),
    "wide": (7, 128, 3, 4),
    "large": (7, 128, 4, 8),
    "one head": (7, 96, 4, 1),
    "fine narrow": (4, 32, 4, 4),
    "fine": (4, 64, 3, 4),
    "fine deep": (4, 64, 6, 8),
}


def loaded() -> Student:
    """The reference, in this process."""
    with tempfile.TemporaryDirectory() as folder:
        a = VIT
        return Student(program_to_load(open_submission(REFERENCE, Path(folder), a.wanted, a.provided, a.never_called)))


def trained(
    student: Student, data: datasets.FashionMNIST, name: str, seed: int, budget: float = UNLIMITED
) -> dict[str, Any]:
    """One training, its accuracy on the test images and what it took."""
    patch, hidden, layers, heads = SETS[name]
    pixels = {"scale": 1 / constants.STD, "shift": -constants.MEAN / constants.STD}
    sets = [image_sets.asked("test", data.test_images, np.arange(len(data.test_images)))]
    start, cpu = time.monotonic(), time.process_time()
    with student.overriding(patch_size=patch, hidden_size=hidden, layers=layers, heads=heads):
        told = trainer.train(
            student, data.train_images, data.train_labels, sets, pixels, threads=1, target=TARGET,
            budget=budget, seed=seed,
        )  # fmt: skip
    took, wall = time.process_time() - cpu, time.monotonic() - start
    accuracy = float((told["outputs"]["sets"]["test"]["predicted"] == data.test_labels).mean())
    held_out = [round(cycle["accuracy"], 4) for cycle in told["history"]]
    return {
        "set": name, "seed": seed, "accuracy": accuracy, "passes": told["passes"], "held_out": held_out,
        "cpu_seconds": round(took, 1), "wall_seconds": round(wall, 1),
    }  # fmt: skip


def summary(runs: list[dict[str, Any]]) -> None:
    """A line for each set."""
    for name in dict.fromkeys(run["set"] for run in runs):
        own = [run for run in runs if run["set"] == name]
        scores = np.array([run["accuracy"] for run in own])
        cost = np.median([run["cpu_seconds"] for run in own])
        print(
            f"{name:12} {SETS[name]}: {int((scores >= TARGET).sum())} of {len(own)} reach {TARGET:.0%}; accuracy "
            f"{scores.min():.4f} … {scores.max():.4f}, {cost:.0f} CPU seconds, "
            f"{np.median([run['passes'] for run in own]):g} passes (medians)"
        )


def main() -> int:
    """Train each set with each seed; 1 where one stays below the target."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    parser.add_argument("--seeds", type=int, default=2, help="of each set")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--budget", type=float, default=UNLIMITED, help="seconds for each training, wall time")
    parser.add_argument("--out", type=Path, help="a file for the lines of JSON")
    arguments = parser.parse_args()
    student, data, runs = loaded(), datasets.load(), []
    for seed in range(arguments.first, arguments.first + arguments.seeds):
        for name in arguments.sets:
            runs.append(trained(student, data, name, seed, arguments.budget))
            print(json.dumps(runs[-1]), flush=True)
            if arguments.out:
                with arguments.out.open("a") as file:
                    file.write(json.dumps(runs[-1]) + "\n")
    summary(runs)
    return int(any(run["accuracy"] < TARGET for run in runs))


if __name__ == "__main__":
    sys.exit(main())
