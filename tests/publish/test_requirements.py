"""The file of exact versions with hashes: of the set that is tested, whole, and with no address in it."""

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "requirements.txt").read_text()
PINNED = [
    (Requirement(entry), re.findall(r"--hash=sha256:([0-9a-f]{64})", hashes))
    for entry, hashes in re.findall(r"^(\w[^\\\n]*?) \\\n((?:    .*\n)+)", TEXT, re.MULTILINE)
]
VERSIONS = {canonicalize_name(pinned.name): str(pinned.specifier) for pinned, _ in PINNED}


def test_it_holds_the_versions_of_constraints_txt():
    tested = [Requirement(line) for line in (ROOT / "constraints.txt").read_text().splitlines() if line[0] != "#"]
    named = {canonicalize_name(each.name): str(each.specifier) for each in tested}
    assert {name: VERSIONS.get(name) for name in named} == named  # otherwise: make requirements


def test_it_holds_all_that_the_project_needs_with_each_extra():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [each for those in project["optional-dependencies"].values() for each in those]
    needed = {canonicalize_name(Requirement(each).name) for each in [*project["dependencies"], *extras]}
    assert needed - {"vit-grade"} <= VERSIONS.keys()  # otherwise: make requirements


def test_each_entry_has_hashes_and_there_is_no_address():
    assert len(PINNED) == len(re.findall(r"^\w", TEXT, re.MULTILINE)) > 100
    assert all(hashes for _, hashes in PINNED)
    assert "://" not in TEXT and not re.search(r"^--", TEXT, re.MULTILINE)
