"""Part 3: data sets, samplers and loaders that are right, and epochs counted by hand."""

from grader.assignments.vit.corpus.contrastive_bodies import DEVICE, ENDLESS, LEARN, LOADER, edited, plain, streamed
from grader.assignments.vit.corpus.contrastive_lines import (
    ARGUMENTS,
    COMPUTE,
    EMBED,
    EPOCHS,
    LR,
    MADE,
    MINE,
    SAMPLE,
    STEP,
)
from grader.assignments.vit.corpus.contrastive_lines import LOADER as LOADER_LINE

VARIANTS = [
    plain(
        "two_passes_an_epoch",
        loader=LOADER + "\n    second = DataLoader(subset, batch_size=batch_size, shuffle=True, drop_last=True)",
        per_epoch="for x, y in second:\n            " + LEARN + "\n        scheduler.step()",
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
        "one_batch_ahead",
        loader="loader = Ahead(DataLoader(subset, batch_size=batch_size, shuffle=True))",
        scheduler=f"scheduler = {LR}.OneCycleLR(optimizer, lr, total_steps=num_epochs * len(loader))",
        per_batch="scheduler.step()",
        per_epoch="",
        more="""

class Ahead:
    def __init__(self, loader):
        self.loader = loader

    def __len__(self):
        return len(self.loader)

    def __iter__(self):
        batches = iter(self.loader)
        following = next(batches, None)
        while following is not None:
            batch = [part.to(device) for part in following]
            following = next(batches, None)
            yield batch
""",
    ),
    plain(
        "list_of_batches_made_once",
        loader="loader = list(DataLoader(subset, batch_size=batch_size, shuffle=True))",
        scheduler=f"scheduler = {LR}.OneCycleLR(optimizer, lr, total_steps=num_epochs * len(loader))",
        per_batch="scheduler.step()",
        per_epoch="",
    ),
    edited(
        "counts_batches_over_all_epochs",
        (EPOCHS, "    step = epoch = 0\n    while step < num_epochs * len(loader):\n        epoch += 1\n"),
        ("            scheduler.step()\n", "            scheduler.step()\n            step += 1\n"),
    ),
    edited(
        "narrows_a_copy_of_the_training_set",
        (
            SAMPLE,
            "kept = torch.as_tensor(sample_balanced_subset(train_dataset, 500).indices)\n"
            "    train_subset = copy.copy(train_dataset)\n"
            "    train_subset.data, train_subset.targets = train_dataset.data[kept], train_dataset.targets[kept]",
        ),
        (DEVICE, DEVICE + "import copy\n"),
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
        "evaluates_all_training_images", per_epoch="scheduler.step()", loader=LOADER + "\n    subset = train_dataset"
    ),
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
    streamed(
        "endless_of_itertools",
        """
        x, y = next(stream)""",
        "import itertools\n    stream = itertools.chain.from_iterable(itertools.repeat(loader))",
    ),
    edited(
        "references_of_a_second_loader",
        (LOADER_LINE, LOADER_LINE + LOADER_LINE.replace("loader =", "others =")),
        (
            MINE,
            """            of_others, labels = next(iter(others))
            of_others, labels = model_embedding(vit_model(of_others.to(device))), labels.to(device)
            triplets = miner(embeddings, y, of_others, labels)
""",
        ),
        (COMPUTE, COMPUTE.replace("triplets)", "triplets, ref_emb=of_others, ref_labels=labels)")),
    ),
    # A copy that is evaluated, and learns with the models
    edited(
        "evaluates_a_running_mean",
        (MADE, MADE + "    import copy\n    mean_of = copy.deepcopy(vit_model)\n"),
        (
            STEP,
            STEP
            + """            with torch.no_grad():
                for mean, parameter in zip(mean_of.parameters(), vit_model.parameters(), strict=True):
                    mean.lerp_(parameter, 0.1)
""",
        ),
        (ARGUMENTS, ARGUMENTS.replace("vit_model, ", "mean_of, ")),
    ),
    # Rows of a batch and their labels, together
    *(
        edited(f"rows_{name}", (EMBED, change))
        for name, change in (
            (
                "sorted_together",
                EMBED + "            order = y.argsort()\n            embeddings, y = embeddings[order], y[order]\n",
            ),
            (
                "mixed_before",
                "            order = torch.randperm(len(y))\n            x, y = x[order], y[order]\n" + EMBED,
            ),
            ("of_other_class_numbers", EMBED + "            y = 9 - y.to(torch.int32)\n"),
            ("seen_twice", "            x, y = torch.cat([x, x.flip(-1)]), torch.cat([y, y])\n" + EMBED),
            ("changed_by_noise", "            x = x + 0.01 * torch.randn_like(x)\n" + EMBED),
            ("without_the_last", EMBED + "            embeddings, y = embeddings[:-1], y[:-1]\n"),
        )
    ),
    edited(
        "sampler_in_numpy",
        (
            "        of_class = torch.nonzero(targets == label).flatten()\n",
            "        of_class = (targets == label).nonzero()[:, 0]\n",
        ),
        warns=("protected.modified",),
    ),
]
