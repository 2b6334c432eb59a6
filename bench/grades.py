"""What grades cost: one over its bare arithmetic, the structural criteria of a class, and how cost grows."""

import contextlib
import os
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench import measure

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "reference"
MODELS = ("vit.accuracy", "contrastive.precision")  # the criteria that run all images through models
GRADE = (sys.executable, str(ROOT / "grade.py"), "--train", "never")


def single(repeat: int) -> dict[str, Any]:
    """A full grade of the reference, warm and cold, each over the bare passes beside it."""
    from grader.pipeline import Options, open_grader

    grader = open_grader(Options(train="never"))
    grader.grade(REFERENCE / "submission.ipynb")  # the first one waits for the workers' parent
    rows = []
    for _ in range(repeat):
        bare = float(measure.run([sys.executable, str(ROOT / "bench" / "bare.py")]).output.split()[0])
        warm = grader.grade(REFERENCE / "submission.ipynb").timings
        with tempfile.TemporaryDirectory() as out:
            command = [*GRADE, str(REFERENCE / "submission.ipynb"), "--out", out]
            cold = measure.run(command)
        models = sum(seconds for probe, seconds in warm.items() if probe.startswith("checkpoint."))
        rows.append({"bare": bare, "warm": warm["total"], "warm, models": models, "cold": cold.wall})
    grader.close()
    own = {name: statistics.median(row[name] for row in rows) for name in rows[0]}
    ratio = statistics.median(row["warm"] / row["bare"] for row in rows)
    over = statistics.median(row["cold"] - 1.5 * row["bare"] for row in rows)
    return {**own, "warm / bare": ratio, "cold - 1.5 bare": over, "promised": "warm / bare <= 1.5, the other <= 4 s"}


def structural(repeat: int, size: int = 20) -> dict[str, Any]:
    """A class of twenty, by all criteria that need no trained model."""
    each, cpu = [], []
    with tempfile.TemporaryDirectory() as folder:
        students = classroom(Path(folder, "class"), size)
        for number in range(repeat):
            cost = measure.run([*GRADE, str(students), "--out", f"{folder}/{number}", "--only", *without_models()])
            each.append(cost.wall / size)
            cpu.append(cost.cpu / size)
    middle = statistics.median
    return {"a submission": middle(each), "CPU a submission": middle(cpu), "promised": "a submission <= 1.0 s"}


def whole_class(repeat: int, size: int = 40) -> dict[str, Any]:
    """Full grades of a class over the bare passes of as many models, on all cores, start and gradebook included.

    A quarter of the passes is run and counts four times: each costs the same. At most twice the class hands in the same
    models, too, which are asked once.
    """
    rows, same = [], []
    with tempfile.TemporaryDirectory() as folder:
        students, alike = (classroom(Path(folder, name), size, alike=name == "alike") for name in ("class", "alike"))
        for number in range(repeat):
            bare = bare_passes(size // 4) * 4
            cost = measure.run([*GRADE, str(students), "--out", f"{folder}/{number}"])
            rows.append({"bare, all": bare, "grades, all": cost.wall, "CPU a submission": cost.cpu / size})
            if number < 2:
                same.append(measure.run([*GRADE, str(alike), "--out", f"{folder}/alike {number}"]).wall)
    own = {name: statistics.median(row[name] for row in rows) for name in rows[0]}
    own["grades, all with the same models"] = statistics.median(same)
    ratio = statistics.median(row["grades, all"] / row["bare, all"] for row in rows)
    return {"submissions": size, **own, "grades / bare": ratio, "promised": "grades / bare <= 1.15"}


def bare_passes(times: int) -> float:
    """Seconds of the passes of that many models, shared out to a process of one thread for each core."""
    cores = os.cpu_count() or 1
    shares = [share for each in range(cores) if (share := times // cores + (each < times % cores))]
    command = [sys.executable, str(ROOT / "bench" / "bare.py"), "100"]
    with ThreadPoolExecutor(cores) as pool:
        done = pool.map(lambda share: measure.run([*command, str(share)], OMP_NUM_THREADS="1"), shares)
        return max(float(cost.output.split()[0]) for cost in done)


def growth(repeat: int, sizes: tuple[int, ...] = (1, 5, 20)) -> dict[str, Any]:
    """Seconds and peak memory by the size of the class, full grades, and when each of the largest class was done.

    On all cores at most twice, on one core once: with every run it would be half an hour.
    """
    costs: dict[int, list[measure.Cost]] = {size: [] for size in sizes}
    done: list[list[float]] = []
    runs, most = min(repeat, 2), max(sizes)
    with tempfile.TemporaryDirectory() as folder:
        classes = {size: classroom(Path(folder, f"class-{size}"), size) for size in sizes}
        for number in range(runs):
            for size, students in classes.items():
                out, begun = f"{folder}/{size}-{number}", time.time()
                costs[size].append(measure.run([*GRADE, str(students), "--out", out], memory=True))
                done += [_seconds_until_each(out, begun)] if size == most else []
        out, begun = f"{folder}/alone", time.time()
        measure.run([*GRADE, str(classes[most]), "--out", out], cores=1)
        alone = _seconds_until_each(out, begun)
    found: dict[str, Any] = {"runs on all cores": runs, "runs on one core": 1}
    for size, own in costs.items():
        found[f"a submission of {size}"] = statistics.median(cost.wall / size for cost in own)
        found[f"peak MiB of {size}"] = statistics.median(cost.peak >> 20 for cost in own)
    found[f"a submission of {most}, one core"] = alone[-1] / most
    few = sizes[-2]
    found[f"{most} / {few}"] = found[f"a submission of {most}"] / found[f"a submission of {few}"]
    found["done after, all cores"] = [round(statistics.median(ends), 2) for ends in zip(*done, strict=True)]
    found["done after, one core"] = [round(end, 2) for end in alone]
    return {**found, "promised": f"at {most} no more a submission than at {few}, the same peak"}


def _seconds_until_each(out: str, begun: float) -> list[float]:
    """When each submission of a class was graded and kept; one alone is in no gradebook."""
    with contextlib.closing(sqlite3.connect(f"{out}/gradebook.sqlite")) as book:
        return [at - begun for (at,) in book.execute("SELECT at FROM grades ORDER BY at")]


def without_models() -> list[str]:
    """The criteria that need no trained model."""
    from grader.assignments.vit.assignment import VIT

    return [ident for ident in VIT.criteria if ident not in MODELS]


def classroom(folder: Path, size: int, alike: bool = False) -> Path:
    """Submissions that differ in a comment, and in their tensors where they are not alike, so that each is asked itself."""
    import torch

    checkpoints = {path.name: torch.load(path, weights_only=True) for path in REFERENCE.glob("*.pt")}
    for number in range(size):
        own = folder / f"student{number:02}"
        shutil.copytree(REFERENCE, own, ignore=shutil.ignore_patterns("__pycache__"))
        with (own / "vit_model.py").open("a", encoding="utf-8") as file:
            file.write(f"\n# handed in by student {number}\n")
        for name, saved in ({} if alike else checkpoints).items():
            torch.save({key: _a_little_larger(value, number) for key, value in saved.items()}, own / name)
    return folder


def _a_little_larger(value: Any, number: int) -> Any:
    """A state dict whose floats are larger by millionths; anything else as it is."""
    if not isinstance(value, dict):
        return value
    return {name: own * (1 + 1e-6 * number) if own.is_floating_point() else own for name, own in value.items()}
