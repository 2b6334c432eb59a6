"""What a zygote is told about the confinement of one worker; plain data, so that it can be sent as JSON."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Limits:
    """What one worker may use."""

    memory: int = 3 << 30  # bytes of its own, shared pages counted by their share
    scratch_bytes: int = 256 << 20  # all files that it writes, and each of them
    scratch_files: int = 10_000
    threads: int = 64
    descriptors: int = 256
    cpu_seconds: int = 3_600  # over its whole life; one request is limited by its deadline


@dataclass(frozen=True)
class Plan:
    """The confinement of one worker."""

    # of "namespaces", "user namespace", "uid", "capabilities" (to drop them), "landlock", "seccomp", "cgroup"
    layers: tuple[str, ...]
    read: tuple[str, ...]  # files and folders that it may read
    hidden: tuple[str, ...]  # folders below those that it may not
    root: str  # an empty folder to build a new root on, where there are namespaces
    scratch: str  # the one folder that it may write to
    uid: int | None  # a user of its own, where there can be one
    environment: dict[str, str]
    limits: Limits

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Plan":
        """Read what ``dataclasses.asdict`` and JSON made of a plan."""
        lists = {key: tuple(value) for key, value in data.items() if isinstance(value, list)}
        return cls(**(data | lists | {"limits": Limits(**data["limits"])}))
