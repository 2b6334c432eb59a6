"""Pairs of changes: what both of them lose alone must be lost by the two together, unless they cancel each other."""

import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from grader.mutation.hunt import Hunter, Mutant, both

Told = Callable[["MutantPair"], None]


@dataclass(frozen=True)
class MutantPair:
    """Two changes of one function.

    Attributes:
        one: a mutant.
        two: another one of the same function.
        kept: the criteria that each of them loses alone, and the two together do not.
    """

    one: Mutant
    two: Mutant
    kept: tuple[str, ...]

    @property
    def function(self) -> str:
        """Qualified names of the two functions that are changed."""
        return " + ".join(dict.fromkeys(mutant.mutation.function for mutant in (self.one, self.two)))

    @property
    def change(self) -> tuple[str, str]:
        """The lines that both take away, and those that both bring: what an entry names."""
        changes = [mutant.mutation.changed() for mutant in (self.one, self.two)]
        old, new = ("\n".join(filter(None, texts)) for texts in zip(*changes, strict=True))
        return old, new


def drawn(mutants: Sequence[Mutant], count: int, seed: int) -> list[tuple[Mutant, Mutant]]:
    """Pairs by chance, the same for the same seed, of changes in different lines of one definition."""
    groups: dict[tuple[str, str], list[Mutant]] = {}
    for mutant in mutants:
        groups.setdefault((mutant.where, mutant.mutation.owner), []).append(mutant)
    possible = [group for group in groups.values() if len(group) > 1]
    generator, found = random.Random(seed), dict[frozenset[int], tuple[Mutant, Mutant]]()
    for _ in range(20 * count if possible else 0):
        if len(found) == count:
            break
        (group,) = generator.choices(possible, [len(each) for each in possible])
        one, two = generator.sample(group, 2)
        if both(one.source.text, one.mutation.text, two.mutation.text) is not None:
            found[frozenset((id(one), id(two)))] = (one, two)
    return list(found.values())


def graded(hunter: Hunter, chosen: Sequence[tuple[Mutant, Mutant]], jobs: int, told: Told) -> list[MutantPair]:
    """Grade pairs, and each change of theirs alone, by the criteria that need what is changed."""
    known: dict[int, frozenset[str]] = {}

    def alone(mutant: Mutant) -> frozenset[str]:
        if id(mutant) not in known:
            known[id(mutant)] = frozenset(_lost(hunter, [mutant]))
        return known[id(mutant)]

    def one(pair: tuple[Mutant, Mutant]) -> MutantPair:
        lost = alone(pair[0]) & alone(pair[1])
        kept = lost - frozenset(_lost(hunter, list(pair))) if lost else lost
        return MutantPair(*pair, tuple(sorted(kept)))

    results = []
    with ThreadPoolExecutor(jobs) as pool:
        for result in pool.map(one, chosen):
            told(result)
            results.append(result)
    return results


def _lost(hunter: Hunter, mutants: list[Mutant]) -> list[str]:
    return hunter.compared(mutants[0].origin, mutants, hunter.own(mutants[0]))[1]
