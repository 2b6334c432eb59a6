"""No other process is signalled, traced, slowed or started."""

import contextlib
from collections.abc import Iterator

import pytest

from grader.sandbox.outside.warm import WarmWorkers

from .attack import Attack, load, load_all, told
from .targets import Targets

OTHERS = [
    Attack("kill", "attempt(os.kill, PID, signal.SIGKILL)"),
    Attack("kill the grader", "attempt(os.kill, GRADER, signal.SIGTERM)", works=False),
    Attack("kill everyone", "attempt(os.kill, -1, signal.SIGKILL)", works=False),
    Attack("kill a group", "attempt(lambda: os.killpg(os.getpgid(PID), 0))"),
    Attack("kill the parent", "attempt(os.kill, os.getppid() or PID, signal.SIGKILL)", works=False),
    Attack("is it there", "attempt(os.kill, PID, 0)"),
    Attack("stop it", "attempt(os.kill, PID, signal.SIGSTOP)"),
    Attack("tgkill", "attempt(call, 'tgkill', PID, PID, 9)"),
    Attack("tkill", "attempt(call, 'tkill', PID, 9)"),
    Attack("sigqueue", "attempt(call, 'rt_sigqueueinfo', PID, 10, bytes(128))", works=False),
    Attack("a descriptor of it", "attempt(call, 'pidfd_open', PID, 0)"),
    Attack("signal by F_SETOWN", """
read, write = os.pipe()
def own():
    fcntl.fcntl(read, fcntl.F_SETOWN, PID)
    fcntl.fcntl(read, 10, signal.SIGKILL)  # F_SETSIG
    fcntl.fcntl(read, fcntl.F_SETFL, os.O_ASYNC)
    os.write(write, b'x')
attempt(own)
"""),
    Attack("signal by F_SETOWN_EX", "attempt(fcntl.fcntl, os.pipe()[0], 15, struct.pack('ii', 1, PID))"),
    Attack("signal by FIOSETOWN", """
left, right = socket.socketpair()
attempt(fcntl.ioctl, left, 0x8901, struct.pack('i', PID))
"""),
    Attack("its limits", "attempt(resource.prlimit, PID, resource.RLIMIT_NOFILE, (5, 5))"),
    Attack("its niceness", "attempt(os.setpriority, os.PRIO_PROCESS, PID, 19)"),
    Attack("niceness of the user", "attempt(os.setpriority, os.PRIO_USER, os.getuid(), 19)", works=False),
    Attack("its processors", "attempt(os.sched_setaffinity, PID, {0})"),
    Attack("its scheduler", "attempt(os.sched_setscheduler, PID, os.SCHED_IDLE, os.sched_param(0))"),
    Attack("its disk priority", "attempt(call, 'ioprio_set', 1, PID, 3 << 13)"),
    Attack("attach", "attempt(call, 'ptrace', 16, PID, 0, 0)"),
    Attack("seize", "attempt(call, 'ptrace', 0x4206, PID, 0, 0)"),
    Attack("be traced", "attempt(call, 'ptrace', 0, 0, 0, 0)"),
    Attack("compare", "attempt(call, 'kcmp', PID, os.getpid(), 0, 0, 0)", works=False),
    Attack("read its memory", "attempt(lambda: open(f'/proc/{PID}/mem', 'rb').close())", works=False),
    Attack("read by process_vm_readv", """
attempt(call, 'process_vm_readv', PID, struct.pack('PN', 0, 0), 0, struct.pack('PN', 0, 0), 0, 0)
"""),
    Attack("write by process_vm_writev", """
attempt(call, 'process_vm_writev', PID, struct.pack('PN', 0, 0), 0, struct.pack('PN', 0, 0), 0, 0)
"""),
    Attack("its environment", "attempt(lambda: open(f'/proc/{PID}/environ').read())"),
    Attack("its command line", "attempt(lambda: open(f'/proc/{PID}/cmdline').read())"),
    Attack("its maps", "attempt(lambda: open(f'/proc/{PID}/maps').read())"),
    Attack("its descriptors", "attempt(os.listdir, f'/proc/{PID}/fd')"),
    Attack("the grader's environment", "attempt(lambda: open(f'/proc/{GRADER}/environ').read())"),
    Attack("all processes", "attempt(os.listdir, '/proc')"),
    Attack("move pages", "attempt(call, 'migrate_pages', PID, 0, None, None)", works=False),
]  # fmt: skip

STARTING = [
    Attack("fork", "attempt(lambda: os.fork() or os._exit(0))"),
    Attack("fork by number", "attempt(lambda: call('clone', 17, 0, 0, 0, 0) or os._exit(0))"),
    Attack("clone3", """
attempt(lambda: call('clone3', struct.pack('8Q', 0, 0, 0, 0, 17, 0, 0, 0), 64) or os._exit(0))
"""),
    Attack("a program", "attempt(subprocess.run, ['/bin/true'])"),
    Attack("a shell", "attempt(lambda: os.system('true') == 0 or 1 / 0)"),
    Attack("posix_spawn", "attempt(os.posix_spawn, '/bin/true', ['true'], {})"),
    Attack("become a program", "attempt(os.execv, '/bin/true', ['true'])", works=False),
    Attack("its own program", """
import shutil
def own():
    with open('program', 'w') as file:
        file.write('#!/bin/sh\\n')
    os.chmod('program', 0o755)
    subprocess.run(['./program'], check=True)
attempt(own)
"""),
    Attack("by the loader", "attempt(subprocess.run, ['/lib64/ld-linux-x86-64.so.2', '/bin/true'])", works=False),
    Attack("a pool", "import multiprocessing\nattempt(lambda: multiprocessing.Process(target=print).start())"),
    Attack("workers of a data loader", """
import torch
from torch.utils.data import dataloader
def workers():
    return dataloader._MultiProcessingDataLoaderIter
attempt(lambda: torch.multiprocessing.get_context('fork').Process(target=print).start())
"""),
    Attack("a session of its own", "attempt(os.setsid)", works=False),
    Attack("a group of its own", "attempt(os.setpgid, 0, 0)", works=False),
    Attack("a daemon", "attempt(lambda: os.fork() or (os.setsid(), os._exit(0)))"),
]  # fmt: skip


def name(attack: Attack) -> str:
    return attack.promise


@pytest.fixture(scope="module")
def printed(workers: WarmWorkers) -> Iterator[dict[str, str]]:
    """What each attack printed; all ran in one worker."""
    with contextlib.closing(Targets()) as targets:
        before = targets.state()
        yield load_all(workers, OTHERS + STARTING, **targets.constants())
        assert targets.state() == before, "something was changed"


@pytest.mark.parametrize("attack", OTHERS + STARTING, ids=name)
def test_other_processes_are_out_of_reach_and_none_is_started(attack: Attack, printed: dict[str, str]) -> None:
    assert "stopped:" in printed[attack.promise], printed[attack.promise]
    assert "reached:" not in printed[attack.promise]


@pytest.mark.parametrize("attack", [each for each in OTHERS + STARTING if each.works], ids=name)
def test_it_works_without_confinement(attack: Attack, unconfined: WarmWorkers, targets: Targets) -> None:
    seen = load(unconfined, attack.code, **targets.constants())
    assert "reached:" in seen.output, told(seen)


def test_threads_still_work(workers: WarmWorkers) -> None:
    code = """
import torch
torch.set_num_threads(2)
layer = torch.nn.Linear(256, 256)
layer(torch.ones(512, 256)).sum().backward()
thread = threading.Thread(target=print, args=('threaded',))
thread.start(); thread.join()
"""
    assert load(workers, code).output == "threaded\n"
