"""Part 3: ``get_embeddings`` written otherwise."""

from grader.assignments.vit.corpus.contrastive_bodies import embeddings
from grader.audit import Case

FORWARD = '    def forward(self, x: Tensor) -> Tensor:\n        """'
BY_NAME = "model_embedding(x=vit_model(pixel_values=x.to(device)))"

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
    embeddings(
        "by_parts_of_its_own_models",
        """    vit_model.eval(), model_embedding.eval()
    with torch.no_grad():
        tokens = vit_model.transformer(vit_model.ln_pre(vit_model.pos_embed(vit_model.patch_embed(x.to(device)))))
        return F.normalize(model_embedding.fc(vit_model.ln_post(tokens[:, 0])), dim=1).cpu()
""",
    ),
    Case(
        "contrastive.variant_vit_called_by_a_name_of_its_own",
        {
            "vit_model.py": [
                (f"{FORWARD}Describe each image", f"{FORWARD.replace('x:', 'pixel_values:')}Describe each image"),
                ("        x = self.patch_embed(x)", "        x = self.patch_embed(pixel_values)"),
            ],
            "contrastive.py": [
                ("        embeddings = model_embedding(vit_model(x.to(device)))", f"        embeddings = {BY_NAME}"),
                ("            embeddings = model_embedding(vit_model(x))", f"            embeddings = {BY_NAME}"),
            ],
            "application.py": [
                (
                    "                features = vit_model(x.to(device))",
                    "                features = vit_model(pixel_values=x.to(device))",
                ),
                (
                    "                logits = classifier(vit_model(x.to(device)))",
                    "                logits = classifier(x=vit_model(pixel_values=x.to(device)))",
                ),
            ],
        },
    ),
]
