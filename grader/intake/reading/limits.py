"""How much a submission may be."""

from dataclasses import dataclass

MB = 1_000_000


@dataclass(frozen=True)
class IntakeLimits:
    """Limits of one submission; sizes in bytes unless the name says otherwise."""

    packed: int = 300 * MB  # an archive as it was handed in
    unpacked: int = 1000 * MB  # all its members together, or all files of a folder
    members: int = 2000  # of an archive, ignored ones left out
    entries: int = 50_000  # of an archive, ignored ones included
    ratio: float = 200.0  # unpacked / packed, asked of archives that unpack to more than ratio_from
    ratio_from: int = 32 * MB
    depth: int = 16  # folders inside folders
    nested: int = 2  # archives inside archives: a zip that holds only a zip is still opened
    notebook: int = 256 * MB
    notebooks: int = 20  # of one folder, looked into to choose one
    module: int = 2 * MB
    modules: int = 200
    text: int = 1 * MB  # .txt, .md, .json, ... are kept up to this size
    cell_log_chars: int = 2_000_000  # saved output of one cell
    log_chars: int = 8_000_000  # saved output of all cells, which the grader itself goes through line by line
    memory: int = 3000 * MB  # address space of the process that reads
    seconds: float = 60.0  # its deadline


CLASS_LIMITS = IntakeLimits(
    packed=20_000 * MB, unpacked=40_000 * MB, members=50_000, entries=500_000, ratio=400.0, seconds=900.0
)
