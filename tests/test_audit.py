"""A part of the audit, whole and confined, as an instructor runs it: two faults or more of each part, and variants."""

import os

import pytest

from grader import audit
from grader.grading import Options
from tests.corpus import load

FAULTS = (
    "augmentation.train_not_normalised", "augmentation.crop_without_padding", "augmentation.flip_always",
    "augmentation.test_not_normalised", "augmentation.own_noise_only",
    "vit.patches_cut_by_view", "vit.patches_no_value_error", "vit.positions_cls_last", "vit.positions_frozen",
    "vit.block_batch_axis", "vit.block_norm_of_query_alone", "vit.block_heads_split_by_reshape",
    "vit.model_mean_of_tokens", "vit.model_channels_not_passed_on", "vit.heads_softmax",
    "checkpoint.embeds_nan", "checkpoint.layers_changed", "checkpoint.heads_changed",
    "contrastive.scheduler_milestones_beyond", "contrastive.scheduler_milestones_in_batches",
    "contrastive.step_missing", "contrastive.embeddings_train_mode", "contrastive.protected_end_claims_more",
    "logs.interrupted", "logs.end_cut_off", "logs.claims_more",
    "application.knn_farthest", "application.knn_squared", "application.transfer_no_step",
    "application.transfer_wrong_optimizer",
)  # fmt: skip
VARIANTS = (
    "vit.right_block_loop_over_images_and_heads", "vit.right_encoder_torch_layers", "vit.right_patches_unfold",
    "vit.right_block_fused_qkv", "contrastive.variant_scheduler_of_its_own_class",
    "contrastive.variant_miner_of_its_own", "contrastive.variant_reformatted", "augmentation.own_salt_and_zoom",
    "application.knn_expanded_squares", "application.transfer_features_first", "logs.variant_bars_in_epochs",
    "checkpoint.variant_compiled_and_parallel",
)  # fmt: skip
CASES = ("reference", "template", *FAULTS, *VARIANTS)


@pytest.fixture(scope="module")
def lines() -> dict[str, audit.Line]:
    found = audit.run(Options(), jobs=os.cpu_count() or 1, only=CASES)
    return {line.id: line for line in found}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("case", CASES)
def test_a_case_costs_what_it_says(lines, case):
    assert case in lines and lines[case].complaints == ()


def test_the_corpus_is_large_and_says_each_thing_once():
    faults, variants = load()
    assert len(faults) >= 120 and len(variants) >= 40
    assert len({case.id for case in faults + variants}) == len(faults) + len(variants)


def test_every_criterion_has_faults():
    costs = {criterion for case in load()[0] for criterion in case.costs}
    assert costs == set(Options().assignment.criteria)
