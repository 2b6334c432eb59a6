"""Do the reference and the most unusual variants get full marks, whatever is drawn?

    python -m bench.seeds --seeds 100 --jobs 2

Each submission is graded whole with the first seed. With the others the two checkpoints are not run again: what
is asked of them never depends on the seed, which the question's digest confirms. All other probes are asked
anew, in a worker of its own each time.
"""

import argparse
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from grader import scoring
from grader.assignments.vit import corpus
from grader.assignments.vit.corpus import SCORES
from grader.audit import apply, kept
from grader.pipeline import Grader, Options, open_grader
from grader.shipped import HOME as ROOT

UNUSUAL = (
    "vit.right_block_loop_over_images_and_heads",
    "vit.right_encoder_torch_layers",
    "contrastive.variant_scheduler_of_its_own_class",
    "contrastive.variant_miner_of_its_own",
    "augmentation.own_salt_and_zoom",
)


def graded(grader: Grader, path: Path, seeds: range, jobs: int) -> list[str]:
    """What was lost with which seed."""
    with tempfile.TemporaryDirectory(prefix="vit-seeds-") as workspace, ThreadPoolExecutor(jobs) as pool:
        submission = grader.open(path, Path(workspace))
        first = grader.observe(submission, seeds[0])
        answers = {probe: kept(first, probe) for probe in SCORES}

        def lost(seed: int) -> str:
            seen = first if seed == seeds[0] else grader.observe(submission, seed, kept=answers)
            grade = scoring.grade(seen, {}, {})
            said = [f"{c.id} {c.status}: {c.feedback}" for c in grade.criteria if c.points < c.max_points]
            said += [f"in error: {c.id}" for c in grade.criteria if c.status == "error"]
            return f"seed {seed}: {'; '.join(said)}" if said else ""

        return [line for line in pool.map(lost, seeds) if line]


def main() -> None:
    """Grade with many seeds."""
    parser = argparse.ArgumentParser(description="Grade the reference and five variants with many seeds.")
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=1_000)
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    cases = {case.id: case for case in corpus.load()[1]}
    grader = open_grader(Options(train="never", threads=1))
    with tempfile.TemporaryDirectory(prefix="vit-seeds-") as folder:
        for ident in ("reference", *UNUSUAL):
            path, start = ROOT / "reference", time.monotonic()
            if ident in cases:
                path = Path(folder) / ident
                apply(cases[ident].edits, ROOT / "reference", path)
                if "vit_model.py" in cases[ident].edits:
                    assert corpus.transplant(path), f"{ident} has no checkpoints"
            lost = graded(grader, path, range(asked.first, asked.first + asked.seeds), asked.jobs)
            full = asked.seeds - len(lost)
            print(f"{ident:50} {full:4} of {asked.seeds} full marks, {time.monotonic() - start:.0f} s", flush=True)
            for line in lost:
                print(f"    {line}")
    grader.close()


if __name__ == "__main__":
    main()
