"""The tiers: which layers of confinement go together, strongest first, and what each means in words."""

import os
from collections.abc import Callable
from dataclasses import dataclass

from grader.errors import GraderError
from grader.sandbox.inside.plan import Limits


@dataclass(frozen=True)
class Tier:
    """A set of layers that one kind of host offers."""

    name: str
    host: str  # where it is the best there is
    layers: tuple[str, ...]
    root: bool | None  # whether it needs user 0, needs another, or takes both


TOO_LITTLE = (
    Tier("T5a", "namespaces without Landlock", ("namespaces", "uid", "capabilities", "seccomp", "cgroup"), True),
    Tier("T5b", "no Landlock", ("capabilities", "seccomp", "cgroup"), None),
    Tier("T5", "nothing", ("capabilities",), None),
)


def candidates(unconfined: bool, name: str | None) -> list[Tier]:
    """The tiers to try on this host, strongest first; ``name`` leaves that one only."""
    known_tiers = (
        Tier("T1", "root", ("namespaces", "uid", "capabilities", "landlock", "seccomp", "cgroup"), True),
        Tier("T3", "user namespaces", ("namespaces", "user namespace", "capabilities", "landlock", "seccomp"), None),
        Tier("T2", "root in a container", ("uid", "capabilities", "landlock", "seccomp", "cgroup"), True),
        Tier("T2b", "root without rights", ("capabilities", "landlock", "seccomp", "cgroup"), True),
        Tier("T4", "ordinary user", ("capabilities", "landlock", "seccomp"), False),
    )
    tiers = [*known_tiers, *(TOO_LITTLE if unconfined else ())]
    if name is not None:
        return [tier for tier in (*known_tiers, *TOO_LITTLE) if tier.name == name]
    return [tier for tier in tiers if tier.root is None or tier.root == (os.geteuid() == 0)]


def choose(unconfined: bool, name: str | None, findings: Callable[[Tier], list[str]]) -> Tier:
    """The strongest tier whose self-test finds nothing.

    Args:
        unconfined: whether a tier that enforces too little may be taken when no other works.
        name: the only tier to try.
        findings: the self-test.

    Raises:
        GraderError: none will do.
    """
    reasons = []
    for tier in candidates(unconfined, name):
        found = findings(tier)
        if not found or (tier in TOO_LITTLE and not any(each.startswith("could not") for each in found)):
            return tier
        reasons.append(f"{tier.name}: {', '.join(found)}")
    raise GraderError(
        f"student code cannot be confined on this system ({'; '.join(reasons)}); "
        "--unconfined runs it all the same, with your account's rights"
    )


def words(tier: Tier, limits: Limits) -> dict[str, str]:
    """The ``sandbox`` object of a grade."""
    return {
        "tier": f"{tier.name} ({tier.host})",
        **enforced_by(tier.layers),
        "limits": f"{limits.memory / (1 << 30):.1f} GiB of memory, {limits.scratch_bytes >> 20} MiB in "
        f"{limits.scratch_files} files, {limits.threads} threads, {limits.descriptors} descriptors, "
        "time of every request",
    }


def enforced_by(layers: tuple[str, ...]) -> dict[str, str]:
    """What layers of confinement enforce, in words."""
    return {"filesystem": _filesystem(layers), "network": _network(layers), "syscalls": _syscalls(layers)}


def _filesystem(layers: tuple[str, ...]) -> str:
    seen = "libraries and this submission's files are readable, a scratch folder is writable"
    if "namespaces" in layers:
        landlock = " and Landlock" if "landlock" in layers else ""
        return f"{seen}, nothing else is there (a root of its own{landlock})"
    if "landlock" in layers:
        return f"{seen}, nothing else (Landlock); names, sizes and times of other files can be seen"
    return "not enforced: files of the account that grades can be read and written"


def _network(layers: tuple[str, ...]) -> str:
    means = [
        *(["a network namespace without interfaces"] if "namespaces" in layers else []),
        *(["no sockets can be made (seccomp)"] if "seccomp" in layers else []),
    ]
    return "none: " + ", ".join(means) if means else "not enforced: every address can be reached"


def _syscalls(layers: tuple[str, ...]) -> str:
    if "seccomp" not in layers:
        return "not enforced: programs, background processes and signals to other processes are possible"
    own = ", a user and processes of its own" if "uid" in layers else ""
    return f"seccomp refuses new processes, programs, tracing, signals to others and the kernel's rarer parts{own}"
