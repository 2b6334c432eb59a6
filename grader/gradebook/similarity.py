"""Submissions of a class that are nearly the same, for the instructor's eye; nothing is ever taken off for it.

Code is compared token by token: layout, comments, texts and the names of variables say nothing, and what
stands in the template as well is left out. The measure is rapidfuzz's normalised Indel similarity: twice the
length of the longest common subsequence over the sum of both lengths. Checkpoints are compared by the
checksums of the tensors in them, so that one saved anew is still the same.

A class of 2,000 has two million pairs, and most need no comparison in full: programs whose tokens, counted without
their order, differ too much cannot be alike, and checkpoints that are alike have one of their rarest tensors in common
(Bayardo et al., Scaling Up All Pairs Similarity Search, 2007, section 4).
"""

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import Indel

from grader.gradebook.compared import ComparedWork, works_of
from grader.gradebook.reader import GradedSubmission
from grader.gradebook.store import Gradebook
from grader.records import SimilarGroup

MIN_SIMILARITY = 0.9  # from here on a pair is shown; solutions of one's own have about half in common
Work = TypeVar("Work", bound=Hashable)


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


def similar(book: Gradebook, entries: Iterable[GradedSubmission], least: float = MIN_SIMILARITY) -> list[SimilarGroup]:
    """The groups of submissions that are alike, the largest first.

    Args:
        entries: the submissions of a class.
        least: how alike, above 0 and up to 1.
    """
    works = works_of(book, entries)
    return groups([*_codes(works, least), *_checkpoints(works, least)])


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
    member = {key: {key} for pair in pairs for key in (pair.first, pair.second)}
    for pair in pairs:
        smaller, larger = sorted((member[pair.first], member[pair.second]), key=len)
        if smaller is not larger:
            larger |= smaller
            member.update(dict.fromkeys(smaller, larger))
    least: dict[int, float] = {}
    for pair in pairs:
        component = id(member[pair.first])
        least[component] = min(pair.score, least.get(component, pair.score))
    components = {id(keys): keys for keys in member.values()}
    return [(tuple(sorted(keys)), least[component]) for component, keys in components.items()]


def _codes(works: Sequence[ComparedWork], least: float) -> Iterator[SimilarPair]:
    """The pairs whose code is alike; of those whose code is the same, each with the first."""
    min_tokens = 150  # tokens beyond the template; less is too little to tell anything
    same = _same((work.key, work.tokens) for work in works if len(work.tokens) >= min_tokens)
    yield from _with_the_first(same, "code")
    letters = {token: _letter(number) for number, token in enumerate({t for tokens in same for t in tokens})}
    texts = {"".join(letters[token] for token in tokens): keys[0] for tokens, keys in same.items()}
    ordered = sorted(texts, key=len)
    counts = _counts(ordered)
    for at, text in enumerate(ordered):
        longer = [ordered[at + 1 + number] for number in _may_be_alike(counts[at], counts[at + 1 :], least)]
        scores = process.cdist([text], longer, scorer=Indel.normalized_similarity, score_cutoff=least, workers=-1)
        for other, score in zip(longer, scores[0], strict=True):
            if score >= least:
                yield _pair(texts[text], texts[other], "code", float(score))


def _same(works: Iterable[tuple[str, Work]]) -> dict[Work, list[str]]:
    """The keys of those whose work is the same."""
    found: dict[Work, list[str]] = {}
    for key, work in works:
        found.setdefault(work, []).append(key)
    return found


def _with_the_first(same: Mapping[Work, Sequence[str]], what: str) -> Iterator[SimilarPair]:
    for keys in same.values():
        yield from (_pair(keys[0], key, what, 1.0) for key in keys[1:])


def _pair(one: str, other: str, what: str, score: float) -> SimilarPair:
    return SimilarPair(min(one, other), max(one, other), what, score)


def _letter(number: int) -> str:
    """A character for a token; surrogates are none, and after a million all are the same."""
    return chr(min(number + (number >= 0xD000) * 0x0800 + 0x0800, 0x10FFFF))


def _counts(texts: Sequence[str]) -> np.ndarray:
    """(N, 256) how often each letter is in each text; letters with the same last byte are counted as one."""
    counts = np.zeros((len(texts), 256), np.int16)
    for row, text in zip(counts, texts, strict=True):
        row[:] = np.bincount(np.frombuffer(text.encode("utf-32-le"), np.uint32) % 256, minlength=256)
    return counts


def _may_be_alike(text: np.ndarray, longer: np.ndarray, least: float) -> np.ndarray:
    """Which texts may be alike to one; of the others it is certain that they are not.

    Letters that one of two texts has more often than the other are in no common subsequence. So the similarity is at
    most 1 less the share of these letters in both texts.

    Args:
        text: (256) counts of its letters.
        longer: (N, 256) those of texts that are not shorter, the shortest first.
    """
    rounding = 1.0  # letters: what lies at the bound is compared in full
    own, lengths = int(text.sum(dtype=np.int64)), longer.sum(axis=1, dtype=np.int64)
    near = int(np.searchsorted(lengths, (own * (2 - least) + rounding) / least, side="right"))
    differing = np.abs(longer[:near] - text).sum(axis=1, dtype=np.int64)
    return np.flatnonzero(differing <= (1 - least) * (own + lengths[:near]) + rounding)


def _checkpoints(works: Sequence[ComparedWork], least: float) -> Iterator[SimilarPair]:
    """The pairs of checkpoints of a name whose tensors are alike; of those that are the same, each with the first."""
    for name in sorted({name for work in works for name in work.weights}):
        same = _same((work.key, work.weights[name]) for work in works if name in work.weights)
        yield from _with_the_first(same, name)
        for one, other in _sharing_a_rare_one(list(same), least):
            score = len(one & other) / len(one | other)
            if score >= least:
                yield _pair(same[one][0], same[other][0], name, score)


def _sharing_a_rare_one(
    sets: Sequence[frozenset[str]], least: float
) -> Iterator[tuple[frozenset[str], frozenset[str]]]:
    """The pairs of sets that may be alike: those that share one of their rarest elements.

    Sets that are alike by ``least`` share at least that part of each of them, so one of what is left and one more.
    """
    often = Counter(element for each in sets for element in each)
    holders: dict[str, list[int]] = {}  # by element, the sets so far that have it among their rarest
    for at, each in enumerate(sets):
        shared = math.ceil(least * len(each) - 1e-9)
        rarest = sorted(each, key=lambda element: (often[element], element))[: len(each) - shared + 1]
        for other in sorted({holder for element in rarest for holder in holders.get(element, ())}):
            yield sets[other], each
        for element in rarest:
            holders.setdefault(element, []).append(at)
