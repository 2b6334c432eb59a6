"""The members of an archive as they are checked, one after the other."""

from collections.abc import Callable

from .limits import MB, IntakeLimits
from .members import Member, check_clashes, is_ignored, is_needed, safe_name, slashed, without_clashes
from .refusal import RefusalError

Checked = Callable[[str], Member | None]  # takes the safe name; None for a folder


class Listing:
    """Checked members; in the archive of a class, one that is refused is its owner's alone.

    Attributes:
        members: what passed.
        folders: their names.
        refused: in the archive of a class, why, by name with forward slashes.
    """

    def __init__(self, limits: IntakeLimits, *, of_class: bool = False) -> None:
        self.limits, self.of_class = limits, of_class
        self.members: list[Member] = []
        self.folders: list[str] = []
        self.refused: dict[str, str] = {}
        self.entries = self.added = 0

    def looks_at(self, name: str) -> bool:
        """Count an entry, and tell whether it matters: what is ignored can never reject a submission."""
        self.entries += 1
        if self.entries > self.limits.entries:
            raise RefusalError(f"has more than {self.limits.entries} members")
        return not is_ignored(name)

    def add(self, raw: str, check: Checked) -> None:
        """Check one member, by its name and then by ``check``."""
        self.added += 1
        if self.added > self.limits.members:
            raise RefusalError(f"has more than {self.limits.members} members")
        try:
            name = safe_name(raw, self.limits)
            member = check(name)
        except RefusalError as error:
            if not self.of_class:
                raise
            self.refused[slashed(raw)] = str(error)
        else:
            self.folders += [name] if member is None else []
            self.members += [] if member is None else [member]

    def checked(self, packed: int) -> list[Member]:
        """Return the members after the checks of all of them together."""
        check_sizes(self.members, packed, self.limits)
        check_clashes([member.name for member in self.members if is_needed(member.name)], self.folders)
        return without_clashes(self.members)

    def checked_by_owner(self, packed: int) -> list[Member]:
        """Return the members after the checks of each owner's; the rest of an owner who is refused goes with it."""
        passed: list[Member] = []
        for members in by_owner(self.members).values():
            try:
                check_owner(members, IntakeLimits())
                passed += without_clashes(members)
            except RefusalError as error:
                self.refused.update((member.name, str(error)) for member in members)
        check_sizes(passed, packed, self.limits)
        return passed


def check_sizes(members: list[Member], packed: int, limits: IntakeLimits) -> None:
    total = sum(member.size for member in members)
    if total > limits.unpacked:
        raise RefusalError(f"unpacks to {total // MB} MB, more than {limits.unpacked // MB} MB")
    if total > limits.ratio_from and total > limits.ratio * packed:
        raise RefusalError(f"unpacks to {total // packed} times its size, more than {limits.ratio:.0f} times")


def by_owner(members: list[Member]) -> dict[str, list[Member]]:
    """Arrange the members of a class by whose they are: by the first folder that not all of them share."""
    shared = 0
    while members and len({tuple(m.name.split("/")[: shared + 1]) for m in members}) == 1:
        if any(m.name.count("/") <= shared for m in members):
            break
        shared += 1
    owners: dict[str, list[Member]] = {}
    for member in members:
        owners.setdefault("/".join(member.name.split("/")[: shared + 1]), []).append(member)
    return owners


def check_owner(members: list[Member], limits: IntakeLimits) -> None:
    """Refuse one student's files where an archive of them alone would be refused."""
    if len(members) > limits.members:
        raise RefusalError(f"has more than {limits.members} members")
    sizes = [member.packed for member in members if member.packed is not None]
    check_sizes(members, max(1, sum(sizes)) if sizes else limits.unpacked, limits)
