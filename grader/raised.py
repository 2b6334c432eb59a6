"""Words for an exception that a submission raised: what, where, and what beginners usually mean by it."""

from grader.records import Frame, Raised


def place(frame: Frame) -> str:
    """Where a line stands, as its author finds it."""
    file = f"{frame.file}, cell {frame.cell}" if frame.cell is not None else frame.file
    return f"{file}, line {frame.line}"


def raised_words(raised: Raised) -> str:
    """An exception with the line of the student's code that it came from."""
    message = raised.message.strip().splitlines()[0][:300] if raised.message.strip() else ""
    words = f"raised {raised.type}: {message}" if message else f"raised {raised.type}"
    if not raised.frames:
        return words
    frame = raised.frames[-1]
    return f"{words} at {place(frame)}" + (f": `{frame.text}`" if frame.text else "")


def raised_hint(raised: Raised | None) -> str:
    """The usual reason of an exception that tensors' beginners meet."""
    if raised is None:
        return ""
    text = raised.message
    for sign, hint in HINTS:
        if sign in text:
            return hint
    return ""


HINTS = (
    (
        "mat1 and mat2 shapes cannot be multiplied",
        "The last axis of the input must have the size that the Linear layer expects (in_features).",
    ),
    (
        "must match the size of tensor",
        "Two tensors of different shapes are combined: print both shapes just before this line.",
    ),
    (
        "is invalid for input of size",
        "A view or reshape asks for another number of elements than the tensor has: is a size hard-coded?",
    ),
    (
        "view size is not compatible",
        "After transpose or permute the memory is not in order: use reshape, or contiguous() before view.",
    ),
    (
        "Expected all tensors to be on the same device",
        "Some tensor stays on another device: register it as a parameter or a buffer.",
    ),
    ("expected scalar type", "Two tensors of different dtypes meet: convert one of them."),
    (
        "does not require grad and does not have a grad_fn",
        "The loss depends on no trainable parameter: was it detached, or computed under no_grad?",
    ),
    ("positional argument", "Compare the signature with the assignment's: the names and the order of the arguments."),
    ("No module named", "Only the packages of the assignment are there where this is graded: do without this one."),
    ("unexpected keyword argument", "Compare the signature with the assignment's: the names of the arguments."),
)
