"""The weights of attention are found however it is written, and told to be unknown where they cannot be seen."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from grader.torchkit.inside.attention_weights import AttentionWeights

TOKENS, WIDTH, HEADS, LAYERS = 5, 8, 2, 2


def two_layers():
    torch.manual_seed(1)
    return [nn.MultiheadAttention(WIDTH, HEADS, batch_first=True).eval() for _ in range(LAYERS)]


def parts(mha, x):
    """(1, heads, T, width / heads) queries, keys and values."""
    split = F.linear(x, mha.in_proj_weight, mha.in_proj_bias).chunk(3, -1)
    return [each.unflatten(-1, (HEADS, -1)).transpose(1, 2) for each in split]


def joined(mha, out):
    return mha.out_proj(out.transpose(1, 2).flatten(2))


def by_module(mha, x):
    return mha(x, x, x, need_weights=False)[0]


def by_module_with_weights(mha, x):
    return mha(x, x, x, average_attn_weights=False)[0]


def fused(mha, x):
    return joined(mha, F.scaled_dot_product_attention(*parts(mha, x)))


def by_hand(mha, x):
    q, k, v = parts(mha, x)
    return joined(mha, torch.softmax(q @ k.mT / q.shape[-1] ** 0.5, -1) @ v)


def head_by_head(mha, x):
    q, k, v = parts(mha, x)
    heads = [(q[:, h] @ k[:, h].mT / q.shape[-1] ** 0.5).softmax(-1) @ v[:, h] for h in range(HEADS)]
    return joined(mha, torch.stack(heads, 1))


@pytest.mark.parametrize("attend", [by_module, by_module_with_weights, fused, by_hand, head_by_head])
def test_attention_of_the_last_layer_is_found_however_it_is_written(attend):
    first, last = two_layers()
    x = torch.randn(1, TOKENS, WIDTH)
    with torch.no_grad():
        middle = by_hand(first, x)
        expected = last(middle, middle, middle)[1][0]
        with AttentionWeights() as weights:
            attend(last, attend(first, x))
        torch.testing.assert_close(weights.of_last_layer(LAYERS), expected)


def test_attention_without_a_softmax_is_unknown():
    with torch.no_grad(), AttentionWeights() as seen:
        x = torch.randn(1, TOKENS, WIDTH)
        weights = (x @ x.mT).exp()
        _ = weights / weights.sum(-1, keepdim=True) @ x
    assert seen.of_last_layer(1) is None


def test_what_a_module_returns_is_the_same_while_it_is_watched():
    mha = two_layers()[0]
    x = torch.randn(1, TOKENS, WIDTH)
    with torch.no_grad():
        plain = mha(x, x, x, average_attn_weights=False)
        with AttentionWeights():
            watched = mha(x, x, x, average_attn_weights=False)
            assert mha(x, x, x, need_weights=False)[1] is None
    torch.testing.assert_close(plain, watched)
