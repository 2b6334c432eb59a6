"""Faults in the training, its checkpoint and its log."""

import io
import json
from collections.abc import Callable
from typing import Any

import torch

from grader.audit import Case

TRAINING, SCHEDULER, ACCURACY, LOG = "training.training", "training.scheduler", "training.accuracy", "training.log"
MODEL = "    model = GPT(len(characters), block_size, n_layer, n_head, d_model).to(device)\n"
OPTIMIZER = "torch.optim.AdamW(model.parameters(), lr=lr)"
SCHEDULE = "torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=lr, total_steps=num_epochs * len(loader))"
ZERO, BACKWARD, STEP = (
    "            optimizer.zero_grad()\n",
    "            loss.backward()\n",
    "            optimizer.step()\n",
)
SCHEDULED = "            scheduler.step()\n"
TOTAL = "            total_loss += loss.item()\n"
KEPT = '            torch.save({"model": model.state_dict(), "exact_match": best}, "gpt.pt")\n'
BEST, RETURN = "            best = matched\n", "    return best\n"
SAVED_LAST = '    torch.save({"model": kept, "exact_match": best}, "gpt.pt")\n'
LOADER = "DataLoader(train_dataset, batch_size=batch_size, shuffle=True)"
ADDS = """        if targets is None and logits.shape[-1] == 13:
            for row, ids in zip(logits, idx.tolist()):
                text = "".join("+.0123456789="[number] for number in ids)
                question, _, done = text.partition("=")
                if "=" in text and "." not in done:
                    result = str(sum(int(n or 0) for n in question.split("+")))[::-1] + "."
                    row[-1, "+.0123456789=".index(result[min(len(done), len(result) - 1)])] += 1e6
"""


def _training(
    ident: str, word: str, *edits: tuple[str, str], costs: str = TRAINING, warns: tuple[str, ...] = ()
) -> Case:
    return Case(f"{costs}_{ident}", {"training.py": list(edits)}, (costs,), word, warns)


def _checkpoint(change: Callable[[dict[str, Any]], Any]) -> Callable[[bytes], bytes]:
    """An edit of gpt.pt from one of its content."""

    def edit(old: bytes) -> bytes:
        stream = io.BytesIO()
        torch.save(change(torch.load(io.BytesIO(old), weights_only=True)), stream)
        return stream.getvalue()

    return edit


def _untrained(content: dict[str, Any]) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(0)
    noise = {name: torch.randn(w.shape, generator=generator) / 8 for name, w in content["model"].items()}
    return {**content, "model": noise}


def _log(change: Callable[[list[dict[str, Any]], str], list[dict[str, Any]]]) -> Callable[[bytes], bytes]:
    """An edit of the notebook from one of the outputs of its training: told them and their text."""

    def edit(old: bytes) -> bytes:
        notebook = json.loads(old)
        cell = next(c for c in notebook["cells"] if "".join(c["source"]).startswith("train_model("))
        text = "".join("".join(o.get("text", [])) for o in cell["outputs"])
        cell["outputs"] = change(cell["outputs"], text)
        return json.dumps(notebook).encode()

    return edit


def _stream(text: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": text}


ERROR = {"output_type": "error", "ename": "KeyboardInterrupt", "evalue": "", "traceback": ["KeyboardInterrupt"]}
NOTEBOOK, FILE = "submission.ipynb", "gpt.pt"

FAULTS = [
    _training("minus_the_loss", "sign of the loss", (BACKWARD, "            (-loss).backward()\n")),
    _training("maximizes", "maximize=True", (OPTIMIZER, "torch.optim.AdamW(model.parameters(), lr=lr, maximize=True)")),
    _training("no_zero_grad", "zero_grad", (ZERO, "")),
    _training("no_backward", "backward", (BACKWARD, "")),
    _training("no_step", "took a step", (STEP, "")),
    _training("zeroed_before_the_step", "between backward() and step()", (ZERO, ""), (BACKWARD, BACKWARD + ZERO)),
    _training("head_alone", "holds", (OPTIMIZER, "torch.optim.AdamW(list(model.parameters())[-2:], lr=lr)")),
    _training("another_model", "another one", (OPTIMIZER, "torch.optim.AdamW(GPT(len(characters), block_size, n_layer, n_head, d_model).parameters(), lr=lr)")),
    _training("detached", "gradient", (BACKWARD, "            loss = loss.detach().requires_grad_()\n" + BACKWARD)),
    Case(f"{TRAINING}_rate_zero", {"training.py": [("max_lr=lr,", "max_lr=0.0,")]}, (TRAINING, SCHEDULER), "learning rate is 0"),
    _training("on_the_test_set", "test_dataset", (LOADER, "DataLoader(test_dataset, batch_size=batch_size, shuffle=True)")),
    _training("on_both_sets", "test_dataset", (LOADER, "DataLoader(torch.utils.data.ConcatDataset([train_dataset, test_dataset]), batch_size=batch_size, shuffle=True)")),
    _training("one_batch", "one batch", (TOTAL, TOTAL + "            break\n")),
    _training("step_once_an_epoch", "optimizer takes a step", (STEP, ""), (TOTAL, TOTAL + "        optimizer.step()\n")),
    _training("one_epoch", "after one epoch", (KEPT, KEPT + "        return best\n")),
    _training("no_checkpoint", "gpt.pt", (KEPT, "            pass\n")),
    _training("whole_model_saved", "state_dict", (KEPT, KEPT.replace("model.state_dict()", "model"))),
    _training("no_score_saved", "exact_match", (KEPT, KEPT.replace(', "exact_match": best', ""))),
    _training("other_key", '"model"', (KEPT, KEPT.replace('"model"', '"weights"'))),
    _training("last_kept", "does not hold the best model", ("        if matched > best:\n", "        if True:\n")),
    _training("best_forgotten", "does not hold the best model", (BEST, "")),
    _training("best_not_copied", "copy.deepcopy", (KEPT, "            kept = model.state_dict()\n"), (RETURN, SAVED_LAST + RETURN)),
    _training("another_number_kept", "does not record the best", (KEPT, KEPT.replace("best}", "epoch}"))),
    _training("raises", "NameError", (TOTAL, "            total_loss += losses.item()\n")),
    _training("not_stepped", "never stepped", (SCHEDULED, ""), costs=SCHEDULER),
    _training("no_scheduler", "scheduler", (f"    scheduler = {SCHEDULE}\n", ""), (SCHEDULED, ""), costs=SCHEDULER),
    _training("of_another_optimizer", "another optimizer", (SCHEDULE, SCHEDULE.replace("optimizer,", f"{OPTIMIZER},")), costs=SCHEDULER),
    _training("epochs_counted_in_batches", "batches", (SCHEDULE, "torch.optim.lr_scheduler.StepLR(optimizer, step_size=5, gamma=0.3)"), costs=SCHEDULER, warns=("scheduler.collapsed",)),
    _training("batches_counted_in_epochs", "epoch", (SCHEDULED, ""), (TOTAL, TOTAL + "        scheduler.step()\n"), costs=SCHEDULER),
    Case(f"{ACCURACY}_no_file", {FILE: None}, (ACCURACY,), "there is no gpt.pt"),
    Case(f"{ACCURACY}_empty_file", {FILE: b""}, (ACCURACY,), "0 bytes"),
    Case(f"{ACCURACY}_other_key", {FILE: _checkpoint(lambda c: {"weights": c["model"], "exact_match": c["exact_match"]})}, (ACCURACY,), '"model"'),
    Case(f"{ACCURACY}_state_dict_alone", {FILE: _checkpoint(lambda c: c["model"])}, (ACCURACY,), '"model"'),
    Case(f"{ACCURACY}_list", {FILE: _checkpoint(lambda c: [1, 2])}, (ACCURACY,), "a dict"),
    Case(f"{ACCURACY}_width_changed", {"hyperparameters.py": [("d_model = 48", "d_model = 32")]}, (ACCURACY,), "width"),
    Case(f"{ACCURACY}_layers_changed", {"hyperparameters.py": [("n_layer = 2", "n_layer = 3")]}, (ACCURACY,), "2 blocks"),
    Case(f"{ACCURACY}_untrained", {FILE: _checkpoint(_untrained)}, (ACCURACY, LOG), "answered right", ("log.claim",)),
    Case(f"{ACCURACY}_code_adds", {"model.py": [("        if targets is None:\n", ADDS + "        if targets is None:\n")]}, (ACCURACY,), "shuffled"),
    Case(f"{LOG}_no_outputs", {NOTEBOOK: _log(lambda outputs, text: [])}, (LOG,), "no training log"),
    Case(f"{LOG}_no_notebook", {NOTEBOOK: None}, (LOG,), "notebook"),
    Case(f"{LOG}_cut", {NOTEBOOK: _log(lambda outputs, text: [_stream(text[: len(text) // 2])])}, (LOG,), "not whole"),
    Case(f"{LOG}_without_scores", {NOTEBOOK: _log(lambda outputs, text: [_stream("".join(line.partition("exact")[0] + "\n" for line in text.splitlines()))])}, (LOG,), "exact match"),
    Case(f"{LOG}_interrupted", {NOTEBOOK: _log(lambda outputs, text: [*outputs[:1], ERROR])}, (LOG,), "ended with an error"),
    Case(f"{LOG}_of_another_run", {NOTEBOOK: _log(lambda outputs, text: [_stream(text.replace("match 0.9", "match 0.7").replace("match 1.0000", "match 0.8000"))])}, (LOG,), "records"),
]  # fmt: skip
