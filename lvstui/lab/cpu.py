"""Which of the host's CPUs a guest runs on.

A guest has one CPU. linux.uml answers every system call and page fault of the guest's programs from
another host process than the one that makes it (arch/um/os-Linux/skas/process.c): on one CPU that
is a switch, on two a wake-up across CPUs. Kept on one, programs in the guest start 2.4 times as
fast (100 times /bin/true: 0.95 s, 2.3 s when the host chooses). When others want the same CPU while
another one has nothing to do, the guest is taken there.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

CROWDED = 0.1
"""Share of the time that a guest's kernel could have run and was kept waiting."""
ROOM = 0.5
"""Share of the time that a CPU had nothing to do, for a guest to be taken there."""
LOOK_S = 1.0
_REST_S = 2.0
"""Between two moves, of whatever lab: what the first changed has to be seen before the next."""


def choose(mark: Path) -> int | None:
    """The CPU on which the fewest guests of this user's labs are kept, of those that we may use;
    None when there is nothing to choose.

    mark: the guest's file in its lab's folder, which tells other labs what was chosen.
    """
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        return None
    home = mark.parent.parent
    with contextlib.suppress(OSError), (home / "cpu.lock").open("a") as lock:
        # Two labs that start at the same moment are not to choose the same.
        fcntl.flock(lock, fcntl.LOCK_EX)
        taken: Counter[int] = Counter()
        for other in home.glob("*/*.cpu"):
            with contextlib.suppress(OSError, ValueError):
                taken[int(other.read_text(encoding="ascii"))] += other != mark
        chosen = min(allowed, key=lambda cpu: taken[cpu])
        mark.write_text(f"{chosen}\n", encoding="ascii")
        return chosen
    return None


class Placement:
    """One running guest and its CPU."""

    def __init__(self, kernel: subprocess.Popen[bytes], mark: Path, cpu: int) -> None:
        """kernel: the guest's own process, which leads the session of its helpers."""
        self._kernel, self._mark, self._cpu = kernel, mark, cpu
        self._waited = _waited(kernel.pid)
        self._idle = _idle()
        self._looked = time.monotonic()

    def look_after(self) -> None:
        """Take the guest to another CPU if it waits for this one while that has nothing to do.
        To be called every now and then."""
        now = time.monotonic()
        took = now - self._looked
        if took < LOOK_S or self._kernel.returncode is not None:
            return
        waited, idle = _waited(self._kernel.pid), _idle()
        allowed = os.sched_getaffinity(0)
        idle_shares = {
            number: (ticks - self._idle.get(number, ticks)) / _HZ / took
            for number, ticks in idle.items()
            if number in allowed
        }
        better = better_place(self._cpu, (waited - self._waited) / took, idle_shares)
        self._waited, self._idle, self._looked = waited, idle, now
        if better is not None:
            self._move(better)

    def _move(self, cpu: int) -> None:
        with (
            contextlib.suppress(OSError),
            (self._mark.parent.parent / "cpu.lock").open("a") as lock,
        ):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if 0 <= time.time() - os.fstat(lock.fileno()).st_mtime < _REST_S:
                return
            os.utime(lock.fileno())
            # Its kernel first: who is forked from now on is there already.
            for process in (self._kernel.pid, *session_of(self._kernel.pid)):
                with contextlib.suppress(OSError):
                    for thread in os.listdir(f"/proc/{process}/task"):
                        os.sched_setaffinity(int(thread), {cpu})
            self._mark.write_text(f"{cpu}\n", encoding="ascii")
            self._cpu = cpu


def better_place(cpu: int, waited: float, idle: Mapping[int, float]) -> int | None:
    """Where a guest is to go that waited that share of the time for its CPU; None: it stays.
    idle: by CPU that it may use, the share of the time that it had nothing to do."""
    best = max(idle, key=lambda number: idle[number], default=cpu)
    if waited < CROWDED or best == cpu or idle[best] < ROOM:
        return None
    return best


def session_of(leader: int) -> list[int]:
    result = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):
                if os.getsid(int(name)) == leader:
                    result.append(int(name))
    return result


_HZ = os.sysconf("SC_CLK_TCK")


def _waited(pid: int) -> float:
    """Seconds that a process has waited for a CPU (proc(5), schedstat); 0 where it is not told."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[1]) / 1e9
    return 0.0


def _idle() -> dict[int, int]:
    """By CPU: how long it had nothing to do, in ticks (proc(5), stat)."""
    found = {}
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/stat").read_text(encoding="ascii").splitlines():
            words = line.split()
            if words[0].startswith("cpu") and words[0] != "cpu":
                found[int(words[0][3:])] = int(words[4]) + int(words[5])
    return found
