"""What a traced program did to the world: the lines of `strace -f -yy`, judged.

Every system call that could change something is recorded, also those that failed: what is only
stopped by missing rights was not stopped by the gate.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_NAMES = """
open openat openat2 creat mkdir mkdirat rmdir unlink unlinkat rename renameat renameat2 link
linkat symlink symlinkat mknod mknodat chmod fchmod fchmodat chown fchown lchown fchownat
truncate ftruncate fallocate utime utimes utimensat futimesat setxattr lsetxattr fsetxattr
removexattr lremovexattr fremovexattr mount umount2 move_mount open_tree fsmount fsconfig
pivot_root chroot init_module finit_module delete_module kexec_load reboot sethostname
setdomainname settimeofday clock_settime clock_adjtime adjtimex swapon swapoff acct quotactl bpf
ptrace process_vm_writev kill tkill tgkill pidfd_send_signal rt_sigqueueinfo rt_tgsigqueueinfo
socket sendto sendmsg sendmmsg setsockopt ioctl access
"""
COMMAND = f"strace -f --seccomp-bpf -yy -e trace={','.join(_NAMES.split())}"

_LINE = re.compile(r"(\d+) +(\w+)\((.*)")
_OPENED = re.compile(r'(?:[^"]*)"((?:[^"\\]|\\.)*)", ([A-Z_|0-9x{}=a-z ]+)')
_WRITING = ("O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND", "O_TMPFILE")
_NOTHING = re.compile(r"/dev/(?:null|tty|ptmx|pts/\d+)$")
_MESSAGE = re.compile(r"\{nlmsg_len=\d+, nlmsg_type=(\w+)(?: /\*[^*]*\*/)?, nlmsg_flags=([\w|]+)")
_GENERIC = re.compile(r'nlmsg_pid=-?\d+\}, "\\x([0-9a-f]{2})')
_IPVS_GETS = {0x04, 0x08, 0x0B, 0x0E, 0x0F}
"""IPVS_CMD_GET_SERVICE, GET_DEST, GET_DAEMON, GET_CONFIG, GET_INFO of linux/ip_vs.h."""
_GET_FAMILY = 0x03
MARK = "/=== "


@dataclass(frozen=True)
class Deed:
    """One call that a read-only program must not make."""

    during: str
    line: str

    def __str__(self) -> str:
        return f"during {self.during}: {self.line[:300]}"


def judged(text: str) -> tuple[list[Deed], list[str]]:
    """The forbidden calls, and the marks that were passed (`os.access("/=== …")`)."""
    calls = list(_calls(text))
    own = {pid for pid, _, _ in calls}
    deeds, marks = [], []
    for pid, name, rest in calls:
        if name == "access":
            if MARK in rest:
                marks.append(rest.partition(MARK)[2].partition('"')[0])
        elif _forbidden(name, rest, own):
            deeds.append(Deed(marks[-1] if marks else "the start", f"{pid} {name}({rest}"))
    return deeds, marks


def _calls(text: str) -> Iterator[tuple[str, str, str]]:
    """Process, call, arguments and all; what was interrupted has its arguments where it began."""
    for line in text.splitlines():
        found = _LINE.match(line)
        if found:
            yield found[1], found[2], found[3]


def _forbidden(name: str, rest: str, own: set[str]) -> bool:
    if name in ("open", "openat", "openat2"):
        found = _OPENED.match(rest)
        assert found, f"not understood: {name}({rest}"
        if not any(flag in found[2] for flag in _WRITING):
            return False
        return not _NOTHING.match(found[1])
    if name in ("kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"):
        target = rest.partition(",")[0].strip().lstrip("-").partition("<")[0]
        # To itself and to its own children: a listener that it started is ended.
        return target not in own and not re.search(r", 0\) ", rest)
    if name == "socket":
        return "AF_NETLINK" in rest and not re.search(r"NETLINK_(ROUTE|GENERIC)", rest)
    if name in ("sendto", "sendmsg", "sendmmsg"):
        return _asks_for_a_change(rest) if "NETLINK" in rest.partition(",")[0] else False
    if name == "ioctl":
        # Requests that set: addresses, routes, ARP entries, flags and names of links.
        return bool(re.search(r"\b(SIOCS(?!GETTUNNEL)|SIOCADD|SIOCDEL|SIOCBR|SIOCETHTOOL)", rest))
    if name == "setsockopt":
        # IP_VS_SO_SET_* and its like of netfilter.
        return bool(re.search(r"SOL_IPV?6?, (0x48|0x4[0-9a-f]{2}|IPT_SO_SET|ARPT_SO_SET)", rest))
    return True


def _asks_for_a_change(rest: str) -> bool:
    # iproute2 sends its whole buffer: behind the request there are zeros, which are no message.
    messages = _MESSAGE.findall(rest.partition("{nlmsg_len=0, nlmsg_type=0 ")[0])
    assert messages, f"a netlink message that strace does not take apart: {rest}"
    return not all(_only_asks(kind, flags, rest) for kind, flags in messages)


def _only_asks(kind: str, flags: str, rest: str) -> bool:
    if kind.startswith("RTM_"):
        return kind.startswith("RTM_GET")
    if kind.startswith("0x"):
        # The socket is too young for strace to know its protocol. Of the four numbers of a kind of
        # rtnetlink the third is its GET.
        return int(kind, 16) % 4 == 2 and ("0x300" in flags or "NLM_F_DUMP" in flags)
    command = _GENERIC.search(rest)
    assert command, f"not understood: {rest}"
    number = int(command[1], 16)
    return (kind, number) == ("nlctrl", _GET_FAMILY) or (kind == "IPVS" and number in _IPVS_GETS)
