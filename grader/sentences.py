"""Messages and hints as running text: each sentence once, a capital letter after a full stop, no words of the grader's."""

import difflib
import sys
import tempfile
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from grader import patterns
from grader.records import GradeWarning

MIN_REPEATED = 12  # characters of a sentence that is worth leaving out where it was said before


def one_line(text: str) -> str:
    """A text without line breaks of any kind."""
    return " ".join(text.splitlines())


def sentence(message: str, hint: str) -> str:
    """A message and its hint as running text."""
    stop = "" if message.endswith((".", "!", "?")) else "."
    return f"{message}{stop} {hint}".strip()


def running(texts: Iterable[str]) -> str:
    """Several texts one after the other; a sentence that an earlier one holds is left out."""
    said: list[str] = []
    for text in texts:
        new = [each for each in split(text) if len(each) < MIN_REPEATED or each not in said]
        said += [_capital(each) if said and number == 0 else each for number, each in enumerate(new)]
    return " ".join(said)


def split(text: str) -> list[str]:
    """The sentences of a text, as far as full stops, question and exclamation marks tell."""
    ends = [at for at in range(1, len(text)) if text[at] == " " and text[at - 1] in ".!?"]
    ends = [at for at in ends if not text[:at].endswith(("i.e.", "e.g."))]
    return [text[start:end].strip() for start, end in zip([0, *ends], [*ends, len(text)], strict=True)]


def _capital(text: str) -> str:
    """A text that begins with a word, with a capital letter; names of code, as x or num_patches, stay as they are."""
    first = text.split(" ", 1)[0].strip(",:;'")
    return text[0].upper() + text[1:] if first.isalpha() and (len(first) > 1 or first == "a") else text


def for_students(warnings: Iterable[GradeWarning]) -> list[GradeWarning]:
    """The warnings that students read as well."""
    for_instructors = ("forged.observation", "grader.error")  # codes of those that they need not understand
    return [warning for warning in warnings if warning.code not in for_instructors]


def did_you_mean(word: str, known: Collection[str], otherwise: str = "") -> str:
    """The end of a message on an unknown word: the known one that resembles it, or ``otherwise`` where none does."""
    close = difflib.get_close_matches(word, list(known), 1)
    return f", did you mean {close[0]!r}?" if close else otherwise


def number_of(number: float, one: str, many: str = "") -> str:
    """How many there are: "1 image", "5,000 images", "2.5 points"."""
    return f"{number:,.10g} {one if number == 1 else many or one + 's'}"


def type_words(name: str, article: str = "") -> str:
    """A type that came in the place of another one, as the end of "expected …, got"."""
    return "None" if name == "NoneType" else f"{article}{name[:60]}"


def return_hint(got: str, otherwise: str) -> str:
    """What to try where something else came back; ``got`` is ``type_words`` of it, or the like."""
    if got == "None":
        return "Nothing comes back: is the `return` missing? print() shows a value and does not return it."
    return otherwise


def objections(text: str, operations: Collection[str] = ()) -> Iterator[str]:
    """What a student should not read in a text.

    Args:
        operations: names of what workers are asked to do.
    """
    own_words = patterns.compile(
        r"(?i)\b(stand-ins?|probe[ds]?|probing|workers?|observations?|zygotes?|firewall|misfits?)\b"
    )
    for word in [found.group(0) for found in own_words.finditer(text)] + [name for name in operations if name in text]:
        yield f"the grader's own word {word!r}"
    own_folders = (str(Path(__file__).parents[1]), sys.prefix, f"{tempfile.gettempdir()}/", "site-packages/")
    yield from [f"a path of the machine that grades, {folder}" for folder in own_folders if folder in text][:1]
    said = split(text)
    once_only = ("because", "could not be judged", "still to do")  # words of which a sentence holds one at most
    for each in said:
        yield from (f"{words!r} twice in one sentence" for words in once_only if each.count(words) > 1)
    yield from (f"a sentence without a capital letter: {each}" for each in said[1:] if _capital(each) != each)
    for each in dict.fromkeys(said):
        if len(each) >= MIN_REPEATED and said.count(each) > 1:
            yield f"the same sentence twice: {each}"
