"""What a worker uses is weighed in time: exactly where it may be over, and not at all where that would take for ever."""

import time

import pytest

from grader.sandbox.inside import usage
from grader.sandbox.inside.plan import Limits

LIMIT = Limits().memory


@pytest.fixture
def weighed(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """What a process is said to use, and how often it was weighed exactly, which takes a fifth of a second."""
    says = {"resident": 0, "share": 0, "times": 0}

    def share(pid: int) -> int:
        says["times"] += 1
        time.sleep(0.2)
        return says["share"]

    monkeypatch.setattr(usage, "resident", lambda pid: says["resident"])
    monkeypatch.setattr(usage, "own_share", share)
    return says


@pytest.mark.parametrize(
    ("resident", "share", "over"), [(0.5, 0.5, ""), (2, 0.5, ""), (2, 1.5, "memory"), (9, 0.1, "memory")]
)
def test_a_worker_is_over_by_its_own_share_or_by_far_too_much_that_is_mapped(
    resident: float, share: float, over: str, weighed: dict[str, int]
) -> None:
    weighed |= {"resident": int(resident * LIMIT), "share": int(share * LIMIT)}
    assert usage.LimitWatch(1 << 30, Limits(), None).over() == over


def test_weighing_takes_a_tenth_of_the_time(weighed: dict[str, int]) -> None:
    weighed |= {"resident": 2 * LIMIT}
    watch, end = usage.LimitWatch(1 << 30, Limits(), None), time.monotonic() + 1.0
    while time.monotonic() < end:
        watch.over()
    assert weighed["times"] == 1
