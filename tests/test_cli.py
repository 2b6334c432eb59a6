"""The command line: arguments, exit status, what goes where."""

import dataclasses
import errno
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from grader import cli, firewall
from grader.commands import COMMANDS, grading
from grader.errors import GraderError
from tests import grades

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def graded(monkeypatch, tmp_path):
    """Lets the command line find grades made by hand; gives the path of a submission that exists."""

    def give(*those):
        def grade_all(given):
            for each in those:
                if isinstance(each, BaseException):
                    raise each
            return list(those), []

        monkeypatch.setattr(grading, "grade_all", grade_all)
        path = tmp_path / "submission.ipynb"
        path.touch()
        return str(path)

    return give


LOST = grades.grade("cd34", vit_model=("failed", "no"))  # 95 points
REVIEW = dataclasses.replace(grades.grade(vit_model=("error", "us")), status="needs_review", reason="us")


@pytest.mark.parametrize(
    ("those", "arguments", "status"),
    [
        ([grades.grade()], [], 0),
        ([LOST], [], 0),
        ([LOST], ["--fail-under", "95"], 0),
        ([LOST], ["--fail-under", "95.5"], 1),
        ([grades.grade(), LOST], ["--fail-under", "96"], 1),
        ([REVIEW], [], 1),
        ([grades.grade(), REVIEW], [], 1),
        ([grades.rejected()], [], 2),
        ([grades.rejected(), grades.rejected()], [], 2),
        ([grades.grade(), grades.rejected()], [], 0),
        ([grades.grade(), grades.rejected()], ["--fail-under", "50"], 1),
        ([], [], 2),
    ],
)
def test_the_exit_status_follows_the_specification(graded, those, arguments, status):
    assert cli.main([graded(*those), *arguments]) == status


def test_one_submission_makes_an_object_several_make_a_list(graded, tmp_path):
    target = tmp_path / "grade.json"
    cli.main([graded(LOST), "--json", str(target)])
    assert json.loads(target.read_text())["score"] == 95
    cli.main([graded(LOST, LOST), "--json", str(target)])
    assert [grade["score"] for grade in json.loads(target.read_text())] == [95, 95]


def test_json_on_standard_output_is_all_that_is_there(graded, capsys):
    cli.main([graded(LOST), "--json", "-"])
    assert json.loads(capsys.readouterr().out)["submission"]["name"] == "cd34"


@pytest.mark.parametrize("arguments", [["--json", "/dev/stdout"], ["--format", "json=/dev/fd/1"]], ids=" ".join)
def test_standard_output_may_be_called_as_the_system_calls_it(graded, capsys, arguments):
    cli.main([graded(LOST), *arguments])
    assert json.loads(capsys.readouterr().out)["submission"]["name"] == "cd34"


def test_a_width_of_no_columns_is_one_that_is_not_known(graded, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "0")
    cli.main([graded(LOST)])
    assert "95 of 100 points" in capsys.readouterr().out


def test_a_closed_standard_output_is_no_fault():
    """As under cron; a process of its own, since the tests have one."""
    code = (
        "from grader import cli; from grader.commands import grading; from tests import grades\n"
        "grading.grade_all = lambda given: ([grades.grade()], [])\n"
        "raise SystemExit(cli.main(['tests']))"
    )
    done = subprocess.run(
        ["sh", "-c", 'exec "$0" -c "$1" >&-', sys.executable, code], cwd=ROOT, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_rejected_submission_is_one_line_and_still_a_record(graded, capsys, tmp_path):
    target = tmp_path / "grade.json"
    assert cli.main([graded(grades.rejected(reason="ab12.ipynb: not a notebook")), "--json", str(target)]) == 2
    assert capsys.readouterr() == ("", "ab12.ipynb: not a notebook\n")
    assert json.loads(target.read_text())["status"] == "rejected"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "nothing to grade"),
        (["no/such/file.ipynb"], "no/such/file.ipynb: no such file or folder"),
        ([".", "no-such"], "no-such: no such file or folder"),
        ([".", "--seed", "-1"], "--seed"),
        ([".", "--seed", "1e3"], "a whole number"),
        ([".", "--seed", str(2**32)], "a whole number"),
        ([".", "--train", "maybe"], "--train"),
        ([".", "--fail-under", "nan"], "expected points"),
        ([".", "--nonsense"], "--nonsense"),
        ([".", "--json", "."], "--json needs a file"),
        (["\x1b[31mred"], "\\x1b[31mred"),
        ([".", "--rubric", "no-such.toml"], "no-such.toml: no such rubric"),
        (["--out", "x", "regrade"], "a command comes first: grade.py regrade"),
        (["regrade", "--nonsense"], "grade.py regrade: unrecognized arguments: --nonsense"),
        (["audit", "--all"], "give --mutate as well"),
        (["--audit", "no-such-case"], "no case of the audit has 'no-such-case' in its name"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_one_line_and_exit_status_2(capsys, arguments, line):
    assert cli.main(arguments) == 2
    out, err = capsys.readouterr()
    assert line in err and err.count("\n") == 1 and out == "" and "Traceback" not in err


def test_an_error_of_the_graders_is_one_line(graded, capsys):
    assert cli.main([graded(GraderError("data: no\nspace left"))]) == 2
    assert capsys.readouterr().err == "data: no space left\n"


def test_an_unforeseen_error_says_how_to_see_where_it_came_from(graded, capsys, monkeypatch):
    monkeypatch.delenv(firewall.TRACEBACK_VARIABLE, raising=False)
    assert cli.main([graded(ZeroDivisionError("oops"))]) == 2
    assert (
        capsys.readouterr().err
        == f"the grader itself failed: ZeroDivisionError: oops ({firewall.TRACEBACK_VARIABLE}=1 shows where)\n"
    )


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            sqlite3.OperationalError("database or disk is full"),
            "the gradebook in grades: database or disk is full; make room there",
        ),
        (
            sqlite3.DatabaseError("database disk image is malformed"),
            "is malformed; it is damaged: take a copy from before",
        ),
        (
            sqlite3.OperationalError("disk I/O error"),
            "the gradebook in grades: disk I/O error; look whether a quota, a limit on the size of files or a network",
        ),
        (
            sqlite3.OperationalError("Could not decode to UTF-8 column 'grade' with text '{long'"),
            "in grades: Could not decode to UTF-8 column 'grade'; it is damaged: take a copy from before",
        ),
        (sqlite3.IntegrityError("NOT NULL constraint failed"), "the grader itself failed: IntegrityError"),
        (
            OSError(errno.ENOSPC, "No space left on device", "grades/a.html"),
            "grades/a.html: No space left on device; make",
        ),
    ],
    ids=["full", "damaged", "a quota", "damaged text", "a fault of ours", "a file"],
)
def test_a_full_disk_and_a_damaged_gradebook_are_no_faults_of_the_graders(graded, capsys, error, line):
    assert cli.main([graded(error)]) == 2
    assert line in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--tran", "always"], "did you mean '--train'?"),
        (["--rubric", ""], "--rubric: expected a file or a folder, got an empty text"),
        (["--resources", "MEMORY=3"], "give --scheduler as well"),
        (["--json", "-", "--format", "md"], "md and json: only one of them can go to standard output"),
    ],
    ids=["an option misspelt", "an empty path", "no cluster", "two for standard output"],
)
def test_what_was_meant_is_said_before_anything_is_graded(graded, capsys, arguments, line):
    assert cli.main([graded(RuntimeError("graded")), *arguments]) == 2
    assert line in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "line"),
    [([""], "expected a file or a folder, got an empty text"), (["--only", "vit.model", "x"], "put it before --only")],
    ids=["an empty name", "swallowed by --only"],
)
def test_what_names_no_submission_is_said(capsys, arguments, line):
    assert cli.main(arguments) == 2
    assert line in capsys.readouterr().err


def test_pages_that_cannot_be_written_are_said_before_anything_is_graded(tmp_path, capsys):
    (tmp_path / "file").touch()
    assert cli.main([str(tmp_path), "--html", "--out", str(tmp_path / "file" / "pages")]) == 2
    assert "cannot be written: Not a directory" in capsys.readouterr().err


def test_help_is_a_word_as_well(capsys):
    with pytest.raises(SystemExit):
        cli.main(["help", "regrade"])
    assert "grade.py regrade" in capsys.readouterr().out


def test_a_number_that_is_no_share_is_refused(capsys):
    assert cli.main(["similar", "--least", "90"]) == 2
    assert "--least: expected a number from 0 to 1, got '90'" in capsys.readouterr().err


def test_who_is_under_the_wanted_score_is_named(graded, capsys):
    assert cli.main([graded(LOST), "--fail-under", "96"]) == 1
    assert capsys.readouterr().err == "under --fail-under 96: cd34 (95)\n"


def test_an_interrupt_is_one_line_and_exit_status_130(graded, capsys):
    assert cli.main([graded(KeyboardInterrupt())]) == 130
    assert capsys.readouterr().err == "interrupted; nothing was written\n"


LOST_IN_AN_IMPORT = """
try:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.1)
except BaseException:
    pass
"""
RAISED_WHILE_A_CLASS_IS_MADE = """
class Interrupting:
    def __set_name__(self, owner, name):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.1)
class Record:
    field = Interrupting()
"""


@pytest.mark.parametrize("module", [LOST_IN_AN_IMPORT, RAISED_WHILE_A_CLASS_IS_MADE], ids=["cleared", "wrapped"])
def test_an_interrupt_while_the_assignment_is_imported_is_one(tmp_path, module):
    found = "from grader.assignments.adder.assignment import ADDER"
    (tmp_path / "assignment.py").write_text(f"import os, signal, time\n{module}\n{found}\n")
    ended = run("grade.py", "reference", "--assignment", tmp_path)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "interrupted; nothing was written\n")


def test_an_import_that_never_ends_is_interrupted(tmp_path):
    endless = "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(60)\n"
    (tmp_path / "assignment.py").write_text(endless)
    ended = run("grade.py", "reference", "--assignment", tmp_path)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "interrupted; nothing was written\n")


def test_an_interrupt_before_the_command_line_is_imported_is_one():
    code = """if True:
        import runpy, sys
        class Interrupting:
            def find_spec(self, name, path=None, target=None):
                if name == "grader.cli":
                    raise KeyboardInterrupt
        sys.meta_path.insert(0, Interrupting())
        runpy.run_path("grade.py", run_name="__main__")
    """
    ended = run("-c", code)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "interrupted; nothing was written\n")


def run(*arguments, **options):
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=100, cwd=ROOT, check=False, **options
    )


def test_help_needs_no_torch():
    code = """if True:
        import sys
        from grader import cli
        from grader.commands import COMMANDS
        for command in COMMANDS:
            cli.parser(command).format_help()
            print(command, *{"torch", "rich"} & {*sys.modules})
    """
    assert run("-c", code).stdout.split() == list(COMMANDS)


def test_commands_about_a_gradebook_start_without_what_judging_takes():
    code = """if True:
        import sys
        from grader import cli
        for command in ("regrade", "export", "log", "adjust"):
            cli.parser(command).format_help()
            print(command, *{"numpy", "grader.evidence", "grader.pipeline", "grader.gradebook.packing"} & {*sys.modules})
    """
    assert run("-c", code).stdout.split() == ["regrade", "export", "log", "adjust"]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_has_a_description_and_says_in_help_what_each_option_does(command):
    parser = cli.parser(command)
    assert len(parser.description) > 30
    assert all(action.help for action in parser._actions)


def test_help_lists_every_command():
    listed = cli.parser("grade").format_help()
    assert all(f"\n  {name} " in listed and words in listed for name, (_, words) in COMMANDS.items())


@pytest.mark.parametrize(
    ("arguments", "command", "rest"),
    [
        ([], "grade", []),
        (["ab12.zip", "--seed", "3"], "grade", ["ab12.zip", "--seed", "3"]),
        (["grade", "ab12.zip"], "grade", ["ab12.zip"]),
        (["regrade", "--out", "x"], "regrade", ["--out", "x"]),
        (["./regrade"], "grade", ["./regrade"]),
        (["--audit"], "audit", []),
        (["--audit", "mask"], "audit", ["mask"]),
        (["--audit=mask", "--out", "x"], "audit", ["mask", "--out", "x"]),
        (["--rubric", "r.toml", "--audit", "--mutate", "vit_model", "--all"], "audit",
         ["--rubric", "r.toml", "--mutate", "vit_model", "--all"]),
        (["audit", "--mutate"], "audit", ["--mutate"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)  # fmt: skip
def test_the_first_word_says_which_command_is_meant(arguments, command, rest):
    assert cli.chosen(arguments) == (command, rest)


@pytest.mark.parametrize(("word", "meant"), [("regarde", "regrade"), ("exprot", "export"), ("simular", "similar")])
def test_a_misspelt_command_says_what_was_meant(capsys, word, meant):
    assert cli.main([word, "--out", "x"]) == 2
    assert capsys.readouterr().err == f"{word}: no such command, file or folder, did you mean {meant!r}?\n"


def test_a_folder_called_like_a_command_is_graded_with_its_path_and_a_clash_is_said(
    tmp_path, monkeypatch, capsys, graded
):
    graded(grades.grade())
    monkeypatch.chdir(tmp_path)
    (tmp_path / "export").mkdir()
    assert cli.main(["./export"]) == 0
    assert capsys.readouterr().err == ""
    assert cli.main(["export", "junit", "--out", "none"]) == 2
    assert capsys.readouterr().err.startswith("export: taken as the command; what lies there is graded as ./export\n")


def test_a_folder_that_resembles_a_command_is_graded(tmp_path, monkeypatch, graded):
    graded(grades.grade())
    monkeypatch.chdir(tmp_path)
    (tmp_path / "exports").mkdir()
    assert cli.main(["exports"]) == 0


def test_help_answers_at_once():
    """In 0.1 s on a quiet machine, since no library that takes long is imported."""
    told = run("-X", "importtime", "grade.py", "--help")
    assert told.returncode == 0
    imported = {line.rpartition("|")[2].strip() for line in told.stderr.splitlines()}
    assert "argparse" in imported and not imported & {"torch", "numpy", "rich", "msgspec", "nbformat"}


@pytest.mark.parametrize("start", [["grade.py"], ["-m", "grader"]], ids=["grade.py", "python -m grader"])
def test_the_version_is_the_projects(start):
    assert run(*start, "--version").stdout.startswith("vit-grade 0.")


def test_no_idle_thread_spins_in_the_trusted_process():
    """BLAS's own threads took as much CPU time as all judging, while they waited for work."""
    code = """if True:
        import os, time
        from grader import cli
        import numpy as np
        for _ in range(20):
            np.ones((500, 500)) @ np.ones((500, 500))
            time.sleep(0.02)
        print(os.environ["OMP_WAIT_POLICY"], time.process_time() - time.thread_time())
    """
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "OPENBLAS_"))}
    policy, seconds = run("-c", code, env=bare).stdout.split()
    assert policy == "PASSIVE" and float(seconds) < 0.05


def test_nor_is_one_of_any_other_command():
    command = f"{sys.executable} grade.py explain | true"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.stderr == ""


def test_a_reader_who_has_seen_enough_is_no_error():
    code = (
        "import sys; from grader.commands import grading; from grader.exports.result import of_grade; "
        "from tests import grades; grading.report([of_grade(grades.grade())] * 2000, [])"
    )
    pipe = subprocess.run(
        f"{sys.executable} -c '{code}' | head -1", shell=True, capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert pipe.stderr == "" and "Submission" in pipe.stdout
