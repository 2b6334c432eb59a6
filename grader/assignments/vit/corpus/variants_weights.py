"""Part 2 with weights that begin large, small, alike or at zero: all learn, and say nothing of how a model is wired."""

from grader.assignments.vit.corpus.vit_lines import lines_of
from grader.audit import Case

ENDS = {  # the last line that each class's __init__ has
    "patches": "        self.projection = nn.Conv2d(num_channels, hidden_size, kernel_size=patch_size, stride=patch_size)\n",
    "block": "            nn.Linear(4 * d_model, d_model),\n        )\n",
    "vit": "        self.ln_post = nn.LayerNorm(hidden_size)\n",
    "head": "        self.fc = nn.Linear(hidden_size, num_classes)\n",
    "embedding": "        self.fc = nn.Linear(hidden_size, embed_size)\n",
}
EVERY = ("for p in self.parameters():", "    {}")
MATRICES = ("for p in self.parameters():", "    if p.dim() > 1:", "        {}")


def _begin(ident: str, where: str, *statements: str, init: str = "") -> Case:
    """The reference, where a class of it draws its weights itself at last."""
    text = lines_of(*(statement.format(init) for statement in statements))
    return Case(f"vit.right_weights_{ident}", {"vit_model.py": [(ENDS[where], ENDS[where] + text)]})


VARIANTS = [
    *(
        _begin(f"normal_{where}", where, *EVERY, init="nn.init.normal_(p)")
        for where in ENDS
    ),
    _begin("normal_matrices", "vit", *MATRICES, init="nn.init.normal_(p)"),
    _begin("xavier", "vit", *MATRICES, init="nn.init.xavier_uniform_(p)"),
    _begin("orthogonal_block", "block", *MATRICES, init="nn.init.orthogonal_(p)"),
    _begin("kaiming_block", "block", *MATRICES, init="nn.init.kaiming_normal_(p)"),
    _begin("truncated", "vit", *MATRICES, init="nn.init.trunc_normal_(p, std=0.02)"),
    _begin("tiny", "vit", *EVERY, init="nn.init.normal_(p, std=1e-3)"),
    _begin("uniform", "vit", *EVERY, init="nn.init.uniform_(p)"),
    _begin("zero_at_the_end_of_branches", "block", "nn.init.zeros_(self.attn.out_proj.weight)", "nn.init.zeros_(self.mlp[-1].weight)"),
    _begin("zero_of_the_head", "head", "nn.init.zeros_(self.fc.weight)"),
]  # fmt: skip
