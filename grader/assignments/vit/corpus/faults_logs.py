"""What is wrong with a training log, and logs that look unusual and are whole."""

import re
from typing import Any

from grader.assignments.vit.corpus import notebooks
from grader.assignments.vit.corpus.notebooks import CALL, code, error, lines, log, outputs, stream, training_cell
from grader.audit import Case

Notebook = notebooks.Notebook
FILE = "submission.ipynb"
INTERRUPTED = error("KeyboardInterrupt")
CRASHED = (
    "Traceback (most recent call last):\n"
    '  File "train.py", line 9, in <module>\n'
    "RuntimeError: CUDA error: device-side assert triggered\n"
)


def fault(name: str, change: notebooks.Edit, word: str, warns: tuple[str, ...] = (), **files: Any) -> Case:
    return Case(f"logs.{name}", {FILE: change, **files}, ("contrastive.logs",), word, warns)


def variant(name: str, change: notebooks.Edit, warns: tuple[str, ...] = (), **files: Any) -> Case:
    return Case(f"logs.variant_{name}", {FILE: change, **files}, warns=warns)


def kept(first: int, last: int) -> notebooks.Edit:
    """The lines of some epochs only; two lines an epoch."""
    return lines(lambda text: text[2 * first - 2 : 2 * last])


def moved(by: float) -> notebooks.Edit:
    """Each Precision@1 higher or lower."""
    return log(lambda e, v: f"Epoch {e}/25\nBest Precision@1: {max(0.0, v + by):.4f}")


def training_outputs(*made: dict[str, Any]) -> notebooks.Edit:
    return notebooks.edit(lambda n: training_cell(n).update(outputs=list(made)))


def in_a_function(n: Notebook) -> None:
    training_cell(n).update(source=f"def main():\n    {CALL}\n", outputs=[])


def as_markdown(n: Notebook) -> None:
    text = notebooks.printed(n)
    training_cell(n)["outputs"] = []
    n["cells"].append({"cell_type": "markdown", "metadata": {}, "source": f"```\n{text}```"})


def failed_again(n: Notebook) -> None:
    at = n["cells"].index(training_cell(n))
    n["cells"].insert(at + 1, code(CALL, stream("Epoch 1/25  loss 0.1900\n"), error("RuntimeError", "out of memory")))


def other_run_later(n: Notebook) -> None:
    """The training was run again in another cell, with a worse model; the checkpoint is the first one's."""
    at = n["cells"].index(training_cell(n))
    text = "".join(f"Epoch {e}/25\nBest Precision@1: {0.5 + 0.004 * e:.4f}\n" for e in range(1, 26))
    n["cells"].insert(at + 1, code(CALL, stream(text)))


def renumbered(text: str) -> str:
    return re.sub(r"Epoch (\d+)/25", lambda m: f"Epoch {int(m[1])}/40", text)


FAULTS = [
    fault("no_output", training_outputs(), "no training log"),
    fault("never_called", notebooks.edit(lambda n: n["cells"].remove(training_cell(n))), "no training log"),
    fault("called_in_a_function_only", notebooks.edit(in_a_function), "no training log"),
    fault("pasted_as_text", notebooks.edit(as_markdown), "no training log"),
    fault("interrupted", outputs(lambda v: stream(f"Epoch 1/25\nBest Precision@1: {v[-1]}\n"), lambda v: INTERRUPTED),
          "KeyboardInterrupt"),
    fault("error_after_the_last_epoch", notebooks.edit(
        lambda n: training_cell(n)["outputs"].append(error("NameError", "name 'plot' is not defined"))), "NameError"),
    fault("out_of_memory_at_once", training_outputs(error("OutOfMemoryError", "CUDA out of memory.")), "OutOfMemory"),
    fault("not_implemented", training_outputs(error("NotImplementedError")), "NotImplementedError"),
    fault("traceback_printed", lines(lambda text: [*text, CRASHED]), "device-side assert"),
    fault("failed_again_later", notebooks.edit(failed_again), "out of memory"),
    fault("end_cut_off", kept(1, 20), "epoch 20 is the last"),
    fault("last_epoch_cut_off", kept(1, 24), "epoch 24 is the last"),
    fault("beginning_cut_off", kept(6, 25), "begins with epoch 6"),
    fault("middle_cut_out", lines(lambda text: text[:18] + text[32:]), "epoch 10 is not shown"),
    fault("one_epoch_of_many", kept(1, 1), "epoch 1 is the last"),
    fault("last_epoch_not_evaluated", lines(lambda text: text[:-1]), "was not evaluated"),
    fault("no_precision", lines(lambda text: [line for line in text if "Best" not in line]), "Best Precision@1"),
    fault("bar_not_at_its_end", outputs(
        lambda v: stream(f"Best Precision@1: {v[-1]}\n"),
        lambda v: stream("\r 72%|███████▏  | 18/25 [10:00<03:53, 33.3s/it]", "stderr")), "18 of 25"),
    fault("counts_from_0_and_ends_early", log(lambda e, v: f"epoch {e - 1} of 30, Best Precision@1: {v}"),
          "counts 30 epochs", ("log.stale",)),
    fault("stopped_at_25_of_40", lines(lambda text: [renumbered(line) for line in text]), "counts 40 epochs",
          ("log.stale",)),
    fault("of_a_worse_training", moved(-0.1), "vit_embeds.pt records"),
    fault("a_little_worse", moved(-0.02), "vit_embeds.pt records"),
    fault("claims_more", moved(0.1), "vit_embeds.pt records", ("log.claim",)),
    fault("all_zero", moved(-1.0), "vit_embeds.pt records"),
    fault("worse_run_later", notebooks.edit(other_run_later), "vit_embeds.pt records"),
    fault("epoch_of_5000_digits", lines(lambda text: [*text, f"Epoch {'1' * 5_000}/25\n"]), "5,000 digits"),
    fault("epoch_of_a_billion", lines(lambda text: [*text, "Epoch 1000000000/25\n"]), "10 digits"),
    fault("not_a_number", log(lambda e, v: f"Epoch {e}/25\nBest Precision@1: nan"), "Best Precision@1"),
]  # fmt: skip


# Variants


def bar(e: int, of: int = 25) -> str:
    return f"\r{100 * e // of:3d}%|{'█' * (10 * e // of):<10}| {e}/{of} [00:{e:02d}<00:{of - e:02d},  1.02it/s]"


def bars_in_epochs(e: int, v: float) -> str:
    steps = "".join(f"\rEpoch {e}/25: {100 * i // 79:3d}%|####      | {i}/79 [00:01<00:01]" for i in (1, 40, 79))
    return f"{steps}\nBest Precision@1: {v}"


def steps(e: int, v: float) -> str:
    lines_ = "".join(f"Epoch {e} [{64 * i}/5000 ({64 * i // 50}%)]\tLoss: 0.1{i:02d}\n" for i in range(0, 79, 20))
    return f"{lines_}Best Precision@1: {v}"


def only_better(text: list[str]) -> list[str]:
    """The lines of epochs that were better than all before."""
    values = [line.split(": ")[1] for line in text[1::2]]
    first = [i for i, value in enumerate(values) if value not in values[:i]]
    return [line for i in first for line in text[2 * i : 2 * i + 2]]


def other_cell_fails(n: Notebook) -> None:
    n["cells"].append(code("plot_losses()", error("NameError", "name 'plot_losses' is not defined")))


def earlier_try(n: Notebook) -> None:
    at = n["cells"].index(training_cell(n))
    n["cells"].insert(at, code(CALL, stream("Epoch 1/25  loss 0.19\nBest Precision@1: 0.6411\n"), INTERRUPTED))


def twice_in_a_cell(n: Notebook) -> None:
    """A first training of five epochs, then the whole one."""
    text = notebooks.printed(n)
    short = "".join(f"Epoch {e}/5\nBest Precision@1: {0.6 + 0.01 * e:.4f}\n" for e in range(1, 6))
    training_cell(n)["outputs"] = [stream(short + text)]


def chunks(n: Notebook) -> None:
    text = notebooks.printed(n)
    at = text.index("\n") + 1  # a warning comes between two lines, pieces end anywhere
    parts = [stream(text[:at]), *(stream(text[i : i + 100]) for i in range(at, len(text), 100))]
    warning = stream("UserWarning: Detected call of `lr_scheduler.step()` before `optimizer.step()`.\n", "stderr")
    training_cell(n)["outputs"] = [parts[0], warning, *parts[1:]]


def assigned(n: Notebook) -> None:
    training_cell(n)["source"] = f"%%time\nbest = {CALL}\nprint(best)"


def from_a_script(n: Notebook) -> None:
    cell = training_cell(n)
    cell["source"] = "!python train.py && cat train.log"


def with_a_plot(n: Notebook) -> None:
    picture = {"output_type": "display_data", "metadata": {}, "data": {"text/plain": "<Figure size 640x480>"}}
    training_cell(n)["outputs"].insert(0, picture)


def stopped_early(e: int, v: float) -> str:
    return f"Epoch {e}/60\nBest Precision@1: {v}" + ("\nEarly stopping after 25 epochs" if e == 25 else "")


VARIANTS = [
    variant("percent", log(lambda e, v: f"Epoch {e}/25\nBest Precision@1: {100 * v:.2f}%")),
    variant("fraction_with_sign", log(lambda e, v: f"Epoch {e}/25\nBest Precision@1: {v}%")),
    variant("percent_without_sign", log(lambda e, v: f"Epoch {e}/25\nBest Precision@1: {100 * v:.2f}")),
    variant("two_digits", log(lambda e, v: f"Epoch {e}/25\nBest Precision@1: {v:.3f}")),
    variant("numpy", log(lambda e, v: f"Epoch {e}/25\nBest Precision@1: np.float64({v})")),
    variant("tensor", log(lambda e, v: f"Epoch {e}/25\nBest Precision@1: tensor({v}, device='cuda:0')")),
    variant("dictionary", log(lambda e, v: f"Epoch {e}/25\nBest Precision@1: {{'precision_at_1': {v}}}")),
    variant("no_epochs", log(lambda e, v: f"Best Precision@1: {v}")),
    variant("from_0_with_total", log(lambda e, v: f"Epoch {e - 1}/25 loss 0.1\nBest Precision@1: {v}")),
    variant("from_0_to_24_of_24", log(lambda e, v: f"Epoch {e - 1}/24 loss 0.1\nBest Precision@1: {v}")),
    variant("from_0_without_total", log(lambda e, v: f"epoch: {e - 1}, loss: 0.1\nBest Precision@1: {v}")),
    variant("from_1_without_total", log(lambda e, v: f"Ep {e:03d} | loss 0.1\nBest Precision@1: {v}")),
    variant("epoch_after_evaluation", log(lambda e, v: f"Best Precision@1: {v}\nEpoch {e}/25 done, loss 0.1")),
    variant("epoch_in_brackets", log(lambda e, v: f"[Epoch {e}/25] lr 1e-3\nBest Precision@1: {v}")),
    variant("brackets_only", log(lambda e, v: f"[{e}/25] loss 0.12\nBest Precision@1: {v}")),
    variant("epoch_of", log(lambda e, v: f"--- Epoch #{e} of 25 ---\nBest Precision@1: {v}")),
    variant("without_a_space", log(lambda e, v: f"epoch{e}: loss=0.1\nBest Precision@1: {v}")),
    variant("logging", log(lambda e, v: f"2024-05-01 10:{e:02d}:11,123 INFO:root:epoch={e} loss=0.1\n"
                                        f"Best Precision@1: {v}", name="stderr")),
    variant("colours", log(lambda e, v: f"\x1b[32mEpoch {e}/25\x1b[0m\n\x1b[1mBest Precision@1: {v}\x1b[0m")),
    variant("windows_lines", log(lambda e, v: f"Epoch {e}/25\r\nBest Precision@1: {v}", end="\r\n")),
    variant("bar_over_epochs", outputs(
        lambda v: stream("".join(f"Best Precision@1: {x}\n" for x in v)),
        lambda v: stream("".join(map(bar, range(26))), "stderr"))),
    variant("bars_in_epochs", log(bars_in_epochs)),
    variant("bar_over_epochs_between_lines", log(
        lambda e, v: f"Epoch {e} loss 0.1\nBest Precision@1: {v}\n\rEpoch: {bar(e).strip()}")),
    variant("parts_of_epochs", log(
        lambda e, v: f"epoch {e - 0.5:.1f}: loss 0.2\nepoch {e:.1f}: loss 0.1\nBest Precision@1: {v}")),
    variant("share_of_each_epoch", log(lambda e, v: f"Epoch {e}: loss 0.1\nepoch 99% done\nBest Precision@1: {v}")),
    variant("steps_in_epochs", log(steps)),
    variant("every_fifth_epoch", lines(lambda text: [line for i, line in enumerate(text) if i // 2 % 5 == 4])),
    variant("only_better_epochs", lines(only_better)),
    variant("two_values_an_epoch", log(lambda e, v: f"Epoch {e}/25\nPrecision@1: {v - 0.01:.4f}\nBest Precision@1: {v}")),
    variant("losses_that_are_nan", log(lambda e, v: f"Epoch {e}/25 loss nan\nBest Precision@1: {v}")),
    variant("stopped_early", log(stopped_early), ("log.stale",)),
    variant("streams_in_pieces", notebooks.edit(chunks)),
    variant("with_a_plot", notebooks.edit(with_a_plot)),
    variant("assigned_and_timed", notebooks.edit(assigned)),
    variant("from_a_script", notebooks.edit(from_a_script)),
    variant("error_in_another_cell", notebooks.edit(other_cell_fails)),
    variant("interrupted_before", notebooks.edit(earlier_try)),
    variant("twice_in_a_cell", notebooks.edit(twice_in_a_cell)),
    variant("slightly_other_value", moved(0.004)),
    Case("logs.variant_other_number_of_epochs", {"hyperparameters.py": [("num_epochs = 25", "num_epochs = 30")]},
         warns=("log.stale",)),
    variant("other_batch_size", lines(lambda text: ["batch_size: 512, margin: 0.2\n", *text]), ("log.stale",)),
    variant("settings_printed", lines(lambda text: ["batch_size=64 margin=0.2 weight_decay=0.05 lr=0.0015\n", *text])),
]  # fmt: skip
