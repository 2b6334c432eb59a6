"""Every attack is run in every tier that this machine offers to this user."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from grader.errors import GraderError
from grader.pipeline import Grader, Options, open_grader
from grader.sandbox.inside.plan import Limits
from grader.sandbox.outside import tiers
from grader.sandbox.outside.warm import WarmWorkers

from .attack import LIMITS
from .targets import Targets

OPS = ["tests.attacks.ops"]
LIBRARIES = ["torch", "numpy"]  # no attack needs more, and every zygote is quicker without


def _tiers() -> list[str]:
    """Those named in ATTACK_TIERS, else the strongest and the weakest of this user (see test_other_users.py)."""
    if named := os.environ.get("ATTACK_TIERS"):
        return named.split(",")
    return ["T1", "T2b"] if os.geteuid() == 0 else ["T3", "T4"]


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    path = tmp_path_factory.mktemp("shared") / "images.npy"
    np.save(path, np.arange(1000, dtype=np.uint8))
    return {"images": str(path)}


@pytest.fixture(scope="session", params=_tiers())
def workers(request: pytest.FixtureRequest, shared: dict[str, str]) -> Iterator[WarmWorkers]:
    workers = WarmWorkers(OPS, shared, limits=LIMITS, libraries=LIBRARIES, tier=request.param)
    try:
        workers.tier()
    except GraderError as error:
        workers.close()
        pytest.skip(str(error))
    yield workers
    workers.close()


@pytest.fixture(scope="session")
def unconfined(shared: dict[str, str]) -> Iterator[WarmWorkers]:
    """The same workers with every layer off, for controls."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiers, "TOO_LITTLE", (*tiers.TOO_LITTLE, tiers.Tier("none", "controls", (), None)))
        workers = WarmWorkers(OPS, shared, limits=LIMITS, libraries=LIBRARIES, tier="none")
        workers.tier()
    yield workers
    workers.close()


@pytest.fixture(scope="session")
def grader() -> Iterator[Grader]:
    """A whole grader in the strongest tier, with little memory for each worker."""
    grader = open_grader(Options(train="never", seed=7, sample=200))
    assert isinstance(grader.workers, WarmWorkers)
    grader.workers.limits = Limits(memory=768 << 20)
    yield grader
    grader.close()


@pytest.fixture
def targets() -> Iterator[Targets]:
    targets = Targets()
    yield targets
    targets.close()


@pytest.fixture
def layers(workers: WarmWorkers) -> tuple[str, ...]:
    return workers.tier().layers


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A hanging attack names itself; controls need not be shown again for other users."""
    here = [item for item in items if Path(__file__).parent in item.path.parents]
    for item in here:
        item.add_marker(pytest.mark.timeout(120))
    if os.environ.get("CONTROLS") == "no":
        items[:] = [item for item in items if "unconfined" not in getattr(item, "fixturenames", ())]
