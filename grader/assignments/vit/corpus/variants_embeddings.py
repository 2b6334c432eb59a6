"""Part 3: ``get_embeddings`` written otherwise."""

from grader.assignments.vit.corpus.contrastive_bodies import embeddings

VARIANTS = [
    # get_embeddings
    embeddings(
        "raw",
        """    vit_model.eval(), model_embedding.eval()
    with torch.inference_mode():
        return model_embedding(vit_model(x.to(device))).cpu()
""",
    ),
    embeddings(
        "one_by_one",
        """    vit_model.eval()
    model_embedding.eval()
    with torch.no_grad():
        rows = [model_embedding(vit_model(image.unsqueeze(0).to(device))) for image in x]
    return torch.cat(rows).detach().cpu()
""",
    ),
    embeddings(
        "sequential",
        """    model = nn.Sequential(vit_model, model_embedding).eval()
    with torch.set_grad_enabled(False):
        z = model(x.to(device))
    return (z / z.norm(dim=1, keepdim=True)).to("cpu")
""",
    ),
    embeddings(
        "modes_restored",
        """    was = vit_model.training, model_embedding.training
    vit_model.eval(), model_embedding.eval()
    with torch.no_grad():
        z = model_embedding(vit_model(x.to(device)))
    vit_model.train(was[0]), model_embedding.train(was[1])
    return z.cpu()
""",
    ),
    embeddings(
        "bfloat16",
        """    vit_model.eval(), model_embedding.eval()
    with torch.no_grad(), torch.autocast(device.type, dtype=torch.bfloat16):
        return model_embedding(vit_model(x.to(device))).cpu()
""",
    ),
    embeddings(
        "of_copies",
        """    import copy
    vit, head = copy.deepcopy(vit_model).eval(), copy.deepcopy(model_embedding).eval()
    with torch.no_grad():
        return head(vit(x.to(device))).cpu()
""",
    ),
]
