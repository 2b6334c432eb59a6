"""Part 3: trainings written otherwise: all of them right, most of them seen in submissions."""

from functools import partial

from grader.assignments.vit.corpus.contrastive_bodies import (
    DEVICE,
    LEARN,
    LOADER,
    LOSS,
    OPTIMIZER,
    PLAIN,
    SHARPER,
    edited,
    plain,
    settings,
    training,
)
from grader.assignments.vit.corpus.contrastive_lines import EPOCHS, EVALUATE, HELD, LR
from grader.audit import Case

VARIANTS = [
    edited(
        "begins_with_the_classifier",
        (
            "    # Most triplets",
            '    vit_model.load_state_dict(torch.load("vit_classifier.pt", map_location=device)["vit"])\n    # Most triplets',
        ),
    ),
    edited(
        "gradients_computed_apart",
        (
            "            optimizer.zero_grad()\n            loss.backward()\n            optimizer.step()\n",
            "            gradients = torch.autograd.grad(loss, parameters)\n"
            "            for parameter, gradient in zip(parameters, gradients):\n"
            "                parameter.grad = gradient\n"
            "            optimizer.step()\n",
        ),
    ),
    edited(
        "saves_to_folders_that_a_cell_made",
        (
            "        best_prec = evaluate_at_end_epoch(",
            '        torch.save(vit_model.state_dict(), f"checkpoints/vit_{epoch}.pt")\n'
            '        with open("logs/loss.txt", "a") as file:\n'
            '            file.write(f"{epoch} {total_loss}\\n")\n'
            "        best_prec = evaluate_at_end_epoch(",
        ),
    ),
    edited(
        "evaluates_before_and_reloads_the_best",
        (
            "    best_prec = 0.0\n    for epoch",
            "    best_prec = evaluate_at_end_epoch(\n        vit_model, model_embedding, accuracy_calculator, 0.0, train_subset, "
            "test_dataset\n    )\n    for epoch",
        ),
        (
            "        )\n    return best_prec\n",
            '        )\n    best = torch.load("vit_embeds.pt", map_location=device)\n'
            '    vit_model.load_state_dict(best["vit"])\n'
            '    model_embedding.load_state_dict(best["embedding_head"])\n'
            "    return best_prec\n",
        ),
    ),
    Case(
        "contrastive.variant_evaluates_before_each_epoch",
        {"contrastive.py": [(EVALUATE, ""), (EPOCHS, EPOCHS + EVALUATE)]},
        word="the models of the last one are never evaluated or saved",
    ),
    edited(
        "trains_a_copy_of_the_vit",
        (HELD, "    import copy\n    vit_model = copy.deepcopy(vit_model)\n" + HELD),
    ),
    # Optimizers
    plain(
        "zeroes_after_each_step_by_a_hook",
        optimizer=OPTIMIZER + "\n    optimizer.register_step_post_hook(lambda *step: optimizer.zero_grad())",
        learn=LEARN.removeprefix("optimizer.zero_grad()\n            "),
    ),
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
        "keeps_what_is_better_by_max",
        (
            "    if precision > best_prec:\n        best_prec = precision\n",
            "    before, best_prec = best_prec, max(best_prec, precision)\n    if best_prec != before:\n",
        ),
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
        "contrastive.variant_colab_asked_for",
        {
            "hyperparameters.py": [
                ("num_epochs = 25\n", 'num_epochs = 25 if "google.colab" in str(get_ipython()) else 25\n')
            ]
        },
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
