"""What a student is told of common slips in the model: the cause, in one sentence."""

from pathlib import Path

import pytest

from grader.assignments.vit.model import block, patches, positions, shapes
from tests import harness

REFERENCE = (Path(__file__).resolve().parents[3] / "reference" / "vit_model.py").read_text(encoding="utf-8")
ATTENDED, MLP = "x = x + attended", "x = x + self.mlp(self.ln_2(x))"
STACK = "self.resblocks = nn.Sequential(*[ResidualAttentionBlock(width, heads) for _ in range(layers)])"
RUN, THROUGH = "return self.resblocks(x)", "for each in self.resblocks:\n            x = each(x)\n        return x"
METHOD = """    def num_patches(self):
        return self.n

    def forward(self, x: Tensor) -> Tensor:
        \"\"\"Turn images"""
SLIPS = {
    "attention is not added": (
        block,
        [(ATTENDED, "x = attended")],
        "what attention gives is not added to the block's input",
    ),
    "the MLP is not added": (block, [(MLP, "x = self.mlp(self.ln_2(x))")], "what the MLP gives is not added"),
    "neither is added": (
        block,
        [(ATTENDED, "x = attended"), (MLP, "x = self.mlp(self.ln_2(x))")],
        "what attention gives is not added to the block's input",
    ),
    "a list of blocks": (
        block,
        [(STACK, "self.resblocks = [ResidualAttentionBlock(width, heads) for _ in range(layers)]"), (RUN, THROUGH)],
        "the Transformer has no parameters: its blocks are not registered. A Python list hides",
    ),
    "no norm before the MLP": (
        block,
        [(MLP, "x = x + self.mlp(x)")],
        "the MLP works on tokens that are not normalised",
    ),
    "positions that are not used": (
        positions,
        [("return x + self.positions", "return x")],
        "no position embedding is added",
    ),
    "a layer made in forward": (
        patches,
        [("x = self.projection(x)", "x = nn.Conv2d(self.num_channels, 12, x.shape[2] // 4, x.shape[2] // 4)(x)")],
        "the same images should give the same output each time, and gave two different ones. A layer or an nn.Parameter is made",
    ),
    "an error that is returned": (
        patches,
        [("raise ValueError(f", "return ValueError(f")],
        "where num_channels is 1: nothing was raised, ValueError was returned. `raise` is what stops the call",
    ),
    "a number that is a method": (
        patches,
        [
            ("self.num_patches = (", "self.n = ("),
            ('    def forward(self, x: Tensor) -> Tensor:\n        """Turn images', METHOD),
        ],
        "patch_size=7, it is a method",
    ),
    "what ends with a full stop": (
        shapes,
        [("x = self.projection(x)", "raise ValueError(f'too many: {x.shape[0]} images.')")],
        "images at vit_model.py",
    ),
    "what three classes raise": (
        shapes,
        [("attended, _ = self.attn", "attended = self.attn")],
        "; Transformer and ViT raise the same. Run",
    ),
    "the input is taken away": (block, [(ATTENDED, "x = attended - x")], "missing or changed"),
}


def feedback(topic: object, edits: list[tuple[str, str]]) -> str:
    source = REFERENCE
    for old, new in edits:
        assert source.count(old) == 1
        source = source.replace(old, new)
    (judgement,) = harness.verdicts({"vit_model": source}, [topic.TOPIC]).values()
    assert judgement.status == "failed"
    return judgement.feedback


CONSEQUENCES = ("another one's state dict", "no gradient reaches", "not registered as")


@pytest.mark.parametrize(("topic", "edits", "words"), SLIPS.values(), ids=SLIPS)
def test_the_cause_is_named_and_nothing_that_follows_from_it(
    topic: object, edits: list[tuple[str, str]], words: str
) -> None:
    told = feedback(topic, edits)
    assert words in told
    assert not [each for each in CONSEQUENCES if each in told.lower()]
