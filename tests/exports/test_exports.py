"""Exports of grades made by hand, hostile text among them, held against what others' readers make of them."""

import csv
import html
import io
import json
from dataclasses import replace

import jsonschema
import junitparser
import mistune
import pandas as pd
import pytest

from grader.errors import GraderError
from grader.exports import FORMATS, canvas, moodle, sheets
from grader.exports.result import ExportedGrade, of_grade
from grader.reports.written import SCHEMA
from tests import grades

HOSTILE = '=HYPERLINK("http://x.example") <img src=x onerror=alert(1)> ![a](http://x.example) **b** `c` |d| \x1b[31m\x00\u202e'
LOST = grades.grade("cd34", vit_model=("failed", HOSTILE), application_knn=("partial", "distances are squared"))
REVIEW = replace(grades.grade("ef56", vit_model=("error", "us")), status="needs_review", reason="us")
ALL = [of_grade(each) for each in (grades.grade(HOSTILE), LOST, REVIEW, grades.rejected("gh78", HOSTILE))]


def test_json_is_a_list_in_the_schema():
    schema = json.loads(SCHEMA.read_text())
    for grade in json.loads(FORMATS["json"].write(ALL)):
        jsonschema.validate(grade, schema)


def test_junit_is_read_by_a_reader_of_others():
    xml = junitparser.JUnitXml.fromstring(FORMATS["junit"].write(ALL).encode())
    suites = list(xml)
    assert [(suite.name, suite.failures, suite.errors) for suite in suites[1:]] == [
        ("cd34", 2, 0), ("ef56", 0, 1), ("gh78", 1, 0),
    ]  # fmt: skip
    assert suites[0].name.endswith("\\x1b[31m\\x00\\u202e")
    assert xml.tests == sum(suite.tests for suite in suites) and xml.failures == 3


def shown(token):
    """The text that a reader sees, and the kinds of what it stands in."""
    inner = [shown(child) for child in token.get("children", [])]
    text = token.get("raw", "") if not inner else "".join(text for text, _ in inner)
    return text, {token["type"]}.union(*(kinds for _, kinds in inner))


@pytest.mark.parametrize("results", [ALL, ALL[:1], [of_grade(LOST)], ALL[3:]], ids=["class", "name", "text", "reason"])
def test_markdown_shows_hostile_text_as_text(results):
    read = mistune.create_markdown(renderer=None, plugins=["table", "url", "strikethrough", "footnotes", "math"])
    parsed = [shown(token) for token in read(FORMATS["md"].write(results))]
    plain = {"heading", "blank_line", "paragraph", "text", "table", "strong"}
    plain |= {"table_head", "table_body", "table_row", "table_cell", "softbreak"}
    assert set().union(*(kinds for _, kinds in parsed)) <= plain
    seen = html.unescape("".join(text for text, _ in parsed))
    assert "<img src=x onerror=alert(1)> ![a](http://x.example) **b** `c` |d| \\x1b[31m\\x00\\u202e" in seen


def test_a_summary_is_never_too_long_for_github():
    text = FORMATS["md"].write([of_grade(grades.grade("a student"))] * 40_000)
    assert len(text.encode()) < 1 << 20 and "did not fit" in text


def test_annotations_are_one_line_each_and_cannot_end_early():
    nasty = of_grade(grades.grade("x", vit_model=("failed", "50% a\r\n::error::b")))
    (line,) = FORMATS["github"].write([nasty]).splitlines()
    assert line.startswith("::error file=submission.ipynb,title=The whole ViT%3A 0 of 5::cell 3, line 7: 50%25 a ::")


def test_annotations_of_a_class_say_whose_they_are():
    lines = FORMATS["github"].write([of_grade(LOST), of_grade(REVIEW)]).splitlines()
    assert all("title=cd34" in line or "title=ef56" in line for line in lines)


def test_nobody_reads_where_the_grader_found_a_submission():
    found = grades.rejected("gh78", "")
    path = "grades/unpacked/class.zip-12/Ada Doe"
    rejected = replace(found, reason=f"{path}: holds no code", submission={**found.submission, "path": path})
    for name in ("md", "junit", "github", "gradescope"):
        text = FORMATS[name].write([of_grade(rejected)]).replace("%3A", ":")
        assert "unpacked" not in text and "Ada Doe: holds no code" in text


def test_gradescope_gets_the_score_and_a_test_a_criterion():
    whole = json.loads(FORMATS["gradescope"].write([ExportedGrade(LOST, 80.5, "a day late, 10 points taken off")]))
    assert whole["score"] == 80.5 and "a day late" in whole["output"]
    tests = {test.get("number"): test for test in whole["tests"]}
    assert tests["2.5"]["status"] == "failed" and tests["2.5"]["score"] == 0 and tests["2.5"]["max_score"] == 5
    assert tests["1.1"]["status"] == "passed"
    assert tests[None] == {
        "name": "For the instructor", "output": "log.stale: the log is of another run", "output_format": "text",
        "visibility": "hidden",
    }  # fmt: skip
    top = {"score", "execution_time", "output", "output_format", "stdout_visibility", "tests", "extra_data"}
    fields = {"score", "max_score", "status", "name", "number", "output", "output_format", "tags", "visibility"}
    assert set(whole) == top and all(set(test) <= fields for test in whole["tests"])


def test_classroom50_gets_whole_numbers_within_their_maximum():
    whole = json.loads(FORMATS["classroom50"].write([ExportedGrade(LOST, 92.5)]))
    assert whole["schema"] == "classroom50/result/v1" and whole["score"] == 93 and whole["max-score"] == 100
    numbers = [whole["score"], *(test[name] for test in whole["tests"] for name in ("score", "max-score"))]
    assert len(numbers) > 10 and all(type(number) is int for number in numbers)
    assert all(test["score"] <= test["max-score"] and type(test["passed"]) is bool for test in whole["tests"])


CANVAS = """\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,Quiz (11),Assignment 3 (12345),Final Score
    Points Possible,,,,,10,100,
"Doe, Jane",12,s12,=jane@x.example,Lab A,9,,90
"Roe, Joe",13,s13,joe,Lab A,8,55,80
"Poe, Ann",14,s14,ann,Lab B,7,,70
"""


def filled(tmp_path, text, name, *needed):
    path = tmp_path / name
    path.write_text(text, newline="")
    return sheets.read(path, *needed)


def test_canvas_gets_its_own_file_back_with_one_column_filled(tmp_path):
    results = [
        ExportedGrade(LOST, 92.5, student="12"),
        ExportedGrade(REVIEW, 100, student="13"),
        ExportedGrade(LOST, 1, student="99"),
    ]
    done = canvas.fill(results, filled(tmp_path, CANVAS, "c.csv", "Student", "ID"), "Assignment 3")
    table = pd.read_csv(io.StringIO(done.sheet.text().removeprefix("\ufeff")), dtype=str, keep_default_na=False)
    assert list(table) == [*canvas.IDENTITY, "Assignment 3 (12345)"]
    assert list(table["Assignment 3 (12345)"]) == ["100", "92.5", "55", ""]
    assert list(table["Student"]) == ["    Points Possible", "Doe, Jane", "Roe, Joe", "Poe, Ann"]
    assert table["SIS Login ID"][1] == "'=jane@x.example"
    assert (done.left, done.unknown) == (("ef56",), ("cd34",))


def test_a_column_worth_other_points_is_not_filled(tmp_path):
    with pytest.raises(GraderError, match=r"Quiz \(11\) is worth 10 points in the sheet, the grades are of 100"):
        canvas.fill([ExportedGrade(LOST, 92.5, student="12")], filled(tmp_path, CANVAS, "c.csv"), "Quiz")


def test_canvas_needs_to_be_told_which_of_two_assignments(tmp_path):
    sheet = filled(tmp_path, CANVAS, "c.csv")
    with pytest.raises(GraderError, match=r"found 'Quiz \(11\)', 'Assignment 3 \(12345\)'; choose one"):
        canvas.fill([], sheet, None)
    assert canvas.fill([], sheet, "12345").sheet.header[-1] == "Assignment 3 (12345)"


def test_a_canvas_file_of_our_own_has_its_columns():
    text = canvas.fill([ExportedGrade(LOST, 92, student="12")], None, "Assignment 3 (12345)").sheet.text()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert rows[1] == {
        **dict.fromkeys(canvas.IDENTITY, ""),
        "Student": "cd34",
        "ID": "12",
        "Assignment 3 (12345)": "92",
    }


MOODLE = (
    "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed,"
    "Last modified (submission),Last modified (grade),Feedback comments\n"
    'Participant 123456,Jane Doe,jane@x.example,"Submitted for grading",,10.00,Yes,"Friday, 20 November 2026",-,\n'
    "Participant 123457,Joe Roe,joe@x.example,No submission,3.00,10.00,Yes,-,-,mine\n"
    "Participant 123458,Ann Poe,ann@x.example,Submitted for grading,4.00,10.00,No,-,-,\n"
)


def test_moodle_gets_its_own_worksheet_back_filled(tmp_path):
    results = [ExportedGrade(LOST, 92.5, student="123456"), ExportedGrade(LOST, 50, student="123458")]
    done = moodle.fill(results, filled(tmp_path, MOODLE, "m.csv", *moodle.NEEDED_COLUMNS))
    table = pd.read_csv(io.StringIO(done.sheet.text()), dtype=str, keep_default_na=False)
    assert list(table) == list(moodle.COLUMNS)
    assert list(table["Grade"]) == ["9.25", "3.00", "4.00"]  # of 10; no submission; locked
    assert "&lt;img src=x" in table["Feedback comments"][0] and "<img" not in table["Feedback comments"][0]
    untouched = done.sheet.text().splitlines()[2]
    assert untouched == MOODLE.splitlines()[2]
    assert done.left == ("cd34",)


def test_a_worksheet_with_a_scale_in_words_is_not_filled(tmp_path):
    with pytest.raises(GraderError, match="expected a number as Maximum Grade, got 'Pass'"):
        sheet = filled(tmp_path, MOODLE.replace("10.00", "Pass"), "m.csv")
        moodle.fill([ExportedGrade(LOST, 92.5, student="123456")], sheet)


def test_a_worksheet_of_our_own_has_what_moodle_asks_for():
    text = moodle.fill([ExportedGrade(LOST, 92, student="7")], None).sheet.text()
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["Identifier"], row["Grade"], row["Last modified (grade)"]) == ("Participant 7", "92", "-")


@pytest.mark.parametrize("raw", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"], ids=repr)
def test_no_cell_of_a_csv_is_computed_by_a_spreadsheet(raw):
    text = sheets.Sheet(["Student", raw], [[raw, "x"]]).text()
    assert list(csv.reader(io.StringIO(text, newline=""))) == [["Student", f"'{raw}"], [f"'{raw}", "x"]]


@pytest.mark.parametrize(
    ("content", "line"),
    [(b"\xff\xfe", "a CSV file in UTF-8"), (b'a,"b', "a CSV file in UTF-8"), (b"", "expected a column 'Grade'")],
)
def test_a_file_that_is_no_sheet_is_one_line(tmp_path, content, line):
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    with pytest.raises(GraderError, match=line):
        sheets.read(path, "Grade")
