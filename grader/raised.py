"""Words for an exception that a submission raised: what, where, and what beginners usually mean by it."""

from grader import patterns
from grader.records import Frame, Raised
from grader.sentences import split


def place(frame: Frame) -> str:
    """Where a line stands, as its author finds it."""
    file = f"{frame.file}, cell {frame.cell}" if frame.cell is not None else frame.file
    return f"{file}, line {frame.line}"


def raised_words(raised: Raised) -> str:
    """An exception with the line of the student's code that it came from, and what it follows from."""
    message, _, cause = _first_line(raised.message).partition(", because ")
    words = f"raised {raised.type}: {_beginning(message)}" if message else f"raised {raised.type}"
    if raised.frames:
        frame = raised.frames[-1]
        words = f"{words} at {place(frame)}" + (f": `{frame.text}`" if frame.text else "")
    return f"{words}, because {cause[:300]}" if cause else words


def _first_line(message: str) -> str:
    """The first line of a message, and the next one where it says only that more comes: torch's of state dicts."""
    lines = [line.strip() for line in message.strip().splitlines() if line.strip()]
    return " ".join(lines[: 2 if lines and lines[0].endswith(":") else 1])


def _beginning(message: str) -> str:
    """The first sentence of a message, and those after it that are short: torch's tell of its own insides."""
    first, *others = split(message)
    max_characters = 160  # characters of an exception's message, unless its first sentence is longer
    for each in others:
        if len(first) + len(each) > max_characters:
            break
        first = f"{first} {each}"
    return first[:300].rstrip(".")


def lacks_forward(raised: Raised) -> str:
    """The class in which torch looked for ``forward`` in vain; empty for any other exception."""
    name, missing, _ = raised.message.partition("] is missing the required")
    return name.partition("[")[2][:100] if missing else ""


def raised_hint(raised: Raised | None) -> str:
    """The usual reason of an exception that tensors' beginners meet."""
    if raised is None:
        return ""
    text = f"{raised.type}: {raised.message}"
    return next((hint for sign, hint in HINTS.items() if patterns.compile(sign).search(text)), "")


IMPORTS = {  # by a name that beginners use without it, the import
    "torch": "import torch",
    "nn": "from torch import nn",
    "F": "import torch.nn.functional as F",
    "Tensor": "from torch import Tensor",
    "DataLoader": "from torch.utils.data import DataLoader",
    "Subset": "from torch.utils.data import Subset",
    "transforms": "from torchvision import transforms",
    "optim": "from torch import optim",
    "losses": "from pytorch_metric_learning import losses",
    "miners": "from pytorch_metric_learning import miners",
    "AccuracyCalculator": "from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator",
    "np": "import numpy as np",
    "plt": "import matplotlib.pyplot as plt",
    **{module: f"import {module}" for module in ("copy", "math", "os", "random", "time")},
}
HINTS = {  # by a pattern in the exception's text
    **{
        f"^NameError: name '{name}' is not defined$": f"Is its import missing at the top: `{line}`?"
        for name, line in IMPORTS.items()
    },
    "^AttributeError: 'Tensor' object has no attribute '(parameters|named_parameters|state_dict|train|eval|zero_grad)'$": (
        "A tensor stands where a model is meant: are the function's parameters in the order that the assignment gives?"
    ),
    "NoneType": "Something that should be a tensor or an object is None: is it still to be written, as in `x = None`, or is the "
    "`return` missing in the function that makes it?",
    "^AttributeError: 'Subset' object has no attribute '(targets|data|classes)'": "A Subset has none of its own: is the training set "
    "sampled twice, by the notebook and in the function? Once is enough.",
    "object has no attribute '(parameters|named_parameters|state_dict|train|eval|to)'$": "Does its class begin with "
    "`class Name(nn.Module):`? Or is it something else than a model, such as a function?",
    "'tuple' object is not callable": "Is there a comma at the end of the line that makes it? It makes a tuple.",
    "object has no attribute '_(parameters|modules|buffers)'": "The first line of __init__ must be super().__init__().",
    r"Module \[Module(List|Dict)\] is missing": "A ModuleList or ModuleDict only keeps modules, and cannot be called: go through "
    "them in forward, as in `for layer in self.layers: x = layer(x)`.",
    "of 'super' object needs an argument": "super is called, too: `super().__init__()`.",
    "mat1 and mat2 shapes cannot be multiplied": "The last axis of the input must have the size that the Linear layer "
    "expects (in_features).",
    "must match the size of tensor": "Two tensors of different shapes are combined: print both shapes just before this "
    "line.",
    "is invalid for input of size": "A view or reshape asks for another number of elements than the tensor has: is a "
    "size hard-coded?",
    "view size is not compatible": "After transpose or permute the memory is not in order: use reshape, or contiguous() "
    "before view.",
    "Expected all tensors to be on the same device": "Some tensor stays on another device: register it as a parameter "
    "or a buffer.",
    "expected scalar type": "Two tensors of different dtypes meet: convert one of them.",
    "does not require grad and does not have a grad_fn": "The loss depends on no trainable parameter: was it detached, "
    "computed under no_grad, or made from argmax, which has no gradient? Or has every layer requires_grad = False?",
    "'(float|int)' object has no attribute 'backward'": "`.item()` and `float()` make a plain number of a tensor: call "
    "them after backward().",
    r"triplet_margin_loss\(\)|TripletMarginLoss\.forward\(\) missing": "PyTorch's own TripletMarginLoss takes anchors, "
    "positives and negatives: take the one of pytorch_metric_learning.losses.",
    "unsupported operand .*'tuple'|must be Tensor, not tuple|'tuple' object has no attribute": "A tuple stands where a "
    "tensor should: nn.MultiheadAttention, for instance, returns (output, weights), of which [0] is the output.",
    "(embeddings|labels) must be a .* tensor of shape": "The embeddings come first, then the labels: "
    "miner(embeddings, labels), loss(embeddings, labels, tuples).",
    "not supported between instances of .*'tuple'": "A number is a tuple here: write decimals with a point, 0.2, and "
    "no comma at the end of the line.",
    "not supported between instances of .*'str'": "A number is a text here: take its quotation marks away.",
    "^BdbQuit": "A breakpoint() or pdb.set_trace() is left in, just above this line: take it out.",
    r"__init__\(\) takes 1 positional argument but": "Its class has no `__init__` that takes these arguments: is the name "
    "misspelt (two underscores on each side), or does it take `self` alone?",
    r"\w\.\w+\(\) takes (0 positional arguments but 1 was|1 positional argument but 2 were) given": "Is `self` missing "
    "as the first argument of this method? If not, compare this call with the definition.",
    "positional argument": "Compare this call with the definition of what it calls, and a definition of your own with "
    "the assignment's: the number and the order of the arguments.",
    "could not infer output dtype|not implemented for '(Long|Int|Bool|Byte)'": "This needs floats: convert with .float() "
    "first. Or have images and labels changed places?",
    "^PermissionError": "Where this is graded, no other programs are started, there is no network, and nothing outside of "
    "the submission's own folder is written: do without it.",
    "No module named": "If it is a file of your own, hand it in as well. Other packages than the assignment's are not there "
    "where this is graded: do without them.",
    "unexpected keyword argument": "Compare this call with the definition of what it calls, and a definition of your "
    "own with the assignment's: the names of the arguments.",
}
