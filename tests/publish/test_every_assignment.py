"""Every assignment that is installed can be handed out and packed, and nothing of its solution is among it."""

import pytest

from grader import finding
from grader.publish import package, release


@pytest.mark.parametrize("name", sorted(finding.names()))
def test_a_release_of_it_has_its_template_its_suites_and_its_readme(name, tmp_path):
    assignment = finding.find(name)
    files = release.release(tmp_path / "out", lambda: None, assignment=assignment)
    suites = {f"tests/student/part{part}.md" for part in assignment.parts}
    assert {"README.md", f"grader/assignments/{name}/rubric.toml", *suites} <= set(files)
    assert {f"student/{module}.py" for module in assignment.modules} <= set(files)
    others = {file.split("/")[2] for file in files if file.startswith("grader/assignments/")} - {"__init__.py"}
    assert others == {name}


@pytest.mark.parametrize("name", sorted(finding.names()))
def test_a_package_of_it_grades_it_where_nothing_else_is_said(name, tmp_path):
    package.source(tmp_path / "source", assignment=finding.find(name))
    settings = (tmp_path / "source" / "grader" / finding.SETTINGS.name).read_text()
    assert f'default_assignment = "{name}"' in settings
    assert not [*tmp_path.glob("source/grader/assignments/*/reference"), *tmp_path.glob("source/**/*.pt")]
