"""A process confines itself: what runs in a forked worker before it touches a byte of a submission.

The order matters. Namespaces need rights that are dropped later, a change of user clears the signal
that ends a worker with its parent, and the filter of system calls comes last because it refuses what
the others need.
"""

import os
import resource
import signal
import sys
import tempfile

from grader.sandbox.inside import kernel, landlock, mounts, seccomp
from grader.sandbox.inside.plan import Limits, Plan

NAMESPACES = (
    kernel.Clone.NEWNS | kernel.Clone.NEWNET | kernel.Clone.NEWIPC | kernel.Clone.NEWUTS | kernel.Clone.NEWCGROUP
)


def confine(plan: Plan) -> None:
    """Apply every layer of a plan to this process, which has one thread.

    Raises:
        OSError: a layer could not be had; the process must end.
    """
    _forget(plan.environment)
    kernel.prctl(kernel.Prctl.SET_DUMPABLE, 1)  # else its own uid_map is not its to write
    kernel.prctl(kernel.Prctl.SET_PDEATHSIG, signal.SIGKILL)
    data = _data_bytes()
    tops = dict.fromkeys(map(os.path.realpath, (*plan.read, *mounts.DEVICES)))  # hidden folders go by their real names
    if "user namespace" in plan.layers:
        _enter_user_namespace()
    elif "namespaces" in plan.layers:
        kernel.unshare(NAMESPACES)
    if "namespaces" in plan.layers:
        owner = plan.uid if plan.uid is not None else os.getuid()
        limits = plan.limits
        mounts.new_root(plan.root, plan.read, plan.scratch, limits.scratch_bytes, limits.scratch_files, owner)
    _limit(plan.limits, data)
    _become(plan.uid)
    if "capabilities" in plan.layers:
        kernel.drop_capabilities()
        kernel.prctl(kernel.Prctl.SET_NO_NEW_PRIVS, 1)
    kernel.prctl(kernel.Prctl.SET_PDEATHSIG, signal.SIGKILL)  # again: a change of user clears it
    os.chdir(plan.scratch)
    os.umask(0o077)
    if "landlock" in plan.layers:
        readable = [path for top in tops for path in around(top, plan.hidden)]
        listed = [top for top in tops if top not in readable]  # imports and importlib.metadata list folders
        landlock.restrict(readable, [plan.scratch, "/dev/null"], listed)
    if "seccomp" in plan.layers:
        seccomp.restrict(os.getpid())


def around(path: str, hidden: tuple[str, ...]) -> list[str]:
    """A path, or, where something hidden lies below it, everything beside that."""
    if path in hidden:
        return []
    below = tuple(other for other in hidden if other.startswith(path + "/"))
    if not below:
        return [path]
    return [shown for name in sorted(os.listdir(path)) for shown in around(f"{path}/{name}", below)]


def _forget(environment: dict[str, str]) -> None:
    """Replace the environment and what was cached of it."""
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None
    os.umask(0o022)
    sys.path_importer_cache.pop("", None)


def _data_bytes() -> int:
    with open("/proc/self/statm") as pages:
        return int(pages.read().split()[5]) * resource.getpagesize()


def _enter_user_namespace() -> None:
    """Enter namespaces that an ordinary user may make, as the first process of its pid namespace."""
    uid, gid = os.getuid(), os.getgid()
    kernel.unshare(kernel.Clone.NEWUSER | kernel.Clone.NEWPID | NAMESPACES)
    maps = {"setgroups": "deny", "uid_map": f"{uid} {uid} 1", "gid_map": f"{gid} {gid} 1"}
    for name, line in maps.items():
        with open(f"/proc/self/{name}", "w") as file:
            file.write(line)
    child = os.fork()
    if child:
        _stand_in(child)
    kernel.prctl(kernel.Prctl.SET_PDEATHSIG, signal.SIGKILL)


def _stand_in(child: int) -> None:
    """Wait for the process that was forked into the pid namespace, and end as it ends."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    os.closerange(0, 1 << 20)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code < 0:
        if -code not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(abs(code))


def _limit(limits: Limits, data: int) -> None:
    spare_memory = 1 << 30  # address space beyond the limit: stacks and arenas that are reserved and never touched
    memory = data + limits.memory + spare_memory
    for kind, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, limits.cpu_seconds),
        (resource.RLIMIT_FSIZE, limits.scratch_bytes),
        (resource.RLIMIT_NOFILE, limits.descriptors),
        (resource.RLIMIT_NPROC, limits.threads),
        (resource.RLIMIT_DATA, memory),
        (resource.RLIMIT_MEMLOCK, 1 << 20),
        (resource.RLIMIT_MSGQUEUE, 0),
        (resource.RLIMIT_SIGPENDING, 256),
    ):
        _, hard = resource.getrlimit(kind)
        lower = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (lower, lower))


def _become(uid: int | None) -> None:
    """Take a user of its own, if there is one."""
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        kernel.prctl(kernel.Prctl.SET_DUMPABLE, 1)  # a change of user takes it, and the watchdog needs it
