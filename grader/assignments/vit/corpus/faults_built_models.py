"""How the training builds its models, learns from each batch and calls the evaluation: slips that mutants showed."""

from typing import Any

from grader.assignments.vit.corpus.contrastive_bodies import edited
from grader.assignments.vit.corpus.contrastive_lines import (
    ARGUMENTS,
    COMPUTE,
    LOADER,
    MODELS,
    PROTECTED,
    SAMPLE,
    SOLVED,
    training,
)
from grader.audit import Case

__all__ = ["FAULTS", "VARIANTS"]

TRAINING, SCORES = "contrastive.training", ("vit.accuracy", "contrastive.precision")  # no checkpoint fits then
BEST = "    best_prec = 0.0\n"
SIZES = "image_size, patch_size, in_channels, hidden_size, layers, heads"
CONFIG = """

class Config:
    image, patch, channels, width, depth, attention, out = 28, 7, 1, 64, 3, 2, 64
"""


def vit(name: str, arguments: str, word: str) -> Case:
    """The ViT is built with other arguments."""
    return training(f"built_{name}", (MODELS, MODELS.replace(SIZES, arguments)), word=word)


def number(name: str, *edits: tuple[str, str], word: str, costs: tuple[str, ...] = SCORES) -> Case:
    """Hyperparameters with which no model can be built."""
    return Case(f"contrastive.built_of_{name}", {"hyperparameters.py": list(edits)}, (TRAINING, *costs), word)


def evaluation(name: str, argument: str, given: str, word: str) -> Case:
    return training(f"evaluates_{name}", (ARGUMENTS, ARGUMENTS.replace(argument, given)), word=word)


def own_sizes(name: str, more: str, arguments: str, of_head: str) -> Case:
    """Sizes under names of the student's own."""
    built = MODELS.replace(SIZES, arguments).replace("hidden_size, embed_size", of_head)
    edits: Any = [(MODELS, built), ("def get_embeddings(x", f"{more}\n\n\ndef get_embeddings(x")]
    return edited(f"built_of_{name}", *edits)


FAULTS = [
    vit(
        "with_layers_and_heads_exchanged", SIZES.replace("layers, heads", "heads, layers"), "layers is 2 and heads is 3"
    ),
    vit("with_layers_for_channels", SIZES.replace("in_channels", "layers"), "num_channels is not 1"),
    vit("with_hidden_size_for_heads", SIZES.replace("heads", "hidden_size"), "`hidden_size` in the place of `heads`"),
    vit(
        "in_another_order",
        "image_size, patch_size, hidden_size, in_channels, layers, heads",
        "num_channels and hidden_size exchanged",
    ),
    training(
        "built_head_with_heads",
        (MODELS, MODELS.replace("embed_size", "heads")),
        word="`heads` in the place of `embed_size`",
    ),
    number("a_tuple", ("hidden_size = 64", "hidden_size = 64,"), word="take away the comma"),
    number("a_text", ("layers = 3", 'layers = "3"'), word="layers is '3', and not a whole number"),
    number("heads_that_do_not_divide", ("heads = 2", "heads = 3"), word="cannot be divided by heads=3"),
    *(
        Case(
            f"contrastive.built_of_{name}_beside_shared_blocks",
            {
                "hyperparameters.py": [number],
                "vit_model.py": [
                    (
                        "*[ResidualAttentionBlock(width, heads) for _ in range(layers)]",
                        "*[ResidualAttentionBlock(width, heads)] * int(layers)",
                    )
                ],
            },
            (TRAINING, "vit.attention_block"),
            word,
        )
        for name, number, word in (
            ("heads_that_do_not_divide", ("heads = 2", "heads = 3"), "cannot be divided by heads=3"),
            ("three_channels", ("in_channels = 1", "in_channels = 3"), "num_channels is not 1"),
            ("no_layers", ("layers = 3", "layers = 0"), "has one block or more"),
            ("a_text", ("layers = 3", 'layers = "3"'), "layers is '3', and not a whole number"),
        )
    ),
    number("three_channels", ("in_channels = 1", "in_channels = 3"), word="on one image of shape (1, 1, 28, 28)"),
    *(
        Case(
            f"contrastive.{name}",
            {"hyperparameters.py": [(old, new)]},
            (TRAINING, "contrastive.scheduler"),
            f"`{old.split()[0]}` (hyperparameters.py, line {line}) is {word}",
        )
        for name, old, new, line, word in (
            ("margin_with_a_comma", "margin = 0.2", "margin = 0,2", 34, "a tuple of 2"),
            ("margin_of_none", "margin = 0.2", "margin = None", 34, "None: give it a number"),
            ("epochs_with_a_point", "num_epochs = 25", "num_epochs = 25.0", 29, "25.0: write a whole number, 25"),
        )
    ),
    # Another head than the submission's own
    training(
        "another_head_than_its_own",
        (MODELS, MODELS.replace("LinearEmbeddingHead(hidden_size", "nn.Linear(hidden_size")),
        word="is Linear, not your LinearEmbeddingHead",
    ),
    training(
        "head_of_the_classifier",
        (MODELS, MODELS.replace("LinearEmbeddingHead(hidden_size", "ClassificationHead(hidden_size")),
        ("from vit_model import ", "from vit_model import ClassificationHead, "),
        word="is ClassificationHead, not your LinearEmbeddingHead",
    ),
    # The evaluation's arguments
    training("evaluates_with_a_best_of_one", (BEST, BEST.replace("0.0", "1.0")), word="best_prec=1: a model is kept"),
    evaluation("with_the_loss_as_best", "best_prec", "total_loss", "though it has returned 0.5"),
    evaluation("with_a_number_as_set", "train_subset", "epoch", "no data set as its reference set"),
    evaluation("with_parameters_as_set", "train_subset", "parameters", "no data set as its reference set"),
    evaluation("with_a_loader_as_set", "train_subset", "loader", "no data set as its reference set"),
    # Batches that nothing is learned from
    training(
        "not_shuffled_and_accumulated",
        (LOADER, LOADER.replace(", shuffle=True", "")),
        (
            "            optimizer.zero_grad()\n            loss.backward()\n            optimizer.step()\n",
            "            loss.backward()\n            if (step := step + 1) % 4 == 0:\n                optimizer.step()\n"
            "                optimizer.zero_grad()\n",
        ),
        ("        total_loss = 0.0\n", "        total_loss, step = 0.0, 0\n"),
        word="shuffle=True",
    ),
    training("not_shuffled", (LOADER, LOADER.replace(", shuffle=True", "")), word="shuffle=True"),
    Case(
        "contrastive.accumulates_without_end",
        {
            "contrastive.py": [
                ("        for x, y in loader:\n", "        for number, (x, y) in enumerate(loader):\n"),
                (
                    "            optimizer.zero_grad()\n            loss.backward()\n            optimizer.step()\n",
                    "            loss.backward()\n            if (number + 1) // 4 == 0:\n"
                    "                optimizer.step()\n                optimizer.zero_grad()\n",
                ),
            ]
        },
        (TRAINING,),
        "lead to no step",
    ),
    Case(
        "contrastive.loss_given_labels_first",
        {"contrastive.py": [(COMPUTE, COMPUTE.replace("embeddings, y,", "y, embeddings,"))]},
        (TRAINING, "contrastive.scheduler"),
        "The order is loss(embeddings, labels, triplets)",
    ),
    # The number of images
    Case(
        "contrastive.items_one_less", {"contrastive.py": [(SAMPLE, SAMPLE.replace("500", "499"))]}, (PROTECTED,), "499"
    ),
    Case(
        "contrastive.items_one_less_by_hand",
        {
            "contrastive.py": [
                (
                    SAMPLE,
                    "labels = train_dataset.targets\n"
                    "    rows = [int(i) for c in range(10) for i in torch.where(labels == c)[0][:499]]\n"
                    "    train_subset = Subset(train_dataset, rows)",
                )
            ]
        },
        (PROTECTED,),
        "499 images of each class",
    ),
    # A slip in a function that the given blocks call, and nothing in them
    Case(
        "contrastive.embeddings_cannot_be_parsed",
        {"contrastive.py": [(SOLVED, SOLVED.replace("model_embedding.eval()", "model_embedding.eval("))]},
        ("contrastive.embeddings",),
        "cannot be parsed",
        ("syntax.error",),
    ),
    Case(  # the evaluation calls it so, and works
        "contrastive.embeddings_under_another_name",
        {
            "contrastive.py": [
                ("def get_embeddings(x", "def embed(x"),
                ("get_embeddings(x, vit_model, model_embedding))", "embed(x, vit_model, model_embedding))"),
            ]
        },
        ("contrastive.embeddings",),
        "`get_embeddings` is not defined",
        ("protected.modified",),
    ),
    Case(
        "contrastive.embeddings_take_the_images_last",
        {
            "contrastive.py": [
                (
                    "def get_embeddings(x: Tensor, vit_model: nn.Module, model_embedding: nn.Module)",
                    "def get_embeddings(vit_model: nn.Module, model_embedding: nn.Module, x: Tensor)",
                ),
                ("get_embeddings(x, vit_model, model_embedding))", "get_embeddings(vit_model, model_embedding, x))"),
            ]
        },
        ("contrastive.embeddings",),
        "raised",
        ("protected.modified",),
    ),
]

VARIANTS = [
    edited("built_with_the_same_literals", (MODELS, MODELS.replace(SIZES, "28, 7, 1, 64, 3, 2"))),
    edited(
        "built_with_literals_and_keywords",
        (
            MODELS,
            MODELS.replace(SIZES, "patch_size=7, image_size=28, heads=2, layers=3, hidden_size=64, num_channels=1"),
        ),
    ),
    own_sizes(
        "a_class",
        CONFIG,
        "Config.image, Config.patch, Config.channels, Config.width, Config.depth, Config.attention",
        "Config.width, Config.out",
    ),
    own_sizes(
        "a_dict",
        "SIZES = dict(image_size=28, patch_size=7, num_channels=1, hidden_size=64, layers=3, heads=2)",
        "**SIZES",
        'SIZES["hidden_size"], embed_size=64',
    ),
    edited(
        "built_with_the_same_number", (MODELS, MODELS.replace("hidden_size, embed_size", "hidden_size, hidden_size"))
    ),
    edited(
        "head_in_a_sequence",
        (
            MODELS,
            MODELS.replace(
                "LinearEmbeddingHead(hidden_size, embed_size)",
                "nn.Sequential(LinearEmbeddingHead(hidden_size, embed_size), nn.Identity())",
            ),
        ),
    ),
    edited("best_begins_below_all", (BEST, BEST.replace("0.0", 'float("-inf")'))),
]
