"""Part 3: what students get wrong in ``train_embedding_model``, its loss and its schedule aside."""

import textwrap
from dataclasses import replace

from grader.assignments.vit.corpus.contrastive_bodies import ENDLESS, streamed
from grader.assignments.vit.corpus.contrastive_lines import (
    ARGUMENTS,
    BACKWARD,
    COMPUTE,
    EMBED,
    EVALUATE,
    HELD,
    LAST,
    MADE,
    MODELS,
    OPTIMIZER,
    OTHERWISE,
    PROTECTED,
    SCHEDULE,
    SCHEDULER,
    STEP,
    TOTAL,
    TRAINING,
    ZERO,
    fault,
    training,
)


def _indented(lines: str) -> str:
    """Lines of the function as they stand in a loop of it."""
    return textwrap.indent(lines, "    ")


BUILT_VIT = MODELS.splitlines(keepends=True)[0]

FAULTS = [
    # What the optimizer does
    training(
        "vit_not_optimized",
        (HELD, "    parameters = list(model_embedding.parameters())\n"),
        word="the ViT do not change: no optimizer that takes a step holds",
    ),
    training(
        "head_not_optimized",
        (HELD, "    parameters = list(vit_model.parameters())\n"),
        word="the embedding head do not change: no optimizer that takes a step holds",
    ),
    training(
        "vit_with_a_rate_of_0",
        (
            HELD,
            "    parameters = [{'params': vit_model.parameters(), 'lr': 0.0}, {'params': model_embedding.parameters()}]\n",
        ),
        (MADE, "    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, num_epochs * len(loader))\n"),
        word="the weights of the ViT do not change: the learning rate of its parameters is 0",
    ),
    training(
        "vit_hardly_optimized",
        (HELD, "    parameters = [*list(vit_model.parameters())[-2:], *model_embedding.parameters()]\n"),
        word="the optimizer holds 2 of its",
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
    training("vit_frozen", (HELD, "    vit_model.requires_grad_(False)\n" + HELD), word="do not require gradients"),
    training(
        "head_unused", (EMBED, "            embeddings = vit_model(x)\n"), word="the embedding head do not change"
    ),
    training("models_rebuilt", (HELD, HELD + MODELS), word="does not hold"),
    training(
        "vit_copied_after_the_optimizer",
        (OPTIMIZER, OPTIMIZER + "    import copy\n    vit_model = copy.deepcopy(vit_model)\n"),
        word="What copy.deepcopy makes is another model",
    ),
    training(
        "models_rebuilt_in_each_epoch",
        ("        vit_model.train()\n", _indented(MODELS + HELD + OPTIMIZER + MADE) + "        vit_model.train()\n"),
        word="is built anew in each epoch",
    ),
    training(
        "batches_skipped_before_backward",
        (SCHEDULE, ""),
        (MADE, "    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.8)\n"),
        (LAST, "        scheduler.step()\n" + LAST),
        (ZERO, "            if loss.item() >= 0:\n                continue\n" + ZERO),
        word="nothing was learned",
    ),
    training("zero_grad_missing", (ZERO, ""), word="zero_grad"),
    training(
        "zero_grad_once",
        (ZERO, ""),
        ("        total_loss = 0.0\n", "        total_loss = 0.0\n        optimizer.zero_grad()\n"),
        word="zero_grad",
    ),
    training(
        "zero_grad_missing_where_gradients_are_accumulated",
        (ZERO, ""),
        (
            STEP,
            "            batches = batches + 1\n            if batches % 4 == 0:\n                optimizer.step()\n",
        ),
        ("        total_loss = 0.0\n", "        total_loss, batches = 0.0, 0\n"),
        word="add to the gradients of the step before",
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
        word="test set holds images of the training set",
    ),
    training(
        "evaluates_a_new_model",
        (
            EVALUATE,
            EVALUATE.replace("vit_model,", "ViT(image_size, patch_size, in_channels, hidden_size, layers, heads),"),
        ),
        word="not the one trained",
    ),
    training(
        "evaluates_with_best_of_none_otherwise_written",
        OTHERWISE,
        (ARGUMENTS, ARGUMENTS.replace("best_prec", "0.0")),
        word="again and again",
        warns=("protected.modified",),
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
        "another_model_than_the_vit",
        (
            BUILT_VIT,
            "    vit_model = nn.Sequential(nn.Flatten(), nn.Linear(image_size**2, hidden_size), nn.ReLU()).to(device)\n",
        ),
        word="not your ViT",
    ),
    training(
        "evaluates_copies_made_before",
        (MADE, MADE + "    import copy\n    kept = copy.deepcopy(vit_model), copy.deepcopy(model_embedding)\n"),
        (ARGUMENTS, ARGUMENTS.replace("vit_model, model_embedding", "*kept")),
        word="stay the same while",
    ),
]
