"""What recorded answers gain: honest grades of the reference, played back by a template against other seeds.

    python -m bench.replays [--seeds 8]

Each seed is recorded once; every way to play recordings back (tests/attacks/replays.py) is tried with each seed
against all the other recordings. Prints how many grades there were, and each that gained a point.
"""

import argparse
import itertools
import tempfile
from pathlib import Path

from grader import shipped
from grader.pipeline import Grader, Options, open_grader
from grader.records import Submission
from tests.attacks import replays


def main() -> None:
    parser = argparse.ArgumentParser(description="What recorded answers gain.")
    parser.add_argument("--seeds", type=int, default=8)
    seeds = range(parser.parse_args().seeds)
    grader = open_grader(Options(train="never", threads=1))
    with tempfile.TemporaryDirectory(prefix="vit-replays-") as folder:
        right = grader.open(shipped.HOME / "reference", _made(Path(folder) / "right"))
        template = grader.open(shipped.HOME / "student", _made(Path(folder) / "template"))
        recordings = {seed: replays.record(grader, right, seed) for seed in seeds}
        pairs = list(itertools.permutations(seeds, 2))
        gains = [gain for pair in pairs for gain in _gains(grader, template, recordings, *pair)]
    grader.close()
    print("\n".join(gains))
    print(f"{len(pairs) * len(replays.ATTACKERS)} grades, {len(gains)} with points or not decided")


def _gains(
    grader: Grader, template: Submission, recordings: dict[int, replays.Recording], recorded: int, seed: int
) -> list[str]:
    """What each way to play back gains with one seed, the recording of another first among all the others."""
    others = [recordings[recorded], *(each for s, each in recordings.items() if s not in (recorded, seed))]
    found = []
    for name, attacker in replays.ATTACKERS.items():
        grade = replays.replay(grader, template, seed, others, attacker)
        if grade.score or grade.status != "graded":
            points = {c.id: c.points for c in grade.criteria if c.points}
            found.append(f"{name}, {recorded} against {seed}: {grade.status}, {points}")
    return found


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


if __name__ == "__main__":
    main()
