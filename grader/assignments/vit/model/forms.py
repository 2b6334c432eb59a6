"""The forms of what workers answer about modules: builds, calls, shapes."""

from typing import Any

from grader.forms import (
    DESCRIBED,
    NAME,
    SIZES,
    Declared,
    Form,
    array,
    by_key,
    described,
    described_exception,
    every,
    exactly,
    fields,
    maybe,
    nothing,
    number,
    or_raised,
    row,
    table,
    text,
    truth,
    whole,
)

MAX_LISTED = 2_000  # parameters and buffers
PARAMETER = fields(name=text(), shape=SIZES, trainable=truth)
MAX_UNREGISTERED = 20  # shapes of tensors that are learned and no parameters
UNLIKE = {"unlike": fields(unlike=exactly(True))}  # an output of another shape than was to be differentiated


def run(args: dict[str, Any]) -> Form:
    """Of ``module.run``: for each build its parameters and what its calls gave."""
    return row(*map(_build, args["builds"]))


def _build(build: dict[str, Any]) -> Form:
    attributes = fields(**dict.fromkeys(build["attributes"], described))
    parameters, buffers = every(PARAMETER, MAX_LISTED), every(text(), MAX_LISTED)
    known = {"attributes": attributes, "parameters": parameters, "buffers": buffers}
    failed = fields(known, raised=described_exception)
    return by_key({"raised": failed}, fields(**known, calls=row(*map(_call, build["calls"]))))


def _call(call: dict[str, Any]) -> Form:
    return or_raised(CALLS[call["do"]](call))


def _gradients(call: dict[str, Any]) -> Form:
    inputs = array("f", call["inputs"].shape)
    largest = {"parameters": table(maybe(number(finite=False))), "reached": whole()}
    measured = {"slope": number(finite=False), "measured": number(finite=False)}
    strangers = {"unregistered": every(SIZES, MAX_UNREGISTERED)}
    reached = fields(strangers, **largest, inputs=inputs, **measured)

    def form(value: Any) -> None:
        cut_off = isinstance(value, dict) and value.get("inputs", value) is None
        (fields(strangers, **largest, inputs=nothing) if cut_off else reached)(value)

    return by_key(UNLIKE, form)


def _step(call: dict[str, Any]) -> Form:
    return by_key(UNLIKE, fields(before=array(shape=call["weights"].shape), after=array()))


CALLS: dict[str, Declared] = {
    "forward": lambda call: DESCRIBED,
    "gradients": _gradients,
    "step": _step,
    "scale": lambda call: fields(scale=maybe(number(finite=False)), width=maybe(whole())),
    "replaced": lambda call: _or_none,
}


def _or_none(value: Any) -> None:
    """What a module gave, or that no module inside it puts tokens out."""
    kind = value.get("kind") if isinstance(value, dict) else None
    (fields(kind=exactly("none")) if isinstance(kind, str) and kind == "none" else described)(value)


def shapes(args: dict[str, Any]) -> Form:
    """Of ``shapes``: for each class and case the shape that came out, or what came instead; perhaps its values."""
    came = fields({"values": array()}, shape=SIZES)
    case = by_key({"raised": fields(raised=described_exception), "type": fields(type=NAME)}, came)
    return fields(**{name: row(*[case] * len(cases)) for name, cases in args["cases"].items()})


FORMS: dict[str, Declared] = {"module.run": run, "shapes": shapes}
