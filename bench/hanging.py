"""How long does a submission that hangs everywhere take, and what does it cost those beside it?

    python bench/hanging.py [--pairs 5] [--honest 9] [--variants forward sleep threads load import]

For each variant it is graded alone (at most 60 s). Then a class of honest submissions is graded beside it and beside
one more honest one, in pairs, and the seconds of each neighbour's grade are compared: medians of the pairs, of which
the largest ratio may be 1.10. Exit status 1 when one of the two does not hold.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from grader import audit  # noqa: E402 (the project need not be installed)
from grader.gradebook.places import ThisMachine, default_jobs  # noqa: E402
from grader.gradebook.task import Task  # noqa: E402
from grader.intake import Found  # noqa: E402
from grader.pipeline import Options, open_grader  # noqa: E402

MOST_SECONDS, MOST_RATIO = 60.0, 1.10
SPIN = "while True:\n        pass"
SLEEP = "import time\n    time.sleep(100_000)"
THREADS = """import hashlib, threading, time
    for _ in range(60):
        try:
            threading.Thread(target=hashlib.pbkdf2_hmac, args=("sha256", b"x", b"y", 2 * 10**9), daemon=True).start()
        except RuntimeError:
            break
    time.sleep(100_000)"""
LOADING = "\n\ndef _forever():\n    while True:\n        pass\n\n\nmargin = _forever()\n"
FORWARD = "        x = self.patch_embed(x)  # (B, N, D)\n"
MODULES = ("vit_model.py", "augmentation.py", "contrastive.py", "application.py")


def edited(edits: dict[str, object]) -> Callable[[Path], None]:
    return lambda folder: audit.apply(edits, ROOT / "reference", folder)


def everywhere(body: str) -> Callable[[Path], None]:
    """The reference with every class, function and transform in place of which something else is called."""

    def make(folder: Path) -> None:
        audit.apply({}, ROOT / "reference", folder)
        for name in MODULES:
            path = folder / name
            path.write_text(path.read_text() + hanging(body, path.read_text()))

    return make


def hanging(body: str, source: str) -> str:
    """Definitions that never return, for all that a module defines."""
    lines = [f"\n\ndef _everywhere(*args, **options):\n    {body}\n"]
    for line in source.splitlines():
        kind, _, rest = line.partition(" ")
        name = rest.partition("(")[0].partition(":")[0]
        if kind == "class":
            lines.append(
                f"\n\nclass {name}({name}):\n    def __init__(self, *args, **options):\n        _everywhere()\n"
            )
        elif kind == "def":
            lines.append(f"\n\ndef {name}(*args, **options):\n    _everywhere()\n")
        elif kind in ("tfm_train", "tfm_test"):
            lines.append(f"\n\ndef {kind}(image):\n    _everywhere()\n")
    return "".join(lines)


VARIANTS: dict[str, Callable[[Path], None]] = {
    "forward": edited({"vit_model.py": [(FORWARD, f"        while True:\n            pass\n{FORWARD}")]}),
    "loops": everywhere(SPIN),
    "sleep": everywhere(SLEEP),
    "threads": everywhere(THREADS),
    "load": edited({"hyperparameters.py": lambda source: source + LOADING.encode()}),
    "import": edited(
        {
            "helper.py": LOADING.replace("margin", "SCALE"),
            "vit_model.py": lambda source: b"from helper import SCALE\n" + source,
        }
    ),
}


def graded(folders: list[Path], seed: int) -> tuple[dict[str, float], float]:
    """Grade a class; the seconds of each submission's own grade, and of all together."""
    options = Options(train="never", seed=seed)
    place = ThisMachine(lambda: open_grader(options), default_jobs())
    try:
        place.ready()
        start = time.monotonic()
        futures = {path.name: place.submit(Task(n, found(path), seed)) for n, path in enumerate(folders)}
        seconds = {name: future.result().grade.timings["total"] for name, future in futures.items()}
        return seconds, time.monotonic() - start
    finally:
        place.close()


def found(path: Path) -> Found:
    return Found(path.name, path)


def ratio(hostile: Path, tenth: Path, honest: list[Path], pairs: int) -> float:
    """How much longer the honest ones' grades take beside a hostile one than beside a tenth honest one."""
    times: dict[str, dict[str, list[float]]] = {"honest": {}, "hostile": {}}
    for pair in range(pairs):
        order = [("honest", tenth), ("hostile", hostile)]
        for kind, other in order if pair % 2 else order[::-1]:
            seconds, total = graded([other, *honest], pair)
            shown = " ".join(f"{seconds[path.name]:.1f}" for path in honest)
            print(f"    pair {pair + 1}, beside the {kind} one: {shown}; in all {total:.1f} s", flush=True)
            for path in honest:
                times[kind].setdefault(path.name, []).append(seconds[path.name])
    sums = {kind: statistics.median(map(sum, zip(*each.values(), strict=True))) for kind, each in times.items()}
    single = [statistics.median(times["hostile"][n]) / statistics.median(t) for n, t in times["honest"].items()]
    print(f"    neighbours one by one: {min(single):.2f} to {max(single):.2f}")
    return sums["hostile"] / sums["honest"]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--honest", type=int, default=9)
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    arguments = parser.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="vit-hanging-") as place:
        folders = [Path(place) / f"honest-{number}" for number in range(arguments.honest + 1)]
        for folder in folders:
            edited({})(folder)
        for name in arguments.variants:
            hostile = Path(place) / name
            VARIANTS[name](hostile)
            seconds, _ = graded([hostile], 1)
            wrong += seconds[name] > MOST_SECONDS
            print(f"{name}: alone {seconds[name]:.1f} s (at most {MOST_SECONDS:.0f})", flush=True)
            if arguments.pairs:
                found_ratio = ratio(hostile, folders[-1], folders[:-1], arguments.pairs)
                wrong += found_ratio > MOST_RATIO
                print(f"{name}: neighbours take {found_ratio:.2f} times as long (at most {MOST_RATIO:.2f})", flush=True)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
