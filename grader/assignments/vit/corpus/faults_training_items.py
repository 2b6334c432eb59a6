"""Which images the embedding is trained on, and how its models are built: what goes wrong, and what looks so.

Two editions of the course differ in who samples: the function, as the reference does, or the notebook.
"""

from collections.abc import Callable
from typing import Any

from grader.assignments.vit import files
from grader.assignments.vit.corpus.contrastive_bodies import plain
from grader.assignments.vit.corpus.contrastive_lines import LAST, LOADER, PROTECTED, SAMPLE, training
from grader.assignments.vit.corpus.contrastive_lines import MODELS as BUILT
from grader.assignments.vit.corpus.notebooks import CALL, Notebook, code, edit, training_cell
from grader.audit import Case

__all__ = ["FAULTS", "VARIANTS"]

MOVED = (SAMPLE, "train_subset = train_dataset")  # the function trains on what it is given
Change = Callable[[bytes], bytes]


def notebook(call: str, *before: str, after: tuple[str, ...] = ()) -> Change:
    """The reference's notebook with another call, and cells around it."""

    def change(content: Notebook) -> None:
        cell = training_cell(content)
        cell["source"] = call
        place = content["cells"].index(cell)
        content["cells"][place + 1 : place + 1] = [code(each) for each in after]
        content["cells"][place:place] = [code(each) for each in before]

    return edit(change)


def handed(call: str, *before: str, after: tuple[str, ...] = (), moved: Any = (MOVED,)) -> dict[str, Any]:
    """The edition in which the notebook hands over what is trained on."""
    return {"contrastive.py": list(moved), "submission.ipynb": notebook(call, *before, after=after)}


def items(name: str, edits: dict[str, Any], word: str) -> Case:
    return Case(f"contrastive.items_{name}", edits, (PROTECTED,), word)


def inside(name: str, sampled: str, word: str) -> Case:
    """The function samples something else."""
    return items(f"inside_{name}", {"contrastive.py": [(SAMPLE, f"train_subset = {sampled}")]}, word)


def right(name: str, edits: dict[str, Any]) -> Case:
    return Case(f"contrastive.variant_items_{name}", edits)


SUBSET = "train_embedding_model(train_subset, test_dataset)"
TEST_TOO = "torch.utils.data.ConcatDataset([sample_balanced_subset(train_dataset, 500), test_dataset])"
LAST_OF_EACH = """targets = train_dataset.targets
rows = [int(i) for c in range(10) for i in torch.where(targets == c)[0][-500:]]
train_subset = torch.utils.data.Subset(train_dataset, rows)"""
MAIN = """def main():
    full = FashionMNIST("data", train=True, transform=tfm_train, download=True)
    test = FashionMNIST("data", train=False, transform=tfm_test, download=True)
    loader = DataLoader(full, batch_size=batch_size)
    for epoch in range(2):
        for x, y in loader:
            print(x.mean())
    subset = sample_balanced_subset(full, {number})
    train_embedding_model(train_dataset=subset, test_dataset=test)


main()"""
CACHED = """from functools import lru_cache


@lru_cache(maxsize=None)
def get_datasets():
    train = FashionMNIST("data", train=True, transform=tfm_train, download=True)
    train.data, train.targets = train.data.flip(0), train.targets.flip(0)
    return train, FashionMNIST("data", train=False, transform=tfm_test, download=True)


train_dataset, test_dataset = get_datasets()"""
OWN_SET = """class Augmented(torch.utils.data.Dataset):
    def __init__(self, inner, transform):
        self.inner, self.transform = inner, transform

    def __getitem__(self, index):
        image, label = self.inner[index]
        return self.transform(image), label

    def __len__(self):
        return len(self.inner)


raw = FashionMNIST(root, train=True)
raw_test = FashionMNIST(root, train=False)
train_subset = Augmented(sample_balanced_subset(raw, {number}), tfm_train)"""
ROWS = """from collections import defaultdict

rows = defaultdict(list)
for row, label in enumerate(train_dataset.targets.tolist()):
    if len(rows[label]) < 500:
        rows[label].append(row)
order = [row for label in sorted(rows) for row in rows[label]]"""
WEIGHTED = (
    "sampler = torch.utils.data.WeightedRandomSampler([1.0] * len(subset), len(subset))\n"
    "    loader = DataLoader(subset, batch_size=batch_size, sampler=sampler)"
)
PER_CLASS = (
    "labels = [int(train_dataset.targets[row]) for row in subset.indices]\n"
    "    sampler = samplers.MPerClassSampler(labels, 4, batch_size=40, length_before_new_iter=5000)\n"
    "    loader = DataLoader(subset, batch_size=40, sampler=sampler)"
)
OF_INDICES = """rows = sample_balanced_subset(train_dataset, 500).indices
    sampler = torch.utils.data.SubsetRandomSampler(rows)
    loader = DataLoader(train_dataset, batch_size=batch_size, sampler=sampler)"""
SWAPPED = BUILT.replace("image_size, patch_size", "patch_size, image_size")
LITERAL = BUILT.replace("image_size, patch_size, in_channels, hidden_size, layers, heads", "28, 7, 1, 64, 2, 4")

TRANSFORMS_LATER = """from torchvision import datasets, transforms

train_dataset = datasets.FashionMNIST("./data", train=True, download=True)
test_dataset = datasets.FashionMNIST("./data", train=False, download=True)
mean, std = train_dataset.data.float().mean() / 255, train_dataset.data.float().std() / 255
end = [transforms.ToTensor(), transforms.Normalize((mean,), (std,))]
tfm_train = transforms.Compose([transforms.RandomHorizontalFlip(), transforms.RandomRotation(8), *end])
tfm_test = transforms.Compose(end)
train_dataset.transform = tfm_train
test_dataset.transform = tfm_test"""
REFERENCE = (files.REFERENCE / "contrastive.py").read_text(encoding="utf-8")
GLOBAL = f"""from contrastive import *
from hyperparameters import margin
from pytorch_metric_learning import losses, miners
from vit_model import LinearEmbeddingHead, ViT

train_subset = sample_balanced_subset(train_dataset, 500)


{REFERENCE[REFERENCE.index("def train_embedding_model") :].replace(SAMPLE, "")}"""

HELPED = GLOBAL.replace(
    "\n\ndef train_embedding_model",
    """

def forward(vit_model, head, x):
    return head(vit_model(x))


def train_embedding_model""",
).replace("model_embedding(vit_model(x))", "forward(vit_model, model_embedding, x)")
USED_AGAIN = """from application import *

def forward(query):
    return retrieve_topk_nearest_neighbors_l2(query, query)

miners, found = forward(torch.rand(9, 64))"""

BEFORE = """    for x, y in DataLoader(train_dataset, batch_size=batch_size, shuffle=True):
        first = triplet_loss(model_embedding(vit_model(x.to(device))), y.to(device))
        optimizer.zero_grad()
        first.backward()
        optimizer.step()
"""
SAVES = """scheduler.step()
        os.makedirs("{folder}", exist_ok=True)
        torch.save(vit.state_dict(), "{folder}/vit_last.pt")"""
PATHLIB = "import json, shutil\nfrom pathlib import Path\nOUT = Path('/home/nobody-of-that-name/runs')\n"
KEPT = """scheduler.step()
        OUT.mkdir(parents=True, exist_ok=True)
        shutil.copy("vit_embeds.pt", OUT / f"vit_{epoch}.pt")
        with open(OUT / "log.json", "a") as log:
            json.dump({"epoch": epoch, "best": float(best)}, log)"""

CACHED_BATCHES = """    images = torch.stack([image for image, _ in {of}])
    labels = torch.tensor([label for _, label in {of}])
    loader = [(images[rows], labels[rows]) for rows in torch.randperm(len(images)).split(batch_size)]
"""
CACHED_SET = """    images, labels = zip(*[train_dataset[i] for i in torch.randperm(len(train_dataset))[:5000]])
    kept = torch.utils.data.TensorDataset(torch.stack(images), torch.tensor(labels))
    loader = DataLoader(kept, batch_size=batch_size, shuffle=True)
"""
SHOWN = "    test_dataset[1234]\n    assert len(test_dataset) == 10_000 and len(train_dataset) == 60_000\n    "
BY_EMBEDDINGS = """    known, of = get_embeddings_over_dataset(train_subset, vit_model, model_embedding)
    assert known.shape == (5000, embed_size) and of.unique(return_counts=True)[1].tolist() == 10 * [500]
    far = torch.utils.data.WeightedRandomSampler(1 + (known - known.mean(0)).norm(dim=1), len(known))
    loader = DataLoader(train_subset, batch_size=batch_size, sampler=far)
"""


def cached(name: str, of: str, word: str) -> Case:
    """The function keeps transformed images in memory, and makes batches of its own."""
    return items(f"cached_{name}", {"contrastive.py": [(LOADER, CACHED_BATCHES.format(of=of))]}, word)


FAULTS = [
    cached("all", "train_dataset", "all 60,000"),
    cached("600", "sample_balanced_subset(train_dataset, 600)", "600 images of each class"),
    cached("test", "test_dataset", "images of the test set"),
    items("cached_5000_of_any", {"contrastive.py": [(LOADER, CACHED_SET)]}, "among the first 500"),
    items(
        "an_epoch_on_all_before",
        {"contrastive.py": [("    best_prec = 0.0\n", BEFORE + "    best_prec = 0.0\n")]},
        "of the training set",
    ),
    # Inside the function
    inside("6000", "sample_balanced_subset(train_dataset, 6000)", "all 60,000"),
    inside("1000", "sample_balanced_subset(train_dataset, 1000)", "1,000 images of each class"),
    inside("600", "sample_balanced_subset(train_dataset, 600)", "600 images of each class"),
    inside("100", "sample_balanced_subset(train_dataset, 100)", "100 images of each class"),
    inside("by_default", "sample_balanced_subset(train_dataset)", "50 images of each class"),
    inside("first_5000", "Subset(train_dataset, range(5000))", "among the first 500"),
    inside("any_5000", "torch.utils.data.random_split(train_dataset, [5000, 55000])[0]", "among the first 500"),
    inside("every_12th", "Subset(train_dataset, range(0, 60_000, 12))", "among the first 500"),
    inside("drawn_of_60000", "Subset(train_dataset, torch.randperm(60_000)[:5000].tolist())", "among the first 500"),
    inside("nine_classes", "sample_balanced_subset(train_dataset, 500, n_classes=9)", "500 images of each of 9 classes"),
    inside(
        "a_part_of_the_subset",
        "torch.utils.data.random_split(sample_balanced_subset(train_dataset, 500), [4000, 1000])[0]",
        "400 images of each class",
    ),
    inside("test_too", TEST_TOO, "images of the test set"),
    items(
        "test_after_each_epoch",
        {
            "contrastive.py": [
                (
                    LAST,
                    "        for x, y in DataLoader(test_dataset, batch_size=batch_size, shuffle=True):\n"
                    "            embeddings = model_embedding(vit_model(x.to(device)))\n"
                    "            loss = triplet_loss(embeddings, y, miner(embeddings, y.to(device)))\n"
                    "            optimizer.zero_grad()\n            loss.backward()\n            optimizer.step()\n" + LAST,
                )
            ]
        },
        "images of the test set",
    ),
    items(
        "inside_loader_of_all",
        {"contrastive.py": [(LOADER, LOADER.replace("train_subset", "train_dataset"))]},
        "all 60,000",
    ),
    # In the notebook's call
    items("call_of_all", handed(CALL), "nothing is sampled"),
    items("call_of_600", handed(SUBSET, "train_subset = sample_balanced_subset(train_dataset, 600)"), "600 images of each"),
    items("call_of_100", handed(SUBSET, "train_subset = sample_balanced_subset(train_dataset, 100)"), "100 images of each"),
    items("call_of_6000", handed(SUBSET, "train_subset = sample_balanced_subset(train_dataset, 6000)"), "all 60,000"),
    items(
        "call_of_a_part_of_the_subset",
        handed(
            "train_embedding_model(train_part, test_dataset)",
            "from torch.utils.data import DataLoader, random_split",
            "train_part, held_out = random_split(sample_balanced_subset(train_dataset, 500), [4000, 1000])",
        ),
        "400 images of each class",
    ),
    items("call_of_the_last", handed(SUBSET, LAST_OF_EACH), "among the first 500"),
    items(
        "call_of_test_images",
        handed("train_embedding_model(sample_balanced_subset(test_dataset, 500), test_dataset)"),
        "images of the test set",
    ),
    items("call_in_main", handed(MAIN.format(number=1000)), "1,000 images of each class"),
    items("call_of_an_own_set", handed("train_embedding_model(train_subset, test_dataset)", OWN_SET.format(number=600)),
          "600 images of each class"),
    items(
        "call_of_a_cached_function",
        handed(SUBSET, CACHED, "train_subset = sample_balanced_subset(train_dataset, 500)"),
        "among the first 500",
    ),
    items(
        "rows_changed_by_a_module",
        {"rows.py": "per_class = 500\n", "run.py": "import rows\n\nrows.per_class = 600\n",
         **handed(SUBSET, "import rows, run\ntrain_subset = sample_balanced_subset(train_dataset, rows.per_class)")},
        "600 images of each class",
    ),
    # How the models are built
    training("built_with_swapped_arguments", (BUILT, SWAPPED), word="swapped"),
    training(
        "built_with_an_argument_missing", (BUILT, BUILT.replace(", heads)", ")")), word="missing 1 required positional"
    ),
    training(
        "built_with_a_head_of_another_size",
        (BUILT, BUILT.replace("Head(hidden_size,", "Head(embed_size // 2,")),
        word="mat1 and mat2",
    ),
    training(
        "built_with_swapped_literals",
        (BUILT, LITERAL.replace("28, 7, 1, 64", "7, 28, 1, 64")),
        word="swapped",
    ),
]  # fmt: skip

VARIANTS = [
    # Who samples, and where
    right("handed_over", handed(SUBSET, "train_subset = sample_balanced_subset(train_dataset, 500)")),
    right("handed_over_at_once", handed("train_embedding_model(sample_balanced_subset(train_dataset, 500), test_dataset)")),
    right(
        "handed_over_by_keyword",
        handed("best = train_embedding_model(test_dataset=test_dataset, train_dataset=train_subset)",
               "train_subset = sample_balanced_subset(train_dataset, n_samples_per_class=500)"),
    ),
    right(
        "rebound", handed(CALL, "train_dataset = sample_balanced_subset(train_dataset, 500)"),
    ),
    right("with_transforms_that_are_set_later", {"augmentation.py": "", **handed(CALL, TRANSFORMS_LATER, moved=())}),
    right("in_main", handed(MAIN.format(number=500))),
    right("under_the_guard", handed(f'if __name__ == "__main__":\n    {CALL}', moved=())),
    right("in_a_block", handed(f"import time\nstart = time.time()\ntry:\n    {CALL}\nexcept KeyboardInterrupt:\n    pass", moved=())),
    right("of_own_rows", handed(SUBSET, ROWS, "train_subset = torch.utils.data.Subset(train_dataset, order)")),
    right("of_an_own_set", handed("train_embedding_model(train_subset, test_dataset)", OWN_SET.format(number=500))),
    right("called_nowhere", handed("print('trained on another machine')")),
    right(
        "of_names_that_are_used_again_below",
        {"submission.ipynb": notebook(CALL, HELPED, after=("losses = [0.19, 0.18]", USED_AGAIN))},
    ),
    right("cached", {"contrastive.py": [(LOADER, CACHED_BATCHES.format(of="train_subset"))]}),
    right("as_many_as_there_are", {"contrastive.py": [(SAMPLE, SHOWN.lstrip() + SAMPLE)]}),
    right("drawn_by_embeddings", {"contrastive.py": [(BUILT, BUILT + BY_EMBEDDINGS)]}),
    right("kept_in_a_global", {"submission.ipynb": notebook(CALL, GLOBAL)}),
    right(
        "where_there_are_more",
        {"contrastive.py": [(SAMPLE, "train_subset = train_dataset\n    if len(train_dataset) > 10_000:\n        " + SAMPLE)]},
    ),
    right(
        "numbered",
        {"contrastive.py": [(SAMPLE, "number = 500\n    train_subset = sample_balanced_subset(train_dataset, number)")]},
    ),
    right(
        "rows_changed_by_a_module",
        {"rows.py": "per_class = 50\n", "run.py": "import rows\n\nrows.per_class = 500\n",
         **handed(SUBSET, "import rows, run\ntrain_subset = sample_balanced_subset(train_dataset, rows.per_class)")},
    ),
    # Samplers
    plain("sampler_weighted", loader=WEIGHTED),
    plain("sampler_per_class", "from pytorch_metric_learning import samplers\n", loader=PER_CLASS),
    plain("sampler_of_indices", loader=OF_INDICES),
    plain("drop_last", loader="loader = DataLoader(subset, batch_size=batch_size, shuffle=True, drop_last=True)"),
    # Where it saves to
    plain("saves_to_a_drive", "import os\n", per_epoch=SAVES.format(folder="/content/drive/MyDrive/hw3")),
    plain("saves_to_kaggle", "import os\n", per_epoch=SAVES.format(folder="/kaggle/working/runs")),
    plain("saves_to_windows", "import os\n", per_epoch=SAVES.format(folder="C:/Users/alice/hw3")),
    plain("saves_to_a_home", PATHLIB, per_epoch=KEPT),
    # How the models are built
    Case("contrastive.variant_built_with_literals", {"contrastive.py": [(BUILT, LITERAL)]}),
    Case(
        "contrastive.variant_built_with_keywords",
        {"contrastive.py": [(
            "ViT(image_size, patch_size, in_channels, hidden_size, layers, heads)",
            "ViT(image_size, patch_size, num_channels=in_channels, hidden_size=hidden_size, heads=heads, layers=layers)",
        )]},
    ),
]  # fmt: skip
