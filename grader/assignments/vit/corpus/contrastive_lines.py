"""The lines of the reference's ``contrastive.py`` that faults change, and how a fault of it is written."""

from typing import Any

from grader.audit import Case

PROTECTED, TRAINING = "contrastive.protected", "contrastive.training"
SCHEDULER, EMBEDDINGS = "contrastive.scheduler", "contrastive.embeddings"
Edit = tuple[str, str]

# The reference's lines that faults change.
SAMPLE = "train_subset = sample_balanced_subset(train_dataset, 500)"
LOADER = "    loader = DataLoader(train_subset, batch_size=batch_size, shuffle=True)\n"
MODELS = """    vit_model = ViT(image_size, patch_size, in_channels, hidden_size, layers, heads).to(device)
    model_embedding = LinearEmbeddingHead(hidden_size, embed_size).to(device)
"""
MINER = '    miner = miners.TripletMarginMiner(margin=margin, type_of_triplets="all")\n'
LOSS = "triplet_loss = losses.TripletMarginLoss(margin=margin)"
HELD = "    parameters = [*vit_model.parameters(), *model_embedding.parameters()]\n"
OPTIMIZER = "    optimizer = torch.optim.AdamW(parameters, lr=lr, weight_decay=weight_decay)\n"
MADE = """    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=lr, total_steps=num_epochs * len(loader)
    )
"""
EPOCHS = "    for epoch in range(1, num_epochs + 1):\n"
EMBED = "            embeddings = model_embedding(vit_model(x))  # (B, E)\n"
MINE = "            triplets = miner(embeddings, y)  # indices of anchors, positives and negatives\n"
COMPUTE = "            loss = triplet_loss(embeddings, y, triplets)\n"
ZERO = "            optimizer.zero_grad()\n"
BACKWARD = "            loss.backward()\n"
STEP = "            optimizer.step()\n"
SCHEDULE = "            scheduler.step()\n"
TOTAL = "            total_loss += loss.item()\n"
LAST = "        last_lr = scheduler.get_last_lr()[0]\n"
EVALUATE = """        best_prec = evaluate_at_end_epoch(
            vit_model, model_embedding, accuracy_calculator, best_prec, train_subset, test_dataset
        )
"""
ARGUMENTS = "            vit_model, model_embedding, accuracy_calculator, best_prec, train_subset, test_dataset\n"
BODY = """    vit_model.eval()
    model_embedding.eval()
    with torch.no_grad():
        embeddings = model_embedding(vit_model(x.to(device)))  # (B, E)
"""
RETURN = "    return F.normalize(embeddings, dim=1).cpu()\n"
SOLVED = (
    BODY
    + "    # The triplet loss compares points on the unit sphere, so that is where they are to be looked up.\n"
    + RETURN
)


def fault(name: str, *edits: Edit, costs: str | tuple[str, ...], word: str, warns: tuple[str, ...] = ()) -> Case:
    lost = (costs,) if isinstance(costs, str) else costs
    return Case(f"contrastive.{name}", {"contrastive.py": list(edits)}, lost, word, warns)


def training(name: str, *edits: Edit, word: str, warns: tuple[str, ...] = ()) -> Case:
    return fault(name, *edits, costs=TRAINING, word=word, warns=warns)


def schedule(name: str, made: str, word: str, per: str = "epoch", more: Any = ()) -> Case:
    """A fault with another scheduler, made by an expression and stepped once an epoch, once a batch, or never."""
    return fault(name, *scheduled(made, per, more), costs=SCHEDULER, word=word)


def collapsed(name: str, made: str, word: str) -> Case:
    """A schedule in epochs that is counted in batches, and comes to its end after a few."""
    return fault(name, *scheduled(made, "batch", ()), costs=SCHEDULER, word=word, warns=("scheduler.collapsed",))


def goes_round(name: str, made: str, word: str) -> Case:
    """A schedule that is counted in batches and goes round in fewer than the training has epochs: a remark."""
    edits: dict[str, Any] = {"contrastive.py": scheduled(made, "batch", ())}
    return Case(f"contrastive.variant_{name}", edits, (), word, ("scheduler.collapsed",))


def scheduled(made: str, per: str, more: Any) -> list[Edit]:
    lines = {
        "epoch": [(SCHEDULE, ""), (LAST, "        scheduler.step()\n" + LAST)],
        "batch": [],
        "never": [(SCHEDULE, "")],
    }[per]
    return [(MADE, f"    scheduler = {made}\n"), *lines, *more]


def embeddings(name: str, body: str, word: str) -> Case:
    return fault(f"embeddings_{name}", (SOLVED, body), costs=EMBEDDINGS, word=word)


def protected(name: str, *edits: Edit, word: str) -> Case:
    return fault(f"protected_{name}", *edits, costs=PROTECTED, word=word, warns=("protected.modified",))


LR = "torch.optim.lr_scheduler"
OTHERWISE = ("    if precision > best_prec:", "    if best_prec < precision:")
