"""How a class of the reference's ``vit_model.py`` is written otherwise."""

import ast
import textwrap
from functools import partial

from grader.audit import Case

HEADER = "import math\nfrom functools import partial\nimport torch.nn.functional as F\nfrom torch.nn.init import trunc_normal_\n"


def _classes(new: dict[str, str], reference: bytes) -> bytes:
    """The reference with some classes written another way; what comes before a class goes with it."""
    text = reference.decode()
    lines = text.splitlines(keepends=True)
    for node in reversed(ast.parse(text).body):
        if isinstance(node, ast.ClassDef) and node.name in new:
            lines[node.lineno - 1 : node.end_lineno] = [textwrap.dedent(new[node.name]).strip() + "\n"]
    unknown = [name for name in new if f"class {name}" not in text]
    assert not unknown, unknown
    return (
        "".join(lines).replace("from torch import Tensor, nn\n", f"from torch import Tensor, nn\n{HEADER}", 1).encode()
    )


def variant(ident: str, warns: tuple[str, ...] = (), **new: str) -> Case:
    return Case(f"vit.{ident}", {"vit_model.py": partial(_classes, new)}, warns=warns)
