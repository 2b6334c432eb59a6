"""The picture of a training log has the epochs of the log on its axis, not the number of improvements."""

import pytest

from grader.assignments.vit.figures.log import _losses
from grader.assignments.vit.logs import READER
from grader.records import CellLog
from grader.torchkit.printed_runs import PrintedRun

SOURCE = "train_embedding_model(train_dataset, test_dataset)"


def run_of(*lines: str) -> PrintedRun:
    found = READER.last_run((CellLog(4, SOURCE, "\n".join(lines), ()),))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("lines", "epochs"),
    [
        pytest.param(
            ["Epoch 1/4", "Best Precision@1: 0.61", "Epoch 2/4", "Epoch 3/4", "Best Precision@1: 0.7", "Epoch 4/4"],
            [1, 3],
            id="improvements alone, after the epoch's number",
        ),
        pytest.param(
            [
                "Best Precision@1: 0.61",
                "epoch 0 loss 0.5",
                "epoch 1 loss 0.4",
                "Best Precision@1: 0.7",
                "epoch 2 loss 0.3",
            ],
            [0, 2],
            id="improvements alone, before the epoch's number",
        ),
        pytest.param(
            ["Epoch 1/2", "Best Precision@1: 0.61", "Epoch 2/2", "Best Precision@1: 0.61"], [1, 2], id="every epoch"
        ),
        pytest.param(["Best Precision@1: 0.61", "Best Precision@1: 0.7"], None, id="no epochs counted"),
    ],
)
def test_a_best_value_stands_at_its_epoch(lines: list[str], epochs: list[int] | None) -> None:
    assert run_of(*lines).best_epochs == epochs


def test_losses_stand_at_their_epochs_where_fewer_best_values_are_printed() -> None:
    run = run_of("Epoch 1/3 loss: 0.5", "Best Precision@1: 0.6", "Epoch 2/3 loss: 0.4", "Epoch 3/3 loss: 0.3",
                 "Best Precision@1: 0.7")  # fmt: skip
    assert _losses(run) == ([1, 2, 3], [0.5, 0.4, 0.3])
