"""The .py files of a submission and the names under which its code imports them."""

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

LIBRARIES = {
    "torch", "torchvision", "torchaudio", "pytorch_metric_learning", "numpy", "scipy", "sklearn", "pandas",
    "matplotlib", "PIL", "tqdm", "faiss", "einops", "timm", "torchmetrics", "lightning", "pytorch_lightning",
    "tensorboard", "IPython", "ipywidgets", "google", "cv2", "seaborn", "umap", "pytest", "conftest",
    "sitecustomize", "usercustomize", "grader", "rubric",
}  # fmt: skip
SHADOWED = (set(sys.stdlib_module_names) | LIBRARIES) - {"test"}
ONLY_IF_IMPORTED = re.compile(r"(^|\.)(test_\w*|\w*_test|conftest|setup|check_vit|grade)$")


class Sources:
    """File names by import name, seen from the folder of the notebook."""

    def __init__(self, files: Iterable[str], base: str) -> None:
        """Name the modules among ``files``; ``base`` is the notebook's folder, "" for the top."""
        self.problems: list[str] = []
        self.files: dict[str, str] = {}
        for file in sorted(files, key=lambda name: (name.count("/"), len(name), name)):
            self.add(file, base)

    def add(self, file: str, base: str) -> None:
        inside = file.removeprefix(f"{base}/") if base else file
        name = import_name(inside)
        if name is None:
            self.problems.append(f"{file}: its name cannot be imported; left out")
        elif name.split(".")[0] in SHADOWED:
            self.problems.append(f"{file}: has the name of a library, which is used instead; left out")
        else:
            self.files.setdefault(name, file)

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
        ends = [known for known in self.files if known.endswith(f".{name}")]
        if not ends:
            return None
        self.files[name] = self.files[min(ends, key=lambda known: (known.count("."), known))]
        return name

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


def import_name(file: str) -> str | None:
    """Return ``models.vit`` for ``models/vit.py``, None for a file that no import can name.

    The copies that browsers and Canvas make, ``vit_model (1).py`` and ``vit_model-2.py``, keep their name.
    """
    path = PurePosixPath(file)
    stem = re.sub(r"(\s*\(\d+\)|-\d+)$", "", path.stem)
    parts = [*path.parts[:-1], *([] if stem == "__init__" else [stem])]
    return ".".join(parts) if parts and all(part.isidentifier() for part in parts) else None
