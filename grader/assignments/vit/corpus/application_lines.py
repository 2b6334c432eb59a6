"""How a fault or a variant of the reference's ``application.py`` is written, and the lines that they change."""

from collections.abc import Callable

from grader.audit import Case

KNN, TRANSFER = ("application.knn",), ("application.transfer",)


def body(opening: str, text: str) -> Callable[[bytes], bytes]:
    """Replace one solution of application.py, from its opening line to its end."""

    def edit(source: bytes) -> bytes:
        before, begin, rest = source.decode().partition(f"    ### BEGIN SOLUTION: {opening}")
        _, end, after = rest.partition("    ### END SOLUTION\n")
        assert begin and end, opening
        lines = "".join(f"    {line}\n" if line else "\n" for line in text.strip("\n").splitlines())
        return f"{before}{lines}{after}".encode()

    return edit


def knn(name: str, text: str, word: str = "") -> Case:
    edits = {"application.py": body("return the k smallest", text)}
    return Case(f"application.knn_{name}", edits, KNN if word else (), word)


def transfer(name: str, text: str, word: str = "") -> Case:
    edits = {"application.py": body("train a new head", text)}
    return Case(f"application.transfer_{name}", edits, TRANSFER if word else (), word)


def changed(name: str, old: str, new: str, word: str = "") -> Case:
    return Case(f"application.transfer_{name}", {"application.py": [(old, new)]}, TRANSFER if word else (), word)


STEP = """            loss = F.cross_entropy(classifier(features), y.to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
"""
OPTIMIZER = "torch.optim.AdamW(classifier.parameters(), lr=lr, weight_decay=weight_decay)"
FROZEN = """            with torch.no_grad():
                features = vit_model(x.to(device))  # (B, D)
"""
COUNT = "                correct += (logits.argmax(dim=1).cpu() == y).sum().item()\n"
SHARE = "acc = correct / len(test_dataset)"
RETURN = '    return {"acc": acc, "vit": vit_model.state_dict(), "classifier": classifier.state_dict()}\n'

BEFORE = """    with torch.no_grad():
        hits = [classifier(vit_model(x)).argmax(1) == y for x, y in test_loader]
    before = torch.cat(hits).float().mean().item()
"""
