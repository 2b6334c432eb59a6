"""A case of the corpus: the reference, edited, and what the edit must cost."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Case:
    """An edit of the reference.

    Args:
        id: "application.knn_farthest".
        edits: by file name: a new whole text (str or bytes), a list of (old, new) replacements in the
            reference's text, None to delete the file, or a function of the reference's bytes that
            gives new bytes.
        costs: criteria that lose points; empty for a correct variant.
        word: a key word that the message or hint of a criterion in ``costs`` must hold.
        warns: warning codes that must be there.
        switches: of the rubric, where they are not as it has them: {"strict": True}.
    """

    id: str
    edits: dict[str, Any] = field(hash=False)
    costs: tuple[str, ...] = ()
    word: str = ""
    warns: tuple[str, ...] = ()
    switches: dict[str, bool] = field(default_factory=dict, hash=False)
