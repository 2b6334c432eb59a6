"""Part 3: the blocks that are given, changed; and a training on other data than the 5,000 images."""

from grader.assignments.vit.corpus.contrastive_lines import LOADER, OTHERWISE, PROTECTED, SAMPLE, fault, protected
from grader.assignments.vit.corpus.notebooks import CALL, Notebook, edit, training_cell
from grader.audit import Case

SAVES = '        torch.save(checkpoint, "vit_embeds.pt")\n'


def _swapped(notebook: Notebook) -> None:
    training_cell(notebook)["source"] = CALL.replace("train_dataset, test_dataset", "test_dataset, train_dataset")


FAULTS = [
    Case("contrastive.protected_call_swapped", {"submission.ipynb": edit(_swapped)}, (PROTECTED,), "the test set"),
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
    # The blocks that are given
    protected(
        "dataset_ends_after_four_batches",
        (
            "        labels.append(y)\n    return",
            "        labels.append(y)\n        if len(labels) >= 4:\n            break\n    return",
        ),
        word="expected embeddings (2520",
    ),
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
        "models_exchanged",
        ("get_embeddings(x, vit_model, model_embedding))", "get_embeddings(x, model_embedding, vit_model))"),
        word="in this order",
    ),
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
        "over_shuffled",
        ("in DataLoader(dataset, batch_size=500):", "in DataLoader(dataset, batch_size=500, shuffle=True):"),
        word="another order than the items",
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
    protected(
        "end_writes_equal", ("    if precision > best_prec:", "    if precision >= best_prec:"), word="equals the best"
    ),
    protected("end_writes_never", ("    if precision > best_prec:", "    if precision > 1:"), word="no vit_embeds.pt"),
    protected(
        "end_keeps_worst", ("    if precision > best_prec:", "    if precision < best_prec:"), word="no vit_embeds.pt"
    ),
    protected(
        "end_writes_much_better_ones",
        ("    if precision > best_prec:", "    if precision > best_prec + 0.01:"),
        word="by 0.001",
    ),
    protected(
        "end_writes_once",
        ("    if precision > best_prec:", "    if precision > best_prec and not os.path.exists('vit_embeds.pt'):"),
        ("import torch\nfrom pytorch", "import os\n\nimport torch\nfrom pytorch"),
        word="by 0.001",
    ),
    protected(
        "end_rounds",
        ("    if precision > best_prec:", "    precision = round(precision, 2)\n    if precision > best_prec:"),
        word="Precision@1",
    ),
    protected("end_renames_key", ('"precision@1": best_prec', '"precision": best_prec'), word="precision@1"),
    protected("end_claims_more", ('"precision@1": best_prec', '"precision@1": best_prec + 0.1'), word="precision@1"),
    protected(
        "precision_in_percent",
        ("return float(accuracies", "return 100 * float(accuracies"),
        word="not percent",
    ),
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
    protected(
        "end_returns_nothing",
        ("    return best_prec\n\n\ndef train", "\n\ndef train"),
        word="to be returned, got no number",
    ),
    protected(
        "end_returns_nothing_as_nobody_asks",
        ("    return best_prec\n\n\ndef train", "\n\ndef train"),
        ("        best_prec = evaluate_at_end_epoch(", "        evaluate_at_end_epoch("),
        word="to be returned, got no number",
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
    *(
        Case(
            f"contrastive.variant_checkpoint_saved_{where}",
            {"contrastive.py": [(SAVES, SAVES.replace('"vit_embeds.pt"', path))]},
            (),
            "",
            ("protected.modified",),
        )
        for where, path in (
            ("to_the_drive", '"/content/drive/MyDrive/hw3/vit_embeds.pt"'),
            ("on_windows", r'"C:\\Users\\me\\hw3\\vit_embeds.pt"'),
        )
    ),
    Case(
        "contrastive.variant_checkpoint_saved_in_the_folder_of_the_notebook",
        {
            "contrastive.py": [
                ("import torch\n", "import os\n\nimport torch\n\nFOLDER = os.getcwd()\n"),
                (SAVES, SAVES.replace('"vit_embeds.pt"', 'os.path.join(FOLDER, "vit_embeds.pt")')),
            ]
        },
        (),
        "",
        ("protected.modified",),
    ),
    Case(
        "contrastive.variant_checkpoint_saved_beside_the_module",
        {
            "contrastive.py": [
                (
                    "import torch\n",
                    "from pathlib import Path\n\nimport torch\n\nFOLDER = Path(__file__).resolve().parent\n",
                ),
                (SAVES, SAVES.replace('"vit_embeds.pt"', 'FOLDER / "vit_embeds.pt"')),
            ]
        },
        (),
        "",
        ("protected.modified",),
    ),
    Case(
        "contrastive.variant_protected_written_otherwise",
        {"contrastive.py": [OTHERWISE]},
        (),
        "",
        ("protected.modified",),
    ),
]
