"""Every fault in part 2 costs its own criteria and says why; every correct variant costs nothing."""

from pathlib import Path

import pytest

from grader.vit.model import block, heads, patches, positions, shapes, whole
from tests.corpus.case import Case

REFERENCE = Path(__file__).resolve().parents[2] / "reference" / "vit_model.py"
TOPICS = [shapes, patches, positions, block, heads, whole]
# Students' code may warn (nn.TransformerEncoder about nested tensors); that is no fault of it or of ours.
pytestmark = pytest.mark.filterwarnings("ignore")


def source_of(case: Case) -> str:
    """The text of ``vit_model.py`` after the case's edits."""
    edit, text = case.edits["vit_model.py"], REFERENCE.read_text(encoding="utf-8")
    if callable(edit):
        return edit(text.encode()).decode()
    for old, new in edit:
        assert text.count(old) == 1, f"{old!r} stands in the reference {text.count(old)} times"
        text = text.replace(old, new)
    return text
