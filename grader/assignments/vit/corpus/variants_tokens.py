"""Part 2 in other styles: ``PatchEmbeddings`` and ``PositionEmbedding``."""

from grader.assignments.vit.corpus.vit_classes import variant

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
    variant("right_patches_reshape_permute", PatchEmbeddings=_patches(
        "x = x.reshape(B, C, H // p, p, W // p, p).permute(0, 2, 4, 1, 3, 5)",
        "return self.proj(x.reshape(B, -1, C * p * p))")),
    variant("right_patches_einops_order", PatchEmbeddings=_patches(
        "x = x.view(B, C, H // p, p, W // p, p)",
        "return self.proj(torch.einsum('bchpwq->bhwpqc', x).reshape(B, self.num_patches, p * p * C))")),
    variant("right_patches_unfold", PatchEmbeddings=_patches("return self.proj(F.unfold(x, p, stride=p).transpose(1, 2))")),
    variant("right_patches_tensor_unfold", PatchEmbeddings=_patches(
        "x = x.unfold(2, p, p).unfold(3, p, p)",
        "x = x.permute(0, 2, 3, 1, 4, 5).contiguous().view(B, self.num_patches, -1)",
        "return self.proj(x)")),
    variant("right_patches_loop", PatchEmbeddings=_patches(
        "tokens = []",
        "for i in range(0, H, p):",
        "    for j in range(0, W, p):",
        "        tokens.append(self.proj(x[:, :, i : i + p, j : j + p].flatten(1)))",
        "return torch.stack(tokens, dim=1)")),
    variant("right_patches_split", PatchEmbeddings=_patches(
        "rows = torch.cat([torch.stack(row.split(p, dim=3), 1) for row in x.split(p, dim=2)], dim=1)",
        "return self.proj(rows.flatten(2))")),
    variant("right_patches_layer_norms_around", PatchEmbeddings="""
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
    variant("right_patches_conv_stem_of_its_patch", PatchEmbeddings="""
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
    variant("right_patches_weight_by_hand", PatchEmbeddings="""
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
    variant("right_positions_zeros", PositionEmbedding=_positions(
        ["self.cls_token = nn.Parameter(torch.zeros(1, 1, hidden_size))",
         "self.pos = nn.Parameter(torch.zeros(1, num_patches + 1, hidden_size))",
         "self.dropout = nn.Dropout(0.1)"],
        ["cls = self.cls_token.repeat(x.size(0), 1, 1)",
         "return self.dropout(torch.hstack((cls, x)) + self.pos)"])),
    variant("right_positions_cls_apart", PositionEmbedding=_positions(
        ["self.cls = nn.Parameter(torch.randn(hidden_size))", "self.pos = nn.Parameter(torch.randn(num_patches, hidden_size))"],
        ["x = x + self.pos", "return torch.cat([self.cls.expand(len(x), 1, -1), x], 1)"])),
    variant("right_positions_one_for_cls_too", PositionEmbedding=_positions(
        ["scale = hidden_size**-0.5",
         "self.class_embedding = nn.Parameter(scale * torch.randn(hidden_size))",
         "self.positional_embedding = nn.Parameter(scale * torch.randn(num_patches + 1, hidden_size))"],
        ["zeros = torch.zeros(x.shape[0], 1, x.shape[-1], dtype=x.dtype, device=x.device)",
         "x = torch.cat([self.class_embedding.to(x.dtype) + zeros, x], dim=1)",
         "return x + self.positional_embedding.to(x.dtype)"])),
    variant("right_positions_embedding_layer", PositionEmbedding=_positions(
        ["self.cls = nn.Embedding(1, hidden_size)",
         "self.pos = nn.Embedding(num_patches + 1, hidden_size)",
         "self.register_buffer('ids', torch.arange(num_patches + 1))"],
        ["cls = self.cls(torch.zeros(x.shape[0], 1, dtype=torch.long, device=x.device))",
         "x = torch.cat((cls, x), dim=1)", "x += self.pos(self.ids)", "return x"])),
    variant("right_positions_sines_to_start", PositionEmbedding=_positions(
        ["angles = torch.arange(num_patches + 1)[:, None] / 10000 ** (torch.arange(hidden_size) / hidden_size)",
         "self.pos = nn.Parameter(torch.sin(angles).float())",
         "self.cls = nn.Parameter(torch.randn(1, hidden_size))"],
        ["tokens = torch.stack([torch.vstack((self.cls, image)) for image in x])", "return tokens + self.pos"])),
    variant("right_positions_randn_without_grad", PositionEmbedding=_positions(
        ["self.cls = nn.Parameter(torch.randn(1, 1, hidden_size, requires_grad=False))",
         "self.pos = torch.nn.parameter.Parameter(data=torch.rand(1, 1 + num_patches, hidden_size, requires_grad=False))"],
        ["B, N, D = x.shape", "out = x.new_empty(B, N + 1, D)", "out[:, :1] = self.cls", "out[:, 1:] = x", "return out + self.pos"])),
    variant("right_positions_list_of_parameters", PositionEmbedding=_positions(
        ["self.cls = nn.Parameter(torch.zeros(1, hidden_size))",
         "self.pos = nn.ParameterList([nn.Parameter(torch.randn(1, hidden_size)) for _ in range(num_patches + 1)])"],
        ["x = F.pad(x, (0, 0, 1, 0)) + torch.cat(list(self.pos))", "x[:, 0] = x[:, 0] + self.cls", "return x"])),
    variant("right_positions_cls_in_one_table_with_them", PositionEmbedding=_positions(
        ["self.table = nn.Parameter(0.02 * torch.randn(num_patches + 2, hidden_size))"],
        ["cls, pos = self.table.split([1, self.table.shape[0] - 1])",
         "return torch.cat([cls.expand(x.shape[0], 1, -1), x], 1) + pos"])),
    variant("right_positions_cls_in_one_embedding_layer_with_them", PositionEmbedding=_positions(
        ["self.table = nn.Embedding(num_patches + 2, hidden_size)"],
        ["rows = self.table(torch.arange(x.shape[1] + 2, device=x.device))",
         "return torch.cat([rows[:1].expand(x.shape[0], 1, -1), x], 1) + rows[1:]"])),
]  # fmt: skip


VARIANTS = [*PATCHES, *POSITIONS]
