"""What a student is told of an exception that a module raised."""

from grader.judging import Fail, Missing, Verdict
from grader.raised import place, raised_hint, raised_words
from grader.records import Raised


def failure(raised: Raised, before: str) -> Verdict:
    """The verdict on an exception.

    Args:
        before: what raised it, as the beginning of a sentence.
    """
    if raised.is_to_do:
        where = f" ({place(raised.frames[-1])})" if raised.frames else ""
        return Missing(f"still to do{where}: {raised.message}")
    if "does not require grad" in raised.message and not raised.frames:  # raised by our backward()
        return Fail(
            f"{before}computes its output without gradients, so that nothing in it can be trained",
            "Look for detach, .data, NumPy, or a no_grad block or decorator, in forward.",
        )
    dtypes = "Two tensors of different dtypes meet: float64 from NumPy or Python and float32."
    hints = (  # a part of torch's message, and the usual cause
        ("in-place operation", "x += … works in place and changes a tensor that others still need: write x = x + …"),
        ("inplace operation", "x += … works in place and changes a tensor that gradients still need: write x = x + …"),
        (
            "does not require grad",
            "Nothing that was computed can be trained: look for detach, .data, NumPy or a no_grad block in forward.",
        ),
        (
            "Sizes of tensors must match",
            "torch.cat needs the same size on all other axes: is the batch size hard-coded, or do two axes stand in another order?",
        ),
        ("expanded size of the tensor", "Is a size hard-coded, as that of the batch?"),
        (
            "cannot be multiplied",
            "A Linear layer gets another number of features than it was made for: is a size hard-coded, or is the wrong "
            "axis the last one?",
        ),
        (
            "Given normalized_shape",
            "A LayerNorm gets another number of features than it was made for: is a size hard-coded, as that of the batch "
            "or of the features?",
        ),
        ("Error(s) in loading state_dict", "Make all layers and parameters in __init__, none in forward."),
        ("before Module.__init__", "The first line of __init__ must be super().__init__()."),
        (
            "backward through the graph a second time",
            "Something is computed from a parameter once, in __init__: nn.Parameter(…) * 0.02 is no parameter any more. Write "
            "nn.Parameter(0.02 * torch.randn(…)), and compute in forward.",
        ),
        ("share same datatype", dtypes),
        ("same dtype", dtypes),
    )
    hint = next((hint for sign, hint in hints if sign in raised.message), "") or raised_hint(raised)
    return Fail(before + raised_words(raised), hint)
