"""Hostile submissions among honest ones: the honest grades stay what they are alone, and the grader what it was.

    python bench/mixed.py [--count 100] [--all-criteria]

Honest ones are the reference with nothing or one part left out, hostile ones those of tests/attacks/test_points.py;
without --all-criteria parts 2, get_embeddings and the nearest neighbours are judged, with it all but what needs
checkpoints. Exit status 1 when an honest grade differs from the one alone, when a hostile one has more points than
the same submission without its attack, or when descriptors, processes or memory of the grader or its parent of
workers grew.
"""

import argparse
import dataclasses
import itertools
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from grader.pipeline import Grader, Options, open_grader
from grader.records import Grade
from grader.sandbox.inside.plan import Limits
from grader.sandbox.outside.warm import WarmWorkers
from tests.attacks import test_points as attacks

ROOT = Path(__file__).resolve().parents[1]
LEFT_OUT = (
    "",
    "PositionEmbedding",
    "ViT",
    "ClassificationHead",
    "get_embeddings",
    "retrieve_topk_nearest_neighbors_l2",
)
CHECKPOINTS = ("vit.accuracy", "contrastive.precision", "contrastive.logs")
MIB = 24  # what allocators may keep


def honest(folder: Path) -> Iterator[Path]:
    """The reference's modules, whole and each with one name taken away."""
    for left_out in LEFT_OUT:
        place = folder / f"honest-{left_out or 'whole'}"
        place.mkdir()
        for module in ROOT.glob("reference/*.py"):
            text = module.read_text()
            for kind in ("class", "def") if left_out else ():
                text = text.replace(f"\n{kind} {left_out}(", f"\n{kind} another_{left_out}(")
            (place / module.name).write_text(text)
        yield place


def hostile(folder: Path) -> Iterator[Path]:
    """One submission an attack."""
    for number, attack in enumerate(attacks.ATTACKS.values()):
        yield attacks.handed_in(folder / f"attack-{number}", attack)
    for number, (name, text) in enumerate(attacks.FILES.items()):
        yield attacks.handed_in(folder / f"file-{number}", "", **{name: text})


def told(grade: Grade) -> Any:
    """All of a grade that may not depend on what was graded before."""
    plain = dataclasses.asdict(grade)
    return {name: value for name, value in plain.items() if name not in ("timings", "submission")}


def footprint(grader: Grader) -> dict[str, int]:
    """Descriptors, processes and memory of this process and of the parent of the workers."""
    assert isinstance(grader.workers, WarmWorkers)
    zygote = grader.workers.zygote.process.pid
    found = {"scratches": len(list(Path(grader.workers.zygote.folder).iterdir())), "slots": len(grader.workers.slots)}
    for name, pid in (("grader", os.getpid()), ("parent of workers", zygote)):
        found[f"descriptors of the {name}"] = len(list(Path(f"/proc/{pid}/fd").iterdir()))
        found[f"processes of the {name}"] = len(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        found[f"MiB of the {name}"] = own_mib(pid)
    return found


def own_mib(pid: int) -> int:
    """Memory of a process's own: without the pages of libraries and of the data set."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) >> 10 for line in lines if line.startswith("RssAnon"))


def mixed(grader: Grader, folder: Path, count: int) -> int:
    """Grade ``count`` of each kind in turn; how many things were wrong."""
    honest_ones, hostile_ones = list(honest(folder)), list(hostile(folder))
    alone = {path: told(grader.grade(path)) for path in honest_ones}
    most = grader.grade(attacks.handed_in(folder / "harmless")).score
    print("alone:", {path.name: alone[path]["score"] for path in honest_ones}, "without its attack:", most, flush=True)
    for path in hostile_ones[:4]:
        grader.grade(path)
    before, start, wrong = footprint(grader), time.monotonic(), 0
    for _, bad, good in zip(range(count), itertools.cycle(hostile_ones), itertools.cycle(honest_ones), strict=False):
        grade = grader.grade(bad)
        if grade.score > most or grade.status == "needs_review":
            wrong += 1
            print(f"*** {bad.name}: {grade.status}, {grade.score} points, {most} without the attack", flush=True)
        if told(grader.grade(good)) != alone[good]:
            wrong += 1
            print(f"*** {good.name}: another grade than alone, after {bad.name}", flush=True)
    after = footprint(grader)
    print(
        f"{count} hostile and {count} honest grades in {time.monotonic() - start:.0f} s, load {os.getloadavg()[0]:.1f}"
    )
    for name, value in before.items():
        grown = after[name] > value + (MIB if name.startswith("MiB") else 0)
        wrong += grown
        print(f"  {name}: {value} → {after[name]}{' ***' if grown else ''}")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=100, help="of each kind")
    parser.add_argument("--all-criteria", action="store_true", help="judge all that needs no checkpoint")
    arguments = parser.parse_args()
    grader = open_grader(Options(train="never", seed=7))
    assert isinstance(grader.workers, WarmWorkers)
    grader.workers.limits = Limits(memory=768 << 20)  # one attack fills it again and again
    every = grader.rubric.criteria
    wanted = [c.id for c in every if c.id not in CHECKPOINTS] if arguments.all_criteria else attacks.JUDGED
    grader.rubric = dataclasses.replace(grader.rubric, criteria=tuple(c for c in every if c.id in wanted))
    print("criteria:", ", ".join(wanted), "in", grader.workers.tier().name, flush=True)
    try:
        with tempfile.TemporaryDirectory(prefix="vit-mixed-") as folder:
            wrong = mixed(grader, Path(folder), arguments.count)
    finally:
        grader.close()
    print("nothing was wrong" if not wrong else f"{wrong} things were wrong")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
