"""Every command in the documentation is run, or says why not; walkthroughs print what stands in them."""

import ast
import re
import shutil
from pathlib import Path

import pytest

from tests.docs.blocks import Shell, blocks, differs
from tests.docs.places import PLACES, ROOT

pytestmark = pytest.mark.timeout(900)  # some documents start the grader several times
DOCUMENTS = sorted(path.relative_to(ROOT).as_posix() for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
RUN = [name for name in DOCUMENTS if any(not block.reason for block in blocks((ROOT / name).read_text()))]


def test_every_document_with_commands_says_where_its_reader_stands():
    assert set(RUN) <= set(PLACES)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_fences_that_look_like_commands_are_found(name):
    text = (ROOT / name).read_text()
    assert text.count("\n```") % 2 == 0
    assert "```bash" not in text and "```shell" not in text  # "sh" and "console" are run


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_command_that_is_not_run_has_a_reason(name):
    reasons = [block.reason for block in blocks((ROOT / name).read_text()) if block.reason]
    assert all(len(reason.split()) >= 4 for reason in reasons)


@pytest.mark.timeout(600)  # many commands, on a machine that may be busy
@pytest.mark.parametrize("name", RUN)
def test_the_commands_do_what_stands_there(name, tmp_path):
    shell = Shell(PLACES[name](tmp_path))
    found = [block for block in blocks((ROOT / name).read_text()) if not block.reason]
    assert any(block.steps for block in found), "no command is run"
    for block in found:
        for step in block.steps:
            status, printed = shell.run(step.command)
            if block.kind == "sh" and not block.may_fail:
                assert status == 0, f"{step.command}\n{printed}"
            assert "Traceback" not in printed and "INTERNALERROR" not in printed, printed
            assert not (line := differs(step.shown, printed)), f"{step.command}: no line {line!r} in\n{printed}"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_python_in_it_is_python(name):
    for code in re.findall(r"```python\n(.*?)```", (ROOT / name).read_text(), re.DOTALL):
        ast.parse(code)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name):

    text = (ROOT / name).read_text()
    headings = {
        re.sub(r"[^\w -]", "", h).strip().lower().replace(" ", "-") for h in re.findall(r"^#+ (.+)$", text, re.M)
    }
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("#"):
            assert target[1:] in headings, target
        elif "://" not in target:
            assert (ROOT / name).parent.joinpath(target.partition("#")[0]).exists(), target


def test_what_is_printed_may_differ_in_numbers_and_nothing_else():
    assert not differs(["3 passed in 2.10s", "…"], "noise\n4 passed in 0.33s\n")
    assert differs(["3 passed"], "3 failed") == "3 passed"
    assert differs(["b", "a"], "a\nb") == "a"  # in another order


def test_the_students_readme_is_the_released_one(tmp_path):
    shutil.copyfile(ROOT / "docs" / "student.md", tmp_path / "README.md")
    assert (PLACES["docs/student.md"](tmp_path) / "README.md").read_text() == Path(tmp_path, "README.md").read_text()
