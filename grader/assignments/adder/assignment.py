"""The assignment put together from its parts."""

from pathlib import Path

from grader.assignment import Assignment, joined
from grader.assignments.adder import accuracy, logs, model, names, pictures, training
from grader.forged import forged
from grader.torchkit import devices
from grader.torchkit.modules.answers import RUN
from grader.torchkit.text import generation, tokenizers

HERE = Path(__file__).resolve().parent
TOPIC = joined(
    tokenizers.topic("text.tokenizer", names.CHARACTERS, "x"),
    model.TOPIC,
    generation.topic("generation.generate"),
    accuracy.TOPIC,
    training.TOPIC,
    logs.TOPIC,
    pictures.TOPIC,
    forms={"module.run": RUN, "gpt.run": RUN, **devices.ANSWERS},
)

ADDER = Assignment(
    name="adder",
    rubric=HERE / "rubric.toml",
    parts={1: "Text and tokens", 2: "The model", 3: "Generation", 4: "Training"},
    wanted=names.WANTED,
    provided=names.PROVIDED,
    never_called=("train_model",),
    ops=(
        "grader.torchkit.inside.modules",
        "grader.torchkit.inside.names",
        "grader.torchkit.inside.tokenizers",
        "grader.torchkit.inside.generating",
        "grader.assignments.adder.inside.replaced_parts",
        "grader.assignments.adder.inside.training",
        "grader.assignments.adder.inside.answering",
    ),
    probes=(*TOPIC.probes, devices.PROBE),
    criteria={criterion.id: criterion for criterion in TOPIC.criteria},
    warnings=(*TOPIC.warnings, devices.hard_coded_device, forged),
    measures=TOPIC.measures,
    labels={"exact_match": "sums answered right"},
    modules=("data", "model", "generation", "training", "hyperparameters"),
    figures=tuple(f"grader.assignments.adder.figures.{name}" for name in ("attention", "digits")),
    corpus="grader.assignments.adder.corpus",
    trained=("training.accuracy", "training.log"),
    cells={"training.log": logs.READER.training_cells},
    reference=HERE / "reference",
    template=HERE / "student",
    readme=HERE / "README.md",
    forms=TOPIC.forms,
)
