"""Faults in the tokenizer and in generation."""

from grader.audit import Case

TOKENIZER, GENERATE = "text.tokenizer", "generation.generate"
REFUSED = '        if unknown:\n            raise ValueError(f"no token for {sorted(unknown)}")\n        return [self.ids[character] for character in text]\n'
JOINED = '"".join(self.characters[int(number)] for number in ids)'
CONTEXT = "idx[:, -model.block_size :]"


def _fault(costs: str, file: str, ident: str, word: str, *edits: tuple[str, str]) -> Case:
    return Case(f"{costs}_{ident}", {file: list(edits)}, (costs,), word)


def _tokenizer(ident: str, word: str, *edits: tuple[str, str]) -> Case:
    return _fault(TOKENIZER, "data.py", ident, word, *edits)


def _generate(ident: str, word: str, *edits: tuple[str, str]) -> Case:
    return _fault(GENERATE, "generation.py", ident, word, *edits)


FAULTS = [
    _tokenizer("drops_unknown", "ValueError", (REFUSED, "        return [self.ids[character] for character in text if character in self.ids]\n")),
    _tokenizer("begins_at_one", "begin at 0", ("enumerate(characters)}", "enumerate(characters, 1)}")),
    _tokenizer("digits_alike", "different ids", ("for number, character in enumerate(characters)}", "for number, character in enumerate(characters)} | {\"9\": 2}")),
    _tokenizer("size_of_the_digits", "vocab_size", ("self.vocab_size = len(characters)", "self.vocab_size = 10")),
    _tokenizer("decodes_a_list", "join", (JOINED, "[self.characters[int(number)] for number in ids]")),
    _tokenizer("decodes_no_tensor", "decode", (JOINED, '"".join(dict(enumerate(self.characters))[number] for number in ids)')),
    _tokenizer("decodes_backwards", "the text again", (JOINED, JOINED + "[::-1]")),
    _generate("dropout_active", "dropout is active", ("    model.eval()\n", "")),
    _generate("leaves_eval_mode", "train mode", ("    model.train(was_training)\n", "")),
    _generate("leaves_train_mode", "train mode", ("    model.train(was_training)\n", "    model.train()\n")),
    _generate("with_gradient", "no_grad", ("with torch.no_grad():", "with torch.enable_grad():")),
    _generate("temperature_ignored", "ignored", ("(last / temperature)", "last")),
    _generate("temperature_multiplied", "multiplied", ("last / temperature", "last * temperature")),
    _generate("always_greedy", "not drawn", ("if temperature == 0:", "if temperature >= 0:")),
    _generate("never_greedy", "inf", ("if temperature == 0:", "if temperature < 0:")),
    _generate("seeds_itself", "seed", ("    was_training = model.training\n", "    was_training = model.training\n    torch.manual_seed(0)\n")),
    _generate("no_context_limit", "block_size", (CONTEXT, "idx")),
    _generate("first_tokens_of_the_context", "last", (CONTEXT, "idx[:, : model.block_size]")),
    _generate("first_logits", "logits[:, -1]", ("logits[:, -1]", "logits[:, 0]")),
    _generate("least_likely", "least likely", ("last.argmax(", "last.argmin(")),
    _generate("prompt_left_out", "prompts", ("    return idx\n", "    return idx[:, -max_new_tokens:]\n")),
    _generate("one_token_too_many", "shape", ("range(max_new_tokens)", "range(max_new_tokens + 1)")),
    _generate("never_appended", "appended", ("            idx = torch.cat([idx, following], dim=1)\n", "            grown = torch.cat([grown, following], dim=1)\n"), ("    was_training = model.training\n", "    was_training, grown = model.training, idx\n"), ("    return idx\n", "    return grown\n")),
]  # fmt: skip
