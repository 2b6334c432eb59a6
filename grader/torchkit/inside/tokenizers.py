"""The operation ``tokenizer.ask``: texts through a tokenizer and back."""

from typing import Any

import torch

from grader.sandbox.inside import describe
from grader.sandbox.inside.serve import op
from grader.sandbox.inside.student import Student
from grader.torchkit.inside.results import result_of


@op("tokenizer.ask")
def ask(student: Student, characters: str, texts: list[str], unknown: str) -> dict[str, Any]:
    """Encode and decode texts; what comes back has the type ``grader.torchkit.text.tokenizers.TokenizerAnswer``."""
    tokenizer = student.get("Tokenizer")(characters)
    return {
        "vocab_size": describe.result(getattr(tokenizer, "vocab_size", None)),
        "texts": [_coded(tokenizer, text) for text in texts],
        "unknown": result_of(lambda: tokenizer.encode(unknown)),
    }


def _coded(tokenizer: Any, text: str) -> dict[str, Any]:
    ids: list[Any] = []

    def encode() -> Any:
        ids.append(tokenizer.encode(text))
        return ids[0]

    encoded = result_of(encode)
    if not ids:
        return {"ids": encoded, "from_list": None, "from_tensor": None}
    return {
        "ids": encoded,
        "from_list": result_of(lambda: tokenizer.decode(ids[0])),
        "from_tensor": result_of(lambda: tokenizer.decode(torch.as_tensor(ids[0]))),
    }
