"""Workers forked from a warm parent, each confined before it touches a byte of its submission."""

import itertools
import os
import threading
from collections.abc import Callable, Sequence
from typing import Any

from grader.errors import GraderError
from grader.records import Observation
from grader.sandbox.inside import lazy_imports
from grader.sandbox.inside.plan import Limits, Plan
from grader.sandbox.outside import access, tier_selftest, tiers
from grader.sandbox.outside.clock import Patience
from grader.sandbox.outside.cold import environment
from grader.sandbox.outside.connection import Connection
from grader.sandbox.outside.opening import opened_worker
from grader.sandbox.outside.process import Operations, ProcessWorker
from grader.sandbox.outside.tiers import Tier
from grader.sandbox.outside.zygote_connection import ZygoteConnection, ZygoteLost

_passed: dict[tuple[str | None, bool], Tier] = {}  # what the self-test found, once for this process


class WarmWorkers:
    """Forks a confined worker for every submission.

    The zygote starts in the background; the first use waits for it, and for the self-test that chooses
    the tier: the first one in which no canary can be reached.

    Args:
        ops: modules that register the assignment's operations.
        shared: by name, .npy files that every worker may read in memory.
        unconfined: take what there is where too little can be enforced.
        hide: folders that must not be readable even where they lie among the libraries, such as the data's.
        libraries: modules to have imported, instead of all that this course uses.
        limits: what one worker may use.
        tier: the name of the only tier to try.
    """

    forks = True

    def __init__(
        self,
        ops: list[str],
        shared: dict[str, str],
        *,
        unconfined: bool = False,
        hide: Sequence[str] = (),
        libraries: Sequence[str] = (),
        limits: Limits | None = None,
        tier: str | None = None,
    ) -> None:
        self.unconfined, self.only = unconfined, tier
        self.limits = limits or Limits()
        self.read, self.hidden = access.libraries(), (*access.project(), *hide)
        self.start_zygote: Callable[[], ZygoteConnection] = lambda: ZygoteConnection(ops, shared, libraries)
        self.zygote = self.start_zygote()
        self.restarts_left = 1
        self.lock = threading.RLock()
        self.names, self.slots = itertools.count(), set[int]()

    @property
    def sandbox(self) -> dict[str, str]:
        return tiers.words(self.tier(), self.limits)

    def open(self, program: dict[str, Any], files: str) -> "WarmWorker":
        """Give a worker. ``files`` is a frozen copy: it is made readable for the worker's own user."""
        return WarmWorker(self, program, files)

    def close(self) -> None:
        with self.lock:
            self.restarts_left = 0  # threads that are still asking find no other
            self.zygote.close()

    def tier(self) -> Tier:
        """The tier in use, chosen at its first use; raises GraderError when none will do."""
        key = (self.only, self.unconfined)
        with self.lock:
            if key not in _passed:
                _passed[key] = tiers.choose(self.unconfined, self.only, lambda tier: tier_selftest.findings(self, tier))
            return _passed[key]

    def plan(self, tier: Tier, slot: int, files: Sequence[str] = ()) -> Plan:
        """The confinement of one worker, with a scratch whose name is its own."""
        scratch = f"{self.zygote.folder}/worker-{next(self.names)}"
        return Plan(
            layers=tier.layers,
            read=(*self.read, *files),
            hidden=self.hidden,
            root=f"{self.zygote.folder}/root",
            scratch=scratch,
            uid=access.user(slot) if "uid" in tier.layers else None,
            environment=environment(scratch),
            limits=self.limits,
        )

    def take_slot(self) -> int:
        """A number that no other worker has at the time, for a user id of its own."""
        with self.lock:
            slot = next(number for number in itertools.count() if number not in self.slots)
            self.slots.add(slot)
            return slot

    def replace(self, lost: ZygoteConnection, how: ZygoteLost) -> None:
        """Start another zygote in place of a lost one, once."""
        with self.lock:
            if self.zygote is not lost:  # another worker noticed first
                return
            if not self.restarts_left:
                raise GraderError(f"{how} twice; nothing more can be graded")
            self.restarts_left -= 1
            lost.close()
            self.zygote = self.start_zygote()


class WarmWorker(ProcessWorker):
    """One submission in a fork of the zygote."""

    def __init__(self, workers: WarmWorkers, program: dict[str, Any], files: str) -> None:
        load_seconds = 30.0
        super().__init__(program, files, workers.limits, load_seconds)
        self.workers = workers
        self.zygote, self.name, self.slot = workers.zygote, "", -1

    def ask(self, op: str, args: dict[str, Any], patience: float | Patience) -> Observation:
        for _ in range(2):
            try:
                return super().ask(op, args, patience)
            except ZygoteLost as lost:
                self._abandon()
                self.workers.replace(self.zygote, lost)
        raise GraderError("the parent of the workers died again while a submission was asked")

    def start(self) -> Connection:
        tier = self.workers.tier()
        self.zygote, self.slot = self.workers.zygote, self.workers.take_slot()
        plan = self.workers.plan(tier, self.slot, [self.files] if self.files else [])
        if self.files and plan.uid is not None:
            access.let_in(self.files, parents="namespaces" not in tier.layers)
        self.name = os.path.basename(plan.scratch)
        libraries = lazy_imports.needed(lazy_imports.sources(self.program))
        connection, failed = opened_worker(self.zygote, plan, self.died, libraries=libraries)
        if failed:
            connection.close()
            self.workers.slots.discard(self.slot)
            raise GraderError(f"worker could not start: {failed}")
        return connection

    def operations(self) -> Operations:
        return self.zygote.operations()

    def interrupt(self) -> None:
        self.zygote.tell("where", self.name)

    def end(self, grace: float) -> tuple[int | None, str]:
        ended = self.zygote.tell("end", self.name, grace=grace)
        self.workers.slots.discard(self.slot)
        return ended["status"], ended["reason"]

    def close(self) -> None:
        try:
            super().close()
        except ZygoteLost:  # its workers went with it
            self._abandon()

    def _abandon(self) -> None:
        self.workers.slots.discard(self.slot)
        if self.connection is not None:
            self.connection.close()
            self.connection = None
