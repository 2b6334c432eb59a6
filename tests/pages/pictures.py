"""Draws the pictures of pages in docs/: ``python -m tests.pages.pictures docs``.

The grades are real ones of the reference with seeded faults; the class of 200 is put together from their verdicts.
"""

import dataclasses
import io
import os
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from PIL import Image

from grader import audit
from grader.assignments.vit.corpus import load
from grader.assignments.vit.files import REFERENCE
from grader.pipeline import Graded, Grader, Options, open_grader
from grader.records import CriterionResult, Grade
from grader.reports.html import classroom
from grader.reports.html.pages import Pages
from grader.reports.html.student import PageLink
from tests.pages.browser import found
from tests.pages.one_notebook import inlined
from tests.picture import NAME, SEED, seeded

MEMBERS = 200
FAULTS = (
    "augmentation.flip_never", "augmentation.own_train_not_normalised", "contrastive.miner_unused",
    "contrastive.scheduler_milestones_in_batches", "application.knn_squared", "application.transfer_tuple",
    "vit.heads_softmax", "vit.model_hidden_size_hard_coded",
)  # fmt: skip
FIRST = [
    "ava",
    "ben",
    "chloe",
    "dan",
    "eva",
    "finn",
    "gia",
    "hugo",
    "iris",
    "jan",
    "kim",
    "leo",
    "mia",
    "noa",
    "omar",
    "pia",
    "quin",
    "rosa",
    "sam",
    "tara",
    "uma",
    "vik",
]
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


def main(folder: str) -> int:
    """Grade, write pages, take their pictures."""
    target = Path(folder)
    with tempfile.TemporaryDirectory() as workspace:
        out = Path(workspace)
        grader = open_grader(Options(seed=SEED, train="never", sample=2_000, pictures=True))
        try:
            _student(grader, out)
            (out / "index.html").write_text(
                classroom.page(_class(grader, out), grader.rubric.name, labels=grader.assignment.shown_measures),
                encoding="utf-8",
            )
        finally:
            grader.close()
        _shots(out, target)
    return 0


def _student(grader: Grader, out: Path) -> None:
    submission = seeded(out)
    inlined(submission)
    pages = Pages(out)
    graded = grader.graded(submission, SEED, NAME, look=pages.look)
    pages.add(Graded(graded.grade, graded.evidence))
    pages.close()


def _class(grader: Grader, folder: Path) -> list[classroom.ClassRow]:
    grades = [grader.grade(REFERENCE)]
    for case in (case for case in load()[0] if case.id in FAULTS):
        audit.apply(case.edits, REFERENCE, folder / "class" / case.id)
        grades.append(grader.grade(folder / "class" / case.id))
    return [classroom.ClassRow(grade, PageLink("ab12.html", "")) for grade in sorted(_members(grades), key=_name)]


def _members(grades: list[Grade]) -> Iterator[Grade]:
    """Students who each have some of the faults, and models about as good as the reference's."""
    rng, right = random.Random(5), grades[0]
    wrong: dict[str, list[CriterionResult]] = {}
    for result in (result for grade in grades for result in grade.criteria if result.status in ("failed", "partial")):
        wrong.setdefault(result.id, []).append(result)
    for number in range(MEMBERS):
        careless = rng.betavariate(1.2, 5)
        criteria = tuple(
            rng.choice(wrong[r.id]) if r.id in wrong and rng.random() < careless * 1.5 else r for r in right.criteria
        )
        warnings = tuple(w for grade in grades[1:] for w in grade.warnings if rng.random() < 0.02)
        measured = {
            "accuracy": rng.gauss(0.895 - careless / 10, 0.012),
            "precision_at_1": rng.gauss(0.8 - careless / 4, 0.03),
        }
        member = dataclasses.replace(
            right, submission={**right.submission, "name": f"{rng.choice(FIRST)}{number:03}"}, criteria=criteria,
            score=sum(result.points for result in criteria), measured=measured, warnings=warnings,
        )  # fmt: skip
        yield dataclasses.replace(member, **REVIEWS.get(number, {}))


REVIEWS = {
    17: {"status": "needs_review", "reason": "the grader could not decide vit.accuracy; no points were taken off"},
    101: {"status": "rejected", "score": 0.0, "criteria": (), "measured": {}, "warnings": (),
          "reason": "submission.ipynb is not a notebook: its JSON is broken"},
}  # fmt: skip


def _name(grade: Grade) -> str:
    return grade.submission["name"]


def _shots(pages: Path, target: Path) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found(), args=["--no-sandbox", "--hide-scrollbars"])
        for name, page, at, size, scheme in (
            ("page-student", "ab12", "", DESK, "light"),
            ("page-pictures", "ab12", "#map", DESK, "dark"),
            ("page-phone", "ab12", "#contrastive-scheduler", PHONE, "dark"),
            ("page-notebook", "ab12-notebook", "#cell-26", DESK, "light"),
            ("page-class", "index", "", {"width": 1280, "height": 1150}, "light"),
        ):
            view = browser.new_page(viewport=size, color_scheme=scheme, reduced_motion="reduce")
            view.goto(f"{(pages / page).with_suffix('.html').as_uri()}{at}")
            view.wait_for_timeout(300)
            save(view.screenshot(), target / f"{name}.png")
        browser.close()


def save(png: bytes, path: Path) -> None:
    """A small picture: these pages have few colours."""
    image = Image.open(io.BytesIO(png)).convert("RGB").quantize(96, dither=Image.Dither.NONE)
    image.save(path, optimize=True)
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
