"""Part 2 in other styles: ``ResidualAttentionBlock``."""

import textwrap

from grader.assignments.vit.corpus.vit_classes import variant
from grader.audit import Case

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
VARIANTS = [
    Case("vit.right_norm_of_the_transformer_applied_by_the_vit", {"vit_model.py": [
        ("        return self.resblocks(x)\n", "        return self.resblocks(x)  # the ViT applies the norm\n"),
        ("        self.resblocks = nn.Sequential(", "        self.final = nn.LayerNorm(width)\n        self.resblocks = nn.Sequential("),
        ("        return self.ln_post(x[:, 0])", "        x = self.transformer.final(x)\n        return self.ln_post(x[:, 0])"),
    ]}),
    variant("right_block_turned_inside", ResidualAttentionBlock=_block(
        ["self.attn = nn.MultiheadAttention(d_model, n_head, dropout=0.1)", GELU_MLP],
        ["x = x.transpose(0, 1)", "return self.attn(x, x, x)[0].transpose(0, 1)"])),
    variant("right_block_sequence_first", ResidualAttentionBlock=SEQUENCE_FIRST, Transformer="""
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
    variant("right_block_fused_qkv", ResidualAttentionBlock=_block(
        QKV, [*SPLIT, "w = (q @ k.transpose(-2, -1) / math.sqrt(self.width)).softmax(-1)", MERGE])),
    variant("right_block_scaled_query", ResidualAttentionBlock=_block(
        [*QKV, "self.scale = self.width**-0.5"],
        [*SPLIT, "q = q * self.scale", "w = F.softmax(torch.matmul(q, k.mT), dim=-1)", MERGE])),
    variant("right_block_scaled_in_place", ResidualAttentionBlock=_block(
        QKV, [*SPLIT, "w = torch.matmul(q, k.transpose(-1, -2))", "w = w.div(torch.sqrt(torch.tensor(float(self.width))))",
              "w = torch.softmax(w, dim=3)", MERGE])),
    variant("right_block_scaled_both", ResidualAttentionBlock=_block(
        QKV, [*SPLIT, "s = self.width**-0.25", "w = torch.softmax((q * s) @ (k * s).mT, dim=-1)", MERGE])),
    variant("right_block_vmapped", ResidualAttentionBlock=_block(
        QKV, [*SPLIT, "attend = lambda q, k, v: (q @ k.mT / math.sqrt(self.width)).softmax(-1) @ v",
              "x = torch.vmap(attend, in_dims=1, out_dims=1)(q, k, v)",
              "return self.out(x.transpose(1, 2).reshape(B, N, D))"])),
    variant("right_block_einsum", ResidualAttentionBlock=_block(
        ["self.q, self.k, self.v = (nn.Linear(d_model, d_model, bias=False) for _ in range(3))",
         "self.drop = nn.Dropout(0.2)", "self.out = nn.Linear(d_model, d_model)", GELU_MLP],
        ["B, N, D = x.shape",
         "q, k, v = (layer(x).view(B, N, self.heads, self.width) for layer in (self.q, self.k, self.v))",
         "w = torch.einsum('bnhd,bmhd->bhnm', q, k) * (1 / self.width**0.5)",
         "x = torch.einsum('bhnm,bmhd->bnhd', self.drop(w.softmax(dim=-1)), v).reshape(B, N, D)",
         "return self.out(x)"])),
    variant("right_block_einsum_heads_last", ResidualAttentionBlock=_block(
        QKV, ["B, N, D = x.shape", "q, k, v = self.qkv(x).view(B, N, 3, self.heads, self.width).unbind(2)",
              "w = torch.softmax(torch.einsum('bihd,bjhd->bijh', q, k) / self.width**0.5, dim=2)",
              "return self.out(torch.einsum('bijh,bjhd->bihd', w, v).reshape(B, N, D))"])),
    variant("right_block_heads_of_a_width_of_their_own", ResidualAttentionBlock=_block(
        ["self.width = 16", "self.qkv = nn.Linear(d_model, 3 * 16 * n_head, bias=False)", "self.out = nn.Linear(16 * n_head, d_model)", GELU_MLP],
        ["B, N, D = x.shape", "q, k, v = self.qkv(x).reshape(B, N, 3, self.heads, 16).permute(2, 0, 3, 1, 4)",
         "w = (q @ k.mT * 16**-0.5).softmax(-1)", MERGE])),
    variant("right_block_einsum_of_heads_of_a_width_of_their_own", ResidualAttentionBlock=_block(
        ["self.qkv = nn.Linear(d_model, 3 * 16 * n_head, bias=False)", "self.out = nn.Linear(16 * n_head, d_model)", GELU_MLP],
        ["B, N, D = x.shape", "q, k, v = self.qkv(x).reshape(B, N, 3, self.heads, 16).unbind(2)",
         "w = (torch.einsum('b i h d, b j h d -> b h i j', q, k) * 16**-0.5).softmax(-1)",
         "return self.out(torch.einsum('b h i j, b j h d -> b i h d', w, v).flatten(2))"])),
    variant("right_block_heads_into_batch", ResidualAttentionBlock=_block(
        QKV, [*SPLIT, "q, k, v = (t.reshape(B * self.heads, N, self.width) for t in (q, k, v))",
              "w = torch.bmm(q, k.transpose(1, 2)).mul(self.width**-0.5).softmax(-1)",
              "x = torch.bmm(w, v).view(B, self.heads, N, self.width).transpose(1, 2).reshape(B, N, D)", "return self.out(x)"])),
    variant("right_block_module_per_head", ResidualAttentionBlock=_block(
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
    variant("right_block_loop_over_images_and_heads", ResidualAttentionBlock=_block(
        QKV, ["out = []", "for image in x:", "    q, k, v = self.qkv(image).chunk(3, -1)", "    parts = []",
              "    for q_, k_, v_ in zip(q.split(self.width, -1), k.split(self.width, -1), v.split(self.width, -1)):",
              "        parts.append(torch.softmax(q_ @ k_.t() / self.width**0.5, -1) @ v_)",
              "    out.append(torch.cat(parts, -1))", "return self.out(torch.stack(out))"])),
    variant("right_block_scaled_dot_product", ResidualAttentionBlock=_block(
        QKV, [*SPLIT, "return self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(B, N, D))"])),
    variant("right_block_projection_without_output_layer", ResidualAttentionBlock=_block(
        ["self.qkv = nn.Linear(d_model, 3 * d_model, bias=False)", GELU_MLP],
        [*SPLIT, "return F.scaled_dot_product_attention(q, k, v, scale=self.width**-0.5).transpose(1, 2).flatten(2)"])),
    variant("right_block_learned_temperature", ("attention.scale",), ResidualAttentionBlock=_block(
        [*QKV, "self.temperature = nn.Parameter(torch.tensor(1.0))"],
        [*SPLIT, "w = (q @ k.mT * self.temperature.exp()).softmax(-1)", MERGE])),
    variant("right_block_normalised_query_and_key", ResidualAttentionBlock=_block(
        [*QKV, "self.q_norm, self.k_norm = nn.LayerNorm(self.width), nn.LayerNorm(self.width)"],
        [*SPLIT, "q, k = self.q_norm(q), self.k_norm(k)", "w = (q @ k.mT * self.width**-0.5).softmax(-1)", MERGE])),
    variant("right_block_explicit_norms", ResidualAttentionBlock=_block(
        [*MHA, GELU_MLP], ATTEND, before="""
        class Norm(nn.Module):
            def __init__(self, size, eps=1e-6):
                super().__init__()
                self.gamma, self.beta, self.eps = nn.Parameter(torch.ones(size)), nn.Parameter(torch.zeros(size)), eps

            def forward(self, x):
                return self.gamma * (x - x.mean(-1, keepdim=True)) / (x.std(-1, keepdim=True) + self.eps) + self.beta


        """).replace("nn.LayerNorm(d_model)", "Norm(d_model)")),
    variant("right_block_norm_without_weights", ResidualAttentionBlock=_block([*MHA, GELU_MLP], ATTEND).replace(
        "nn.LayerNorm(d_model)", "nn.LayerNorm(d_model, eps=1e-3, elementwise_affine=False)")),
    variant("right_block_rms_norm", ResidualAttentionBlock=_block([*MHA, GELU_MLP], ATTEND).replace(
        "nn.LayerNorm(d_model)", "nn.RMSNorm(d_model)")),
    variant("right_block_rms_norm_by_hand_without_biases", ResidualAttentionBlock=_block(
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
    variant("right_block_norm_of_length", ResidualAttentionBlock=_block([*MHA, GELU_MLP], ATTEND, before="""
        class ScaleNorm(nn.Module):
            def __init__(self, size):
                super().__init__()
                self.scale = nn.Parameter(torch.tensor(size**0.5))

            def forward(self, x):
                return self.scale * F.normalize(x, dim=-1)


        """).replace("nn.LayerNorm(d_model)", "ScaleNorm(d_model)")),
    variant("right_block_one_norm_for_both", ResidualAttentionBlock=_block([*MHA, GELU_MLP], ATTEND).replace(
        "self.norm2 = nn.LayerNorm(d_model)", "self.norm2 = self.norm1")),
    variant("right_block_norm_of_one_parameter", ResidualAttentionBlock=_block([*MHA, GELU_MLP], ATTEND, before="""
        class GainAndBias(nn.Module):
            def __init__(self, width):
                super().__init__()
                self.both = nn.Parameter(torch.stack([torch.ones(width), torch.zeros(width)]))

            def forward(self, x):
                return F.layer_norm(x, x.shape[-1:], self.both[0], self.both[1])


        """).replace("nn.LayerNorm(d_model)", "GainAndBias(d_model)")),
    variant("right_block_norm_of_an_offset", ResidualAttentionBlock=_block(
        [*(line.replace("nn.Linear(d_model, 3 * d_model)", "weight_norm(nn.Linear(d_model, 3 * d_model))") for line in QKV),
         "register_parametrization(self.norm1, 'weight', Offset()), register_parametrization(self.norm2, 'weight', Offset())"],
        [*SPLIT, "w = (q @ k.mT * self.width**-0.5).softmax(-1)", MERGE], before="""
        from torch.nn.utils.parametrizations import weight_norm
        from torch.nn.utils.parametrize import register_parametrization


        class Offset(nn.Module):
            def forward(self, offset):
                return 1 + offset

            def right_inverse(self, gain):
                return gain - 1


        """)),
    variant("right_block_group_norm", ResidualAttentionBlock=_block(
        [*MHA, GELU_MLP], ATTEND, "x = x + self.attention(self.norm1(x))\n"
        "        return x + self.mlp(F.group_norm(x.flatten(0, 1), 1).view_as(x) * self.norm2.weight + self.norm2.bias)")),
    variant("right_block_prenorm_wrapper", ResidualAttentionBlock="""
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
    variant("right_block_layer_scale", ResidualAttentionBlock=_block(
        [*MHA, GELU_MLP, "self.gamma_1 = nn.Parameter(1e-5 * torch.ones(d_model))", "self.gamma_2 = nn.Parameter(1e-5 * torch.ones(d_model))"],
        ATTEND, "x = x + self.gamma_1 * self.attention(self.norm1(x))\n        return x + self.gamma_2 * self.mlp(self.norm2(x))")),
    variant("right_block_rezero", ResidualAttentionBlock=_block(
        [*MHA, GELU_MLP, "self.alpha = nn.Parameter(torch.tensor(0.0))", "self.beta = nn.Parameter(torch.zeros(1))"],
        ATTEND, "x = x + self.alpha * self.attention(self.norm1(x))\n        return x + self.beta * self.mlp(self.norm2(x))")),
    variant("right_block_stochastic_depth", ResidualAttentionBlock=_block(
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
    variant("right_block_checkpointed", ResidualAttentionBlock=_block(
        [*MHA, GELU_MLP], ATTEND, "x = x + torch.utils.checkpoint.checkpoint(self.attention, self.norm1(x), use_reentrant=False)\n"
        "        return x + self.mlp(self.norm2(x))", before="import torch.utils.checkpoint\n\n\n")),
    variant("right_mlp_relu", ResidualAttentionBlock=_mlp("nn.Sequential(nn.Linear(d_model, 2 * d_model), nn.ReLU(), nn.Linear(2 * d_model, d_model))")),
    variant("right_mlp_tanh", ResidualAttentionBlock=_mlp("nn.Sequential(nn.Linear(d_model, d_model), nn.Tanh(), nn.Linear(d_model, d_model))")),
    variant("right_mlp_elu", ResidualAttentionBlock=_mlp("nn.Sequential(nn.Linear(d_model, d_model), nn.ELU(), nn.Linear(d_model, d_model))")),
    variant("right_mlp_leaky_relu", ResidualAttentionBlock=_mlp(
        "nn.Sequential(nn.Linear(d_model, 128), nn.LeakyReLU(0.2), nn.Dropout(0.1), nn.Linear(128, d_model), nn.Dropout(0.1))")),
    variant("right_mlp_prelu", ResidualAttentionBlock=_mlp("nn.Sequential(nn.Linear(d_model, 2 * d_model), nn.PReLU(), nn.Linear(2 * d_model, d_model))")),
    variant("right_mlp_softplus", ResidualAttentionBlock=_mlp("nn.Sequential(nn.Linear(d_model, 2 * d_model), nn.Softplus(), nn.Linear(2 * d_model, d_model))")),
    variant("right_mlp_sigmoid", ResidualAttentionBlock=_mlp("nn.Sequential(nn.Linear(d_model, 4 * d_model), nn.Sigmoid(), nn.Linear(4 * d_model, d_model))")),
    variant("right_block_parameters_of_several_matrices", ResidualAttentionBlock=_block(
        ["self.into = nn.Parameter(torch.randn(3, n_head, d_model, d_model // n_head) * d_model**-0.5)",
         "self.back = nn.Parameter(torch.randn(n_head, d_model // n_head, d_model) * d_model**-0.5)",
         "self.mlp = nn.Sequential(nn.Linear(d_model, 2 * d_model), nn.Softplus(), nn.Linear(2 * d_model, d_model))"],
        ["q, k, v = torch.einsum('bnd,thde->tbhne', x, self.into)",
         "w = (torch.einsum('bhie,bhje->bhij', q, k) / self.width**0.5).softmax(dim=-1)",
         "return torch.einsum('bhij,bhje,hed->bid', w, v, self.back)"])),
    variant("right_mlp_quick_gelu", ResidualAttentionBlock=_mlp(
        "nn.Sequential(OrderedDict([('c_fc', nn.Linear(d_model, 4 * d_model)), ('gelu', QuickGELU()), ('c_proj', nn.Linear(4 * d_model, d_model))]))",
        before="""
        from collections import OrderedDict


        class QuickGELU(nn.Module):
            def forward(self, x):
                return x * torch.sigmoid(1.702 * x)


        """)),
    variant("right_mlp_geglu", ResidualAttentionBlock=_mlp("GeGLU(d_model)", before="""
        class GeGLU(nn.Module):
            def __init__(self, d_model):
                super().__init__()
                self.into, self.out = nn.Linear(d_model, 4 * d_model), nn.Linear(2 * d_model, d_model)

            def forward(self, x):
                x, gate = self.into(x).chunk(2, dim=-1)
                return self.out(F.gelu(gate) * x)


        """)),
    variant("right_mlp_swiglu", ResidualAttentionBlock=_mlp("SwiGLU(d_model)", before="""
        class SwiGLU(nn.Module):
            def __init__(self, d_model):
                super().__init__()
                self.w1, self.w2 = nn.Linear(d_model, 3 * d_model, bias=False), nn.Linear(d_model, 3 * d_model, bias=False)
                self.w3 = nn.Linear(3 * d_model, d_model, bias=False)

            def forward(self, x):
                return self.w3(F.silu(self.w1(x)) * self.w2(x))


        """)),
    variant("right_mlp_convolutions", ResidualAttentionBlock=_block(
        [*MHA, "self.conv1, self.conv2 = nn.Conv1d(d_model, 2 * d_model, 1), nn.Conv1d(2 * d_model, d_model, 1)"], ATTEND,
        "x = x + self.attention(self.norm1(x))\n        return x + self.conv2(F.mish(self.conv1(self.norm2(x).mT))).mT")),
    variant("right_mlp_weight_norm", ResidualAttentionBlock=_mlp(
        "nn.Sequential(weight_norm(nn.Linear(d_model, 2 * d_model)), nn.GELU(), weight_norm(nn.Linear(2 * d_model, d_model)))",
        before="from torch.nn.utils.parametrizations import weight_norm\n\n\n")),
    variant("right_mlp_scripted", ResidualAttentionBlock=_mlp("torch.jit.script(MLP(d_model))", before="""
        class MLP(nn.Module):
            def __init__(self, d: int):
                super().__init__()
                self.up, self.down = nn.Linear(d, 4 * d), nn.Linear(4 * d, d)

            def forward(self, x: Tensor) -> Tensor:
                return self.down(F.gelu(self.up(x)))


        """)),
    variant("right_mlp_three_layers", ResidualAttentionBlock=_mlp(
        "nn.Sequential(nn.Linear(d_model, d_model), nn.GELU(), nn.Linear(d_model, d_model), nn.GELU(), nn.LayerNorm(d_model), nn.Linear(d_model, d_model))")),
]  # fmt: skip
