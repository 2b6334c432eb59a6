"""Tokenizer, generation and training written in other ways that are as right: each costs nothing."""

import json
from functools import partial
from pathlib import Path
from typing import Any

from grader.audit import Case

TOKENIZER = """        self.vocab_size = len(characters)
        self.stoi = {c: i for i, c in enumerate(sorted(set(characters)))}
        self.itos = {i: c for c, i in self.stoi.items()}
"""
GENERATED = """    mode = model.training
    model.eval()
    out = idx.clone()
    while out.size(1) < idx.size(1) + max_new_tokens:
        with torch.inference_mode():
            logits = model(out[:, max(0, out.size(1) - model.block_size) :])[0][:, -1, :]
        if temperature > 0:
            token = torch.distributions.Categorical(logits=logits / temperature).sample()
        else:
            _, token = torch.topk(logits, 1)
        out = torch.hstack((out, token.reshape(-1, 1)))
    if mode:
        model.train()
    return out
"""
TRAINED = """    torch.manual_seed(1337)
    model = GPT(vocab_size=len(characters), block_size=block_size, n_layer=n_layer, n_head=n_head, d_model=d_model)
    model.to(device)
    decay = [p for p in model.parameters() if p.dim() >= 2]
    others = [p for p in model.parameters() if p.dim() < 2]
    groups = [{"params": decay, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=lr, betas=(0.9, 0.95))
    scheduler = SCHEDULER
    best = -1.0
    for epoch in range(num_epochs):
        model.train()
        for step, (x, y) in enumerate(DataLoader(train_dataset, batch_size, shuffle=True, drop_last=True)):
            model.zero_grad(set_to_none=True)
            loss = model(x.to(device), targets=y.to(device))[1]
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        score = exact_match(model, test_dataset)
        scheduler.step(STEPPED)
        print(f"[{epoch + 1}/{num_epochs}] exact match = {score:.2%}")
        if score > best:
            best = score
            torch.save(dict(model=model.state_dict(), exact_match=score), "gpt.pt")
    return best
"""


def _solved(body: str, reference: bytes) -> bytes:
    """A module of the reference whose only solution is written another way."""
    before, _, rest = reference.decode().partition("    ### BEGIN SOLUTION")
    return f"{before}{body}{rest.partition('    ### END SOLUTION')[2]}".encode()


def _training(ident: str, scheduler: str, stepped: str = "") -> Case:
    body = TRAINED.replace("SCHEDULER", f"torch.optim.lr_scheduler.{scheduler}").replace("STEPPED", stepped)
    return Case(f"training.right_{ident}", {"training.py": partial(_solved, body)})


def _one_notebook(old: bytes) -> bytes:
    """All modules as cells of the notebook."""
    notebook = json.loads(old)
    folder = Path(__file__).resolve().parent.parent / "reference"
    names = ("hyperparameters", "data", "model", "generation", "training")
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["source"] = _without_imports("".join(cell["source"]), names)
    texts = [_without_imports((folder / f"{name}.py").read_text(encoding="utf-8"), names) for name in names]
    made: list[Any] = [
        {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": text} for text in texts
    ]
    notebook["cells"][2:2] = made
    return json.dumps(notebook).encode()


def _without_imports(text: str, modules: tuple[str, ...]) -> str:
    starts = tuple(f"from {name} import" for name in modules)
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith(starts))


KEPT = '            torch.save({"model": model.state_dict(), "exact_match": best}, "gpt.pt")\n'
MODULES = ("hyperparameters.py", "data.py", "model.py", "generation.py", "training.py")
VARIANTS = [
    Case(
        "text.right_sorted_characters",
        {
            "data.py": [
                ("        self.characters = characters\n        self.ids = {character: number for number, character in enumerate(characters)}\n        self.vocab_size = len(characters)\n", TOKENIZER),
                ('        unknown = set(text) - self.ids.keys()\n        if unknown:\n            raise ValueError(f"no token for {sorted(unknown)}")\n        return [self.ids[character] for character in text]\n', "        return [self.stoi[c] for c in text]\n"),
                ('"".join(self.characters[int(number)] for number in ids)', '"".join(self.itos[i if isinstance(i, int) else i.item()] for i in ids)'),
            ]
        },
    ),
    Case("generation.right_another_loop", {"generation.py": partial(_solved, GENERATED)}),
    _training("cosine_by_epoch", "CosineAnnealingLR(optimizer, T_max=num_epochs)"),
    _training("steps", "StepLR(optimizer, step_size=5, gamma=0.5)"),
    _training("plateau", 'ReduceLROnPlateau(optimizer, mode="max", factor=0.5, patience=2)', "score"),
    _training("lambda", "LambdaLR(optimizer, lambda epoch: 0.9**epoch)"),
    Case(
        "training.right_best_kept_in_memory",
        {
            "training.py": [
                (KEPT, "            kept = {name: value.clone() for name, value in model.state_dict().items()}\n"),
                (
                    "    return best\n    ###",
                    "    model.load_state_dict(kept)\n    share = exact_match(model, test_dataset)\n"
                    '    torch.save({"model": kept, "exact_match": 100 * share}, "gpt.pt")\n    return best\n    ###',
                ),
            ]
        },
    ),
    Case("style.one_notebook", {"submission.ipynb": _one_notebook, **dict.fromkeys(MODULES)}),
]  # fmt: skip
