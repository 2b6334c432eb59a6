"""The .py files of a submission and the names under which its code imports them."""

import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import PurePosixPath

LIBRARIES = {
    "torch", "torchvision", "torchaudio", "pytorch_metric_learning", "numpy", "scipy", "sklearn", "pandas",
    "matplotlib", "PIL", "tqdm", "faiss", "einops", "timm", "torchmetrics", "lightning", "pytorch_lightning",
    "tensorboard", "IPython", "ipywidgets", "google", "cv2", "seaborn", "umap", "pytest", "conftest",
    "sitecustomize", "usercustomize", "grader", "rubric",
}  # fmt: skip
SHADOWED = (set(sys.stdlib_module_names) | LIBRARIES) - {"test"}
ONLY_IF_IMPORTED = re.compile(r"(^|\.)(test_\w*|\w*_test|conftest|setup|check_\w+|grade)$")


class ModuleFiles:
    """File names by import name, seen from the folder of the notebook."""

    def __init__(self, files: Iterable[str], base: str, told: str = "", gaps: Mapping[str, int] | None = None) -> None:
        """Name the modules among ``files``.

        Args:
            files: paths of .py files.
            base: the notebook's folder, "" for the top.
            told: the text of the code, which may put folders on the path.
            gaps: by file, how many a template left in it: of a file and its copy the one with fewer counts.
        """
        self.told = told
        self.left_out: dict[str, str] = {}  # by file, why
        self.files: dict[str, str] = {}
        beside = f"{base}/" if base else ""  # what stands beside the notebook goes before all else, as on the path
        ordered = sorted(files, key=lambda name: (not name.startswith(beside), name.count("/"), len(name), name))
        named = [(file, *import_name(file.removeprefix(beside))) for file in ordered]
        order = lambda each: (  # noqa: E731
            each[1] != "", not self.on_path(each[1]), (gaps or {}).get(each[0], 0), not importable(each[0])
        )  # fmt: skip
        meant = self.meant({name for _, _, name in named if name})
        for file, folder, name in sorted(named, key=order):
            self.add(file, folder, meant.get(name, name) if name else None)

    def add(self, file: str, folder: str, name: str | None) -> None:
        """Take a file in under its name, unless another has it."""
        if name is None:
            self.left_out[file] = "its name cannot be imported"
        elif name.split(".")[0] in SHADOWED:
            self.left_out[file] = "it has the name of a library, which is used instead"
        elif other := self.files.get(name) or self.before(folder, name):
            self.left_out[file] = f"{other} is imported by the same name"
        else:
            self.files[name] = file

    def meant(self, names: Collection[str]) -> dict[str, str]:
        """Return, by the name of a module, the one by which the code imports it, where a file was given another.

        Another has other capital letters, or more before or after: ``model_final.py`` for ``from model import Net``. It is
        taken where no other file could be meant.
        """
        asked_for_names = set(re.findall(r"^[ \t]*from[ \t]+(\w+)[ \t]+import", self.told, re.MULTILINE))
        imported = set(re.findall(r"^[ \t]*import[ \t]+(\w+)", self.told, re.MULTILINE)) | asked_for_names
        found, parts = {}, {part for name in names for part in name.split(".")}
        names = [name for name in names if "." not in name and name not in imported]
        for wanted in sorted(imported - SHADOWED - parts):
            min_length = 5  # of a part of a name that tells anything
            is_told = wanted in asked_for_names and len(wanted) >= min_length  # `import wandb` means no wandb_utils.py
            alike = [name for name in names if wanted.lower() == name.lower()]
            alike = alike or [name for name in names if is_told and wanted.lower() in name.lower()]
            if len(alike) == 1:
                found[alike[0]] = wanted
        return found

    def before(self, folder: str, name: str) -> str:
        """Return the file in a package that goes before one in a folder which nothing puts on the path."""
        return self.elsewhere(name) if folder and not self.on_path(folder) else ""

    def on_path(self, folder: str) -> bool:
        """Tell whether the code names a folder, as ``sys.path.append("hw3-src")`` and ``%cd hw3-src`` do."""
        named = rf"""(?:['"/]|\bcd\s+){re.escape(folder)}(?:['"/\s]|$)"""
        return folder != "" and folder in self.told and re.search(named, self.told) is not None

    def resolve(self, name: str) -> str | None:
        """Return the import name of the module that ``import name`` finds, None for a library.

        A module elsewhere in the submission is found, too, as ``sys.path.append("src")`` would do.
        """
        if not name or name.split(".")[0] in SHADOWED:
            return None
        if name in self.files or self.is_package(name):
            return name
        return self.resolve_elsewhere(name)

    def resolve_elsewhere(self, name: str) -> str | None:
        file = self.elsewhere(name)
        if file:
            self.files[name] = file
        return name if file else None

    def elsewhere(self, name: str) -> str:
        """Return the file in some package that ``name`` means with the package on the path, "" where there is none."""
        ends = [known for known in self.files if known.endswith(f".{name}")]
        best = min(
            ends, key=lambda known: (not self.on_path(self.folder(known, name)), known.count("."), known), default=""
        )
        return self.files.get(best, "")

    def folder(self, known: str, name: str) -> str:
        return last(known.removesuffix(f".{name}"))

    def is_package(self, name: str) -> bool:
        return any(known.startswith(f"{name}.") for known in self.files)

    def is_init(self, name: str) -> bool:
        return self.files.get(name, "").endswith("__init__.py")

    def parents(self, name: str) -> Iterator[str]:
        parts = name.split(".")
        return (".".join(parts[:length]) for length in range(1, len(parts)))

    def ordered(self, preferred: Iterable[str]) -> list[str]:
        """Return the modules in the order in which a name that the notebook lacks is looked for."""
        ranks = {name: rank for rank, name in enumerate(preferred)}
        return sorted(self.files, key=lambda name: (ranks.get(last(name), len(ranks)), name.count("."), name))


def last(name: str) -> str:
    return name.rpartition(".")[2]


def without_copy(stem: str) -> str:
    """Return a name without the mark of a copy: "model (1)" and "model-2" are model."""
    if stem.endswith(")"):
        before, _, number = stem[:-1].rpartition("(")
        return before.rstrip() if number.isdecimal() else stem
    before, dash, number = stem.rpartition("-")
    return before if dash and number.isdecimal() else stem


def importable(file: str) -> bool:
    """Tell whether an import can name a file as it is, the mark of a copy aside."""
    return without_copy(PurePosixPath(file).stem).isidentifier()


def import_name(file: str) -> tuple[str, str | None]:
    """Return the folder that must be on the path, "" for none, and the name to import from there.

    ``models/net.py`` is ``models.net``; ``hw3 code/net.py`` and ``code/net.py`` are ``net``, for no import can
    name their folders, the latter because the library of that name comes first. The copies that browsers and Canvas
    make, ``model (1).py`` and ``model-2.py``, keep their name, and ``2-net.py`` is ``_2_net``: what it defines counts.
    The name is None where none is left.
    """
    path = PurePosixPath(file)
    stem = re.sub(r"[ .,+&'()-]|^(?=\d)", "_", without_copy(path.stem))
    folders, parts = list(path.parts[:-1]), [] if stem == "__init__" else [stem]
    first = max((place for place, name in enumerate(folders, 1) if not name.isidentifier()), default=0)
    while first < len(folders) and folders[first] in SHADOWED and parts:
        first += 1
    parts = folders[first:] + parts
    return "".join(folders[:first][-1:]), ".".join(parts) if parts and parts[-1].isidentifier() else None
