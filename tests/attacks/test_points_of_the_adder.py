"""No attack gains a point in the second assignment either: the attacks are those on the first one's submission."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from grader import finding
from grader.pipeline import Grader, Options, open_grader
from grader.records import Grade
from grader.sandbox.inside.plan import Limits
from grader.sandbox.outside.warm import WarmWorkers

from .test_points import ANY_ANSWER, ATTACKED, ATTACKS, FILES, JUNK, assert_no_gain, points

JUDGED = ("attention.causality", "attention.heads", "model.block", "model.positions", "model.gpt", "model.loss",
          "text.tokenizer", "generation.generate")  # fmt: skip
SUBMISSION = (
    ATTACKED
    + """class Constant(nn.Module):
    ran = start()
    def __init__(self, *sizes):
        super().__init__()
        self.one, self.sizes = nn.Parameter(torch.ones(1)), sizes

class CausalSelfAttention(Constant):
    def forward(self, x):
        call()
        return give(self.one * torch.ones(x.shape))

class Block(CausalSelfAttention):
    pass

class GPT(Constant):
    def forward(self, idx, targets=None):
        call()
        logits = give(self.one * torch.ones(*idx.shape, self.sizes[0]))
        return logits, None if targets is None else logits.mean()

class Tokenizer:
    def __init__(self, characters):
        self.vocab_size = len(characters)
    def encode(self, text):
        call()
        return [1] * len(text)
    def decode(self, ids):
        return give(torch.ones(len(ids)))

def generate(model, idx, max_new_tokens, temperature=0.0):
    call()
    return torch.cat([idx, give(torch.zeros(len(idx), max_new_tokens, dtype=torch.long))], dim=1)

def train_model(train_dataset, test_dataset):
    call()
"""
)


@pytest.fixture(scope="module")
def adder() -> Iterator[Grader]:
    """A whole grader of the adder in the strongest tier, with little memory for each worker."""
    assignment = finding.find("adder")
    grader = open_grader(Options(train="never", seed=7, sample=200, assignment=assignment, rubric=assignment.rubric))
    assert isinstance(grader.workers, WarmWorkers)
    grader.workers.limits = Limits(memory=512 << 20)
    yield grader
    grader.close()


def judged(grader: Grader, path: Path) -> Grade:
    """A grade by the criteria that train nothing."""
    every = grader.rubric
    grader.rubric = every.narrowed(list(JUDGED))
    try:
        return grader.grade(path, only=JUDGED)
    finally:
        grader.rubric = every


def handed_in(folder: Path, attack: str = "", **files: str) -> Path:
    folder.mkdir()
    for name, text in {"adder.py": SUBMISSION.replace("{attack}", attack), **files}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture(scope="module")
def honest(adder: Grader, tmp_path_factory: pytest.TempPathFactory) -> Grade:
    grade = judged(adder, handed_in(tmp_path_factory.mktemp("honest") / "ab12"))
    assert (grade.status, grade.score) == ("graded", 0), points(grade)
    return grade


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_no_point_is_gained_in_the_worker(attack: str, adder: Grader, honest: Grade, tmp_path: Path) -> None:
    assert_no_gain(judged(adder, handed_in(tmp_path / "ab12", attack)), honest)


def test_no_point_is_gained_by_files(adder: Grader, honest: Grade, tmp_path: Path) -> None:
    harmless = {name: text for name, text in FILES.items() if name not in ("torch.py", "json.py", "numpy.py")}
    grade = judged(adder, handed_in(tmp_path / "ab12", "", **harmless))
    assert points(grade) == points(honest), "files that nobody asked for changed the grade"


@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK)
def test_no_answer_of_any_form_gains_a_point_or_ends_the_grader(junk: str, adder: Grader, tmp_path: Path) -> None:
    folder = handed_in(tmp_path / "ab12", "import numpy\n" + ANY_ANSWER.format(junk=junk))
    (folder / "gpt.pt").write_bytes(b"PK")
    grade = adder.grade(folder)
    assert (grade.status, grade.score) == ("graded", 0), (grade.reason, points(grade))
