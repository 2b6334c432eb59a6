"""The steps of a Dockerfile run as a script, where there is no Docker: in a root of its own, laid over this machine's."""

import json
import re
import shlex
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PATH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"  # as images of Python have it


@dataclass(frozen=True)
class Step:
    """One instruction of a Dockerfile: its word, and what follows it."""

    word: str
    text: str


def stages(dockerfile: str) -> dict[str, list[Step]]:
    """The steps of each stage by its name, with those of the stage that it is built from before them."""
    without_comments = re.sub(r"^\s*#.*\n", "", dockerfile, flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", " ", without_comments).splitlines()
    found: dict[str, list[Step]] = {}
    for line in filter(None, map(str.strip, lines)):
        word, _, text = line.partition(" ")
        if word == "FROM":
            base, _, name = text.split()
            found[name] = list(found.get(base, ()))
        else:
            found[name].append(Step(word, text.strip()))
    return found


def script(steps: Sequence[Step], context: Path, arguments: Mapping[str, str], after_each: str = "") -> Iterator[str]:
    """The lines of a shell script that does what a builder of images would do in the root ``$ROOT``.

    Args:
        steps: of a stage.
        context: the folder that files are copied from.
        arguments: values of ``ARG`` and of the environment.
        after_each: a line to be run after each step.
    """
    variables, user, place = {"PATH": PATH, **arguments}, "root", "/"
    for step in steps:
        match step.word:
            case "ARG":
                name, _, default = step.text.partition("=")
                if default:
                    variables.setdefault(name, default)
            case "ENV":
                for name, _, value in (pair.partition("=") for pair in shlex.split(step.text)):
                    variables[name] = value.replace("$PATH", variables["PATH"])
            case "WORKDIR":
                place = step.text
                yield f'mkdir -p "$ROOT{place}"'
            case "USER":
                user = step.text
            case "COPY":
                *sources, target = step.text.split()
                # a folder's content is copied, as the builder does
                yield f'mkdir -p "$ROOT{place}/{target}"'
                for source in (context / name for name in sources):
                    yield f'cp -r {source}{"/." if source.is_dir() else ""} "$ROOT{place}/{target}"'
            case "RUN":
                yield in_root(step.text, user, place, variables)
            case "ENTRYPOINT":
                given = '"$@"'
                command = f"{shlex.join(json.loads(step.text))} {given}"
                yield f"run() {{ {in_root(command, user, place, variables, given)}; }}"
            case "CMD":
                continue
            case _:
                raise NotImplementedError(step.word)
        yield after_each


def in_root(command: str, user: str, place: str, variables: Mapping[str, str], more: str = "") -> str:
    """A line that runs a command in ``$ROOT``, as a user, in a folder of it, with these variables and no others."""
    environment = shlex.join(f"{name}={value}" for name, value in variables.items())
    said = shlex.quote(f"cd {place} && {command}")
    return f"as_user {user} env -i {environment} /bin/sh -e -c {said} sh {more}".rstrip()


# A root that shows this machine's files and keeps what is written in memory; it is gone with the process. A user
# namespace cannot be made in it, as in a container of Docker's.
LAYER = """set -eu
mount -t tmpfs none "$PLACE"
mkdir "$PLACE/written" "$PLACE/work" "$PLACE/root"
ROOT="$PLACE/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$PLACE/written,workdir=$PLACE/work" "$ROOT"
for name in proc dev sys; do mount --rbind "/$name" "$ROOT/$name"; done
ln -sf /usr/bin/python3.11 "$ROOT/usr/local/bin/python"
as_user() {
    ids="$(chroot "$ROOT" id -u "$1"):$(chroot "$ROOT" id -g "$1")"; shift
    chroot --userspec="$ids" "$ROOT" "$@"
}
"""


def run(lines: Iterable[str], mounted: Mapping[str, Path], timeout: float) -> subprocess.CompletedProcess[str]:
    """Run the lines in a root of their own.

    Args:
        lines: of a shell script.
        mounted: folders by where they are in that root; what is written there stays.
        timeout: in seconds.
    """
    binds = [f'mkdir -p "$ROOT{name}"; mount --bind {folder} "$ROOT{name}"' for name, folder in mounted.items()]
    with tempfile.TemporaryDirectory(prefix="vit-grade-root-") as place:
        return subprocess.run(
            ["unshare", "--mount", "bash", "-c", "\n".join([LAYER, *binds, *lines])],
            capture_output=True, text=True, timeout=timeout, check=False,
            env={"PLACE": place, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        )  # fmt: skip
