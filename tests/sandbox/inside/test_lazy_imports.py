"""Libraries that are left out are there for whoever asks, and whole."""

import subprocess
import sys
from pathlib import Path

import pytest

from grader.sandbox.inside import lazy_imports

ROOT = Path(__file__).resolve().parents[3]
PREPARED = """
import importlib, sys
sys.path.insert(0, sys.argv[1])
from grader.sandbox.inside import lazy_imports, start
lazy_imports.leave_out()
for library in start.LIBRARIES:
    importlib.import_module(library)
left_out = {name for name in lazy_imports.MARKS if isinstance(sys.modules[name], lazy_imports._StandIn)}
assert left_out == set(lazy_imports.MARKS), left_out
"""
AS_BEFORE = """
import torch
from torch import nn
from pytorch_metric_learning import losses, miners
layer = nn.Linear(2, 2)
for kind in (torch.optim.SGD, torch.optim.AdamW, torch.optim.RMSprop, torch.optim.LBFGS):
    optimizer = kind(layer.parameters(), lr=0.1)
    def closure():
        optimizer.zero_grad()
        loss = losses.TripletMarginLoss()(layer(torch.eye(2).repeat(3, 1)), torch.arange(6) % 2)
        loss.backward()
        return loss
    optimizer.step(closure)
    optimizer.load_state_dict(optimizer.state_dict())
    torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 3).step()
nn.TransformerEncoderLayer(8, 2, batch_first=True)(torch.ones(1, 3, 8))
torch.compiler.disable(recursive=False)(layer.forward)(torch.ones(1, 2))
assert all(isinstance(sys.modules[name], lazy_imports._StandIn) for name in lazy_imports.MARKS)
"""
ASKED = (
    "import scipy.stats; assert list(scipy.stats.rankdata([3, 1])) == [2, 1]",
    "import scipy; assert scipy.stats.norm.cdf(0) == 0.5",
    "from scipy.stats import norm; assert norm.cdf(0) == 0.5",
    "import scipy.stats.qmc as qmc; assert qmc.Sobol(2).random(2).shape == (2, 2)",
    "import sklearn.metrics; assert sklearn.metrics.accuracy_score([1], [1]) == 1",
    "from sklearn.metrics.pairwise import cosine_similarity; assert cosine_similarity([[1]]) == 1",
    "from sklearn.neighbors import KNeighborsClassifier as K; assert K(1).fit([[1]], [2]).predict([[0]]) == 2",
    "from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator as A; import torch\n"
    "assert 'AMI' in A(k=1).get_accuracy(torch.rand(20, 4), torch.arange(20) % 2)",
    "import torch._dynamo; torch._dynamo.config.suppress_errors = True",
    "import torch._dynamo.config; assert torch._dynamo.config is sys.modules['torch._dynamo.config']",
)


BROUGHT = """
lazy_imports.bring(["sklearn.metrics", "torch._dynamo"])
assert not any(isinstance(sys.modules[name], lazy_imports._StandIn) for name in ("sklearn.metrics", "torch._dynamo"))
import torch
torch.optim.Adam([torch.nn.Parameter(torch.ones(1))]).step()
from torch._dynamo.eval_frame import OptimizedModule
from torch.utils.checkpoint import checkpoint
checkpoint(torch.nn.Linear(2, 2), torch.ones(1, 2, requires_grad=True), use_reentrant=False).sum().backward()
assert torch.func.grad(lambda x: x * x)(torch.tensor(2.0)) == 4
"""
EACH = """
import os, traceback
for source in eval(sys.argv[2]):
    if not os.fork():
        try:
            exec(source, {"sys": sys, "lazy_imports": lazy_imports})
        except BaseException:
            print("failed:", source, traceback.format_exc())
        sys.stdout.flush()
        os._exit(0)
    os.wait()
"""


@pytest.mark.timeout(600)  # libraries are imported a dozen times, on a machine that may be busy
def test_whoever_asks_for_a_library_gets_it_and_training_needs_none():
    command = [sys.executable, "-c", PREPARED + EACH, str(ROOT), repr((AS_BEFORE, BROUGHT, *ASKED))]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


@pytest.mark.parametrize(
    ("source", "libraries"),
    [
        ("import torch\nfrom torch import nn", []),
        ("from sklearn.decomposition import PCA", ["scipy.stats", "sklearn.metrics"]),
        ("calculator = AccuracyCalculator(include=('precision_at_1',), k=1)", []),
        ("calculator = AccuracyCalculator(k=1)", ["sklearn.metrics"]),
        ("from torch.utils.checkpoint import checkpoint", ["torch._dynamo"]),
        ("from scipy.spatial.distance import cdist", ["scipy.stats"]),
    ],
)
def test_programs_that_need_one(source, libraries):
    assert lazy_imports.needed([source]) == libraries
