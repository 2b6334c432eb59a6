"""Part 3: schedules of the learning rate that do nothing, or are counted in another unit than they were meant in."""

from grader.assignments.vit.corpus.contrastive_lines import (
    LAST,
    LR,
    MADE,
    OPTIMIZER,
    SCHEDULE,
    SCHEDULER,
    STEP,
    collapsed,
    fault,
    goes_round,
    schedule,
    scheduled,
)
from grader.audit import Case


def plateau(name: str, patience: int, told: str, word: str) -> Case:
    """A scheduler that waits for the highest value, stepped once an epoch."""
    made = f"    scheduler = {LR}.ReduceLROnPlateau(optimizer, mode='max', patience={patience})\n"
    stepped = (LAST, f"        scheduler.step({told})\n{LAST}")
    return fault(f"scheduler_{name}", (MADE, made), (SCHEDULE, ""), stepped, costs=SCHEDULER, word=word)


FAULTS = [
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
    collapsed(
        "scheduler_straight_in_batches",
        f"{LR}.LambdaLR(optimizer, lambda epoch: 1 - epoch / num_epochs)",
        "goes on below 0",
    ),
    # and that come to their end again and again
    collapsed(
        "scheduler_cosine_in_batches",
        f"{LR}.CosineAnnealingLR(optimizer, T_max=num_epochs)",
        "up and down",
    ),
    collapsed(
        "scheduler_sequence_in_batches",
        f"{LR}.SequentialLR(optimizer, [{LR}.LinearLR(optimizer, 0.1, total_iters=3), "
        f"{LR}.CosineAnnealingLR(optimizer, num_epochs - 3)], milestones=[3])",
        "up and down",
    ),
    collapsed(
        "scheduler_triangle_in_batches",
        f"{LR}.LambdaLR(optimizer, lambda epoch: abs(1 - (epoch / num_epochs) % 2))",
        "up and down",
    ),
    schedule(
        "scheduler_below_zero", f"{LR}.LambdaLR(optimizer, lambda epoch: 1 - 2 * epoch / num_epochs)", "falls below 0"
    ),
    schedule("scheduler_of_a_negative_factor", f"{LR}.StepLR(optimizer, step_size=5, gamma=-0.5)", "falls below 0"),
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
    schedule(
        "scheduler_line_over_batches_by_epochs",
        f"{LR}.LambdaLR(optimizer, lambda step: max(0.0, 1 - step / (num_epochs * len(loader))))",
        "LambdaLR is meant in batches",
    ),
    schedule(
        "scheduler_warm_up_and_line_over_batches_by_epochs",
        f"{LR}.LambdaLR(optimizer, lambda step: min((step + 1) / 100, 1 - step / (num_epochs * len(loader))))",
        "LambdaLR is meant in batches",
    ),
    schedule(
        "scheduler_cosine_made_each_epoch",
        "None",
        "made anew in each epoch",
        more=[
            (
                "        total_loss = 0.0\n",
                f"        total_loss = 0.0\n        scheduler = {LR}.CosineAnnealingLR(optimizer, T_max=num_epochs)\n",
            )
        ],
    ),
    schedule(
        "scheduler_cosine_made_after_each_epoch",
        "None",
        "made anew in each epoch",
        more=[
            (
                "        scheduler.step()\n",
                f"        scheduler = {LR}.CosineAnnealingLR(optimizer, T_max=num_epochs)\n        scheduler.step()\n",
            ),
        ],
    ),
    schedule(
        "scheduler_one_cycle_made_each_epoch",
        "None",
        "its first 79 steps are ever taken",
        per="batch",
        more=[
            (
                "        total_loss = 0.0\n",
                f"        total_loss = 0.0\n        scheduler = {LR}.OneCycleLR(\n"
                "            optimizer, max_lr=lr, epochs=num_epochs, steps_per_epoch=len(loader)\n        )\n",
            ),
        ],
    ),
    schedule(
        "scheduler_cycle_over_batches_by_epochs",
        f"{LR}.CyclicLR(optimizer, lr / 10, lr, step_size_up=2 * len(loader), cycle_momentum=False)",
        "CyclicLR is meant in batches",
    ),
    schedule(
        "scheduler_restarts_over_batches_by_epochs",
        f"{LR}.CosineAnnealingWarmRestarts(optimizer, T_0=5 * len(loader))",
        "is meant in batches",
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
    fault(
        "scheduler_step_told_0",
        *scheduled(f"{LR}.CosineAnnealingLR(optimizer, T_max=num_epochs)", "never", ()),
        (LAST, "        scheduler.step(0)\n" + LAST),
        costs=SCHEDULER,
        word="told the same number",
    ),
    fault(
        "scheduler_set_back_before_each_step",
        (STEP, '            optimizer.param_groups[0]["lr"] = lr\n' + STEP),
        costs=SCHEDULER,
        word="has no effect",
    ),
    schedule(
        "scheduler_of_as_many_steps_as_images",
        f"{LR}.OneCycleLR(optimizer, lr, epochs=num_epochs, steps_per_epoch=len(train_subset))",
        "OneCycleLR is told 125000 steps (total_steps), and the training has 1975: 25 epochs of 79 batches",
        per="batch",
    ),
    schedule("scheduler_gamma_1", f"{LR}.ExponentialLR(optimizer, gamma=1.0)", "by gamma=1"),
    schedule("scheduler_constant_factor", f"{LR}.LambdaLR(optimizer, lambda epoch: 1.0)", "never changes"),
    plateau("patience_beyond", 25, told="best_prec", word="patience=25"),
    schedule(
        "scheduler_of_another_optimizer",
        f"{LR}.StepLR(torch.optim.AdamW(model_embedding.parameters(), lr=lr), 5)",
        "another optimizer",
    ),
    fault(
        "scheduler_of_an_optimizer_for_nothing",
        *scheduled(
            f"{LR}.StepLR(idle, 5)",
            "never",
            [
                (OPTIMIZER, OPTIMIZER + "    idle = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=lr)\n"),
                (LAST, "        idle.step()\n        scheduler.step()\n" + LAST),
            ],
        ),
        costs=SCHEDULER,
        word="drives another optimizer",
    ),
    schedule(
        "scheduler_gamma_next_to_1", f"{LR}.ExponentialLR(optimizer, gamma=0.999999)", "hardly changes", per="batch"
    ),
    schedule(
        "scheduler_one_cycle_over_epochs",
        f"{LR}.OneCycleLR(optimizer, max_lr=lr, total_steps=num_epochs)",
        "total_steps",
        per="batch",
    ),
    schedule("scheduler_without_its_argument", f"{LR}.CosineAnnealingLR(optimizer)", "T_max"),
    plateau("plateau_told_the_epoch", 3, told="epoch", word="not the number of the epoch"),
    plateau("plateau_told_more_than_the_epoch", 3, told="1.0 + epoch", word="not the number of the epoch"),
    schedule(
        "scheduler_plateau_without_metric",
        f"{LR}.ReduceLROnPlateau(optimizer)",
        "the value to watch: the epoch's loss, or a score",
    ),
    schedule(
        "scheduler_made_each_epoch",
        "None",
        "never changes",
        more=[
            ("        total_loss = 0.0\n", f"        total_loss = 0.0\n        scheduler = {LR}.StepLR(optimizer, 5)\n")
        ],
    ),
]

VARIANTS = [
    # Rounds of fewer batches than the training has epochs
    goes_round(
        "scheduler_restarts_in_batches",
        f"{LR}.CosineAnnealingWarmRestarts(optimizer, T_0=10)",
        "up and down",
    ),
]
