"""What a submission's program finds when it is executed."""

from grader.vit.model import heads
from tests import harness

HEADS = """
import torchmetrics.functional as measures
from nowhere.at_all import something, ClassificationHead
from torch import nn
class ClassificationHead(nn.Module):
    def __init__(self, hidden_size, num_classes=10):
        super().__init__()
        self.fc = nn.Linear(hidden_size, num_classes)
    def forward(self, x):
        return measures.softmax(self.fc(x))
class LinearEmbeddingHead(ClassificationHead):
    def __init__(self, hidden_size, embed_size=64):
        super().__init__(hidden_size, embed_size)
    def forward(self, x):
        return something(self.fc(x))
"""


def test_what_is_not_installed_says_so_where_it_is_used():
    verdict = harness.verdicts({"vit_model": HEADS}, [heads])["vit.heads"]
    assert verdict.status == "failed"
    for package in ("torchmetrics", "nowhere"):
        assert f"No module named '{package}'" in verdict.feedback, verdict.feedback
    assert "measures.softmax" in verdict.feedback and "packages of the assignment" in verdict.feedback


def test_an_import_that_fails_is_no_definition():
    seen = harness.evidence({"vit_model": "from nowhere import ClassificationHead, LinearEmbeddingHead"}, [heads])
    assert seen.judge("vit.heads").status == "missing"
