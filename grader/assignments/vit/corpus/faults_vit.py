"""Part 2: what students get wrong in ``vit_model.py``, and what looks wrong and is right.

A fault is the reference with one thing changed; ``costs`` are exactly the criteria that it must lose, and
``word`` is the part of the message that names the cause. ``vit.shapes`` is lost as well where
``check_vit.py`` cannot but see it.
"""

from grader.assignments.vit import files
from grader.assignments.vit.corpus.variants_vit import VARIANTS
from grader.audit import Case

__all__ = ["FAULTS", "VARIANTS"]

PATCHES, POSITIONS, BLOCK = "vit.patch_embeddings", "vit.position_embedding", "vit.attention_block"
MODEL, HEADS, SHAPES = "vit.model", "vit.heads", "vit.shapes"
Edit = tuple[str, str]
REFERENCE = files.REFERENCE / "vit_model.py"


def _line(beginning: str) -> str:
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

CLS = _line("self.cls_token = nn.Parameter(")
PLACES = _line("self.positions = nn.Parameter(")
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


def _fault(ident: str, costs: str | tuple[str, ...], word: str, *edits: Edit, warns: tuple[str, ...] = ()) -> Case:
    costs = (costs,) if isinstance(costs, str) else costs
    return Case(f"vit.{ident}", {"vit_model.py": list(edits)}, costs, word, warns)


def _lines(*lines: str) -> str:
    """Lines of a method's body."""
    return "".join(f"        {line}\n" for line in lines)


PATCH_FAULTS = [
    _fault("patches_divided_by_the_largest_of_the_batch", PATCHES, "others are in the batch", (PROJECT, _lines("x = self.projection(x / x.abs().max())"))),
    _fault("patches_of_scattered_pixels", PATCHES, "follow", (PROJECT, _lines("x = self.projection(x + torch.sin(1000 * x))"))),
    _fault("patches_counted_as_float", (PATCHES, SHAPES), "a float", (COUNT, COUNT.replace("//", "/"))),
    _fault("patches_refused_by_width", (PATCHES, SHAPES), "axis 1", (REFUSAL, REFUSAL.replace("x.shape[1] !=", "x.shape[-1] !="))),
    _fault("patches_cut_by_reshape", PATCHES, "scrambled",
           (CONV, "self.projection = nn.Linear(num_channels * patch_size**2, hidden_size)"),
           (TO_TOKENS, _lines("return self.projection(x.reshape(x.shape[0], self.num_patches, -1))"))),
    _fault("patches_cut_by_view", PATCHES, "view",
           (CONV, "self.projection = nn.Linear(num_channels * patch_size**2, hidden_size)"),
           (TO_TOKENS, _lines("return self.projection(x.contiguous().view(x.shape[0], self.num_patches, -1))"))),
    _fault("patches_reshape_instead_of_transpose", PATCHES, "reshape",
           (TOKENS, _lines("return x.reshape(x.shape[0], self.num_patches, -1)"))),
    _fault("patches_unfold_without_transpose", PATCHES, "scrambled",
           (CONV, "self.p = patch_size\n        self.projection = nn.Linear(num_channels * patch_size**2, hidden_size)"),
           (TO_TOKENS, _lines("x = nn.functional.unfold(x, self.p, stride=self.p)",
                              "return self.projection(x.reshape(x.shape[0], self.num_patches, -1))"))),
    _fault("patches_axes_in_wrong_order", PATCHES, "scrambled",
           (CONV, "self.p = patch_size\n        self.projection = nn.Linear(num_channels * patch_size**2, hidden_size)"),
           (TO_TOKENS, _lines("b, c, h, w = x.shape",
                              "x = x.reshape(b, c, self.p, h // self.p, self.p, w // self.p)",
                              "x = x.permute(0, 3, 5, 1, 2, 4).flatten(3).flatten(1, 2)",
                              "return self.projection(x)"))),
    _fault("patches_cut_axes_without_permute", PATCHES, "scrambled",
           (CONV, "self.p = patch_size\n        self.projection = nn.Linear(num_channels * patch_size**2, hidden_size)"),
           (TO_TOKENS, _lines("b, c, h, w = x.shape",
                              "x = x.reshape(b, c, h // self.p, self.p, w // self.p, self.p)",
                              "return self.projection(x.reshape(b, self.num_patches, -1))"))),
    _fault("patches_column_major", PATCHES, "column",
           (FLATTEN, _lines("x = x.transpose(2, 3).flatten(2)"))),
    _fault("patches_in_reverse", PATCHES, "row-major", (TOKENS, _lines("return x.transpose(1, 2).flip(1)"))),
    _fault("patches_overlap", PATCHES, "overlap",
           (CONV, "self.projection = nn.Conv2d(num_channels, hidden_size, patch_size + 2, patch_size, padding=1)")),
    _fault("patches_features_first", (PATCHES, SHAPES), "other order",
           (TOKENS, _lines("return x")), ),
    _fault("patches_in_a_grid", (PATCHES, SHAPES), "grid", (FLATTEN + TOKENS, _lines("return x"))),
    _fault("patches_no_value_error", PATCHES, "ValueError", (REFUSAL, "")),
    _fault("patches_assert_instead_of_value_error", PATCHES, "ValueError",
           (REFUSAL, _lines("assert x.shape[1] == self.num_channels"))),
    _fault("patches_default_of_four_channels", (PATCHES, SHAPES), "is that its default",
           ("patch_size: int, hidden_size: int, num_channels: int = 3", "patch_size: int, hidden_size: int, num_channels: int = 4")),
    _fault("patches_return_none", (PATCHES, SHAPES), "Nothing comes back", (TOKENS, _lines("x = x.transpose(1, 2)"))),
    _fault("patches_return_none_on_wrong_channels", PATCHES, "ValueError",
           (REFUSAL, _lines("if x.shape[1] != self.num_channels:", "    return None"))),
    _fault("patches_print_on_wrong_channels", PATCHES, "ValueError",
           (REFUSAL, _lines("if x.shape[1] != self.num_channels:", "    print('wrong channels')"))),
    _fault("patches_take_first_channels", PATCHES, "ValueError",
           (REFUSAL, _lines("if x.shape[1] < self.num_channels:", "    raise ValueError('too few')",
                            "x = x[:, : self.num_channels]"))),
    _fault("patches_first_channel_only", PATCHES, "channel",
           (PROJECT, _lines("x = self.projection(x[:, :1].expand_as(x))"))),
    _fault("patches_channels_averaged", PATCHES, "channel",
           (PROJECT, _lines("x = self.projection(x.mean(1, keepdim=True).expand_as(x))"))),
    _fault("patches_channels_hard_coded", (PATCHES, SHAPES), "channels",
           ("self.num_channels = num_channels", "self.num_channels = 1"),
           (CONV, CONV.replace("num_channels", "1", 1))),
    _fault("patches_mean_colour_only", PATCHES, "inside a patch",
           (CONV, "self.p = patch_size\n        self.projection = nn.Conv2d(num_channels, hidden_size, 1)"),
           (PROJECT, _lines("x = self.projection(nn.functional.avg_pool2d(x, self.p))"))),
    _fault("patches_one_pixel_only", PATCHES, "pixels",
           (CONV, "self.projection = nn.Conv2d(num_channels, hidden_size, 1, stride=patch_size)")),
    _fault("patches_number_not_squared", (PATCHES, SHAPES), "num_patches", (COUNT, "self.num_patches = image_size // patch_size")),
    _fault("patches_number_missing", PATCHES, "num_patches",
           (COUNT, "pass"), (PLACE, "self.pos_embed = PositionEmbedding((image_size // patch_size) ** 2, hidden_size)")),
    _fault("patches_number_is_a_method", PATCHES, "num_patches",
           (COUNT, "self.n = (image_size // patch_size) ** 2"),
           ("        self.projection = nn", "        self.num_patches = lambda: self.n\n        self.projection = nn"),
           (PLACE, PLACE.replace("num_patches", "num_patches()"))),
    _fault("patches_number_is_a_tuple", PATCHES, "num_patches",
           (COUNT, "self.num_patches = (image_size // patch_size, image_size // patch_size)"),
           (PLACE, PLACE.replace("num_patches", "num_patches[0] ** 2"))),
    _fault("patches_projection_each", PATCHES, "places",
           (CONV, "self.p = patch_size\n        self.projection = nn.ModuleList("
                  "nn.Linear(num_channels * patch_size**2, hidden_size) for _ in range(self.num_patches))"),
           (TO_TOKENS, _lines("x = nn.functional.unfold(x, self.p, stride=self.p).transpose(1, 2)",
                              "return torch.stack([p(x[:, n]) for n, p in enumerate(self.projection)], 1)"))),
    _fault("patches_positions_inside", PATCHES, "places",
           (CONV, CONV + "\n        self.where = nn.Parameter(torch.randn(1, self.num_patches, hidden_size))"),
           (TOKENS, _lines("return x.transpose(1, 2) + self.where"))),
    _fault("patches_frozen", PATCHES, "frozen", (CONV, CONV + ".requires_grad_(False)")),
    _fault("patches_unregistered", PATCHES, "registered",
           (CONV, CONV.replace("nn.Conv2d(", "[nn.Conv2d(") + "]"), ("self.projection(x)", "self.projection[0](x)")),
    _fault("patches_made_in_forward", PATCHES, "__init__",
           (CONV, "self.sizes = num_channels, hidden_size, patch_size, patch_size"),
           ("self.projection(x)", "nn.Conv2d(*self.sizes)(x)")),
    _fault("patches_detached", PATCHES, "detach", (TOKENS, _lines("return x.transpose(1, 2).detach()"))),
    _fault("patches_no_grad", PATCHES, "no_grad",
           (PROJECT, _lines("with torch.no_grad():", "    x = self.projection(x)"))),
    _fault("patches_through_numpy", PATCHES, "detach",
           (TOKENS, _lines("return torch.from_numpy(x.detach().numpy()).transpose(1, 2)"))),
    _fault("patches_normalised_over_batch", PATCHES, "batch",
           (PROJECT, PROJECT + _lines("x = (x - x.mean(0)) / (x.var(0, unbiased=False) + 1e-5).sqrt()"))),
    _fault("patches_normalised_over_all_tokens", PATCHES, "normalised together",
           (CONV, CONV + "\n        self.norm = nn.LayerNorm([self.num_patches, hidden_size])"),
           (TOKENS, _lines("return self.norm(x.transpose(1, 2))"))),
    _fault("patches_largest_of_convolutions", PATCHES, "overlap",
           (CONV, "self.projection = nn.Sequential(nn.Conv2d(num_channels, hidden_size, 3, padding=1), nn.MaxPool2d(patch_size))")),
    _fault("patches_dropout_in_eval", PATCHES, "dropout", (TOKENS, _lines("return nn.functional.dropout(x.transpose(1, 2), 0.1)"))),
    _fault("patches_batch_size_hard_coded", (PATCHES, SHAPES), "hard-coded",
           (TOKENS, _lines("return x.transpose(1, 2).reshape(2, self.num_patches, -1)"))),
    _fault("patches_hidden_size_hard_coded", (PATCHES, SHAPES), "shape",
           (CONV, CONV.replace("hidden_size,", "64,"))),
    _fault("patches_image_size_hard_coded", (PATCHES, SHAPES), "num_patches", (COUNT, COUNT.replace("image_size", "28"))),
    _fault("patches_size_hard_coded", (PATCHES, SHAPES), "shape", (CONV, CONV.replace("=patch_size", "=7"))),
    _fault("patches_layer_unused", PATCHES, "gradient", (CONV, CONV + "\n        self.norm = nn.LayerNorm(hidden_size)")),
    _fault("patches_float64", (PATCHES, SHAPES), "float32",
           (CONV, CONV + ".double()"), ("self.projection(x)", "self.projection(x.double())")),
    _fault("patches_squeezed_at_batch_1", PATCHES, "squeeze", (TOKENS, _lines("return x.transpose(1, 2).squeeze()"))),
    _fault("patches_without_super_init", (PATCHES, SHAPES), "__init__",
           ("        super().__init__()\n        ### BEGIN SOLUTION: keep num_channels", "        ### BEGIN SOLUTION: keep num_channels")),
]  # fmt: skip

POSITION_FAULTS = [
    _fault("positions_cls_last", POSITIONS, "last", (CAT, CAT.replace("[cls_token, x]", "[x, cls_token]"))),
    _fault("positions_cls_last_and_read_there", POSITIONS, "last",
           (CAT, CAT.replace("[cls_token, x]", "[x, cls_token]")), (FEATURE, FEATURE.replace("[:, 0]", "[:, -1]"))),
    _fault("positions_cls_plain_tensor", POSITIONS, "[CLS]", (CLS, "self.cls_token = torch.randn(1, 1, hidden_size)")),
    _fault("positions_cls_plain_zeros", POSITIONS, "[CLS]", (CLS, "self.cls_token = torch.zeros(1, 1, hidden_size)")),
    _fault("positions_cls_is_a_buffer", POSITIONS, "[CLS]",
           (CLS, 'self.register_buffer("cls_token", torch.randn(1, 1, hidden_size))')),
    _fault("positions_cls_frozen", POSITIONS, "frozen",
           (CLS, "self.cls_token = nn.Parameter(torch.randn(1, 1, hidden_size), requires_grad=False)")),
    _fault("positions_cls_detached", POSITIONS, "gradient", (EXPAND, EXPAND.replace("cls_token.expand", "cls_token.detach().expand"))),
    _fault("positions_cls_random_in_forward", POSITIONS, "forward",
           (CLS, "pass"), (EXPAND, _lines("cls_token = torch.randn(x.shape[0], 1, x.shape[2])"))),
    _fault("positions_cls_zeros_in_forward", POSITIONS, "[CLS]",
           (CLS, "pass"), (EXPAND, _lines("cls_token = torch.zeros(x.shape[0], 1, x.shape[2])"))),
    _fault("positions_cls_parameter_in_forward", POSITIONS, "not registered",
           (CLS, "pass"),
           (EXPAND, _lines("cls_token = nn.Parameter(torch.zeros(1, 1, x.shape[2])).expand(x.shape[0], -1, -1)"))),
    _fault("positions_cls_row_of_the_table_unused", POSITIONS, "[CLS]",
           (CLS, "pass"), (PLACES, PLACES.replace("num_patches + 1", "num_patches + 2")),
           (EXPAND, _lines("cls_token = torch.ones(x.shape[0], 1, x.shape[2])")), (ADD, _lines("return x + self.positions[:, 1:]"))),
    _fault("positions_cls_is_the_mean", POSITIONS, "[CLS]",
           (EXPAND, _lines("cls_token = x.mean(1, keepdim=True)")), (CLS, "pass")),
    _fault("positions_cls_added_to_the_mean", POSITIONS, "[CLS]",
           (EXPAND, _lines("cls_token = self.cls_token + x.mean(1, keepdim=True)"))),
    _fault("positions_cls_of_each_place_in_the_batch", POSITIONS, "the size of a batch",
           (CLS, "self.cls_token = nn.Parameter(torch.randn(99, 1, hidden_size))"),
           (EXPAND, _lines("cls_token = self.cls_token[: x.shape[0]]"))),
    _fault("positions_cls_of_fixed_batch", (POSITIONS, SHAPES), "hard-coded",
           (CLS, "self.cls_token = nn.Parameter(torch.randn(2, 1, hidden_size))"), (EXPAND, _lines("cls_token = self.cls_token"))),
    _fault("positions_batch_size_hard_coded", (POSITIONS, SHAPES), "hard-coded", (EXPAND, EXPAND.replace("x.shape[0]", "2"))),
    _fault("positions_no_cls", (POSITIONS, SHAPES), "[CLS]",
           (CLS, "pass"), (EXPAND + CAT, ""), (ADD, _lines("return x + self.positions[:, 1:]"))),
    _fault("positions_cls_instead_of_first_patch", (POSITIONS, SHAPES), "shape",
           (CAT, CAT.replace("x]", "x[:, 1:]]")), (ADD, _lines("return x + self.positions[:, :-1]"))),
    _fault("positions_frozen", POSITIONS, "frozen",
           (PLACES, "self.positions = nn.Parameter(torch.randn(1, num_patches + 1, hidden_size), requires_grad=False)")),
    _fault("positions_are_a_buffer", POSITIONS, "learnable",
           (PLACES, 'self.register_buffer("positions", torch.randn(1, num_patches + 1, hidden_size))')),
    _fault("positions_plain_tensor", POSITIONS, "learnable", (PLACES, "self.positions = torch.randn(1, num_patches + 1, hidden_size)")),
    _fault("positions_plain_zeros", POSITIONS, "learnable", (PLACES, "self.positions = torch.zeros(1, num_patches + 1, hidden_size)")),
    _fault("positions_sines", POSITIONS, "learnable",
           (PLACES, "angles = torch.arange(num_patches + 1)[:, None] / 100 ** (torch.arange(hidden_size) / hidden_size)\n"
                    '        self.register_buffer("positions", angles.sin()[None])')),
    _fault("positions_requires_grad_tensor", POSITIONS, "not registered",
           (PLACES, "self.positions = torch.randn(1, num_patches + 1, hidden_size, requires_grad=True)")),
    _fault("positions_data", POSITIONS, ".data", (ADD, _lines("return x + self.positions.data"))),
    _fault("positions_shared_by_all_tokens", POSITIONS, "same position",
           (PLACES, "self.positions = nn.Parameter(torch.randn(1, 1, hidden_size))")),
    _fault("positions_one_number_each", POSITIONS, "number",
           (PLACES, "self.positions = nn.Parameter(torch.randn(1, num_patches + 1, 1))")),
    _fault("positions_multiplied", POSITIONS, "product", (ADD, _lines("return x * self.positions"))),
    _fault("positions_concatenated", (POSITIONS, SHAPES), "shape",
           (ADD, _lines("return torch.cat([x, self.positions.expand(x.shape[0], -1, -1)], dim=2)"))),
    _fault("positions_not_added", POSITIONS, "no position", (ADD, _lines("return x"))),
    _fault("positions_added_to_cls_only", POSITIONS, "no position",
           (ADD, _lines("return torch.cat([x[:, :1] + self.positions[:, :1], x[:, 1:]], dim=1)"))),
    _fault("positions_axes_swapped", (POSITIONS, SHAPES), "must match", (PLACES, PLACES.replace("num_patches + 1, hidden_size", "hidden_size, num_patches + 1"))),
    _fault("positions_dropout_in_eval", POSITIONS, "dropout", (ADD, _lines("return nn.functional.dropout(x + self.positions, 0.1)"))),
    _fault("positions_arguments_swapped", (POSITIONS, SHAPES), "order",
           ("def __init__(self, num_patches: int, hidden_size: int)", "def __init__(self, hidden_size: int, num_patches: int)"),
           (PLACE, "self.pos_embed = PositionEmbedding(hidden_size, self.patch_embed.num_patches)")),
    _fault("positions_float64", (POSITIONS, SHAPES), "float32", (PLACES, PLACES.replace("hidden_size)", "hidden_size, dtype=torch.float64)"))),
    _fault("positions_squeezed_at_batch_1", POSITIONS, "squeeze", (ADD, _lines("return (x + self.positions).squeeze()"))),
    _fault("positions_layer_unused", POSITIONS, "gradient", (PLACES, PLACES + "\n        self.norm = nn.LayerNorm(hidden_size)")),
    _fault("positions_number_hard_coded", (POSITIONS, SHAPES), "hard-coded", (PLACES, PLACES.replace("num_patches + 1", "17"))),
    _fault("positions_detached_tokens", POSITIONS, "detach", (CAT, CAT.replace("x]", "x.detach()]"))),
]  # fmt: skip

BARE_SPLIT = _lines(
    "b, n, d = x.shape",
    "y = self.ln_1(x)",
    "q, k, v = (part.reshape(b, self.heads, n, d // self.heads) for part in self.qkv(y).chunk(3, dim=-1))",
    "weights = (q @ k.transpose(-2, -1) * (d // self.heads) ** -0.5).softmax(dim=-1)",
    "x = x + self.out((weights @ v).reshape(b, n, d))",
)
OWN_SPLIT = _lines(
    "b, n, d = x.shape",
    "y = self.ln_1(x)",
    "q, k, v = (part.reshape(b, n, self.heads, -1).transpose(1, 2) for part in self.qkv(y).chunk(3, dim=-1))",
    "weights = (q @ k.transpose(-2, -1) * (d // self.heads) ** -0.5).softmax(dim=-1)",
    "x = x + self.out((weights @ v).transpose(1, 2).reshape(b, n, d))",
)
OWN_LAYERS = _lines(
    "self.heads = n_head", "self.qkv = nn.Linear(d_model, 3 * d_model)", "self.out = nn.Linear(d_model, d_model)"
)
OWN = (MHA, OWN_LAYERS), (NORM + ATTEND + SUM_1, OWN_SPLIT)


def _own(*changes: Edit) -> tuple[Edit, Edit]:
    """Attention written by hand, changed."""
    forward = OWN_SPLIT
    for old, new in changes:
        assert old in forward, old
        forward = forward.replace(old, new)
    return OWN[0], (OWN[1][0], forward)


BLOCK_FAULTS = [
    _fault("block_batch_axis", BLOCK, "batch_first", (MHA, MHA.replace(", batch_first=True", ""))),
    _fault("block_own_attention_over_batch", BLOCK, "images of a batch",
           *_own((".reshape(b, n, self.heads, -1).transpose(1, 2)", ".reshape(b, n, self.heads, -1).permute(1, 2, 0, 3)"),
                 ("(weights @ v).transpose(1, 2)", "(weights @ v).permute(2, 0, 1, 3)"))),
    _fault("block_layout_of_multihead_attention_on_batch_first", BLOCK, "batch",
           *_own((".reshape(b, n, self.heads, -1).transpose(1, 2)", ".reshape(b, n * self.heads, -1).transpose(0, 1)"),
                 ("(weights @ v).transpose(1, 2)", "(weights @ v).transpose(0, 1)"))),
    _fault("block_transformer_turns_and_block_too", BLOCK, "batch", (RUN, _lines("return self.resblocks(x.transpose(0, 1)).transpose(0, 1)"))),
    _fault("block_transformer_never_turns_back", (BLOCK, SHAPES), "order",
           (MHA, MHA.replace(", batch_first=True", "")), (RUN, _lines("return self.resblocks(x.transpose(0, 1))"))),
    _fault("block_norm_of_query_alone", BLOCK, "keys and values", (ATTEND, ATTEND.replace("(y, y, y,", "(y, x, x,"))),
    _fault("block_norm_of_key_alone", BLOCK, "query", (ATTEND, ATTEND.replace("(y, y, y,", "(x, y, x,"))),
    _fault("block_norm_of_value_alone", BLOCK, "query", (ATTEND, ATTEND.replace("(y, y, y,", "(x, x, y,"))),
    _fault("block_query_as_it_came", BLOCK, "query of attention", (ATTEND, ATTEND.replace("(y, y, y,", "(x, y, y,"))),
    _fault("block_key_as_it_came", BLOCK, "keys of attention", (ATTEND, ATTEND.replace("(y, y, y,", "(y, x, y,"))),
    _fault("block_value_as_it_came", BLOCK, "values", (ATTEND, ATTEND.replace("(y, y, y,", "(y, y, x,"))),
    _fault("block_no_norm_before_attention", BLOCK, "attention",
           (LN_1, ""), (NORM, _lines("y = x"))),
    _fault("block_no_norm_before_mlp", BLOCK, "MLP", (LN_2, ""), (SUM_2, SUM_2.replace("self.ln_2(x)", "x"))),
    _fault("block_no_norm_at_all", BLOCK, "norm", (LN_1, ""), (LN_2, ""), (NORM, _lines("y = x")), (SUM_2, SUM_2.replace("self.ln_2(x)", "x"))),
    _fault("block_query_left_out", BLOCK, "query, key and value",
           *_own(("(q @ k.transpose(-2, -1)", "(k @ k.transpose(-2, -1)"))),
    _fault("block_heads_of_one_feature", BLOCK, "number of heads is not used", (MHA, MHA.replace("n_head", "d_model"))),
    _fault("block_residual_from_normalised", BLOCK, "carries the normalised",
           (BLOCK_FORWARD, _lines("x = self.ln_1(x)", "x = x + self.attn(x, x, x)[0]", "x = self.ln_2(x)", "return x + self.mlp(x)"))),
    _fault("block_first_residual_from_normalised", BLOCK, "carries the normalised",
           (SUM_1, _lines("x = y + attended"))),
    _fault("block_second_residual_from_normalised", BLOCK, "carries the normalised",
           (SUM_2, _lines("x = self.ln_2(x)", "return x + self.mlp(x)"))),
    _fault("block_no_first_residual", BLOCK, "residual", (SUM_1, _lines("x = attended"))),
    _fault("block_no_second_residual", BLOCK, "residual", (SUM_2, SUM_2.replace("x = x + self.mlp", "x = self.mlp"))),
    _fault("block_no_residuals", BLOCK, "residual", (SUM_1, _lines("x = attended")), (SUM_2, SUM_2.replace("x = x + self.mlp", "x = self.mlp"))),
    _fault("block_residual_doubled", BLOCK, "more than once", (SUM_1, _lines("x = x + x + attended"))),
    _fault("block_residual_around_block", BLOCK, "more than once", (SUM_2, SUM_2.replace("return x", "return x + before")), (NORM, _lines("before = x") + NORM)),
    _fault("block_residual_subtracted", BLOCK, "residual", (SUM_1, _lines("x = attended - x"))),
    _fault("block_attention_dropped_from_the_sum", BLOCK, "attention is not added",
           (SUM_1 + SUM_2, _lines("return x + self.mlp(self.ln_2(x + attended))"))),
    _fault("block_post_norm", BLOCK, "post-norm",
           (BLOCK_FORWARD, _lines("x = self.ln_1(x + self.attn(x, x, x)[0])", "return self.ln_2(x + self.mlp(x))"))),
    _fault("block_post_norm_in_transformer_too", BLOCK, "post-norm",
           (BLOCK_FORWARD, _lines("x = self.ln_1(x + self.attn(x, x, x)[0])", "return self.ln_2(x + self.mlp(x))")),
           (STACK, STACK + "\n        self.norm = nn.LayerNorm(width)"), (RUN, _lines("return self.norm(self.resblocks(x))"))),
    _fault("block_transformer_of_other_blocks_post_norm", BLOCK, "post-norm",
           (STACK, "self.resblocks = nn.Sequential(*[nn.TransformerEncoderLayer(width, heads, 4 * width, batch_first=True) for _ in range(layers)])")),
    _fault("block_mlp_beside_attention", BLOCK, "side by side",
           (SUM_1 + SUM_2, _lines("return x + attended + self.mlp(self.ln_2(x))"))),
    _fault("block_no_nonlinearity", BLOCK, "nonlinearity", ("            nn.GELU(),\n", "")),
    _fault("block_no_nonlinearity_with_final_norm", BLOCK, "nonlinearity", ("            nn.GELU(),\n", ""),
           (STACK, STACK + "\n        self.norm = nn.LayerNorm(width)"), (RUN, _lines("return self.norm(self.resblocks(x))"))),
    _fault("block_dropout_for_nonlinearity", BLOCK, "nonlinearity", ("            nn.GELU(),\n", "            nn.Dropout(0.1),\n")),
    _fault("block_no_mlp", BLOCK, "MLP", (LN_2, ""), (MLP, ""), (SUM_2, _lines("return x"))),
    _fault("block_no_attention", BLOCK, "see each other", (MHA, ""), (LN_1, ""), (NORM + ATTEND + SUM_1, "")),
    _fault("block_heads_hard_coded", BLOCK, "heads", (MHA, MHA.replace("n_head", "1"))),
    _fault("block_heads_not_passed_on", BLOCK, "heads", (STACK, STACK.replace("(width, heads)", "(width, 1)"))),
    _fault("block_heads_not_used_by_own_attention", BLOCK, "heads",
           *_own((".reshape(b, n, self.heads, -1).transpose(1, 2)", ".reshape(b, 1, n, d)"), ("(weights @ v).transpose(1, 2)", "(weights @ v)"))),
    _fault("block_shared_weights", BLOCK, "own", (STACK, "self.resblocks = nn.Sequential(*[ResidualAttentionBlock(width, heads)] * layers)")),
    _fault("block_one_block_in_a_loop", BLOCK, "own",
           (STACK, "self.block, self.layers = ResidualAttentionBlock(width, heads), layers"),
           (RUN, _lines("for _ in range(self.layers):", "    x = self.block(x)", "return x"))),
    _fault("block_python_list", BLOCK, "list",
           (STACK, STACK.replace("nn.Sequential(*", "(")), (RUN, _lines("for block in self.resblocks:", "    x = block(x)", "return x"))),
    _fault("block_layers_ignored", BLOCK, "layers", (STACK, STACK.replace("range(layers)", "range(2)"))),
    _fault("block_one_layer_too_many", BLOCK, "layers", (STACK, STACK.replace("range(layers)", "range(layers + 1)"))),
    _fault("block_last_not_run", BLOCK, "not run", (RUN, _lines("return self.resblocks[:-1](x)"))),
    _fault("block_only_last_counts", BLOCK, "not used in forward",
           (RUN, _lines("for block in self.resblocks:", "    out = block(x)", "return out"))),
    _fault("block_heads_split_by_reshape", BLOCK, "reshape", (MHA, OWN_LAYERS), (NORM + ATTEND + SUM_1, BARE_SPLIT)),
    _fault("block_heads_split_by_reshape_only", BLOCK, "reshape", *_own((".reshape(b, n, self.heads, -1).transpose(1, 2)", ".reshape(b, self.heads, n, -1)"))),
    _fault("block_heads_merged_by_reshape", BLOCK, "reshape", *_own(("(weights @ v).transpose(1, 2)", "(weights @ v)"))),
    _fault("block_softmax_over_queries", BLOCK, "softmax", *_own(("softmax(dim=-1)", "softmax(dim=-2)"))),
    _fault("block_softmax_over_heads", BLOCK, "softmax", *_own(("softmax(dim=-1)", "softmax(dim=1)"))),
    _fault("block_softmax_over_batch", BLOCK, "batch", *_own(("softmax(dim=-1)", "softmax(dim=0)"))),
    _fault("block_no_softmax", BLOCK, "softmax", *_own((".softmax(dim=-1)", ""))),
    _fault("block_sigmoid_for_softmax", BLOCK, "softmax", *_own((".softmax(dim=-1)", ".sigmoid()"))),
    _fault("block_attention_over_features", BLOCK, "softmax",
           *_own(("q @ k.transpose(-2, -1)", "q.transpose(-2, -1) @ k"), ("weights @ v", "v @ weights"))),
    _fault("block_causal_mask", BLOCK, "mask",
           (ATTEND, _lines("mask = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1)",
                           "attended, _ = self.attn(y, y, y, attn_mask=mask, need_weights=False)"))),
    _fault("block_dropout_in_eval", BLOCK, "dropout", (SUM_2, SUM_2.replace("self.mlp(self.ln_2(x))", "nn.functional.dropout(self.mlp(self.ln_2(x)), 0.1)"))),
    _fault("block_attention_dropout_in_eval", BLOCK, "dropout", *_own(("(weights @ v)", "(nn.functional.dropout(weights, 0.1) @ v)"))),
    _fault("block_detached", BLOCK, "detach", (NORM, _lines("y = self.ln_1(x.detach())"))),
    _fault("block_attention_detached", BLOCK, "detach", (SUM_1, _lines("x = x + attended.detach()"))),
    _fault("block_no_grad", BLOCK, "no_grad", (ATTEND, _lines("with torch.no_grad():", "    attended, _ = self.attn(y, y, y)"))),
    _fault("block_frozen", BLOCK, "frozen", (MHA, MHA + _lines("self.attn.requires_grad_(False)"))),
    _fault("block_layer_unused", BLOCK, "gradient", (LN_2, LN_2 + _lines("self.ln_3 = nn.LayerNorm(d_model)"))),
    _fault("block_mlp_in_a_list", BLOCK, "registered",
           (MLP, MLP.replace("nn.Sequential(", "[").replace("        )\n", "        ]\n")),
           (SUM_2, _lines("y = self.ln_2(x)", "for layer in self.mlp:", "    y = layer(y)", "return x + y"))),
    _fault("block_mlp_made_in_forward", BLOCK, "forward",
           (MLP, ""), (SUM_2, _lines("d = x.shape[-1]", "mlp = nn.Sequential(nn.Linear(d, 4 * d), nn.GELU(), nn.Linear(4 * d, d))", "return x + mlp(self.ln_2(x))"))),
    _fault("block_mlp_normalised_behind_it", BLOCK, "MLP", (SUM_2, SUM_2.replace("self.mlp(self.ln_2(x))", "self.ln_2(self.mlp(x))"))),
    _fault("block_attention_normalised_behind_it", BLOCK, "not normalised",
           (NORM + ATTEND + SUM_1, _lines("x = x + self.ln_1(self.attn(x, x, x)[0])"))),
    _fault("block_attention_of_the_norm_normalised_again", BLOCK, "norm", (SUM_1, _lines("x = x + self.ln_1(attended)"))),
    _fault("block_mlp_of_another_sum", BLOCK, "sum", (SUM_2, SUM_2.replace("self.ln_2(x)", "self.ln_2(y + attended)"))),
    _fault("block_batch_norm", BLOCK, "BatchNorm",
           (LN_1, LN_1.replace("LayerNorm", "BatchNorm1d")), (LN_2, LN_2.replace("LayerNorm", "BatchNorm1d")),
           (NORM, _lines("y = self.ln_1(x.transpose(1, 2)).transpose(1, 2)")),
           (SUM_2, SUM_2.replace("self.ln_2(x)", "self.ln_2(x.transpose(1, 2)).transpose(1, 2)"))),
    _fault("block_norm_over_tokens", BLOCK, "norm",
           (NORM, _lines("y = nn.functional.layer_norm(x.transpose(1, 2), x.shape[1:2]).transpose(1, 2) + 0 * self.ln_1(x)"))),
    _fault("block_returns_tuple", (BLOCK, SHAPES), "tuple", (RUN, _lines("return self.resblocks(x), None"))),
    _fault("block_transformer_returns_cls", (BLOCK, SHAPES), "shape", (RUN, _lines("return self.resblocks(x)[:, 0]"))),
    _fault("block_width_hard_coded", (BLOCK, SHAPES), "64",
           (STACK, STACK.replace("(width, heads)", "(64, heads)"))),
    _fault("block_in_place", BLOCK, "in place", (SUM_1, _lines("x += attended")), (SUM_2, _lines("x += self.mlp(self.ln_2(x))", "return x"))),
    _fault("block_residual_in_transformer_too", BLOCK, "adds nothing of its own",
           (RUN, _lines("for block in self.resblocks:", "    x = x + block(x)", "return x"))),
    _fault("block_scale_missing", (), "", *_own((" * (d // self.heads) ** -0.5", "")), warns=("attention.scale",)),
    _fault("block_scale_inverted", (), "", *_own(("** -0.5", "** 0.5")), warns=("attention.scale",)),
    _fault("block_scale_of_width", (), "", *_own(("(d // self.heads) ** -0.5", "d ** -0.5")), warns=("attention.scale",)),
    _fault("block_scale_not_rooted", (), "", *_own(("** -0.5", "** -1")), warns=("attention.scale",)),
    _fault("block_scale_of_query_wrong", (), "", *_own(("(q @ k", "(q * d ** -0.5 @ k"), (" * (d // self.heads) ** -0.5", "")), warns=("attention.scale",)),
    _fault("block_scale_twice", (), "", *_own(("(q @ k", "(q * (d // self.heads) ** -0.5 @ k")), warns=("attention.scale",)),
]  # fmt: skip

MODEL_FAULTS = [
    _fault("model_divides_by_the_largest_of_the_batch", MODEL, "others are in the batch", (TO_PATCHES, _lines("x = self.patch_embed(x / x.abs().max())"))),
    _fault("model_channels_not_passed_on", (MODEL, SHAPES), "num_channels", (EMBED, EMBED.replace(", num_channels", ""))),
    _fault("model_channels_hard_coded", (MODEL, SHAPES), "num_channels", (EMBED, EMBED.replace(", num_channels", ", 1"))),
    _fault("model_channels_averaged", MODEL, "channel", (EMBED, EMBED.replace(", num_channels", ", 1")), (TO_PATCHES, _lines("x = self.patch_embed(x.mean(1, keepdim=True))"))),
    _fault("model_first_channel_repeated", MODEL, "channel", (TO_PATCHES, _lines("x = self.patch_embed(x[:, :1].expand_as(x))"))),
    _fault("model_no_hidden_size", MODEL, "hidden_size", (KEEP, "")),
    _fault("model_hidden_size_is_another", MODEL, "hidden_size", (KEEP, _lines("self.hidden_size = heads"))),
    _fault("model_arguments_in_other_order", (MODEL, SHAPES), "order",
           ("        num_channels: int,\n        hidden_size: int,\n        layers", "        hidden_size: int,\n        num_channels: int,\n        layers")),
    _fault("model_layers_and_heads_swapped", MODEL, "order",
           ("        layers: int,\n        heads: int,\n    )", "        heads: int,\n        layers: int,\n    )")),
    _fault("model_mean_of_tokens", MODEL, "mean", (FEATURE, FEATURE.replace("x[:, 0]", "x.mean(1)"))),
    _fault("model_mean_of_patches", MODEL, "[CLS]", (FEATURE, FEATURE.replace("x[:, 0]", "x[:, 1:].mean(1)"))),
    _fault("model_largest_of_tokens", MODEL, "[CLS]", (FEATURE, FEATURE.replace("x[:, 0]", "x.amax(1)"))),
    _fault("model_last_token", MODEL, "index 0", (FEATURE, FEATURE.replace("x[:, 0]", "x[:, -1]"))),
    _fault("model_first_patch", MODEL, "index 0", (FEATURE, FEATURE.replace("x[:, 0]", "x[:, 1]"))),
    _fault("model_first_image", (MODEL, SHAPES), "axis", (FEATURE, FEATURE.replace("x[:, 0]", "x[0]"))),
    _fault("model_first_feature", (MODEL, SHAPES), "axis", (FEATURE, FEATURE.replace("self.ln_post(x[:, 0])", "x[:, :, 0]")), (LN_POST, "pass\n")),
    _fault("model_all_tokens", (MODEL, SHAPES), "all tokens", (FEATURE, FEATURE.replace("x[:, 0]", "x"))),
    _fault("model_positions_skipped", MODEL, "PositionEmbedding", (TO_PLACES, "")),
    _fault("model_positions_left_out", MODEL, "PositionEmbedding", (TO_PLACES, ""), (PLACE, "pass")),
    _fault("model_cls_read_too_early", MODEL, "does not depend on the image", (THROUGH, _lines("return self.ln_post(x[:, 0])"))),
    _fault("model_transformer_skipped", MODEL, "does not depend on the image", (THROUGH, "")),
    _fault("model_layers_hard_coded", MODEL, "layers", (ENCODE, ENCODE.replace("layers", "2"))),
    _fault("model_heads_hard_coded", MODEL, "heads", (ENCODE, ENCODE.replace("heads", "1"))),
    _fault("model_patch_size_hard_coded", MODEL, "patch_size", (EMBED, EMBED.replace("patch_size", "4"))),
    _fault("model_image_size_hard_coded", (MODEL, SHAPES), "image_size", (EMBED, EMBED.replace("image_size", "28"))),
    _fault("model_hidden_size_hard_coded", (MODEL, SHAPES), "hidden_size", (EMBED, EMBED.replace("hidden_size", "64")), (PLACE, PLACE.replace("hidden_size", "64")),
           (ENCODE, ENCODE.replace("hidden_size", "64")), ("self.ln_pre = nn.LayerNorm(hidden_size)", "self.ln_pre = nn.LayerNorm(64)"),
           (LN_POST, LN_POST.replace("hidden_size", "64"))),
    _fault("patches_shift_not_registered", PATCHES, "registered as a parameter of `PatchEmbeddings`", (CONV, CONV + "\n        self.shift = torch.zeros(hidden_size, requires_grad=True)"),
           (TOKENS, "        return x.transpose(1, 2) + self.shift\n")),
    _fault("positions_cls_not_registered", POSITIONS, "registered as a parameter of `PositionEmbedding`", (CLS, "self.cls_token = torch.zeros(1, 1, hidden_size, requires_grad=True)")),
    _fault("positions_not_registered", POSITIONS, "registered as a parameter of `PositionEmbedding`", (PLACES, "self.positions = torch.zeros(1, num_patches + 1, hidden_size, requires_grad=True)")),
    _fault("positions_in_a_list", POSITIONS, "registered as a parameter of `PositionEmbedding`", (PLACES, "self.all = [torch.zeros(1, num_patches + 1, hidden_size, requires_grad=True)]"), (ADD, "        return x + self.all[0]\n")),
    _fault("block_scale_not_registered", BLOCK, "registered as a parameter of `Transformer`", (LN_2, LN_2 + "        self.scale = torch.ones(d_model, requires_grad=True)\n"), (SUM_1, "        x = x + self.scale * attended\n")),
    _fault("model_layer_unused", MODEL, "gradient", (LN_POST, LN_POST + _lines("self.head = nn.Linear(hidden_size, 10)"))),
    _fault("model_detached", MODEL, "detach", (THROUGH, _lines("x = self.transformer(x.detach())"))),
    _fault("model_no_grad", MODEL, "no_grad", (TO_PATCHES, _lines("with torch.no_grad():", "    x = self.patch_embed(x)"))),
    _fault("model_data", MODEL, "detach", (FEATURE, FEATURE.replace("x[:, 0]", "x[:, 0].data"))),
    _fault("model_part_frozen", MODEL, "frozen", (ENCODE, ENCODE + "\n        self.transformer.requires_grad_(False)")),
    _fault("model_parts_in_a_list", MODEL, "list",
           (EMBED, "self.parts = [PatchEmbeddings(image_size, patch_size, hidden_size, num_channels)]"),
           (PLACE, PLACE.replace("self.patch_embed", "self.parts[0]")), (TO_PATCHES, _lines("x = self.parts[0](x)"))),
    _fault("model_everything_in_a_list", MODEL, "registered",
           (EMBED, "self.parts = [PatchEmbeddings(image_size, patch_size, hidden_size, num_channels)]"),
           (PLACE, PLACE.replace("self.patch_embed", "self.parts[0]").replace("self.pos_embed = ", "self.parts.append(") + ")"),
           (ENCODE, ENCODE.replace("self.transformer = ", "self.parts.append(") + ")"),
           ("        self.ln_pre = nn.LayerNorm(hidden_size)\n", ""), (LN_POST, "pass\n"), (LN_PRE, ""),
           (TO_PATCHES + TO_PLACES, _lines("for part in self.parts:", "    x = part(x)")), (THROUGH, ""), (FEATURE, _lines("return x[:, 0]"))),
    _fault("model_scale_of_ones_not_registered", MODEL, "registered as a parameter of `ViT`", (LN_POST, LN_POST + _lines("self.scale = torch.ones(hidden_size, requires_grad=True)")),
           (FEATURE, FEATURE.replace("self.ln_post(x[:, 0])", "self.scale * self.ln_post(x[:, 0])"))),
    _fault("model_tensor_of_zeros_not_registered", MODEL, "registered as a parameter of `ViT`", (LN_POST, LN_POST + _lines("self.more = {'shift': torch.zeros(1, 1, hidden_size).requires_grad_()}")),
           (TO_PLACES, TO_PLACES + _lines("x = x + self.more['shift']"))),
    _fault("model_parameters_in_a_list", MODEL, "registered as parameters of `ViT`", (LN_POST, LN_POST + _lines("self.scales = [nn.Parameter(torch.ones(hidden_size)) for _ in range(2)]")),
           (FEATURE, FEATURE.replace("self.ln_post(x[:, 0])", "self.scales[0] * self.scales[1] * self.ln_post(x[:, 0])"))),
    _fault("model_learned_buffer", MODEL, "registered as a parameter of `ViT`", (LN_POST, LN_POST + _lines("self.register_buffer('scale', torch.ones(hidden_size, requires_grad=True))")),
           (FEATURE, FEATURE.replace("self.ln_post(x[:, 0])", "self.scale * self.ln_post(x[:, 0])"))),
    _fault("model_tensor_made_in_forward", MODEL, "registered as a parameter of `ViT`", (FEATURE, _lines("return torch.ones(x.shape[-1], requires_grad=True) * self.ln_post(x[:, 0])"))),
    _fault("model_layer_made_in_forward", MODEL, "forward", (FEATURE, _lines("return nn.Linear(x.shape[-1], x.shape[-1])(self.ln_post(x[:, 0]))"))),
    _fault("model_dropout_in_eval", MODEL, "dropout", (LN_PRE, LN_PRE + _lines("x = nn.functional.dropout(x, 0.1)"))),
    _fault("model_of_scattered_pixels", MODEL, "follow", (TO_PATCHES, _lines("x = self.patch_embed(x + torch.sin(1000 * x))"))),
    _fault("model_normalised_over_batch", MODEL, "batch", (FEATURE, _lines("x = self.ln_post(x[:, 0])", "return x - x.mean(0)"))),
    _fault("model_squeezed_at_batch_1", MODEL, "squeeze", (FEATURE, FEATURE.replace("x[:, 0])", "x[:, 0]).squeeze()"))),
    _fault("model_float64", MODEL, "float32", (FEATURE, FEATURE.replace("x[:, 0])", "x[:, 0]).double()"))),
    _fault("model_returns_logits", (MODEL, SHAPES), "shape", (LN_POST, LN_POST + _lines("self.head = nn.Linear(hidden_size, 10)")),
           (FEATURE, _lines("return self.head(self.ln_post(x[:, 0]))"))),
    _fault("model_batch_size_hard_coded", (MODEL, SHAPES), "hard-coded", (FEATURE, _lines("return self.ln_post(x[:, 0].reshape(2, -1))"))),
    _fault("model_without_super_init", (MODEL, SHAPES), "__init__",
           ("        super().__init__()\n        ### BEGIN SOLUTION: create the embeddings of", "        ### BEGIN SOLUTION: create the embeddings of")),
    _fault("model_returns_tuple", (MODEL, SHAPES), "tuple", (FEATURE, _lines("return self.ln_post(x[:, 0]), x"))),
    _fault("model_tokens_through_numpy", MODEL, "detach", (THROUGH, _lines("x = self.transformer(torch.tensor(x.tolist()))"))),
    _fault("model_turned_for_the_transformer", MODEL, "batch", (THROUGH, _lines("x = self.transformer(x.transpose(0, 1)).transpose(0, 1)"))),
]  # fmt: skip

HEAD_FAULTS = [
    _fault("heads_softmax", HEADS, "softmax", (LOGITS, BEFORE_LOGITS + _lines("return self.fc(x).softmax(dim=-1)"))),
    _fault("heads_softmax_over_batch", HEADS, "softmax", (LOGITS, BEFORE_LOGITS + _lines("return self.fc(x).softmax(dim=0)"))),
    _fault("heads_log_softmax", HEADS, "log_softmax", (LOGITS, BEFORE_LOGITS + _lines("return nn.functional.log_softmax(self.fc(x), dim=1)"))),
    _fault("heads_sigmoid", HEADS, "sigmoid", (LOGITS, BEFORE_LOGITS + _lines("return self.fc(x).sigmoid()"))),
    _fault("heads_scattered", HEADS, "follow", (LOGITS, BEFORE_LOGITS + _lines("return self.fc(x + torch.sin(1000 * x))"))),
    _fault("heads_relu", HEADS, "ReLU", (LOGITS, BEFORE_LOGITS + _lines("return self.fc(x).relu()"))),
    _fault("heads_gelu", HEADS, "activation", (LOGITS, BEFORE_LOGITS + _lines("return nn.functional.gelu(self.fc(x))"))),
    _fault("heads_tanh", HEADS, "tanh", (LOGITS, BEFORE_LOGITS + _lines("return self.fc(x).tanh()"))),
    _fault("heads_predicted_class", (HEADS, SHAPES), "float32", (LOGITS, BEFORE_LOGITS + _lines("return self.fc(x).argmax(dim=1)"))),
    _fault("heads_classes_hard_coded", (HEADS, SHAPES), "num_classes", (CLASSIFIER, "self.fc = nn.Linear(hidden_size, 10)")),
    _fault("heads_hidden_size_hard_coded", (HEADS, SHAPES), "hard-coded", (CLASSIFIER, "self.fc = nn.Linear(64, num_classes)")),
    _fault("heads_no_default_classes", (HEADS, SHAPES), "num_classes", ("num_classes: int = 10)", "num_classes: int)")),
    _fault("heads_other_default_classes", (HEADS, SHAPES), "default", ("num_classes: int = 10)", "num_classes: int = 100)")),
    _fault("heads_classifier_dropout_in_eval", HEADS, "dropout", (LOGITS, BEFORE_LOGITS + _lines("return self.fc(nn.functional.dropout(x, 0.1))"))),
    _fault("heads_classifier_of_the_batch", HEADS, "batch", (LOGITS, BEFORE_LOGITS + _lines("return self.fc(x - x.mean(0))"))),
    _fault("heads_classifier_minus_the_largest_of_the_batch", HEADS, "batch", (LOGITS, BEFORE_LOGITS + _lines("x = self.fc(x)", "return x - x.max()"))),
    _fault("heads_classifier_unregistered", HEADS, "__init__", (CLASSIFIER, "self.fc = [nn.Linear(hidden_size, num_classes)]"), (LOGITS, BEFORE_LOGITS + _lines("return self.fc[0](x)"))),
    _fault("heads_classifier_made_in_forward", HEADS, "__init__", (CLASSIFIER, "self.sizes = hidden_size, num_classes"),
           (LOGITS, BEFORE_LOGITS + _lines("return nn.Linear(*self.sizes)(x)"))),
    _fault("heads_classifier_frozen", HEADS, "frozen", (CLASSIFIER, CLASSIFIER + ".requires_grad_(False)")),
    _fault("heads_classifier_layer_unused", HEADS, "gradient", (CLASSIFIER, CLASSIFIER + "\n        self.norm = nn.LayerNorm(hidden_size)")),
    _fault("heads_classifier_detaches", HEADS, "detach", (LOGITS, BEFORE_LOGITS + _lines("return self.fc(x).detach()"))),
    _fault("heads_classifier_detaches_features", HEADS, "detach", (LOGITS, BEFORE_LOGITS + _lines("return self.fc(x.detach())"))),
    _fault("heads_classifier_squeezed", HEADS, "squeeze", (LOGITS, BEFORE_LOGITS + _lines("return self.fc(x).squeeze()"))),
    _fault("heads_classifier_returns_tuple", (HEADS, SHAPES), "tuple", (LOGITS, BEFORE_LOGITS + _lines("x = self.fc(x)", "return x, x.softmax(-1)"))),
    _fault("heads_embedding_relu", HEADS, "activation", (EMBEDDING, BEFORE_EMBEDDING + _lines("return self.fc(x).relu()"))),
    _fault("heads_embedding_tanh", HEADS, "linear", (EMBEDDING, BEFORE_EMBEDDING + _lines("return self.fc(x).tanh()"))),
    _fault("heads_embedding_two_layers", HEADS, "linear",
           (EMBEDDER, "self.fc = nn.Sequential(nn.Linear(hidden_size, hidden_size), nn.GELU(), nn.Linear(hidden_size, embed_size))")),
    _fault("heads_embedding_normalised", HEADS, "length 1", (EMBEDDING, BEFORE_EMBEDDING + _lines("return nn.functional.normalize(self.fc(x), dim=-1)"))),
    _fault("heads_embedding_layer_norm", HEADS, "norm", (EMBEDDER, "self.fc = nn.Sequential(nn.LayerNorm(hidden_size), nn.Linear(hidden_size, embed_size))")),
    _fault("heads_embedding_softmax", HEADS, "softmax", (EMBEDDING, BEFORE_EMBEDDING + _lines("return self.fc(x).softmax(dim=-1)"))),
    _fault("heads_embed_size_hard_coded", (HEADS, SHAPES), "embed_size", (EMBEDDER, "self.fc = nn.Linear(hidden_size, 64)")),
    _fault("heads_embedding_other_default", (HEADS, SHAPES), "default", ("embed_size: int = 64)", "embed_size: int = 128)")),
    _fault("heads_embedding_dropout_in_eval", HEADS, "dropout", (EMBEDDING, BEFORE_EMBEDDING + _lines("return nn.functional.dropout(self.fc(x), 0.1)"))),
    _fault("heads_embedding_identity", (HEADS, SHAPES), "embed_size", (EMBEDDER, "self.fc = nn.Identity()")),
    _fault("heads_embedding_no_grad", HEADS, "no_grad", (EMBEDDING, BEFORE_EMBEDDING + _lines("with torch.no_grad():", "    return self.fc(x)"))),
    _fault("heads_embedding_of_the_batch", HEADS, "batch", (EMBEDDING, BEFORE_EMBEDDING + _lines("x = self.fc(x)", "return (x - x.mean(0)) / (x.std(0) + 1e-5)"))),
    _fault("heads_embedding_constant_weights", HEADS, "__init__", (EMBEDDER, 'self.register_buffer("weight", torch.randn(hidden_size, embed_size))'),
           (EMBEDDING, BEFORE_EMBEDDING + _lines("return x @ self.weight"))),
]  # fmt: skip

FAULTS = [*PATCH_FAULTS, *POSITION_FAULTS, *BLOCK_FAULTS, *MODEL_FAULTS, *HEAD_FAULTS]
