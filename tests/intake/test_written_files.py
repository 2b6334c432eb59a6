"""Small files that a notebook writes and reads again."""

from pathlib import Path

import pytest

from tests.intake.building import from_cells, kept

pytestmark = pytest.mark.usefixtures("in_process")

READ = "import json\nlr = json.load(open('config.json'))['lr']"
WRITTEN = {
    "by a path": ("from pathlib import Path\nPath('config.json').write_text('{}')", READ),
    "in one line": ("import json\ncfg = {'lr': 1}\njson.dump(cfg, open('config.json', 'w'))", READ),
    "with": ("import json\nwith open('config.json', mode='w') as out:\n    json.dump({}, out)", READ),
    "in steps": ("f = open('config.json', 'w')\nf.write('{}')\nf.close()", READ),
    "by a cell magic": ("%%writefile config.json\n{}", READ),
    "in another folder": ("open('/content/config.json', 'w').write('{}')", READ),
    "read in a function": (
        "import json\njson.dump({}, open('config.json', 'w'))",
        "def load():\n    return json.load(open('config.json'))\nlr = load()['lr']",
    ),
    "as an array": ("import numpy as np\nnp.save('stats.npy', [1])", "lr = np.load('stats.npy')[0]"),
    "pickled": (
        "import pickle\nwith open('cfg.pkl', 'wb') as f:\n    pickle.dump({}, f)",
        "with open('cfg.pkl', 'rb') as g:\n    lr = pickle.load(g)['lr']",
    ),
    "as a table": ("import pandas as pd\npd.DataFrame({'lr': [1]}).to_csv('hp.csv')", "lr = pd.read_csv('hp.csv')['lr'][0]"),
}  # fmt: skip


@pytest.mark.parametrize(("written", "read"), WRITTEN.values(), ids=WRITTEN.keys())
def test_what_writes_a_file_that_is_read_is_kept(tmp_path: Path, written: str, read: str) -> None:
    submission = from_cells(tmp_path, written, "open('other.json', 'w').write('{}')", read)
    text = kept(submission)
    last = written.split("\n")[-1].strip() if not written.startswith("%%") else "open('config.json', 'w').write"
    assert all(line in text for line in written.split("\n")) or written.startswith("%%")
    assert last in text and "lr" in submission.program.names
    assert "other.json" not in text


def test_nothing_is_written_that_nobody_reads(tmp_path: Path) -> None:
    submission = from_cells(tmp_path, "lr = 1", "import json\njson.dump({'lr': lr}, open('config.json', 'w'))")
    assert kept(submission) == "lr = 1"


def test_results_that_are_loaded_again_stay_out(tmp_path: Path) -> None:
    cells = "import numpy as np", "train_embedding_model(1, 2)", "history = np.load('history.npy')\nlr = history[0]"
    submission = from_cells(tmp_path, *cells)
    assert "np.load" not in kept(submission)


@pytest.mark.parametrize(
    "cell",
    ["from types import SimpleNamespace\nargs = SimpleNamespace(lr=1)\nvars(args).update(lr=0.5)\nlr = args.lr",
     "from argparse import Namespace\nargs = Namespace(lr=1)\nvars(args)['lr'] = 0.5\nlr = args.lr",
     "a, b = dict(lr=1), dict(x=1)\nfor d, new in ((a, dict(lr=0.5)), (b, dict(x=2))):\n    d.update(new)\nlr = a['lr']",
     "exec('lr = 0.5')\nx = 1", "settings = 'lr = 0.5'\nexec(settings)\nx = 1",
     "import sys\nfor k, v in dict(lr=0.5).items():\n    setattr(sys.modules[__name__], k, v)"],
)  # fmt: skip
def test_settings_that_are_changed_in_other_ways_are_found(tmp_path: Path, cell: str) -> None:
    last_but_one = cell.split("\n")[-1 if "setattr" in cell else -2].strip() if "exec" not in cell else "    lr = 0.5"
    submission = from_cells(tmp_path, cell, "class ViT:\n    rate = lr")
    assert last_but_one in kept(submission)
