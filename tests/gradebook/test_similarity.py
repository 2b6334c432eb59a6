"""Copies are found whatever was done to hide them; work of one's own is not; the template is nobody's."""

import ast
import itertools
import json
import re
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from rapidfuzz.distance import Indel

from grader import syntax
from grader.assignments.vit.assignment import VIT
from grader.gradebook import compared, similarity, tokens
from grader.gradebook.compared import ComparedWork, works_of
from grader.gradebook.packing import _checksums
from grader.gradebook.reader import GradebookReader
from grader.gradebook.tokens import tokens_of
from tests import grades
from tests.gradebook.handmade import hand_in

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = [path.read_text() for path in sorted((ROOT / "reference").glob("*.py"))]
OWN = """
class Attention(nn.Module):
    def __init__(self, width, heads, dropout):
        super().__init__()
        self.heads = heads
        self.to_qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Sequential(nn.Linear(width, width), nn.Dropout(dropout))

    def forward(self, tokens):
        b, n, d = tokens.shape
        q, k, v = self.to_qkv(tokens).view(b, n, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        weights = torch.softmax(q @ k.transpose(-2, -1) / (d // self.heads) ** 0.5, dim=-1)
        return self.out((weights @ v).transpose(1, 2).reshape(b, n, d))


class Encoder(nn.Module):
    def __init__(self, width, depth, heads, dropout=0.1):
        super().__init__()
        self.blocks = nn.ModuleList([Attention(width, heads, dropout) for _ in range(depth)])
        self.norms = nn.ModuleList([nn.LayerNorm(width) for _ in range(depth)])

    def forward(self, tokens):
        for norm, block in zip(self.norms, self.blocks):
            tokens = tokens + block(norm(tokens))
        return tokens.mean(dim=1)
"""


def statements(sources):
    """Top-level statements, as intake keeps them."""
    return [part for source in sources for part in re.split(r"\n(?=(?:class|def|@)\b)", source)]


def work(key, sources, weights=()):
    return ComparedWork(
        key,
        tokens_of(statements(sources), VIT.template),
        {"vit_embeds.pt": frozenset(weights)} if weights else {},
    )


def renamed(source):
    return re.sub(r"\b(x|query|ref|distances|features|embeddings|hidden_size)\b", lambda m: m[1] + "_mine", source)


HIDDEN = {
    "layout and comments": lambda sources: [s.replace("    ", "  ").replace("#", "# of mine:") for s in sources],
    "names of variables": lambda sources: [renamed(s) for s in sources],
    "order of definitions": lambda sources: list(reversed(sources)),
    "a line of one's own": lambda sources: [*sources, "def more(x):\n    return x + 1\n"],
}


@pytest.mark.parametrize("hide", HIDDEN.values(), ids=HIDDEN.keys())
def test_a_copy_is_found(hide):
    (pair,) = similarity._codes([work("anna", REFERENCE), work("bela", hide(REFERENCE))], similarity.MIN_SIMILARITY)
    assert (pair.first, pair.second, pair.what) == ("anna", "bela", "code") and pair.score > 0.95


def test_work_of_ones_own_is_not():
    assert not list(similarity._codes([work("anna", REFERENCE), work("bela", [OWN])], 0.6))


def test_what_everybody_was_given_is_nobodys():
    template = [path.read_text() for path in sorted((ROOT / "student").glob("*.py"))]
    assert tokens_of(statements(template), VIT.template) == ()


def test_a_checkpoint_that_was_saved_anew_is_the_same(tmp_path):
    tensors = {f"x/data/{number}": bytes([number]) * 2000 for number in range(9)}
    for name, note in (("a.pt", b"0.81"), ("b.pt", b"0.99")):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for member, content in [*tensors.items(), ("x/data.pkl", note)]:
                archive.writestr(member, content)
    sums = [_checksums(tmp_path / name) for name in ("a.pt", "b.pt")]
    assert sums[0] == sums[1] and len(sums[0]) == 9
    (pair,) = similarity._checkpoints([work("anna", [], sums[0]), work("bela", [], sums[1])], 0.9)
    assert (pair.first, pair.second, pair.what, pair.score) == ("anna", "bela", "vit_embeds.pt", 1.0)


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06", b"no archive"])
def test_a_broken_checkpoint_is_like_none(tmp_path, content):
    (tmp_path / "a.pt").write_bytes(content)
    assert _checksums(tmp_path / "a.pt") == []


def test_a_program_that_cannot_be_read_stops_nothing():
    assert tokens_of(["def f(:\n 'x", "x = (", "\x00", "y = 1"])


def pair(first, second, what="code", score=1.0):
    return similarity.SimilarPair(first, second, what, score)


def test_a_copy_that_went_round_is_one_group():
    names = [f"s{number:02}" for number in range(24)]
    pairs = [pair(a, b, "vit_embeds.pt") for a, b in itertools.combinations(names, 2)]
    (group,) = similarity.groups(pairs)
    assert len(pairs) == 276 and str(group).startswith("these 24 share vit_embeds.pt: s00, s01")


def test_what_the_same_submissions_have_in_common_is_said_once():
    (group,) = similarity.groups([pair("anna", "bela"), pair("anna", "bela", "vit_embeds.pt")])
    assert str(group) == "anna and bela share code and vit_embeds.pt"


def test_groups_of_their_own_stay_apart_the_largest_first():
    found = similarity.groups([pair("e", "f", score=0.91), pair("a", "b"), pair("c", "b", score=0.95)])
    assert [str(group) for group in found] == [
        "these 3 have nearly the same code (0.95 and more): a, b, c",
        "e and f have nearly the same code (0.91)",
    ]


def shuffled(rng, text, edits):
    """A text with some of its letters exchanged for others, dropped or doubled."""
    letters = list(text)
    for _ in range(edits):
        at = rng.integers(len(letters))
        letters[at : at + 1] = rng.choice(list("abcdefgh"), rng.integers(3)).tolist()
    return tuple(letters)


@pytest.mark.parametrize("seed", range(3))
def test_no_pair_of_programs_is_lost_by_leaving_out_those_that_cannot_be_alike(seed):
    rng = np.random.default_rng(seed)
    first = rng.choice(list("abcdefgh"), 200).tolist()
    works = [ComparedWork(f"s{n:02}", shuffled(rng, first, int(rng.integers(60))), {}) for n in range(40)]
    found = {(pair.first, pair.second): pair.score for pair in similarity._codes(works, 0.9)}
    scores = {
        (one.key, other.key): Indel.normalized_similarity(one.tokens, other.tokens)
        for one, other in itertools.combinations(works, 2)
    }
    assert found == pytest.approx({keys: score for keys, score in scores.items() if score >= 0.9})
    assert 0 < len(found) < len(scores)


@pytest.mark.parametrize("least", [0.5, 0.9, 1.0])
def test_no_pair_of_checkpoints_is_lost_either(least):
    rng = np.random.default_rng(0)
    sums = [frozenset(map(str, rng.choice(12, size=rng.integers(8, 12), replace=False))) for _ in range(60)]
    distinct = list(dict.fromkeys(sums))
    works = [ComparedWork(f"s{n:02}", (), {"a.pt": each}) for n, each in enumerate(distinct)]
    pairs = itertools.combinations(works, 2)
    alike = lambda one, other: len(one & other) / len(one | other)  # noqa: E731
    expected = {(a.key, b.key) for a, b in pairs if alike(a.weights["a.pt"], b.weights["a.pt"]) >= least}
    found = [(pair.first, pair.second) for pair in similarity._checkpoints(works, least)]
    assert sorted(found) == sorted(expected)


def test_a_class_that_handed_in_one_program_is_one_group_at_once():
    works = [ComparedWork(f"s{n:04}", ("x",) * 1500, {}) for n in range(2000)]
    (group,) = similarity.groups(similarity._codes(works, 0.9))
    assert len(group.keys) == 2000 and group.least == 1


def test_kept_tokens_are_made_anew_where_any_code_that_makes_them_is_another(tmp_path, monkeypatch):
    code = {tokens: {"grader.syntax"}, syntax: set()}  # and what of this project they import
    for module, known in code.items():
        nodes = [
            node for node in ast.walk(ast.parse(Path(module.__file__).read_text())) if isinstance(node, ast.ImportFrom)
        ]
        imported = {f"{node.module}.{alias.name}" for node in nodes for alias in node.names}
        assert {name for name in imported if name.startswith("grader.")} == known
    before = compared._made_by(VIT.template)
    for module in code:
        changed = tmp_path / Path(module.__file__).name
        changed.write_text(Path(module.__file__).read_text() + "\n")
        with monkeypatch.context() as patch:
            patch.setattr(module, "__file__", str(changed))
            assert compared._made_by(VIT.template) != before
    assert compared._made_by(None) != before == compared._made_by(VIT.template)


def test_tokens_are_made_once_and_again_when_the_template_is_another(tmp_path, monkeypatch):
    pieces = [{"source": each} for each in statements(REFERENCE)]
    kept = json.dumps({"program": {"main": pieces, "modules": {}}, "weights": {"a.pt": ["01-2000"]}}).encode()
    hand_in(tmp_path, "anna", grades.grade("anna"), kept=zlib.compress(kept))
    made = []
    monkeypatch.setattr(compared, "tokens_of", lambda *given: made.append(given) or tokens_of(*given))
    with GradebookReader(tmp_path) as reader:
        first, again = (works_of(reader.book, reader.entries()) for _ in range(2))
        assert first == again and len(made) == 1 and len(first[0].tokens) > 1000
        monkeypatch.setattr(compared, "_made_by", lambda template: "others")
        works_of(reader.book, reader.entries())
        reader.book.db.execute("UPDATE compared SET data = 'damaged'")
        assert works_of(reader.book, reader.entries()) == first and len(made) == 3
