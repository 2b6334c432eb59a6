"""Part 4: a head trained on a frozen ViT, wrong in one way each, and right in other ways."""

from grader.assignments.vit.corpus.application_lines import (
    BEFORE,
    COUNT,
    FROZEN,
    OPTIMIZER,
    RETURN,
    SHARE,
    STEP,
    TRANSFER,
    changed,
    transfer,
)
from grader.assignments.vit.corpus.vit_lines import LOGITS
from grader.audit import Case


def of_another_name(old: bytes) -> bytes:
    return old.replace(b"ClassificationHead", b"Classifier")


APART = STEP.replace(
    "            optimizer.zero_grad()\n            loss.backward()\n",
    "            gradients = torch.autograd.grad(loss, list(classifier.parameters()))\n"
    "            for parameter, gradient in zip(classifier.parameters(), gradients):\n"
    "                parameter.grad = gradient\n",
)
FAULTS = [
    Case(
        "vit.heads_softmax_and_gradients_computed_apart",
        {"application.py": [(STEP, APART)],
         "vit_model.py": [(LOGITS, LOGITS.replace("self.fc(x)", "self.fc(x).softmax(dim=-1)"))]},
        ("vit.heads",),
        "a softmax sits inside the head",
    ),
    Case(  # everywhere, so that all works
        "application.transfer_head_of_another_name",
        {"vit_model.py": of_another_name, "application.py": of_another_name, "submission.ipynb": of_another_name},
        ("vit.shapes", "vit.heads", "vit.accuracy"),
        "`ClassificationHead` is not defined",
        ("protected.modified",),
    ),
    Case("application.transfer_trains_the_vit", {"application.py": [
        (FROZEN, "            features = vit_model(x.to(device))\n"),
        (OPTIMIZER, "torch.optim.AdamW([*vit_model.parameters(), *classifier.parameters()], lr=lr)"),
    ]}, TRANSFER, "head alone"),
    Case("application.transfer_new_vit", {"application.py": [
        ("from vit_model import ClassificationHead\n", "from hyperparameters import hidden_size\nfrom vit_model import ClassificationHead, ViT\n"),
        ("    vit_model = vit_model.to(device).eval()", "    vit_model = ViT(28, 7, 1, hidden_size, 3, 4).to(device).eval()"),
    ]}, TRANSFER, "not the one that was given"),
    Case("application.transfer_trains_a_copy", {"application.py": [
        ("import torch\n", "import copy\n\nimport torch\n"),
        ("    vit_model = vit_model.to(device).eval()", "    vit_model = copy.deepcopy(vit_model).to(device).eval()"),
        (FROZEN, "            features = vit_model(x.to(device))\n"),
        (OPTIMIZER, "torch.optim.AdamW([*vit_model.parameters(), *classifier.parameters()], lr=lr)"),
    ]}, TRANSFER, "not the one that was given"),
    Case("application.transfer_trains_a_copy_and_returns_the_given", {"application.py": [
        ("import torch\n", "import copy\n\nimport torch\n"),
        ("    vit_model = vit_model.to(device).eval()", "    given = vit_model\n    vit_model = copy.deepcopy(vit_model).to(device).eval()"),
        (FROZEN, "            features = vit_model(x.to(device))\n"),
        (OPTIMIZER, "torch.optim.AdamW([*vit_model.parameters(), *classifier.parameters()], lr=lr)"),
        ('"vit": vit_model.state_dict()', '"vit": given.state_dict()'),
    ]}, TRANSFER, "another ViT"),
    Case("application.transfer_puts_the_old_weights_back", {"application.py": [
        ("import torch\n", "import copy\n\nimport torch\n"),
        ("    vit_model = vit_model.to(device).eval()", "    vit_model = vit_model.to(device).eval()\n    given = copy.deepcopy(vit_model.state_dict())"),
        (FROZEN, "            features = vit_model(x.to(device))\n"),
        (OPTIMIZER, "torch.optim.AdamW([*vit_model.parameters(), *classifier.parameters()], lr=lr)"),
        ('    return {"acc"', '    vit_model.load_state_dict(given)\n    return {"acc"'),
    ]}, TRANSFER, "has its old weights again"),
    changed("train_mode", "vit_model.to(device).eval()", "vit_model.to(device).train()", "is in train mode while"),
    Case("application.transfer_features_of_another", {"application.py": [
        ("from vit_model import ClassificationHead\n", "from vit_model import ClassificationHead, ViT\n"),
        (FROZEN, "            with torch.no_grad():\n                features = other(x.to(device))\n"),
        ("    optimizer = torch", "    other = ViT(28, 7, 1, vit_model.hidden_size, 3, 4).eval()\n    optimizer = torch"),
    ]}, TRANSFER, "features"),
    changed("wrong_optimizer", OPTIMIZER, "torch.optim.AdamW(ClassificationHead(vit_model.hidden_size).parameters(), lr=lr)",
            "never trained"),
    changed("no_step", "            optimizer.step()\n", "", "never trained"),
    changed("no_backward", "            loss.backward()\n", "", "Is there a loss.backward()"),
    changed("no_zero_grad", "            optimizer.zero_grad()\n", "", "zero_grad"),
    changed("step_instead_of_zero_grad", "optimizer.zero_grad()", "optimizer.step()", "zero_grad"),
    changed("epochs_without_default", "num_epochs: int = 5", "num_epochs: int", "has no default"),
    changed("on_the_test_set", "DataLoader(train_dataset, batch_size", "DataLoader(test_dataset, batch_size", "test items"),
    changed("own_epochs", "in range(1, num_epochs + 1)", "in range(1, 6)", "num_epochs"),
    changed("head_made_anew_in_each_epoch", "in range(1, num_epochs + 1):\n", "in range(1, num_epochs + 1):\n"
            "        classifier = ClassificationHead(vit_model.hidden_size).to(device)\n"
            "        optimizer = torch.optim.AdamW(classifier.parameters(), lr=lr)\n", "3 heads are made"),
    changed("one_batch_an_epoch", "            optimizer.step()\n", "            optimizer.step()\n            break\n", "num_epochs"),
    changed("one_epoch_fewer", "in range(1, num_epochs + 1)", "in range(1, num_epochs)", "num_epochs"),
    changed("one_epoch_more", "in range(1, num_epochs + 1)", "in range(num_epochs + 1)", "num_epochs"),
    changed("returns_in_the_loop", RETURN, "    " + RETURN, "num_epochs"),
    changed("learns_from_the_last_batch", STEP, STEP.replace("            o", "        o").replace("            loss.b", "        loss.b"),
            "num_epochs"),
    changed("the_same_items_again", "in train_loader:", "in [next(iter(train_loader))] * len(train_loader):", "num_epochs"),
    changed("tuple", RETURN, "    return acc, vit_model.state_dict(), classifier.state_dict()\n", "dict"),
    changed("nothing", RETURN, "", "Nothing comes back"),
    changed("no_classifier", RETURN, '    return {"acc": acc, "vit": vit_model.state_dict()}\n', "classifier"),
    Case("application.transfer_accuracy_of_the_last_batch", {"application.py": [
        (COUNT, "                correct = (logits.argmax(dim=1).cpu() == y).sum().item()\n"),
        (SHARE, "acc = correct / len(y)"),
        ("DataLoader(test_dataset, batch_size=500)", "DataLoader(test_dataset, batch_size=32)"),
    ]}, TRANSFER, "last batch"),
    Case("application.transfer_accuracy_of_the_last_large_batch", {"application.py": [
        (COUNT, "                correct = (logits.argmax(dim=1).cpu() == y).sum().item()\n"),
    ]}, TRANSFER, "all batches"),
    Case("application.transfer_accuracy_on_the_training_set", {"application.py": [
        ("DataLoader(test_dataset, batch_size=500)", "DataLoader(train_dataset, batch_size=500)"),
        (SHARE, "acc = correct / len(train_dataset)"),
    ]}, TRANSFER, "training items"),
    changed("accuracy_by_the_batch_size", SHARE, "acc = correct / (len(test_loader) * 500)", "last batch is smaller"),
    changed("accuracy_never_reset", "        correct = 0\n", "        correct = 0 if epoch == 1 else correct\n", "goes on"),
    changed("accuracy_by_the_other_size", SHARE, "acc = correct / len(train_dataset)", "training set"),
    changed("count_of_the_right_ones", SHARE, "acc = correct", "how many are right"),
    changed("error_rate", SHARE, "acc = 1 - correct / len(test_dataset)", "error rate"),
    changed("error_rate_by_counting", COUNT, COUNT.replace("== y", "!= y"), "error rate"),
    changed("error_rate_in_percent", SHARE, "acc = 100 * (1 - correct / len(test_dataset))", "error rate"),
    Case("application.transfer_accuracy_of_the_first_batch", {"application.py": [
        (COUNT, COUNT + "                break\n"),
        (SHARE, "acc = correct / len(y)"),
        ("DataLoader(test_dataset, batch_size=500)", "DataLoader(test_dataset, batch_size=100)"),
    ]}, TRANSFER, "on 100 of"),
    Case("application.transfer_accuracy_of_a_part", {"application.py": [
        ("DataLoader(test_dataset, batch_size=500)", "DataLoader(Subset(test_dataset, range(0, 500)), batch_size=100)"),
        ("DataLoader, Dataset", "DataLoader, Dataset, Subset"),
        (SHARE, "acc = correct / 500"),
    ]}, TRANSFER, "on 500 of"),
    Case("application.transfer_accuracy_in_the_loop", {"application.py": [
        (SHARE, "    " + SHARE),
        ("                correct +=", "                correct ="),
        ("DataLoader(test_dataset, batch_size=500)", "DataLoader(test_dataset, batch_size=100)"),
    ]}, TRANSFER, "accuracy of the returned head"),
    Case("application.transfer_accuracy_of_training_batches", {"application.py": [
        (FROZEN, FROZEN + "            seen = seen + (classifier(features).argmax(dim=1).cpu() == y).float().mean().item()\n"),
        ("        for x, y in train_loader:", "        seen = 0.0\n        for x, y in train_loader:"),
        (SHARE, "acc = seen / len(train_loader)"),
    ]}, TRANSFER, "accuracy of the returned head"),
    changed("accuracy_of_half", SHARE, "acc = 0.5", "accuracy of the returned head"),
    changed("accuracy_of_a_usual_value", SHARE, "acc = 0.85", "accuracy of the returned head"),
    Case("application.transfer_accuracy_of_the_head_before", {"application.py": [
        ("    optimizer = torch", BEFORE + "    optimizer = torch"), (SHARE, "acc = before"),
    ]}, TRANSFER, "accuracy of the returned head"),
    changed("accuracy_that_is_nan", SHARE, "acc = float('nan')", "accuracy of the returned head"),
    changed("loss_as_accuracy", SHARE, "acc = F.cross_entropy(logits, y).item()", "accuracy of the returned head"),
    changed("head_of_25_classes", "ClassificationHead(vit_model.hidden_size)", "ClassificationHead(vit_model.hidden_size, 25)",
            "got one with 25"),
    changed("head_that_is_nan", RETURN,
            "    classifier.fc.weight.data.mul_(float('nan'))\n" + RETURN, "NaN or infinite logits"),
    changed("untrained_head_returned", RETURN,
            RETURN.replace("classifier.state_dict()", "ClassificationHead(vit_model.hidden_size).state_dict()"), "never trained"),
    changed("shuffled_labels", "F.cross_entropy(classifier(features), y.to(device))",
            "F.cross_entropy(classifier(features), y.flip(0).to(device))", "labels"),
    changed("labels_in_random_order", "F.cross_entropy(classifier(features), y.to(device))",
            "F.cross_entropy(classifier(features), y[torch.randperm(len(y))].to(device))", "labels"),
]  # fmt: skip


VARIANTS = [
    changed("gradients_computed_apart", STEP, APART),
    changed("gradients_by_torch_func", STEP, STEP.replace(
        "            optimizer.zero_grad()\n            loss.backward()\n",
        "            own = dict(classifier.named_parameters())\n"
        "            gradients = torch.func.grad(lambda p: F.cross_entropy(torch.func.functional_call(classifier, p, (features,)), y.to(device)))(own)\n"
        "            for name, parameter in own.items():\n"
        "                parameter.grad = gradients[name]\n")),
    transfer("right_with_lbfgs_on_features", """
import copy
backbone = copy.deepcopy(vit_model).to(device).requires_grad_(False).eval()
classifier = ClassificationHead(backbone.hidden_size).to(device)
def features(dataset):
    with torch.no_grad():
        parts = [(backbone(x.to(device)), y) for x, y in DataLoader(dataset, batch_size)]
    return torch.cat([f for f, _ in parts]), torch.cat([y for _, y in parts]).to(device)
inputs, labels = features(train_dataset)
optimizer = torch.optim.LBFGS(classifier.parameters(), lr=0.5, max_iter=20)
def closure():
    optimizer.zero_grad()
    loss = F.cross_entropy(classifier(inputs), labels)
    loss.backward()
    return loss
for _ in range(num_epochs):
    optimizer.step(closure)
held, truth = features(test_dataset)
acc = (classifier(held).argmax(1) == truth).float().mean().item()
return {"acc": acc, "vit": backbone.state_dict(), "classifier": classifier.state_dict()}
"""),
    changed("modules_returned", RETURN, '    return {"acc": acc, "vit": vit_model, "classifier": classifier}\n'),
    Case("application.transfer_frozen_for_good", {"application.py": [
        ("    classifier = ClassificationHead(", "    for p in vit_model.parameters():\n        p.requires_grad = False\n    classifier = ClassificationHead("),
        (FROZEN, "            features = vit_model(x.to(device))\n"),
        (OPTIMIZER, "torch.optim.Adam([*vit_model.parameters(), *classifier.parameters()], lr=1e-3)"),
    ]}),
    changed("slow", OPTIMIZER, "torch.optim.Adam(classifier.parameters(), lr=1e-4)"),
    changed("fast", OPTIMIZER, "torch.optim.SGD(classifier.parameters(), lr=0.1, momentum=0.9)"),
    changed("percent", SHARE, "acc = 100 * correct / len(test_dataset)"),
    Case("application.transfer_parts_of_the_vit", {"application.py": [
        ("    classifier = ClassificationHead(", "    for p in vit_model.transformer.parameters():\n        p.requires_grad_(False)\n    classifier = ClassificationHead("),
    ]}),
    Case("application.transfer_frozen_copy", {"application.py": [
        ("import torch\n", "import copy\n\nimport torch\n"),
        ("    vit_model = vit_model.to(device).eval()", "    vit_model = copy.deepcopy(vit_model).requires_grad_(False).to(device).eval()"),
    ]}),
    transfer("features_first", """
def features_of(dataset):
    rows = [(vit_model(x), y) for x, y in DataLoader(dataset, batch_size=256)]
    return torch.cat([x for x, _ in rows]), torch.cat([y for _, y in rows])

was = vit_model.training
vit_model.eval()
with torch.no_grad():
    x_train, y_train = features_of(train_dataset)
    x_test, y_test = features_of(test_dataset)
vit_model.train(was)
head = ClassificationHead(x_train.shape[1], 10)
optimizer = torch.optim.Adam(head.parameters(), lr=1e-3)
for _ in range(num_epochs):
    for rows in torch.randperm(len(x_train)).split(batch_size):
        optimizer.zero_grad()
        F.cross_entropy(head(x_train[rows]), y_train[rows]).backward()
        optimizer.step()
acc = (head(x_test).argmax(1) == y_test).float().mean().item()
return {"acc": acc, "vit": vit_model.state_dict(), "classifier": head.state_dict()}
"""),
    transfer("best_epoch", """
loader = DataLoader(train_dataset, batch_size=32, shuffle=True, drop_last=True)
test_loader = DataLoader(test_dataset, batch_size=64)
vit_model.eval()
for p in vit_model.parameters():
    p.requires_grad_(False)
classifier = ClassificationHead(vit_model.hidden_size)
optimizer = torch.optim.AdamW(classifier.parameters(), lr=1e-3)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, num_epochs)
best = {"acc": 0.0}
for _ in range(num_epochs):
    classifier.train()
    for x, y in loader:
        optimizer.zero_grad(set_to_none=True)
        loss = nn.CrossEntropyLoss(label_smoothing=0.1)(classifier(vit_model(x)), y)
        loss.backward()
        optimizer.step()
    scheduler.step()
    classifier.eval()
    accs = [(classifier(vit_model(x)).argmax(1) == y).float().mean() for x, y in test_loader]
    acc = torch.stack(accs).mean()
    if acc > best["acc"]:
        best = {"acc": acc, "vit": vit_model.state_dict(), "classifier": classifier.state_dict()}
return best
"""),
    *(changed(f"drops_the_last_of_{size}", "DataLoader(train_dataset, batch_size=batch_size, shuffle=True)",
              f"DataLoader(train_dataset, batch_size={size}, shuffle=True, drop_last=True)") for size in (200, 600, 1024)),
    Case("application.transfer_mirror_images", {"application.py": [
        ("        for x, y in train_loader:\n", "        for x, y in train_loader:\n            x, y = torch.cat([x, x.flip(-1)]), torch.cat([y, y])\n"),
    ]}),
    Case("application.transfer_two_random_views", {"application.py": [
        ("        for x, y in train_loader:\n", "        for x, y in train_loader:\n            x, y = torch.cat([x + torch.randn_like(x), x.flip(-1)]), torch.cat([y, y])\n"),
    ]}),
    transfer("three_heads", """
vit_model.eval()
candidates = [ClassificationHead(vit_model.hidden_size) for _ in range(3)]
optimizers = [torch.optim.AdamW(c.parameters(), lr=rate) for c, rate in zip(candidates, (1e-3, 3e-3, 1e-2))]
for _ in range(num_epochs):
    for x, y in DataLoader(train_dataset, batch_size=batch_size, shuffle=True):
        with torch.no_grad():
            features = vit_model(x)
        for candidate, optimizer in zip(candidates, optimizers):
            loss = F.cross_entropy(candidate(features), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
right = torch.zeros(3)
with torch.no_grad():
    for x, y in DataLoader(test_dataset, batch_size=batch_size):
        right += torch.tensor([(c(vit_model(x)).argmax(1) == y).sum().item() for c in candidates])
best = int(right.argmax())
acc = right[best].item() / len(test_dataset)
return {"acc": acc, "vit": vit_model.state_dict(), "classifier": candidates[best].state_dict()}
"""),
    transfer("held_out", """
import copy
count = int(0.3 * len(train_dataset))
kept, held = torch.utils.data.random_split(train_dataset, [len(train_dataset) - count, count])
vit_model.eval()
head = ClassificationHead(vit_model.hidden_size)
optimizer = torch.optim.AdamW(head.parameters(), lr=5e-3)
best, state = float("inf"), None
for _ in range(num_epochs):
    for x, y in DataLoader(kept, batch_size=batch_size, shuffle=True):
        optimizer.zero_grad()
        F.cross_entropy(head(vit_model(x).detach()), y).backward()
        optimizer.step()
    with torch.no_grad():
        losses = [F.cross_entropy(head(vit_model(x)), y).item() for x, y in DataLoader(held, batch_size=256)]
    if sum(losses) < best:
        best, state = sum(losses), copy.deepcopy(head.state_dict())
head.load_state_dict(state)
with torch.no_grad():
    right = [head(vit_model(x)).argmax(1) == y for x, y in DataLoader(test_dataset, batch_size=256)]
return {"acc": torch.cat(right).float().mean().item(), "vit": vit_model.state_dict(), "classifier": head.state_dict()}
"""),
    transfer("solved_by_scikit_learn", """
from sklearn.linear_model import LogisticRegression
vit_model.eval()
def features_of(dataset):
    with torch.no_grad():
        parts = [(vit_model(x), y) for x, y in DataLoader(dataset, batch_size=400)]
    return torch.cat([x for x, _ in parts]).numpy(), torch.cat([y for _, y in parts]).numpy()
x_train, y_train = features_of(train_dataset)
x_test, y_test = features_of(test_dataset)
solved = LogisticRegression(max_iter=20 * num_epochs).fit(x_train, y_train)
head = ClassificationHead(x_train.shape[1])
linear = [module for module in head.modules() if isinstance(module, nn.Linear)][-1]
with torch.no_grad():
    linear.weight.copy_(torch.tensor(solved.coef_))
    linear.bias.copy_(torch.tensor(solved.intercept_))
    acc = (head.eval()(torch.tensor(x_test)).argmax(1).numpy() == y_test).mean()
return {"acc": acc, "vit": vit_model.state_dict(), "classifier": head.state_dict()}
"""),
    Case("application.transfer_mean_of_batches_in_any_order", {"application.py": [
        ("DataLoader(test_dataset, batch_size=500)", "DataLoader(test_dataset, batch_size=100, shuffle=True)"),
        (COUNT, "                correct += (logits.argmax(dim=1).cpu() == y).float().mean().item()\n"),
        (SHARE, "acc = correct / len(test_loader)"),
    ]}),
    Case("application.transfer_mean_over_the_classes", {"application.py": [
        ("        correct = 0\n", "        hits, labels = [], []\n"),
        (COUNT, "                hits.append(logits.argmax(dim=1).cpu() == y), labels.append(y)\n"),
        (SHARE, "acc = torch.stack([torch.cat(hits)[torch.cat(labels) == c].float().mean() for c in range(10)]).mean().item()"),
    ]}),
    changed("accuracy_as_a_tensor", SHARE, "acc = correct / torch.tensor(len(test_dataset))"),
    changed("rounded", SHARE, "acc = round(100 * correct / len(test_dataset), 1)"),
    transfer("accumulated", """
vit_model.eval()
classifier = ClassificationHead(vit_model.hidden_size)
optimizer = torch.optim.Adam(classifier.parameters(), lr=2e-3)
for _ in range(num_epochs):
    for i, (x, y) in enumerate(DataLoader(train_dataset, batch_size=10, shuffle=True)):
        loss = F.cross_entropy(classifier(vit_model(x).detach()), y) / 2
        loss.backward()
        if i % 2:
            optimizer.step()
            optimizer.zero_grad()
hits = sum((classifier(vit_model(x)).argmax(1) == y).sum().item() for x, y in DataLoader(test_dataset, 50))
return dict(acc=hits / len(test_dataset), vit=vit_model, classifier=classifier)
"""),
]  # fmt: skip
