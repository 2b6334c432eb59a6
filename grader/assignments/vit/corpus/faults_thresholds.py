"""Checkpoints that do not fit, claim too much or hold nothing, and unusual ones that are right."""

import io
import pickle
from argparse import Namespace
from collections import OrderedDict
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from grader.audit import Case

ACCURACY, PRECISION = "vit.accuracy", "contrastive.precision"
CLASSIFIER, EMBEDS = "vit_classifier.pt", "vit_embeds.pt"
COSTS = {CLASSIFIER: ACCURACY, EMBEDS: PRECISION}
HEADS = {CLASSIFIER: "classifier", EMBEDS: "embedding_head"}
CLAIMS = {CLASSIFIER: "acc", EMBEDS: "precision@1"}
Content = dict[str, Any]
Change = Callable[[Content], Any]


def saved(content: Any, **how: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer, **how)
    return buffer.getvalue()


def edit(change: Change, **how: Any) -> Callable[[bytes], bytes]:
    """An edit of the file from one of its content; what the change returns is saved, or what it was given."""

    def edited(old: bytes) -> bytes:
        content = torch.load(io.BytesIO(old), weights_only=True)
        changed = change(content)
        return saved(content if changed is None else changed, **how)

    return edited


def fault(file: str, name: str, change: Any, word: str, warns: tuple[str, ...] = (), **other: Any) -> Case:
    return Case(f"checkpoint.{_short(file)}_{name}", {file: change, **other}, (COSTS[file],), word, warns)


def variant(file: str, name: str, change: Any, warns: tuple[str, ...] = (), **other: Any) -> Case:
    return Case(f"checkpoint.variant_{_short(file)}_{name}", {file: change, **other}, warns=warns)


def _short(file: str) -> str:
    return "classifier" if file == CLASSIFIER else "embeds"


def setting(name: str, old: str, new: str, word: str, costs: tuple[str, ...], warns: tuple[str, ...] = ()) -> Case:
    """A hyperparameter that was changed after training."""
    return Case(f"checkpoint.{name}_changed", {"hyperparameters.py": [(old, new)]}, costs, word, warns)


def weights(change: Callable[[Tensor], Tensor]) -> Change:
    """Other weights in the ViT."""

    def changed(content: Content) -> None:
        content["vit"] = {name: change(value) for name, value in content["vit"].items()}

    return changed


def renamed(old: str, new: str) -> Change:
    return lambda content: {new if key == old else key: value for key, value in content.items()}


def parameters_renamed(content: Content) -> None:
    content["vit"] = {name.replace("resblocks", "blocks"): value for name, value in content["vit"].items()}


def without(*names: str) -> Change:
    def changed(content: Content) -> None:
        for name in names:
            del content["vit"][name]

    return changed


def claims(file: str, value: Any) -> Change:
    return lambda content: content.update({CLAIMS[file]: value})


def untrained(content: Content) -> None:
    torch.manual_seed(0)
    weights(lambda w: torch.randn_like(w) * 0.02)(content)


def random_but_norms(content: Content) -> None:
    """What a fresh ViT holds; its head is trained."""
    torch.manual_seed(0)
    content["vit"] = {n: w if "ln_" in n else 0.02 * torch.randn_like(w) for n, w in content["vit"].items()}


def turned(key: str) -> Change:
    """The rows of a head in another order: another numbering of the classes."""

    def changed(content: Content) -> None:
        content[key] = {name: value.roll(1, 0) for name, value in content[key].items()}

    return changed


def one_nan(content: Content) -> None:
    content["vit"]["ln_post.bias"][0] = float("nan")


def collapsed(content: Content) -> None:
    content["embedding_head"]["fc.weight"].zero_()


def cut_head(rows: int, file: str) -> Change:
    key = HEADS[file]
    return lambda content: content.update({key: {n: v[:rows] for n, v in content[key].items()}})


class Whole(nn.Module):
    """Stands for a model that was saved whole; nobody can open it without its class."""


def whole_model(_: bytes) -> bytes:
    return saved({"vit": Whole(), "classifier": Whole(), "embedding_head": Whole()})


def both(name: str, change: Any, word: str) -> list[Case]:
    return [fault(file, name, change, word) for file in (CLASSIFIER, EMBEDS)]


def prefixed(prefix: str) -> Change:
    def changed(content: Content) -> None:
        for key in [key for key, value in content.items() if isinstance(value, dict)]:
            content[key] = OrderedDict((prefix + name, value) for name, value in content[key].items())

    return changed


def parameters_as(change: Callable[[Tensor], Any]) -> Change:
    def changed(content: Content) -> None:
        for key in [key for key, value in content.items() if isinstance(value, dict)]:
            content[key] = {name: change(value) for name, value in content[key].items()}

    return changed


def more(content: Content) -> None:
    optimizer = torch.optim.AdamW([nn.Parameter(torch.zeros(3))], 1e-3)
    content.update(epoch=25, optimizer=optimizer.state_dict(), history=[0.1, 0.2], note="best", args={"lr": 1e-3})


def nested(content: Content) -> Content:
    return {"model_state_dict": content["vit"], "head_state_dict": content["embedding_head"], "prec": 0.81}


def bare(content: Content) -> Any:
    return content["vit"]


def one_for_both(content: Content) -> Any:
    key = next(key for key in content if key in HEADS.values())
    return {f"0.{n}": v for n, v in content["vit"].items()} | {f"1.{n}": v for n, v in content[key].items()}


HALF_UP = [("normalise = transforms.Normalize((0.286,), (0.353,))", "normalise = transforms.Normalize((0.9,), (0.1,))")]

FAULTS = [
    Case("checkpoint.classifier_missing", {CLASSIFIER: None}, (ACCURACY,), "there is no vit_classifier.pt"),
    Case("checkpoint.embeds_missing", {EMBEDS: None}, (PRECISION,), "there is no vit_embeds.pt"),
    *both("empty", lambda old: b"", "is empty"),
    *both("text", lambda old: b"see my drive", 'a text that begins with "see my drive"'),
    *both("cut_short", lambda old: old[: len(old) // 2], "is cut short"),
    *both("pickle", lambda old: pickle.dumps({"vit": {}}), "was written by pickle, not by torch.save"),
    *both("whole_model", whole_model, "weights, model.state_dict()"),
    *both("a_list", edit(lambda content: list(content.values())), "dict of state dicts, got list"),
    *both("bare_state_dict", edit(bare), 'expected a state dict under "vit"'),
    *both("one_sequential", edit(one_for_both), 'expected a state dict under "vit"'),
    *both("key_of_vit", edit(renamed("vit", "vit_model")), "holds"),
    fault(CLASSIFIER, "key_of_head", edit(renamed("classifier", "head")), '"classifier"'),
    fault(EMBEDS, "key_of_head", edit(renamed("embedding_head", "head")), '"embedding_head"'),
    fault(CLASSIFIER, "of_the_other_file", edit(renamed("classifier", "embedding_head")), "the names of the two exchanged"),
    fault(EMBEDS, "of_the_other_file", edit(renamed("embedding_head", "classifier")), "the names of the two exchanged"),
    fault(EMBEDS, "other_keys", edit(nested), '"model_state_dict"'),
    *both("renamed_parameters", edit(parameters_renamed), "renamed after training"),
    *both("missing_parameter", edit(without("ln_post.weight", "ln_post.bias")), "ln_post.weight"),
    *both("one_layer_less", edit(lambda c: without(*[n for n in c["vit"] if "resblocks.2" in n])(c)), "`layers` was changed"),
    *both("nan", edit(weights(lambda w: torch.full_like(w, float("nan")))), "NaN"),
    *both("one_nan", edit(one_nan), "NaN"),
    fault(CLASSIFIER, "zeros", edit(weights(torch.zeros_like)), "Nearly every image is taken for class", ("checkpoint.claim",)),
    fault(EMBEDS, "zeros", edit(weights(torch.zeros_like)), "the same embedding"),
    fault(CLASSIFIER, "untrained", edit(random_but_norms), "records 0.904", ("checkpoint.claim",)),
    Case("checkpoint.embeds_untrained", {EMBEDS: edit(untrained)}, (PRECISION, "contrastive.logs"),
         "60% are needed", ("checkpoint.claim", "log.claim")),
    fault(CLASSIFIER, "classes_in_other_order", edit(turned("classifier")), "records 0.904", ("checkpoint.claim",)),
    fault(CLASSIFIER, "nine_classes", edit(cut_head(9, CLASSIFIER)), "The checkpoint has 9 classes"),
    fault(EMBEDS, "smaller_head", edit(cut_head(32, EMBEDS)), "`embed_size` was changed"),
    fault(EMBEDS, "collapsed", edit(collapsed), "the same embedding"),
    Case("checkpoint.classifier_state_is_a_tensor",
         {CLASSIFIER: edit(lambda c: c.update(vit=torch.zeros(3)))}, (ACCURACY,), "got Tensor"),
    setting("hidden_size", "hidden_size = 64", "hidden_size = 128", "`hidden_size` was changed", (ACCURACY, PRECISION)),
    setting("layers", "layers = 3", "layers = 4", "`layers` was changed", (ACCURACY, PRECISION)),
    setting("patch_size", "patch_size = 7", "patch_size = 4", "`patch_size` was changed", (ACCURACY, PRECISION)),
    setting("patch_size_with_a_rest", "patch_size = 7", "patch_size = 8", "are cut off", (ACCURACY, PRECISION), ("size.truncated",)),
    setting("embed_size", "embed_size = 64", "embed_size = 32", "`embed_size` was changed", (PRECISION,)),
    setting("in_channels", "in_channels = 1", "in_channels = 3", "The checkpoint has in_channels 1, the notebook 3",
            (ACCURACY, PRECISION, "contrastive.training")),
    setting("heads", "heads = 2", "heads = 16", "`heads`", (ACCURACY,), ("checkpoint.claim",)),
    Case("checkpoint.normalisation_changed", {"augmentation.py": HALF_UP}, (ACCURACY, PRECISION, "contrastive.logs"),
         "tfm_test", ("checkpoint.claim", "log.claim")),
]  # fmt: skip


def twice(name: str, change: Callable[[str], Any], warns: tuple[str, ...] = ()) -> Case:
    """A variant of both files."""
    edits = {file: change(file) for file in (CLASSIFIER, EMBEDS)}
    return Case(f"checkpoint.variant_{name}", edits, warns=warns)


VARIANTS = [
    twice("parallel", lambda file: edit(prefixed("module."))),
    twice("compiled", lambda file: edit(prefixed("_orig_mod."))),
    twice("compiled_and_parallel", lambda file: edit(prefixed("module._orig_mod."))),
    twice("numpy_claim", lambda file: edit(lambda c: claims(file, np.float64(c[CLAIMS[file]]))(c))),
    twice("numpy_float32_claim", lambda file: edit(lambda c: claims(file, np.float32(c[CLAIMS[file]]))(c))),
    twice("tensor_claim", lambda file: edit(lambda c: claims(file, torch.tensor(c[CLAIMS[file]]))(c))),
    twice("percent_claim", lambda file: edit(lambda c: claims(file, 100 * c[CLAIMS[file]])(c))),
    twice("no_claim", lambda file: edit(lambda c: c.pop(CLAIMS[file]) and None)),
    twice("text_claim", lambda file: edit(lambda c: claims(file, str(c[CLAIMS[file]]))(c))),
    twice("more_keys", lambda file: edit(more)),
    twice("parameters", lambda file: edit(parameters_as(nn.Parameter))),
    twice("double", lambda file: edit(parameters_as(Tensor.double))),
    twice("half", lambda file: edit(parameters_as(Tensor.half))),
    twice("old_format", lambda file: edit(lambda c: None, _use_new_zipfile_serialization=False)),
    twice("another_protocol", lambda file: edit(lambda c: None, pickle_protocol=5)),
    twice("options_beside", lambda file: edit(lambda c: c.update(args=Namespace(lr=0.1, out=PurePosixPath("here"))))),
    twice("plain_dicts", lambda file: edit(parameters_as(torch.clone))),
    variant(CLASSIFIER, "claims_more", edit(claims(CLASSIFIER, 0.99)), ("checkpoint.claim",)),
    variant(EMBEDS, "claims_less", edit(claims(EMBEDS, 0.81))),
    Case("checkpoint.variant_no_log_value", {EMBEDS: edit(claims(EMBEDS, None))}),
]
