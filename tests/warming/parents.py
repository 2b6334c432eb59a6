"""``parents.py FOLDER ROOT PATH…``: has imported what workers need, and forks the parent of workers for who asks.

Listens at FOLDER/socket until its standard input is closed. Who asks (``ask.py``) sends the program, its arguments and
variables as JSON, with the descriptors of the grader's socket and of standard error; the answer is the exit status.
Where the one who asked is gone, so is what was forked for it.
"""

import contextlib
import gc
import json
import os
import select
import shutil
import signal
import socket
import sys
from pathlib import Path
from typing import Any, NoReturn


def main(folder: str, root: str, *packages: str) -> None:
    """Listen, import, and fork until the tests are gone."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listening.bind(f"{folder}/socket")
    Path(folder).chmod(0o755)
    Path(folder, "socket").chmod(0o777)
    listening.listen(16)
    os.write(1, b"listening\n")
    sys.path[:] = [path for path in sys.path[1:] if path]
    bring_libraries(root, packages)
    try:
        serve(listening)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def bring_libraries(root: str, packages: tuple[str, ...]) -> None:
    """Import what the grader's own start imports, and forget the grader."""
    known = list(sys.path)
    sys.path.insert(0, root)
    gc.disable()
    from grader.sandbox.inside import lazy_imports, start

    start.import_libraries(packages)
    sys.meta_path[:] = [finder for finder in sys.meta_path if not type(finder).__module__.startswith("grader.")]
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "grader" or isinstance(module, lazy_imports._StandIn):
            del sys.modules[name]
    sys.path[:] = known
    gc.freeze()
    gc.enable()


def serve(listening: socket.socket) -> None:
    """Fork for each who asks; look after both."""
    asking: dict[socket.socket, int] = {}
    while True:
        ready, _, _ = select.select([0, listening, *asking], [], [], 0.02 if asking else None)
        if 0 in ready:
            break
        if listening in ready:
            wire, _ = listening.accept()
            message, descriptors, _, _ = socket.recv_fds(wire, 1 << 20, 2)
            if message and len(descriptors) == 2:
                asking[wire] = os.fork() or become(json.loads(message), *descriptors)
            for descriptor in descriptors:
                os.close(descriptor)
        for wire, pid in list(asking.items()):
            if wire in ready:  # nothing is ever sent: whoever asked is gone
                os.kill(pid, signal.SIGKILL)
            ended, status = os.waitpid(pid, 0 if wire in ready else os.WNOHANG)
            if ended:
                with contextlib.suppress(OSError):
                    wire.send(str(os.waitstatus_to_exitcode(status) % 256).encode())
                del asking[wire]
                wire.close()


def become(asked: dict[str, Any], control: int, said: int) -> NoReturn:
    """Be the process that the grader would have started."""
    root, settings = asked["arguments"]
    wanted = json.loads(settings)["control"]
    nothing = os.open(os.devnull, os.O_RDWR)
    for number, descriptor in enumerate((nothing, nothing, said)):
        os.dup2(descriptor, number)
    control = os.dup2(control, wanted) if control != wanted else control
    for descriptor in (int(entry.name) for entry in list(Path("/proc/self/fd").iterdir())):
        if descriptor > 2 and descriptor != control:
            with contextlib.suppress(OSError):
                os.close(descriptor)
    os.setsid()
    os.chdir("/")
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.argv[:] = ["-c", root, settings]
    try:
        exec(compile(asked["code"], "<string>", "exec"), {"__name__": "__main__"})
    except BaseException as error:
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
    os._exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
