"""The files that tools and people expect of a repository say what is true of this one."""

import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_the_citation_names_this_version():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert (cited["version"], cited["license"]) == (PROJECT["project"]["version"], PROJECT["project"]["license"])
    assert [author["name"] for author in cited["authors"]] == [
        author["name"] for author in PROJECT["project"]["authors"]
    ]


def test_what_a_commit_is_checked_with_is_part_of_make_check():
    checked = re.search(r"^check:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.M)[1].replace(
        "$(BIN)", ".venv/bin"
    )
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    assert hooks and all(hook["entry"] in checked for hook in hooks)


def test_types_are_told_to_those_who_import_the_package():
    assert (ROOT / "grader" / "py.typed").is_file()
    assert "py.typed" in PROJECT["tool"]["setuptools"]["package-data"]["grader"]


def test_links_of_the_pages_for_contributors_lead_somewhere():
    pages = list((ROOT / ".github").glob("*.md"))
    assert pages
    for page in pages:
        links = re.findall(r"\]\(([^)]+)\)", page.read_text())
        assert links and all((page.parent / link).is_file() for link in links)
