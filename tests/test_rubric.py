"""A rubric that an instructor has changed: what is wrong with it is told in one line, with its place."""

import pytest

from grader import rubric
from grader.assignments.vit.assignment import VIT
from grader.errors import GraderError
from grader.gradebook import late

HEADS = 'id = "vit.heads"\n'
WORTH = f'{HEADS}part = 2\ntitle = "Classification and embedding heads"\npoints = '


def load(folder, *edits, more="", encoding="utf-8"):
    text = VIT.rubric.read_text()
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (folder / "ours.toml").write_bytes((text + more).encode(encoding))
    return rubric.load(folder / "ours.toml", VIT.check_names, VIT.thresholds, VIT.threshold_names)


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (HEADS, 'id = "vit.haeds"\n', "criterion 'vit.haeds' does not exist, did you mean 'vit.heads'?"),
        (HEADS, 'id = "vit.model"\n', "criterion 'vit.model' stands there 2 times, expected once"),
        (HEADS, "", "a criterion without an id: object missing required field `id`"),
        (HEADS, f"{HEADS}weigth = 2\n", "criterion 'vit.heads': weigth: no such entry"),
        (HEADS, f"{HEADS}step = []\n", "criterion 'vit.heads': step: no such entry, did you mean 'steps'?"),
        (f"{WORTH}2", f'{WORTH}"two"', "criterion 'vit.heads': points: expected `float`, got `str`"),
        (f"{WORTH}2", f"{WORTH}nan", "criterion 'vit.heads': points: expected a number of 0 or more, got nan"),
        (f"{WORTH}2", f"{WORTH}-2", "criterion 'vit.heads': points: expected a number of 0 or more, got -2"),
        (HEADS, 'id = ""\n', "a criterion without an id: expected one of augmentation.variety"),
        (
            "indices = 4, distances = 2",
            "indices = 7, distances = -1",
            "checks: distances: expected a number of 0 or more",
        ),
        ("indices = 4,", "indices = 3,", "criterion 'application.knn': points are 6, its checks add up to 5"),
        ("indices = 4,", "indizes = 4,", "check 'indizes' does not exist, did you mean 'indices'?"),
        ("[thresholds]", "[treshholds]", "[treshholds]: no such table, did you mean 'thresholds'?"),
        ("accuracy = 0.88 ", "acuracy = 0.88 ", "expected accuracy, a share from 0 to 1; is 'acuracy' meant for it?"),
        ("accuracy = 0.88 ", "accuracy = 88 ", "[thresholds] accuracy: expected a share from 0 to 1, as 0.88, got 88"),
        ("accuracy = 0.88 ", 'accuracy = "88 %" ', "[thresholds] accuracy: expected `float`, got `str`"),
        (
            "log_computed = 0.05 ",
            "log_computed = 0.05\nlog_computd = 0.1 ",
            "[thresholds] log_computd: no such threshold, did you mean 'log_computed'?",
        ),
        ("log_computed = 0.05 ", "log_computed = inf ", "[thresholds] log_computed: expected a number, got inf"),
        ("strict = false", "strickt = false", "[protected]: object contains unknown field `strickt`"),
        ("[[criteria]]\n" + HEADS, "[[criteria\n" + HEADS, "not valid TOML"),
    ],
)
def test_what_is_wrong_is_named_with_the_file_and_the_entry(tmp_path, old, new, line):
    with pytest.raises(GraderError) as told:
        load(tmp_path, (old, new))
    assert str(told.value).startswith(f"{tmp_path / 'ours.toml'}: ") and line in str(told.value)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b"", "expected accuracy"),
        (b"[late]\n[late]\n", "not valid TOML: Cannot declare"),
        ("# Pr\u00fcfung".encode("latin-1"), "not in UTF-8"),
    ],
    ids=["empty", "a table twice", "another encoding"],
)
def test_a_file_that_is_no_rubric_is_one_line_whoever_reads_it(tmp_path, text, line):
    path = tmp_path / "ours.toml"
    path.write_bytes(text)
    with pytest.raises(GraderError, match=line):
        rubric.load(path, VIT.check_names, VIT.thresholds)
    if text:
        with pytest.raises(GraderError, match=line):
            late.load(path)


def test_a_value_in_the_place_of_a_table_is_named(tmp_path):
    (tmp_path / "ours.toml").write_text("scheduler = 3\n")
    with pytest.raises(GraderError, match=r"\[scheduler\]: expected `object`, got `int`"):
        rubric.load(tmp_path / "ours.toml", VIT.check_names, VIT.thresholds)


def test_points_and_thresholds_of_ones_own_are_taken(tmp_path):
    found = load(
        tmp_path, (f"{WORTH}2", f"{WORTH}4.5"), ("accuracy = 0.88 ", "accuracy = 1 "), more="[late]\nbank = 2\n"
    )
    assert found.criterion("vit.heads").points == 4.5 and found.thresholds["accuracy"] == 1
    assert late.load(tmp_path / "ours.toml").bank == 2
