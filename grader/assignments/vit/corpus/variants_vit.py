"""Part 2 in other styles: each is right, looks unlike the reference, and must lose nothing."""

import ast
import textwrap
from functools import partial

from grader.audit import Case

HEADER = "import math\nfrom functools import partial\nimport torch.nn.functional as F\nfrom torch.nn.init import trunc_normal_\n"


def _classes(new: dict[str, str], reference: bytes) -> bytes:
    """The reference with some classes written another way; what comes before a class goes with it."""
    text = reference.decode()
    lines = text.splitlines(keepends=True)
    for node in reversed(ast.parse(text).body):
        if isinstance(node, ast.ClassDef) and node.name in new:
            lines[node.lineno - 1 : node.end_lineno] = [textwrap.dedent(new[node.name]).strip() + "\n"]
    unknown = [name for name in new if f"class {name}" not in text]
    assert not unknown, unknown
    return (
        "".join(lines).replace("from torch import Tensor, nn\n", f"from torch import Tensor, nn\n{HEADER}", 1).encode()
    )


def _variant(ident: str, warns: tuple[str, ...] = (), **new: str) -> Case:
    return Case(f"vit.{ident}", {"vit_model.py": partial(_classes, new)}, warns=warns)


PATCH_HEAD = """
class PatchEmbeddings(nn.Module):
    def __init__(self, image_size, patch_size, hidden_size, num_channels=3):
        super().__init__()
        self.image_size, self.p, self.c = image_size, patch_size, num_channels
        self.num_patches = (image_size // patch_size) ** 2
        self.proj = nn.Linear(num_channels * patch_size * patch_size, hidden_size)

    def forward(self, x):
        B, C, H, W = x.shape
        p = self.p
        if C != self.c:
            raise ValueError("wrong number of channels")
"""


def _patches(*lines: str) -> str:
    return PATCH_HEAD + "".join(f"        {line}\n" for line in lines)


PATCHES = [
    _variant("right_patches_reshape_permute", PatchEmbeddings=_patches(
        "x = x.reshape(B, C, H // p, p, W // p, p).permute(0, 2, 4, 1, 3, 5)",
        "return self.proj(x.reshape(B, -1, C * p * p))")),
    _variant("right_patches_einops_order", PatchEmbeddings=_patches(
        "x = x.view(B, C, H // p, p, W // p, p)",
        "return self.proj(torch.einsum('bchpwq->bhwpqc', x).reshape(B, self.num_patches, p * p * C))")),
    _variant("right_patches_unfold", PatchEmbeddings=_patches("return self.proj(F.unfold(x, p, stride=p).transpose(1, 2))")),
    _variant("right_patches_tensor_unfold", PatchEmbeddings=_patches(
        "x = x.unfold(2, p, p).unfold(3, p, p)",
        "x = x.permute(0, 2, 3, 1, 4, 5).contiguous().view(B, self.num_patches, -1)",
        "return self.proj(x)")),
    _variant("right_patches_loop", PatchEmbeddings=_patches(
        "tokens = []",
        "for i in range(0, H, p):",
        "    for j in range(0, W, p):",
        "        tokens.append(self.proj(x[:, :, i : i + p, j : j + p].flatten(1)))",
        "return torch.stack(tokens, dim=1)")),
    _variant("right_patches_split", PatchEmbeddings=_patches(
        "rows = torch.cat([torch.stack(row.split(p, dim=3), 1) for row in x.split(p, dim=2)], dim=1)",
        "return self.proj(rows.flatten(2))")),
    _variant("right_patches_layer_norms_around", PatchEmbeddings="""
        class PatchEmbeddings(nn.Module):
            def __init__(self, image_size, patch_size, hidden_size, num_channels=3):
                super().__init__()
                self.p, self.num_channels = patch_size, num_channels
                self.num_patches = torch.tensor((image_size // patch_size) ** 2)
                size = num_channels * patch_size**2
                self.to_tokens = nn.Sequential(nn.LayerNorm(size), nn.Linear(size, hidden_size), nn.LayerNorm(hidden_size))

            def forward(self, x):
                if x.size(1) != self.num_channels:
                    raise ValueError
                return self.to_tokens(F.unfold(x, self.p, stride=self.p).mT)
        """, ViT="""
        class ViT(nn.Module):
            def __init__(self, image_size, patch_size, num_channels, hidden_size, layers, heads):
                super().__init__()
                self.hidden_size = hidden_size
                self.patches = PatchEmbeddings(image_size, patch_size, hidden_size, num_channels)
                self.places = PositionEmbedding(int(self.patches.num_patches), hidden_size)
                self.encoder = Transformer(hidden_size, layers, heads)

            def forward(self, x):
                return self.encoder(self.places(self.patches(x)))[:, 0]
        """),
    _variant("right_patches_conv_stem_of_its_patch", PatchEmbeddings="""
        class PatchEmbeddings(nn.Module):
            def __init__(self, image_size, patch_size, hidden_size, num_channels=3):
                super().__init__()
                self.num_patches = (image_size // patch_size) * (image_size // patch_size)
                self.num_channels = num_channels
                self.first = nn.Conv2d(num_channels, 2 * hidden_size, patch_size, patch_size, bias=False)
                self.norm = nn.BatchNorm2d(2 * hidden_size)
                self.second = nn.Conv2d(2 * hidden_size, hidden_size, 1)

            def forward(self, x):
                if x.shape[1] is not self.num_channels and x.shape[1] != self.num_channels:
                    raise ValueError("channels")
                return self.second(F.silu(self.norm(self.first(x)))).flatten(start_dim=2).permute(0, 2, 1)
        """),
    _variant("right_patches_weight_by_hand", PatchEmbeddings="""
        class WrongChannels(ValueError):
            pass


        class PatchEmbeddings(nn.Module):
            def __init__(self, image_size, patch_size, hidden_size, num_channels=3):
                super().__init__()
                self.grid = image_size // patch_size
                self.weight = nn.Parameter(torch.empty(hidden_size, num_channels, patch_size, patch_size))
                self.bias = nn.Parameter(torch.zeros(hidden_size))
                trunc_normal_(self.weight, std=0.02)
                self.register_buffer("mean", torch.zeros(1, num_channels, 1, 1), persistent=False)

            @property
            def num_patches(self):
                return self.grid**2

            def forward(self, x):
                if x.shape[1] != self.weight.shape[1]:
                    raise WrongChannels(f"{x.shape}")
                B, C, H, W = x.shape
                P = self.weight.shape[-1]
                x = (x - self.mean).reshape(B, C, self.grid, P, self.grid, P)
                return torch.einsum("bchpwq,dcpq->bhwd", x, self.weight).flatten(1, 2) + self.bias
        """),
]  # fmt: skip

POSITIONS_HEAD = """
class PositionEmbedding(nn.Module):
    def __init__(self, num_patches, hidden_size):
        super().__init__()
"""


def _positions(make: list[str], forward: list[str]) -> str:
    text = POSITIONS_HEAD + "".join(f"        {line}\n" for line in make)
    return text + "\n    def forward(self, x):\n" + "".join(f"        {line}\n" for line in forward)


POSITIONS = [
    _variant("right_positions_zeros", PositionEmbedding=_positions(
        ["self.cls_token = nn.Parameter(torch.zeros(1, 1, hidden_size))",
         "self.pos = nn.Parameter(torch.zeros(1, num_patches + 1, hidden_size))",
         "self.dropout = nn.Dropout(0.1)"],
        ["cls = self.cls_token.repeat(x.size(0), 1, 1)",
         "return self.dropout(torch.hstack((cls, x)) + self.pos)"])),
    _variant("right_positions_cls_apart", PositionEmbedding=_positions(
        ["self.cls = nn.Parameter(torch.randn(hidden_size))", "self.pos = nn.Parameter(torch.randn(num_patches, hidden_size))"],
        ["x = x + self.pos", "return torch.cat([self.cls.expand(len(x), 1, -1), x], 1)"])),
    _variant("right_positions_one_for_cls_too", PositionEmbedding=_positions(
        ["scale = hidden_size**-0.5",
         "self.class_embedding = nn.Parameter(scale * torch.randn(hidden_size))",
         "self.positional_embedding = nn.Parameter(scale * torch.randn(num_patches + 1, hidden_size))"],
        ["zeros = torch.zeros(x.shape[0], 1, x.shape[-1], dtype=x.dtype, device=x.device)",
         "x = torch.cat([self.class_embedding.to(x.dtype) + zeros, x], dim=1)",
         "return x + self.positional_embedding.to(x.dtype)"])),
    _variant("right_positions_embedding_layer", PositionEmbedding=_positions(
        ["self.cls = nn.Embedding(1, hidden_size)",
         "self.pos = nn.Embedding(num_patches + 1, hidden_size)",
         "self.register_buffer('ids', torch.arange(num_patches + 1))"],
        ["cls = self.cls(torch.zeros(x.shape[0], 1, dtype=torch.long, device=x.device))",
         "x = torch.cat((cls, x), dim=1)", "x += self.pos(self.ids)", "return x"])),
    _variant("right_positions_sines_to_start", PositionEmbedding=_positions(
        ["angles = torch.arange(num_patches + 1)[:, None] / 10000 ** (torch.arange(hidden_size) / hidden_size)",
         "self.pos = nn.Parameter(torch.sin(angles).float())",
         "self.cls = nn.Parameter(torch.randn(1, hidden_size))"],
        ["tokens = torch.stack([torch.vstack((self.cls, image)) for image in x])", "return tokens + self.pos"])),
    _variant("right_positions_randn_without_grad", PositionEmbedding=_positions(
        ["self.cls = nn.Parameter(torch.randn(1, 1, hidden_size, requires_grad=False))",
         "self.pos = torch.nn.parameter.Parameter(data=torch.rand(1, 1 + num_patches, hidden_size, requires_grad=False))"],
        ["B, N, D = x.shape", "out = x.new_empty(B, N + 1, D)", "out[:, :1] = self.cls", "out[:, 1:] = x", "return out + self.pos"])),
    _variant("right_positions_list_of_parameters", PositionEmbedding=_positions(
        ["self.cls = nn.Parameter(torch.zeros(1, hidden_size))",
         "self.pos = nn.ParameterList([nn.Parameter(torch.randn(1, hidden_size)) for _ in range(num_patches + 1)])"],
        ["x = F.pad(x, (0, 0, 1, 0)) + torch.cat(list(self.pos))", "x[:, 0] = x[:, 0] + self.cls", "return x"])),
    _variant("right_positions_cls_in_one_table_with_them", PositionEmbedding=_positions(
        ["self.table = nn.Parameter(0.02 * torch.randn(num_patches + 2, hidden_size))"],
        ["cls, pos = self.table.split([1, self.table.shape[0] - 1])",
         "return torch.cat([cls.expand(x.shape[0], 1, -1), x], 1) + pos"])),
    _variant("right_positions_cls_in_one_embedding_layer_with_them", PositionEmbedding=_positions(
        ["self.table = nn.Embedding(num_patches + 2, hidden_size)"],
        ["rows = self.table(torch.arange(x.shape[1] + 2, device=x.device))",
         "return torch.cat([rows[:1].expand(x.shape[0], 1, -1), x], 1) + rows[1:]"])),
]  # fmt: skip

BLOCK_HEAD = """
class ResidualAttentionBlock(nn.Module):
    def __init__(self, d_model, n_head):
        super().__init__()
        self.heads, self.width = n_head, d_model // n_head
        self.norm1 = nn.LayerNorm(d_model)
        self.norm2 = nn.LayerNorm(d_model)
"""
GELU_MLP = "self.mlp = nn.Sequential(nn.Linear(d_model, 4 * d_model), nn.GELU(), nn.Linear(4 * d_model, d_model))"
USUAL_FORWARD = "x = x + self.attention(self.norm1(x))\n        return x + self.mlp(self.norm2(x))"


def _block(make: list[str], attention: list[str], forward: str = USUAL_FORWARD, before: str = "") -> str:
    text = textwrap.dedent(before) + BLOCK_HEAD + "".join(f"        {line}\n" for line in make)
    if attention:
        text += "\n    def attention(self, x):\n" + "".join(f"        {line}\n" for line in attention)
    return text + f"\n    def forward(self, x):\n        {forward}\n"


QKV = ["self.qkv = nn.Linear(d_model, 3 * d_model)", "self.out = nn.Linear(d_model, d_model)", GELU_MLP]
SPLIT = ["B, N, D = x.shape", "q, k, v = self.qkv(x).reshape(B, N, 3, self.heads, self.width).permute(2, 0, 3, 1, 4)"]
MERGE = "return self.out((w @ v).transpose(1, 2).flatten(2))"
MHA = ["self.attn = nn.MultiheadAttention(d_model, n_head, batch_first=True)"]
ATTEND = ["return self.attn(x, x, x)[0]"]


def _mlp(make: str, before: str = "") -> str:
    return _block([*MHA, f"self.mlp = {make}"], ATTEND, before=before)


SEQUENCE_FIRST = _block(["self.attn = nn.MultiheadAttention(d_model, n_head)", GELU_MLP],
                        ["return self.attn(x, x, x, need_weights=False)[0]"])  # fmt: skip
BLOCKS = [
    Case("vit.right_norm_of_the_transformer_applied_by_the_vit", {"vit_model.py": [
        ("        return self.resblocks(x)\n", "        return self.resblocks(x)  # the ViT applies the norm\n"),
        ("        self.resblocks = nn.Sequential(", "        self.final = nn.LayerNorm(width)\n        self.resblocks = nn.Sequential("),
        ("        return self.ln_post(x[:, 0])", "        x = self.transformer.final(x)\n        return self.ln_post(x[:, 0])"),
    ]}),
    _variant("right_block_turned_inside", ResidualAttentionBlock=_block(
        ["self.attn = nn.MultiheadAttention(d_model, n_head, dropout=0.1)", GELU_MLP],
        ["x = x.transpose(0, 1)", "return self.attn(x, x, x)[0].transpose(0, 1)"])),
    _variant("right_block_sequence_first", ResidualAttentionBlock=SEQUENCE_FIRST, Transformer="""
        class Transformer(nn.Module):
            def __init__(self, width, layers, heads):
                super().__init__()
                self.width = width
                self.layers = layers
                self.resblocks = nn.Sequential(*[ResidualAttentionBlock(width, heads) for _ in range(layers)])

            def forward(self, x: torch.Tensor):
                x = x.permute(1, 0, 2)  # NLD -> LND
                x = self.resblocks(x)
                return x.permute(1, 0, 2)
        """),
    _variant("right_block_fused_qkv", ResidualAttentionBlock=_block(
        QKV, [*SPLIT, "w = (q @ k.transpose(-2, -1) / math.sqrt(self.width)).softmax(-1)", MERGE])),
    _variant("right_block_scaled_query", ResidualAttentionBlock=_block(
        [*QKV, "self.scale = self.width**-0.5"],
        [*SPLIT, "q = q * self.scale", "w = F.softmax(torch.matmul(q, k.mT), dim=-1)", MERGE])),
    _variant("right_block_scaled_in_place", ResidualAttentionBlock=_block(
        QKV, [*SPLIT, "w = torch.matmul(q, k.transpose(-1, -2))", "w = w.div(torch.sqrt(torch.tensor(float(self.width))))",
              "w = torch.softmax(w, dim=3)", MERGE])),
    _variant("right_block_scaled_both", ResidualAttentionBlock=_block(
        QKV, [*SPLIT, "s = self.width**-0.25", "w = torch.softmax((q * s) @ (k * s).mT, dim=-1)", MERGE])),
    _variant("right_block_einsum", ResidualAttentionBlock=_block(
        ["self.q, self.k, self.v = (nn.Linear(d_model, d_model, bias=False) for _ in range(3))",
         "self.drop = nn.Dropout(0.2)", "self.out = nn.Linear(d_model, d_model)", GELU_MLP],
        ["B, N, D = x.shape",
         "q, k, v = (layer(x).view(B, N, self.heads, self.width) for layer in (self.q, self.k, self.v))",
         "w = torch.einsum('bnhd,bmhd->bhnm', q, k) * (1 / self.width**0.5)",
         "x = torch.einsum('bhnm,bmhd->bnhd', self.drop(w.softmax(dim=-1)), v).reshape(B, N, D)",
         "return self.out(x)"])),
    _variant("right_block_einsum_heads_last", ResidualAttentionBlock=_block(
        QKV, ["B, N, D = x.shape", "q, k, v = self.qkv(x).view(B, N, 3, self.heads, self.width).unbind(2)",
              "w = torch.softmax(torch.einsum('bihd,bjhd->bijh', q, k) / self.width**0.5, dim=2)",
              "return self.out(torch.einsum('bijh,bjhd->bihd', w, v).reshape(B, N, D))"])),
    _variant("right_block_heads_of_a_width_of_their_own", ResidualAttentionBlock=_block(
        ["self.width = 16", "self.qkv = nn.Linear(d_model, 3 * 16 * n_head, bias=False)", "self.out = nn.Linear(16 * n_head, d_model)", GELU_MLP],
        ["B, N, D = x.shape", "q, k, v = self.qkv(x).reshape(B, N, 3, self.heads, 16).permute(2, 0, 3, 1, 4)",
         "w = (q @ k.mT * 16**-0.5).softmax(-1)", MERGE])),
    _variant("right_block_einsum_of_heads_of_a_width_of_their_own", ResidualAttentionBlock=_block(
        ["self.qkv = nn.Linear(d_model, 3 * 16 * n_head, bias=False)", "self.out = nn.Linear(16 * n_head, d_model)", GELU_MLP],
        ["B, N, D = x.shape", "q, k, v = self.qkv(x).reshape(B, N, 3, self.heads, 16).unbind(2)",
         "w = (torch.einsum('b i h d, b j h d -> b h i j', q, k) * 16**-0.5).softmax(-1)",
         "return self.out(torch.einsum('b h i j, b j h d -> b i h d', w, v).flatten(2))"])),
    _variant("right_block_heads_into_batch", ResidualAttentionBlock=_block(
        QKV, [*SPLIT, "q, k, v = (t.reshape(B * self.heads, N, self.width) for t in (q, k, v))",
              "w = torch.bmm(q, k.transpose(1, 2)).mul(self.width**-0.5).softmax(-1)",
              "x = torch.bmm(w, v).view(B, self.heads, N, self.width).transpose(1, 2).reshape(B, N, D)", "return self.out(x)"])),
    _variant("right_block_module_per_head", ResidualAttentionBlock=_block(
        ["self.parts = nn.ModuleList(Head(d_model, self.width) for _ in range(n_head))", "self.out = nn.Linear(d_model, d_model)", GELU_MLP],
        ["return self.out(torch.cat([head(x) for head in self.parts], dim=-1))"],
        before="""
        class Head(nn.Module):
            def __init__(self, d_model, width):
                super().__init__()
                self.query, self.key, self.value = (nn.Linear(d_model, width, bias=False) for _ in range(3))

            def forward(self, x):
                w = self.query(x) @ self.key(x).transpose(-2, -1) * self.key.out_features**-0.5
                return F.softmax(w, dim=-1) @ self.value(x)


        """)),
    _variant("right_block_loop_over_images_and_heads", ResidualAttentionBlock=_block(
        QKV, ["out = []", "for image in x:", "    q, k, v = self.qkv(image).chunk(3, -1)", "    parts = []",
              "    for q_, k_, v_ in zip(q.split(self.width, -1), k.split(self.width, -1), v.split(self.width, -1)):",
              "        parts.append(torch.softmax(q_ @ k_.t() / self.width**0.5, -1) @ v_)",
              "    out.append(torch.cat(parts, -1))", "return self.out(torch.stack(out))"])),
    _variant("right_block_scaled_dot_product", ResidualAttentionBlock=_block(
        QKV, [*SPLIT, "return self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(B, N, D))"])),
    _variant("right_block_projection_without_output_layer", ResidualAttentionBlock=_block(
        ["self.qkv = nn.Linear(d_model, 3 * d_model, bias=False)", GELU_MLP],
        [*SPLIT, "return F.scaled_dot_product_attention(q, k, v, scale=self.width**-0.5).transpose(1, 2).flatten(2)"])),
    _variant("right_block_learned_temperature", ("attention.scale",), ResidualAttentionBlock=_block(
        [*QKV, "self.temperature = nn.Parameter(torch.tensor(1.0))"],
        [*SPLIT, "w = (q @ k.mT * self.temperature.exp()).softmax(-1)", MERGE])),
    _variant("right_block_normalised_query_and_key", ResidualAttentionBlock=_block(
        [*QKV, "self.q_norm, self.k_norm = nn.LayerNorm(self.width), nn.LayerNorm(self.width)"],
        [*SPLIT, "q, k = self.q_norm(q), self.k_norm(k)", "w = (q @ k.mT * self.width**-0.5).softmax(-1)", MERGE])),
    _variant("right_block_explicit_norms", ResidualAttentionBlock=_block(
        [*MHA, GELU_MLP], ATTEND, before="""
        class Norm(nn.Module):
            def __init__(self, size, eps=1e-6):
                super().__init__()
                self.gamma, self.beta, self.eps = nn.Parameter(torch.ones(size)), nn.Parameter(torch.zeros(size)), eps

            def forward(self, x):
                return self.gamma * (x - x.mean(-1, keepdim=True)) / (x.std(-1, keepdim=True) + self.eps) + self.beta


        """).replace("nn.LayerNorm(d_model)", "Norm(d_model)")),
    _variant("right_block_norm_without_weights", ResidualAttentionBlock=_block([*MHA, GELU_MLP], ATTEND).replace(
        "nn.LayerNorm(d_model)", "nn.LayerNorm(d_model, eps=1e-3, elementwise_affine=False)")),
    _variant("right_block_rms_norm", ResidualAttentionBlock=_block([*MHA, GELU_MLP], ATTEND).replace(
        "nn.LayerNorm(d_model)", "nn.RMSNorm(d_model)")),
    _variant("right_block_rms_norm_by_hand_without_biases", ResidualAttentionBlock=_block(
        ["self.qkv = nn.Linear(d_model, 3 * d_model, bias=False)", "self.out = nn.Linear(d_model, d_model, bias=False)",
         "self.mlp = nn.Sequential(nn.Linear(d_model, 4 * d_model, bias=False), nn.SiLU(), nn.Linear(4 * d_model, d_model, bias=False))"],
        [*SPLIT, "w = (q @ k.mT * self.width**-0.5).softmax(-1)", MERGE], before="""
        class RMSNorm(nn.Module):
            def __init__(self, size):
                super().__init__()
                self.gain = nn.Parameter(torch.ones(size))

            def forward(self, x):
                return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5) * self.gain


        """).replace("nn.LayerNorm(d_model)", "RMSNorm(d_model)")),
    _variant("right_block_norm_of_length", ResidualAttentionBlock=_block([*MHA, GELU_MLP], ATTEND, before="""
        class ScaleNorm(nn.Module):
            def __init__(self, size):
                super().__init__()
                self.scale = nn.Parameter(torch.tensor(size**0.5))

            def forward(self, x):
                return self.scale * F.normalize(x, dim=-1)


        """).replace("nn.LayerNorm(d_model)", "ScaleNorm(d_model)")),
    _variant("right_block_one_norm_for_both", ResidualAttentionBlock=_block([*MHA, GELU_MLP], ATTEND).replace(
        "self.norm2 = nn.LayerNorm(d_model)", "self.norm2 = self.norm1")),
    _variant("right_block_group_norm", ResidualAttentionBlock=_block(
        [*MHA, GELU_MLP], ATTEND, "x = x + self.attention(self.norm1(x))\n"
        "        return x + self.mlp(F.group_norm(x.flatten(0, 1), 1).view_as(x) * self.norm2.weight + self.norm2.bias)")),
    _variant("right_block_prenorm_wrapper", ResidualAttentionBlock="""
        class PreNorm(nn.Module):
            def __init__(self, dim, fn):
                super().__init__()
                self.norm, self.fn = nn.LayerNorm(dim), fn

            def forward(self, x, **kwargs):
                return self.fn(self.norm(x), **kwargs) + x


        class Attention(nn.Module):
            def __init__(self, dim, heads):
                super().__init__()
                self.heads, self.scale = heads, (dim // heads) ** -0.5
                self.attend, self.to_qkv = nn.Softmax(dim=-1), nn.Linear(dim, dim * 3, bias=False)
                self.to_out = nn.Sequential(nn.Linear(dim, dim), nn.Dropout(0.1))

            def forward(self, x):
                b, n, d = x.shape
                q, k, v = (t.view(b, n, self.heads, -1).transpose(1, 2) for t in self.to_qkv(x).chunk(3, dim=-1))
                attn = self.attend(torch.matmul(q, k.transpose(-1, -2)) * self.scale)
                return self.to_out(torch.matmul(attn, v).transpose(1, 2).contiguous().view(b, n, d))


        class ResidualAttentionBlock(nn.Sequential):
            def __init__(self, d_model, n_head):
                mlp = nn.Sequential(nn.Linear(d_model, 2 * d_model), nn.SiLU(), nn.Linear(2 * d_model, d_model), nn.Dropout(0.1))
                super().__init__(PreNorm(d_model, Attention(d_model, n_head)), PreNorm(d_model, mlp))
        """),
    _variant("right_block_layer_scale", ResidualAttentionBlock=_block(
        [*MHA, GELU_MLP, "self.gamma_1 = nn.Parameter(1e-5 * torch.ones(d_model))", "self.gamma_2 = nn.Parameter(1e-5 * torch.ones(d_model))"],
        ATTEND, "x = x + self.gamma_1 * self.attention(self.norm1(x))\n        return x + self.gamma_2 * self.mlp(self.norm2(x))")),
    _variant("right_block_rezero", ResidualAttentionBlock=_block(
        [*MHA, GELU_MLP, "self.alpha = nn.Parameter(torch.tensor(0.0))", "self.beta = nn.Parameter(torch.zeros(1))"],
        ATTEND, "x = x + self.alpha * self.attention(self.norm1(x))\n        return x + self.beta * self.mlp(self.norm2(x))")),
    _variant("right_block_stochastic_depth", ResidualAttentionBlock=_block(
        [*MHA, GELU_MLP, "self.drop_path = DropPath(0.2)"], ATTEND,
        "x = x + self.drop_path(self.attention(self.norm1(x)))\n        return x + self.drop_path(self.mlp(self.norm2(x)))", before="""
        class DropPath(nn.Module):
            def __init__(self, p):
                super().__init__()
                self.p = p

            def forward(self, x):
                if not self.training:
                    return x
                keep = torch.rand(x.shape[0], 1, 1, device=x.device) > self.p
                return x * keep / (1 - self.p)


        """)),
    _variant("right_block_checkpointed", ResidualAttentionBlock=_block(
        [*MHA, GELU_MLP], ATTEND, "x = x + torch.utils.checkpoint.checkpoint(self.attention, self.norm1(x), use_reentrant=False)\n"
        "        return x + self.mlp(self.norm2(x))", before="import torch.utils.checkpoint\n\n\n")),
    _variant("right_mlp_relu", ResidualAttentionBlock=_mlp("nn.Sequential(nn.Linear(d_model, 2 * d_model), nn.ReLU(), nn.Linear(2 * d_model, d_model))")),
    _variant("right_mlp_tanh", ResidualAttentionBlock=_mlp("nn.Sequential(nn.Linear(d_model, d_model), nn.Tanh(), nn.Linear(d_model, d_model))")),
    _variant("right_mlp_elu", ResidualAttentionBlock=_mlp("nn.Sequential(nn.Linear(d_model, d_model), nn.ELU(), nn.Linear(d_model, d_model))")),
    _variant("right_mlp_leaky_relu", ResidualAttentionBlock=_mlp(
        "nn.Sequential(nn.Linear(d_model, 128), nn.LeakyReLU(0.2), nn.Dropout(0.1), nn.Linear(128, d_model), nn.Dropout(0.1))")),
    _variant("right_mlp_prelu", ResidualAttentionBlock=_mlp("nn.Sequential(nn.Linear(d_model, 2 * d_model), nn.PReLU(), nn.Linear(2 * d_model, d_model))")),
    _variant("right_mlp_softplus", ResidualAttentionBlock=_mlp("nn.Sequential(nn.Linear(d_model, 2 * d_model), nn.Softplus(), nn.Linear(2 * d_model, d_model))")),
    _variant("right_mlp_quick_gelu", ResidualAttentionBlock=_mlp(
        "nn.Sequential(OrderedDict([('c_fc', nn.Linear(d_model, 4 * d_model)), ('gelu', QuickGELU()), ('c_proj', nn.Linear(4 * d_model, d_model))]))",
        before="""
        from collections import OrderedDict


        class QuickGELU(nn.Module):
            def forward(self, x):
                return x * torch.sigmoid(1.702 * x)


        """)),
    _variant("right_mlp_geglu", ResidualAttentionBlock=_mlp("GeGLU(d_model)", before="""
        class GeGLU(nn.Module):
            def __init__(self, d_model):
                super().__init__()
                self.into, self.out = nn.Linear(d_model, 4 * d_model), nn.Linear(2 * d_model, d_model)

            def forward(self, x):
                x, gate = self.into(x).chunk(2, dim=-1)
                return self.out(F.gelu(gate) * x)


        """)),
    _variant("right_mlp_swiglu", ResidualAttentionBlock=_mlp("SwiGLU(d_model)", before="""
        class SwiGLU(nn.Module):
            def __init__(self, d_model):
                super().__init__()
                self.w1, self.w2 = nn.Linear(d_model, 3 * d_model, bias=False), nn.Linear(d_model, 3 * d_model, bias=False)
                self.w3 = nn.Linear(3 * d_model, d_model, bias=False)

            def forward(self, x):
                return self.w3(F.silu(self.w1(x)) * self.w2(x))


        """)),
    _variant("right_mlp_convolutions", ResidualAttentionBlock=_block(
        [*MHA, "self.conv1, self.conv2 = nn.Conv1d(d_model, 2 * d_model, 1), nn.Conv1d(2 * d_model, d_model, 1)"], ATTEND,
        "x = x + self.attention(self.norm1(x))\n        return x + self.conv2(F.mish(self.conv1(self.norm2(x).mT))).mT")),
    _variant("right_mlp_weight_norm", ResidualAttentionBlock=_mlp(
        "nn.Sequential(weight_norm(nn.Linear(d_model, 2 * d_model)), nn.GELU(), weight_norm(nn.Linear(2 * d_model, d_model)))",
        before="from torch.nn.utils.parametrizations import weight_norm\n\n\n")),
    _variant("right_mlp_three_layers", ResidualAttentionBlock=_mlp(
        "nn.Sequential(nn.Linear(d_model, d_model), nn.GELU(), nn.Linear(d_model, d_model), nn.GELU(), nn.LayerNorm(d_model), nn.Linear(d_model, d_model))")),
]  # fmt: skip


def _encoder(make: str, forward: str, before: str = "") -> str:
    return (
        textwrap.dedent(before)
        + f"""
class Transformer(nn.Module):
    def __init__(self, width, layers, heads):
        super().__init__()
        {make}

    def forward(self, x):
        {forward}
"""
    )


LAYER = "nn.TransformerEncoderLayer(width, heads, 4 * width, dropout=0.1, activation='gelu', norm_first=True{more})"
FIRST = LAYER.format(more=", batch_first=True")
ENCODERS = [
    _variant("right_encoder_module_list", Transformer=_encoder(
        "self.layers = nn.ModuleList()\n        for _ in range(layers):\n            self.layers.append(ResidualAttentionBlock(width, heads))",
        "for layer in self.layers:\n            x = layer(x)\n        return x")),
    _variant("right_encoder_sequential", Transformer="""
        class Transformer(nn.Sequential):
            def __init__(self, width, layers, heads):
                super().__init__(*(ResidualAttentionBlock(width, heads) for _ in range(layers)))
        """),
    _variant("right_encoder_add_module", Transformer=_encoder(
        "self.n = layers\n        for i in range(layers):\n            setattr(self, f'block{i}', ResidualAttentionBlock(width, heads))",
        "for i in range(self.n):\n            x = getattr(self, f'block{i}')(x)\n        return x")),
    _variant("right_encoder_final_norm", Transformer=_encoder(
        "self.blocks = nn.Sequential(*[ResidualAttentionBlock(width, heads) for i in range(layers)])\n        self.norm = nn.LayerNorm(width, eps=1e-6)",
        "return self.norm(self.blocks(x))")),
    _variant("right_encoder_final_rms_norm", Transformer=_encoder(
        "self.blocks = nn.Sequential(*[ResidualAttentionBlock(width, heads) for i in range(layers)])\n        self.norm = nn.RMSNorm(width)",
        "return self.norm(self.blocks(x))")),
    _variant("right_encoder_first_and_final_norm", Transformer=_encoder(
        "self.blocks = nn.Sequential(nn.LayerNorm(width), *[ResidualAttentionBlock(width, heads) for i in range(layers)], nn.Dropout(0.1), nn.LayerNorm(width))",
        "return self.blocks(x)")),
    _variant("right_encoder_torch_layers", ResidualAttentionBlock="""
        class ResidualAttentionBlock(nn.TransformerEncoderLayer):
            def __init__(self, d_model, n_head):
                super().__init__(d_model, n_head, 4 * d_model, 0.1, "gelu", batch_first=True, norm_first=True)
        """),
    _variant("right_encoder_torch_layers_sequence_first", ResidualAttentionBlock="""
        class ResidualAttentionBlock(nn.Module):
            def __init__(self, d_model, n_head):
                super().__init__()
                self.layer = nn.TransformerEncoderLayer(d_model, n_head, norm_first=True, dim_feedforward=3 * d_model)

            def forward(self, x):
                return self.layer(x)
        """, Transformer=_encoder(
        "self.blocks = nn.ModuleList([ResidualAttentionBlock(width, heads) for _ in range(layers)])",
        "x = x.transpose(0, 1)\n        for block in self.blocks:\n            x = block(x)\n        return x.transpose(0, 1)")),
    _variant("right_encoder_torch_encoder", Transformer=_encoder(
        f"layer = {FIRST}\n        self.encoder = nn.TransformerEncoder(layer, num_layers=layers, enable_nested_tensor=False)", "return self.encoder(x)")),
    _variant("right_encoder_torch_encoder_with_norm", Transformer=_encoder(
        f"layer = {LAYER.format(more='')}\n        self.encoder = nn.TransformerEncoder(layer, layers, norm=nn.LayerNorm(width))",
        "return self.encoder(x.permute(1, 0, 2)).permute(1, 0, 2)")),
    _variant("right_encoder_initialised", Transformer=_encoder(
        "self.width, self.depth = width, layers\n"
        "        self.blocks = nn.ModuleList([ResidualAttentionBlock(d_model=width, n_head=heads) for _ in range(layers)])\n"
        "        self.apply(_weights)",
        "for block in self.blocks:\n            x = block(x)\n        return x", before="""
        def _weights(module):
            if isinstance(module, nn.Linear):
                trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, nn.LayerNorm):
                nn.init.ones_(module.weight), nn.init.zeros_(module.bias)


        """)),
]  # fmt: skip

VIT_HEAD = """
class ViT(nn.Module):
    def __init__(self, image_size, patch_size, num_channels, hidden_size, layers, heads{more}):
        super().__init__()
        self.hidden_size = hidden_size
"""


def _vit(make: list[str], forward: list[str], more: str = "", before: str = "") -> str:
    text = textwrap.dedent(before) + VIT_HEAD.replace("{more}", more) + "".join(f"        {line}\n" for line in make)
    return text + "\n    def forward(self, x):\n" + "".join(f"        {line}\n" for line in forward)


PARTS = [
    "self.patch_embeddings = PatchEmbeddings(image_size, patch_size, hidden_size, num_channels)",
    "self.position_embedding = PositionEmbedding(self.patch_embeddings.num_patches, hidden_size)",
    "self.transformer = Transformer(hidden_size, layers, heads)",
]
RUN = ["x = self.position_embedding(self.patch_embeddings(x))", "x = self.transformer(x)"]
MONOLITH = [
    "self.conv = nn.Conv2d(num_channels, hidden_size, patch_size, patch_size)",
    "self.cls = nn.Parameter(torch.zeros(1, 1, hidden_size))",
    "self.pos = nn.Parameter(torch.zeros(1, (image_size // patch_size) ** 2 + 1, hidden_size))",
    "self.drop = nn.Dropout(0.1)",
    "layer = nn.TransformerEncoderLayer(hidden_size, heads, 4 * hidden_size, activation='gelu', batch_first=True, norm_first=True)",
    "self.encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)",
]
MONOLITH_RUN = [
    "x = self.conv(x).flatten(2).transpose(1, 2)",
    "x = self.drop(torch.cat([self.cls.expand(x.shape[0], -1, -1), x], 1) + self.pos)",
]
VITS = [
    _variant("right_model_plain", ViT=_vit(PARTS, [*RUN, "return x[:, 0, :]"])),
    _variant("right_model_norm_of_all_tokens", ViT=_vit(
        [*PARTS, "self.norm = nn.LayerNorm(hidden_size)"], [*RUN, "return self.norm(x)[:, 0]"])),
    _variant("right_model_method_added_later", ViT=VIT_HEAD.replace("{more}", "") + "".join(f"        {line}\n" for line in PARTS) + """

def add_to_class(cls):
    def add(method):
        setattr(cls, method.__name__, method)
        return method

    return add


@add_to_class(ViT)
def forward(self, x):
    return self.transformer(self.position_embedding(self.patch_embeddings(x)))[:, 0]
"""),
    _variant("right_model_registers", ViT=_vit(
        [*PARTS, "self.registers = nn.Parameter(0.02 * torch.randn(1, 4, hidden_size))"],
        [RUN[0], "x = torch.cat([x, self.registers.expand(len(x), -1, -1)], 1)", "return self.transformer(x)[:, 0]"])),
    _variant("right_model_select", ViT=_vit(PARTS, [*RUN, "return x.permute(1, 0, 2)[0]"])),
    _variant("right_model_squeeze_the_token_axis", ViT=_vit(PARTS, [*RUN, "return x[:, :1].squeeze(1)"])),
    _variant("right_model_projection_and_norm", ViT=_vit(
        [*PARTS, "self.norm = nn.LayerNorm(hidden_size)", "self.to_latent = nn.Identity()",
         "self.proj = nn.Parameter(hidden_size**-0.5 * torch.randn(hidden_size, hidden_size))"],
        [*RUN, "x = self.norm(x[:, 0, :])", "return self.to_latent(x @ self.proj)"])),
    _variant("right_model_optional_arguments", ViT=_vit(
        [*PARTS, "self.dropout = nn.Dropout(dropout)", "self.norm = norm(hidden_size) if norm else nn.Identity()"],
        ["x = self.dropout(self.position_embedding(self.patch_embeddings(x)))", "return self.norm(self.transformer(x)[:, 0])"],
        more=", dropout=0.1, norm=partial(nn.LayerNorm, eps=1e-6), **kwargs")),
    _variant("right_model_other_argument_names", ViT=_vit(PARTS, [*RUN, "return x[:, 0]"]).replace("layers", "depth").replace("hidden_size", "dim")
        .replace("self.dim", "self.hidden_size"),
        Transformer=_encoder("self.blocks = nn.Sequential(*(ResidualAttentionBlock(dim, num_heads) for _ in range(depth)))", "return self.blocks(x)")
        .replace("width, layers, heads", "dim, depth, num_heads")),
    _variant("right_model_config", ViT=_vit(
        ["self.config = Config(image_size, patch_size, num_channels, hidden_size, layers, heads)", "c = self.config",
         "self.embed = nn.Sequential(PatchEmbeddings(c.image_size, c.patch_size, c.hidden_size, num_channels=c.num_channels),",
         "                           PositionEmbedding(hidden_size=c.hidden_size, num_patches=(c.image_size // c.patch_size) ** 2))",
         "self.transformer = Transformer(width=c.hidden_size, layers=c.layers, heads=c.heads)"],
        ["return self.transformer(self.embed(x))[:, 0]"], before="""
        from dataclasses import dataclass


        @dataclass
        class Config:
            image_size: int
            patch_size: int
            num_channels: int
            hidden_size: int
            layers: int
            heads: int


        """)),
    _variant("right_model_property_hidden_size", ViT=_vit(
        [*PARTS[:2], "self.blocks = nn.ModuleList([ResidualAttentionBlock(hidden_size, heads) for _ in range(layers)])",
         "self._hidden_size = hidden_size"],
        ["x = self.position_embedding(self.patch_embeddings(x))", "for block in self.blocks:", "    x = block(x)", "return x[:, 0]", "",
         "__slots__ = ()"]).replace("        __slots__ = ()\n", "\n    @property\n    def hidden_size(self):\n        return self._hidden_size\n")
        .replace("        self.hidden_size = hidden_size\n", "")),
    _variant("right_model_monolith", ViT=_vit(MONOLITH, [*MONOLITH_RUN, "return self.encoder(x)[:, 0]"])),
    _variant("right_model_monolith_with_norms", ViT=_vit(
        [*MONOLITH, "self.pre, self.post = nn.LayerNorm(hidden_size), nn.LayerNorm(hidden_size)"],
        [*MONOLITH_RUN, "return self.post(self.encoder(self.pre(x)))[:, 0]"])),
    _variant("right_model_monolith_by_hand", ViT=_vit(
        [*MONOLITH[:3], "self.heads = heads", "self.layers = nn.ModuleList(nn.ModuleDict({",
         "    'n1': nn.LayerNorm(hidden_size), 'qkv': nn.Linear(hidden_size, 3 * hidden_size), 'o': nn.Linear(hidden_size, hidden_size),",
         "    'n2': nn.LayerNorm(hidden_size), 'up': nn.Linear(hidden_size, 64), 'down': nn.Linear(64, hidden_size)}) for _ in range(layers))"],
        ["x = self.conv(x).flatten(2).transpose(1, 2)", "x = torch.cat([self.cls.expand(x.shape[0], -1, -1), x], 1) + self.pos",
         "B, N, D = x.shape", "for m in self.layers:",
         "    q, k, v = (t.view(B, N, self.heads, -1).transpose(1, 2) for t in m['qkv'](m['n1'](x)).chunk(3, -1))",
         "    x = x + m['o'](F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(B, N, D))",
         "    x = x + m['down'](F.gelu(m['up'](m['n2'](x))))", "return x[:, 0]"])),
    _variant("right_model_sequence_first_monolith", ViT=_vit(
        [line.replace("batch_first=True, ", "") for line in MONOLITH],
        [*MONOLITH_RUN, "x = self.encoder(x.permute(1, 0, 2))", "return x[0]"])),
    _variant("right_model_cls_query_in_the_last_layer", ViT=_vit(
        [*PARTS, "self.pool = nn.MultiheadAttention(hidden_size, heads, batch_first=True)", "self.norm = nn.LayerNorm(hidden_size)"],
        [*RUN, "x = x[:, :1]", "return self.norm(x + self.pool(x, x, x)[0])[:, 0]"])),
]  # fmt: skip


def _head(name: str, size: str, make: str, forward: str = "self.layers(x)") -> str:
    default = {"num_classes": 10, "embed_size": 64}[size]
    return f"""
class {name}(nn.Module):
    def __init__(self, hidden_size, {size}={default}):
        super().__init__()
        self.layers = {make}

    def forward(self, x):
        return {forward}
"""


HEADS = [
    _variant("right_heads_dropout_and_no_bias",
             ClassificationHead=_head("ClassificationHead", "num_classes", "nn.Sequential(nn.Dropout(0.3), nn.Linear(hidden_size, num_classes))"),
             LinearEmbeddingHead=_head("LinearEmbeddingHead", "embed_size", "nn.Linear(hidden_size, embed_size, bias=False)")),
    _variant("right_heads_norm_and_sequential",
             ClassificationHead=_head("ClassificationHead", "num_classes", "nn.Sequential(nn.LayerNorm(hidden_size), nn.Linear(hidden_size, num_classes))"),
             LinearEmbeddingHead=_head("LinearEmbeddingHead", "embed_size", "nn.Sequential(nn.Dropout(0.1), nn.Linear(hidden_size, embed_size))")),
    _variant("right_heads_hidden_layer",
             ClassificationHead=_head("ClassificationHead", "num_classes",
                                      "nn.Sequential(nn.Linear(hidden_size, 2 * hidden_size), nn.GELU(), nn.Linear(2 * hidden_size, num_classes))"),
             LinearEmbeddingHead=_head("LinearEmbeddingHead", "embed_size", "nn.Sequential(nn.Linear(hidden_size, 99), nn.Linear(99, embed_size))")),
    _variant("right_heads_tanh_hidden_layer",
             ClassificationHead=_head("ClassificationHead", "num_classes",
                                      "nn.Sequential(nn.Linear(hidden_size, hidden_size), nn.Tanh(), nn.Linear(hidden_size, num_classes, bias=False))")),
    _variant("right_heads_constants_and_containers",
             ClassificationHead=_head("ClassificationHead", "num_classes", """nn.Linear(hidden_size, num_classes)
        self.one, self.scale = torch.ones(num_classes), 1.0
        self.register_buffer("zero", torch.zeros(num_classes))
        self.shifts = nn.ParameterList([nn.Parameter(torch.zeros(num_classes))])
        self.scales = nn.ParameterDict({"all": nn.Parameter(torch.ones(num_classes))})""",
                "self.scales['all'] * self.scale * self.one * self.layers(x) + self.zero + self.shifts[0]")),
    _variant("right_heads_weight_norm",
             ClassificationHead=_head("ClassificationHead", "num_classes", "torch.nn.utils.parametrizations.weight_norm(nn.Linear(hidden_size, num_classes))"),
             LinearEmbeddingHead=_head("LinearEmbeddingHead", "embed_size", "nn.utils.weight_norm(nn.Linear(hidden_size, embed_size))")),
    _variant("right_heads_batch_norm_in_classifier",
             ClassificationHead=_head("ClassificationHead", "num_classes", "nn.Sequential(nn.BatchNorm1d(hidden_size), nn.Linear(hidden_size, num_classes))")),
    _variant("right_heads_linear_subclasses", ClassificationHead="""
        class ClassificationHead(nn.Linear):
            def __init__(self, hidden_size, num_classes=10):
                super().__init__(hidden_size, num_classes)
        """, LinearEmbeddingHead="""
        class LinearEmbeddingHead(nn.Module):
            def __init__(self, hidden_size, embed_size=64):
                super().__init__()
                self.W = nn.Parameter(0.02 * torch.randn(hidden_size, embed_size))
                self.b = nn.Parameter(torch.zeros(embed_size))

            def forward(self, x):
                return x @ self.W + self.b
        """),
]  # fmt: skip

VARIANTS = [*PATCHES, *POSITIONS, *BLOCKS, *ENCODERS, *VITS, *HEADS]
