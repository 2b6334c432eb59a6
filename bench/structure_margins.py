"""How far every number that part 2 and get_embeddings are judged by lies from its bound, right and wrong.

    python -m bench.structure_margins [--seeds 3] [--only faults|variants]

Grades the reference, the variants and the faults of both with fresh inputs for each seed. For each bound:
how often it decided, and the numbers nearest to it on either side, as multiples of it. 0.01 and 50 say that
nothing came nearer than a hundredth below and fifty times above; numbers near 1 would be verdicts by chance.
"""

import argparse
import dataclasses
import importlib
import pkgutil
import sys
import tempfile
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from grader import audit
from grader.assignments.vit import corpus, model
from grader.assignments.vit.assignment import VIT
from grader.assignments.vit.metric_learning import embeddings
from grader.pipeline import Grader, Options, open_grader
from grader.torchkit import modules
from grader.torchkit.modules import blocks

ROOT = Path(__file__).resolve().parents[1]
NAMES = ("TOLERANCE", "SLOPE_TOLERANCE", "MAX_OFF")
EMBEDDINGS = "contrastive.embeddings"
CRITERIA = [EMBEDDINGS, *(ident for ident in VIT.criteria if ident.startswith("vit.") and ident != "vit.accuracy")]
seen: dict[str, list[float]] = defaultdict(list)  # by bound, what was compared with it, as multiples of it


class Bound:
    """A number that remembers what it is compared with."""

    def __init__(self, name: str, value: float, unit: float = 1.0) -> None:
        self.name, self.value, self.unit = name, value, unit

    def __float__(self) -> float:
        return self.value * self.unit

    def __mul__(self, unit: Any) -> "Bound":
        return Bound(self.name, self.value, self.unit * float(unit))

    __rmul__ = __mul__

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if ufunc is np.multiply:
            return self * next(value for value in inputs if value is not self)
        if ufunc in (np.less, np.greater, np.less_equal, np.greater_equal):
            self.note(next(value for value in inputs if value is not self))
        return getattr(ufunc, method)(*(float(i) if isinstance(i, Bound) else i for i in inputs), **options)

    def note(self, values: Any) -> None:
        if float(self) > 0:
            seen[self.name].extend(np.ravel(np.abs(np.asarray(values, dtype=np.float64))) / float(self))

    def __lt__(self, other: Any) -> Any:
        self.note(other)
        return float(self) < other

    def __gt__(self, other: Any) -> Any:
        self.note(other)
        return float(self) > other

    __le__, __ge__ = __lt__, __gt__


def watch() -> None:
    """Put bounds in the place of the numbers, and note what ``same`` and ``changed`` compare."""
    parts = [
        found.name
        for package in (model, modules)
        for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
    ]
    for margin, value in dataclasses.asdict(blocks.BLOCK_MARGINS).items():
        object.__setattr__(blocks.BLOCK_MARGINS, margin, Bound(f"blocks.{margin}", value))
    for module in map(importlib.import_module, (*parts, embeddings.__name__)):
        short = module.__name__.rpartition(".")[2]
        for name in NAMES:
            if isinstance(getattr(module, name, None), float):
                setattr(module, name, Bound(f"{short}.{name}", getattr(module, name)))
        for name in ("same", "changed"):
            if hasattr(module, name):
                setattr(module, name, noting(getattr(module, name), name, short))


def noting(function: Any, kind: str, module: str) -> Any:
    def noted(a: Any, b: Any, *rest: Any, **options: Any) -> Any:
        bound = options.get("tolerance", rest[0] if rest and kind == "same" else 1e-3 if kind == "same" else 1e-4)
        bound = float(bound) * max(1.0, float(np.abs(b).max(initial=0.0)))
        if a.shape == b.shape:
            difference = np.abs(a - b)
            axis = options.get("axis", rest[0] if rest and kind == "changed" else None)
            values = difference.max(axis=axis, initial=0.0) if kind == "changed" else difference.max(initial=0.0)
            seen[f"{kind} in {module}.{sys._getframe(1).f_code.co_name}"].extend(np.ravel(values) / bound)
        options = {n: float(v) if isinstance(v, Bound) else v for n, v in options.items()}
        return function(a, b, *(float(r) if isinstance(r, Bound) else r for r in rest), **options)

    return noted


def graded(grader: Grader, case: Any, seeds: range) -> str:
    """Grade one case with every seed; says where a verdict was not as it should be."""
    with tempfile.TemporaryDirectory(prefix="vit-margins-") as folder:
        path = Path(folder) / "submission"
        audit.apply(case.edits if case else {}, ROOT / "reference", path)
        for seed in seeds:
            grade = grader.graded(path, seed, only=CRITERIA).grade
            lost = {
                c.id for c in grade.criteria if c.id in CRITERIA and c.points < c.max_points and c.status != "blocked"
            }
            expected = set(case.costs if case else ()) & set(CRITERIA)
            if lost != expected:
                return f"{case.id if case else 'reference'}, seed {seed}: lost {sorted(lost)}, not {sorted(expected)}"
    return ""


def main() -> None:
    parser = argparse.ArgumentParser(description="How near to their bounds the numbers of part 2 come.")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", choices=("faults", "variants"))
    asked = parser.parse_args()
    faults, variants = corpus.load()
    cases = [*(faults if asked.only != "variants" else []), *(variants if asked.only != "faults" else [])]
    chosen = [None, *(c for c in cases if "vit_model.py" in c.edits or EMBEDDINGS in c.costs or "embeddings" in c.id)]
    watch()
    grader = open_grader(Options(train="never", threads=1))
    seeds = range(5_000, 5_000 + asked.seeds)
    with ThreadPoolExecutor(2) as pool:
        wrong = [line for line in pool.map(lambda case: graded(grader, case, seeds), chosen) if line]
    grader.close()
    print(f"{len(chosen)} submissions, {asked.seeds} seeds, {len(wrong)} with a verdict that is not as it should be")
    print("\n".join(wrong))
    for name, ratios in sorted(seen.items()):
        values = np.array(ratios)
        below, above = values[values <= 1], values[values > 1]
        print(f"{name:60} {len(values):8}  below {below.max(initial=0):8.2g}  above {above.min(initial=np.inf):8.2g}")


if __name__ == "__main__":
    main()
