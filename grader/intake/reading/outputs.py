"""The printed text of a cell, as its author saw it: progress bars overwritten, colours removed."""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from .notebook import is_text, text, without_surrogates

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def printed(outputs: list[Any], limit: int) -> str:
    """Return what a cell printed, streams and text results joined, at most ``limit`` characters."""
    parts = []
    for _, group in groupby(chunks(outputs), key=lambda chunk: chunk[0]):
        parts.append(overwritten(without_escapes("".join(chunk for _, chunk in group))))
    joined = "".join(part if part.endswith("\n") or not part else part + "\n" for part in parts)
    return without_surrogates(truncated(joined, limit))


def chunks(outputs: Iterable[Any]) -> Iterator[tuple[object, str]]:
    """Yield text with the stream it belongs to; every result is a stream of its own."""
    for number, output in enumerate(outputs):
        if not isinstance(output, dict):
            continue
        if output.get("output_type") == "stream" and is_text(output.get("text")):
            yield str(output.get("name")), text(output["text"])
        elif output.get("output_type") in ("execute_result", "display_data", "update_display_data"):
            shown = result_text(output.get("data"))
            if shown:
                yield number, shown


def result_text(data: Any) -> str:
    """Return a result's plain text, or nothing for a picture ("<Figure size ...>" says nothing)."""
    if not isinstance(data, dict) or any(kind.startswith("image/") for kind in data):
        return ""
    plain = data.get("text/plain", "")
    return text(plain) if is_text(plain) else ""


def without_escapes(shown: str) -> str:
    escape = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-_])")
    return escape.sub("", shown) if "\x1b" in shown else shown


def overwritten(shown: str) -> str:
    """Keep of each line what came after its last carriage return.

    A terminal would keep the tail of a longer text that was overwritten; here a shorter one replaces
    it whole, so that the digits of a progress bar never run into a number printed after it.
    """
    if "\r" in shown:
        lines = shown.replace("\r\n", "\n").split("\n")
        shown = "\n".join(line.rstrip("\r").rsplit("\r", 1)[-1] for line in lines)
    return CONTROL.sub("", shown)


def truncated(shown: str, limit: int) -> str:
    """Cut the middle out: a log's beginning and its end are what is looked at."""
    if len(shown) <= limit:
        return shown
    half = limit // 2
    return f"{shown[:half]}\n[... {len(shown) - 2 * half} characters left out ...]\n{shown[len(shown) - half :]}"


def errors(outputs: Iterable[Any]) -> list[str]:
    """Return "KeyboardInterrupt: " and the like for every saved error."""
    found = []
    max_characters = 500
    for output in outputs:
        if isinstance(output, dict) and output.get("output_type") == "error":
            line = f"{output.get('ename', 'Error')}: {output.get('evalue', '')}"
            found.append(without_surrogates(CONTROL.sub("", without_escapes(line))[:max_characters]))
    return found
