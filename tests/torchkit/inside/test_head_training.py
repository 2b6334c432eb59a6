"""What is seen of heads that learn from the features of a model that stays as it is."""

import torch
from torch import nn

from grader.torchkit.inside.head_training import HeadTrainingWatch, Items

FEATURES, TESTED = torch.eye(4), 2 * torch.eye(4)[:3]


class Head(nn.Linear):
    pass


def training(zeroed: bool = True, steps: int = 4) -> tuple[HeadTrainingWatch, nn.Module]:
    """Two of four items are learned from in each step, and all test items are predicted at the end."""
    seen = HeadTrainingWatch(Items(FEATURES), Items(TESTED), nn.Linear(1, 1))
    with seen.watching(Head):
        head = Head(4, 2)
        optimizer = torch.optim.SGD(head.parameters(), lr=0.1)
        for _ in range(steps):
            if zeroed:
                optimizer.zero_grad()
            head(FEATURES[:2]).square().sum().backward()
            optimizer.step()
        with torch.no_grad():
            head(TESTED)
    return seen, head


def test_items_are_known_again_by_their_features() -> None:
    items = Items(FEATURES)
    assert items.of(FEATURES[[2, 0]] + 1e-6).tolist() == [2, 0]
    assert (
        items.of(FEATURES[:1] + 0.1).tolist() == [-1] == items.of(torch.ones(2, 3)).tolist() == items.of(None).tolist()
    )


def test_a_batch_is_of_a_set_where_every_row_is() -> None:
    items = Items(FEATURES)
    assert items.holds(FEATURES[[1, 3]]) and not items.holds(torch.cat([FEATURES, TESTED]))
    assert not items.holds(None) and not items.holds(torch.tensor(1.0))


def test_a_head_is_followed_from_its_making() -> None:
    seen, head = training()
    (noted,) = seen.heads
    assert noted.module is head and seen.steps == 4 and seen.is_optimized(noted)
    assert (noted.rows, noted.items.tolist(), noted.batches) == (8, [4, 4, 0, 0], [2, 2, 2, 2])
    assert len(noted.states) == 1 and noted.calls[0][1].tolist() == [0, 1, 2]
    assert seen.returned(head, head.state_dict()) is noted


def test_gradients_that_nobody_zeroed_are_counted() -> None:
    assert training()[0].stale == 0 and training(zeroed=False)[0].stale == 3 == training()[0].backwards - 1


def test_nothing_is_noted_after_the_watching() -> None:
    seen, head = training()
    Head(4, 2)
    torch.optim.SGD(head.parameters(), lr=0.1).step()
    assert len(seen.heads) == 1 and seen.steps == 4


def test_a_body_that_moves_meanwhile_is_seen() -> None:
    body = nn.Linear(4, 4)
    before = {name: value.clone() for name, value in body.state_dict().items()}
    seen = HeadTrainingWatch(Items(FEATURES), Items(TESTED), body)
    with seen.watching(Head):
        head = Head(4, 2)
        optimizer = torch.optim.SGD([*body.parameters(), *head.parameters()], lr=0.1)
        head(FEATURES).square().sum().backward()
        optimizer.step()
        assert seen.moved == 0
        head(body(FEATURES)).square().sum().backward()
        optimizer.step()
        body.load_state_dict(before)
    assert (seen.steps, seen.moved) == (2, 1)
