"""Part 2: a decoder-only transformer (Radford et al. 2019, section 2.3), leaves first.

Shapes: B batch, T tokens, V size of the vocabulary, D width of the model, H heads.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class CausalSelfAttention(nn.Module):
    """Let each token take from itself and from those before it (Vaswani et al. 2017, section 3.2)."""

    def __init__(self, d_model: int, n_head: int, block_size: int) -> None:
        """Set up the projections, and a mask for up to ``block_size`` tokens.

        Args:
            d_model: D, a multiple of ``n_head``.
            n_head: H, number of heads, each with D / H features.
            block_size: most tokens of a text.
        """
        super().__init__()
        raise NotImplementedError("create the projections to query, key and value, the one behind them, and the mask")

    def forward(self, x: Tensor) -> Tensor:
        """Let the tokens look back.

        Args:
            x: (B, T, D) tokens, T at most ``block_size``.

        Returns:
            (B, T, D) what each token takes: no token depends on a later one.
        """
        raise NotImplementedError("masked attention of H heads, scaled by the root of D / H")


class Block(nn.Module):
    """One pre-norm block: attention, then an MLP, each added to its input."""

    def __init__(self, d_model: int, n_head: int, block_size: int) -> None:
        """Set up attention, the MLP, and a layer norm for each; the arguments are those of the attention."""
        super().__init__()
        raise NotImplementedError("create the attention, an MLP with a nonlinearity, two layer norms")

    def forward(self, x: Tensor) -> Tensor:
        """Let the tokens look back, then work on each by itself; (B, T, D) to (B, T, D)."""
        raise NotImplementedError("x + attention(norm(x)), then that + MLP(norm of that)")


class GPT(nn.Module):
    """Tokens to logits of the next token."""

    def __init__(self, vocab_size: int, block_size: int, n_layer: int, n_head: int, d_model: int) -> None:
        """Set up embeddings of tokens and of positions, the blocks, and the layer that gives the logits.

        The attribute ``block_size`` tells how many tokens it takes.

        Args:
            vocab_size: V.
            block_size: most tokens of a text.
            n_layer: number of blocks.
            n_head: heads of each block.
            d_model: D.
        """
        super().__init__()
        raise NotImplementedError("keep block_size; create embeddings, blocks, a last norm and the layer for the logits")

    def forward(self, idx: Tensor, targets: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Predict the token that follows each token.

        Args:
            idx: (B, T) ids, T at most ``block_size``.
            targets: (B, T) the id that follows each token, which the caller has shifted; -100: not to be predicted.

        Returns:
            logits: (B, T, V).
            loss: the mean cross-entropy over the targets that are not -100; None without targets.
        """
        raise NotImplementedError("embed tokens and positions, run the blocks, give logits and the loss")
