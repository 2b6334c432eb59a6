"""Part 3: schedules of the learning rate that are right."""

from grader.assignments.vit.corpus.contrastive_bodies import plain, scheduled
from grader.assignments.vit.corpus.contrastive_lines import LR

VARIANTS = [
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
    scheduled(  # of two numbers below 0 that are alike torch takes the second for better, in this mode
        "plateau_of_negative_loss",
        f"{LR}.ReduceLROnPlateau(optimizer, 'max', patience=1)",
        call="scheduler.step(-loss.item())",
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
    scheduled(
        "warm_up_and_line_of_ones_own",
        f"{LR}.LambdaLR(optimizer, lambda epoch: min((epoch + 1) / 3, max(0.0, 1 - epoch / num_epochs)))",
    ),
    scheduled("slow_decay_of_ones_own", f"{LR}.LambdaLR(optimizer, lambda epoch: 0.99 ** epoch)"),
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
    plain(
        "warmed_up_by_hand_first",
        scheduler=f"scheduler = {LR}.ExponentialLR(optimizer, 0.998); done = 0",
        per_batch="""done += 1
            if done <= 100:
                optimizer.param_groups[0]["lr"] = lr * done / 100
            else:
                scheduler.step()""",
    ),
    plain(
        "each_hundred_batches",
        scheduler=f"scheduler = {LR}.ExponentialLR(optimizer, 0.9); done = 0",
        per_batch="done += 1\n            if done % 100 == 0:\n                scheduler.step()",
    ),
    scheduled(
        "each_fourth_batch",
        f"{LR}.CosineAnnealingLR(optimizer, num_epochs * (len(loader) // 4))",
        "batch",
        "if i % 4 == 3:\n                scheduler.step()",
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
]
