"""The workflows: linted, and their grading steps run as they are written."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from grader.publish import package
from tests.publish import running, submissions

pytestmark = pytest.mark.timeout(900)  # an environment is made, and the grader is started several times
ROOT = Path(__file__).resolve().parents[2]
GITHUB = ROOT / "docs" / "ci" / "github" / "grade.yml"
GITLAB = ROOT / "docs" / "ci" / "gitlab" / ".gitlab-ci.yml"
OWN = ROOT / ".github" / "workflows" / "test.yml"


@pytest.mark.parametrize("path", [GITHUB, OWN], ids=lambda path: path.name)
def test_zizmor_finds_no_hole(path):
    zizmor = Path(sys.executable).parent / "zizmor"
    done = subprocess.run(
        [zizmor, "--offline", "--persona", "auditor", path], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("path", "schema"), [(GITHUB, "github-workflows"), (OWN, "github-workflows"), (GITLAB, "gitlab-ci")], ids=str
)
def test_they_have_the_form_that_their_readers_ask_for(path, schema):
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", [GITHUB, OWN], ids=lambda path: path.name)
def test_actions_are_pinned_and_nothing_secret_is_near_student_code(path):
    text = path.read_text()
    uses = re.findall(r"uses: (\S+)(.*)", text)
    assert uses and all(re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", name) for name, _ in uses)
    assert all(re.fullmatch(r" # v[\d.]+", version) for _, version in uses)
    assert "secrets" not in re.sub(r"#.*|import secrets; print\(secrets", "", text)
    assert "pull_request_target" not in text
    jobs = yaml.safe_load(text)["jobs"].values()
    assert all(job["permissions"] == {"contents": "read"} for job in jobs)


def test_a_push_alone_starts_the_grading():
    workflow = yaml.safe_load(GITHUB.read_text())
    assert workflow[True] == "push"  # YAML's reading of "on"
    assert workflow["permissions"] == {}


def step(name):
    (job,) = yaml.safe_load(GITHUB.read_text())["jobs"].values()
    return next(step for step in job["steps"] if step["name"] == name)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The course's folder installed as the workflow's own step does it; the environment's programs."""
    workspace = tmp_path_factory.mktemp("workspace")
    package.source(workspace / "course")
    programs = running.environment(tmp_path_factory.mktemp("installed") / "env") / "bin"
    running.run(["bash", "-e", "-c", step("Install")["run"]], workspace, PATH=f"{programs}:{os.environ['PATH']}")
    return programs


def test_githubs_step_gives_the_scores_of_the_command_line(installed, folders, expected, tmp_path):
    script = step("Grade")["run"]

    def ask(folder):
        workspace = tmp_path / folder.name
        (workspace / "temp").mkdir(parents=True)
        shutil.copytree(folder, workspace / "submission" / "student")
        done = running.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script], workspace, FAIL_UNDER="0",
            PATH=f"{installed}:{os.environ['PATH']}", RUNNER_TEMP=str(workspace / "temp"),
            GITHUB_STEP_SUMMARY=str(workspace / "summary.md"),
        )  # fmt: skip
        said(done.stdout, folder.name)
        assert folder.name == "right" or (workspace / "summary.md").stat().st_size > 100
        grades = workspace / "temp" / "grades"
        assert list(grades.glob("*.html")) and (grades / "junit.xml").exists()
        return json.loads((grades / "grade.json").read_text())["score"]

    assert submissions.each(folders, ask) == expected


def said(output, name):
    """No command of the submission's is obeyed, and places are the repository's."""
    lines = output.splitlines()
    token = lines[0].removeprefix("::stop-commands::")
    after = lines[lines.index(f"::{token}::") + 1 :]
    assert not any("forged" in line or "add-mask" in line for line in after)
    if name == "hostile":
        assert any(re.match(r"::error file=student/vit_model\.py,line=\d+,", line) for line in after), after


def test_a_score_under_the_bar_fails_the_step(installed, folders, tmp_path):
    shutil.copytree(folders[0].parent / "template", tmp_path / "submission" / "student")
    (tmp_path / "temp").mkdir()
    with pytest.raises(AssertionError):
        running.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step("Grade")["run"]], tmp_path, FAIL_UNDER="5",
            PATH=f"{installed}:{os.environ['PATH']}", RUNNER_TEMP=str(tmp_path / "temp"),
            GITHUB_STEP_SUMMARY=str(tmp_path / "summary.md"),
        )  # fmt: skip
    assert (tmp_path / "summary.md").exists()


def test_gitlabs_script_gives_the_scores_of_the_command_line(installed, folders, expected, tmp_path):
    (script,) = yaml.safe_load(GITLAB.read_text())["grade"]["script"]

    def ask(folder):
        project = tmp_path / folder.name
        shutil.copytree(folder, project / "student")
        (project / "grades").symlink_to(tmp_path)  # a push may hold anything under that name
        path = f"{installed}:{os.environ['PATH']}"
        running.run(["bash", "-eo", "pipefail", "-c", script], project, CI_PROJECT_DIR=str(project), PATH=path)
        assert (project / "grades" / "junit.xml").exists() and not (project / "grades").is_symlink()
        return json.loads((project / "grades" / "grade.json").read_text())["score"]

    assert submissions.each(folders, ask) == expected
