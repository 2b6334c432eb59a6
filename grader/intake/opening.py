"""Open one submission: start the process that reads it, and make records of its reply."""

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from grader.errors import GraderError, ReadingFailed, Rejected
from grader.intake.reading.limits import IntakeLimits
from grader.intake.reading.members import ARCHIVES
from grader.records import CellLog, Origin, Piece, Program, Submission, SyntaxProblem

# Without ``site``, which would cost 16 ms a submission; a library, as for another kind of archive, is found all the same.
START = (
    f"import sys; sys.path += {[str(Path(__file__).parent), sysconfig.get_path('purelib')]!r}; "
    "from reading.main import serve; serve()"
)


def open_submission(
    path: Path,
    workspace: Path,
    wanted: Collection[str],
    provided: Collection[str],
    never_called: Collection[str],
    name: str | None = None,
    *,
    files: Mapping[str, Path] | None = None,
    limits: IntakeLimits | None = None,
    traced: str = "",
    modules: Sequence[str] = (),
) -> Submission:
    """Freeze a submission into ``workspace``, read its notebook and gather its definitions.

    Args:
        path: a notebook, a folder, a .zip or a tar; for loose files, any of them.
        workspace: an empty or new folder, which becomes the submission's root.
        wanted: the names to find.
        provided: names that the worker sets itself; nothing is kept for their sake.
        never_called: functions whose call trains or evaluates.
        name: the student's key, from ``path`` where it is not given.
        files: original name -> file, where the submission is some files among others (see ``Found``).
        limits: sizes, counts and deadline.
        traced: the function whose last call is kept, with the statements that make its arguments.
        modules: of the template: a name that several define is looked for there first.

    Raises:
        Rejected: the submission cannot be opened; the reason is for the student.
        GraderError: there is no submission at ``path``, or the grader could not read it.
    """
    if not path.exists():
        raise GraderError(f"{path}: expected a submission, found no such file or folder")
    prepare(workspace)
    value = ask(
        path,
        limits or IntakeLimits(),
        do="open",
        workspace=str(workspace.resolve()),
        files={original: str(file.resolve()) for original, file in (files or {}).items()},
        wanted=sorted(wanted),
        provided=sorted(provided),
        never_called=sorted(never_called),
        traced=traced,
        modules=list(modules),
    )
    return submission(value, path, workspace, name or key_of(path))


def key_of(path: Path) -> str:
    """Return the key that a file or folder name gives a student; what is not UTF-8 in it is written out."""
    name = printable_path(path.resolve().name)
    for suffix in (*ARCHIVES, ".ipynb.txt", ".ipynb.json", ".ipynb", ".py"):
        if name.lower().endswith(suffix) and path.is_file():
            return name[: -len(suffix)] or name
    return name


def printable_path(path: Path | str) -> str:
    """Return text that pages and databases take, of a name that may not be UTF-8."""
    return str(path).encode("utf-8", "backslashreplace").decode()


def prepare(workspace: Path) -> None:
    workspace.mkdir(parents=True, exist_ok=True)
    if any(workspace.iterdir()):
        raise GraderError(f"{workspace}: expected an empty folder to unpack into, found files; nothing was opened")


def ask(path: Path, limits: IntakeLimits, **request: Any) -> Any:
    """Have the reading process answer one request about ``path``.

    Raises:
        Rejected: it refused the submission, died over it, did not answer in time, or there is none.
        ReadingFailed: the process failed by itself over this one.
        GraderError: it could not start.
    """
    message = json.dumps({"path": str(path.resolve()), "limits": asdict(limits), **request})
    done = run(path, message, limits)
    if done.returncode < 0:
        cause = signal.Signals(-done.returncode).name
        raise refused(path, f"brought the reading process down ({cause})", request)
    try:
        reply = json.loads(done.stdout)
    except ValueError:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise ReadingFailed(f"{path}: the reading process failed ({last}); nothing was graded") from None
    if "rejected" in reply:
        raise refused(path, reply["rejected"], request)
    if "error" in reply:
        raise ReadingFailed(f"{path}: {reply['error']}; nothing was graded")
    return reply["value"]


def run(path: Path, message: str, limits: IntakeLimits) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-s", "-S", "-c", START]  # "-I" would ignore the seed
    pipe = subprocess.PIPE
    needed = {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}  # by every program on Windows
    needed["PYTHONHASHSEED"] = "0"  # the order of sets, and so what is read, is the same each time
    try:
        with subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=pipe, encoding="utf-8", env=needed, cwd="/"
        ) as process:
            try:
                out, err = process.communicate(message, limits.seconds)
            finally:  # subprocess.run leaves it unburied where Ctrl-C comes in between
                process.kill()
                process.wait()
        return subprocess.CompletedProcess(command, process.returncode, out, err)
    except subprocess.TimeoutExpired:
        raise refused(path, f"was not read within {limits.seconds:g} s", json.loads(message)) from None
    except OSError as error:
        raise GraderError(f"{path}: the reading process could not start ({error}); nothing was graded") from None


def refused(path: Path, reason: str, request: Mapping[str, Any]) -> Rejected:
    """Clear what was written, and say what was done about it."""
    if request.get("workspace"):
        for left in Path(request["workspace"]).iterdir():
            shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink(missing_ok=True)
    return Rejected(f"{path}: {reason}; nothing was unpacked or graded")


def submission(value: dict[str, Any], path: Path, root: Path, name: str) -> Submission:
    program = value["program"]
    return Submission(
        name=name,
        path=path,
        root=root,
        sha256=value["sha256"],
        notebook=value["notebook"],
        program=Program(
            main=pieces(program["main"]),
            modules={module: pieces(found) for module, found in program["modules"].items()},
            names={each: Origin(**origin) for each, origin in program["names"].items()},
            call=tuple((step.pop("module"), Piece(**step)) for step in program["call"]),
            undefined=program["undefined"],
            called={each: (cell, line) for each, (cell, line) in program["called"].items()},
        ),
        cells=tuple(CellLog(**{**cell, "errors": tuple(cell["errors"])}) for cell in value["cells"]),
        files={file: root / inside for file, inside in value["files"].items()},
        problems=tuple(value["problems"]),
        left_out=tuple(value["left_out"]),
        syntax_errors=tuple(
            SyntaxProblem(**{**each, "names": tuple(each["names"])}) for each in value["syntax_errors"]
        ),
    )


def pieces(found: list[dict[str, Any]]) -> tuple[Piece, ...]:
    return tuple(Piece(**piece) for piece in found)
