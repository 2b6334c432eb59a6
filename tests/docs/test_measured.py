"""What ``bench.publish`` makes of a bench.json: the table in the README and the figure beside it."""

import json
import sys
from xml.etree import ElementTree

import pytest

from bench import publish

MEASURED = {
    "machine": "a machine of 2 cores",
    "python": "3.11.7",
    "parts": {
        "start": {"when": "2026-11-28 09:00", "load": 0.5, "repeat": 5, "to the first probe": 2.345, "imports alone": 1.9},
        "kept": {"when": "2026-11-29 10:00", "load": 1.25, "repeat": 3, "students": 2000, "regrade, a check": 123.4},
        "growth": {
            "when": "2026-11-29 10:00", "load": 0.1, "repeat": 2,
            "done after, one core": [3.0, 5.0, 7.0], "done after, all cores": [3.0, 3.1, 5.0],
        },
    },
}  # fmt: skip


@pytest.fixture
def published(tmp_path, monkeypatch):
    """Publish what was measured; gives the README before and after, and the figure."""

    def run(readme, measured=MEASURED):
        files = {name: tmp_path / file for name, file in (("bench", "b.json"), ("readme", "R.md"), ("figure", "g.svg"))}
        files["bench"].write_text(json.dumps(measured))
        files["readme"].write_text(readme)
        monkeypatch.setattr(
            sys, "argv", ["publish", *(word for name, path in files.items() for word in (f"--{name}", str(path)))]
        )
        assert publish.main() == 0
        return files["readme"].read_text(), files["figure"]

    return run


def test_each_figure_that_was_measured_is_a_row_with_its_goal(published):
    readme, _ = published("# Title\n")
    assert "| from `grade.py SUBMISSION` to its first question | 2.35 s | ≤ 1.90 + 0.5 |\n" in readme
    assert "| `regrade` of 2,000 by another check | 123 s | ≤ 30 |\n" in readme
    assert len([line for line in readme.splitlines() if line.startswith("| ")]) == 1 + 3


def test_it_says_where_when_and_how_often_it_was_measured(published):
    readme, _ = published("# Title\n")
    assert "Measured on a machine of 2 cores, Python 3.11.7, 2026-11-28 and 2026-11-29, load 1.25 at most:" in readme
    assert "medians of 3 or 5 runs" in readme


def test_the_section_comes_at_the_end_and_next_time_where_it_was(published):
    first, _ = published("# Title\n\nText.\n")
    assert first.startswith("# Title\n\nText.\n\n" + publish.BEGIN) and first.endswith(publish.END + "\n")
    again, _ = published(first.replace(publish.END, publish.END + "\n\nWhat follows."))
    assert again == first.replace(publish.END, publish.END + "\n\nWhat follows.")


def test_the_figure_draws_both_lines_as_text_and_the_same_file_again(published):
    readme, figure = published("# Title\n")
    drawn = figure.read_bytes()
    texts = {element.text for element in ElementTree.fromstring(drawn).iter("{http://www.w3.org/2000/svg}text")}
    assert {"one core", "all cores", "submissions graded in full", "a machine of 2 cores"} <= texts
    assert "](g.svg)" in readme and published("# Title\n")[1].read_bytes() == drawn


def test_without_a_growing_class_there_is_no_figure(published):
    parts = {name: part for name, part in MEASURED["parts"].items() if name != "growth"}
    readme, figure = published("# Title\n", {**MEASURED, "parts": parts})
    assert "![" not in readme and not figure.exists()


def test_every_row_is_of_a_figure_of_its_own():
    assert len({(row.part, row.figure) for row in publish.ROWS}) == len(publish.ROWS)
