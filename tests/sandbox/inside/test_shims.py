"""What notebooks use around their models runs in a worker, each case in a process of its own."""

import json
import os
import subprocess
import sys

import pytest
import torch

from grader.sandbox.inside import devices

SHOWS_ONLY = {
    "tqdm.notebook": "from tqdm.notebook import tqdm, trange\nassert sum(tqdm(range(4), leave=False)) == 6\nlist(trange(2))",
    "tqdm.auto": "from tqdm.auto import tqdm\nbar = tqdm(range(3), desc='x')\nbar.set_postfix(loss=1.0)\nassert len(list(bar)) == 3",
    "tqdm.autonotebook": "import tqdm.autonotebook as t\nassert list(t.tqdm([1])) == [1]",
    "tqdm_notebook": "from tqdm import tqdm_notebook\nassert list(tqdm_notebook([1])) == [1]",
    "tqdm as bar": "import tqdm\nwith tqdm.notebook.tqdm(total=3) as bar:\n    bar.update(3)\nassert bar.n == 3",
    "no thread watches a bar": "import threading\nfrom tqdm import tqdm\nlist(tqdm(range(3)))\nassert threading.active_count() == 1",
    "matplotlib": "import matplotlib.pyplot as plt\nfig, ax = plt.subplots(1, 2)\nax[0].imshow(1)\nplt.show()",
    "unpacked": "import matplotlib.pyplot as plt\nfig, (a, b) = plt.subplots(1, 2)\n(line,) = a.plot([1])\n"
    "n, bins, patches = b.hist([1])\nfig, axes = plt.subplots(2, 3)\naxes[0, 1].set_title('x')\n"
    "assert len(axes.flat) == 6\nfig, ax = plt.subplots()\nax.plot([1])",
    "colab": "from google.colab import drive, files\ndrive.mount('/content/drive')",
    "display": "from IPython.display import clear_output, display\nclear_output(wait=True)\ndisplay(1)",
    "what notebooks have": "globals().update(shims.of_notebooks())\ndisplay(1, 2)\nassert 'google.colab' not in str(get_ipython())\n"
    "assert get_ipython().__class__.__name__ == 'ZMQInteractiveShell'",
    "wandb": "import wandb\nwandb.init(project='x')\nwandb.log({'loss': 1.0})",
    "settings of a run": "import argparse, wandb\nrun = wandb.init(config={'lr': 1e-3})\nassert wandb.config.lr == run.config['lr'] == 1e-3\n"
    "wandb.config.epochs = 25\nwandb.config.update({'heads': 4})\nwandb.config.update(argparse.Namespace(layers=2))\n"
    "assert (wandb.config['epochs'], wandb.config.heads, wandb.config.layers) == (25, 4, 2)\n"
    "assert dict(wandb.config)['heads'] == 4 and wandb.config.get('x', 7) == 7\nwandb.config.not_told.anything()",
    "settings of a run of another": "import swanlab as s\nwith s.init(project='x', config=dict(lr=2)) as run:\n    run.log({})\nassert s.config.lr == 2",
    "a run without settings": "import wandb\nwandb.init()\nwandb.config = {'lr': 3}\nassert wandb.config['lr'] == 3\nwandb.watch(1)\nwandb.finish()",
    "connected settings": "from clearml import Task\nsettings = Task.init(project_name='x').connect({'lr': 4})\nassert settings['lr'] == 4",
    "a slider": "import ipywidgets as w\nassert w.IntSlider(value=25, max=100).value == 25\nw.VBox([])",
    "tensorboard": "from torch.utils.tensorboard import SummaryWriter\nSummaryWriter(log_dir='x').add_scalar('loss', 1.0, 0)",
    "pandas": "import pandas as pd\nframe = pd.DataFrame({'loss': [1.0]})\nframe.to_csv",
    "einops": "import torch\nfrom einops import rearrange\nassert rearrange(torch.ones(2, 3), 'a b -> b a').shape == (3, 2)",
}
NO_GPU = {
    "autocast on the CPU": "with torch.autocast('cpu', dtype=torch.bfloat16):\n"
    "    assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32\n"
    "@torch.amp.autocast(device_type='cpu')\ndef product(x):\n    return x @ x\n"
    "assert product(torch.ones(2, 2)).dtype == torch.float32",
    "default dtype": "torch.set_default_dtype(torch.float64)\nassert torch.zeros(2).dtype == torch.float32",
    "default type of tensors": "torch.set_default_tensor_type(torch.DoubleTensor)\nassert torch.zeros(2).dtype == torch.float32",
    "cuda()": "assert torch.ones(2).cuda().device.type == 'cpu'\nassert torch.nn.Linear(2, 2).cuda()",
    "to": "torch.nn.Linear(2, 2).to('cuda')\ntorch.ones(1).to(torch.device('cuda:0'), non_blocking=True)",
    "creation": "assert torch.zeros(2, device='cuda').device.type == 'cpu'",
    "default": "torch.set_default_device('cuda')\nassert torch.zeros(2).device.type == 'cpu'",
    "generator": "torch.randperm(4, generator=torch.Generator(device='cuda').manual_seed(0))",
    "pinned": "torch.ones(2).pin_memory()",
    "autocast": "with torch.autocast('cuda'), torch.amp.autocast(device_type='cuda', dtype=torch.float16):\n    torch.ones(2, 2) @ torch.ones(2, 2)",
    "old autocast": "with torch.cuda.amp.autocast():\n    assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32",
    "scaler": "s = torch.cuda.amp.GradScaler()\nx = torch.ones(1, requires_grad=True)\n"
    "o = torch.optim.SGD([x], 0.1)\ns.scale(x.sum()).backward()\ns.step(o)\ns.update()\nassert x.item() < 1",
    "amp scaler": "s = torch.amp.GradScaler('cuda')\nassert s.scale(torch.ones(1)).item() == 1",
    "properties": "torch.cuda.empty_cache()\ntorch.cuda.synchronize()\ntorch.cuda.manual_seed_all(0)\nprint(torch.cuda.get_device_name(0))",
    "is_cuda": "assert not torch.ones(1).cuda().is_cuda",
    "load": "import io\nb = io.BytesIO()\ntorch.save({'a': torch.ones(1)}, b)\nb.seek(0)\ntorch.load(b, map_location='cuda')",
    "with a device": "with torch.device('cuda'):\n    assert torch.zeros(2).device.type == 'cpu'",
    "number": "torch.nn.Linear(2, 2).to(0)\nassert torch.ones(1).to(0).device.type == 'cpu'\ntorch.ones(1).to(device=1)",
    "variable": "gpu = 0\nm = torch.nn.Linear(2, 2).to(gpu)\nassert m(torch.ones(1, 2).to(gpu)).device.type == 'cpu'",
    "number of a new tensor": "torch.nn.Linear(2, 2).to(0)\nassert torch.zeros(2, device=0).device.type == 'cpu'",
    "device of a number": "d = torch.device(0)\nassert torch.zeros(2, device=d).device.type == 'cpu'\ntorch.ones(1).to(d)",
    "current device": "d = torch.cuda.current_device()\ntorch.nn.Linear(2, 2).to(d)(torch.ones(1, 2).to(d))",
    "accelerator": "d = torch.accelerator.current_accelerator()\ntorch.ones(2, device=d).to(d.type)\n"
    "torch.accelerator.synchronize()\ntorch.accelerator.set_device_index(0)\nassert torch.accelerator.current_device_index() == 0",
    "accelerator that was looked for": "from grader.sandbox.inside import devices\n"
    "d = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device('cpu')\n"
    "assert d.type == 'cpu' and not torch.accelerator.device_count() and not devices.hard_coded",
    "what needs one": "from grader.sandbox.inside import devices\ntorch.cuda.empty_cache()\ntorch.cuda.memory_allocated()\n"
    "assert not devices.hard_coded\ntorch.cuda.synchronize()\ntorch.cuda.Event()\ntorch.cuda.get_device_properties(0)\n"
    "assert devices.hard_coded == ['torch.cuda.synchronize()', 'torch.cuda.Event()', 'torch.cuda.get_device_properties()']",
    "mps": "m = torch.nn.Linear(2, 2).to('mps')\nm(torch.ones(1, 2, device='mps'))\ntorch.mps.empty_cache()\n"
    "torch.mps.synchronize()\nprint(torch.mps.current_allocated_memory())",
    "xpu": "torch.ones(2).to('xpu')\ntorch.xpu.synchronize()",
    "types": "x = torch.ones(2).type(torch.cuda.LongTensor)\nassert x.dtype == torch.int64\nassert x.type() == 'torch.LongTensor'\n"
    "y = torch.ones(2).type('torch.cuda.FloatTensor') + torch.cuda.FloatTensor([1, 2])\nassert not isinstance(y, torch.cuda.FloatTensor)",
    "default type": "torch.set_default_tensor_type('torch.cuda.FloatTensor')\ntorch.set_default_tensor_type(torch.cuda.FloatTensor)\n"
    "assert torch.zeros(2).device.type == 'cpu'",
    "type of a device": "t = torch.cuda.FloatTensor if torch.cuda.is_available() else torch.FloatTensor\nt([1.0])",
    "events": "a, b = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)\na.record()\nb.record()\n"
    "torch.cuda.synchronize()\nprint(a.elapsed_time(b) / 1000, b.query())",
    "streams": "s = torch.cuda.Stream()\ns.wait_stream(torch.cuda.current_stream())\nwith torch.cuda.stream(s):\n"
    "    x = torch.ones(2).cuda(non_blocking=True)\nx.record_stream(s)\ntorch.cuda.current_stream().wait_stream(s)",
    "one device of several": "with torch.cuda.device(0):\n    torch.ones(1).cuda()\ntorch.cuda.set_device(0)",
    "memory": "p = torch.cuda.get_device_properties(0)\nprint(p.name, p.total_memory / 1e9, torch.cuda.memory_reserved(0) / p.total_memory)\n"
    "print(torch.cuda.mem_get_info(), torch.cuda.memory_summary(), torch.cuda.max_memory_allocated(), torch.cuda.get_device_capability())\n"
    "torch.cuda.reset_max_memory_allocated()\ntorch.cuda.ipc_collect()\ntorch.cuda.set_per_process_memory_fraction(0.5)",
    "state of the generator": "torch.cuda.set_rng_state(torch.cuda.get_rng_state())",
    "in parallel": "m = torch.nn.DataParallel(torch.nn.Linear(2, 2), device_ids=[0]).to('cuda')\nm(torch.ones(1, 2).cuda())",
    "default number": "torch.set_default_device(0)\nassert torch.zeros(2).device.type == 'cpu'",
    "asked in place": "x = torch.ones(2)\nassert x.get_device() == -1\nx.data = x.data.to('cuda:1')",
    "optimizer": "m = torch.nn.Linear(2, 2).to('cuda')\no = torch.optim.AdamW(m.parameters(), fused=True)\nm(torch.ones(1, 2).cuda()).sum().backward()\no.step()",
}


COMPILED = {
    "function": "@torch.compile\ndef f(x):\n    return x + 1\nassert f(torch.ones(1)).item() == 2",
    "with options": "@torch.compile(mode='reduce-overhead')\ndef f(x):\n    return x\nassert f(torch.ones(1)).item() == 1",
    "model": "m = torch.compile(torch.nn.Linear(2, 2))\nassert list(m.state_dict()) == ['weight', 'bias']",
    "in place": "m = torch.nn.Linear(2, 2)\nm.compile()\nm(torch.ones(1, 2))",
}
FORKS = """
import json, os, sys, traceback
from grader.sandbox.inside import lazy_imports
lazy_imports.leave_out()  # as a worker's parent does
import torch
from pytorch_metric_learning import losses
def attempt(source):
    read, write = os.pipe()
    if not os.fork():
        try:
            from grader.sandbox.inside import devices, shims
            shims.install(devices.asks_for_gpu(source))
            exec(source, {"torch": torch, "shims": shims})
        except BaseException:
            os.write(write, traceback.format_exc()[-900:].encode())
        os._exit(0)
    os.close(write)
    os.wait()
    return os.read(read, 1000).decode()
print(json.dumps([attempt(source) for source in json.load(sys.stdin)]))
"""


@pytest.fixture(scope="module")
def said() -> dict[str, str]:
    """Source → what it raised; nothing where all went well."""
    sources = [*SHOWS_ONLY.values(), *NO_GPU.values(), *COMPILED.values()]
    done = subprocess.run([sys.executable, "-c", FORKS], input=json.dumps(sources), capture_output=True, text=True,
                          env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE", "OMP_NUM_THREADS": "1"})  # fmt: skip
    return dict(zip(sources, json.loads(done.stdout.splitlines()[-1]), strict=True))


@pytest.mark.parametrize("name", SHOWS_ONLY)
def test_what_only_shows_things_is_let_pass(name: str, said: dict[str, str]) -> None:
    assert said[SHOWS_ONLY[name]] == ""


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize("name", NO_GPU)
def test_a_wish_for_a_gpu_is_let_pass_where_there_is_none(name: str, said: dict[str, str]) -> None:
    assert said[NO_GPU[name]] == ""


@pytest.mark.parametrize(
    ("source", "asks"),
    [
        ('device = torch.device("cuda" if torch.cuda.is_available() else "cpu")', False),
        ("device = 'cuda:0' if torch.cuda.is_available() else 'cpu'", False),
        ("from torch import cuda\ndevice = 'cuda' if cuda.is_available() else 'cpu'", False),
        ("torch.cuda.empty_cache()\ntorch.cuda.manual_seed_all(0)", False),
        ('device = "cuda"', True),
        ('device = "cuda" if gpu else "cpu"', True),
        ("images = images.cuda()", True),
        ("device = f'cuda:{rank}'", True),
        ("device = torch.device(0)", True),
        ("x = torch.zeros(2, device = 0)", True),
        ("device = 'mps'", True),
    ],
    ids=str,
)
def test_only_code_that_may_ask_for_a_gpu_is_slowed_down(source: str, asks: bool) -> None:
    assert devices.asks_for_gpu(source) == asks


@pytest.mark.parametrize("name", COMPILED)
def test_nothing_is_compiled(name: str, said: dict[str, str]) -> None:
    assert said[COMPILED[name]] == ""
