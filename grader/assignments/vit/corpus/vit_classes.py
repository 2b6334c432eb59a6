"""How a class of the reference's ``vit_model.py`` is written otherwise."""

from functools import partial

from grader.audit import Case, with_classes

IMPORTS = """import math
from functools import partial
import torch.nn.functional as F
from torch.nn.init import trunc_normal_
"""


def variant(ident: str, warns: tuple[str, ...] = (), **new: str) -> Case:
    return Case(f"vit.{ident}", {"vit_model.py": partial(with_classes, new, IMPORTS)}, warns=warns)
