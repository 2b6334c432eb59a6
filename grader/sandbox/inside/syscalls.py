"""System calls that no worker has a use for, by group, with their numbers on x86_64 and aarch64.

The groups say what a call would be good for in a worker: reaching another process, the kernel's larger
and younger parts, more memory than is counted, and so on. ``-`` stands for a call that a machine lacks.
Numbers: Linux 6.1, ``arch/x86/entry/syscalls/syscall_64.tbl`` and ``include/uapi/asm-generic/unistd.h``.
"""

import platform

LAST_KNOWN = 450  # newer calls answer ENOSYS, as on an older kernel
ARCHES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column below, AUDIT_ARCH_*

REFUSED = """
execve 59 221, execveat 322 281, fork 57 -, vfork 58 -
ptrace 101 117, process_vm_readv 310 270, process_vm_writev 311 271, process_madvise 440 440
process_mrelease 448 448, kcmp 312 272, pidfd_open 434 434, pidfd_getfd 438 438, pidfd_send_signal 424 424
rt_sigqueueinfo 129 138, rt_tgsigqueueinfo 297 240, tkill 200 130, setpriority 141 140, ioprio_set 251 30
sched_setscheduler 144 119, sched_setparam 142 118, sched_setattr 314 274
migrate_pages 256 238, move_pages 279 239, setsid 112 157, setpgid 109 154
socket 41 198, bpf 321 280, perf_event_open 298 241, userfaultfd 323 282
io_uring_setup 425 425, io_uring_enter 426 426, io_uring_register 427 427, io_setup 206 0, io_submit 209 2
add_key 248 217, request_key 249 218, keyctl 250 219, memfd_create 319 279, memfd_secret 447 447
name_to_handle_at 303 264, open_by_handle_at 304 265
inotify_init 253 -, inotify_init1 294 26, inotify_add_watch 254 27, fanotify_init 300 262, fanotify_mark 301 263
mount 165 40, umount2 166 39, pivot_root 155 41, chroot 161 51, fsopen 430 430, fsconfig 431 431
fsmount 432 432, fspick 433 433, move_mount 429 429, open_tree 428 428, mount_setattr 442 442
unshare 272 97, setns 308 268, personality 135 92, iopl 172 -, ioperm 173 -, modify_ldt 154 -, uselib 134 -
init_module 175 105, finit_module 313 273, delete_module 176 106, kexec_load 246 104, kexec_file_load 320 294
reboot 169 142, swapon 167 224, swapoff 168 225, sethostname 170 161, setdomainname 171 162
settimeofday 164 170, clock_settime 227 112, adjtimex 159 171, clock_adjtime 305 266, syslog 103 116
acct 163 89, quotactl 179 60, quotactl_fd 443 443, vhangup 153 58, lookup_dcookie 212 18
shmget 29 194, shmat 30 196, shmctl 31 195, shmdt 67 197, semget 64 190, semop 65 193, semctl 66 191
semtimedop 220 192, msgget 68 186, msgsnd 69 189, msgrcv 70 188, msgctl 71 187
mq_open 240 180, mq_unlink 241 181, mq_timedsend 242 182, mq_timedreceive 243 183, mq_notify 244 184
setuid 105 146, setgid 106 144, setreuid 113 145, setregid 114 143, setresuid 117 147, setresgid 119 149
setfsuid 122 151, setfsgid 123 152, setgroups 116 159, capset 126 91
"""

# Landlock does not govern these: they do nothing and claim to have worked, so that copying a file still works
FAKED = """
chmod 90 -, fchmod 91 52, fchmodat 268 53, chown 92 -, fchown 93 55, lchown 94 -, fchownat 260 54
utime 132 -, utimes 235 -, utimensat 280 88, futimesat 261 -
setxattr 188 5, lsetxattr 189 6, fsetxattr 190 7, removexattr 197 14, lremovexattr 198 15, fremovexattr 199 16
sync 162 81, syncfs 306 267
"""

# refused or allowed by their arguments, and the calls by which confinement itself is set up
JUDGED = """
clone 56 220, clone3 435 435, socketpair 53 199, kill 62 129, tgkill 234 131, prlimit64 302 261
sched_setaffinity 203 122
fcntl 72 25, ioctl 16 29, prctl 157 167, mmap 9 222
"""

CONFINING = """
landlock_create_ruleset 444 444, landlock_add_rule 445 445, landlock_restrict_self 446 446
mount_setattr 442 442, pivot_root 155 41, capset 126 91
"""


def numbers(table: str) -> dict[str, int]:
    """Read one of the tables for the machine that this runs on.

    Raises:
        KeyError: for a machine that is neither x86_64 nor aarch64.
    """
    column, _ = ARCHES[platform.machine()]
    rows = [entry.split() for line in table.split("\n") for entry in line.split(",") if entry.strip()]
    return {row[0]: int(row[1 + column]) for row in rows if row[1 + column] != "-"}
