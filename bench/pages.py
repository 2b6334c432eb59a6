"""How long the pages of a submission take, and how long a class page takes to open: ``python -m bench.pages``.

The reference is graded; then its page and its notebook are made ten times, the first one apart, as it imports
matplotlib and compiles templates. A class of 500 copies is opened in the system's Chromium, if there is one.
"""

import dataclasses
import statistics
import sys
import tempfile
import time
from pathlib import Path

from grader.assignments.vit.files import REFERENCE
from grader.pipeline import Graded, Options, open_grader
from grader.records import Grade

SEED, TIMES, MEMBERS = 1234, 10, 500


def main() -> int:
    """Print seconds and sizes."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        graded, looks, adds, busy = _measured(out)
        print(f"notebook rendered: first {looks[0]:.2f} s, then {statistics.median(looks[1:]):.2f} s")
        print(f"pages written:     first {adds[0]:.2f} s, then {statistics.median(adds[1:]):.2f} s", end="")
        print(f" ({statistics.median(busy[1:]):.2f} s of processor time)")
        for page in sorted(out.glob("*.html")):
            print(f"{page.name}: {page.stat().st_size / 1000:.0f} kB")
        _class(graded.grade, out)
    return 0


def _measured(out: Path) -> tuple[Graded, list[float], list[float], list[float]]:
    """Seconds of rendering the notebook and of writing the pages, each time, and the processor's of the latter."""
    grader, looks, adds = open_grader(Options(seed=SEED, train="never", pictures=True)), [], []

    def look(seen):  # type: ignore[no-untyped-def]
        for _ in range(TIMES):
            start = time.perf_counter()
            pages.look(seen)
            looks.append(time.perf_counter() - start)

    start = time.perf_counter()
    from grader.reports.html.pages import Pages

    pages, imports = Pages(out), time.perf_counter() - start
    graded = grader.graded(REFERENCE, SEED, look=look)
    kept, busy = pages.notebooks[id(graded.evidence)], []
    for _ in range(TIMES):
        pages.notebooks[id(graded.evidence)] = kept
        start, before = time.perf_counter(), time.process_time()
        pages.add(graded)
        adds.append(time.perf_counter() - start)
        busy.append(time.process_time() - before)
    pages.close()
    grader.close()
    return graded, looks, [adds[0] + imports, *adds[1:]], busy


def _class(grade: Grade, out: Path) -> None:
    from grader.reports.html import classroom
    from tests.pages.browser import found

    members = [_member(grade, number) for number in range(MEMBERS)]
    start = time.perf_counter()
    (out / "index.html").write_text(classroom.page(members), encoding="utf-8")
    size = (out / "index.html").stat().st_size / 1000
    print(f"class of {MEMBERS}: written in {time.perf_counter() - start:.2f} s, {size:.0f} kB")
    if (program := found()) is None:
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page()
        start = time.perf_counter()
        page.goto((out / "index.html").as_uri())
        page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        print(f"  opened in {time.perf_counter() - start:.2f} s")
        browser.close()


def _member(grade: Grade, number: int):  # type: ignore[no-untyped-def]
    from grader.reports.html.classroom import ClassRow

    return ClassRow(dataclasses.replace(grade, submission={**grade.submission, "name": f"s{number:03}"}))


if __name__ == "__main__":
    sys.exit(main())
