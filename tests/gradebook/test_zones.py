"""Deadlines and time zones: the same lateness whatever the zone of the machine, and none where no zone is known."""

import time
import zipfile
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from grader.errors import GraderError
from grader.gradebook import inputs, late
from grader.intake.classes import UNPACKED_NOTE

OFFSET, PLAIN = "2026-11-20T23:59:00-07:00", "2026-11-20T23:59:00"
ZONE = 'zone = "America/Edmonton"\n'


def class_zip(path: Path) -> Path:
    """Write a class of two, one after the deadline by the clock in Edmonton."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, at in (("ann", (2026, 11, 20, 22, 30, 0)), ("cid", (2026, 11, 21, 0, 30, 0))):
            archive.writestr(zipfile.ZipInfo(f"{name}\\a.ipynb", at), "{}")
    return path


def policy(folder: Path, deadline: str, more: str = "") -> late.LatePolicy:
    (folder / "rubric.toml").write_text(f"[late]\ndeadline = {deadline}\n{more}per_day = 10\n")
    return late.load(folder / "rubric.toml")


@pytest.fixture(params=["UTC", "America/Edmonton", "Asia/Tokyo"])
def machine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("deadline", [OFFSET, PLAIN], ids=["with an offset", "without"])
def test_a_zip_is_read_in_the_zone_of_the_policy_on_every_machine(tmp_path: Path, deadline: str) -> None:
    found = inputs.find([class_zip(tmp_path / "class.zip")], tmp_path / "grades")
    assert [each.key for each in found] == ["ann", "cid"]
    assert not any(inputs.has_zone(each.path) for each in found)
    with_zone = policy(tmp_path, deadline, ZONE)
    assert [with_zone.days(None, inputs.handed_in(each), False) for each in found] == [0, 1]
    assert not with_zone.lacks_zone(None, 1.0, False)


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize(("deadline", "zoned"), [(OFFSET, False), (PLAIN, False), (PLAIN, True)])
def test_without_a_zone_nobody_is_late_and_a_line_says_what_to_write(
    tmp_path: Path, deadline: str, zoned: bool
) -> None:
    without = policy(tmp_path, deadline)
    at = datetime(2026, 12, 24, tzinfo=ZoneInfo("UTC")).timestamp()
    assert without.days(None, at, zoned) == 0 and without.lacks_zone(None, at, zoned)
    assert without.days(True, at, zoned) == 1 and not without.lacks_zone(False, at, zoned)
    line = late.zone_needed(without, tmp_path / "rubric.toml", "class.zip")
    assert ("class.zip" if deadline == OFFSET else "the deadline in") in line
    assert 'zone = "America/Edmonton"' in line and "[late]" in line and "rubric.toml" in line


@pytest.mark.usefixtures("machine")
def test_a_file_of_its_own_has_a_time_that_needs_no_zone(tmp_path: Path) -> None:
    at = datetime(2026, 11, 21, 7, 0, tzinfo=ZoneInfo("UTC")).timestamp()
    assert inputs.has_zone(tmp_path / "class/ann")
    assert policy(tmp_path, OFFSET).days(None, at) == 1
    assert policy(tmp_path, PLAIN, ZONE).days(None, at - 61) == 0


def test_a_zone_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(GraderError, match=r"\[late\] zone: expected a name like"):
        policy(tmp_path, PLAIN, 'zone = "Edmonton time"\n')


def test_a_class_that_was_unpacked_once_is_found_again(tmp_path: Path) -> None:
    path = class_zip(tmp_path / "class.zip")
    first = inputs.find([path], tmp_path / "grades")
    assert inputs.find([path], tmp_path / "grades") == first
    assert inputs.archive_of(first[0].path) == "class.zip"
    assert any((tmp_path / "grades").rglob(UNPACKED_NOTE))
