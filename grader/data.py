"""What the engine has to know of an assignment's data: which files workers may map, and which folders they must not read."""

from pathlib import Path
from typing import Protocol


class DataSet(Protocol):
    """Data that an assignment's probes use."""

    def shared_paths(self) -> dict[str, str]:
        """The .npy files that workers map read-only, by name."""

    def hidden_folders(self) -> list[str]:
        """Folders that hold answers, such as labels of a test set: no worker may read there."""


class NoData:
    """For assignments whose probes make their own data."""

    def shared_paths(self) -> dict[str, str]:
        return {}

    def hidden_folders(self) -> list[str]:
        return []


def no_data(folder: Path | None) -> DataSet:
    """Load nothing; ``folder`` is what ``--data`` says."""
    return NoData()
