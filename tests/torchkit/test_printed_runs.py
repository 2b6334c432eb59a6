"""Logs with numbers that no training prints: they are read at once, in little memory, and never raise."""

import time

import pytest

from grader.assignments.vit.logs import READER
from grader.records import CellLog
from grader.torchkit.printed_runs import bars, errors_of, uncountable

CALL = "train_embedding_model(train_dataset, test_dataset)"


def log(text: str) -> CellLog:
    return CellLog(1, CALL, text, ())


@pytest.mark.parametrize("digits", ["9" * 5_000, "9" * 400, "1000000000"])
def test_a_number_too_long_for_an_epoch_counts_none(digits: str) -> None:
    text = f"Epoch 1/2\nBest Precision@1: 0.7\nEpoch {digits}/2\nEpoch 2/{digits}\nBest Precision@1: 0.8\n"
    run = READER.last_run((log(text),))
    assert run is not None
    assert (run.epochs, list(run.totals), run.best) == ([1, 2], [2], [0.7, 0.8])
    assert not run.gaps
    assert uncountable(run.cells[0]) == digits


@pytest.mark.parametrize(
    "text", ["Epoch 007/010", "Epoch 99999", "epoch " + "0" * 50 + "1", "Best 0.7 (epoch 1234567)"]
)
def test_a_number_that_an_epoch_may_have_is_none_too_long(text: str) -> None:
    assert uncountable(log(text)) == ""


def test_a_score_of_many_digits_is_a_number() -> None:
    run = READER.last_run((log(f"Epoch 1/1\nBest Precision@1: {'9' * 5_000}\n"),))
    assert run is not None and run.best == [float("inf")]


def test_a_bar_of_many_digits_is_no_bar() -> None:
    assert bars(log(f"50%|#####     | {'1' * 5_000}/2\n50%|#####     | 10/20\n")) == [(10, 20)]


def test_many_totals_are_counted_in_one_go() -> None:
    text = "".join(f"Epoch 1/{total}\nBest Precision@1: 0.5\n" for total in range(2, 20_000))
    start = time.monotonic()
    run = READER.last_run((log(text),))
    assert run is not None and run.total is not None
    assert time.monotonic() - start < 10


def test_what_another_training_prints_in_its_own_cell_is_no_further_epoch() -> None:
    text = "".join(f"Epoch {epoch}/4 loss 0.1\nBest Precision@1: 0.{epoch}\n" for epoch in (1, 2, 3, 4))
    head = CellLog(
        2, "train_classification_model_head_only(vit, train_dataset, test_dataset)", "epoch 5: acc 0.84\n", ()
    )
    run = READER.last_run((log(text), head))
    assert run is not None and (run.epochs, run.cells) == ([1, 2, 3, 4], [log(text)])


def test_a_training_that_goes_on_in_another_cell_is_one() -> None:
    texts = ["".join(f"Epoch {e}/4\nBest Precision@1: 0.{e}\n" for e in epochs) for epochs in ((1, 2), (3, 4))]
    run = READER.last_run((log(texts[0]), CellLog(2, CALL, texts[1], ())))
    assert run is not None and run.epochs == [1, 2, 3, 4]


CRASHED = """Traceback (most recent call last):
  File "train.py", line 9, in <module>
    step()
"""


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        pytest.param(
            f"Epoch 1\n{CRASHED}RuntimeError: out of memory\n", ("RuntimeError: out of memory",), id="printed"
        ),
        pytest.param(
            f"{CRASHED}KeyError: 1\n\nDuring handling of the above exception, another one occurred:\n\n"
            f"{CRASHED}ValueError: 2\nEpoch 2\n",
            ("KeyError: 1", "ValueError: 2"),
            id="one in the handling of another",
        ),
        pytest.param("KeyboardInterrupt: \n", ("KeyboardInterrupt:",), id="interrupted"),
        pytest.param(CRASHED, ("Traceback (most recent call last)",), id="cut off"),
        pytest.param("Epoch 1, no Traceback (most recent call last)\n", (), id="none"),
    ],
)
def test_a_printed_traceback_is_told_by_its_error(text: str, errors: tuple[str, ...]) -> None:
    assert errors_of(log(text)) == errors
