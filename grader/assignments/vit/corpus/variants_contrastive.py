"""Part 3, written otherwise: all of it right, most of it seen in submissions."""

import ast
from collections.abc import Callable
from functools import partial
from typing import Any

from grader.audit import Case

LR = "torch.optim.lr_scheduler"
START = "    ### BEGIN SOLUTION: train on 500"
EMBEDDED = "            embeddings = model_embedding(vit_model(x))  # (B, E)\n"
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


VARIANTS = [
    edited(
        "begins_with_the_classifier",
        (
            "    # Most triplets",
            '    vit_model.load_state_dict(torch.load("vit_classifier.pt", map_location=device)["vit"])\n    # Most triplets',
        ),
    ),
    # Schedulers stepped once an epoch
    scheduled("step", f"{LR}.StepLR(optimizer, step_size=5, gamma=0.5)"),
    scheduled("late_milestone", f"{LR}.MultiStepLR(optimizer, milestones=[num_epochs - 2])"),
    scheduled("exponential", f"{LR}.ExponentialLR(optimizer, gamma=0.95)"),
    scheduled("cosine", f"{LR}.CosineAnnealingLR(optimizer, T_max=num_epochs)"),
    scheduled("cosine_far_beyond", f"{LR}.CosineAnnealingLR(optimizer, T_max=200)"),
    scheduled("restarts_each_epochs", f"{LR}.CosineAnnealingWarmRestarts(optimizer, T_0=5)"),
    scheduled(
        "plateau_of_precision",
        f"{LR}.ReduceLROnPlateau(optimizer, mode='max', patience=3)",
        call="scheduler.step(best)",
    ),
    scheduled(
        "plateau_of_loss", f"{LR}.ReduceLROnPlateau(optimizer, 'min', factor=0.5)", call="scheduler.step(loss.item())"
    ),
    scheduled("plateau_keyword", f"{LR}.ReduceLROnPlateau(optimizer, patience=5)", call="scheduler.step(metrics=best)"),
    scheduled("told_the_epoch", f"{LR}.CosineAnnealingLR(optimizer, T_max=num_epochs)", call="scheduler.step(epoch)"),
    scheduled("one_cycle_by_epochs", f"{LR}.OneCycleLR(optimizer, max_lr=lr, total_steps=num_epochs)"),
    scheduled(
        "sequence",
        f"{LR}.SequentialLR(optimizer, [{LR}.LinearLR(optimizer, 0.1, total_iters=3), "
        f"{LR}.CosineAnnealingLR(optimizer, num_epochs - 3)], milestones=[3])",
    ),
    scheduled(
        "chained", f"{LR}.ChainedScheduler([{LR}.ConstantLR(optimizer, 0.1, 4), {LR}.ExponentialLR(optimizer, 0.9)])"
    ),
    scheduled("multiplicative", f"{LR}.MultiplicativeLR(optimizer, lambda epoch: 0.95)"),
    # Schedulers stepped once a batch, and meant so
    scheduled("cosine_over_batches", f"{LR}.CosineAnnealingLR(optimizer, T_max=num_epochs * len(loader))", "batch"),
    scheduled(
        "cosine_over_counted_batches",
        f"{LR}.CosineAnnealingLR(optimizer, num_epochs * (5000 // batch_size + 1))",
        "batch",
    ),
    scheduled(
        "one_cycle", f"{LR}.OneCycleLR(optimizer, max_lr=lr, epochs=num_epochs, steps_per_epoch=len(loader))", "batch"
    ),
    scheduled("step_of_200_batches", f"{LR}.StepLR(optimizer, step_size=200, gamma=0.5)", "batch"),
    scheduled(
        "milestones_in_batches",
        f"{LR}.MultiStepLR(optimizer, milestones=[10 * len(loader), 15 * len(loader)])",
        "batch",
    ),
    scheduled("exponential_by_batches", f"{LR}.ExponentialLR(optimizer, gamma=0.999)", "batch"),
    scheduled(
        "cyclic",
        f"{LR}.CyclicLR(optimizer, base_lr=lr / 10, max_lr=lr, step_size_up=20, cycle_momentum=False)",
        "batch",
    ),
    scheduled(
        "fractional_restarts",
        f"{LR}.CosineAnnealingWarmRestarts(optimizer, T_0=4)",
        "batch",
        "scheduler.step(epoch + i / len(loader))",
    ),
    scheduled("short_warm_up", f"{LR}.LinearLR(optimizer, start_factor=0.01, total_iters=100)", "batch"),
    scheduled(
        "warm_up_then_cosine",
        f"{LR}.LambdaLR(optimizer, lambda s: s / 100 if s < 100 else "
        "0.5 * (1 + math.cos(math.pi * (s - 100) / (num_epochs * len(loader) - 100))))",
        "batch",
        more="import math\n",
    ),
    scheduled(
        "sequence_over_batches",
        f"{LR}.SequentialLR(optimizer, [{LR}.LinearLR(optimizer, 0.01, total_iters=len(loader)), "
        f"{LR}.CosineAnnealingLR(optimizer, (num_epochs - 1) * len(loader))], milestones=[len(loader)])",
        "batch",
    ),
    scheduled(
        "last_batch_of_each_epoch",
        f"{LR}.StepLR(optimizer, 5)",
        "batch",
        "if i == len(loader) - 1:\n                scheduler.step()",
    ),
    scheduled(
        "of_its_own_class",
        "WarmThenDown(optimizer, 3, num_epochs)",
        more="""

class WarmThenDown(torch.optim.lr_scheduler.LRScheduler):
    def __init__(self, optimizer, warm, total):
        self.warm, self.total = warm, total
        super().__init__(optimizer)

    def get_lr(self):
        t = self.last_epoch
        factor = (t + 1) / self.warm if t < self.warm else max(0.0, 1 - (t - self.warm) / self.total)
        return [base * factor for base in self.base_lrs]
""",
    ),
    scheduled(
        "by_hand",
        "None",
        call="adjust(optimizer, epoch)",
        more="""

def adjust(optimizer, epoch):
    for group in optimizer.param_groups:
        group["lr"] = lr * 0.5 ** (epoch // 8)
""",
    ),
    plain(
        "scheduler_class_without_a_base",
        scheduler="scheduler = Plateau(optimizer)",
        per_epoch="scheduler.step(best)",
        more="""

class Plateau:
    def __init__(self, optimizer):
        self.optimizer, self.seen, self.waited = optimizer, 0.0, 0

    def step(self, best):
        self.waited = self.waited + 1 if best <= self.seen else 0
        self.seen = max(best, self.seen)
        if self.waited > 4:
            [group.update(lr=group["lr"] / 10) for group in self.optimizer.param_groups]
            self.waited = 0
""",
    ),
    plain(
        "scheduler_and_early_stopping",
        scheduler=f"scheduler = {LR}.StepLR(optimizer, 10); seen, waited = 0.0, 0",
        per_epoch="""scheduler.step()
        waited = waited + 1 if best <= seen else 0
        seen = max(best, seen)
        if waited >= 4:
            break""",
    ),
    # Optimizers
    plain("sgd", optimizer="optimizer = torch.optim.SGD([*vit.parameters(), *head.parameters()], lr=lr, momentum=0.9)"),
    plain(
        "groups",
        optimizer="""optimizer = torch.optim.AdamW([
        {"params": vit.parameters(), "lr": lr / 10}, {"params": head.parameters()}], lr=lr)""",
    ),
    plain(
        "two_optimizers",
        optimizer="""optimizer = torch.optim.Adam(vit.parameters(), lr=lr)
    of_head = torch.optim.Adam(head.parameters(), lr=lr)""",
        learn=LEARN.replace("optimizer.zero_grad()", "optimizer.zero_grad(); of_head.zero_grad()") + "; of_head.step()",
    ),
    plain(
        "chain",
        optimizer="""from itertools import chain
    optimizer = torch.optim.RMSprop(chain(vit.parameters(), head.parameters()), lr=lr)""",
    ),
    plain(
        "accumulation",
        learn="""out = head(vit(x.to(device)))
            (loss_func(out, y, miner(out, y)) / 4).backward()
            if (i + 1) % 4 == 0:
                optimizer.step()
                optimizer.zero_grad()""",
    ),
    plain(
        "accumulation_of_eight_with_schedule_per_step",
        scheduler=f"scheduler = {LR}.CosineAnnealingLR(optimizer, T_max=num_epochs * (len(loader) // 8))",
        per_epoch="pass",
        learn="""out = head(vit(x.to(device)))
            (loss_func(out, y, miner(out, y)) / 8).backward()
            if (i + 1) % 8 == 0:
                optimizer.step()
                scheduler.step()
                optimizer.zero_grad()""",
    ),
    plain(
        "clipping",
        learn=LEARN.replace(
            "optimizer.step()",
            """torch.nn.utils.clip_grad_norm_(vit.parameters(), 1.0)
            optimizer.step()""",
        ),
    ),
    plain(
        "zero_grad_of_models",
        learn=LEARN.replace("optimizer.zero_grad()", "vit.zero_grad(set_to_none=False); head.zero_grad()"),
    ),
    plain(
        "zero_grad_last",
        learn=LEARN.replace("optimizer.zero_grad()\n            ", "") + "\n            optimizer.zero_grad()",
    ),
    plain(
        "mixed_precision",
        optimizer=OPTIMIZER + "\n    scaler = torch.amp.GradScaler(device.type)",
        learn="""optimizer.zero_grad()
            with torch.autocast(device_type=device.type, dtype=torch.bfloat16):
                out = head(vit(x.to(device)))
            out = out.float()
            loss = loss_func(out, y, miner(out, y))
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()""",
    ),
    # Losses and miners
    plain(
        "hard_miner",
        loss="loss_func = losses.TripletMarginLoss(margin=margin, swap=True)\n    miner = miners.BatchHardMiner()",
    ),
    plain(
        "all_kinds_of_triplets",
        loss="loss_func = losses.TripletMarginLoss(margin=margin)\n    miner = miners.TripletMarginMiner(margin=margin, type_of_triplets='all')",
    ),
    plain(
        "cosine_distance",
        loss="""from pytorch_metric_learning import distances, reducers
    distance = distances.CosineSimilarity()
    loss_func = losses.TripletMarginLoss(margin=margin, distance=distance, reducer=reducers.ThresholdReducer(low=0))
    miner = miners.TripletMarginMiner(margin=margin, distance=distance, type_of_triplets="semihard")""",
    ),
    plain(
        "memory",
        loss="""miner = miners.MultiSimilarityMiner()
    loss_func = losses.CrossBatchMemory(losses.TripletMarginLoss(margin=margin), embed_size, memory_size=512, miner=miner)""",
        learn=LEARN.replace("loss_func(out, y.to(device), miner(out, y.to(device)))", "loss_func(out, y.to(device))"),
    ),
    plain(
        "memory_given_tuples",
        loss="""miner = miners.MultiSimilarityMiner()
    loss_func = losses.CrossBatchMemory(losses.TripletMarginLoss(margin=margin), embed_size, memory_size=512)""",
    ),
    plain(
        "several_losses",
        loss="""loss_func = losses.MultipleLosses([losses.TripletMarginLoss(margin=margin), losses.ContrastiveLoss()])
    miner = miners.MultiSimilarityMiner()""",
    ),
    plain(
        "tuples_taken_apart",
        learn=LEARN.replace(
            "loss_func(out, y.to(device), miner(out, y.to(device)))",
            "loss_func(out, y.to(device), tuple(part[:500].clone() for part in triplets(miner, out, y)))",
        ),
        more="\n\ndef triplets(miner, out, y):\n    return miner(out, y)\n",
        loss="loss_func = losses.TripletMarginLoss(margin=margin)\n    miner = miners.TripletMarginMiner(margin=margin)",
    ),
    plain(
        "miner_of_its_own",
        loss="""loss_func = losses.TripletMarginLoss(margin=margin)
    def miner(out, y):
        distance = torch.cdist(out, out)
        same = y[:, None] == y[None, :]
        positive = distance.masked_fill(~same, -1).argmax(1)
        negative = distance.masked_fill(same, 1e9).argmin(1)
        return torch.arange(len(y)), positive, negative""",
    ),
    plain(
        "normalised_before_the_loss",
        learn=LEARN.replace("head(vit(x.to(device)))", "F.normalize(head(vit(x.to(device))), dim=1)"),
    ),
    plain(
        "miner_on_normalised_copies",
        learn=LEARN.replace("miner(out, y.to(device))", "miner(F.normalize(out.detach(), dim=1), y.clone())"),
    ),
    plain(
        "miner_on_scaled_halves",
        learn=LEARN.replace("miner(out, y.to(device))", "miner((3 * out).detach().half(), y.to(device).int())"),
    ),
    plain(
        "miner_on_a_pass_in_eval_mode",
        learn=LEARN.replace("miner(out, y.to(device))", "mined(miner, vit, head, x, y)"),
        more="""

def mined(miner, vit, head, x, y):
    vit.eval(), head.eval()
    with torch.no_grad():
        tuples = miner(head(vit(x)), y)
    vit.train(), head.train()
    return tuples
""",
    ),
    plain(
        "two_miners",
        loss="""loss_func = losses.TripletMarginLoss(margin=margin)
    first, second = miners.TripletMarginMiner(margin=margin), miners.BatchHardMiner()
    def miner(out, y):
        return tuple(torch.cat(parts) for parts in zip(first(out, y), second(out, y)))""",
    ),
    plain(
        "miner_against_a_reference_batch",
        loss="loss_func = losses.TripletMarginLoss(margin=margin)\n    miner = miners.MultiSimilarityMiner()\n    bank = bank_y = None",
        learn="""optimizer.zero_grad()
            out, y = head(vit(x.to(device))), y.to(device)
            bank, bank_y = (out, y) if bank is None else (torch.cat([out, bank])[:300], torch.cat([y, bank_y])[:300])
            tuples = miner(out, y, bank, bank_y)
            loss_func(out, y, tuples, bank, bank_y).backward()
            bank = bank.detach()
            optimizer.step()""",
    ),
    # Data
    plain(
        "sampler_of_the_library",
        loader="""from pytorch_metric_learning.samplers import MPerClassSampler
    labels = [train_dataset.targets[i] for i in subset.indices]
    sampler = MPerClassSampler(labels, m=8, batch_size=80, length_before_new_iter=len(subset))
    loader = DataLoader(subset, batch_size=80, sampler=sampler, drop_last=True)""",
    ),
    plain(
        "large_hard_coded_batches", loader="loader = DataLoader(subset, batch_size=500, shuffle=True, drop_last=True)"
    ),
    plain(
        "loader_processes",
        loader="""loader = DataLoader(
        subset, batch_size, True, num_workers=2, pin_memory=True, persistent_workers=True, prefetch_factor=2)""",
    ),
    plain(
        "own_data_set",
        more="""

class Pairs(Dataset):
    def __init__(self, inner):
        self.inner = inner

    def __len__(self):
        return len(self.inner)

    def __getitem__(self, index):
        image, label = self.inner[index]
        return image, torch.tensor(label)
""",
        loader="loader = DataLoader(Pairs(subset), batch_size=batch_size, shuffle=True)",
    ),
    plain(
        "tensors_in_memory",
        loader="""images = torch.stack([image for image, _ in subset])
    labels = torch.tensor([label for _, label in subset])
    loader = DataLoader(torch.utils.data.TensorDataset(images, labels), batch_size=batch_size, shuffle=True)""",
    ),
    # The shape of the code
    training(
        "one_sequential_model",
        """    subset = sample_balanced_subset(train_dataset, n_samples_per_class=500, n_classes=10)
    loader = DataLoader(subset, batch_size=batch_size, shuffle=True)
    model = nn.Sequential(
        ViT(image_size=image_size, patch_size=patch_size, num_channels=in_channels,
            hidden_size=hidden_size, layers=layers, heads=heads),
        LinearEmbeddingHead(hidden_size=hidden_size, embed_size=embed_size),
    ).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, num_epochs)
    miner, criterion = miners.BatchEasyHardMiner(), losses.TripletMarginLoss()
    best, epoch = 0.0, 0
    while epoch < num_epochs:
        model.train()
        for x, y in loader:
            z = model(x)
            loss = criterion(z, y, indices_tuple=miner(z, y))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        scheduler.step()
        epoch += 1
        best = evaluate_at_end_epoch(model[0], model[1], AccuracyCalculator(k=1), best, subset, test_dataset)
""",
    ),
    training(
        "classes_of_its_own",
        """    Trainer(train_dataset, test_dataset).fit()
""",
        more="""

class Trainer:
    def __init__(self, train_dataset, test_dataset):
        self.subset, self.test = sample_balanced_subset(train_dataset, 500), test_dataset
        self.vit = ViT(image_size, patch_size, in_channels, hidden_size, layers, heads)
        self.head = LinearEmbeddingHead(hidden_size, embed_size)
        self.optimizer = torch.optim.AdamW([*self.vit.parameters(), *self.head.parameters()], lr=lr)
        self.scheduler = torch.optim.lr_scheduler.LambdaLR(self.optimizer, lambda e: 0.97**e)
        self.miner, self.loss = miners.TripletMarginMiner(), losses.TripletMarginLoss()

    def fit(self):
        best = 0
        for _ in range(num_epochs):
            self.vit.train(), self.head.train()
            for batch in DataLoader(self.subset, batch_size, shuffle=True):
                self.step(*batch)
            self.scheduler.step()
            best = evaluate_at_end_epoch(self.vit, self.head, AccuracyCalculator(k=1), best, self.subset, self.test)

    def step(self, x, y):
        self.optimizer.zero_grad()
        z = self.head(self.vit(x))
        self.loss(z, y, self.miner(z, y)).backward()
        self.optimizer.step()
""",
    ),
    plain(
        "uses_its_own_vit",
        learn=LEARN.replace(
            "vit(x.to(device))", "vit.ln_post(vit.transformer(vit.ln_pre(vit.pos_embed(vit.patch_embed(x)))))[:, 0]"
        ),
    ),
    plain(
        "reads_its_checkpoint",
        per_epoch="scheduler.step()\n    vit.load_state_dict(torch.load('vit_embeds.pt')['vit'])",
    ),
    plain(
        "validates",
        per_epoch="""scheduler.step()
        vit.eval(), head.eval()
        with torch.no_grad():
            for x, y in DataLoader(test_dataset, 50):
                loss_func(head(vit(x)), y)""",
    ),
    plain(
        "evaluates_all_training_images", per_epoch="scheduler.step()", loader=LOADER + "\n    subset = train_dataset"
    ),
    # get_embeddings
    embeddings(
        "raw",
        """    vit_model.eval(), model_embedding.eval()
    with torch.inference_mode():
        return model_embedding(vit_model(x.to(device))).cpu()
""",
    ),
    embeddings(
        "one_by_one",
        """    vit_model.eval()
    model_embedding.eval()
    with torch.no_grad():
        rows = [model_embedding(vit_model(image.unsqueeze(0).to(device))) for image in x]
    return torch.cat(rows).detach().cpu()
""",
    ),
    embeddings(
        "sequential",
        """    model = nn.Sequential(vit_model, model_embedding).eval()
    with torch.set_grad_enabled(False):
        z = model(x.to(device))
    return (z / z.norm(dim=1, keepdim=True)).to("cpu")
""",
    ),
    embeddings(
        "modes_restored",
        """    was = vit_model.training, model_embedding.training
    vit_model.eval(), model_embedding.eval()
    with torch.no_grad():
        z = model_embedding(vit_model(x.to(device)))
    vit_model.train(was[0]), model_embedding.train(was[1])
    return z.cpu()
""",
    ),
    embeddings(
        "bfloat16",
        """    vit_model.eval(), model_embedding.eval()
    with torch.no_grad(), torch.autocast(device.type, dtype=torch.bfloat16):
        return model_embedding(vit_model(x.to(device))).cpu()
""",
    ),
    embeddings(
        "of_copies",
        """    import copy
    vit, head = copy.deepcopy(vit_model).eval(), copy.deepcopy(model_embedding).eval()
    with torch.no_grad():
        return head(vit(x.to(device))).cpu()
""",
    ),
    # Epochs that are not num_epochs, and a schedule for them
    training(
        "epochs_of_its_own",
        PLAIN.replace("range(num_epochs)", "range(10)").format(
            loader=LOADER,
            loss=LOSS,
            optimizer=OPTIMIZER,
            learn=LEARN,
            per_batch="scheduler.step()",
            per_epoch="",
            scheduler=f"scheduler = {LR}.OneCycleLR(optimizer, max_lr=lr, total_steps=10 * len(loader))",
        ),
    ),
    # Two passes for one step
    plain("sharpness_aware", learn=f"{LEARN.removesuffix('optimizer.step()')}{SHARPER}"),
    # Epochs that are counted, not passes over a loader
    streamed(
        "endless_by_hand",
        """
        try:
            x, y = next(stream)
        except StopIteration:
            stream = iter(loader)
            x, y = next(stream)""",
    ),
    streamed(
        "endless_generator",
        """
        x, y = next(stream)""",
        "stream = endless(loader)",
        ENDLESS,
    ),
    # Hyperparameters that no text tells
    Case(
        "contrastive.variant_settings_from_a_dictionary",
        {"hyperparameters.py": partial(settings, "globals().update(CONFIG)")},
    ),
    Case(
        "contrastive.variant_settings_in_a_loop",
        {"hyperparameters.py": partial(settings, "for name, value in CONFIG.items():\n    globals()[name] = value")},
    ),
    training(
        "trainer_of_the_library",
        """    subset = sample_balanced_subset(train_dataset, 500)
    vit = ViT(image_size, patch_size, in_channels, hidden_size, layers, heads).to(device)
    head = LinearEmbeddingHead(hidden_size, embed_size).to(device)
    optimizers = {"trunk_optimizer": torch.optim.AdamW(vit.parameters(), lr=lr),
                  "embedder_optimizer": torch.optim.AdamW(head.parameters(), lr=lr)}
    schedulers = {f"{name}_scheduler_by_epoch": torch.optim.lr_scheduler.CosineAnnealingLR(
        optimizers[f"{name}_optimizer"], num_epochs) for name in ("trunk", "embedder")}
    calculator, best = AccuracyCalculator(include=("precision_at_1",), k=1), [0.0]

    def end_of_epoch(trainer):
        best[0] = evaluate_at_end_epoch(vit, head, calculator, best[0], subset, test_dataset)

    trainers.MetricLossOnly(
        {"trunk": vit, "embedder": head}, optimizers, batch_size,
        {"metric_loss": losses.TripletMarginLoss(margin=margin)}, subset,
        mining_funcs={"tuple_miner": miners.TripletMarginMiner(margin=margin)}, lr_schedulers=schedulers,
        dataloader_num_workers=0, end_of_epoch_hook=end_of_epoch, data_device=device,
    ).train(num_epochs=num_epochs)
    return best[0]
""",
        "from pytorch_metric_learning import trainers\n",
    ),
    # Rows of a batch and their labels, together
    *(
        edited(f"rows_{name}", (EMBEDDED, change))
        for name, change in (
            (
                "sorted_together",
                EMBEDDED + "            order = y.argsort()\n            embeddings, y = embeddings[order], y[order]\n",
            ),
            (
                "mixed_before",
                "            order = torch.randperm(len(y))\n            x, y = x[order], y[order]\n" + EMBEDDED,
            ),
            ("of_other_class_numbers", EMBEDDED + "            y = 9 - y.to(torch.int32)\n"),
            ("seen_twice", "            x, y = torch.cat([x, x.flip(-1)]), torch.cat([y, y])\n" + EMBEDDED),
            ("changed_by_noise", "            x = x + 0.01 * torch.randn_like(x)\n" + EMBEDDED),
            ("without_the_last", EMBEDDED + "            embeddings, y = embeddings[:-1], y[:-1]\n"),
        )
    ),
    # The blocks that are given
    edited(
        "reformatted",
        (
            "    targets = torch.as_tensor(train_dataset.targets)\n    indices = []\n",
            "    # the labels\n\n    targets = torch.as_tensor(\n        train_dataset.targets,\n    )\n    indices = [ ]\n",
        ),
        ('f"Best Precision@1: {best_prec:.4f}"', "f'Best Precision@1: {best_prec:.4f}'"),
    ),
    edited(
        "sampler_in_numpy",
        (
            "        of_class = torch.nonzero(targets == label).flatten()\n",
            "        of_class = (targets == label).nonzero()[:, 0]\n",
        ),
        warns=("protected.modified",),
    ),
    edited(
        "returns_no_best",
        ("    return best_prec\n\n\ndef train", "\n\ndef train"),
        ("        best_prec = evaluate_at_end_epoch(", "        evaluate_at_end_epoch("),
        warns=("protected.modified",),
    ),
    edited(
        "older_call_of_the_calculator",
        (
            "get_accuracy(query, query_labels, reference, reference_labels)",
            "get_accuracy(query=query, query_labels=query_labels, reference=reference, "
            "reference_labels=reference_labels, ref_includes_query=False)",
        ),
        warns=("protected.modified",),
    ),
    edited(
        "precision_as_dictionary",
        ('    return float(accuracies["precision_at_1"])', "    return accuracies"),
        (
            "    if precision > best_prec:\n",
            '    precision = precision["precision_at_1"]\n    if precision > best_prec:\n',
        ),
        warns=("protected.modified",),
    ),
    *(
        Case(
            f"contrastive.variant_device_{name}",
            {file: [(DEVICE, f"device = {device}\n")] for file in ("contrastive.py", "application.py")},
            warns=("device.hard_coded",),
        )
        for name, device in {
            "cuda": '"cuda"',
            "zero": "0",
            "of_a_number": "torch.device(0)",
            "current": "torch.cuda.current_device()",
            "accelerator": "torch.accelerator.current_accelerator()",
            "mps": 'torch.device("mps")',
        }.items()
    ),
    Case(
        "contrastive.variant_device_in_many_ways",
        {
            "contrastive.py": [
                (
                    DEVICE,
                    "device, gpu = 0, torch.cuda.get_device_properties(0)\nprint(gpu.name, gpu.total_memory / 1e9)\n",
                ),
                (
                    "            x, y = x.to(device), y.to(device)\n",
                    "            start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))\n"
                    "            start.record()\n"
                    "            with torch.cuda.stream(torch.cuda.Stream()):\n"
                    "                x, y = x.type(torch.cuda.FloatTensor), y.type(torch.cuda.LongTensor)\n"
                    "            end.record()\n"
                    "            torch.cuda.synchronize()\n"
                    "            moved = start.elapsed_time(end) / 1000\n",
                ),
            ]
        },
        warns=("device.hard_coded",),
    ),
]
