"""Exceptions in words, with the usual reason in the words of a first course."""

import pytest

from grader.missing import meant
from grader.raised import raised_hint, raised_words
from grader.records import Frame, Observation, Raised
from grader.verdicts import observed_words
from tests import harness

FRAME = Frame("a.py", None, 7, "forward", "x = y")
HINTS = {
    "a breakpoint": (Raised("BdbQuit", ("BdbQuit",), "", (FRAME,)), "A breakpoint() or pdb.set_trace() is left in"),
    "a number": ("'float' object has no attribute 'backward'", "`.item()` and `float()` make a plain number"),
    "argmax": ("element 0 of tensors does not require grad and does not have a grad_fn", "made from argmax"),
    "self": ("A.forward() takes 1 positional argument but 2 were given", "Is `self` missing"),
    "no argument at all": ("A.forward() takes 0 positional arguments but 1 was given", "Is `self` missing"),
    "a function": ("f() takes 1 positional argument but 2 were given", "Compare this call with the definition"),
    "a library's class": (
        "LayerNorm.__init__() missing 1 required positional argument: 'normalized_shape'",
        "the definition of what it calls",
    ),
    "another argument": (
        "A.forward() takes 2 positional arguments but 3 were given",
        "a definition of your own with the",
    ),
    "an argument twice": ("look_up() got multiple values for argument 'k'", "An argument is given twice"),
    "no return": ("argument 'input' (position 1) must be Tensor, not NoneType", "is the `return` missing"),
    "a comma": ("'<=' not supported between instances of 'Tensor' and 'tuple'", "write decimals with a point"),
    "a mean of whole numbers": ("mean(): could not infer output dtype. Got: Long", "convert with .float()"),
    "labels in the place of images": (
        "\"log_softmax_lastdim_kernel_impl\" not implemented for 'Long'",
        "changed places",
    ),
    "a body that was never filled in": (
        Raised(
            "NameError", ("NameError",), "name 'out' is not defined", (Frame("a.py", None, 9, "forward", "return out"),)
        ),
        "is this still to be written",
    ),
    "an import": (Raised("NameError", ("NameError",), "name 'F' is not defined"), "`import torch.nn.functional as F`"),
    "an import of nearly a variable's name": (
        Raised("NameError", ("NameError",), "name 'losses' is not defined (did you mean 'losses_'?)"),
        "`from pytorch_metric_learning import losses`",
    ),
    "the end of the program": (Raised("SystemExit", (), "which ends the program"), "take it out"),
    "a module of one's own": ("No module named 'utils'", "hand it in as well"),
    "a comma after a layer": ("'tuple' object is not callable", "a comma at the end of the line"),
    "a batch that is a list": (
        Raised("AttributeError", (), "'list' object has no attribute 'to'"),
        "take them apart",
    ),
    "no module": ("'Head' object has no attribute 'parameters'", "class Name(nn.Module)"),
    "no super": ("'ViT' object has no attribute '_parameters'", "super().__init__()"),
    "super as a name": ("descriptor '__init__' of 'super' object needs an argument", "super is called, too"),
    "another program": (
        Raised("PermissionError", (), "[Errno 1] Operation not permitted"),
        "no other programs are started",
    ),
    "a list of steps": ("'list' object is not callable", "transforms.Compose"),
    "a module": ("'module' object is not callable", "import that"),
    "no parentheses": ("unsupported operand type(s) for /: 'int' and 'method'", "parentheses of the call missing"),
    "a method indexed": ("'builtin_function_or_method' object is not subscriptable", "parentheses of the call missing"),
    "other channels": (
        "Given groups=1, weight of size [10, 1, 4, 4], expected input[2, 3, 20, 20] to have 1 channels, but got 3",
        "hard-coded",
    ),
    "a norm over the batch": ("running_mean should contain 6 elements not 17", "nn.LayerNorm"),
    "heads that do not fit": ("embed_dim must be divisible by num_heads", "in their order"),
    "an axis too many": ("Dimension out of range (expected to be in range of [-2, 1], but got 2)", "fewer axes"),
    "names for values": ("too many values to unpack (expected 2)", "names on the left"),
    "many truth values": ("Boolean value of Tensor with more than one value is ambiguous", ".all()"),
    "many numbers": ("a Tensor with 4 elements cannot be converted to Scalar", "one element"),
    "a gradient for NumPy": (
        "Can't call numpy() on Tensor that requires grad. Use tensor.detach()",
        "detach the tensor",
    ),
    "many losses": ("grad can be implicitly created only for scalar outputs", "the mean of the losses"),
    "no parameters": ("optimizer got an empty parameter list", "nn.ModuleList"),
    "a label too large": ("Target 10 is out of bounds.", "number of classes"),
    "a name of its own": (Raised("UnboundLocalError", (), "cannot access local variable 'x'"), "in every branch"),
    "no end": (Raised("RecursionError", (), "maximum recursion depth exceeded"), "without end"),
    "a question": (Raised("EOFError", (), "EOF when reading a line"), "Nobody answers an input()"),
    "an empty checkpoint": (Raised("EOFError", (), "Ran out of input"), "empty, or was cut off"),
    "half a checkpoint": (
        "PytorchStreamReader failed reading zip archive: failed finding central directory",
        "empty, or was cut off",
    ),
    "a comparison": (
        Raised(
            "AttributeError",
            (),
            "'A' object has no attribute 'fc'",
            (Frame("a.py", None, 7, "f", "self.fc == nn.Linear(2, 2)"),),
        ),
        "a single `=` assigns",
    ),
    "an attribute that nothing sets": (
        Raised(
            "AttributeError",
            (),
            "'PatchEmbeddings' object has no attribute 'num_channels'",
            (Frame("a.py", None, 7, "forward", "if channels != self.num_channels:"),),
        ),
        "`self.num_channels = …`",
    ),
    "an axis twice": ("permute(): duplicate dims are not allowed", "each axis of the tensor once"),
    "an axis left out": (
        "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired ordering of "
        "dimensions i.e. input.dim() = 6 is not equal to len(dims) = 5",
        "each axis of the tensor once",
    ),
    "other numbers of axes": ("Tensors must have same number of dimensions: got 3 and 4", "as many axes each"),
    "a size with a point": (
        "empty(): argument 'size' failed to unpack the object at pos 2 with error \"type must be tuple of ints,but got float\"",
        "divide with //",
    ),
    "a width with a point": (
        "empty(): argument 'size' (position 1) must be tuple of ints, but found element of type float at pos 0",
        "divide with //",
    ),
    "an argument of a given block": (
        "missing a required argument: 'test_dataset'",
        "Compare this call with the definition",
    ),
    "quotation marks": ("'<=' not supported between instances of 'float' and 'str'", "take its quotation marks away"),
}


@pytest.mark.parametrize("raised, hint", HINTS.values(), ids=HINTS)
def test_the_usual_reason_is_said(raised: Raised | str, hint: str) -> None:
    raised = Raised("TypeError", (), raised) if isinstance(raised, str) else raised
    assert hint in raised_hint(raised)


def test_an_exception_without_a_known_reason_has_no_hint() -> None:
    assert raised_hint(Raised("ValueError", (), "too small")) == raised_hint(None) == ""


def test_the_place_stands_before_what_an_exception_follows_from() -> None:
    raised = Raised("NameError", (), "name 'x' is not defined, because a.py, line 1 raised KeyError: 'b'", (FRAME,))
    assert raised_words(raised) == (
        "raised NameError: name 'x' is not defined at a.py, line 7: `x = y`, because a.py, line 1 raised KeyError: 'b'"
    )


def test_an_exception_is_told_with_the_function_that_it_began_in():
    seen = Observation("raised", raised=Raised("KeyError", (), "'a'", (Frame("a.py", None, 3, "train", "x['a']"),)))
    assert observed_words(seen) == "`train` raised KeyError: 'a' at a.py, line 3: `x['a']`"
    statement = Observation("raised", raised=Raised("KeyError", (), "'a'", (Frame("a.py", None, 3, "<module>", "y"),)))
    assert observed_words(statement) == "raised KeyError: 'a' at a.py, line 3: `y`"


def test_a_line_that_announces_the_next_one_is_told_with_it() -> None:
    message = (
        'Error(s) in loading state_dict for ViT:\n\tMissing key(s) in state_dict: "a", "b". \n\tUnexpected key(s): "c"'
    )
    assert raised_words(Raised("RuntimeError", (), message)) == (
        'raised RuntimeError: Error(s) in loading state_dict for ViT: Missing key(s) in state_dict: "a", "b"'
    )


def test_of_a_long_message_the_first_sentence_is_enough() -> None:
    inplace = "one of the variables was modified by an inplace operation: version 1; expected version 0 instead."
    hint = "Hint: enable anomaly detection to find the operation that failed to compute its gradient, with " + "x" * 90
    said = raised_words(Raised("RuntimeError", (), f"{inplace} {hint}", (FRAME,)))
    assert said == f"raised RuntimeError: {inplace[:-1]} at a.py, line 7: `x = y`"
    assert raised_words(Raised("E", (), "One. Two.")) == "raised E: One. Two"
    dims = "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired ordering of dimensions i.e. input.dim() = 3 is not equal to len(dims) = 2"
    assert raised_words(Raised("RuntimeError", (), dims)) == f"raised RuntimeError: {dims}"


FILES = {
    "nearly the right name": ("vit_embed.pt", True),
    "another ending": ("vit_embeds.pth", True),
    "another model": ("vit_classifier.pt", False),
    "a module": ("vit_embeds.py", False),
}


@pytest.mark.parametrize("file, is_said", FILES.values(), ids=FILES)
def test_a_file_with_nearly_the_right_name_is_said(file: str, is_said: bool) -> None:
    seen = harness.evidence({"vit_model": ""}, [])
    seen.submission.files[file] = seen.submission.root / file
    message = "there is no vit_embeds.pt: hand it in"
    more = f". A file {file} is there: is it this one under another name?" if is_said else ""
    assert meant(message, seen) == message + more


TO_DO = ("NotImplementedError", "RuntimeError", "Exception")


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (
            Raised(
                "NotImplementedError",
                TO_DO,
                "write this",
                (Frame("a.py", None, 3, "f", 'raise NotImplementedError("x")'),),
            ),
            True,
        ),
        (Raised("NotImplementedError", TO_DO, 'Module [A] is missing the required "forward" function', (FRAME,)), True),
        (Raised("NotImplementedError", TO_DO, "no line is known"), True),
        (Raised("NotImplementedError", TO_DO, "Cannot copy out of meta tensor; no data!"), False),
        (Raised("NotImplementedError", TO_DO, "mean(): could not infer output dtype", (FRAME,)), False),
        (Raised("ValueError", ("ValueError",), "write this"), False),
    ],
    ids=[
        "raised by the student",
        "a missing method",
        "no line",
        "of what came back",
        "raised by torch",
        "another exception",
    ],
)
def test_only_what_students_raise_themselves_is_still_to_do(raised: Raised, expected: bool) -> None:
    assert raised.is_to_do == expected
