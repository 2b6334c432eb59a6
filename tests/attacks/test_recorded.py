"""Answers recorded in one grade are worth nothing in the next: its inputs are drawn anew."""

import dataclasses
import re
from pathlib import Path

import pytest

from grader.assignments.vit.assignment import VIT
from grader.pipeline import Grader
from grader.records import Grade, Submission
from tests.attacks import replays

CRITERION = "vit.patch_embeddings"
RIGHT = """
import base64, hashlib, torch
from torch import nn
class Right(nn.Module):
    def __init__(self, image_size, patch_size, hidden_size, num_channels=3):
        super().__init__()
        self.num_channels, self.num_patches = num_channels, (image_size // patch_size) ** 2
        self.projection = nn.Conv2d(num_channels, hidden_size, patch_size, patch_size)
    def forward(self, x):
        if x.shape[1] != self.num_channels:
            raise ValueError
        return self.projection(x).flatten(2).transpose(1, 2)
    def key(self, x):
        return hashlib.sha256(x.numpy().tobytes() + self.projection.weight.detach().numpy().tobytes()).hexdigest()[:9]
"""
RECORDING = """
class PatchEmbeddings(Right):
    def forward(self, x):
        out = super().forward(x)
        if out.numel() < 2000:
            print(f"@{self.key(x.detach())}:{base64.b64encode(out.detach().numpy().tobytes()).decode()}@")
        return out
"""
REPLAYING = """
class PatchEmbeddings(Right):
    def forward(self, x):
        wrong = super().forward(x).flip(1)
        recorded = RECORDED.get(self.key(x.detach()))
        if recorded is None:
            return wrong
        print("knew the answer")
        return torch.frombuffer(bytearray(base64.b64decode(recorded)), dtype=torch.float32).view(wrong.shape) + 0 * wrong
"""


def graded(grader: Grader, folder: Path, text: str, seed: int) -> tuple[Grade, str]:
    """The grade by one criterion, and what was printed meanwhile."""
    folder.mkdir()
    (folder / "vit_model.py").write_text(RIGHT + text)
    every = grader.rubric
    grader.rubric = dataclasses.replace(every, criteria=tuple(c for c in every.criteria if c.id == CRITERION))
    try:
        found = grader.graded(folder, seed, only=[CRITERION])
    finally:
        grader.rubric = every
    assert found.evidence is not None
    return found.grade, "".join(answer.observation.output for answer in found.evidence.answers.values())


def test_answers_of_one_seed_are_worth_nothing_with_another(grader: Grader, tmp_path: Path) -> None:
    first, printed = graded(grader, tmp_path / "first", RECORDING, seed=1)
    assert first.score > 0
    replaying = f"RECORDED = {dict(re.findall('@([^@:]+):([^@]+)@', printed))!r}\n{REPLAYING}"
    _, same = graded(grader, tmp_path / "same", replaying, seed=1)
    known = same.count("knew the answer")
    assert known > 3, "the attack did not even work"
    grade, other = graded(grader, tmp_path / "other", replaying, seed=2)
    assert other.count("knew the answer") < known / 3, "only questions without anything random come again"
    assert (grade.score, grade.status) == (0, "graded")


@pytest.mark.parametrize("seed", [3, 4])
def test_the_recorder_itself_is_right(seed: int, grader: Grader, tmp_path: Path) -> None:
    assert graded(grader, tmp_path / "again", RECORDING, seed)[0].score > 0


PAIRS = ((1, 2), (2, 3), (3, 1))  # recorded with one seed, played back with the other


@pytest.fixture(scope="module")
def right(grader: Grader, tmp_path_factory: pytest.TempPathFactory) -> Submission:
    return grader.open(VIT.reference, tmp_path_factory.mktemp("right"))


@pytest.fixture(scope="module")
def template(grader: Grader, tmp_path_factory: pytest.TempPathFactory) -> Submission:
    return grader.open(VIT.template, tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="module")
def recordings(grader: Grader, right: Submission) -> dict[int, replays.Recording]:
    return {seed: replays.record(grader, right, seed) for seed in (1, 2, 3)}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_replay_with_the_same_seed_gets_all(
    seed: int, grader: Grader, template: Submission, recordings: dict[int, replays.Recording]
) -> None:
    grade = replays.replay(grader, template, seed, [recordings[seed]], replays.as_recorded)
    got = {c.id for c in grade.criteria if c.points == c.max_points}
    assert got >= set(replays.CRITERIA), "the attack does not work"


def test_blocks_that_a_template_left_alone_gain_nothing_by_a_replay(
    grader: Grader, template: Submission, recordings: dict[int, replays.Recording]
) -> None:
    given = grader.options.given_files
    grade = replays.replay(grader, template, 1, [recordings[1]], replays.as_recorded, given)
    (protected,) = (c for c in grade.criteria if c.id == "contrastive.protected")
    assert (protected.points, protected.status) == (0, "blocked")


@pytest.mark.parametrize("attacker", replays.ATTACKERS.values(), ids=replays.ATTACKERS)
@pytest.mark.parametrize(("recorded", "seed"), PAIRS)
def test_a_replay_with_another_seed_gets_nothing(
    recorded: int, seed: int, attacker: replays.Attacker, grader: Grader, template: Submission,
    recordings: dict[int, replays.Recording],
) -> None:  # fmt: skip
    others = [recordings[recorded], *(each for other, each in recordings.items() if other not in (recorded, seed))]
    grade = replays.replay(grader, template, seed, others, attacker)
    assert {c.id: c.points for c in grade.criteria if c.points} == {}
    assert not [c.id for c in grade.criteria if c.status == "error"]
