"""What all tests need of the process that they run in, and how ``make test`` shares them between two processes."""

import atexit
import functools
import gc
import signal
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it, and their children do
TESTS = Path(__file__).parent


@pytest.fixture(scope="session", autouse=True)
def warm_workers() -> Iterator[None]:
    """Let all graders that tests open in this process share the parent of their workers (see ``warm.py``)."""
    from tests.warm import Lending  # not for students: their suites load this file too, and this imports a lot

    lending = Lending()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("grader.pipeline.choose_workers", lending)
        yield
    lending.close()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Import all tests without collecting garbage, which takes a fifth of the time, and never look at them again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        atexit.register(gc.unfreeze)  # or libraries complain that something is left
        gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Run each group in one process, so that what its tests share is made once."""
    from xdist.scheduler import LoadScopeScheduling  # students have no need of it

    class ByGroup(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group(nodeid)

    return ByGroup(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run first what may take longest, by its time limits and its number of tests: both processes end together."""
    longest: dict[str, float] = {}
    tests = Counter(group(item.nodeid) for item in items)
    for item in items:
        limit = item.get_closest_marker("timeout")
        place = group(item.nodeid)
        longest[place] = max(longest.get(place, 0.0), limit.args[0] if limit else 0.0)
    items.sort(key=lambda item: (longest[group(item.nodeid)], tests[group(item.nodeid)]), reverse=True)


def group(nodeid: str) -> str:
    """The room of a test whose conftest.py makes things to share, or its module."""
    return _group_of_file(nodeid.partition("::")[0])


@functools.cache
def _group_of_file(file: str) -> str:
    path = TESTS.parent / file
    shared = path.suffix != ".py" or (path.parent != TESTS and (path.parent / "conftest.py").is_file())
    return str(path.parent if shared else path)
