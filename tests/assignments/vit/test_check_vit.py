"""What ``check_vit.py`` tells a student about right, wrong, missing and raising classes."""

import os
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import pytest
import torch
from torch import nn

import check_vit

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def reference() -> dict[str, object]:
    return check_vit.load(ROOT / "reference" / "vit_model.py")


def line_of(name: str, namespace: dict[str, object]) -> tuple[bool, str]:
    return {found: (right, message) for found, right, message in check_vit.check(namespace)}[name]


class SequenceFirstBlock(nn.Module):
    def __init__(self, d_model: int, n_head: int) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(d_model, n_head)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.attention(x, x, x)[0]


def class_giving(output: Callable[[torch.Tensor], object]) -> type[nn.Module]:
    class Wrong(nn.Module):
        def __init__(self, *_: int) -> None:
            super().__init__()

        def forward(self, x: torch.Tensor) -> object:
            return output(x)

    return Wrong


def exits(_: torch.Tensor) -> object:
    raise SystemExit(3)


def is_to_do(_: torch.Tensor) -> object:
    raise NotImplementedError("project the patches")


def test_the_reference_is_right_in_all_seven_classes(reference: dict[str, object]) -> None:
    results = check_vit.check(reference)
    assert [name for name, _, _ in results] == list(check_vit.CASES)
    assert all(right for _, right, _ in results)
    assert results[0][2].startswith("(2, 1, 28, 28) -> (2, 16, 64)")


def test_a_block_may_take_the_sequence_axis_first(reference: dict[str, object]) -> None:
    assert line_of("ResidualAttentionBlock", {**reference, "ResidualAttentionBlock": SequenceFirstBlock})[0]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        pytest.param(lambda x: torch.zeros(2, 64, 16), "shape (2, 16, 64), got (2, 64, 16)", id="shape"),
        pytest.param(lambda x: (x, x), "expected a tensor of shape (2, 16, 64), got tuple", id="tuple"),
        pytest.param(lambda x: x[99], "raised IndexError", id="exception"),
        pytest.param(exits, "raised SystemExit: 3", id="exit"),
        pytest.param(is_to_do, "to do: project the patches", id="to do"),
    ],
)
def test_a_wrong_class_is_explained_and_hides_no_other(
    wrong: Callable[[torch.Tensor], object], said: str, reference: dict[str, object]
) -> None:
    results = check_vit.check({**reference, "PatchEmbeddings": class_giving(wrong)})
    assert said in results[0][2]
    assert [right for _, right, _ in results] == [False] + [True] * 6


@pytest.mark.parametrize(
    "fixed", [(28, 7, 1), (28, 14, 3), (32, 4, 1)], ids=["only 7x7 patches", "only colour", "only 32x32"]
)
def test_a_vit_that_ignores_its_arguments_is_wrong(fixed: tuple[int, int, int], reference: dict[str, object]) -> None:
    image_size, patch_size, num_channels = fixed

    def ignorant(*arguments: int) -> object:
        return reference["ViT"](image_size, patch_size, num_channels, *arguments[3:])

    assert not line_of("ViT", {**reference, "ViT": ignorant})[0]


@pytest.mark.parametrize("nothing", [{}, {"ViT": 3}], ids=["missing", "not a class"])
def test_a_class_that_is_not_there_is_to_do(nothing: dict[str, object]) -> None:
    assert line_of("ViT", nothing) == (False, "to do: not defined")


def test_check_prints_nothing(reference: dict[str, object], capsys: pytest.CaptureFixture[str]) -> None:
    check_vit.check(reference)
    check_vit.check({})
    assert capsys.readouterr() == ("", "")


Outcome = tuple[int, str, str]  # exit status, standard output, standard error


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Run it as a program, in this process: another one would import torch first."""

    def run(*arguments: str | Path) -> Outcome:
        monkeypatch.chdir(ROOT)
        monkeypatch.setattr(sys, "argv", ["check_vit.py", *map(str, arguments)])
        monkeypatch.setattr(sys, "path", sys.path.copy())
        with pytest.raises(SystemExit) as end:
            runpy.run_path("check_vit.py", run_name="__main__")
        return end.value.code, *capsys.readouterr()

    return run


@pytest.mark.parametrize("path", ["reference", "reference/vit_model.py"], ids=["folder", "file"])
def test_the_reference_gets_seven_lines_and_exit_status_0(path: str, run: Callable[..., Outcome]) -> None:
    status, out, err = run(path)
    assert status == 0, err
    assert len(out.splitlines()) == 7
    assert out.startswith("PatchEmbeddings         ok  (2, 1, 28, 28) -> (2, 16, 64)")


def test_the_template_is_the_default_and_still_to_do() -> None:
    command = [sys.executable, "-B", ROOT / "check_vit.py"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert [line.split()[1:3] for line in done.stdout.splitlines()] == [["to", "do:"]] * 7


@pytest.mark.parametrize(
    ("source", "said"),
    [
        pytest.param(None, "no such file", id="missing"),
        pytest.param("def f(:\n", "cannot be imported: SyntaxError", id="syntax error"),
        pytest.param("raise SystemExit(0)\n", "cannot be imported: SystemExit", id="exit"),
    ],
)
def test_a_file_that_cannot_be_checked_is_one_line_and_exit_status_2(
    source: str | None, said: str, tmp_path: Path, run: Callable[..., Outcome]
) -> None:
    if source is not None:
        (tmp_path / "vit_model.py").write_text(source)
    status, _, err = run(tmp_path)
    assert status == 2
    assert said in err
    assert len(err.splitlines()) == 1
