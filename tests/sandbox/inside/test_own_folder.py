"""Where one call of student code works: a folder of its own, with what the program has written."""

from pathlib import Path

import pytest

from grader.sandbox.inside.own_folder import own_folder


def test_small_files_are_there_and_what_is_written_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("config.json", "vit_embeds.pt"):
        Path(name).write_text("{}")
    Path("large.csv").write_bytes(bytes(20 << 20))
    Path("link").symlink_to("config.json")
    with own_folder() as folder:
        assert [path.name for path in Path().iterdir()] == ["config.json"]
        Path("config.json").write_text("changed")
        Path("new").touch()
    assert not folder.exists() and Path.cwd() == tmp_path
    assert Path("config.json").read_text() == "{}" and not Path("new").exists()
