"""How the reference's ``contrastive.py`` is written otherwise: other bodies, and a plain training with places to fill."""

import ast
from collections.abc import Callable
from typing import Any

from grader.assignments.vit.corpus.contrastive_lines import LR
from grader.audit import Case

START = "    ### BEGIN SOLUTION: train on 500"
EMBED = "    ### BEGIN SOLUTION: embed in eval mode"
END = "    ### END SOLUTION\n"
DEVICE = 'device = torch.device("cuda" if torch.cuda.is_available() else "cpu")\n'


def instead(start: str, body: str, more: str = "") -> Callable[[bytes], bytes]:
    """Put another body in place of a solution region, and perhaps more after the imports."""

    def edit(old: bytes) -> bytes:
        text = old.decode()
        first = text.index(start)
        last = text.index(END, first) + len(END)
        text = text[:first] + body + text[last:]
        return text.replace(DEVICE, DEVICE + more).encode()

    return edit


def training(name: str, body: str, more: str = "") -> Case:
    return Case(f"contrastive.variant_{name}", {"contrastive.py": instead(START, body, more)})


def embeddings(name: str, body: str) -> Case:
    return Case(f"contrastive.variant_embeddings_{name}", {"contrastive.py": instead(EMBED, body)})


def edited(name: str, *edits: tuple[str, str], warns: tuple[str, ...] = ()) -> Case:
    return Case(f"contrastive.variant_{name}", {"contrastive.py": list(edits)}, warns=warns)


# A plain training, with places for what differs.
PLAIN = """    subset = sample_balanced_subset(train_dataset, 500)
    {loader}
    vit = ViT(image_size, patch_size, in_channels, hidden_size, layers, heads).to(device)
    head = LinearEmbeddingHead(hidden_size, embed_size).to(device)
    {loss}
    {optimizer}
    {scheduler}
    calculator = AccuracyCalculator(include=("precision_at_1",), k=1)
    best = 0.0
    for epoch in range(num_epochs):
        vit.train(), head.train()
        for i, (x, y) in enumerate(loader):
            {learn}
            {per_batch}
        best = evaluate_at_end_epoch(vit, head, calculator, best, subset, test_dataset)
        {per_epoch}
    return best
"""
LOADER = "loader = DataLoader(subset, batch_size=batch_size, shuffle=True)"
LOSS = "loss_func = losses.TripletMarginLoss(margin=margin)\n    miner = miners.MultiSimilarityMiner()"
OPTIMIZER = "optimizer = torch.optim.Adam(list(vit.parameters()) + list(head.parameters()), lr=lr)"
LEARN = """optimizer.zero_grad()
            out = head(vit(x.to(device)))
            loss = loss_func(out, y.to(device), miner(out, y.to(device)))
            loss.backward()
            optimizer.step()"""

SHARPER = """with torch.no_grad():
                weights = [p for p in [*vit.parameters(), *head.parameters()] if p.grad is not None]
                moves = [0.05 * p.grad / (p.grad.norm() + 1e-12) for p in weights]
                torch._foreach_add_(weights, moves)
            optimizer.zero_grad()
            out = head(vit(x.to(device)))
            loss_func(out, y.to(device), miner(out, y.to(device))).backward()
            with torch.no_grad():
                torch._foreach_sub_(weights, moves)
            optimizer.step()"""


def plain(name: str, more: str = "", **places: Any) -> Case:
    """The plain training with some places filled otherwise."""
    usual = {
        "loader": LOADER, "loss": LOSS, "optimizer": OPTIMIZER, "learn": LEARN, "per_batch": "pass",
        "scheduler": f"scheduler = {LR}.StepLR(optimizer, step_size=5, gamma=0.5)", "per_epoch": "scheduler.step()",
    }  # fmt: skip
    return training(name, PLAIN.format(**{**usual, **places}), more)


def settings(statement: str, old: bytes) -> bytes:
    """The hyperparameters as a dictionary whose items become names."""
    assigned = [node for node in ast.parse(old).body if isinstance(node, ast.Assign)]
    items = ", ".join(f"{ast.unparse(node.targets[0])}={ast.unparse(node.value)}" for node in assigned)
    return f"CONFIG = dict({items})\n{statement}\n".encode()


STREAM = """    subset = sample_balanced_subset(train_dataset, 500)
    loader = DataLoader(subset, batch_size=batch_size, shuffle=True)
    vit = ViT(image_size, patch_size, in_channels, hidden_size, layers, heads).to(device)
    head = LinearEmbeddingHead(hidden_size, embed_size).to(device)
    miner, loss_func = miners.MultiSimilarityMiner(), losses.TripletMarginLoss(margin=margin)
    optimizer = torch.optim.Adam([*vit.parameters(), *head.parameters()], lr=lr)
    steps = 50
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=lr, total_steps=num_epochs * steps)
    calculator, best = AccuracyCalculator(include=("precision_at_1",), k=1), 0.0
    {stream}
    for step in range(num_epochs * steps):{following}
        vit.train(), head.train()
        out = head(vit(x.to(device)))
        loss = loss_func(out, y.to(device), miner(out, y.to(device)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        if step % steps == steps - 1:
            {evaluated}
    return best
"""
ENDLESS = """

def endless(loader):
    while True:
        yield from loader
"""


def streamed(
    name: str, following: str, stream: str = "stream = iter(loader)", more: str = "",
    evaluated: str = "best = evaluate_at_end_epoch(vit, head, calculator, best, subset, test_dataset)",
) -> Case:  # fmt: skip
    """A training that takes batches without end and says itself when an epoch is over."""
    return training(name, STREAM.format(following=following, stream=stream, evaluated=evaluated), more)


def scheduled(name: str, made: str, per: str = "epoch", call: str = "scheduler.step()", more: str = "") -> Case:
    """The plain training with another scheduler."""
    calls = {"per_batch": call, "per_epoch": "pass"} if per == "batch" else {"per_epoch": call}
    return plain(f"scheduler_{name}", more, scheduler=f"scheduler = {made}", **calls)
