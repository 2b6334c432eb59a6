"""Where FashionMNIST comes from, and what is done with files that are not what they should be."""

import gzip
import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from grader.errors import GraderError
from grader.torchkit import fashion_mnist as data


@pytest.fixture
def source(tmp_path, monkeypatch):
    """A folder with four small files in place of the real ones, and a cache of the test's own."""
    raw = tmp_path / "root" / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    parts = {}
    for number, (name, part) in enumerate(data.PARTS.items()):
        shape = (7 + number, *part.shape[1:])
        values = np.random.default_rng(number).integers(0, 10, shape, dtype=np.uint8)
        content = bytes(16 if len(shape) == 3 else 8) + values.tobytes()
        packed = gzip.compress(content)
        (raw / f"{part.name}.gz").write_bytes(packed)
        parts[name] = data.DataFile(part.name, hashlib.md5(packed).hexdigest(), hashlib.md5(content).hexdigest(), shape)
    monkeypatch.setattr(data, "PARTS", parts)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(data.VARIABLE, raising=False)
    return raw


def expected(name: str) -> np.ndarray:
    number = list(data.PARTS).index(name)
    return np.random.default_rng(number).integers(0, 10, data.PARTS[name].shape, dtype=np.uint8)


def test_packed_files_are_read(source):
    loaded = data.load(source.parents[1])
    for name in data.PARTS:
        np.testing.assert_array_equal(getattr(loaded, name), expected(name))


def test_raw_files_are_read(source):
    for path in source.glob("*.gz"):
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    np.testing.assert_array_equal(data.load(source.parents[1]).test_images, expected("test_images"))


def test_the_variable_is_read_where_no_folder_is_given(source, monkeypatch):
    monkeypatch.setenv(data.VARIABLE, str(source.parents[1]))
    assert len(data.load().train_labels) == data.PARTS["train_labels"].shape[0]


def test_workers_never_get_the_test_labels(source):
    shared = data.load(source.parents[1]).shared_paths()
    assert set(shared) == {"train_images", "train_labels", "test_images"}
    assert all(np.load(path, mmap_mode="r").dtype == np.uint8 for path in shared.values())


def test_a_later_run_decodes_nothing(source, monkeypatch):
    data.load(source.parents[1])
    monkeypatch.setattr(data, "_verified", lambda *_: pytest.fail("decoded again"))
    data.load(source.parents[1])


def test_a_damaged_file_is_named_with_both_checksums(source):
    name = f"{data.PARTS['test_labels'].name}.gz"
    (source / name).write_bytes(b"nothing of the kind")
    with pytest.raises(GraderError, match=rf"{name}: MD5 \w+, expected \w+"):
        data.load(source.parents[1])


def test_a_file_that_was_changed_after_a_good_run_is_verified_again(source):
    data.load(source.parents[1])
    (source / f"{data.PARTS['train_images'].name}.gz").write_bytes(b"changed")
    with pytest.raises(GraderError, match="damaged"):
        data.load(source.parents[1])


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY half a head", None], ids=["empty", "torn", "short"])
def test_a_torn_file_in_the_cache_is_made_anew(source, tmp_path, content):
    kept = Path(data.load(source.parents[1]).paths["train_images"])
    kept.write_bytes(kept.read_bytes()[:-10] if content is None else content)
    np.testing.assert_array_equal(data.load(source.parents[1]).train_images, expected("train_images"))


def test_a_missing_file_is_one_line_that_says_how_to_get_it(source):
    (source / f"{data.PARTS['test_images'].name}.gz").unlink()
    with pytest.raises(GraderError) as caught:
        data.load(source.parents[1])
    message = str(caught.value)
    assert data.PARTS["test_images"].name in message and "--data" in message and "\n" not in message


def test_without_a_network_one_line_says_how_to_get_it(source, monkeypatch):
    def offline(*_):
        raise OSError("no route\nto host")

    monkeypatch.setattr("torchvision.datasets.utils.download_url", offline)
    with pytest.raises(GraderError, match=r"could not be downloaded \(no route to host\); give") as caught:
        data.load()
    assert "\n" not in str(caught.value)


def test_a_download_is_kept_in_the_cache(source, monkeypatch):
    told = []

    def download(url, folder, name, md5):
        (Path(folder) / name).write_bytes((source / name).read_bytes())

    monkeypatch.setattr("torchvision.datasets.utils.download_url", download)
    data.load(progress=told.append)
    assert len(told) == 1 and "FashionMNIST" in told[0]
    monkeypatch.setattr("torchvision.datasets.utils.download_url", lambda *_: pytest.fail("downloaded again"))
    np.testing.assert_array_equal(data.load().test_labels, expected("test_labels"))


def test_runs_at_the_same_time_do_not_disturb_each_other(source):
    with ThreadPoolExecutor(8) as pool:
        loads = list(pool.map(lambda _: data.load(source.parents[1]), range(16)))
    for loaded in loads:
        np.testing.assert_array_equal(loaded.train_images, expected("train_images"))


def test_a_cache_that_cannot_be_written_is_done_without(source, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
    np.testing.assert_array_equal(data.load(source.parents[1]).train_images, expected("train_images"))
