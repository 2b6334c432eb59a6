"""The blocks that this assignment's course gives, and what its given files hold."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from grader import syntax
from grader.assignments.vit.names import HYPERPARAMETERS
from grader.errors import GraderError
from grader.given import GivenFiles
from grader.given.blocks import BlockRules, GivenBlocks, blocks_of, digest, given_blocks
from grader.given.namespaces import UNREADABLE

SAMPLER, OVER_DATASET, PRECISION, END_OF_EPOCH = JUDGED = (
    "sample_balanced_subset", "get_embeddings_over_dataset", "test_embedding_model", "evaluate_at_end_epoch",
)  # fmt: skip
PROTECTED = (SAMPLER, END_OF_EPOCH)  # students must not change these
CHECK_VIT = "check_vit.py"
RULES = BlockRules(
    names=(*JUDGED, *("train_classification_model", "test_classification_model")),  # judged by no criterion
    trusted=JUDGED,
    students_own=("get_embeddings",),  # it has a criterion of its own
    numbers=HYPERPARAMETERS,
    usual_imports={
        "torch": "torch",
        "nn": "torch.nn",
        "F": "torch.nn.functional",
        "np": "numpy",
        "tqdm": "tqdm",
        "Subset": "torch.utils.data.Subset",
        "DataLoader": "torch.utils.data.DataLoader",
    },
)


@dataclass(frozen=True)
class Given:
    """What the given files hold.

    Attributes:
        check_vit: digest of the text of ``check_vit.py``; "" where there is none.
        check_vit_names: what the given ``check_vit.py`` defines, so that a changed copy of it is recognised.
    """

    blocks: GivenBlocks
    check_vit: str
    check_vit_names: frozenset[str]


def known(files: GivenFiles) -> Given:
    """What the given files hold; read once for all submissions."""
    return _known(files.digest, tuple(sorted(files.texts.items())))


@lru_cache(maxsize=8)
def _known(_: str, files: tuple[tuple[str, str], ...]) -> Given:
    texts = dict(files)
    tree = syntax.parse(texts.get(CHECK_VIT, ""))
    names = frozenset(defined(tree)) - {"main"}
    return Given(given_blocks(texts, RULES), digest(tree) if CHECK_VIT in texts else "", names)


def defined(tree: ast.Module) -> Iterator[str]:
    """The functions, classes and variables that a file defines at its top level."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (target.id for target in targets if isinstance(target, ast.Name))


def check_given(texts: Mapping[str, str], where: str) -> None:
    """Refuse given files that hold nothing of the assignment's, or that cannot be read.

    Raises:
        GraderError: which file, and why.
    """
    found = [name for name in texts if name == CHECK_VIT]
    for name, text in texts.items():
        try:
            found += [block for block, _, _ in blocks_of(name, text, RULES.names)]
        except (*UNREADABLE, KeyError, TypeError, AttributeError) as error:
            raise GraderError(f"{where}: {name} cannot be read: {error}; nothing was graded") from None
    if not found:
        raise GraderError(
            f"{where}: expected {CHECK_VIT}, or .py or .ipynb files that define one of {', '.join(RULES.names)}; "
            "found none of them"
        )
