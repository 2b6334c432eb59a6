"""Check the output shapes of the seven classes of part 2, before you hand them in.

    python check_vit.py [folder or file]

looks at ``vit_model.py`` in the given folder (``student/`` if it exists, else the current folder) and prints
one line a class. Exit status: 0 when all are right, 1 when not, 2 when there is nothing to check. A right shape
is where it begins: whether a class computes the right thing is for the grader to say.

Shapes: B batch, C channels, H and W image height and width, N patches, D hidden size, E embedding size.
"""

import importlib.util
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

# Idle threads should sleep, not spin: this has to be set before torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch

Shape = tuple[int, ...]
# What to build the class with, the shape that goes in, and the shape that has to come out.
Case = tuple[tuple[int, ...], Shape, Shape]

CASES: dict[str, list[Case]] = {
    # (image_size, patch_size, hidden_size, num_channels=3): (B, C, H, W) -> (B, N, D)
    "PatchEmbeddings": [
        ((28, 7, 64, 1), (2, 1, 28, 28), (2, 16, 64)),
        ((32, 4, 48), (2, 3, 32, 32), (2, 64, 48)),
    ],
    # (num_patches, hidden_size): (B, N, D) -> (B, N + 1, D)
    "PositionEmbedding": [
        ((16, 64), (2, 16, 64), (2, 17, 64)),
        ((4, 32), (3, 4, 32), (3, 5, 32)),
    ],
    # (d_model, n_head): shape preserved. As many images as tokens, since a block may take either axis first.
    "ResidualAttentionBlock": [
        ((64, 4), (5, 5, 64), (5, 5, 64)),
        ((48, 3), (3, 3, 48), (3, 3, 48)),
    ],
    # (width, layers, heads): (B, N + 1, D) -> (B, N + 1, D)
    "Transformer": [
        ((64, 2, 4), (2, 17, 64), (2, 17, 64)),
        ((48, 1, 3), (3, 5, 48), (3, 5, 48)),
    ],
    # (image_size, patch_size, num_channels, hidden_size, layers, heads): (B, C, H, W) -> (B, D)
    "ViT": [
        ((28, 7, 1, 64, 2, 4), (2, 1, 28, 28), (2, 64)),
        ((28, 14, 3, 32, 1, 2), (3, 3, 28, 28), (3, 32)),
        ((32, 4, 1, 48, 1, 3), (2, 1, 32, 32), (2, 48)),
    ],
    # (hidden_size, num_classes=10): (B, D) -> (B, num_classes)
    "ClassificationHead": [
        ((64,), (2, 64), (2, 10)),
        ((32, 7), (3, 32), (3, 7)),
    ],
    # (hidden_size, embed_size=64): (B, D) -> (B, E)
    "LinearEmbeddingHead": [
        ((48,), (2, 48), (2, 64)),
        ((64, 16), (3, 64), (3, 16)),
    ],
}


def check(namespace: Mapping[str, object]) -> list[tuple[str, bool, str]]:
    """Check the seven classes, each by itself, without printing anything.

    Args:
        namespace: the classes by name; other names are ignored.

    Returns:
        For each class its name, whether its shapes are right, and a line that says what was seen.
    """
    return [(name, *_check_class(namespace.get(name), cases)) for name, cases in CASES.items()]


def _check_class(make: object, cases: list[Case]) -> tuple[bool, str]:
    if not callable(make):
        return False, "to do: not defined"
    for arguments, given, expected in cases:
        problem = _problem(make, arguments, given, expected)
        if problem:
            return False, problem
    return True, ", ".join(f"{given} -> {expected}" for _, given, expected in cases)


def _problem(
    make: Callable[..., Callable[..., object]], arguments: tuple[int, ...], given: Shape, expected: Shape
) -> str:
    """Say what is wrong with one case; empty when nothing is."""
    call = f"{getattr(make, '__name__', 'class')}{arguments} on {given}".replace(",)", ")")
    try:
        module = make(*arguments)
        if isinstance(module, torch.nn.Module):
            module.eval()
        with torch.no_grad():
            output = module(torch.randn(given))
    except NotImplementedError as error:
        return f"to do: {error}" if str(error) else "to do"
    except (Exception, SystemExit) as error:  # whatever one class does, the others get their line
        return f"wrong: {call} raised {type(error).__name__}: {_first_line(error)}"
    if not isinstance(output, torch.Tensor):
        return f"wrong: {call}: expected a tensor of shape {expected}, got {type(output).__name__}"
    if tuple(output.shape) != expected:
        return f"wrong: {call}: expected output shape {expected}, got {tuple(output.shape)}"
    return ""


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]


def load(path: Path) -> dict[str, object]:
    """Run a ``vit_model.py`` and give the names that it defines."""
    sys.path.insert(0, str(path.parent))  # so that it can import the modules beside it
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError("not a Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return vars(module)


def main(arguments: list[str]) -> int:
    """Print one line a class."""
    default = "student" if Path("student").is_dir() else "."
    path = Path(arguments[0] if arguments else default)
    path = path / "vit_model.py" if path.is_dir() else path
    if not path.is_file():
        print(f"{path}: no such file; give vit_model.py or the folder that holds it", file=sys.stderr)
        return 2
    try:
        namespace = load(path)
    except (Exception, SystemExit) as error:  # a student's file may fail in any way
        print(f"{path}: cannot be imported: {type(error).__name__}: {_first_line(error)}", file=sys.stderr)
        return 2
    results = check(namespace)
    for name, right, message in results:
        print(f"{name:<24}{'ok  ' if right else ''}{message}")
    return 0 if all(right for _, right, _ in results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
