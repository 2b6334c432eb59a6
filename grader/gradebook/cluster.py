"""Where submissions are graded, beyond one machine: the workers of a Dask cluster.

A submission's files travel to a worker as bytes, so no file system need be shared; its packed grade comes
back the same way. Workers have this project installed in the same version, and the data set. Dask itself
repeats what a dead worker had in hand, on another one, and gives up on what has killed several.
"""

from collections.abc import Collection
from concurrent.futures import Future
from typing import Any

from grader import finding
from grader.errors import GraderError
from grader.gradebook import digests, remote
from grader.gradebook.places import PlaceLost
from grader.gradebook.store import PackedGrade
from grader.gradebook.task import Task, unfinished
from grader.pipeline import Options

CONNECT_SECONDS = 60


class Cluster:
    """A Dask cluster.

    Args:
        address: of its scheduler, "tcp://host:8786".
        options: how to grade.
        only: criteria to judge.
        resources: what a worker must have, "MEMORY=8".

    Raises:
        GraderError: there is no scheduler, or no Dask here.
    """

    max_bytes = 512 << 20  # bytes of one submission that are sent

    def __init__(self, address: str, options: Options, only: Collection[str] | None, resources: str | None) -> None:
        try:
            import dask  # noqa: PLC0415  of an extra
            from distributed import Client  # noqa: PLC0415  as above
        except ImportError:
            raise GraderError("--scheduler needs Dask: pip install 'vit-grade[dask]'") from None
        assignment = finding.source_of(options.assignment)
        if assignment not in finding.names():
            raise GraderError("--scheduler grades installed assignments; one in a folder is for one machine")
        # A submission may be large.
        dask.config.set({"distributed.admin.large-graph-warning-threshold": 2 * self.max_bytes})
        self.address, self.resources = address, _resources(resources)
        try:
            self.client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError) as error:
            raise GraderError(f"{address}: no Dask scheduler answers there: {error}") from None
        plain = ("seed", "train", "unconfined", "train_budget", "sample", "pictures")  # options that travel as they are
        self.how = {
            "options": {**{name: getattr(options, name) for name in plain}, "threads": options.threads or 1},
            "data": str(options.data) if options.data is not None else None,
            "rubric": options.rubric_file.read_text(encoding="utf-8"),
            "assignment": assignment,
            "given": dict(options.given_files.texts),
            "only": sorted(only) if only is not None else None,
            "version": (digests.asking(), digests.checks(), digests.environment()),
        }

    @property
    def width(self) -> int:
        """As many as its workers have threads now, and one to follow each."""
        return max(1, 2 * sum(self.client.nthreads().values()))

    def ready(self) -> None:
        """Workers may come when there is something to do."""

    def submit(self, task: Task) -> "Future[PackedGrade]":
        """Send a submission; the future raises ``PlaceLost`` when the cluster is no more."""
        ours: Future[PackedGrade] = Future()
        try:
            job = remote.pack(task.found, task.seed, self.max_bytes)
        except remote.TooLarge as error:
            ours.set_result(PackedGrade(unfinished(task, str(error), 100.0)))
            return ours
        theirs = self.client.submit(remote.grade, self.how, job, pure=False, resources=self.resources)
        theirs.add_done_callback(lambda done: self._done(done, ours))
        return ours

    def _done(self, theirs: Any, ours: "Future[PackedGrade]") -> None:
        try:
            if theirs.status == "finished":
                ours.set_result(theirs.result())
            elif theirs.status == "error":
                ours.set_exception(theirs.exception())
            else:
                raise OSError(theirs.status)
        except OSError as error:
            ours.set_exception(PlaceLost(f"{self.address}: the scheduler was lost ({error}); the same command goes on"))
        except BaseException as error:  # whoever waits for it must not wait for ever
            ours.set_exception(error)
        finally:
            theirs.release()

    def renew(self) -> None:
        """Others may be using the cluster: its workers are left alone."""

    def close(self) -> None:
        self.client.close(timeout=5)


def _resources(given: str | None) -> dict[str, float] | None:
    if given is None:
        return None
    try:
        return {name: float(amount) for name, _, amount in (each.partition("=") for each in given.split(","))}
    except ValueError:
        raise GraderError(f"--resources: expected NAME=N, as in MEMORY=8, got {given!r}") from None
