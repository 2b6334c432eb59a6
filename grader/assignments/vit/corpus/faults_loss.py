"""Part 3: what students get wrong in the loss and its miner."""

from grader.assignments.vit.corpus.contrastive_lines import (
    BACKWARD,
    COMPUTE,
    EMBED,
    LOADER,
    LOSS,
    MINE,
    MINER,
    OPTIMIZER,
    TRAINING,
    training,
)
from grader.assignments.vit.corpus.vit_lines import MHA
from grader.audit import Case

MAXIMIZING = OPTIMIZER.replace("lr=lr", "lr=lr, maximize=True")

FAKE = """class TripletLoss(losses.TripletMarginLoss):
    def forward(self, embeddings, labels=None, indices_tuple=None, ref_emb=None, ref_labels=None):
        return nn.functional.cross_entropy(embeddings, labels)


"""

FAULTS = [
    training("loss_negated", (COMPUTE, COMPUTE.replace("triplet_loss(", "-triplet_loss(")), word="sign of the loss"),
    training("backward_of_minus_the_loss", (BACKWARD, "            (-loss).backward()\n"), word="sign of the loss"),
    training("loss_subtracted_from_the_margin", (BACKWARD, "            (margin - loss).backward()\n"), word="larger"),
    training(
        "backward_of_another_loss",
        (BACKWARD, "            (loss.detach() + embeddings.pow(2).mean()).backward()\n"),
        word="whether backward() is called on another loss",
    ),
    training(
        "labels_of_the_first_item",
        (EMBED, EMBED + "            y = y[0].expand(len(y))\n"),
        word="other labels than those",
    ),
    training("optimizer_maximizes", (OPTIMIZER, MAXIMIZING), word="maximize=True"),
    training(
        "miner_unused",
        (COMPUTE, "            loss = triplet_loss(embeddings, y)\n"),
        word="not given to the loss",
        warns=("miner.unused",),
    ),
    training(
        "loss_that_only_looks_like_one",
        ("def train_embedding_model(", FAKE + "def train_embedding_model("),
        (LOSS, "triplet_loss = TripletLoss(margin=margin)"),
        word="`TripletLoss` is a subclass of TripletMarginLoss that computes something else",
    ),
    training(
        "miner_for_a_loss_that_is_thrown_away",
        (COMPUTE, COMPUTE + "            loss = triplet_loss(embeddings, y)\n"),
        word="whose result is thrown away",
        warns=("miner.unused",),
    ),
    training(
        "loss_of_next_to_no_weight",
        (COMPUTE, COMPUTE + "            loss = 1e-20 * loss + F.cross_entropy(embeddings, y)\n"),
        ("from torch import Tensor, nn\n", "import torch.nn.functional as F\nfrom torch import Tensor, nn\n"),
        word="next to nothing",
    ),
    training(
        "loss_without_labels",
        (COMPUTE, "            loss = triplet_loss(embeddings, triplets)\n"),
        word="embeddings (B, E) first and then their labels",
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
    Case(  # no triplet is semihard where all embeddings are the same
        "contrastive.training_begins_with_one_feature",
        {
            "vit_model.py": [(MHA, MHA + "        nn.init.zeros_(self.attn.out_proj.weight)\n")],
            "contrastive.py": [('type_of_triplets="all"', 'type_of_triplets="semihard"')],
        },
        (TRAINING,),
        "the same feature for each image",
    ),
    training("loss_contrastive", (LOSS, "triplet_loss = losses.ContrastiveLoss()"), word="ContrastiveLoss"),
    training("loss_ntxent", (LOSS, "triplet_loss = losses.NTXentLoss()"), word="NTXentLoss"),
    training(
        "loss_multi_similarity", (LOSS, "triplet_loss = losses.MultiSimilarityLoss()"), word="MultiSimilarityLoss"
    ),
    training(
        "loss_of_torch_called_as_the_librarys",
        (LOSS, "triplet_loss = nn.TripletMarginLoss(margin=margin)"),
        word="pytorch_metric_learning.losses",
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
    training(
        "labels_of_another_loader",
        (
            "        for x, y in loader:\n",
            "        others = DataLoader(train_subset, batch_size=batch_size, shuffle=True)\n"
            "        for (x, _), (_, y) in zip(loader, others):\n",
        ),
        word="other labels than those of the images",
    ),
    training(
        "labels_of_images_in_another_order",
        (EMBED, f"            x = x[torch.randperm(len(x))]\n{EMBED}"),
        word="other labels than those of the images",
    ),
    training(
        "labels_of_embeddings_in_another_order",
        (EMBED, f"{EMBED}            embeddings = embeddings[torch.randperm(len(y))]\n"),
        word="other labels than those of the images",
    ),
    training(
        "labels_of_two_views_repeated",
        (
            EMBED,
            f"{EMBED}            embeddings = torch.cat([embeddings, model_embedding(vit_model(x.flip(-1)))])\n"
            "            y = y.repeat_interleave(2)\n",
        ),
        word="other labels than those of the images",
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
    training("easy_triplets", (MINER, MINER.replace('"all"', '"easy"')), word="triplet loss of each batch is 0"),
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
        "positives_and_negatives_exchanged",
        (COMPUTE, "            a, p, n = triplets\n            loss = triplet_loss(embeddings, y, (a, n, p))\n"),
        word="positives and negatives of the triplets are exchanged",
    ),
    training(
        "miner_on_the_batch_before",
        (MINE, "            older = triplets if total_loss else miner(embeddings, y)\n" + MINE),
        (COMPUTE, "            loss = triplet_loss(embeddings, y, older)\n"),
        word="than the loss",
    ),
    training(
        "miner_once_for_the_first_batch",
        (MINE, "            triplets = triplets if total_loss else miner(embeddings, y)\n"),
        word="other embeddings than the loss",
    ),
    training(
        "memory_without_a_miner",
        (MINER, ""),
        (LOSS, "triplet_loss = losses.CrossBatchMemory(losses.TripletMarginLoss(margin=margin), embed_size)"),
        (MINE, ""),
        (COMPUTE, "            loss = triplet_loss(embeddings, y)\n"),
        word="no miner is used",
        warns=("miner.unused",),
    ),
    training(
        "all_pairs_as_triplets",
        (MINER, "    from pytorch_metric_learning.utils import loss_and_miner_utils\n"),
        (MINE, "            triplets = loss_and_miner_utils.get_all_pairs_indices(y)\n"),
        word="no miner has chosen",
        warns=("miner.unused",),
    ),
    training(
        "labels_of_others_in_a_list",
        (
            LOADER,
            "    order = torch.randperm(len(train_subset)).tolist()\n"
            "    pairs = [(train_subset[i][0], train_subset[j][1]) for i, j in enumerate(order)]\n"
            "    loader = DataLoader(pairs, batch_size=batch_size, shuffle=True)\n",
        ),
        word="other labels than those of the images",
    ),
    training(
        "labels_reversed_by_collating",
        (
            LOADER,
            "    def reverse(batch):\n        images, labels = zip(*batch)\n"
            "        return torch.stack(images), torch.tensor(labels[::-1])\n\n"
            "    loader = DataLoader(train_subset, batch_size=batch_size, shuffle=True, collate_fn=reverse)\n",
        ),
        word="other labels than those of the images",
    ),
    training(
        "loss_times_0",
        (COMPUTE, COMPUTE.replace("triplet_loss(", "F.cross_entropy(embeddings, y) + 0.0 * triplet_loss(")),
        word="multiplied by 0",
    ),
    training(
        "triplets_at_random",
        (MINE, "            triplets = tuple(torch.randint(len(y), (3, 500), device=device))\n"),
        word="do not fit the labels",
    ),
]
