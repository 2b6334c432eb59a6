"""Part 3: what students get wrong in ``get_embeddings``."""

from grader.assignments.vit.corpus.contrastive_lines import BODY, RETURN, embeddings

FAULTS = [
    embeddings(
        "numpy",
        "    vit_model, model_embedding = vit_model.to(device).eval(), model_embedding.to(device).eval()\n"
        "    return model_embedding(vit_model(x.to(device))).detach().cpu().numpy()\n",
        word="NumPy array",
    ),
    embeddings(
        "of_noisy_images",
        BODY.replace("vit_model(x.to(device))", "vit_model(x.to(device) + 0.1 * torch.randn_like(x).to(device))")
        + RETURN,
        "something random",
    ),
    embeddings(
        "randomly_flipped",
        BODY.replace("(x.to(device))", "(torch.where(torch.rand(len(x), 1, 1, 1) < 0.5, x.flip(3), x).to(device))")
        + RETURN,
        "something random",
    ),
    embeddings(
        "noise_added",
        BODY + "    embeddings = embeddings + 0.01 * torch.randn_like(embeddings)\n" + RETURN,
        "something random",
    ),
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
    embeddings(
        "features_of_its_own_models_turned_round",
        BODY.replace("model_embedding(vit_model(x.to(device)))", "model_embedding.fc(vit_model(x.to(device))).flip(1)")
        + RETURN,
        "other values",
    ),
    embeddings("large_batches_cut", "    x = x[:64]\n" + BODY + RETURN, "left out"),
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
    embeddings("squeezed", BODY + "    return embeddings.squeeze().cpu()\n", "(1, 64)"),
    embeddings("first_only", BODY + "    return embeddings[0].cpu()\n", "One vector"),
    embeddings("sum", BODY + "    return embeddings.sum(dim=1).cpu()\n", "(5, 64)"),
    embeddings("rounded", BODY + "    return embeddings.sign().cpu()\n", "head(ViT(x))"),
]
