"""The parent of all warm workers: it imports what they need once, then forks one worker a submission.

Started as a program of its own, with a hand-written environment, so that nothing of the grader's memory
is in it. It never opens a submission. Over a socket it is told, one JSON message each, and answers each:

    {"do": "open", "name", "plan", "libraries"}  with four descriptors: requests, replies, printed text, faults
                                     → {"pid"}, once the worker has confined itself, or {"failed"}
    {"do": "check", … "canaries"}   the same, but the worker tries the canaries and replies with what it reached
    {"do": "where", "name"}         asks a worker that hangs for its stack → {}
    {"do": "end", "name", "grace"}  kills and buries → {"status": exit code or None, "reason"}

Between messages it looks after its workers: those over their memory or scratch are killed. When the
socket closes, all of them are.
"""

import contextlib
import fcntl
import json
import os
import select
import signal
import socket
import time
from dataclasses import dataclass
from typing import Any, NoReturn

from grader.sandbox.inside import cgroups, confine, faults, kernel, lazy_imports, scratch, selftest, serve
from grader.sandbox.inside.plan import Plan
from grader.sandbox.inside.usage import LimitWatch, children


@dataclass
class Child:
    """A worker as its parent knows it."""

    pid: int
    plan: Plan
    groups: tuple[str, ...]
    watch: LimitWatch
    status: int | None = None  # what it ended with, when it ended by itself
    reason: str = ""  # the limit that it was killed for


class Zygote:
    """Forks workers, watches them, and removes what they leave."""

    def __init__(self, control: socket.socket, arrays: dict[str, Any]) -> None:
        self.control, self.arrays = control, arrays
        self.children: dict[str, Child] = {}
        self.own_pids = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)

    def run(self) -> None:
        """Do what is asked until the grader is gone."""
        poll = select.poll()
        poll.register(self.control, select.POLLIN)
        poll_ms = 50  # how often memory and scratch are looked at
        while True:
            if poll.poll(poll_ms if self.children else None):
                message, descriptors, _, _ = socket.recv_fds(self.control, 1 << 20, 4)
                if not message:
                    break
                answer = self.obey(json.loads(message), descriptors)
                self.control.send(json.dumps(answer).encode())
            self.look_after()
        for name in list(self.children):
            self.end(name, 0.0)

    def obey(self, message: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
        name = message["name"]
        if message["do"] in ("open", "check"):
            try:
                lazy_imports.bring(message.get("libraries", ()))
                return self.open(name, Plan.from_json(message["plan"]), descriptors, message.get("canaries"))
            finally:
                for descriptor in descriptors:
                    os.close(descriptor)
        if message["do"] == "where":
            self.signal(name, signal.SIGUSR2)
            return {}
        return self.end(name, message["grace"])

    def open(self, name: str, plan: Plan, descriptors: list[int], canaries: Any) -> dict[str, Any]:
        """Fork a worker and wait until it has confined itself; until then nobody sends it anything."""
        groups = cgroups.create(name, plan.limits) if "cgroup" in plan.layers else ()
        try:
            scratch.make(plan.scratch, plan.uid)
            said = self.fork_worker(name, plan, groups, descriptors, canaries)
        except OSError as error:
            said = str(error)
        if said == "confined":
            return {"pid": self.children[name].pid}
        if name in self.children:
            self.end(name, 0.0)
        else:
            cgroups.remove(groups)
            scratch.remove(plan.scratch)
        return {"failed": said or "the worker ended while it confined itself"}

    def fork_worker(self, name: str, plan: Plan, groups: tuple[str, ...], descriptors: list[int], canaries: Any) -> str:
        """Fork a worker; what it says when it has confined itself, or could not."""
        read, write = os.pipe()
        seconds_to_confine = 30
        with os.fdopen(read, "rb", 0) as said:
            try:
                pid = self.fork(plan)
                if not pid:
                    self.children.clear()  # other submissions are nobody's business here
                    _work(plan, descriptors, write, self.arrays, canaries)
                watch = LimitWatch(pid, plan.limits, None if "namespaces" in plan.layers else plan.scratch)
                self.children[name] = Child(pid, plan, groups, watch)
                cgroups.join(groups, pid)  # the kernel takes its time, in which the worker confines itself
            finally:
                os.close(write)
            if not select.select([said], [], [], seconds_to_confine)[0]:
                return f"the worker was not confined after {seconds_to_confine} s"
            return said.read(4096).decode("utf-8", "replace")

    def fork(self, plan: Plan) -> int:
        """Fork; as root, into a pid namespace of its own."""
        if "namespaces" not in plan.layers or "user namespace" in plan.layers:
            return os.fork()
        kernel.unshare(kernel.Clone.NEWPID)  # from here on children are born there
        try:
            return os.fork()
        finally:
            with contextlib.suppress(OSError):  # in the child, which has no right to go back
                kernel.setns(self.own_pids, kernel.Clone.NEWPID)

    def look_after(self) -> None:
        """Take note of workers that ended; kill those over a limit."""
        for child in self.children.values():
            self.look(child)
            if child.status is None and not child.reason and (reason := child.watch.over()):
                child.reason = reason
                _kill_group(child.pid)

    def look(self, child: Child) -> None:
        """Take note of how a worker ended; it stays unburied, so that its process id stays its own."""
        if child.status is None:
            ended = os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is not None:
                child.status = ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status

    def signal(self, name: str, number: int) -> None:
        child = self.children.get(name)
        if child is not None and child.status is None:
            os.killpg(child.pid, number)

    def end(self, name: str, grace: float) -> dict[str, Any]:
        """Kill a worker and all that it started, remove what it wrote, and tell how it had ended."""
        child = self.children.get(name)
        if child is None:
            return {"status": None, "reason": ""}
        deadline = time.monotonic() + grace
        self.look(child)
        while child.status is None and time.monotonic() < deadline:
            time.sleep(0.002)
            self.look(child)
        self.kill_all_of(child)
        if not child.reason and cgroups.out_of_memory(child.groups):
            child.reason = "memory"
        cgroups.remove(child.groups)
        scratch.remove(child.plan.scratch)
        del self.children[name]
        return {"status": child.status, "reason": child.reason}

    def kill_all_of(self, child: Child) -> None:
        """Kill a worker with its process group, then what slipped out of the group and was inherited here."""
        _kill_group(child.pid)
        os.waitpid(child.pid, 0)
        known = {other.pid for other in self.children.values()}
        while strays := [pid for pid in children(os.getpid()) if pid not in known - {child.pid}]:
            for pid in strays:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)  # before it has a group of its own


def _work(plan: Plan, wires: list[int], said: int, arrays: dict[str, Any], canaries: Any) -> NoReturn:
    """The life of a worker: descriptors, confinement, requests, the end. Nothing gets out of here alive."""
    try:
        os.setsid()
        said = _take_descriptors(wires, said)
        os.set_blocking(5, False)  # nobody is made to wait for a reader
        faults.report()
        confine.confine(plan)
        os.write(said, b"confined")
        os.close(said)
        if canaries is None:
            serve.run(arrays)
        os.write(4, json.dumps(selftest.reached(plan, canaries)).encode())
        os._exit(0)
    except BaseException as error:
        os.write(said, f"{type(error).__name__}: {error}".encode()[:4000])
    finally:
        os._exit(1)


def _take_descriptors(wires: list[int], said: int) -> int:
    """Put /dev/null and the four pipes on descriptors 0 to 5, keep ``said`` as 6, close all others."""
    requests, replies, printed, told, said = (fcntl.fcntl(wire, fcntl.F_DUPFD, 20) for wire in (*wires, said))
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, wire in enumerate((nothing, printed, printed, requests, replies, told, said)):
        os.dup2(wire, number)
    os.closerange(7, 1 << 20)
    return 6
