"""What is known not to be stopped, and why that is lived with; docs/threat-model.md says the same."""

GAPS = {
    "kernel": (
        "A hole in the kernel itself is outside of what user space can close; the filter of system calls "
        "keeps the parts away where most were found (io_uring, bpf, user namespaces, perf, userfaultfd, "
        "keys)."
    ),
    "names": (
        "Without namespaces (T2, T2b, T4) Landlock lets names, sizes and times of files be seen by stat: that "
        "a file exists is no secret worth a tier, its content is not readable. Where the grader is installed "
        "among the libraries, the names of its files can be listed in every tier."
    ),
    "threads of user 0": (
        "In T2b the kernel sets user 0 no limit of threads; memory (8 MiB of address space a stack) and, "
        "where there is one, the pids control group bound them."
    ),
    "time of others": (
        "A busy worker takes processor time from the grader until its deadline, as much as an honest one "
        "does. A submission can be slow on purpose: signs of progress are its testimony, and with them a "
        "checkpoint's model may take 900 seconds, as an honest large one does."
    ),
    "own process": (
        "Within one worker a submission can replace anything, its own answers included: answers are judged "
        "outside, against inputs drawn anew. What only a worker can know (which parameters have a gradient, "
        "how often a scheduler was stepped) is its testimony; code that forges it in the agreed form has to "
        "know what a right answer would be, and stands in the submission for the instructor to read."
    ),
    "library code": (
        "Whatever is imported in the parent of the workers can be called by a submission (torchvision has a "
        "ViT), and so can the training images: what counts is behaviour on fresh inputs, not how it is made."
    ),
    "code that notices": (
        "Questions are asked with other sizes, fewer images and drawn pictures: code that is right there, and does "
        "something else at the notebook's own sizes, in large batches, for real photographs or for 60,000 images, "
        "passes. It stands in the submission for the instructor to read."
    ),
    "carried answers": (
        "A model that carries the test set's answers and places its errors on the images that are hard for every "
        "model, in the numbers that an honest one makes, is not told from an honest one; simpler tables are left "
        "to a person, with the warning leak.test."
    ),
    "disk for a moment": (
        "Without namespaces a worker can write faster than the watchdog looks (every 50 ms): up to eight "
        "times the scratch's size in all before it is killed."
    ),
    "landlock 1 to 3": (
        "Kernels before 6.2 cannot forbid truncating by path what is not writable by open; the files' owner "
        "and mode still count. Kernels before 6.7 have no TCP rules: the filter refuses sockets."
    ),
    "the reading process": (
        "The process that opens archives and parses notebooks has limits of memory, time and file size, but the "
        "grader's account: it executes nothing of a submission, so only a hole in Python's own zipfile, tarfile, "
        "json or ast would give it away."
    ),
    "a zygote killed with its grader": (
        "When both are killed by SIGKILL at the same time, empty scratch folders and control groups stay "
        "behind; no process does."
    ),
    "other systems": (
        "macOS, Windows and Linux without Landlock enforce nothing of this: refused without --unconfined."
    ),
}
