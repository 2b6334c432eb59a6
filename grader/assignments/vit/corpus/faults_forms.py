"""Part 2: a ``ViT`` that returns another form than (B, D), and functions written to fit it, which lose nothing."""

from grader.assignments.vit.corpus.vit_lines import FEATURE, KEEP, MODEL, SHAPES, lines_of
from grader.audit import Case

ON_DEVICE, IN_TRAINING = "vit_model(x.to(device)))", "vit_model(x))"  # each call ends that of a head
OF_FEATURES, OF_LOGITS = "features = vit_model(x.to(device))", "classifier(vit_model(x.to(device))"


def form(ident: str, word: str, returned: tuple[str, ...], taken: str) -> Case:
    """A ViT that returns something else, of which each function takes the feature.

    Args:
        taken: what follows the ViT's output.
    """
    edits = {
        "vit_model.py": [(FEATURE, lines_of(*returned))],
        "contrastive.py": [(call, f"{call[:-1]}{taken})") for call in (ON_DEVICE, IN_TRAINING)],
        "application.py": [(call, f"{call}{taken}") for call in (OF_FEATURES, OF_LOGITS)],
    }
    return Case(f"vit.form_{ident}", edits, (MODEL, SHAPES), word)


FAULTS = [
    form("tokens", "all tokens", ("return self.ln_post(x)",), "[:, 0]"),
    form("tokens_of_which_the_mean_is_taken", "all tokens", ("return self.ln_post(x)",), ".mean(dim=1)"),
    form("tuple", "tuple", ("x = self.ln_post(x)", "return x[:, 0], x"), "[0]"),
    form("dict", "dict", ("x = self.ln_post(x)", 'return {"cls": x[:, 0], "tokens": x}'), '["cls"]'),
    form(
        "object",
        "SimpleNamespace",
        (
            "from types import SimpleNamespace",
            "x = self.ln_post(x)",
            "return SimpleNamespace(pooled=x[:, 0], tokens=x)",
        ),
        ".pooled",
    ),
    form(
        "named_tuple",
        "Out",
        (
            "from collections import namedtuple",
            "x = self.ln_post(x)",
            'return namedtuple("Out", "cls tokens")(x[:, 0], x)',
        ),
        ".cls",
    ),
    Case(
        "vit.form_hidden_size_has_another_name",
        {
            "vit_model.py": [(KEEP, lines_of("self.dim = hidden_size"))],
            "application.py": [("vit_model.hidden_size", "vit_model.dim")],
        },
        (MODEL,),
        "attribute hidden_size",
    ),
]
