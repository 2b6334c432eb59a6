"""What a worker writes is an answer of the agreed form, or a fault of that probe: never more."""

import pytest

from grader.records import Observation
from grader.sandbox.outside.warm import WarmWorkers

from .attack import PRELUDE, told

FRAME = """
import json, struct
ARRAY = {'$array': 0}
def frame(ident, body, arrays=(), blob=b''):
    header = json.dumps({'id': ident, 'body': body, 'arrays': list(arrays)}).encode()
    return struct.pack('>IQ', len(header), len(blob)) + header + blob
def ident():
    depth = sys._getframe()
    while depth and 'ident' not in depth.f_locals:
        depth = depth.f_back
    return depth.f_locals['ident']
"""
FORGED = {
    "a blind reply": "os.write(4, frame('0' * 32, {'value': 1})); time.sleep(9)",
    "an empty id": "os.write(4, frame('', {'value': 1})); time.sleep(9)",
    "two replies": "os.write(4, frame(ident(), {'value': 1}) * 2); time.sleep(9)",
    "no reply form": "os.write(4, frame(ident(), {'passed': True})); time.sleep(9)",
    "a fault of the grader": "os.write(4, frame(ident(), {'fault': 'sorry'})); time.sleep(9)",
    "a list": "os.write(4, frame(ident(), [1])); time.sleep(9)",
    "two forms": "os.write(4, frame(ident(), {'value': 1, 'raised': 2})); time.sleep(9)",
    "an exception of numbers": "os.write(4, frame(ident(), {'raised': {'type': 1}})); time.sleep(9)",
    "a header of 4 GB": "os.write(4, struct.pack('>IQ', 2**32 - 1, 0)); time.sleep(9)",
    "a blob of 2**60": "os.write(4, struct.pack('>IQ', 10, 2**60)); time.sleep(9)",
    "no json": "os.write(4, struct.pack('>IQ', 3, 0) + b'{{{'); time.sleep(9)",
    "deep json": "os.write(4, struct.pack('>IQ', 200000, 0) + b'[' * 200000); time.sleep(9)",
    "a long number": "os.write(4, struct.pack('>IQ', 900000, 0) + b'1' * 900000); time.sleep(9)",
    "NaN": "os.write(4, frame(ident(), {'value': float('nan')})); time.sleep(9)",
    "an infinite number": "os.write(4, frame(ident(), {'value': 10000}).replace(b'10000', b'1e999')); time.sleep(9)",
    "a number too long": "os.write(4, frame(ident(), {'value': 10 ** 30})); time.sleep(9)",
    "a key twice": "os.write(4, frame(ident(), {'value': 1, 'valux': 2}).replace(b'valux', b'value')); time.sleep(9)",
    "not utf-8": "os.write(4, frame(ident(), {'value': 'x'}).replace(b'x', b'\\xff')); time.sleep(9)",
    "a foreign dtype": "os.write(4, frame(ident(), {'value': ARRAY}, [['object', [1]]], bytes(8))); time.sleep(9)",
    "a negative size": "os.write(4, frame(ident(), {'value': ARRAY}, [['uint8', [-1]]])); time.sleep(9)",
    "more array than bytes": "os.write(4, frame(ident(), {'value': ARRAY}, [['uint8', [9]]])); time.sleep(9)",
    "more bytes than array": "os.write(4, frame(ident(), {'value': 1}, [], b'x')); time.sleep(9)",
    "an array that is none": "os.write(4, frame(ident(), {'value': {'$array': 3}})); time.sleep(9)",
    "a shared array": "os.write(4, frame(ident(), {'value': {'$shared': 'images'}})); time.sleep(9)",
    "an array a hundred thousand times": """
os.write(4, frame(ident(), {'value': [ARRAY] * 100_000}, [['uint8', [1 << 20]]], bytes(1 << 20))); time.sleep(9)
""",
    "a huge axis beside an empty one": """
os.write(4, frame(ident(), {'value': ARRAY}, [['uint8', [1 << 28, 0]]])); time.sleep(9)
""",
    "a bool of 7": "os.write(4, frame(ident(), {'value': ARRAY}, [['bool', [1]]], b'\\7')); time.sleep(9)",
    "10 GB": """
os.write(4, struct.pack('>IQ', 10, 10 << 20))
while True: os.write(4, bytes(1 << 20))
""",
    "a reply before the question": "os.write(4, frame('0' * 32, {'value': 1}))",
}  # fmt: skip
REPLACED = {
    "json.dumps": "import json\njson.dumps = lambda *a, **k: '{}'",
    "json.dumps that raises": "import json\njson.dumps = None",
    "numpy": "import numpy\nnumpy.ascontiguousarray = numpy.ndarray = None",
    "struct": "struct.pack = struct.unpack = None",
    "standard output": "sys.stdout = sys.stderr = None",
    "closed streams": "sys.stdout.close(); sys.stderr.close()",
    "os.write": "os.write = os.read = None",
    "builtins": "import builtins\nbuiltins.isinstance = lambda *a: True\nbuiltins.len = lambda *a: 0",
    "every builtin": """
import builtins
for each in list(vars(builtins)):
    if each[0] != '_': setattr(builtins, each, None)
""",
    "torch.equal": "import torch\ntorch.equal = torch.allclose = lambda *a, **k: True",
    "Tensor.__eq__": "import torch\ntorch.Tensor.__eq__ = lambda *a: True",
    "the protocol": "sys.modules['grader.sandbox.inside.protocol'].encode = lambda ident, body: [b'x' * 99]",
    "the description": "sys.modules['grader.sandbox.inside.describe'].exception = None",
    "the operations": "sys.modules['grader.sandbox.inside.serve'].OPS.clear()",
    "every operation": """
operations = sys.modules['grader.sandbox.inside.serve'].OPS
for each in operations: operations[each] = lambda *a, **k: {'passed': True}
""",
    "the modules": "sys.modules.clear()",
    "the request's pipe": "os.close(3)",
    "the reply's pipe": "os.close(4)",
    "all pipes": "os.closerange(0, 99)",
    "the pipes exchanged": "os.dup2(1, 4)",
    "the import system": "sys.meta_path.clear(); sys.path.clear()",
    "the tracer": "sys.settrace(lambda *a: 1 / 0); threading.settrace(lambda *a: 1 / 0)",
    "the excepthook": "sys.excepthook = lambda *a: os._exit(0)",
    "a clean exit": "os._exit(0)",
    "a thread that exits": "threading.Timer(0.2, os._exit, (0,)).start()",
}
ENDING = {
    "os._exit(0)": ("os._exit(0)", "the process ended with exit status 0"),
    "os._exit(70)": ("os._exit(70)", "the process ended with exit status 70"),
    "a segmentation fault": ("ctypes.string_at(0)", "crashed (SIGSEGV) in work (a.py, line 3)"),
    "abort": ("os.abort()", "crashed (SIGABRT) in work (a.py, line 3)"),
}


def asked(workers: WarmWorkers, work: str, before: str = "", seconds: float = 20.0) -> list[Observation]:
    """Load, let ``work`` run as a student's function, then call an honest one in the same worker object."""
    body = "\n".join("    " + line for line in work.strip().split("\n"))
    helpers = PRELUDE.replace("NUMBERS[name]", "name") + FRAME
    cells = [helpers, f"{before}\ndef work():\n{body}", "def honest():\n    return 42"]
    pieces = [{"source": text, "file": "a.py", "cell": None, "line": 1} for text in cells]
    worker = workers.open({"main": pieces, "modules": {}, "names": {}}, "")
    try:
        return [worker.ask("call", {"name": name}, seconds) for name in ("work", "honest")]
    finally:
        worker.close()


@pytest.mark.parametrize("work", FORGED.values(), ids=FORGED)
def test_a_forged_reply_is_named(work: str, workers: WarmWorkers) -> None:
    seen, after = asked(workers, work)
    if work == FORGED["a reply before the question"]:
        assert "forged" in (seen.outcome, after.outcome), told(seen)
        return
    assert seen.outcome == "forged", told(seen)
    assert after.value == {"kind": "number", "number": 42.0, "type": "int"}, told(after)


@pytest.mark.parametrize("work", REPLACED.values(), ids=REPLACED)
def test_what_is_replaced_in_the_worker_does_no_more_than_a_fault(work: str, workers: WarmWorkers) -> None:
    seen, _ = asked(workers, work, seconds=10.0)
    assert seen.outcome in ("value", "raised", "crashed", "forged", "undefined", "timeout"), told(seen)


def test_other_workers_stay_honest(workers: WarmWorkers) -> None:
    asked(workers, REPLACED["every operation"])
    assert [each.outcome for each in asked(workers, "return 1")] == ["value", "value"]


@pytest.mark.parametrize(("work", "detail"), ENDING.values(), ids=ENDING)
def test_an_end_is_a_fault_with_a_name(work: str, detail: str, workers: WarmWorkers) -> None:
    seen, after = asked(workers, work)
    assert (seen.outcome, seen.detail) == ("crashed", detail), told(seen)
    assert after.outcome == "value"


@pytest.mark.parametrize("work", ["sys.exit(0)", "raise KeyboardInterrupt", "raise GeneratorExit", "exit()"])
def test_leaving_is_an_exception_like_others(work: str, workers: WarmWorkers) -> None:
    seen, after = asked(workers, work)
    assert seen.outcome == "raised", told(seen)
    assert after.outcome == "value"


def test_a_trickle_of_bytes_ends_at_the_deadline(workers: WarmWorkers) -> None:
    seen, _ = asked(
        workers,
        "os.write(4, struct.pack('>IQ', 99, 0))\nwhile True:\n    os.write(4, b' '); time.sleep(.05)",
        seconds=1.0,
    )
    assert seen.outcome == "timeout"


def test_terminal_escapes_and_commands_arrive_as_harmless_text(workers: WarmWorkers) -> None:
    work = r"print('\x1b]0;title\x07\x1b[2J\x1b[31mred\u202e\x00'); raise ValueError('\x1b[2Jcleared\u202e')"
    seen, _ = asked(workers, work)
    assert seen.output == "]0;titlered\n"
    assert seen.raised is not None and seen.raised.message == "cleared"


def test_an_operation_that_does_not_exist_is_the_graders_fault(workers: WarmWorkers) -> None:
    worker = workers.open({"main": [], "modules": {}, "names": {}}, "")
    assert worker.ask("nothing", {}, 5).outcome == "fault"
    assert worker.ask("call", {}, 5).outcome == "fault"
    assert worker.ask("call", {"name": "x", "more": 1}, 5).outcome == "fault"
    assert worker.ask("call", {"name": object()}, 5).outcome == "fault"
    assert worker.ask("call", {"name": "x"}, 5).outcome == "undefined"
    worker.close()


def test_nothing_of_the_graders_memory_is_in_a_worker(workers: WarmWorkers) -> None:
    code = "print(*[n for n in sys.modules if 'grader' in n and 'inside' not in n.split('.')], sys.argv)"
    *loaded, argv = asked(workers, code)[0].output.split()
    ways = {"grader", "grader.sandbox", "grader.torchkit", "grader.assignments", "grader.assignments.vit"}
    assert set(loaded) <= ways and argv == "['-c']"  # packages that only lead to an inside


def test_a_pickle_is_opened_in_a_worker_only(workers: WarmWorkers) -> None:
    work = """
import pickle, torch
class Evil:
    def __reduce__(self):
        return os.system, ('true',)
torch.save(Evil(), 'evil.pt')
attempt(torch.load, 'evil.pt')
attempt(lambda: torch.load('evil.pt', weights_only=False) == 0 or 1 / 0)
"""
    seen, _ = asked(workers, work)
    assert seen.output.count("stopped:") == 2, told(seen)
