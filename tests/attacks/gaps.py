"""What the confinement is known not to stop, and why that is lived with."""

GAPS = {
    "kernel": (
        "A hole in the kernel itself is outside of what user space can close; the filter of system calls "
        "keeps the parts away where most were found (io_uring, bpf, user namespaces, perf, userfaultfd, "
        "keys)."
    ),
    "names": (
        "Without namespaces (T2, T2b, T4) Landlock lets names, sizes and times of files be seen by stat: that "
        "a file exists is no secret worth a tier, its content is not readable."
    ),
    "threads of user 0": (
        "In T2b the kernel sets user 0 no limit of threads; memory (8 MiB of address space a stack) and, "
        "where there is one, the pids control group bound them."
    ),
    "time of others": (
        "A busy worker takes processor time from the grader until its deadline: deadlines are generous, and a "
        "probe that timed out is tried on the reference before a student is blamed."
    ),
    "own process": (
        "Within one worker a submission can replace anything, its own answers included: answers are judged "
        "outside, against inputs drawn anew, and every kind of question that matters gets a fresh worker."
    ),
    "library code": (
        "Whatever is imported in the zygote can be called by a submission (torchvision has a ViT): what "
        "counts is behaviour on fresh inputs, not how it is made."
    ),
    "disk for a moment": (
        "Without namespaces a worker can write faster than the watchdog looks (every 50 ms): up to eight "
        "times the scratch's size in all before it is killed."
    ),
    "landlock 1 to 3": (
        "Kernels before 6.2 cannot forbid truncating by path what is not writable by open; the files' owner "
        "and mode still count. Kernels before 6.7 have no TCP rules: the filter refuses sockets."
    ),
    "a zygote killed with its grader": (
        "When both are killed by SIGKILL at the same time, empty scratch folders and control groups stay "
        "behind; no process does."
    ),
    "other systems": (
        "macOS, Windows and Linux without Landlock enforce nothing of this: refused without --unconfined."
    ),
}
