"""What confinement costs: how long a worker takes from being asked for to being ready, bare and in every tier.

    python bench/confinement.py [--starts 40] [--cycles 200]

Quiet machine, please: the load is printed beside the figures; on a busy one, `chrt -r 1 python …` comes near.
Exit status 1 when the strongest tier adds more than 20 ms (median) to a bare fork, or when opening, crashing and
closing workers leaves anything behind.
"""

import argparse
import os
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from grader.errors import GraderError
from grader.sandbox.outside import tiers
from grader.sandbox.outside.warm import WarmWorker, WarmWorkers

PROMISE_MS = 20.0
ENDINGS = ("", "import os\nos._exit(3)", "import ctypes\nctypes.string_at(0)", "while True: pass")


def program(source: str) -> dict[str, object]:
    """A submission of one cell."""
    return {"main": [{"source": source, "file": "a.py", "cell": None, "line": 1}], "modules": {}, "names": {}}


def start_ms(workers: WarmWorkers) -> float:
    """Milliseconds until a worker is confined and could load a submission."""
    worker = WarmWorker(workers, program(""), "")
    start = time.perf_counter()
    worker.connection = worker.start()
    took = time.perf_counter() - start
    worker.close()
    return 1000 * took


def cycle_ms(workers: WarmWorkers) -> float:
    """Milliseconds for a whole life: start, load, end."""
    start = time.perf_counter()
    worker = workers.open(program("x = 1"), "")
    worker.ask("load", {}, 60)
    worker.close()
    return 1000 * (time.perf_counter() - start)


def quartiles(values: list[float]) -> str:
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{middle:6.1f} [{low:.1f}-{high:.1f}]"


def offered() -> list[WarmWorkers]:
    """Warm workers without any layer, and in every tier that this user can have here."""
    tiers.TOO_LITTLE = (*tiers.TOO_LITTLE, tiers.Tier("bare", "a bare fork", (), None))
    found = []
    for tier in [tiers.TOO_LITTLE[-1], *tiers.candidates(False, None)]:
        workers = WarmWorkers([], {}, tier=tier.name)
        try:
            workers.tier()
            found.append(workers)
        except GraderError as error:
            print(f"{tier.name}: not here ({str(error)[:150]})")
            workers.close()
    return found


def compare(starts: int) -> float:
    """Print the cost of every tier, the tiers taking turns; what the strongest adds, in ms."""
    all_workers = offered()
    ready: list[list[float]] = [[] for _ in all_workers]
    lives: list[list[float]] = [[] for _ in all_workers]
    for _ in range(starts):
        for number, workers in enumerate(all_workers):
            ready[number].append(start_ms(workers))
            lives[number].append(cycle_ms(workers))
    print(f"{'tier':6} {'ready, ms':>22} {'added':>7} {'start+load+end, ms':>24}   load {os.getloadavg()[0]:.1f}")
    bare = statistics.median(ready[0])
    for number, workers in enumerate(all_workers):
        added = statistics.median(ready[number]) - bare
        print(f"{workers.tier().name:6} {quartiles(ready[number]):>22} {added:7.1f} {quartiles(lives[number]):>24}")
        workers.close()
    return statistics.median(ready[1]) - bare


def footprint(workers: WarmWorkers) -> dict[str, int]:
    """Descriptors, children and memory of this process, and descriptors of the zygote."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    zygote = workers.zygote.process.pid
    return {
        "descriptors": len(list(Path("/proc/self/fd").iterdir())),
        "children": len(children),
        "MiB": pages * 4096 >> 20,
        "descriptors of the zygote": len(list(Path(f"/proc/{zygote}/fd").iterdir())) if os.geteuid() == 0 else 0,
        "scratches": len(list(Path(workers.zygote.folder).iterdir())),
    }


def leaks(cycles: int) -> bool:
    """Open and close workers that are honest, leave, crash and hang; whether anything grew."""
    workers = WarmWorkers([], {})
    for ending in ENDINGS:
        one_life(workers, ending)
    before = footprint(workers)
    for number in range(cycles):
        one_life(workers, ENDINGS[number % len(ENDINGS)])
    after = footprint(workers)
    workers.close()
    print(f"{cycles} lives, a quarter each honest, leaving, crashing, hanging:", before, "→", after)
    return any(after[name] > before[name] + (8 if name == "MiB" else 0) for name in before)


def one_life(workers: WarmWorkers, ending: str) -> None:
    worker = workers.open(program(ending), "")
    worker.load_seconds = 0.2 if "while" in ending else 30.0
    worker.ask("load", {}, 30)
    worker.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--starts", type=int, default=40, help="workers started in each tier")
    parser.add_argument("--cycles", type=int, default=200, help="lives in the leak test")
    arguments = parser.parse_args()
    added = compare(arguments.starts)
    leaked = leaks(arguments.cycles)
    print(f"added by the strongest tier: {added:.1f} ms, promised at most {PROMISE_MS:.0f}; leaks: {leaked}")
    return int(added > PROMISE_MS or leaked)


if __name__ == "__main__":
    sys.exit(main())
