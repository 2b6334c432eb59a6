"""No attack gains a point: the grade is that of the same submission without it, or lower.

The submission is wrong nearly everywhere: its classes give constants of the right shape. What an attack does, it
does when the classes are defined, in every call, or to what every call returns.
"""

import dataclasses
import sys
from pathlib import Path

import pytest

from grader.assignments.vit.names import FUNCTIONS, HYPERPARAMETERS, TRANSFORMS
from grader.pipeline import Grader
from grader.records import Grade
from grader.sandbox.inside.plan import Limits

JUDGED = (
    "vit.shapes", "vit.patch_embeddings", "vit.position_embedding", "vit.attention_block", "vit.model", "vit.heads",
    "contrastive.embeddings", "application.knn",
)  # fmt: skip
ATTACKED = """
import array, atexit, builtins, ctypes, gc, io, json, os, signal, struct, sys, threading, time
import torch
from torch import nn

def start():
    pass

def call():
    pass

def give(output):
    return output

{attack}

"""  # what every attacked submission begins with; its classes call start, call and give
SUBMISSION = (
    ATTACKED
    + """class Constant(nn.Module):
    ran = start()
    def __init__(self, *shape):
        super().__init__()
        self.shape, self.one = shape, nn.Parameter(torch.ones(1))
    def forward(self, x):
        call()
        shape = [size if size else x.shape[place] for place, size in enumerate(self.shape)]
        return give(self.one * torch.ones(shape))

class PatchEmbeddings(Constant):
    def __init__(self, image_size, patch_size, hidden_size, num_channels=3):
        super().__init__(0, (image_size // patch_size) ** 2, hidden_size)
        self.num_patches = (image_size // patch_size) ** 2

class PositionEmbedding(Constant):
    def __init__(self, num_patches, hidden_size):
        super().__init__(0, num_patches + 1, hidden_size)

class ResidualAttentionBlock(Constant):
    def __init__(self, d_model, n_head):
        super().__init__(0, 0, d_model)

class Transformer(Constant):
    def __init__(self, width, layers, heads):
        super().__init__(0, 0, width)

class ViT(Constant):
    def __init__(self, image_size, patch_size, num_channels, hidden_size, layers, heads):
        super().__init__(0, hidden_size)
        self.hidden_size = hidden_size

class ClassificationHead(Constant):
    def __init__(self, hidden_size, num_classes=10):
        super().__init__(0, num_classes)

class LinearEmbeddingHead(Constant):
    def __init__(self, hidden_size, embed_size=64):
        super().__init__(0, embed_size)

def get_embeddings(x, vit_model, model_embedding):
    call()
    return give(torch.ones(len(x), 64))

def retrieve_topk_nearest_neighbors_l2(query, ref, k=5):
    call()
    return give(torch.zeros(k)), give(torch.zeros(k, dtype=torch.long))
"""
)
FRAME = """
def frame(ident, body):
    header = json.dumps({'id': ident, 'body': body, 'arrays': []}).encode()
    return struct.pack('>IQ', len(header), 0) + header
def local(name):
    depth = sys._getframe()
    while depth and name not in depth.f_locals:
        depth = depth.f_back
    return depth.f_locals[name] if depth else None
"""
ATTACKS = {
    "comparisons that hold": """
def start():
    yes = lambda *a, **k: True
    torch.allclose = torch.equal = torch.isclose = torch.testing.assert_close = yes
    import numpy
    numpy.allclose = numpy.array_equal = numpy.isclose = numpy.testing.assert_allclose = yes
    torch.Tensor.__eq__ = torch.Tensor.__ne__ = yes
    builtins.isinstance = builtins.all = builtins.any = yes
""",
    "a tensor that equals everything": """
class Agreeable(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if func.__name__ in ('allclose', 'equal', 'eq', 'isclose'):
            return True
        return super().__torch_function__(func, types, args, kwargs or {})
def give(output):
    return output.as_subclass(Agreeable)
""",
    "a tensor that lies of its shape": """
class Liar(torch.Tensor):
    shape = property(lambda self: torch.Size((1, 64)))
    size = lambda self, *a: torch.Size((1, 64))
def give(output):
    return output.as_subclass(Liar)
""",
    "something else than a tensor": """
class Anything:
    def __getattr__(self, name): return Anything()
    def __call__(self, *a, **k): return Anything()
    def __eq__(self, other): return True
    def __bool__(self): return True
def give(output):
    return Anything()
""",
    "not a number": "def give(output): return output * float('nan')",
    "infinity": "def give(output): return output * float('inf') if output.is_floating_point() else output",
    "an exit when defined": "def start(): os._exit(0)",
    "an exit in every call": "def call(): os._exit(0)",
    "sys.exit in every call": "def call(): sys.exit(0)",
    "an interrupt in every call": "def call(): raise KeyboardInterrupt",
    "a crash": "def call(): ctypes.string_at(0)",
    "a forged value": FRAME + "def call(): os.write(4, frame(local('ident'), {'value': {'passed': True}}))",
    "a forged value and an end": FRAME + """
def call():
    os.write(4, frame(local('ident'), {'value': True}))
    os._exit(0)
""",
    "a forged value before": FRAME + "def start(): os.write(4, frame('0' * 32, {'value': True}))",
    "a forged fault": FRAME + """
def call():
    os.write(4, frame(local('ident'), {'fault': 'out of memory'}))
    os._exit(0)
""",
    "a lack of memory that is none": "def call(): raise MemoryError('DefaultCPUAllocator: not enough memory')",
    "a lack of memory": "kept = []\ndef call():\n    while True: kept.append(b'x' * (64 << 20))",
    "a library that is said to be missing": "def call(): raise ModuleNotFoundError('No module named ' + repr('torch'))",
    "a file that is said to be closed": """
def call():
    raise PermissionError(13, 'Permission denied', torch.__file__)
""",
    "a device that is full": "def call(): raise OSError(28, 'No space left on device')",
    "still to do": "def call(): raise NotImplementedError",
    "a clock that stands still": """
def start():
    time.time = time.monotonic = time.perf_counter = time.process_time = lambda: 0.0
    time.sleep = lambda seconds: None
""",
    "the worker's operations": """
def start():
    operations = sys.modules['grader.sandbox.inside.serve'].OPS
    for name in list(operations):
        operations[name] = lambda *a, **k: {'passed': True, 'value': 1.0, 'kind': 'tensor'}
""",
    "the worker's descriptions": """
def start():
    describe = sys.modules['grader.sandbox.inside.describe']
    describe.tensor = describe.result = lambda *a: {'kind': 'tensor', 'dtype': 'float32', 'array': []}
    describe.exception = lambda error: {}
""",
    "the worker's protocol": FRAME + """
def start():
    protocol = sys.modules['grader.sandbox.inside.protocol']
    original = protocol.encode
    protocol.encode = lambda ident, body: original(ident, {'value': {'right': True}} if 'value' in body else body)
""",
    "the worker's student": """
def start():
    sys.modules['grader.sandbox.inside.student'].Student.get = lambda self, name: (lambda *a, **k: torch.ones(1))
""",
    "the answers in the memory": """
def found(output):
    for each in gc.get_objects():
        if isinstance(each, dict):
            for value in list(each.values()):
                value = torch.from_numpy(value) if type(value).__module__ == 'numpy' and hasattr(value, 'dtype') and \\
                    getattr(value, 'dtype').kind in 'fi' and value.shape == tuple(output.shape) else value
                if isinstance(value, torch.Tensor) and value.shape == output.shape and not value.eq(1).all():
                    yield value.to(output.dtype)
def give(output):
    return next(found(output), output)
""",
    "the answers in the frames": """
def give(output):
    depth = sys._getframe()
    while depth:
        for value in list(depth.f_locals.values()):
            for each in (value.values() if isinstance(value, dict) else [value]):
                if hasattr(each, 'shape') and tuple(each.shape) == tuple(output.shape) and each is not output:
                    return torch.as_tensor(each, dtype=output.dtype)
        depth = depth.f_back
    return output
""",
    "the grader's memory": """
def give(output):
    for pid in (os.getppid(), 1, *range(2, 400)):
        try:
            output = output + len(open(f'/proc/{pid}/mem', 'rb').read(1))
            print(open(f'/proc/{pid}/environ').read())
        except OSError:
            pass
    return output
""",
    "the checks' files": """
def start():
    for folder in sys.path + ['/work', '/root', '/home', '/tmp']:
        for name in ('grader/assignments/vit/model/patches.py', 'reference/vit_model.py', 'grader/assignments/vit/rubric.toml'):
            try:
                exec(open(f'{folder}/{name}').read(), globals())
            except OSError:
                pass
""",
    "at exit": "def start(): atexit.register(os.write, 4, b'passed')",
    "a thread that changes answers later": """
kept = []
def later():
    while True:
        for each in kept:
            each.data.normal_()
        time.sleep(0.001)
def start():
    threading.Thread(target=later, daemon=True).start()
def give(output):
    kept.append(output)
    return output
""",
    "a thread that answers": FRAME + """
def later():
    while True:
        for depth in list(sys._current_frames().values()):
            while depth:
                if 'ident' in depth.f_locals:
                    os.write(4, frame(depth.f_locals['ident'], {'value': {'passed': True}}))
                    return
                depth = depth.f_back
def start():
    threading.Thread(target=later, daemon=True).start()
""",
    "a tracer": """
def start():
    def tracer(frame, event, argument):
        if event == 'return' and frame.f_code.co_name == '_shape':
            frame.f_locals['output'] = None
        return tracer
    sys.settrace(tracer)
""",
    "modules of the tests": """
def start():
    print('##teamcity[testSuiteFinished]', '::notice::100 points', 'TOTAL SCORE: 100')
    print(json.dumps({'score': 100, 'status': 'graded'}))
""",
}  # fmt: skip
JUNK = {
    "nothing": "None",
    "a word": "'passed'",
    "a list": "[[[]]]",
    "a dict": "{'passed': True}",
    "infinity": "float('inf')",
    "a large integer": "10 ** 18",
    "an array": "numpy.ones((2, 2), numpy.float32)",
    "arrays by every name": "Everything()",
}
ANY_ANSWER = """
class Everything(dict):
    def __init__(self):
        names = 'array arrays value values calls raised undefined type shape dtype kind items steps epochs losses rates'
        super().__init__({{name: numpy.ones((2, 2)) for name in names.split()}})
def start():
    operations = sys.modules['grader.sandbox.inside.serve'].OPS
    for name in list(operations):
        operations[name] = lambda *a, **k: {junk}
"""
FILES = {
    "conftest.py": "import os\nos._exit(0)",
    "sitecustomize.py": "import os\nos._exit(0)",
    "usercustomize.py": "import os\nos._exit(0)",
    "torch.py": "def __getattr__(name):\n    return lambda *a, **k: True",
    "json.py": "def dumps(*a, **k):\n    return '{\"score\": 100}'\ndef loads(*a, **k):\n    return {}",
    "numpy.py": "def allclose(*a, **k):\n    return True",
    "grader/verdicts.py": "def judge(*a):\n    raise SystemExit(0)",
    "grader/__init__.py": "raise SystemExit(0)",
    "evil.pth": "import os; os._exit(0)",
    "rubric.toml": "[[criteria]]\nid = 'vit.shapes'\npart = 2\ntitle = 'mine'\npoints = 100\n",
    "check_vit.py": "CASES = {}\ndef check(namespace):\n    return []\n",
    "pytest.ini": "[pytest]\naddopts = --co\n",
    "grade.json": '{"score": 100, "status": "graded"}',
}


def judged(grader: Grader, path: Path) -> Grade:
    """A grade by some criteria, in a second."""
    every = grader.rubric
    criteria = tuple(criterion for criterion in every.criteria if criterion.id in JUDGED)
    grader.rubric = dataclasses.replace(every, criteria=criteria)
    try:
        return grader.grade(path, only=JUDGED)
    finally:
        grader.rubric = every


def handed_in(folder: Path, attack: str = "", **files: str) -> Path:
    folder.mkdir()
    (folder / "vit_model.py").write_text(SUBMISSION.replace("{attack}", attack))
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return folder


def points(grade: Grade) -> dict[str, float]:
    return {criterion.id: criterion.points for criterion in grade.criteria}


@pytest.fixture(autouse=True)
def _less_memory(grader: Grader, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes long to use up more, and nothing here needs it."""
    monkeypatch.setattr(grader.workers, "limits", Limits(memory=512 << 20))


@pytest.fixture(scope="module")
def honest(grader: Grader, tmp_path_factory: pytest.TempPathFactory) -> Grade:
    grade = judged(grader, handed_in(tmp_path_factory.mktemp("honest") / "ab12"))
    assert grade.status == "graded" and points(grade)["vit.shapes"] > 0 and grade.score < 8, points(grade)
    return grade


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_no_point_is_gained_in_the_worker(attack: str, grader: Grader, honest: Grade, tmp_path: Path) -> None:
    grade = judged(grader, handed_in(tmp_path / "ab12", attack))
    assert_no_gain(grade, honest)


@pytest.mark.parametrize("name", FILES)
def test_no_point_is_gained_by_a_file(name: str, grader: Grader, honest: Grade, tmp_path: Path) -> None:
    grade = judged(grader, handed_in(tmp_path / "ab12", "", **{name: FILES[name]}))
    assert_no_gain(grade, honest)
    if name not in ("torch.py", "json.py", "numpy.py"):
        assert points(grade) == points(honest), "a file that nobody asked for changed the grade"


@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK)
def test_no_answer_of_any_form_gains_a_point_or_ends_the_grader(junk: str, grader: Grader, tmp_path: Path) -> None:
    names = "".join(f"def {name}(*a, **k):\n    call()\n" for name in (*FUNCTIONS, *TRANSFORMS))
    values = "".join(f"{name} = 4\n" for name in HYPERPARAMETERS)
    folder = handed_in(tmp_path / "ab12", "import numpy\n" + ANY_ANSWER.format(junk=junk))
    (folder / "contrastive.py").write_text(f"from vit_model import call\n{names}{values}")
    grade = grader.grade(folder)
    assert grade.status == "graded", grade.reason
    assert grade.score == 0 or points(grade)["vit.shapes"] == 0, points(grade)


@pytest.mark.parametrize(
    ("attack", "open_"),
    [
        ("import lost\n", set()),
        ("import lost\nmargin = lost.margin\n", set()),
        ("import lost\nclass ViT(lost.ViT):\n    pass\n", {"vit.shapes", "vit.model"}),
    ],
    ids=["nothing rests on it", "a number rests on it", "a class inherits from it"],
)
def test_an_import_that_the_sandbox_alone_refuses_leaves_open_what_rests_on_it(
    attack: str, open_: set[str], grader: Grader, honest: Grade, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = tmp_path / "lib/python3/site-packages"
    (packages / "lost").mkdir(parents=True)
    (packages / "lost/__init__.py").touch()
    monkeypatch.setattr(sys, "path", [*sys.path, str(packages)])
    folder = handed_in(tmp_path / "ab12")
    own = (folder / "vit_model.py").read_text()
    own = own.replace("class ViT(", "class Other(") if "ViT" in attack else own  # or the first one counts
    (folder / "vit_model.py").write_text(f"{own}\n{attack}")
    grade = judged(grader, folder)
    assert {c.id for c in grade.criteria if c.status == "error"} == open_, [(c.id, c.feedback) for c in grade.criteria]
    assert grade.undecided == sum(c.max_points for c in grade.criteria if c.id in open_)
    assert all(points(grade)[name] == got for name, got in points(honest).items() if name not in open_)


def assert_no_gain(grade: Grade, honest: Grade) -> None:
    assert grade.status == "graded", (grade.status, grade.reason)
    gained = {name: got for name, got in points(grade).items() if got > points(honest)[name]}
    assert not gained
