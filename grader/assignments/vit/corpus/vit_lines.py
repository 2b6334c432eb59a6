"""The lines of the reference's ``vit_model.py`` that faults change, and how a fault of it is written.

``vit.shapes`` is lost as well where ``check_vit.py`` cannot but see it.
"""

from grader.assignments.vit import files
from grader.audit import Case

PATCHES, POSITIONS, BLOCK = "vit.patch_embeddings", "vit.position_embedding", "vit.attention_block"
MODEL, HEADS, SHAPES = "vit.model", "vit.heads", "vit.shapes"
Edit = tuple[str, str]
REFERENCE = files.REFERENCE / "vit_model.py"


def line_of(beginning: str) -> str:
    """The reference's line that begins so, where its numbers do not matter here."""
    return next(
        line.strip()
        for line in REFERENCE.read_text(encoding="utf-8").splitlines()
        if line.strip().startswith(beginning)
    )


# The reference's lines that faults change.
REFUSAL = """        if x.shape[1] != self.num_channels:
            raise ValueError(f"expected images with {self.num_channels} channels, got {x.shape[1]}")
"""
CONV = "self.projection = nn.Conv2d(num_channels, hidden_size, kernel_size=patch_size, stride=patch_size)"
PROJECT = "        x = self.projection(x)  # (B, D, H / P, W / P)\n"
FLATTEN = "        x = x.flatten(2)  # (B, D, N): flatten walks along the rows, so patches stay in row-major order\n"
TOKENS = "        return x.transpose(1, 2)  # (B, N, D)\n"
TO_TOKENS = PROJECT + FLATTEN + TOKENS
COUNT = "self.num_patches = (image_size // patch_size) ** 2"

CLS = line_of("self.cls_token = nn.Parameter(")
PLACES = line_of("self.positions = nn.Parameter(")
EXPAND = "        cls_token = self.cls_token.expand(x.shape[0], -1, -1)  # (B, 1, D): the same token for each image\n"
CAT = "        x = torch.cat([cls_token, x], dim=1)  # (B, N + 1, D)\n"
ADD = "        return x + self.positions\n"

LN_1 = "        self.ln_1 = nn.LayerNorm(d_model)\n"
MHA = "        self.attn = nn.MultiheadAttention(d_model, n_head, batch_first=True)\n"
LN_2 = "        self.ln_2 = nn.LayerNorm(d_model)\n"
MLP = """        self.mlp = nn.Sequential(
            nn.Linear(d_model, 4 * d_model),
            nn.GELU(),
            nn.Linear(4 * d_model, d_model),
        )
"""
NORM = "        y = self.ln_1(x)\n"
ATTEND = "        attended, _ = self.attn(y, y, y, need_weights=False)  # (B, N + 1, D)\n"
SUM_1 = "        x = x + attended\n"
SUM_2 = "        x = x + self.mlp(self.ln_2(x))\n        return x\n"
BLOCK_FORWARD = NORM + ATTEND + SUM_1 + SUM_2
STACK = "self.resblocks = nn.Sequential(*[ResidualAttentionBlock(width, heads) for _ in range(layers)])"
RUN = "        return self.resblocks(x)\n"

EMBED = "self.patch_embed = PatchEmbeddings(image_size, patch_size, hidden_size, num_channels)"
PLACE = "self.pos_embed = PositionEmbedding(self.patch_embed.num_patches, hidden_size)"
ENCODE = "self.transformer = Transformer(hidden_size, layers, heads)"
LN_POST = "self.ln_post = nn.LayerNorm(hidden_size)\n"
KEEP = "        self.hidden_size = hidden_size\n"
TO_PATCHES = "        x = self.patch_embed(x)  # (B, N, D)\n"
TO_PLACES = "        x = self.pos_embed(x)  # (B, N + 1, D)\n"
LN_PRE = "        x = self.ln_pre(x)\n"
THROUGH = "        x = self.transformer(x)  # (B, N + 1, D)\n"
FEATURE = "        return self.ln_post(x[:, 0])  # (B, D)\n"

CLASSIFIER = "self.fc = nn.Linear(hidden_size, num_classes)"
EMBEDDER = "self.fc = nn.Linear(hidden_size, embed_size)"
BEFORE_LOGITS = "        ### BEGIN SOLUTION: return logits: the cross-entropy loss applies the softmax\n"
BEFORE_EMBEDDING = "        ### BEGIN SOLUTION: apply the layer, and nothing after it\n"
APPLY = "        return self.fc(x)\n"
LOGITS, EMBEDDING = BEFORE_LOGITS + APPLY, BEFORE_EMBEDDING + APPLY


def fault(ident: str, costs: str | tuple[str, ...], word: str, *edits: Edit, warns: tuple[str, ...] = ()) -> Case:
    costs = (costs,) if isinstance(costs, str) else costs
    return Case(f"vit.{ident}", {"vit_model.py": list(edits)}, costs, word, warns)


def lines_of(*lines: str) -> str:
    """Lines of a method's body."""
    return "".join(f"        {line}\n" for line in lines)
