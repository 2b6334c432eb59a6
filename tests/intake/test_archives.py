"""Archives and folders: what is opened, what is refused before the first byte is written."""

import gzip
import io
import os
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from grader.intake import IntakeLimits, Rejected
from grader.intake.opening import GraderError
from grader.records import Submission
from tests.intake.building import opened, processor_seconds, write_modules, write_notebook

Files = dict[str, bytes | str]
GOOD: Files = {
    "a.ipynb": '{"nbformat": 4, "cells": [{"cell_type": "code", "source": "from m import lr"}]}',
    "m.py": "lr = 1",
}


def zipped(path: Path, files: Files, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def tarred(path: Path, files: Files, **kinds: bytes) -> Path:
    mode: Any = {"tgz": "w:gz", "gz": "w:gz", "xz": "w:xz", "bz2": "w:bz2"}.get(path.suffix[1:], "w")
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            content = content.encode() if isinstance(content, str) else content
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for name, kind in kinds.items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    return path


def under(folder: str, files: Files) -> Files:
    return {f"{folder}/{name}": content for name, content in files.items()}


SHAPES: dict[str, Callable[[Path], Path]] = {
    "zip": lambda d: zipped(d / "ab12.zip", GOOD),
    "stored zip": lambda d: zipped(d / "ab12.zip", GOOD, zipfile.ZIP_STORED),
    "zip with a folder": lambda d: zipped(d / "ab12.zip", under("Assignment3", GOOD)),
    "zip with folders": lambda d: zipped(d / "ab12.zip", under("a/b/c", GOOD)),
    "zip from a Mac": lambda d: zipped(
        d / "ab12.zip", under("x", GOOD) | {"__MACOSX/x/._m.py": "\0", "x/.DS_Store": "\0"}
    ),
    "zip with left-overs": lambda d: zipped(
        d / "ab12.zip",
        GOOD | {".git/config": "", "__pycache__/m.pyc": "", ".ipynb_checkpoints/a.ipynb": "", "pictures/x.png": "x"},
    ),
    "zip with backslashes": lambda d: zipped(d / "ab12.zip", {f"hw\\{name}": text for name, text in GOOD.items()}),
    "zip with a folder and backslashes": lambda d: zipped(
        d / "ab12.zip", {"hw\\": ""} | {f"hw\\{name}": text for name, text in GOOD.items()}
    ),
    "zip with the picture of a folder": lambda d: zipped(
        d / "ab12.zip", under("x", GOOD) | {"x/Icon\r": "", "__MACOSX/x/._Icon\r": "\0"}
    ),
    "zip with a link in .venv": lambda d: with_link(zipped(d / "ab12.zip", GOOD), ".venv/bin/python"),
    "zip with a link in .venv, backslashes": lambda d: with_link(zipped(d / "ab12.zip", GOOD), ".venv\\bin\\python"),
    "tar.gz with links in .venv": lambda d: tarred(
        d / "ab12.tar.gz",
        under("x", GOOD) | {"x/.DS_Store": "", "x/Icon\r": ""},
        **{"x/.venv/lib64": tarfile.SYMTYPE, "x/node_modules/a": tarfile.LNKTYPE, "x/.git/pipe": tarfile.FIFOTYPE},
    ),
    "zip with many ignored files": lambda d: zipped(
        d / "ab12.zip", GOOD | {f"x/node_modules/{number}.js": "" for number in range(2_100)}
    ),
    "zip with ignored files that are large": lambda d: zipped(
        d / "ab12.zip", GOOD | {".venv/lib/x.so": bytes(40_000_000), ".git/" + "a/" * 40 + "b": ""}
    ),
    "zip with ignored files that differ by case": lambda d: zipped(
        d / "ab12.zip", GOOD | {".git/A.py": "", ".git/a.py": ""}
    ),
    "zip in a zip": lambda d: zipped(d / "ab12.zip", {"inner.zip": zipped(d / "x.zip", GOOD).read_bytes()}),
    "tar in a zip": lambda d: zipped(d / "ab12.zip", {"i.tar.gz": tarred(d / "x.tgz", GOOD).read_bytes()}),
    "tar": lambda d: tarred(d / "ab12.tar", GOOD),
    "tar that ends with a zip": lambda d: tarred(
        d / "ab12.tar", GOOD | {".DS_Store": zipped(d / "x.zip", GOOD).read_bytes()}
    ),
    "tar with dots": lambda d: tarred(d / "ab12.tar", under(".", GOOD)),
    "tar.gz": lambda d: tarred(d / "ab12.tar.gz", under("x", GOOD)),
    "tgz": lambda d: tarred(d / "ab12.tgz", GOOD),
    "tar.xz": lambda d: tarred(d / "ab12.tar.xz", GOOD),
    "zip named tar": lambda d: zipped(d / "ab12.tar", GOOD),
}


@pytest.mark.parametrize("make", SHAPES.values(), ids=SHAPES.keys())
def test_a_submission_is_the_same_however_it_is_packed(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    submission = opened(make(tmp_path))
    plain = folder_of(tmp_path / "plain", GOOD)
    assert submission.name == "ab12"
    assert submission.notebook == "a.ipynb"
    assert submission.files.keys() == {"a.ipynb", "m.py"}
    assert submission.program.names["lr"].file == "m.py"
    assert submission.sha256 == opened(plain).sha256


def with_link(archive: Path, name: str) -> Path:
    """Add a symbolic link to a zip."""
    with zipfile.ZipFile(archive, "a") as packed:
        info = zipfile.ZipInfo(name)
        info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        packed.writestr(info, "/usr/bin/python3")
    return archive


def folder_of(folder: Path, files: Files) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def zip_with(change: Callable[[zipfile.ZipInfo], None], name: str = "m.py") -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        with zipfile.ZipFile(folder / "ab12.zip", "w") as archive:
            archive.writestr("a.ipynb", GOOD["a.ipynb"])
            info = zipfile.ZipInfo(name)
            change(info)
            archive.writestr(info, "lr = 1")
        return folder / "ab12.zip"

    return make


def zip_named(*names: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        with zipfile.ZipFile(folder / "ab12.zip", "w") as archive:
            for name in ("a.ipynb", *names):
                archive.writestr(name, "" if name.endswith("/") else GOOD["a.ipynb"])
        return folder / "ab12.zip"

    return make


def of_type(mode: int) -> Callable[[zipfile.ZipInfo], None]:
    def change(info: zipfile.ZipInfo) -> None:
        info.create_system, info.external_attr = 3, (mode | 0o777) << 16

    return change


def patched(folder: Path, change: Callable[[bytearray, int], None]) -> Path:
    """Return a zip whose table of contents was changed at its second entry."""
    data = bytearray(zipped(folder / "ab12.zip", {"a.ipynb": "x" * 500, "m.py": "y" * 500}).read_bytes())
    change(data, data.rindex(b"PK\1\2"))
    (folder / "ab12.zip").write_bytes(data)
    return folder / "ab12.zip"


def put(offset: int, kind: str, value: int) -> Callable[[bytearray, int], None]:
    return lambda data, entry: struct.pack_into(kind, data, entry + offset, value)


UNSAFE: dict[str, tuple[Callable[[Path], Path], str]] = {
    "climbing": (zip_named("../m.py"), "leaves the archive"),
    "climbing inside": (zip_named("x/../../m.py"), "leaves the archive"),
    "absolute": (zip_named("/etc/cron.d/x"), "absolute path"),
    "drive": (zip_named("C:/x.py"), "absolute path"),
    "climbing by backslashes": (zip_named("..\\m.py"), "leaves the archive"),
    "climbing by backslashes inside": (zip_named("x\\..\\..\\m.py"), "leaves the archive"),
    "climbing out of an ignored folder": (zip_named(".git/../../m.py"), "leaves the archive"),
    "absolute by a backslash": (zip_named("\\etc\\m.py"), "absolute path"),
    "drive by a backslash": (zip_named("C:\\m.py"), "absolute path"),
    "control character": (zip_named("m\n.py"), "no printable name"),
    "same file": (zip_named("M.py", "m.PY"), "the same file"),
    "same file in Unicode": (zip_named("\u00e9.py", "e\u0301.py"), "the same file"),
    "same file by ligature": (zip_named("\ufb01.py", "fi.py"), "the same file"),
    "file and folder": (zip_named("m.py", "m.py/x.py"), "a file and a folder"),
    "folder and file": (zip_named("M.py/", "m.py"), "a file and a folder"),
    "deep": (zip_named("a/" * 40 + "m.py"), "folders deep"),
    "long": (zip_named("a" * 300 + ".py"), "too long"),
    "link": (zip_with(of_type(stat.S_IFLNK)), "is a link"),
    "device": (zip_with(of_type(stat.S_IFCHR)), "device"),
    "pipe": (zip_with(of_type(stat.S_IFIFO)), "pipe"),
    "encrypted": (lambda d: patched(d, put(8, "<H", 1)), "encrypted"),
    "unknown method": (lambda d: patched(d, put(10, "<H", 99)), "unknown method"),
    "overlapping": (lambda d: patched(d, put(42, "<I", 5)), "overlap"),
    "longer than it says": (lambda d: patched(d, put(24, "<I", 400)), "cannot be read"),
    "shorter than it says": (lambda d: patched(d, put(24, "<I", 600)), "shorter than it says"),
    "behind the end": (lambda d: patched(d, put(20, "<I", 5_000)), "behind the archive"),
    "many": (zip_named(*(f"{number}.txt" for number in range(2_001))), "more than 2000 members"),
    "bomb": (lambda d: zipped(d / "ab12.zip", GOOD | {"x.pt": bytes(40_000_000)}), "times its size"),
    "lying table": (lambda d: cut_zip(d), "before the archive"),
    "archive in archive in archive": (lambda d: nested(d, 3), "archives inside archives"),
    "tar climbing": (lambda d: tarred(d / "x.tar", {"../m.py": ""}), "leaves the archive"),
    "tar absolute": (lambda d: tarred(d / "x.tar", {"/m.py": ""}), "absolute path"),
    "tar link": (lambda d: tarred(d / "x.tar", GOOD, x=tarfile.SYMTYPE), "is a link"),
    "tar hard link": (lambda d: tarred(d / "x.tar", GOOD, x=tarfile.LNKTYPE), "is a link"),
    "tar device": (lambda d: tarred(d / "x.tar", GOOD, x=tarfile.CHRTYPE), "device"),
    "tar pipe": (lambda d: tarred(d / "x.tar", GOOD, x=tarfile.FIFOTYPE), "pipe"),
    "tar same file": (lambda d: tarred(d / "x.tar", {"a.py": "", "A.py": ""}), "the same file"),
    "tar bomb": (lambda d: tarred(d / "x.tgz", GOOD | {"x.pt": bytes(40_000_000)}), "times its size"),
    "tar cut off": (lambda d: cut_tar(d), "no readable archive|shorter than it says|cannot be read"),
    "no archive": (lambda d: folder_of(d, {"x.zip": "hello"}) / "x.zip", "no readable archive"),
    "a RAR by another name": (lambda d: folder_of(d, {"x.zip": "Rar!\x1a\x07"}) / "x.zip", "is a RAR archive"),
    "a 7z by another name": (lambda d: bytes_of(d / "x.tar", b"7z\xbc\xaf\x27\x1c"), "is a 7z archive"),
    "empty": (lambda d: folder_of(d, {"x.zip": ""}) / "x.zip", "empty file"),
    "other kind": (lambda d: folder_of(d, {"x.rar": "Rar!"}) / "x.rar", "another kind"),
    "nothing inside": (
        lambda d: zipped(d / "x.zip", {"essay.txt": "Dear"}),
        "holds no notebook and no .py file; it holds 'essay.txt'",
    ),
    "a login page": (lambda d: folder_of(d, {"x.zip": "<html><body>Sign in"}) / "x.zip", "is a web page"),
    "a document": (lambda d: folder_of(d, {"x.docx": "PK"}) / "x.docx", "is a document of Office"),
    "a PDF": (lambda d: folder_of(d, {"x.pdf": "%PDF-1.4"}) / "x.pdf", "is a PDF"),
    "broken notebook": (lambda d: zipped(d / "x.zip", GOOD | {"a.ipynb": "{"}), "JSON is broken"),
}


def bytes_of(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def cut_zip(folder: Path) -> Path:
    path = zipped(folder / "ab12.zip", GOOD)
    path.write_bytes(path.read_bytes()[30:])
    return path


def cut_tar(folder: Path) -> Path:
    path = tarred(folder / "x.tar", {"a.ipynb": os.urandom(5_000)})
    path.write_bytes(path.read_bytes()[:3_000])
    return path


def nested(folder: Path, levels: int) -> Path:
    files = GOOD
    for level in range(levels):
        path = zipped(folder / f"{level}.zip", files)
        files = {"inner.zip": path.read_bytes()}
    return path


@pytest.mark.parametrize("make, reason", UNSAFE.values(), ids=UNSAFE.keys())
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_unsafe_archive_is_rejected_and_leaves_nothing(
    tmp_path: Path, make: Callable[[Path], Path], reason: str
) -> None:
    path = make(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(Rejected, match=reason) as caught:
        opened(path)
    assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)
    assert sorted(tmp_path.rglob("*")) == before
    assert not any(tmp_path.with_name(tmp_path.name + "-workspace").rglob("*.*/*"))


NOT_NEEDED = {
    "texts": {"README.md": "a", "readme.md": "b"},
    "pictures": {"x.PNG": "a", "x.png": "b"},
    "a text and a folder": {"m": "a", "M/b.md": "b", "notes.txt": "", "NOTES.TXT/x.md": ""},
}


@pytest.mark.parametrize("files", NOT_NEEDED.values(), ids=NOT_NEEDED.keys())
@pytest.mark.parametrize("pack", [zipped, tarred], ids=["zip", "tar"])
def test_names_that_differ_by_case_are_harmless_where_grading_needs_neither(
    tmp_path: Path, files: Files, pack: Callable[[Path, Files], Path]
) -> None:
    path = pack(tmp_path / ("ab12.zip" if pack is zipped else "ab12.tar"), GOOD | files)
    assert opened(path).program.names["lr"].file == "m.py"


@pytest.mark.parametrize("limit", ["packed", "unpacked"])
def test_an_archive_over_a_limit_is_rejected(tmp_path: Path, limit: str) -> None:
    with pytest.raises(Rejected, match="MB"):
        opened(zipped(tmp_path / "x.zip", GOOD), limits=IntakeLimits(**{limit: 50}))


def test_a_tar_whose_extended_header_never_ends_is_rejected(tmp_path: Path) -> None:
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, 1 << 33
    with gzip.open(tmp_path / "x.tar.gz", "wb") as file:
        file.write(header.tobuf(tarfile.GNU_FORMAT) + bytes(50_000_000))
    with pytest.raises(Rejected):
        opened(tmp_path / "x.tar.gz", limits=IntakeLimits(memory=500_000_000, seconds=10))


def test_a_table_of_contents_too_long_is_not_even_read(tmp_path: Path) -> None:
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, 200_000_000, 0, 0)
    (tmp_path / "x.zip").write_bytes(b"\0" * 100 + end)
    with pytest.raises(Rejected, match="members"):
        opened(tmp_path / "x.zip")


def test_of_a_folder_only_what_grading_needs_is_copied(tmp_path: Path) -> None:
    files = GOOD | {
        "vit_embeds.pt": b"\0" * 9,
        "sub/vit_classifier.pth": b"1",
        "x.png": b"",
        "notes.md": "",
        "d.gz": "",
    }
    submission = opened(folder_of(tmp_path / "ab12", files | {"big.csv": b"1" * 1_100_000}))
    copied = {path.relative_to(submission.root).as_posix() for path in submission.root.rglob("*") if path.is_file()}
    assert copied == {"a.ipynb", "m.py", "vit_embeds.pt", "sub/vit_classifier.pth", "notes.md"}
    assert submission.files["vit_classifier.pth"].read_bytes() == b"1"


def test_links_in_a_folder_are_not_followed(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "ab12", GOOD)
    (folder / "secret.py").symlink_to("/etc/passwd")
    (folder / "all").symlink_to("/etc")
    os.mkfifo(folder / "pipe.py")
    submission = opened(folder)
    assert submission.files.keys() == {"a.ipynb", "m.py"}
    assert len(submission.problems) == 3


def test_the_copies_are_what_counts(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "ab12", GOOD)
    submission = opened(folder)
    (folder / "m.py").write_text("lr = 2")
    assert (submission.root / "m.py").read_text() == "lr = 1"


def test_the_digest_depends_on_names_and_bytes(tmp_path: Path) -> None:
    variants = [GOOD, GOOD | {"m.py": "lr = 2"}, GOOD | {"n.py": ""}, {"b.ipynb": GOOD["a.ipynb"], "m.py": "lr = 1"}]
    found = [opened(folder_of(tmp_path / str(number), files)) for number, files in enumerate(variants)]
    assert len({submission.sha256 for submission in found}) == 4


def test_a_notebook_file_brings_the_files_beside_it(tmp_path: Path) -> None:
    folder_of(tmp_path, GOOD | {"vit_embeds.pt": b"1", "other.txt": "x", "sub/deep.pt": b"2"})
    assert opened(tmp_path / "a.ipynb").files.keys() == {"a.ipynb", "m.py", "vit_embeds.pt"}


def test_a_notebook_file_brings_the_texts_that_it_names(tmp_path: Path) -> None:
    write_notebook(tmp_path / "a.ipynb", 'lr = json.load(open("config.json"))["lr"]')
    folder_of(tmp_path, {"config.json": "{}", "other.json": "{}"})
    assert opened(tmp_path / "a.ipynb").files.keys() == {"a.ipynb", "config.json"}


def test_strangers_too_large_beside_a_notebook_are_left_out(tmp_path: Path) -> None:
    folder_of(tmp_path, GOOD | {"vit_embeds.pt": b"1", "huge.pt": b"2" * 9_000})
    submission = opened(tmp_path / "a.ipynb", limits=IntakeLimits(unpacked=5_000))
    assert submission.files.keys() == {"a.ipynb", "m.py", "vit_embeds.pt"}


@pytest.mark.parametrize("name", ["essay.txt", "picture.png", "missing.ipynb", "folder"])
def test_what_is_no_submission_is_said_in_one_line(tmp_path: Path, name: str) -> None:
    folder_of(tmp_path, {"essay.txt": "Dear", "picture.png": "x", "folder/essay.txt": "Dear"})
    with pytest.raises(GraderError) as caught:
        opened(tmp_path / name)
    assert isinstance(caught.value, Rejected) == (name != "missing.ipynb")  # a path that is mistyped is nobody's work
    assert str(caught.value).startswith(str(tmp_path / name)) and "\n" not in str(caught.value)


def test_a_workspace_in_use_is_left_alone(tmp_path: Path) -> None:
    path = write_notebook(tmp_path / "in" / "a.ipynb", "lr = 1")
    opened(path)
    with pytest.raises(GraderError, match="expected an empty folder"):
        opened(path)


def chosen(folder: Path, **notebooks: str) -> Submission:
    for name, source in notebooks.items():
        write_notebook(folder / f"{name}.ipynb", source)
    write_modules(folder, parts="tfm_train = tfm_test = 1", gaps=GAPS)
    return opened(folder)


GAPS = """
lr = 1
tfm_train = None
def get_embeddings(x):
    '''Return embeddings.'''
    raise NotImplementedError
class ViT:
    def forward(self, x):
        raise NotImplementedError("embed")
"""
CHOICES = {
    "most names": ({"a": "x = 1", "b": "lr = 1", "submission": "print()"}, "b"),
    "imported names count": ({"a": "lr = 1", "b": "from parts import *"}, "b"),
    "named like it": ({"a": "lr = 1", "my_assignment3": "lr = 1", "z": "lr = 1"}, "my_assignment3"),
    "no copy": ({"hw-Copy1": "lr = 1", "hw": "lr = 1"}, "hw"),
    "nearer to the top": ({"old/hw": "lr = 1", "hww": "lr = 1"}, "hww"),
    "none": ({"b": "x = 1", "a": "x = 1"}, "a"),
    "filled in": (
        {"assignment3": GAPS, "assignment3_solution": GAPS.replace("raise NotImplementedError", "return x")},
        "assignment3_solution",
    ),
    "part of it filled in": ({"a": GAPS, "b": GAPS.replace("tfm_train = None", "tfm_train = 3")}, "b"),
    "less of it, filled in": ({"a": GAPS, "b": "lr = 1\ntfm_train = 3"}, "b"),
    "gaps of other kinds": (
        {"a": GAPS.replace("raise NotImplementedError", "pass"), "b": "lr = 1\ntfm_train = 3"},
        "b",
    ),
    "gaps that are imported": ({"a": "from gaps import *", "b": "lr = 1\ntfm_train = 3"}, "b"),
}


@pytest.mark.parametrize("notebooks, best", CHOICES.values(), ids=CHOICES.keys())
def test_of_several_notebooks_one_counts(tmp_path: Path, notebooks: dict[str, str], best: str) -> None:
    submission = chosen(tmp_path / "ab12", **notebooks)
    assert submission.notebook == f"{best}.ipynb"
    assert any("other notebooks" in problem for problem in submission.problems)


def test_of_equal_notebooks_the_one_that_was_executed_counts(tmp_path: Path) -> None:
    write_notebook(tmp_path / "ab12/assignment3.ipynb", "lr = 1")
    output = nbformat.v4.new_output("stream", text="1")
    write_notebook(tmp_path / "ab12/run.ipynb", nbformat.v4.new_code_cell("lr = 1", outputs=[output]))
    assert opened(tmp_path / "ab12").notebook == "run.ipynb"


def test_a_broken_notebook_beside_a_good_one_is_said(tmp_path: Path) -> None:
    submission = opened(folder_of(tmp_path / "ab12", GOOD | {"b.ipynb": "{"}))
    assert submission.notebook == "a.ipynb"
    assert any("b.ipynb" in problem for problem in submission.problems)


def test_a_broken_notebook_beside_one_without_a_name_is_rejected(tmp_path: Path) -> None:
    path = write_notebook(tmp_path / "ab12" / "scratch.ipynb", "x = 1")
    folder_of(path.parent, {"submission.ipynb": "{", "vit_model.py": "lr = 1"})
    with pytest.raises(Rejected, match=r"submission\.ipynb"):
        opened(path.parent)


def test_loose_files_are_opened_under_their_original_names(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "bulk", {f"doe_1_2_{name}": content for name, content in GOOD.items()})
    archive = zipped(folder / "doe_1_3_more.zip", {"vit_embeds.pt": b"1", "m.py": "lr = 7"})
    files = {name: folder / f"doe_1_2_{name}" for name in GOOD} | {"more.zip": archive}
    submission = opened(folder / "doe_1_2_a.ipynb", files=files, name="doe")
    assert submission.files.keys() == {"a.ipynb", "m.py", "vit_embeds.pt"}
    assert (submission.root / "m.py").read_text() == "lr = 1"


def test_what_intake_says_has_no_control_characters_of_the_submissions(tmp_path: Path) -> None:
    folder = tmp_path / "ab12"
    write_notebook(folder / "a.ipynb", "%%\x1b[31mbash\x07\nls", "x = = '\x1b'")
    folder_of(folder, {"new\nline.py": "", "\x1b[2J.py": ""})
    (folder / "li\nnk.py").symlink_to("/etc/passwd")
    problems = opened(folder).problems
    assert len(problems) == 5
    assert all(problem.isprintable() for problem in problems)


def test_a_submission_is_opened_in_a_tenth_of_a_second(tmp_path: Path) -> None:
    path = write_notebook(tmp_path / "ab12" / "a.ipynb", *["class A:\n    def f(self):\n        return 1\n" * 5] * 30)
    times = []
    for number in range(5):
        start = processor_seconds()
        opened(path, workspace=tmp_path / str(number))
        times.append(processor_seconds() - start)
    assert min(times) < 0.25  # about 0.08 s


@pytest.mark.parametrize(
    ("imported", "module"), [("from .model import ViT", "net.model"), ("from model import ViT", "model")]
)
def test_a_package_alone_keeps_its_name_where_its_modules_need_it(tmp_path: Path, imported: str, module: str) -> None:
    files: Files = {"net/__init__.py": "", "net/model.py": "class ViT: pass", "net/run.py": f"{imported}\nlr = ViT"}
    for packed in (zipped(tmp_path / "ab12.zip", under("hw3", files)), tarred(tmp_path / "ab12.tar", files)):
        assert set(opened(packed).program.modules) >= {module}
