"""Part 2 in other styles: ``Transformer``, ``ViT`` and the two heads."""

import textwrap

from grader.assignments.vit.corpus.vit_classes import variant
from grader.audit import Case


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
    variant("right_encoder_module_list", Transformer=_encoder(
        "self.layers = nn.ModuleList()\n        for _ in range(layers):\n            self.layers.append(ResidualAttentionBlock(width, heads))",
        "for layer in self.layers:\n            x = layer(x)\n        return x")),
    variant("right_encoder_sequential", Transformer="""
        class Transformer(nn.Sequential):
            def __init__(self, width, layers, heads):
                super().__init__(*(ResidualAttentionBlock(width, heads) for _ in range(layers)))
        """),
    variant("right_encoder_add_module", Transformer=_encoder(
        "self.n = layers\n        for i in range(layers):\n            setattr(self, f'block{i}', ResidualAttentionBlock(width, heads))",
        "for i in range(self.n):\n            x = getattr(self, f'block{i}')(x)\n        return x")),
    variant("right_encoder_final_norm", Transformer=_encoder(
        "self.blocks = nn.Sequential(*[ResidualAttentionBlock(width, heads) for i in range(layers)])\n        self.norm = nn.LayerNorm(width, eps=1e-6)",
        "return self.norm(self.blocks(x))")),
    variant("right_encoder_final_rms_norm", Transformer=_encoder(
        "self.blocks = nn.Sequential(*[ResidualAttentionBlock(width, heads) for i in range(layers)])\n        self.norm = nn.RMSNorm(width)",
        "return self.norm(self.blocks(x))")),
    *(variant(f"right_encoder_final_norm_by_hand_{ident}", Transformer=_encoder(
        "self.blocks = nn.Sequential(*[ResidualAttentionBlock(width, heads) for _ in range(layers)])\n"
        "        self.gain, self.shift = nn.Parameter(torch.ones(width)), nn.Parameter(torch.zeros(width))",
        f"x = self.blocks(x)\n        return self.gain * {normed} + self.shift"))
      for ident, normed in {
          "of_unbiased_deviation": "(x - x.mean(-1, keepdim=True)) / (x.std(-1, keepdim=True) + 1e-6)",
          "of_length": "x / x.norm(dim=-1, keepdim=True)",
      }.items()),
    variant("right_encoder_first_and_final_norm", Transformer=_encoder(
        "self.blocks = nn.Sequential(nn.LayerNorm(width), *[ResidualAttentionBlock(width, heads) for i in range(layers)], nn.Dropout(0.1), nn.LayerNorm(width))",
        "return self.blocks(x)")),
    variant("right_encoder_torch_layers", ResidualAttentionBlock="""
        class ResidualAttentionBlock(nn.TransformerEncoderLayer):
            def __init__(self, d_model, n_head):
                super().__init__(d_model, n_head, 4 * d_model, 0.1, "gelu", batch_first=True, norm_first=True)
        """),
    variant("right_encoder_torch_layers_sequence_first", ResidualAttentionBlock="""
        class ResidualAttentionBlock(nn.Module):
            def __init__(self, d_model, n_head):
                super().__init__()
                self.layer = nn.TransformerEncoderLayer(d_model, n_head, norm_first=True, dim_feedforward=3 * d_model)

            def forward(self, x):
                return self.layer(x)
        """, Transformer=_encoder(
        "self.blocks = nn.ModuleList([ResidualAttentionBlock(width, heads) for _ in range(layers)])",
        "x = x.transpose(0, 1)\n        for block in self.blocks:\n            x = block(x)\n        return x.transpose(0, 1)")),
    variant("right_encoder_torch_encoder", Transformer=_encoder(
        f"layer = {FIRST}\n        self.encoder = nn.TransformerEncoder(layer, num_layers=layers, enable_nested_tensor=False)", "return self.encoder(x)")),
    variant("right_encoder_torch_encoder_with_norm", Transformer=_encoder(
        f"layer = {LAYER.format(more='')}\n        self.encoder = nn.TransformerEncoder(layer, layers, norm=nn.LayerNorm(width))",
        "return self.encoder(x.permute(1, 0, 2)).permute(1, 0, 2)")),
    variant("right_encoder_initialised", Transformer=_encoder(
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
    variant("right_model_plain", ViT=_vit(PARTS, [*RUN, "return x[:, 0, :]"])),
    variant("right_model_norm_of_all_tokens", ViT=_vit(
        [*PARTS, "self.norm = nn.LayerNorm(hidden_size)"], [*RUN, "return self.norm(x)[:, 0]"])),
    variant("right_model_method_added_later", ViT=VIT_HEAD.replace("{more}", "") + "".join(f"        {line}\n" for line in PARTS) + """

def add_to_class(cls):
    def add(method):
        setattr(cls, method.__name__, method)
        return method

    return add


@add_to_class(ViT)
def forward(self, x):
    return self.transformer(self.position_embedding(self.patch_embeddings(x)))[:, 0]
"""),
    variant("right_model_registers", ViT=_vit(
        [*PARTS, "self.registers = nn.Parameter(0.02 * torch.randn(1, 4, hidden_size))"],
        [RUN[0], "x = torch.cat([x, self.registers.expand(len(x), -1, -1)], 1)", "return self.transformer(x)[:, 0]"])),
    variant("right_model_select", ViT=_vit(PARTS, [*RUN, "return x.permute(1, 0, 2)[0]"])),
    variant("right_model_squeeze_the_token_axis", ViT=_vit(PARTS, [*RUN, "return x[:, :1].squeeze(1)"])),
    variant("right_model_projection_and_norm", ViT=_vit(
        [*PARTS, "self.norm = nn.LayerNorm(hidden_size)", "self.to_latent = nn.Identity()",
         "self.proj = nn.Parameter(hidden_size**-0.5 * torch.randn(hidden_size, hidden_size))"],
        [*RUN, "x = self.norm(x[:, 0, :])", "return self.to_latent(x @ self.proj)"])),
    variant("right_model_optional_arguments", ViT=_vit(
        [*PARTS, "self.dropout = nn.Dropout(dropout)", "self.norm = norm(hidden_size) if norm else nn.Identity()"],
        ["x = self.dropout(self.position_embedding(self.patch_embeddings(x)))", "return self.norm(self.transformer(x)[:, 0])"],
        more=", dropout=0.1, norm=partial(nn.LayerNorm, eps=1e-6), **kwargs")),
    variant("right_model_other_argument_names", ViT=_vit(PARTS, [*RUN, "return x[:, 0]"]).replace("layers", "depth").replace("hidden_size", "dim")
        .replace("self.dim", "self.hidden_size"),
        Transformer=_encoder("self.blocks = nn.Sequential(*(ResidualAttentionBlock(dim, num_heads) for _ in range(depth)))", "return self.blocks(x)")
        .replace("width, layers, heads", "dim, depth, num_heads")),
    variant("right_model_config", ViT=_vit(
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
    variant("right_model_property_hidden_size", ViT=_vit(
        [*PARTS[:2], "self.blocks = nn.ModuleList([ResidualAttentionBlock(hidden_size, heads) for _ in range(layers)])",
         "self._hidden_size = hidden_size"],
        ["x = self.position_embedding(self.patch_embeddings(x))", "for block in self.blocks:", "    x = block(x)", "return x[:, 0]", "",
         "__slots__ = ()"]).replace("        __slots__ = ()\n", "\n    @property\n    def hidden_size(self):\n        return self._hidden_size\n")
        .replace("        self.hidden_size = hidden_size\n", "")),
    variant("right_model_monolith", ViT=_vit(MONOLITH, [*MONOLITH_RUN, "return self.encoder(x)[:, 0]"])),
    variant("right_model_monolith_with_norms", ViT=_vit(
        [*MONOLITH, "self.pre, self.post = nn.LayerNorm(hidden_size), nn.LayerNorm(hidden_size)"],
        [*MONOLITH_RUN, "return self.post(self.encoder(self.pre(x)))[:, 0]"])),
    variant("right_model_monolith_by_hand", ViT=_vit(
        [*MONOLITH[:3], "self.heads = heads", "self.layers = nn.ModuleList(nn.ModuleDict({",
         "    'n1': nn.LayerNorm(hidden_size), 'qkv': nn.Linear(hidden_size, 3 * hidden_size), 'o': nn.Linear(hidden_size, hidden_size),",
         "    'n2': nn.LayerNorm(hidden_size), 'up': nn.Linear(hidden_size, 64), 'down': nn.Linear(64, hidden_size)}) for _ in range(layers))"],
        ["x = self.conv(x).flatten(2).transpose(1, 2)", "x = torch.cat([self.cls.expand(x.shape[0], -1, -1), x], 1) + self.pos",
         "B, N, D = x.shape", "for m in self.layers:",
         "    q, k, v = (t.view(B, N, self.heads, -1).transpose(1, 2) for t in m['qkv'](m['n1'](x)).chunk(3, -1))",
         "    x = x + m['o'](F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(B, N, D))",
         "    x = x + m['down'](F.gelu(m['up'](m['n2'](x))))", "return x[:, 0]"])),
    variant("right_model_sequence_first_monolith", ViT=_vit(
        [line.replace("batch_first=True, ", "") for line in MONOLITH],
        [*MONOLITH_RUN, "x = self.encoder(x.permute(1, 0, 2))", "return x[0]"])),
    variant("right_model_cls_query_in_the_last_layer", ViT=_vit(
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
    variant("right_heads_lazy", ClassificationHead="""
        class ClassificationHead(nn.Module):
            def __init__(self, hidden_size, num_classes=10):
                super().__init__()
                self.fc = nn.LazyLinear(num_classes)

            def forward(self, x):
                return self.fc(x)
        """, LinearEmbeddingHead="""
        class LinearEmbeddingHead(nn.LazyLinear):
            def __init__(self, hidden_size, embed_size=64):
                super().__init__(embed_size)
        """, PatchEmbeddings="""
        class PatchEmbeddings(nn.Module):
            def __init__(self, image_size, patch_size, hidden_size, num_channels=3):
                super().__init__()
                self.num_channels, self.num_patches = num_channels, (image_size // patch_size) ** 2
                self.cut = nn.LazyConv2d(hidden_size, patch_size, patch_size)

            def forward(self, x):
                if x.shape[1] != self.num_channels:
                    raise ValueError(f"{x.shape[1]} channels")
                return self.cut(x).flatten(2).transpose(1, 2)
        """),
    variant("right_heads_dropout_and_no_bias",
             ClassificationHead=_head("ClassificationHead", "num_classes", "nn.Sequential(nn.Dropout(0.3), nn.Linear(hidden_size, num_classes))"),
             LinearEmbeddingHead=_head("LinearEmbeddingHead", "embed_size", "nn.Linear(hidden_size, embed_size, bias=False)")),
    variant("right_heads_norm_and_sequential",
             ClassificationHead=_head("ClassificationHead", "num_classes", "nn.Sequential(nn.LayerNorm(hidden_size), nn.Linear(hidden_size, num_classes))"),
             LinearEmbeddingHead=_head("LinearEmbeddingHead", "embed_size", "nn.Sequential(nn.Dropout(0.1), nn.Linear(hidden_size, embed_size))")),
    variant("right_heads_hidden_layer",
             ClassificationHead=_head("ClassificationHead", "num_classes",
                                      "nn.Sequential(nn.Linear(hidden_size, 2 * hidden_size), nn.GELU(), nn.Linear(2 * hidden_size, num_classes))"),
             LinearEmbeddingHead=_head("LinearEmbeddingHead", "embed_size", "nn.Sequential(nn.Linear(hidden_size, 99), nn.Linear(99, embed_size))")),
    variant("right_heads_tanh_hidden_layer",
             ClassificationHead=_head("ClassificationHead", "num_classes",
                                      "nn.Sequential(nn.Linear(hidden_size, hidden_size), nn.Tanh(), nn.Linear(hidden_size, num_classes, bias=False))")),
    variant("right_heads_constants_and_containers",
             ClassificationHead=_head("ClassificationHead", "num_classes", """nn.Linear(hidden_size, num_classes)
        self.one, self.scale = torch.ones(num_classes), 1.0
        self.register_buffer("zero", torch.zeros(num_classes))
        self.shifts = nn.ParameterList([nn.Parameter(torch.zeros(num_classes))])
        self.scales = nn.ParameterDict({"all": nn.Parameter(torch.ones(num_classes))})""",
                "self.scales['all'] * self.scale * self.one * self.layers(x) + self.zero + self.shifts[0]")),
    variant("right_heads_weight_norm",
             ClassificationHead=_head("ClassificationHead", "num_classes", "torch.nn.utils.parametrizations.weight_norm(nn.Linear(hidden_size, num_classes))"),
             LinearEmbeddingHead=_head("LinearEmbeddingHead", "embed_size", "nn.utils.weight_norm(nn.Linear(hidden_size, embed_size))")),
    variant("right_heads_orthogonal",
             ClassificationHead=_head("ClassificationHead", "num_classes", "torch.nn.utils.parametrizations.spectral_norm(nn.Linear(hidden_size, num_classes))"),
             LinearEmbeddingHead=_head("LinearEmbeddingHead", "embed_size", "torch.nn.utils.parametrizations.orthogonal(nn.Linear(hidden_size, embed_size, bias=False))")),
    variant("right_heads_batch_norm_in_classifier",
             ClassificationHead=_head("ClassificationHead", "num_classes", "nn.Sequential(nn.BatchNorm1d(hidden_size), nn.Linear(hidden_size, num_classes))")),
    variant("right_heads_linear_subclasses", ClassificationHead="""
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


IN_HALF_PRECISION = [
    Case(
        "vit.variant_in_half_precision",
        {"vit_model.py": [(
            "        x = self.transformer(x)  # (B, N + 1, D)\n",
            "        with torch.autocast(x.device.type, dtype=torch.bfloat16):\n            x = self.transformer(x).float()\n",
        )]},
    ),
]  # fmt: skip
VARIANTS = [*ENCODERS, *VITS, *HEADS, *IN_HALF_PRECISION]
