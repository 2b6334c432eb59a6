"""Change answers in one place each, and judge what rests on them: does any change stop the grader, or pay?

    python -m bench.fuzz_observations --changes 20000 [--seed 1]

Three submissions are graded once: the reference, the template, and one that is wrong in kind everywhere
(``wrong_everywhere.py``: constants of the wrong shape, a training of another model), so that one changed answer makes
none of it right. Their answers are changed as ``answer_changes.py`` says. Each change is held against the form of its
operation, as where answers arrive. Of those that do not fit nothing but the place is kept, so of 20 to the same probe
one is judged, and of the others each: all criteria, warnings and measures, all questions of later probes, and for
one change in ten all pictures are computed that read the changed answer.

Counted are
    forged      changes that do not fit the form: failed at once
    exceptions  raised by a warning, a measure, a picture, or while the question of a later probe is made: must be 0
    gained      criteria with more points than with the unchanged answers: must be 0
    error       criteria that became ``error``, which leaves points open: must be 0
    suspected   thresholds that are left to a person, as changed predictions look like answers that were looked up: that
                is what the assignment demands of such answers, and no point comes of it
and the peak of this process's memory, the data set's 55 MB included: must be below 1 GiB. Exit status 1 if it is not
so. What a worker cannot send, by the protocol's own limits, is not tried here: ``fuzz.py`` does.
"""

import argparse
import dataclasses
import importlib
import io
import itertools
import json
import random
import resource
import shutil
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.answer_changes import Changed, as_sent, changes
from grader.assignments.vit.assignment import VIT
from grader.evidence import UNASKED, Answer, Evidence, Unanswered
from grader.given import NO_GIVEN_FILES
from grader.judging import Blocked, Fail, Missing, Skip, Undecided
from grader.observations import fit
from grader.pipeline import Grader, Options, open_grader
from grader.records import Judgement, Observation
from grader.sandbox.outside.replies import NO_FORM, forged, is_loading
from grader.scoring import _points as points_of  # the rubric's points for one verdict
from grader.verdicts import judge_in_order

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = 100  # test images that scores are computed of: what is judged does not rest on how many
KINDS = ("changes", "forged", "exceptions", "gained", "error", "suspected")
ALIKE = 20  # forged answers to one probe, of which one is judged: nothing of the answer itself is left in them
FOR_A_PERSON = "a person has to look at this"
MAX_TOLD = 100  # findings that are printed
PICTURED = 10  # changes of which one is drawn
MOST_MEMORY = 1 << 30
EXPECTED = (Fail, Missing, Blocked, Skip, Undecided, Unanswered)  # how a picture is told that there is nothing to see
Piece = Callable[[Evidence], Any]


class Reading(Evidence):
    """Evidence that notes which answers are looked at, by everything that is computed once and by what asks it."""

    def watch(self, compute: Callable[[], Any]) -> set[str]:
        """The probes whose answers a computation looks at."""
        self.open_sets.append(set())
        try:
            compute()
        except EXPECTED:
            pass
        finally:
            found: set[str] = self.open_sets.pop()
            for outer in self.open_sets:
                outer |= found
        return found

    @property
    def open_sets(self) -> list[set[str]]:
        return self.__dict__.setdefault("_open_sets", [])

    @property
    def read_by(self) -> dict[str, set[str]]:
        """By key of what is computed once, the probes that it looks at."""
        return self.__dict__.setdefault("_read_by", {})

    def __getitem__(self, probe: str) -> Answer:
        for noted in self.open_sets:
            noted.add(probe)
        return super().__getitem__(probe)

    def once(self, key: str, compute: Callable[[], Any], code: str = "", of: Collection[str] = ()) -> Any:
        if key in self.measured:
            for noted in self.open_sets:
                noted |= self.read_by.get(key, set())
        else:
            self.read_by[key] = self.watch(lambda: super(Reading, self).once(key, compute, code, of))
        return super().once(key, compute, code, of)

    def verdict(self, criterion: str) -> Judgement:
        for noted in self.open_sets:
            noted |= self.read_by[f"verdict {criterion}"]
        return super().verdict(criterion)

    def judge(self, criterion: str) -> Judgement:
        """Judge a criterion, after those that it needs, and note which answers the verdict rests on."""
        key, needs = f"verdict {criterion}", VIT.criteria[criterion].needs
        if key not in self.read_by:
            for need in needs:
                self.judge(need)
            own = self.watch(lambda: judge_in_order((criterion,), self))
            self.read_by[key] = own.union(*(self.read_by[f"verdict {need}"] for need in needs))
        return self.verdicts[criterion]


@dataclass
class Base:
    """A submission's evidence, its points, and which answers each piece of judging looks at."""

    name: str
    seen: Reading
    points: dict[str, float] = field(default_factory=dict)
    errors: set[str] = field(default_factory=set)
    pieces: dict[str, tuple[Piece, set[str]]] = field(default_factory=dict)


@dataclass
class Counts:
    """What came of the changes."""

    of: Counter[str] = field(default_factory=Counter)
    forged: Counter[tuple[str, str]] = field(default_factory=Counter)  # by submission and probe
    found: list[str] = field(default_factory=list)

    def wrong(self, kind: str, base: Base, probe: str, changed: Changed, what: str) -> None:
        self.of[kind] += 1
        place = "".join(f"[{step!r}]" for step in changed.path)
        self.found.append(f"{kind}: {base.name}, {probe}{place} {changed.how}: {what}")
        if len(self.found) <= MAX_TOLD:
            print(self.found[-1], file=sys.stderr, flush=True)

    def words(self) -> str:
        return ", ".join(f"{self.of[kind]} {kind}" for kind in KINDS)

    def problems(self) -> int:
        return self.of["exceptions"] + self.of["gained"] + self.of["error"]


def pieces() -> dict[str, Piece]:
    """All that is computed from answers besides the verdicts."""
    drawn = {f"picture {name.rpartition('.')[2]}": importlib.import_module(name).figure for name in VIT.figures}
    found: dict[str, Piece] = {f"warning {each.__module__}.{each.__name__}": each for each in VIT.warnings}
    found |= {f"measure {name}": each for name, each in VIT.measures.items()}
    found |= {f"question {each.id}": lambda seen, each=each: _asked(seen, each) for each in VIT.probes}
    return found | drawn


def _asked(seen: Evidence, probe: Any) -> None:
    if probe.when(seen):
        probe.build(seen, seen.rng(probe.id))


def base_of(name: str, seen: Evidence) -> Base:
    """Judge a submission as it is, and note what each piece looks at."""
    values = {each.name: getattr(seen, each.name) for each in dataclasses.fields(Evidence) if each.init}
    values |= {"measured": {}, "verdicts": {}}
    base = Base(name, Reading(**values))
    for criterion in VIT.criteria:
        verdict = base.seen.judge(criterion)
        base.points[criterion] = _worth(base.seen, criterion)
        base.errors |= {criterion} if verdict.status == "error" else set()
    for piece, function in pieces().items():
        base.pieces[piece] = function, base.seen.watch(lambda f=function: f(base.seen))  # type: ignore[misc]
    return base


def _worth(seen: Evidence, criterion: str) -> float:
    of_rubric = {each.id: each for each in seen.rubric.whole.criteria}
    verdict = seen.verdicts[criterion]
    return 0.0 if verdict.status == "error" else points_of(of_rubric[criterion], verdict)[0]


def arrived(base: Base, probe: str, value: Any) -> Observation:
    """A changed answer as the checks see it: of its form, or a forged one."""
    observation = Observation("value", value)
    if probe == "load":
        return observation if is_loading(value) else forged(NO_FORM)
    op = next(each.op for each in VIT.probes if each.id == probe)
    return fit(observation, VIT.forms[op], base.seen[probe].question.args)


def judge(base: Base, probe: str, changed: Changed, counts: Counts, drawn: bool) -> None:
    """Compute all that looks at one changed answer."""
    observation = arrived(base, probe, changed.value)
    counts.of["changes"] += 1
    if observation.outcome == "forged":
        counts.of["forged"] += 1
        counts.forged[base.name, probe] += 1
        if counts.forged[base.name, probe] % ALIKE != 1:
            return
    if observation.outcome == "fault":
        counts.wrong("exceptions", base, probe, changed, observation.detail)
    seen = _with(base, probe, observation)
    for criterion, points in base.points.items():
        if probe not in base.seen.read_by[f"verdict {criterion}"]:
            continue
        judge_in_order((criterion,), seen)
        verdict = seen.verdicts[criterion]
        if verdict.status == "error" and verdict.feedback.startswith(FOR_A_PERSON):
            counts.of["suspected"] += 1
        elif verdict.status == "error" and criterion not in base.errors:
            counts.wrong("error", base, probe, changed, f"{criterion}: {verdict.feedback[-300:]}")
        elif (now := _worth(seen, criterion)) > points:
            counts.wrong("gained", base, probe, changed, f"{criterion}: {points:g} → {now:g}")
    for piece, (function, reads) in base.pieces.items():
        if (probe in reads or piece.endswith(".forged")) and (drawn or not piece.startswith("picture")):
            _attempt(piece, function, seen, lambda what: counts.wrong("exceptions", base, probe, changed, what))


def _with(base: Base, probe: str, observation: Observation) -> Evidence:
    """The evidence with another answer to one probe; what does not rest on it is computed already."""
    answers = {**base.seen.answers, probe: Answer(probe, base.seen[probe].question, observation)}
    reads = base.seen.read_by
    measured = {name: each for name, each in base.seen.measured.items() if probe not in reads[name]}
    verdicts = {c: each for c, each in base.seen.verdicts.items() if probe not in reads[f"verdict {c}"]}
    values = {each.name: getattr(base.seen, each.name) for each in dataclasses.fields(Evidence) if each.init}
    seen = Evidence(**{**values, "answers": answers, "measured": measured, "verdicts": verdicts})
    judge_in_order(VIT.criteria, seen)
    return seen


def _attempt(piece: str, function: Piece, seen: Evidence, wrong: Callable[[str], None]) -> None:
    try:
        function(seen)
    except EXPECTED as error:
        if not piece.startswith("picture") and not isinstance(error, Blocked | Unanswered):
            wrong(f"{piece} raised {type(error).__name__}: {error}"[:300])
    except Exception as error:
        wrong(f"{piece} raised {type(error).__name__}: {error}"[:300])


def planned(bases: list[Base], count: int, drawn: random.Random) -> Iterator[tuple[Base, str, Changed]]:
    """The changes to judge: one of each kind of place first, then more of each, probes in turns."""
    rounds = []
    for base in bases:
        asked = {probe: each for probe, each in base.seen.answers.items() if each.question is not UNASKED}
        for probe, answer in asked.items():
            others = [
                as_sent(each.observation.value) for name, each in base.seen.answers.items() if name != probe and each.ok
            ]
            value = as_sent(answer.observation.value) if answer.ok else None
            found = [each for group in changes(value, others) for each in group]
            drawn.shuffle(found)
            rounds.append([(base, probe, each) for each in found])
    turns = itertools.chain.from_iterable(itertools.zip_longest(*rounds))
    return itertools.islice(filter(None, turns), count)


def fuzz(bases: list[Base], count: int, seed: int, told: Callable[[str], None] | None = None) -> Counts:
    """Judge so many changes; ``told`` hears now and then how far it is."""
    counts, drawn = Counts(), random.Random(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number, (base, probe, changed) in enumerate(planned(bases, count, drawn)):
            judge(base, probe, changed, counts, number % PICTURED == 0)
            if told and number % 1_000 == 0:
                told(f"{number} of {count}: {counts.words()}")
    return counts


def bases(grader: Grader, folder: Path, seed: int) -> list[Base]:
    """The three submissions, graded."""
    wrong = folder / "wrong"
    wrong.mkdir()
    shutil.copy(ROOT / "bench" / "wrong_everywhere.py", wrong / "vit_model.py")
    (wrong / "submission.ipynb").write_text(json.dumps(_notebook()))
    for name, key in (("vit_classifier.pt", "classifier"), ("vit_embeds.pt", "embedding_head")):
        (wrong / name).write_bytes(_checkpoint(key))
    paths = {"reference": ROOT / "reference", "wrong everywhere": wrong, "template": ROOT / "student"}
    found = []
    for name, path in paths.items():
        graded = grader.graded(path, seed)
        assert graded.evidence is not None, graded.grade.reason
        found.append(base_of(name, graded.evidence))
    return found


def _notebook() -> dict[str, Any]:
    """A log that is cut off, and claims more than the checkpoint beside it."""
    output = {"output_type": "stream", "name": "stdout", "text": "Epoch 1/4\nBest Precision@1: 0.9312\n"}
    source = "from vit_model import *\ntrain_embedding_model(None, None)"
    cell = {"cell_type": "code", "source": source, "outputs": [output], "metadata": {}, "execution_count": 1}
    return {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [cell]}


def _checkpoint(key: str) -> bytes:
    import torch

    buffer = io.BytesIO()
    weights = {"other.weight": torch.ones(3, 2)}
    torch.save({"vit": weights, key: weights, "acc": 0.123, "precision@1": 0.123}, buffer)
    return buffer.getvalue()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--changes", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    start = time.monotonic()
    grader = open_grader(
        Options(given=NO_GIVEN_FILES, train="never", sample=SAMPLE, pictures=True, seed=arguments.seed)
    )
    try:
        with tempfile.TemporaryDirectory(prefix="vit-fuzz-") as folder:
            graded = bases(grader, Path(folder), arguments.seed)
            counts = fuzz(graded, arguments.changes, arguments.seed, lambda line: print(line, flush=True))
    finally:
        grader.close()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(counts.words())
    print(f"peak memory {memory / (1 << 20):.0f} MiB, {time.monotonic() - start:.0f} s, seed {arguments.seed}")
    return int(counts.problems() > 0 or memory >= MOST_MEMORY)


if __name__ == "__main__":
    sys.exit(main())
