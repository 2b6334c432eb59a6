"""The completion of commands, options and values, as bash does it."""

import shutil
import subprocess

import pytest

from grader import cli
from grader.commands import COMMANDS, DEFAULT


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> str:
    said = pytest.MonkeyPatch()
    lines: list[str] = []
    with said.context() as patch:
        patch.setattr("builtins.print", lines.append)
        assert cli.main(["completion", "bash"]) == 0
    path = tmp_path_factory.mktemp("completion") / "vit-grade"
    path.write_text("\n".join(lines))
    return str(path)


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (["rel"], {"release"}),
        (["export", "--att"], {"--attempts"}),
        (["export", "--attempts", ""], {"latest", "best"}),
        (["--train", "a"], {"auto", "always"}),
        (["--log"], {"--log-json"}),
        (["export", "classroom"], {"classroom50"}),
    ],
)
def test_the_tab_key_offers(script: str, typed: list[str], offered: set[str]) -> None:
    words = " ".join(f"'{word}'" for word in ["vit-grade", *typed])
    asked = (
        f"source {script}; COMP_WORDS=({words}); COMP_CWORD={len(typed)}; "
        f"_shtab_vit_grade vit-grade '{typed[-1]}' '{(['vit-grade', *typed])[-2]}'; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    )
    done = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, timeout=20, check=True)
    assert set(done.stdout.split()) == offered, done.stderr


def test_every_command_is_offered(script: str) -> None:
    asked = f"source {script}; COMP_WORDS=(vit-grade ''); COMP_CWORD=1; _shtab_vit_grade vit-grade '' vit-grade; echo \"${{COMPREPLY[@]}}\""
    done = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, timeout=20, check=True)
    assert {*COMMANDS} - {DEFAULT} <= set(done.stdout.split())


def test_without_the_library_the_line_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "shtab", None)
    assert cli.main(["completion", "bash"]) == 2
    assert "pip install 'vit-grade[completion]'" in capsys.readouterr().err
