"""Part 3: what students get wrong in ``contrastive.py``, and what looks wrong and is right.

A fault is the reference with one thing changed; ``costs`` are exactly the criteria that it must lose, and
``word`` is the part of the message that names the cause.
"""

from dataclasses import replace
from typing import Any

from grader.assignments.vit.corpus.variants_contrastive import ENDLESS, streamed
from grader.assignments.vit.corpus.variants_contrastive import VARIANTS as WRITTEN_OTHERWISE
from grader.audit import Case

__all__ = ["FAULTS", "VARIANTS"]

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
    """A schedule in epochs that is counted in batches, and over after a few."""
    return fault(name, *scheduled(made, "batch", ()), costs=SCHEDULER, word=word, warns=("scheduler.collapsed",))


def goes_round(name: str, made: str, word: str) -> Case:
    """A schedule in epochs that is counted in batches and goes on changing: a remark."""
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

FAULTS = [
    embeddings(
        "numpy",
        "    vit_model, model_embedding = vit_model.to(device).eval(), model_embedding.to(device).eval()\n"
        "    return model_embedding(vit_model(x.to(device))).detach().cpu().numpy()\n",
        word="NumPy array",
    ),
    # Schedules in epochs, counted in batches, that are over in the first of them
    collapsed(
        "scheduler_milestones_in_batches",
        f"{LR}.MultiStepLR(optimizer, milestones=[10, 15])",
        "within the first epoch",
    ),
    collapsed(
        "scheduler_step_size_in_batches",
        f"{LR}.StepLR(optimizer, step_size=5, gamma=0.5)",
        "StepLR (step_size=5",
    ),
    collapsed(
        "scheduler_exponential_in_batches",
        f"{LR}.ExponentialLR(optimizer, gamma=0.95)",
        "counts batches",
    ),
    collapsed(
        "scheduler_exponential_slower_in_batches",
        f"{LR}.ExponentialLR(optimizer, gamma=0.99)",
        "counts batches",
    ),
    collapsed(
        "scheduler_linear_in_batches",
        f"{LR}.LinearLR(optimizer, 1.0, 0.1, total_iters=num_epochs)",
        "within the first epoch",
    ),
    collapsed(
        "scheduler_polynomial_in_batches",
        f"{LR}.PolynomialLR(optimizer, total_iters=num_epochs)",
        "within the first epoch",
    ),
    collapsed(
        "scheduler_lambda_in_batches",
        f"{LR}.LambdaLR(optimizer, lambda epoch: 0.9 ** epoch)",
        "within",
    ),
    # The loss and its miner
    training(
        "miner_unused",
        (COMPUTE, "            loss = triplet_loss(embeddings, y)\n"),
        word="not given to the loss",
        warns=("miner.unused",),
    ),
    training(
        "miner_none",
        (MINE, ""),
        (COMPUTE, "            loss = triplet_loss(embeddings, y)\n"),
        word="no miner",
        warns=("miner.unused",),
    ),
    training(
        "miner_as_reference",
        (COMPUTE, "            loss = triplet_loss(embeddings, y, None)\n"),
        word="not given to the loss",
        warns=("miner.unused",),
    ),
    training(
        "miner_all_triplets",
        (MINE, "            triplets = lmu.get_all_triplets_indices(y)\n"),
        (
            "from torch import Tensor, nn\n",
            "from pytorch_metric_learning.utils import loss_and_miner_utils as lmu\nfrom torch import Tensor, nn\n",
        ),
        word="all triplets",
        warns=("miner.unused",),
    ),
    training("loss_contrastive", (LOSS, "triplet_loss = losses.ContrastiveLoss()"), word="ContrastiveLoss"),
    training("loss_ntxent", (LOSS, "triplet_loss = losses.NTXentLoss()"), word="NTXentLoss"),
    training(
        "loss_multi_similarity", (LOSS, "triplet_loss = losses.MultiSimilarityLoss()"), word="MultiSimilarityLoss"
    ),
    training(
        "loss_of_torch",
        (LOSS, "triplet_loss = nn.TripletMarginLoss(margin=margin)"),
        (
            COMPUTE,
            "            a, p, n = triplets\n"
            "            loss = triplet_loss(embeddings[a], embeddings[p], embeddings[n])\n"
            "            loss = torch.nan_to_num(loss)\n",
        ),
        word="got a loss that is not of this library",
    ),
    training(
        "loss_cross_entropy",
        (COMPUTE, "            loss = F.cross_entropy(embeddings, y)\n"),
        word="got a loss that is not of this library",
    ),
    training(
        "loss_detached",
        (COMPUTE, "            loss = triplet_loss(embeddings.detach(), y, triplets).requires_grad_()\n"),
        word="no gradient comes back",
    ),
    training(
        "loss_on_probabilities",
        (COMPUTE, COMPUTE + "            loss = loss.detach().requires_grad_()\n"),
        word="no gradient comes back",
    ),
    # What the optimizer does
    training(
        "vit_not_optimized",
        (HELD, "    parameters = list(model_embedding.parameters())\n"),
        word="the ViT do not change: the optimizer does not hold",
    ),
    training(
        "head_not_optimized",
        (HELD, "    parameters = list(vit_model.parameters())\n"),
        word="the embedding head do not change: the optimizer does not hold",
    ),
    training(
        "vit_without_gradient",
        (
            EMBED,
            "            with torch.no_grad():\n                features = vit_model(x)\n"
            "            embeddings = model_embedding(features)\n",
        ),
        word="without gradient",
    ),
    training(
        "vit_detached",
        (EMBED, "            embeddings = model_embedding(vit_model(x).detach())\n"),
        word="no gradient reaches it",
    ),
    training(
        "loss_without_gradient",
        (
            EMBED + MINE + COMPUTE,
            "            with torch.no_grad():\n                embeddings = model_embedding(vit_model(x))\n"
            "                loss = triplet_loss(embeddings, y, miner(embeddings, y))\n"
            "            loss.requires_grad = True\n",
        ),
        word="is computed under torch.no_grad()",
    ),
    training("vit_frozen", (HELD, "    vit_model.requires_grad_(False)\n" + HELD), word="do not require gradients"),
    training(
        "head_unused", (EMBED, "            embeddings = vit_model(x)\n"), word="the embedding head do not change"
    ),
    training("models_rebuilt", (HELD, HELD + MODELS), word="does not hold"),
    training("zero_grad_missing", (ZERO, ""), word="zero_grad"),
    training(
        "zero_grad_once",
        (ZERO, ""),
        ("        total_loss = 0.0\n", "        total_loss = 0.0\n        optimizer.zero_grad()\n"),
        word="zero_grad",
    ),
    training("zero_grad_after_backward", (ZERO + BACKWARD, BACKWARD + ZERO), word="between backward() and step()"),
    training("zero_grad_one_model", (ZERO, "            model_embedding.zero_grad()\n"), word="zero_grad"),
    training("backward_missing", (BACKWARD, ""), word="backward() was never called"),
    training("step_missing", (STEP, ""), word="never took a step"),
    training(
        "step_missing_beside_a_schedule_in_epochs",
        (STEP + SCHEDULE, ""),
        (MADE, "    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=num_epochs)\n"),
        (LAST, "        scheduler.step()\n" + LAST),
        word="never took a step",
    ),
    *(
        training(
            f"labels_{name}",
            (EMBED, f"{EMBED}            y = {labels}\n"),
            word="other labels than those of the images",
        )
        for name, labels in (
            ("shuffled", "y[torch.randperm(len(y))]"),
            ("counted", "torch.arange(len(y)) % 10"),
            ("sorted", "y.sort().values"),
            ("turned_round", "y.flip(0)"),
        )
    ),
    training(
        "learns_a_leaf",
        (COMPUTE, COMPUTE.replace("(embeddings,", "(embeddings.detach().requires_grad_(),")),
        word="detached",
    ),
    # What stands at the end of the loop over the batches, and belongs into it
    training("step_outdented", (STEP, ""), (LAST, "        optimizer.step()\n" + LAST), word="look at its indentation"),
    training(
        "backward_outdented",
        (ZERO + BACKWARD + STEP, ""),
        (LAST, "        optimizer.zero_grad()\n        loss.backward()\n        optimizer.step()\n" + LAST),
        word="last batch alone",
    ),
    training("break_left_in", (TOTAL, TOTAL + "            break\n"), word="one batch of"),
    training("easy_triplets", (MINER, MINER.replace('"all"', '"easy"')), word="triplet loss of each batch is 0"),
    # A training that ends at once shows nothing of its schedule: that is blocked, not failed.
    fault(
        "raises",
        (COMPUTE, "            loss = triplet_loss(embeddings, y.unsqueeze(1), triplets)\n"),
        costs=(TRAINING, SCHEDULER),
        word="raised ValueError",
    ),
    fault(
        "raises_as_its_evaluation_does",
        ("    if precision > best_prec:", "    raise RuntimeError\n    if precision > best_prec:"),
        ("    return best_prec\n    ### END", "    losss\n    return best_prec\n    ### END"),
        costs=(TRAINING, PROTECTED),
        word="losss",
        warns=("protected.modified",),
    ),
    fault(
        "nothing_in_the_loop",
        ("        for x, y in loader:\n", "        for x, y in []:\n"),
        costs=(TRAINING, SCHEDULER),
        word="nothing was learned",
    ),
    training("name_not_defined", (TOTAL, "            total_loss += losss.item()\n"), word="losss"),
    # The data
    fault(
        "trains_on_test",
        (LOADER, "    loader = DataLoader(test_dataset, batch_size=batch_size, shuffle=True)\n"),
        costs=PROTECTED,
        word="images of the test set",
    ),
    fault(
        "samples_test",
        (SAMPLE, "train_subset = sample_balanced_subset(test_dataset, 500)"),
        costs=PROTECTED,
        word="images of the test set",
    ),
    fault(
        "trains_on_both",
        (
            LOADER,
            "    both = torch.utils.data.ConcatDataset([train_subset] + 10 * [test_dataset])\n"
            "    loader = DataLoader(both, batch_size=batch_size, shuffle=True)\n",
        ),
        costs=PROTECTED,
        word="images of the test set",
    ),
    # The evaluation
    training("never_evaluated", (EVALUATE, ""), word="never called"),
    replace(
        streamed("", "\n        x, y = next(stream)", "stream = endless(loader)", ENDLESS, evaluated="pass"),
        id="contrastive.never_evaluated_on_a_stream",
        costs=(TRAINING,),
        word="never called",
    ),
    training(
        "evaluated_once",
        (EVALUATE, ""),
        (
            "    return best_prec\n    ### END",
            EVALUATE.replace("\n        ", "\n    ")[4:] + "    return best_prec\n    ### END",
        ),
        word="called once",
    ),
    training(
        "evaluated_every_fifth",
        (EVALUATE, "        if epoch % 5 == 0:\n" + EVALUATE.replace("        best", "            best", 1)),
        word="times in",
    ),
    training(
        "evaluates_head_first",
        (ARGUMENTS, ARGUMENTS.replace("vit_model, model_embedding", "model_embedding, vit_model")),
        word="head first",
    ),
    training(
        "evaluates_sets_swapped",
        (ARGUMENTS, ARGUMENTS.replace("train_subset, test_dataset", "test_dataset, train_subset")),
        word="swapped",
    ),
    training(
        "evaluates_train_twice",
        (ARGUMENTS, ARGUMENTS.replace("test_dataset", "train_subset")),
        word="test set is the training set",
    ),
    training(
        "evaluates_a_new_model",
        (
            EVALUATE,
            EVALUATE.replace("vit_model,", "ViT(image_size, patch_size, in_channels, hidden_size, layers, heads),"),
        ),
        word="not the one trained",
    ),
    training("evaluates_with_best_of_none", (ARGUMENTS, ARGUMENTS.replace("best_prec", "0.0")), word="again and again"),
    training(
        "evaluates_with_swapped_arguments",
        (ARGUMENTS, ARGUMENTS.replace("accuracy_calculator, best_prec", "best_prec, accuracy_calculator")),
        word="that computes Precision@1, got float",
    ),
    training(
        "evaluates_with_another_measure",
        (
            'AccuracyCalculator(include=("precision_at_1",), k=1)\n\n    # One',
            'AccuracyCalculator(include=("AMI",))\n\n    # One',
        ),
        word="got one that computes AMI",
    ),
    training(
        "evaluates_with_too_few_arguments", (ARGUMENTS, ARGUMENTS.replace("best_prec, ", "")), word="raised TypeError"
    ),
    training(
        "returns_after_the_first_epoch", (EVALUATE, EVALUATE + "        return best_prec\n"), word="after one epoch"
    ),
    training(
        "miner_finds_nothing",
        (MINE, MINE.replace("miner(embeddings, y)", "miner(embeddings, torch.arange(len(y)))")),
        word="empty in each batch",
    ),
    training(
        "miner_on_features",
        (MINE, MINE.replace("miner(embeddings, y)", "miner(vit_model(x), y)")),
        word="other embeddings than the loss",
    ),
    training(
        "miner_on_pixels",
        (MINE, MINE.replace("miner(embeddings, y)", "miner(x.flatten(1), y)")),
        word="other embeddings than the loss",
    ),
    training(
        "miner_on_another_model",
        (
            MINE,
            "            with torch.no_grad():\n"
            "                others = LinearEmbeddingHead(hidden_size, embed_size)(vit_model(x))\n"
            "            triplets = miner(others, y)\n",
        ),
        word="other embeddings than the loss",
    ),
    training(
        "miner_on_shuffled_rows",
        (
            MINE,
            "            order = torch.randperm(len(y))\n            triplets = miner(embeddings[order], y[order])\n",
        ),
        word="other embeddings than the loss",
    ),
    training(
        "miner_on_shuffled_labels",
        (MINE, MINE.replace("miner(embeddings, y)", "miner(embeddings, y[torch.randperm(len(y))])")),
        word="other labels than the loss",
    ),
    training(
        "miner_on_the_batch_before",
        (MINE, "            older = triplets if total_loss else miner(embeddings, y)\n" + MINE),
        (COMPUTE, "            loss = triplet_loss(embeddings, y, older)\n"),
        word="other embeddings than the loss",
    ),
    training(
        "miner_once_for_the_first_batch",
        (MINE, "            triplets = triplets if total_loss else miner(embeddings, y)\n"),
        word="other embeddings than the loss",
    ),
    # Schedulers that do nothing
    fault(
        "scheduler_none",
        (MADE, ""),
        (SCHEDULE, ""),
        (LAST, "        last_lr = lr\n"),
        costs=SCHEDULER,
        word="no learning-rate scheduler",
    ),
    fault("scheduler_never_stepped", (SCHEDULE, ""), costs=SCHEDULER, word="never stepped"),
    fault(
        "scheduler_by_hand",
        (MADE, ""),
        (SCHEDULE, ""),
        (
            LAST,
            '        for group in optimizer.param_groups:\n            group["lr"] *= 0.9\n        last_lr = group["lr"]\n',
        ),
        costs=SCHEDULER,
        word="the training sets the learning rate itself",
    ),
    schedule(
        "scheduler_cosine_over_batches_by_epochs",
        f"{LR}.CosineAnnealingLR(optimizer, T_max=num_epochs * len(loader))",
        "scheduler.step() is called once an epoch",
    ),
    schedule(
        "scheduler_one_cycle_over_batches_by_epochs",
        f"{LR}.OneCycleLR(optimizer, max_lr=lr, epochs=num_epochs, steps_per_epoch=len(loader))",
        "scheduler.step() is called once an epoch",
    ),
    schedule("scheduler_step_never_stepped", f"{LR}.StepLR(optimizer, 5)", "never stepped", per="never"),
    schedule("scheduler_step_size_beyond", f"{LR}.StepLR(optimizer, step_size=30)", "beyond the"),
    schedule("scheduler_step_size_is_the_end", f"{LR}.StepLR(optimizer, step_size=num_epochs)", "beyond the"),
    schedule("scheduler_milestones_beyond", f"{LR}.MultiStepLR(optimizer, milestones=[30, 40])", "beyond the"),
    schedule("scheduler_milestone_at_the_end", f"{LR}.MultiStepLR(optimizer, milestones=[num_epochs])", "beyond"),
    schedule(
        "scheduler_made_anew_with_its_optimizer",
        f"{LR}.StepLR(optimizer, 1)",
        "anew",
        more=[
            (
                "        total_loss = 0.0\n",
                f"        total_loss = 0.0\n    {OPTIMIZER}        scheduler = {LR}.StepLR(optimizer, 1)\n",
            )
        ],
    ),
    schedule(
        "scheduler_stepped_before_the_loop",
        f"{LR}.StepLR(optimizer, 1, 0.5)\n    scheduler.step()",
        "once in the whole",
        per="never",
    ),
    schedule("scheduler_gamma_1", f"{LR}.ExponentialLR(optimizer, gamma=1.0)", "by gamma=1"),
    schedule("scheduler_constant_factor", f"{LR}.LambdaLR(optimizer, lambda epoch: 1.0)", "never changes"),
    fault(
        "scheduler_patience_beyond",
        (MADE, f"    scheduler = {LR}.ReduceLROnPlateau(optimizer, mode='max', patience=25)\n"),
        (SCHEDULE, ""),
        (LAST, "        scheduler.step(best_prec)\n" + LAST),
        costs=SCHEDULER,
        word="patience=25",
    ),
    schedule(
        "scheduler_of_another_optimizer",
        f"{LR}.StepLR(torch.optim.AdamW(model_embedding.parameters(), lr=lr), 5)",
        "another optimizer",
    ),
    schedule(
        "scheduler_one_cycle_over_epochs",
        f"{LR}.OneCycleLR(optimizer, max_lr=lr, total_steps=num_epochs)",
        "total_steps",
        per="batch",
    ),
    schedule("scheduler_without_its_argument", f"{LR}.CosineAnnealingLR(optimizer)", "T_max"),
    schedule("scheduler_plateau_without_metric", f"{LR}.ReduceLROnPlateau(optimizer)", "scheduler.step(best_prec)"),
    schedule(
        "scheduler_made_each_epoch",
        "None",
        "never changes",
        more=[
            ("        total_loss = 0.0\n", f"        total_loss = 0.0\n        scheduler = {LR}.StepLR(optimizer, 5)\n")
        ],
    ),
    # get_embeddings
    embeddings(
        "train_mode", BODY.replace("    vit_model.eval()\n    model_embedding.eval()\n", "") + RETURN, "train mode"
    ),
    embeddings(
        "head_in_train_mode",
        BODY.replace("    model_embedding.eval()\n", "") + RETURN,
        "the head computed in train mode",
    ),
    embeddings(
        "vit_in_train_mode", BODY.replace("    vit_model.eval()\n", "") + RETURN, "the ViT computed in train mode"
    ),
    embeddings("explicit_train_mode", BODY.replace("eval()", "train()") + RETURN, "train mode"),
    embeddings(
        "with_gradient",
        "    vit_model.eval()\n    model_embedding.eval()\n    return model_embedding(vit_model(x.to(device))).cpu()\n",
        "requires_grad",
    ),
    embeddings(
        "gradients_off_for_good",
        BODY.replace("    with torch.no_grad():\n        ", "    torch.set_grad_enabled(False)\n    ") + RETURN,
        "no gradients any more",
    ),
    embeddings(
        "freezes_the_models",
        BODY + "    vit_model.requires_grad_(False)\n    model_embedding.requires_grad_(False)\n" + RETURN,
        "require no gradient any more",
    ),
    embeddings("features_only", BODY + "    return vit_model(x).detach()\n", "features of the ViT"),
    embeddings("softmax", BODY + "    return embeddings.softmax(dim=1).cpu()\n", "softmax"),
    embeddings("mean_over_batch", BODY + "    return embeddings.mean(dim=0).cpu()\n", "One vector for the whole batch"),
    embeddings(
        "normalised_over_batch",
        BODY + "    return F.normalize(embeddings, dim=0).cpu()\n",
        "normalised along the batch axis",
    ),
    embeddings(
        "batch_norm", BODY + "    return (embeddings - embeddings.mean(0)) / embeddings.std(0)\n", "head(ViT(x))"
    ),
    embeddings("reversed", BODY + "    return embeddings.flip(0).cpu()\n", "another order"),
    embeddings(
        "models_swapped",
        BODY.replace("model_embedding(vit_model(x.to(device)))", "vit_model(model_embedding(x.to(device)))") + RETURN,
        "First the ViT",
    ),
    embeddings("list", BODY + "    return embeddings.cpu().tolist()\n", "list"),
    embeddings("nothing_returned", BODY, "None"),
    embeddings("squeezed", BODY + "    return embeddings.squeeze().cpu()\n", "(1, 16)"),
    embeddings("first_only", BODY + "    return embeddings[0].cpu()\n", "One vector"),
    embeddings("sum", BODY + "    return embeddings.sum(dim=1).cpu()\n", "(5, 16)"),
    embeddings("rounded", BODY + "    return embeddings.sign().cpu()\n", "head(ViT(x))"),
    # The blocks that are given
    protected(
        "dataset_as_one_number",
        ("return torch.cat(embeddings), torch.cat(labels)", "return torch.cat(embeddings).sum(), torch.cat(labels)"),
        word="expected embeddings (n, E)",
    ),
    protected(
        "sampler_random",
        (
            "indices += of_class[:n_samples_per_class].tolist()",
            "indices += of_class[torch.randperm(len(of_class))][:n_samples_per_class].tolist()",
        ),
        word="other items",
    ),
    protected(
        "sampler_last", ("of_class[:n_samples_per_class]", "of_class[-n_samples_per_class:]"), word="other items"
    ),
    protected(
        "sampler_sorted",
        ("    return Subset(train_dataset, indices)", "    return Subset(train_dataset, sorted(indices))"),
        word="another order",
    ),
    protected("sampler_all", ("of_class[:n_samples_per_class].tolist()", "of_class.tolist()"), word="keeps 80 items"),
    protected("sampler_indices", ("    return Subset(train_dataset, indices)", "    return indices"), word="got list"),
    protected(
        "over_one_batch",
        ("    return torch.cat(embeddings), torch.cat(labels)", "    return embeddings[-1], labels[-1][:3]"),
        word="labels",
    ),
    protected(
        "over_first_batch",
        (
            "        labels.append(y)\n    return torch.cat(embeddings), torch.cat(labels)",
            "        labels.append(y)\n        return torch.cat(embeddings), torch.cat(labels)",
        ),
        word="return within the first batch",
    ),
    protected(
        "over_labels_shuffled",
        (
            "    return torch.cat(embeddings), torch.cat(labels)",
            "    return torch.cat(embeddings), torch.cat(labels).flip(0)",
        ),
        word="belong together",
    ),
    protected(
        "precision_of_itself",
        ("get_accuracy(query, query_labels, reference, reference_labels)", "get_accuracy(query, query_labels)"),
        word="compared with itself",
    ),
    protected(
        "precision_swapped",
        (
            "get_accuracy(query, query_labels, reference, reference_labels)",
            "get_accuracy(reference, reference_labels, query, query_labels)",
        ),
        word="swapped",
    ),
    protected(
        "precision_reference_twice",
        (
            "get_accuracy(query, query_labels, reference, reference_labels)",
            "get_accuracy(reference, reference_labels, reference, reference_labels)",
        ),
        word="itself",
    ),
    protected("end_writes_always", ("    if precision > best_prec:", "    if True:"), word="worse than the best"),
    protected("end_writes_never", ("    if precision > best_prec:", "    if precision > 1:"), word="no vit_embeds.pt"),
    protected(
        "end_keeps_worst", ("    if precision > best_prec:", "    if precision < best_prec:"), word="no vit_embeds.pt"
    ),
    protected("end_renames_key", ('"precision@1": best_prec', '"precision": best_prec'), word="precision@1"),
    protected("end_claims_more", ('"precision@1": best_prec', '"precision@1": best_prec + 0.1'), word="precision@1"),
    protected("end_prints_nothing", ('    print(f"Best Precision@1: {best_prec:.4f}")\n', ""), word="to be printed"),
    protected("end_prints_more", ("{best_prec:.4f}", "{best_prec + 0.1:.4f}"), word="printed"),
    protected(
        "end_state_swapped",
        ('"embedding_head": model_embedding.state_dict()', '"embedding_head": vit_model.state_dict()'),
        word="embedding_head",
    ),
    protected(
        "end_returns_this_one",
        ("    return best_prec\n\n\ndef train", "    return precision\n\n\ndef train"),
        word="to be returned",
    ),
    # What the rubric can be made to demand
    Case(
        "contrastive.protected_written_otherwise_where_strict",
        {"contrastive.py": [OTHERWISE]},
        (PROTECTED,),
        "was changed",
        ("protected.modified",),
        {"strict": True},
    ),
]

VARIANTS = [
    *WRITTEN_OTHERWISE,
    Case(
        "contrastive.variant_protected_written_otherwise",
        {"contrastive.py": [OTHERWISE]},
        (),
        "",
        ("protected.modified",),
    ),
    # Schedules in epochs, counted in batches, that go on changing
    goes_round(
        "scheduler_cosine_in_batches",
        f"{LR}.CosineAnnealingLR(optimizer, T_max=num_epochs)",
        "up and down",
    ),
    goes_round(
        "scheduler_restarts_in_batches",
        f"{LR}.CosineAnnealingWarmRestarts(optimizer, T_0=10)",
        "up and down",
    ),
    goes_round(
        "scheduler_sequence_in_batches",
        f"{LR}.SequentialLR(optimizer, [{LR}.LinearLR(optimizer, 0.1, total_iters=3), "
        f"{LR}.CosineAnnealingLR(optimizer, num_epochs - 3)], milestones=[3])",
        "up and down",
    ),
]
