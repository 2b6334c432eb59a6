"""The known gaps are told in the documentation, each in the words of the code."""

import pytest

from .gaps import GAPS
from .targets import PROJECT


@pytest.mark.parametrize("name", GAPS)
def test_a_gap_is_told_in_the_threat_model(name: str) -> None:
    told = " ".join((PROJECT / "docs/threat-model.md").read_text().split())
    assert f"**{name[0].upper()}{name[1:]}.** {GAPS[name]}" in told


def test_the_threat_model_tells_no_other_gap() -> None:
    told = (PROJECT / "docs/threat-model.md").read_text().partition("## What is not stopped")[2]
    assert told.count("\n- **") == len(GAPS)
