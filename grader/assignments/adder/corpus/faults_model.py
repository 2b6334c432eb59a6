"""Faults in attention, the block, and the GPT."""

from grader.audit import Case

ATTENTION, HEADS, BLOCK = "attention.causality", "attention.heads", "model.block"
POSITIONS, GPT, LOSS = "model.positions", "model.gpt", "model.loss"

MASKED = '        scores = scores.masked_fill(~self.mask[:T, :T], float("-inf"))\n'
TRIL = "dtype=torch.bool).tril()"
ATTENDED = "        attended = scores.softmax(dim=-1) @ v  # (B, H, T, D / H)\n"
MERGED = "attended.transpose(1, 2).reshape(B, T, D)"
SPLIT = "part.view(B, T, self.n_head, -1).transpose(1, 2)"
FIRST_SUM = "        x = x + self.attention(self.ln_1(x))\n"
SECOND_SUM = "        x = x + self.mlp(self.ln_2(x))\n"
EMBEDDED = "self.token_embedding(idx) + self.position_embedding(positions)"
BLOCKS = "*[Block(d_model, n_head, block_size) for _ in range(n_layer)]"
CROSS_ENTROPY = "F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-100)"


def _fault(ident: str, costs: str, word: str, *edits: tuple[str, str], warns: tuple[str, ...] = ()) -> Case:
    return Case(f"{costs}_{ident}", {"model.py": list(edits)}, (costs,), word, warns)


FAULTS = [
    _fault("values_as_keys", ATTENTION, "no part", ("q @ k.transpose(", "q @ v.transpose(")),
    _fault("mask_as_wide_as_tokens", ATTENTION, "must match", ("torch.ones(block_size, block_size", "torch.ones(d_model, d_model")),
    _fault("mask_missing", ATTENTION, "later", (MASKED, "")),
    _fault("mask_sees_one_ahead", ATTENTION, "off by one", (TRIL, "dtype=torch.bool).tril(1)")),
    _fault("mask_hides_itself", ATTENTION, "masked out", (TRIL, "dtype=torch.bool).tril(-1)")),
    _fault("mask_inverted", ATTENTION, "masked out", ("~self.mask", "self.mask")),
    _fault("mask_zero", ATTENTION, "-inf", ('float("-inf")', "0.0")),
    _fault("mask_whole", ATTENTION, "must match", ("self.mask[:T, :T]", "self.mask")),
    _fault("mask_after_softmax", ATTENTION, "softmax", (MASKED + ATTENDED, ATTENDED.replace("softmax(dim=-1)", "softmax(dim=-1).masked_fill(~self.mask[:T, :T], 0)"))),
    _fault("window_of_two", ATTENTION, "before it", (TRIL, "dtype=torch.bool).tril().triu(-2)")),
    _fault("softmax_over_queries", ATTENTION, "softmax", ("scores.softmax(dim=-1)", "scores.softmax(dim=-2)")),
    _fault("no_softmax", ATTENTION, "add up to 1", (MASKED + ATTENDED, ATTENDED.replace("scores.softmax(dim=-1)", "scores.masked_fill(~self.mask[:T, :T], 0)"))),
    _fault("over_the_batch", ATTENTION, "batch", ("scores.softmax(dim=-1) @ v", "scores.softmax(dim=-1) @ v.mean(dim=0, keepdim=True)")),
    _fault("dropout_always", ATTENTION, "random", ("self.projection(attended", "F.dropout(self.projection(attended"), (".reshape(B, T, D))", ".reshape(B, T, D)), 0.1)")),
    _fault("noise", ATTENTION, "random", ("return self.projection(" + MERGED + ")", "return self.n_head * torch.randn_like(self.projection(" + MERGED + "))")),
    _fault("one_text_only", ATTENTION, "shape", ("return self.projection(attended.transpose(1, 2).reshape(B, T, D))", "return self.projection(attended.transpose(1, 2).reshape(B, T, D)).squeeze(0)")),
    _fault("detached_weights", ATTENTION, "gradient", ("scores.softmax(dim=-1)", "scores.softmax(dim=-1).detach()")),
    _fault("made_in_forward", ATTENTION, "registered", ("        self.projection = nn.Linear(d_model, d_model)\n", "        self.projection = [nn.Linear(d_model, d_model)]\n"), ("self.projection(attended", "self.projection[0](attended")),
    _fault("rounded", ATTENTION, "rounding", ("return self.projection(" + MERGED + ")", "y = self.projection(" + MERGED + ")\n        return y + (y.mul(10).round() / 10 - y).detach()")),
    _fault("merged_by_view", HEADS, "reshape", (MERGED, "attended.reshape(B, T, D)")),
    _fault("split_by_view", HEADS, "reshape", (SPLIT, "part.reshape(B, self.n_head, T, -1)")),
    _fault("always_one", HEADS, "number of heads", ("self.n_head = n_head", "self.n_head = 1")),
    _fault("random", HEADS, "random", ("self.projection(attended", "F.dropout(self.projection(attended"), (".reshape(B, T, D))", ".reshape(B, T, D)), 0.1, self.n_head > 1)")),
    Case("attention.heads_multiplied", {"model.py": [("return self.projection(" + MERGED + ")", "return x * self.n_head")]}, (ATTENTION, HEADS), "number of heads"),
    _fault("scores_summed", HEADS, "same weights", (MASKED, "        scores = scores.mean(dim=1, keepdim=True)\n" + MASKED), (" @ v  # (B", ".expand(-1, self.n_head, -1, -1) @ v  # (B")),
    _fault("width_of_one_head", HEADS, "shape", (MERGED, "attended.transpose(1, 2).reshape(B, T, -1)[..., : D // self.n_head].repeat(1, 1, min(self.n_head, 3))"), ("self.projection = nn.Linear(d_model, d_model)", "self.projection = nn.Linear(d_model // n_head * min(n_head, 3), d_model // n_head * min(n_head, 3))")),
    _fault("no_first_residual", BLOCK, "residual", (FIRST_SUM, "        x = self.attention(self.ln_1(x))\n")),
    _fault("no_second_residual", BLOCK, "residual", (SECOND_SUM, "        x = self.mlp(self.ln_2(x))\n")),
    _fault("post_norm", BLOCK, "pre-norm", (FIRST_SUM, "        x = self.ln_1(x + self.attention(x))\n")),
    _fault("attention_not_normalised", BLOCK, "not normalised", (FIRST_SUM, "        x = x + self.attention(x) + 0 * self.ln_1(x)\n")),
    _fault("mlp_not_normalised", BLOCK, "not normalised", (SECOND_SUM, "        x = x + self.mlp(x)\n")),
    _fault("no_activation", BLOCK, "nonlinearity", ("            nn.GELU(),\n", "")),
    _fault("side_by_side", BLOCK, "side by side", (FIRST_SUM + SECOND_SUM, "        x = x + self.attention(self.ln_1(x)) + self.mlp(self.ln_2(x))\n")),
    _fault("attention_not_added", BLOCK, "not added", (FIRST_SUM, "        self.attention(self.ln_1(x))\n")),
    _fault("added_twice", BLOCK, "more than once", (FIRST_SUM, "        x = x + x + self.attention(self.ln_1(x))\n")),
    _fault("batch_first_token", BLOCK, "other", (SECOND_SUM, "        x = x + self.mlp(self.ln_2(x)) - 0.1 * self.ln_2(x).mean(dim=0)\n")),
    _fault("frozen_norm", BLOCK, "frozen", ("        self.ln_2 = nn.LayerNorm(d_model)\n", "        self.ln_2 = nn.LayerNorm(d_model).requires_grad_(False)\n")),
    _fault("left_out", POSITIONS, "positions are not used", (EMBEDDED, "self.token_embedding(idx)")),
    _fault("of_the_ids", POSITIONS, "positions", (EMBEDDED, EMBEDDED.replace("positions)", "idx % self.block_size)"))),
    _fault("all_alike", POSITIONS, "positions", ("torch.arange(idx.shape[1], device=idx.device)", "torch.zeros(idx.shape[1], dtype=torch.long, device=idx.device)")),
    _fault("only_two", POSITIONS, "positions are the same", ("torch.arange(idx.shape[1], device=idx.device)", "torch.arange(idx.shape[1], device=idx.device).clamp(max=1)")),
    _fault("noise", GPT, "random", ("logits = self.head(self.ln(self.blocks(x)))", "logits = torch.randn_like(self.head(self.ln(self.blocks(x))))")),
    _fault("noise_added", GPT, "random", ("logits = self.head(self.ln(self.blocks(x)))", "logits = self.head(self.ln(self.blocks(x)))\n        logits = logits + 0.1 * torch.randn_like(logits)")),
    _fault("dropout_always", GPT, "random", ("self.ln(self.blocks(x))", "self.ln(self.blocks(F.dropout(x, 0.2)))")),
    _fault("one_block_again_and_again", GPT, "again and again", (BLOCKS, BLOCKS.replace(" for _ in range(n_layer)]", "] * n_layer"))),
    _fault("blocks_in_a_list", GPT, "list", (f"nn.Sequential({BLOCKS})", BLOCKS.removeprefix("*")), ("self.ln(self.blocks(x))", "self.ln(self.run(x))"), ("    def forward(self, idx: Tensor", "    def run(self, x):\n        for block in self.blocks:\n            x = block(x)\n        return x\n\n    def forward(self, idx: Tensor")),
    _fault("first_block_only", GPT, "gradient", ("self.blocks(x)", "self.blocks[0](x)")),
    _fault("last_logits_only", GPT, "last token alone", ("            return logits, None\n", "            return logits[:, -1:], None\n")),
    _fault("logits_alone", GPT, "pair", ("            return logits, None\n", "            return logits\n")),
    _fault("no_block_size", GPT, "block_size", ("        self.block_size = block_size\n", "")),
    _fault("heads_hard_coded", GPT, "n_head", ("Block(d_model, n_head, block_size) for", "Block(d_model, 1, block_size) for")),
    _fault("looks_ahead", GPT, "next one", ("self.token_embedding(idx) +", "self.token_embedding(idx) + 0.1 * self.token_embedding(idx.roll(-1, dims=1)) +")),
    _fault("over_the_batch", GPT, "batch", ("self.ln(self.blocks(x))", "self.ln(self.blocks(x) - 0.1 * x.mean(dim=0))")),
    _fault("frozen_head", GPT, "frozen", ("        self.head = nn.Linear(d_model, vocab_size)\n", "        self.head = nn.Linear(d_model, vocab_size).requires_grad_(False)\n")),
    _fault("unused_norm", GPT, "no gradient", ("self.ln(self.blocks(x))", "self.blocks(x)")),
    _fault("shifted_twice", LOSS, "shifted", (CROSS_ENTROPY, CROSS_ENTROPY.replace("logits.flatten", "logits[:, :-1].flatten").replace("targets.flatten", "targets[:, 1:].flatten"))),
    _fault("sum", LOSS, "mean", ("ignore_index=-100)", 'ignore_index=-100, reduction="sum")')),
    _fault("mean_over_padding", LOSS, "all tokens", ("ignore_index=-100)", 'ignore_index=-100, reduction="sum") / targets.numel()')),
    _fault("padding_counts", LOSS, "ignore_index", ("targets.flatten(), ignore_index=-100)", "targets.flatten().clamp(min=0))")),
    _fault("softmax_before", LOSS, "softmax itself", ("F.cross_entropy(logits.flatten(0, 1)", "F.cross_entropy(logits.flatten(0, 1).softmax(dim=-1)")),
    _fault("a_number", LOSS, "tensor", ("        return logits, loss\n", "        return logits, loss.item()\n")),
]  # fmt: skip
