"""The model written in other ways that are as right: each costs nothing."""

from functools import partial

from grader.audit import Case, with_classes


def _variant(ident: str, **new: str) -> Case:
    return Case(f"model.right_{ident}", {"model.py": partial(with_classes, new, "import math\n")})


def _edited(ident: str, *edits: tuple[str, str]) -> Case:
    return Case(f"model.right_{ident}", {"model.py": list(edits)})


SDPA = """
class CausalSelfAttention(nn.Module):
    def __init__(self, d_model, n_head, block_size):
        super().__init__()
        self.n_head = n_head
        self.c_attn = nn.Linear(d_model, 3 * d_model)
        self.c_proj = nn.Linear(d_model, d_model)

    def forward(self, x):
        B, T, C = x.size()
        q, k, v = self.c_attn(x).split(C, dim=2)
        q, k, v = (t.view(B, T, self.n_head, C // self.n_head).transpose(1, 2) for t in (q, k, v))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.c_proj(y.transpose(1, 2).contiguous().view(B, T, C))
"""
MHA = """
class CausalSelfAttention(nn.Module):
    def __init__(self, d_model, n_head, block_size):
        super().__init__()
        self.attn = nn.MultiheadAttention(d_model, n_head, batch_first=True)

    def forward(self, x):
        mask = torch.triu(torch.ones(x.shape[1], x.shape[1], dtype=torch.bool, device=x.device), diagonal=1)
        return self.attn(x, x, x, attn_mask=mask, need_weights=False)[0]
"""
EINSUM = """
class CausalSelfAttention(nn.Module):
    def __init__(self, d_model, n_head, block_size):
        super().__init__()
        self.h = n_head
        self.query, self.key, self.value = (nn.Linear(d_model, d_model, bias=False) for _ in range(3))
        self.out = nn.Linear(d_model, d_model)

    def forward(self, x):
        b, t, d = x.shape
        q, k, v = (f(x).reshape(b, t, self.h, d // self.h) for f in (self.query, self.key, self.value))
        scores = torch.einsum("bqhd,bkhd->bhqk", q, k) / math.sqrt(d // self.h)
        bias = torch.full((t, t), -1e9, device=x.device).triu(1)
        weights = torch.softmax(scores + bias, dim=3)
        return self.out(torch.einsum("bhqk,bkhd->bqhd", weights, v).reshape(b, t, d))
"""
HEADS_APART = """
class Head(nn.Module):
    def __init__(self, d_model, size, block_size):
        super().__init__()
        self.key, self.query, self.value = nn.Linear(d_model, size), nn.Linear(d_model, size), nn.Linear(d_model, size)
        self.register_buffer("tril", torch.tril(torch.ones(block_size, block_size)), persistent=False)

    def forward(self, x):
        T = x.shape[1]
        wei = self.query(x) @ self.key(x).transpose(-2, -1) * self.key.out_features**-0.5
        wei = wei.masked_fill(self.tril[:T, :T] == 0, float("-inf"))
        return F.softmax(wei, dim=-1) @ self.value(x)


class CausalSelfAttention(nn.Module):
    def __init__(self, d_model, n_head, block_size):
        super().__init__()
        self.heads = nn.ModuleList([Head(d_model, d_model // n_head, block_size) for _ in range(n_head)])
        self.proj = nn.Linear(d_model, d_model)

    def forward(self, x):
        return self.proj(torch.cat([h(x) for h in self.heads], dim=-1))
"""
ROTARY = """
def rotate(x):
    half = x.shape[-1] // 2
    rates = 100.0 ** -(torch.arange(half, device=x.device) / half)
    angles = torch.arange(x.shape[-2], device=x.device)[:, None] * rates
    a, b = x[..., :half], x[..., half : 2 * half]
    turned = torch.cat([a * angles.cos() - b * angles.sin(), a * angles.sin() + b * angles.cos()], dim=-1)
    return torch.cat([turned, x[..., 2 * half :]], dim=-1)


class CausalSelfAttention(nn.Module):
    def __init__(self, d_model, n_head, block_size):
        super().__init__()
        self.n_head, self.qkv, self.out = n_head, nn.Linear(d_model, 3 * d_model), nn.Linear(d_model, d_model)

    def forward(self, x):
        B, T, D = x.shape
        q, k, v = (p.view(B, T, self.n_head, -1).transpose(1, 2) for p in self.qkv(x).chunk(3, dim=-1))
        y = F.scaled_dot_product_attention(rotate(q), rotate(k), v, is_causal=True)
        return self.out(y.transpose(1, 2).reshape(B, T, D))
"""
RMS = """
class Block(nn.Module):
    def __init__(self, d_model, n_head, block_size):
        super().__init__()
        self.attn_norm, self.mlp_norm = nn.RMSNorm(d_model), nn.RMSNorm(d_model)
        self.attn = CausalSelfAttention(d_model, n_head, block_size)
        self.up, self.gate = nn.Linear(d_model, 4 * d_model, bias=False), nn.Linear(d_model, 4 * d_model, bias=False)
        self.down = nn.Linear(4 * d_model, d_model, bias=False)

    def forward(self, x):
        x = x + self.attn(self.attn_norm(x))
        y = self.mlp_norm(x)
        return x + self.down(F.silu(self.gate(y)) * self.up(y))
"""
DROPOUT = """
class Block(nn.Module):
    def __init__(self, d_model, n_head, block_size):
        super().__init__()
        self.ln1 = nn.LayerNorm(d_model)
        self.sa = CausalSelfAttention(d_model, n_head, block_size)
        self.ln2 = nn.LayerNorm(d_model)
        self.ffwd = nn.Sequential(
            nn.Linear(d_model, 4 * d_model), nn.GELU(), nn.Linear(4 * d_model, d_model), nn.Dropout(0.1)
        )
        self.drop = nn.Dropout(0.1)

    def forward(self, x):
        x = x + self.drop(self.sa(self.ln1(x)))
        return x + self.ffwd(self.ln2(x))
"""
LIBRARY = """
class GPT(nn.Module):
    def __init__(self, vocab_size, block_size, n_layer, n_head, d_model):
        super().__init__()
        self.block_size = block_size
        self.wte = nn.Embedding(vocab_size, d_model)
        self.wpe = nn.Parameter(torch.zeros(1, block_size, d_model))
        layer = nn.TransformerEncoderLayer(
            d_model, n_head, 4 * d_model, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, n_layer, norm=nn.LayerNorm(d_model), enable_nested_tensor=False)
        self.lm_head = nn.Linear(d_model, vocab_size, bias=False)

    def forward(self, idx, targets=None):
        T = idx.size(1)
        mask = nn.Transformer.generate_square_subsequent_mask(T, device=idx.device)
        x = self.encoder(self.wte(idx) + self.wpe[:, :T], mask=mask, is_causal=True)
        logits = self.lm_head(x)
        loss = None
        if targets is not None:
            kept = targets != -100
            logp = logits.log_softmax(-1)[kept]
            loss = -logp.gather(1, targets[kept][:, None]).mean()
        return logits, loss
"""
SINUSOIDAL = """
class GPT(nn.Module):
    def __init__(self, vocab_size, block_size, n_layer, n_head, d_model):
        super().__init__()
        self.block_size, self.d_model = block_size, d_model
        self.tokens = nn.Embedding(vocab_size, d_model)
        at = torch.arange(block_size)[:, None] * torch.exp(-torch.arange(0, d_model, 2) * math.log(1e4) / d_model)
        table = torch.zeros(block_size, d_model)
        table[:, 0::2], table[:, 1::2] = at.sin(), at.cos()
        self.register_buffer("table", table)
        self.blocks = nn.ModuleList(Block(d_model, n_head, block_size) for _ in range(n_layer))
        self.norm, self.out = nn.LayerNorm(d_model), nn.Linear(d_model, vocab_size)

    def forward(self, idx, targets=None):
        x = self.tokens(idx) * self.d_model**0.5 + self.table[: idx.shape[1]]
        for block in self.blocks:
            x = block(x)
        logits = self.out(self.norm(x))
        if targets is None:
            return logits, None
        return logits, F.cross_entropy(logits.transpose(1, 2), targets)
"""

VARIANTS = [
    _variant("sdpa_as_in_nanogpt", CausalSelfAttention=SDPA),
    _variant("multihead_attention", CausalSelfAttention=MHA),
    _variant("einsum_without_biases", CausalSelfAttention=EINSUM),
    _variant("heads_as_modules", CausalSelfAttention=HEADS_APART),
    _variant(
        "rotary_positions_alone",
        CausalSelfAttention=ROTARY,
        GPT=SINUSOIDAL.replace(" + self.table[: idx.shape[1]]", "").replace("self.tokens(idx) * self.d_model**0.5", "self.tokens(idx)"),
    ),
    _variant("rms_norm_and_gated_mlp", Block=RMS),
    _variant("dropout", Block=DROPOUT),
    _variant("layers_of_the_library", GPT=LIBRARY),
    _variant("fixed_positions", GPT=SINUSOIDAL),
    _edited(
        "tied_weights",
        ("        self.head = nn.Linear(d_model, vocab_size)\n", "        self.head = nn.Linear(d_model, vocab_size, bias=False)\n        self.head.weight = self.token_embedding.weight\n"),
    ),
    _edited(
        "scaled_small_at_first",
        ("        self.head = nn.Linear(d_model, vocab_size)\n", "        self.head = nn.Linear(d_model, vocab_size)\n        for name, p in self.named_parameters():\n            nn.init.zeros_(p) if name.endswith('bias') else nn.init.normal_(p, std=0.02)\n"),
    ),
    _edited("loss_per_token", ("F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-100)", "F.cross_entropy(logits.view(-1, logits.size(-1)), targets.reshape(-1))")),
    Case(
        "model.unscaled_warns",
        {"model.py": [(" / k.shape[-1] ** 0.5", "")]},
        warns=("attention.scale",),
    ),
]  # fmt: skip
