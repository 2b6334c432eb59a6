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


def met(message: str) -> str:
    """What a message tells of: where it is an exception, that and its line alone, whatever sizes it was met with."""
    words, line, place = message.partition(" raised ")[2].partition(", line ")
    return "".join(each for each in words if not each.isdigit()) + line + place or message


def lacks_forward(raised: Raised) -> str:
    """The class in which torch looked for ``forward`` in vain; empty for any other exception."""
    name, missing, _ = raised.message.partition("] is missing the required")
    return name.partition("[")[2][:100] if missing else ""


def raised_hint(raised: Raised | None) -> str:
    """The usual reason of an exception that tensors' beginners meet."""
    if raised is None:
        return ""
    lacking = _lacking(raised)
    if lacking and raised.frames[-1].text.startswith(f"self.{lacking} =="):
        return "`==` compares, a single `=` assigns."
    if unset := _unset(raised):
        return f"Nothing before this line gives `{unset}` a value: is this still to be written, or has it another name?"
    text = f"{raised.type}: {raised.message}"
    otherwise = f"Is it set in __init__, as `self.{lacking} = …`, and spelt as it is here?" if lacking else ""
    return next((hint for sign, hint in HINTS.items() if patterns.compile(sign).search(text)), otherwise)


def _lacking(raised: Raised) -> str:
    """The attribute of ``self`` that is not there; "" for any other exception."""
    name = raised.message.partition("object has no attribute '")[2].partition("'")[0]
    return name if name and any(f"self.{name}" in frame.text for frame in raised.frames[-1:]) else ""


def _unset(raised: Raised) -> str:
    """The name that a ``return`` gives back and that nothing made, as in a body that was never filled in; "" elsewhere."""
    name = raised.message.partition("name '")[2].partition("'")[0]
    returns = any(frame.text.startswith("return ") for frame in raised.frames[-1:])
    return name if raised.type == "NameError" and returns and name not in IMPORTS else ""


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
        f"^NameError: name '{name}' is not defined($| .did you mean)": f"Is its import missing at the top: `{line}`?"
        for name, line in IMPORTS.items()
    },
    "^AttributeError: 'Tensor' object has no attribute '(parameters|named_parameters|state_dict|train|eval|zero_grad)'$": (
        "A tensor stands where a model is meant: are the function's parameters in the order that the assignment gives?"
    ),
    "NoneType": "Something that should be a tensor or an object is None: is it still to be written, as in `x = None`, or is the "
    "`return` missing in the function that makes it?",
    "^AttributeError: 'Subset' object has no attribute '(targets|data|classes)'": "A Subset has none of its own: is the training set "
    "sampled twice, by the notebook and in the function? Once is enough.",
    "^AttributeError: 'list' object has no attribute '(to|cuda|shape|size|float)'$": "A list of tensors is none itself: a "
    "loader gives [images, labels], so take them apart first.",
    "object has no attribute '(parameters|named_parameters|state_dict|train|eval|to)'$": "Does its class begin with "
    "`class Name(nn.Module):`? Or is it something else than a model, such as a function?",
    "'list' object is not callable": "A list cannot be called: put the steps of a transform into transforms.Compose, and "
    "layers into nn.Sequential.",
    "'module' object is not callable": "A module is called in place of what it holds: import that, as in `from tqdm import "
    "tqdm`.",
    "'(method|function|builtin_function_or_method)' (and '|object is not (subscriptable|iterable))|"
    "' and '(method|function|builtin_function_or_method)'$": "A function stands where its "
    "result is meant: are the parentheses of the call missing?",
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
    "Given groups=": "A convolution gets another number of channels than it was made for: is that number hard-coded, or "
    "does another axis stand in second place?",
    "running_mean should contain": "A BatchNorm takes the second axis for the features: of tokens (B, N, D) that is the "
    "tokens' axis. nn.LayerNorm works on the features of each token.",
    "must be divisible by num_heads": "Each head gets an equal part of the features: are width, layers and heads passed on in "
    "their order?",
    "duplicate dims are not allowed|length of the desired ordering": "permute() names each axis of the tensor once: print its "
    "shape just before this line.",
    "must have same number of dimensions": "What is put together has as many axes each: print both shapes just before this "
    "line.",
    "must be tuple of ints.*float": "A size is a whole number: divide with //, or take int() of it.",
    "Dimension out of range": "The tensor has fewer axes than this needs: print its shape just before this line.",
    "values to unpack": "There are other numbers of values on the right and of names on the left: print what stands on the "
    "right, or its shape, just before this line.",
    "Boolean value of Tensor with more than one value": "`if`, `and` and `or` need one truth value: did you mean .all(), "
    ".any() or a number of the shape?",
    "only one element tensors can be converted|Tensor with [0-9]+ elements cannot be converted": "Only a tensor of one element "
    "is a plain number: take a mean, a sum or one element first.",
    r"Can't call numpy\(\) on Tensor that requires grad": "Numbers for NumPy have no gradient: detach the tensor first, or "
    "compute it under no_grad.",
    "grad can be implicitly created only for scalar outputs": "backward() starts from one number: take the mean of the losses "
    "first.",
    "optimizer got an empty parameter list": "PyTorch knows of no parameter: layers are made in __init__ and kept in self, "
    "several of them in nn.ModuleList.",
    "Target [0-9]+ is out of bounds": "A label is larger than the number of outputs allows: is the number of classes right?",
    "^UnboundLocalError": "A function that assigns a name has it for its own: give it a value before this line, in every "
    "branch.",
    "^RecursionError": "A function calls itself without end: does forward call the module itself?",
    "^SystemExit": "exit(), sys.exit() and quit() end the program, and so does parse_args() where its arguments are missing: "
    "take it out.",
    "^EOFError: EOF when reading a line": "Nobody answers an input() where this is graded: use an argument, or a number.",
    "^EOFError: Ran out of input|unexpected EOF|PytorchStreamReader failed": "A file that is read is empty, or was "
    "cut off while it was saved or copied.",
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
    "positional argument|missing a required argument": "Compare this call with the definition of what it calls, and a definition of your own with "
    "the assignment's: the number and the order of the arguments.",
    "could not infer output dtype|not implemented for '(Long|Int|Bool|Byte)'": "This needs floats: convert with .float() "
    "first. Or have images and labels changed places?",
    "^PermissionError": "Where this is graded, no other programs are started, there is no network, and nothing outside of "
    "the submission's own folder is written: do without it.",
    "No module named": "If it is a file of your own, hand it in as well. Other packages than the assignment's are not there "
    "where this is graded: do without them.",
    "multiple values for (keyword )?argument": "An argument is given twice, once by its place and once by its name, as "
    "partial() can do: compare this call with the definition of what it calls.",
    "unexpected keyword argument": "Compare this call with the definition of what it calls, and a definition of your "
    "own with the assignment's: the names of the arguments.",
}
