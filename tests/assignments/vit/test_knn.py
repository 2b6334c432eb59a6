"""Which check a fault of the nearest neighbours costs: rows and distances are judged apart."""

import pytest

from grader.assignments.vit.application import knn
from tests import harness

SOURCE = """
import torch

def retrieve_topk_nearest_neighbors_l2(query, ref, k=5):
    distances = (ref - query).norm(dim=1)
    {}
"""
BODIES = {
    "one too large": "d, i = distances.topk(k, largest=False); return d, i + 1",
    "one too small": "return distances[1:].topk(k, largest=False)",
    "ranks": "return distances.sort().values[:k], distances.argsort().argsort()[:k]",
}


@pytest.mark.parametrize("seed", (1, 2))
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_wrong_rows_beside_right_distances_cost_the_rows_alone(body, seed):
    judged = harness.verdicts({"application": SOURCE.format(body)}, [knn.TOPIC], seed=seed)["application.knn"]
    assert {check.name: check.status for check in judged.results} == {"indices": "failed", "distances": "passed"}


@pytest.mark.parametrize("seed", (1, 2))
def test_a_changed_bank_costs_the_distances_alone(seed):
    body = "return ref.sub_(query).norm(dim=1).topk(k, largest=False)"
    judged = harness.verdicts({"application": SOURCE.format(body)}, [knn.TOPIC], seed=seed)["application.knn"]
    assert {check.name: check.status for check in judged.results} == {"indices": "passed", "distances": "failed"}
