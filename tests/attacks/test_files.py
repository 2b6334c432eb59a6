"""No file outside of the libraries, the submission and the scratch is read, changed or made."""

import contextlib
from collections.abc import Iterator

import pytest

from grader.sandbox.outside.warm import WarmWorkers

from .attack import Attack, load, load_all, told
from .targets import Targets

READING = [
    Attack("inherited descriptors", """
def found():
    numbers = []
    for number in range(6, 4096):
        try:
            os.fstat(number)
        except OSError:
            continue
        numbers.append(number)
    assert numbers, 'none'
    return numbers
attempt(found)
""", works=False),
    Attack("open", "attempt(lambda: open(FILE).read())"),
    Attack("list a folder", "attempt(os.listdir, FOLDER)"),
    Attack("walk upwards", "attempt(lambda: open('../' * 20 + FILE).read())"),
    Attack("by a symbolic link", "os.symlink(FILE, 'link'); attempt(lambda: open('link').read())"),
    Attack("by a link to its folder", "os.symlink(FOLDER, 'link'); attempt(lambda: open('link/file').read())"),
    Attack("by a hard link", "attempt(lambda: (os.link(FILE, 'link'), open('link').read()))", works=False),
    Attack("by moving it", "attempt(lambda: (os.rename(FILE, 'moved'), open('moved').read()))"),
    Attack("through /proc/self/root", "attempt(lambda: open('/proc/self/root' + FILE).read())"),
    Attack("through another's root", "attempt(lambda: open(f'/proc/{PID}/root{FILE}').read())", works=False),
    Attack("through another's folder", "attempt(os.listdir, f'/proc/{GRADER}/cwd')", works=False),
    Attack("through an O_PATH descriptor", """
def by_path():
    place = os.open(FILE, os.O_PATH)
    return open(f'/proc/self/fd/{place}').read()
attempt(by_path)
"""),
    Attack("by its handle", """
handle = ctypes.create_string_buffer(struct.pack('Ii', 128, 0) + bytes(128))
attempt(call, 'name_to_handle_at', -100, FILE.encode(), handle, ctypes.byref(ctypes.c_int()), 0)
"""),
    Attack("map it", "attempt(lambda: mmap.mmap(os.open(FILE, os.O_RDONLY), 0, prot=mmap.PROT_READ)[:])"),
    Attack("by a program", "attempt(subprocess.check_output, ['/bin/cat', FILE])"),
    Attack("by torch.load", "import torch\nattempt(torch.load, FILE)", works=False),
    Attack("by numpy", "import numpy\nattempt(numpy.fromfile, FILE, 'u1')"),
    Attack("watch it", "attempt(call, 'inotify_init1', 0)"),
    Attack("the checks", "attempt(lambda: open(PROJECT + '/grader/judging.py').read())"),
    Attack("the reference", "attempt(lambda: open(PROJECT + '/reference/vit_model.py').read())"),
    Attack("the rubric", "attempt(lambda: open(PROJECT + '/grader/assignments/vit/rubric.toml').read())"),
    Attack("the tests", "attempt(os.listdir, PROJECT + '/tests')"),
    Attack("import the checks", """
sys.path.append(PROJECT)
import importlib
importlib.invalidate_caches()
for module in [name for name in sys.modules if name.split('.')[0] == 'grader']:
    del sys.modules[module]
attempt(importlib.import_module, 'grader.judging')
"""),
    Attack("the account's home", "attempt(os.listdir, HOME)", works=False),
    Attack("the zygote's home", "attempt(os.listdir, os.path.dirname(SCRATCH) + '/home')"),
    Attack("another worker's scratch", "attempt(os.listdir, os.path.dirname(SCRATCH))"),
    Attack("accounts and passwords", "attempt(lambda: open('/etc/shadow').read())", works=False),
    Attack("the disk", "attempt(lambda: open('/dev/vda', 'rb').read(1))", works=False),
]  # fmt: skip

WRITING = [
    Attack("write", "attempt(lambda: open(FILE, 'w').write('changed'))"),
    Attack("append", "attempt(lambda: open(FILE, 'a').write('changed'))"),
    Attack("truncate", "attempt(os.truncate, FILE, 0)"),
    Attack("delete", "attempt(os.unlink, FILE)"),
    Attack("replace", "open('new', 'w').write('changed'); attempt(os.replace, 'new', FILE)", works=False),
    Attack("make a file", "attempt(lambda: open(FOLDER + '/new', 'w').write('x'))"),
    Attack("make a folder", "attempt(os.mkdir, FOLDER + '/new')"),
    Attack("make a link", "attempt(os.symlink, 'x', FOLDER + '/new')"),
    Attack("make a fifo", "attempt(os.mkfifo, FOLDER + '/new')"),
    Attack("make a device", "attempt(os.mknod, FOLDER + '/new', 0o20666, os.makedev(1, 3))", works=False),
    Attack("through a link", "os.symlink(FILE, 'link'); attempt(lambda: open('link', 'w').write('changed'))"),
    Attack("through a folder's link", "os.symlink(FOLDER, 'to'); attempt(lambda: open('to/new', 'w').write('x'))"),
    Attack("its mode", "attempt(os.chmod, FILE, 0)", pretended=True),
    Attack("its owner", "attempt(os.chown, FILE, os.getuid(), 1234)", works=False, pretended=True),
    Attack("its times", "attempt(os.utime, FILE, (0, 0))", pretended=True),
    Attack("its attributes", "attempt(os.setxattr, FILE, 'user.x', b'x')", works=False, pretended=True),
    Attack("its flags", "attempt(lambda: fcntl.ioctl(os.open(FILE, os.O_RDONLY), 0x40086602, struct.pack('i', 16)))",
           works=False),
    Attack("the mode, by a number of today", "attempt(call, 452, -100, FILE.encode(), 0, 0)"),
    Attack("its own submission", "attempt(os.open, SUBMISSION + '/own.txt', os.O_WRONLY)"),
    Attack("add to its own submission", "attempt(os.open, SUBMISSION + '/new', os.O_WRONLY | os.O_CREAT)"),
    Attack("the libraries", "attempt(lambda: open(os.path.dirname(os.__file__) + '/zzz.py', 'w').write(''))",
           works=False),
    Attack("site-packages", "import numpy\nattempt(lambda: open(numpy.__path__[0] + '/zzz.py', 'w').write(''))",
           works=False),
    Attack("/tmp", "attempt(lambda: open('/tmp/vit-attack', 'w').write(''))", works=False),
    Attack("/dev/shm", "attempt(lambda: open('/dev/shm/vit-attack', 'w').write(''))", works=False),
    Attack("/var/tmp", "attempt(lambda: open('/var/tmp/vit-attack', 'w').write(''))", works=False, pretended=True),
    Attack("the settings of the kernel", "attempt(lambda: open('/proc/sys/kernel/core_pattern', 'r+').close())",
           works=False),
    Attack("the control groups", "attempt(os.mkdir, '/sys/fs/cgroup/memory/vit-attack')", works=False),
]  # fmt: skip


def name(attack: Attack) -> str:
    return attack.promise


@pytest.fixture(scope="module")
def printed(workers: WarmWorkers) -> Iterator[dict[str, str]]:
    """What each attack printed; all ran in one worker."""
    with contextlib.closing(Targets()) as targets:
        before = targets.state()
        printed = load_all(workers, READING + WRITING, str(targets.submission), **targets.constants())
        yield printed
        assert targets.state() == before, "something was changed"


@pytest.mark.parametrize("attack", READING + WRITING, ids=name)
def test_nothing_else_is_read_or_written(attack: Attack, printed: dict[str, str]) -> None:
    assert "stopped:" in printed[attack.promise] or attack.pretended, printed[attack.promise]
    assert "reached:" not in printed[attack.promise] or attack.pretended


@pytest.mark.parametrize("attack", [each for each in READING + WRITING if each.works], ids=name)
def test_it_works_without_confinement(attack: Attack, unconfined: WarmWorkers, targets: Targets) -> None:
    if attack.promise == "the mode, by a number of today":
        pytest.skip("the call is younger than some kernels")
    seen = load(unconfined, attack.code, **targets.constants())
    assert "reached:" in seen.output, told(seen)


def test_a_submission_reads_its_own_files_and_writes_its_scratch(workers: WarmWorkers, targets: Targets) -> None:
    code = "open('here', 'w').write(open(SUBMISSION + '/own.txt').read()); print(open('here').read())"
    assert load(workers, code, files=str(targets.submission), **targets.constants()).output == "own\n"


def test_libraries_can_still_be_imported(workers: WarmWorkers) -> None:
    code = "import wave, torch.utils.throughput_benchmark, PIL.Image, scipy.special\nprint('imported')"
    seen = load(workers, code)
    assert seen.output == "imported\n", told(seen)


def test_sizes_and_times_are_not_seen_where_there_is_a_root_of_its_own(
    workers: WarmWorkers, layers: tuple[str, ...], targets: Targets
) -> None:
    seen = load(workers, "attempt(os.stat, FILE)", **targets.constants())
    assert ("reached:" in seen.output) == ("namespaces" not in layers), "see gaps.py"


def test_shared_arrays_cannot_be_changed(workers: WarmWorkers) -> None:
    code = """
for frame in sys._current_frames().values():
    while frame:
        if isinstance(frame.f_locals.get('shared'), dict):
            images = frame.f_locals['shared']['images']
        frame = frame.f_back
attempt(images.__setitem__, 0, 99)
attempt(images.setflags, True)
start = images.ctypes.data // 4096 * 4096
attempt(lambda: ctypes.CDLL(None).mprotect(ctypes.c_void_p(start), 4096, 3) == 0 or 1 / 0)
print(images[:3])
"""
    seen = load(workers, code)
    assert seen.output.count("stopped:") == 3, told(seen)
    assert "[0 1 2]" in load(workers, code).output
