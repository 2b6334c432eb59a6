"""Submissions of a class that are nearly the same, for the instructor's eye; nothing is ever taken off for it.

Code is compared token by token: layout, comments, texts and the names of variables say nothing, and what
stands in the template as well is left out. The measure is rapidfuzz's normalised Indel similarity: twice the
length of the longest common subsequence over the sum of both lengths. Checkpoints are compared by the
checksums of the tensors in them, so that one saved anew is still the same.
"""

import builtins
import io
import keyword
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path

from rapidfuzz import process
from rapidfuzz.distance import Indel

from grader import syntax
from grader.gradebook import packing
from grader.gradebook.basis import assignment_of
from grader.gradebook.reader import GradebookReader
from grader.records import SimilarGroup

KNOWN_NAMES = {*keyword.kwlist, *dir(builtins), "self"}
LEAST = 0.9  # from here on a pair is shown; solutions of one's own have about half in common


@dataclass(frozen=True)
class SimilarPair:
    """Two submissions and how alike they are.

    Attributes:
        what: "code", or the checkpoint's name.
        score: 1 where nothing differs.
    """

    first: str
    second: str
    what: str
    score: float


@dataclass(frozen=True)
class ComparedWork:
    """What is compared of one submission."""

    key: str
    tokens: tuple[str, ...]
    weights: dict[str, frozenset[str]]  # by checkpoint, the checksums of its tensors


def similar(reader: GradebookReader, least: float = LEAST) -> list[SimilarPair]:
    """The pairs of a class that are alike, most alike first."""
    template, works = assignment_of(reader.book).template, []
    for entry in {entry.row.id: entry for entry in reader.entries()}.values():  # a team's is one
        if entry.kept.observations is not None:
            kept, _ = reader.book.observed(entry.kept.observations)
            works.append(
                ComparedWork(entry.row.key, tokens_of(packing.program_of(kept), template), packing.weights_of(kept))
            )
    pairs = [*_codes(works, least), *_checkpoints(works, least)]
    return sorted(pairs, key=lambda pair: (-pair.score, pair.first, pair.second))


def groups(pairs: Iterable[SimilarPair]) -> list[SimilarGroup]:
    """Join pairs into groups, the largest first; what the same submissions have in common is said once."""
    kinds: dict[str, list[SimilarPair]] = {}
    for pair in pairs:
        kinds.setdefault(pair.what, []).append(pair)
    found: dict[tuple[tuple[str, ...], bool], list[tuple[str, float]]] = {}
    for what, those in kinds.items():
        for keys, least in _joined(those):
            found.setdefault((keys, least == 1), []).append((what, least))
    made = [
        SimilarGroup(keys, tuple(what for what, _ in each), min(s for _, s in each))
        for (keys, _), each in found.items()
    ]
    return sorted(made, key=lambda group: (-len(group.keys), -group.least, group.keys))


def _joined(pairs: Sequence[SimilarPair]) -> list[tuple[tuple[str, ...], float]]:
    """The connected components of a graph of pairs, each with the lowest score of its edges."""
    member: dict[str, set[str]] = {}
    for pair in pairs:
        joined = member.get(pair.first, {pair.first}) | member.get(pair.second, {pair.second})
        member.update(dict.fromkeys(joined, joined))
    components = {id(keys): keys for keys in member.values()}.values()
    return [(tuple(sorted(keys)), min(pair.score for pair in pairs if pair.first in keys)) for keys in components]


def _codes(works: Sequence[ComparedWork], least: float) -> Iterator[SimilarPair]:
    min_tokens = 150  # tokens beyond the template; less is too little to tell anything
    works = [work for work in works if len(work.tokens) >= min_tokens]
    letters = {token: _letter(number) for number, token in enumerate({t for work in works for t in work.tokens})}
    texts = ["".join(letters[token] for token in work.tokens) for work in works]
    scores = process.cdist(texts, texts, scorer=Indel.normalized_similarity, score_cutoff=least)
    for (at, first), (beside, second) in combinations(enumerate(works), 2):
        if scores[at, beside] >= least:
            yield SimilarPair(first.key, second.key, "code", float(scores[at, beside]))


def _letter(number: int) -> str:
    """A character for a token; surrogates are none, and after a million all are the same."""
    return chr(min(number + (number >= 0xD000) * 0x0800 + 0x0800, 0x10FFFF))


def _checkpoints(works: Sequence[ComparedWork], least: float) -> Iterator[SimilarPair]:
    for first, second in combinations(works, 2):
        for name in first.weights.keys() & second.weights.keys():
            one, other = first.weights[name], second.weights[name]
            score = len(one & other) / max(1, len(one | other))
            if score >= least:
                yield SimilarPair(first.key, second.key, name, score)


def tokens_of(statements: Sequence[str], template: Path | None = None) -> tuple[str, ...]:
    """The tokens of a program that are its author's; definitions by their names, so that their order says nothing.

    Args:
        statements: the program's.
        template: the folder that everybody began with.
    """
    given = _lines_of(template)
    lines: list[tuple[str, ...]] = []
    for statement in sorted(statements, key=_name):
        lines += [line for line in _lines(statement) if line not in given]
    max_tokens = 20_000  # … of which so many are compared
    return tuple(token for line in lines for token in line)[:max_tokens]


def _name(statement: str) -> str:
    try:
        first = syntax.parse(statement).body[0]
    except (SyntaxError, ValueError, IndexError, RecursionError, MemoryError):
        return ""
    return getattr(first, "name", "")


def _lines(source: str) -> Iterator[tuple[str, ...]]:
    """The lines of a program as tokens, names of variables all the same."""
    line: list[str] = []
    before = ""
    without_meaning = {
        tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER,
    }  # fmt: skip
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.NEWLINE and line:
                yield tuple(line)
                line = []
            if token.type in without_meaning:
                continue
            line.append(_plain(token, before))
            before = token.string
    except (tokenize.TokenError, SyntaxError):  # not to be read to its end
        pass
    if line:
        yield tuple(line)


def _plain(token: tokenize.TokenInfo, before: str) -> str:
    if token.type == tokenize.STRING:
        return '""'
    if token.type == tokenize.NAME and before != "." and token.string not in KNOWN_NAMES:
        return "name"
    return token.string


@cache
def _lines_of(template: Path | None) -> frozenset[tuple[str, ...]]:
    """The lines that everybody was given; none where the template is not there."""
    sources = [path.read_text(encoding="utf-8") for path in sorted(template.glob("*.py"))] if template else []
    return frozenset(line for source in sources for line in _lines(source))
