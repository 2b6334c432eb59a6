"""Code that never returns, in one place each, and code that is slow and right.

What never returns costs its own criteria and shortens the time of nothing else that is right.
"""

from grader.audit import Case

FOREVER = "        while True:\n            pass\n"
SLEEP = "    import time\n\n    time.sleep(10_000)\n"
FORWARD = "        x = self.patch_embed(x)  # (B, N, D)\n"
EMBED = "    vit_model.eval()\n    model_embedding.eval()\n"
KNN = "    distances = (ref - query).norm(dim=1)  # (M,): the query is broadcast over the rows\n"
SEARCH = "def retrieve_topk_nearest_neighbors_l2(query: Tensor, ref: Tensor, k: int = 5)"
TEST = "tfm_test = transforms.Compose([transforms.ToTensor(), normalise])\n"
SLOW_KNN = f"""    import time

    if not hasattr(retrieve_topk_nearest_neighbors_l2, "called"):
        retrieve_topk_nearest_neighbors_l2.called = True
        time.sleep(3)
{KNN}"""
# one call for each pixel of each image: as slow as code can well be
SLOW_PATCHES = """        slow = [[float(value) for value in row] for image in x.detach() for channel in image for row in channel]
        x = x + 0 * torch.tensor(slow).view(x.shape)
        x = self.patch_embed(x)  # (B, N, D)
"""
MODEL = ("vit.shapes", "vit.model", "vit.accuracy", "contrastive.precision")

FAULTS = [
    Case("time.forward", {"vit_model.py": [(FORWARD, FOREVER + FORWARD)]}, MODEL, "in forward (vit_model.py, line 20"),
    Case(
        "time.forward_beside_slow_code",
        {"vit_model.py": [(FORWARD, FOREVER + FORWARD)], "application.py": [(KNN, SLOW_KNN)]},
        MODEL,
        "no answer",
    ),
    Case("time.embeddings", {"contrastive.py": [(EMBED, SLEEP + EMBED)]}, ("contrastive.embeddings",), "no answer"),
    Case(
        "time.while_it_is_defined",
        {
            "application.py": [
                (
                    SEARCH,
                    "def chosen():\n"
                    + FOREVER.replace("        ", "    ", 1)
                    + "\n\n"
                    + SEARCH.replace("5)", "chosen())"),
                )
            ]
        },
        ("application.knn",),
        "did not come to an end",
    ),
    Case("time.knn", {"application.py": [(KNN, SLEEP + KNN)]}, ("application.knn",), "no answer"),
]

VARIANTS = [
    Case("time.slow_knn", {"application.py": [(KNN, SLOW_KNN)]}),
    Case("time.slow_forward", {"vit_model.py": [(FORWARD, SLOW_PATCHES)]}),
]
