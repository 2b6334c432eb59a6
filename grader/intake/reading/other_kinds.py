"""What people hand in where a notebook is expected, told by its first bytes: documents, web pages, other archives."""

from pathlib import Path

START_BYTES = 1_000  # of a file that are looked at

OTHER_ARCHIVES = {b"Rar!\x1a\x07": "RAR", b"7z\xbc\xaf\x27\x1c": "7z"}  # which nothing here opens
DOCUMENTS = {  # first bytes -> what the file is
    b"%PDF": "a PDF",
    b"{\\rtf": "a document of a word processor",
    b"\xd0\xcf\x11\xe0": "a document of Office",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
}
PACKED_DOCUMENTS = (".docx", ".odt", ".pptx", ".pages")  # zips of parts that only these programs read
PAGES = (b"<!doctype html", b"<html", b"<?xml")
AS_NOTEBOOK = "hand in the notebook itself, the .ipynb file (in Jupyter and Colab: File > Download)"


def told_kind(name: str, start: bytes) -> str:
    """Say what a file is that was handed in for a notebook and is none, and what to hand in.

    Args:
        name: of the file.
        start: its first ``START_BYTES``.

    Returns:
        a sentence without its subject; empty where its kind is not known.
    """
    text = start.lstrip(b" \t\r\n\xef\xbb\xbf").lower()
    if text.startswith(PAGES):
        return f"is a web page, not a notebook: {AS_NOTEBOOK}"
    if name.lower().endswith(PACKED_DOCUMENTS):
        return f"is a document of Office, which holds no code that runs: {AS_NOTEBOOK}"
    if start.startswith(b"PK\x03\x04") and name.lower().endswith(".ipynb"):
        return "is a zip archive under another name: rename it to .zip, and hand that in"
    for magic, kind in OTHER_ARCHIVES.items():
        if start.startswith(magic):
            return f"is a {kind} archive, which is not opened here: hand in a zip, or a tar"
    for magic, kind in DOCUMENTS.items():
        if start.startswith(magic):
            return f"is {kind}, which holds no code that runs: {AS_NOTEBOOK}"
    return ""


def start_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(START_BYTES)
