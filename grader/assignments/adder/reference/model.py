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
        ### BEGIN SOLUTION: create the projections to query, key and value, the one behind them, and the mask
        self.n_head = n_head
        self.qkv = nn.Linear(d_model, 3 * d_model)
        self.projection = nn.Linear(d_model, d_model)
        # A buffer, not a parameter: it moves with the model to another device, and nothing learns it.
        mask = torch.ones(block_size, block_size, dtype=torch.bool).tril()
        self.register_buffer("mask", mask, persistent=False)
        ### END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """Let the tokens look back.

        Args:
            x: (B, T, D) tokens, T at most ``block_size``.

        Returns:
            (B, T, D) what each token takes: no token depends on a later one.
        """
        ### BEGIN SOLUTION: masked attention of H heads, scaled by the root of D / H
        B, T, D = x.shape
        # Split the features into heads first, then move the heads' axis in front of the tokens'.
        q, k, v = (part.view(B, T, self.n_head, -1).transpose(1, 2) for part in self.qkv(x).chunk(3, dim=-1))
        scores = q @ k.transpose(-2, -1) / k.shape[-1] ** 0.5  # (B, H, T, T): query, key
        # Before the softmax: what is masked out must have no part in the sum that it divides by.
        scores = scores.masked_fill(~self.mask[:T, :T], float("-inf"))
        attended = scores.softmax(dim=-1) @ v  # (B, H, T, D / H)
        return self.projection(attended.transpose(1, 2).reshape(B, T, D))
        ### END SOLUTION


class Block(nn.Module):
    """One pre-norm block: attention, then an MLP, each added to its input."""

    def __init__(self, d_model: int, n_head: int, block_size: int) -> None:
        """Set up attention, the MLP, and a layer norm for each; the arguments are those of the attention."""
        super().__init__()
        ### BEGIN SOLUTION: create the attention, an MLP with a nonlinearity, two layer norms
        self.ln_1 = nn.LayerNorm(d_model)
        self.attention = CausalSelfAttention(d_model, n_head, block_size)
        self.ln_2 = nn.LayerNorm(d_model)
        self.mlp = nn.Sequential(
            nn.Linear(d_model, 4 * d_model),
            nn.GELU(),
            nn.Linear(4 * d_model, d_model),
        )
        ### END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """Let the tokens look back, then work on each by itself; (B, T, D) to (B, T, D)."""
        ### BEGIN SOLUTION: x + attention(norm(x)), then that + MLP(norm of that)
        x = x + self.attention(self.ln_1(x))
        x = x + self.mlp(self.ln_2(x))
        return x
        ### END SOLUTION


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
        ### BEGIN SOLUTION: keep block_size; create embeddings, blocks, a last norm and the layer for the logits
        self.block_size = block_size
        self.token_embedding = nn.Embedding(vocab_size, d_model)
        self.position_embedding = nn.Embedding(block_size, d_model)
        self.blocks = nn.Sequential(*[Block(d_model, n_head, block_size) for _ in range(n_layer)])
        self.ln = nn.LayerNorm(d_model)
        self.head = nn.Linear(d_model, vocab_size)
        ### END SOLUTION

    def forward(self, idx: Tensor, targets: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Predict the token that follows each token.

        Args:
            idx: (B, T) ids, T at most ``block_size``.
            targets: (B, T) the id that follows each token, which the caller has shifted; -100: not to be predicted.

        Returns:
            logits: (B, T, V).
            loss: the mean cross-entropy over the targets that are not -100; None without targets.
        """
        ### BEGIN SOLUTION: embed tokens and positions, run the blocks, give logits and the loss
        positions = torch.arange(idx.shape[1], device=idx.device)  # (T,)
        x = self.token_embedding(idx) + self.position_embedding(positions)  # (B, T, D)
        logits = self.head(self.ln(self.blocks(x)))  # (B, T, V)
        if targets is None:
            return logits, None
        loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-100)
        return logits, loss
        ### END SOLUTION
