"""What a template left to fill in, told from work in any style."""

import ast

import pytest

from grader.intake.reading.work import gaps, is_filled

GAPS = {
    "a name that nothing makes": "def f(query, ref, k=5):\n    return scores, indices",
    "in a dict": "def f(vit):\n    best = 0.0\n    return {'acc': acc, 'vit': vit.state_dict()}",
    "in a method": "class ViT(nn.Module):\n    def __init__(self, d):\n        self.d = d\n    def forward(self, x):\n        return out",
    "made of itself": "def f(x, vit):\n    x_embeds = x_embeds.cpu()\n    x_embeds = F.normalize(x_embeds)\n    return x_embeds",
    "a placeholder that is used": "def train(data):\n    vit = None\n    for x in data:\n        vit.train()",
    "attributes of nothing": "class P(nn.Module):\n    def __init__(self, n):\n        '''Positions.'''\n        super().__init__()\n"
    "        self.cls_token = None\n        self.positions = None\n    def forward(self, x):\n        return x",
    "a setting": "lr = None",
    "what is to do": "def f():\n    raise NotImplementedError('here')",
}
WORK = {
    "a global": "def f():\n    return device",
    "a global of another function": "def setup():\n    global model\n    model = 1\ndef f():\n    setup()\n    return model",
    "a name of an import of all": "from math import *\ndef f():\n    return pi",
    "what Python has": "class V:\n    def __init__(self, d):\n        self.d = d\n    def __eq__(self, other):\n        return NotImplemented",
    "a function in a function": "def f(n):\n    def scale(step):\n        s = step / n\n        return s\n    return scale",
    "a lambda": "def f(n):\n    return lambda step: step / n",
    "none at first": "def f(data):\n    best = None\n    for x in data:\n        best = x if best is None else max(best, x)\n    return best",
    "none, and asked": "def f(data, s=None):\n    scheduler = None\n    if scheduler:\n        scheduler.step()\n    return data",
    "made by with": "def f():\n    run = None\n    with open('a') as run:\n        run.read()",
    "kept for later": "class A(nn.Module):\n    def __init__(self, d):\n        super().__init__()\n        self.qkv = nn.Linear(d, 3 * d)\n"
    "        self.weights = None\n    def forward(self, x):\n        self.weights = x.softmax(-1)\n        return self.weights",
    "a comprehension": "def f(models):\n    ps = [p for m in models for p in m.parameters()]\n    for p in ps:\n        p.grad = None\n    return ps",
    "a parameter": "def f(x):\n    x = x.cpu()\n    return x",
    "a global that changes": "def f():\n    global best\n    best = best.max()\n    return best",
    "an import": "def f(x):\n    import torch.nn.functional as F\n    y = F.relu(x)\n    return y",
    "an exception": "def f(x):\n    try:\n        y = x()\n    except ValueError as error:\n        y = error\n    return y",
    "a walrus": "def f(x):\n    if (y := x.max()) > 0:\n        return y",
    "an init of super alone": "class V(nn.Module):\n    def __init__(self):\n        super().__init__()\n    def forward(self, x):\n        return x",
}  # fmt: skip


@pytest.mark.parametrize("text", GAPS.values(), ids=GAPS.keys())
def test_what_a_template_left_is_a_gap(text: str) -> None:
    assert gaps(f"import torch\n{text}") == 1


@pytest.mark.parametrize("text", WORK.values(), ids=WORK.keys())
def test_work_in_any_style_is_filled_in(text: str) -> None:
    assert gaps(f"import torch\ndevice = torch.device('cpu')\n{text}") == 0


def test_a_file_that_does_not_parse_is_told_by_its_text() -> None:
    assert gaps("def f(:\n    raise NotImplementedError") == 1


def test_a_definition_alone_knows_no_names_outside() -> None:
    device, function = ast.parse("device = 'cpu'\ndef f():\n    return device").body
    assert not is_filled(function) and is_filled(function, [device])
