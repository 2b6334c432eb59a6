"""The assignment put together from its parts."""

from pathlib import Path

from grader.assignment import Assignment
from grader.assignments.adder import accuracy, attention, block, generation, logs, model, names, tokenizer, training
from grader.forged import forged
from grader.torchkit import devices
from grader.torchkit.modules.answers import RUN

HERE = Path(__file__).resolve().parent
PARTS = (tokenizer, attention, block, model, generation, training, accuracy)

ASSIGNMENT = Assignment(
    name="adder",
    rubric=HERE / "rubric.toml",
    wanted=names.WANTED,
    provided=names.PROVIDED,
    never_called=names.NEVER_CALLED,
    ops=(
        "grader.torchkit.inside.modules",
        "grader.torchkit.inside.names",
        "grader.assignments.adder.inside.tokenizer",
        "grader.assignments.adder.inside.replaced_parts",
        "grader.assignments.adder.inside.generating",
        "grader.assignments.adder.inside.training",
        "grader.assignments.adder.inside.answering",
    ),
    probes=(*(probe for part in PARTS for probe in part.PROBES), devices.PROBE),
    criteria={criterion.id: criterion for part in (*PARTS, logs) for criterion in part.CRITERIA},
    warnings=(*attention.WARNINGS, *training.WARNINGS, *logs.WARNINGS, devices.hard_coded_device, forged),
    measures=accuracy.MEASURES,
    reference=HERE / "reference",
    forms={
        "module.run": RUN,
        "gpt.run": RUN,
        **tokenizer.FORMS,
        **generation.FORMS,
        **training.FORMS,
        **accuracy.FORMS,
        **devices.ANSWERS,
    },
)
