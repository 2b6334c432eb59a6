"""The reference, whose worker answers one operation in another form: each costs what is judged by that answer."""

from collections.abc import Callable

from grader.audit import Case

FORGED = ("forged.observation",)
ANSWERING = """

def _answer_otherwise(margin):
    import sys

    import numpy as np

    operations = sys.modules["grader.sandbox.inside.serve"].OPS

    def changed(name, change):
        original = operations[name]

        def operation(student, **asked):
            answer = original(student, **asked)
            return change(answer, asked) or answer

        operations[name] = operation

    {lines}
    return margin


margin = _answer_otherwise(margin)
"""


def answering(lines: str) -> Callable[[bytes], bytes]:
    """Let the worker answer otherwise: lines of code, run when the hyperparameters are loaded."""
    return lambda old: old + ANSWERING.replace("{lines}", lines.strip().replace("\n", "\n    ")).encode()


def fault(name: str, lines: str, costs: tuple[str, ...], word: str = "agreed form") -> Case:
    return Case(f"answers.{name}", {"hyperparameters.py": answering(lines)}, costs, word, FORGED)


TRAINING = ("contrastive.training", "contrastive.scheduler")
CHECKPOINTS = ("vit.accuracy", "contrastive.precision", "contrastive.logs")
FAULTS = [
    fault("array_for_a_number", """
changed("transfer.run", lambda answer, asked: {**answer, "result": {"kind": "other", "type": "list", "items": np.zeros(2)}})
""", ("application.transfer",), "items"),
    fault("array_for_a_word", """
changed("transfer.run", lambda answer, asked: {**answer, "result": {"kind": "other", "type": np.zeros(2), "items": 0}})
""", ("application.transfer",), "ndarray"),
    fault("array_for_a_count", """
changed("embedding.train", lambda answer, asked: answer[0]["epochs"][0].update(steps=np.array([1, 2])))
""", TRAINING, "steps"),
    fault("run_without_rates", """
changed("embedding.train", lambda answer, asked: answer[0].pop("rates") and None)
""", TRAINING, "rates"),
    fault("arrays_for_numbers_of_blocks", """
unfit = {"kind": "mismatch", "owners": [], "saved_blocks": np.array([1, 2]), "built_blocks": np.array([1, 3])}
for kind in ("missing", "unexpected", "reshaped"):
    unfit.update({kind: [], kind + "_count": 0})
for name in ("checkpoint.classify", "checkpoint.embed"):
    changed(name, lambda answer, asked: answer.update(outputs=None, models={key: unfit for key in answer["models"]}))
""", CHECKPOINTS, "blocks"),
    fault("one_call_less", """
changed("knn.ask", lambda answer, asked: answer[:-1])
""", ("application.knn",), "a list of"),
    fault("nothing", """
changed("embedding.get", lambda answer, asked: {"nothing": None})
""", ("contrastive.embeddings",), "null"),
    fault("four_million_numbers_and_one", """
def large(answer, asked):
    if asked["name"] == "ClassificationHead":
        answer["default"]["calls"]["batch"]["array"] = np.zeros((1 << 22) + 1, np.float32)
changed("module.run", large)
""", ("vit.heads",), "at most 4194304 numbers"),
    fault("a_shape_of_100_axes", """
def deep(answer, asked):
    if asked["name"] == "ClassificationHead":
        answer["default"]["parameters"][0]["shape"] = [2**39] * 100
changed("module.run", deep)
""", ("vit.heads",), "length <= 64"),
]  # fmt: skip
VARIANTS: list[Case] = []
