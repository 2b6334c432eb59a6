"""``ResidualAttentionBlock`` and ``Transformer``: the topic put together."""

from grader.assignment import Topic
from grader.assignments.vit.model import asking
from grader.assignments.vit.model.attention import (
    attention_weights,
    gradients,
    heads,
    mlp_after_attention,
    scale_warning,
    tokens_attend,
)
from grader.assignments.vit.model.structure import (
    batch_mates,
    blocks_of_their_own,
    nonlinearity,
    normalised_before,
    one_after_the_other,
    registered,
    residual,
    shape,
)
from grader.evidence import Probe
from grader.judging import Criterion, checks

TOPIC = Topic(
    probes=(
        Probe("transformer", "module.run", asking.transformer), Probe("block", "module.run", asking.block),
        Probe("block.pairs", "module.run", asking.pairs),
    ),
    criteria=(
        Criterion(
            "vit.attention_block",
            checks(
                shape, batch_mates, registered, blocks_of_their_own, residual, one_after_the_other, normalised_before,
                tokens_attend, attention_weights, heads, nonlinearity, mlp_after_attention, gradients,
            ),
            ("ResidualAttentionBlock", "Transformer"),
        ),
    ),
    warnings=(scale_warning,),
)  # fmt: skip
