"""Part 2: a Vision Transformer (Dosovitskiy et al. 2020, arXiv 2010.11929, figure 1), leaves first.

Shapes: B batch, C channels, H and W image height and width, P patch size, N = (H / P) * (W / P) patches,
D hidden size, E embedding size.
"""

import torch
from torch import Tensor, nn


class PatchEmbeddings(nn.Module):
    """Cut an image into patches and project each one to a token (section 3.1, equation 1)."""

    def __init__(self, image_size: int, patch_size: int, hidden_size: int, num_channels: int = 3) -> None:
        """Set up one learnable projection, shared by all patches, and the attribute ``num_patches``.

        Args:
            image_size: H = W of the images, a multiple of ``patch_size``.
            patch_size: P, height and width of a patch.
            hidden_size: D, length of a token.
            num_channels: C of the images.
        """
        super().__init__()
        ### BEGIN SOLUTION: keep num_channels, set num_patches, create the projection
        self.num_channels = num_channels
        self.num_patches = (image_size // patch_size) ** 2
        # A convolution whose stride is its kernel size sees every patch once, and no two patches together.
        self.projection = nn.Conv2d(num_channels, hidden_size, kernel_size=patch_size, stride=patch_size)
        ### END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """Turn images into tokens.

        Args:
            x: (B, C, H, W) images.

        Returns:
            (B, N, D) one token a patch, patches in row-major order.

        Raises:
            ValueError: the images do not have ``num_channels`` channels.
        """
        ### BEGIN SOLUTION: refuse a wrong channel count, then turn each patch into a token
        if x.shape[1] != self.num_channels:
            raise ValueError(f"expected images with {self.num_channels} channels, got {x.shape[1]}")
        x = self.projection(x)  # (B, D, H / P, W / P)
        x = x.flatten(2)  # (B, D, N): flatten walks along the rows, so patches stay in row-major order
        return x.transpose(1, 2)  # (B, N, D)
        ### END SOLUTION


class PositionEmbedding(nn.Module):
    """Put the [CLS] token in front and tell every token where it stands (section 3.1, equation 1)."""

    def __init__(self, num_patches: int, hidden_size: int) -> None:
        """Set up a learnable [CLS] token and one learnable position embedding per token.

        Args:
            num_patches: N.
            hidden_size: D.
        """
        super().__init__()
        ### BEGIN SOLUTION: create the parameters: a [CLS] token, and positions for N + 1 tokens
        # nn.Parameter, not a plain tensor: only parameters reach the optimizer and the checkpoint.
        # As large as projected patches, roughly: with tiny positions, a model learns late what is where.
        self.cls_token = nn.Parameter(0.3 * torch.randn(1, 1, hidden_size))
        self.positions = nn.Parameter(0.3 * torch.randn(1, num_patches + 1, hidden_size))
        ### END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """Prepend [CLS] and add the positions.

        Args:
            x: (B, N, D) patch tokens.

        Returns:
            (B, N + 1, D) tokens, [CLS] first.
        """
        ### BEGIN SOLUTION: put [CLS] before the tokens of each image, then add the positions
        cls_token = self.cls_token.expand(x.shape[0], -1, -1)  # (B, 1, D): the same token for each image
        x = torch.cat([cls_token, x], dim=1)  # (B, N + 1, D)
        return x + self.positions
        ### END SOLUTION


class ResidualAttentionBlock(nn.Module):
    """One pre-norm encoder block: attention, then an MLP, each added to its input (equations 2 and 3)."""

    def __init__(self, d_model: int, n_head: int) -> None:
        """Set up attention, the MLP, and a layer norm for each.

        Args:
            d_model: D, a multiple of ``n_head``.
            n_head: number of attention heads.
        """
        super().__init__()
        ### BEGIN SOLUTION: create the attention, an MLP with a nonlinearity, two layer norms
        self.ln_1 = nn.LayerNorm(d_model)
        self.attn = nn.MultiheadAttention(d_model, n_head, batch_first=True)
        self.ln_2 = nn.LayerNorm(d_model)
        # Four times wider inside, as in the paper (table 1).
        self.mlp = nn.Sequential(
            nn.Linear(d_model, 4 * d_model),
            nn.GELU(),
            nn.Linear(4 * d_model, d_model),
        )
        ### END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """Let the tokens look at each other, then work on each by itself.

        Args:
            x: (B, N + 1, D) tokens.

        Returns:
            (B, N + 1, D) tokens.
        """
        ### BEGIN SOLUTION: x + attention(norm(x)), then that + MLP(norm of that)
        # Normalise once: query, key and value are all LN(x). The sum takes x itself, not LN(x).
        y = self.ln_1(x)
        attended, _ = self.attn(y, y, y, need_weights=False)  # (B, N + 1, D)
        x = x + attended
        x = x + self.mlp(self.ln_2(x))
        return x
        ### END SOLUTION


class Transformer(nn.Module):
    """The encoder: blocks one after the other, each with weights of its own."""

    def __init__(self, width: int, layers: int, heads: int) -> None:
        """Set up the blocks.

        Args:
            width: D.
            layers: number of blocks.
            heads: attention heads in each block.
        """
        super().__init__()
        ### BEGIN SOLUTION: create `layers` residual attention blocks
        # A new block in each turn: `[block] * layers` would be one block, used again and again.
        self.resblocks = nn.Sequential(*[ResidualAttentionBlock(width, heads) for _ in range(layers)])
        ### END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """Run the blocks.

        Args:
            x: (B, N + 1, D) tokens.

        Returns:
            (B, N + 1, D) tokens.
        """
        ### BEGIN SOLUTION: pass the tokens through all blocks
        return self.resblocks(x)
        ### END SOLUTION


class ViT(nn.Module):
    """The whole model: from an image to the feature of its [CLS] token (equations 1 to 4)."""

    def __init__(
        self,
        image_size: int,
        patch_size: int,
        num_channels: int,
        hidden_size: int,
        layers: int,
        heads: int,
    ) -> None:
        """Put the parts together, and keep ``hidden_size`` for the heads that come after.

        Args:
            image_size: H = W of the images.
            patch_size: P.
            num_channels: C.
            hidden_size: D.
            layers: number of transformer blocks.
            heads: attention heads in each block.
        """
        super().__init__()
        ### BEGIN SOLUTION: create the embeddings of patches and positions, the transformer
        self.hidden_size = hidden_size
        self.patch_embed = PatchEmbeddings(image_size, patch_size, hidden_size, num_channels)
        self.pos_embed = PositionEmbedding(self.patch_embed.num_patches, hidden_size)
        self.ln_pre = nn.LayerNorm(hidden_size)
        self.transformer = Transformer(hidden_size, layers, heads)
        self.ln_post = nn.LayerNorm(hidden_size)
        ### END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """Describe each image by one vector.

        Args:
            x: (B, C, H, W) images.

        Returns:
            (B, D) the feature of the [CLS] token.
        """
        ### BEGIN SOLUTION: embed patches and positions, run the transformer, keep the [CLS] token
        x = self.patch_embed(x)  # (B, N, D)
        x = self.pos_embed(x)  # (B, N + 1, D)
        x = self.ln_pre(x)
        x = self.transformer(x)  # (B, N + 1, D)
        # [CLS] has no patch of its own, so it is free to gather what it needs from all of them.
        return self.ln_post(x[:, 0])  # (B, D)
        ### END SOLUTION


class ClassificationHead(nn.Module):
    """From a feature to a score per class."""

    def __init__(self, hidden_size: int, num_classes: int = 10) -> None:
        """Set up the head.

        Args:
            hidden_size: D.
            num_classes: number of classes.
        """
        super().__init__()
        ### BEGIN SOLUTION: create the layer
        self.fc = nn.Linear(hidden_size, num_classes)
        ### END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """Score the classes.

        Args:
            x: (B, D) features.

        Returns:
            (B, num_classes) logits.
        """
        ### BEGIN SOLUTION: return logits: the cross-entropy loss applies the softmax
        return self.fc(x)
        ### END SOLUTION


class LinearEmbeddingHead(nn.Module):
    """From a feature to a point in the embedding space, where near means alike."""

    def __init__(self, hidden_size: int, embed_size: int = 64) -> None:
        """Set up the head.

        Args:
            hidden_size: D.
            embed_size: E.
        """
        super().__init__()
        ### BEGIN SOLUTION: create one linear layer
        self.fc = nn.Linear(hidden_size, embed_size)
        ### END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """Embed features.

        Args:
            x: (B, D) features.

        Returns:
            (B, E) embeddings.
        """
        ### BEGIN SOLUTION: apply the layer, and nothing after it
        return self.fc(x)
        ### END SOLUTION
