"""`lvstui lab …`: start a lab with the TUI or a command, look into a running one, break it."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import shlex
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from lvstui.lab import faults
from lvstui.lab.api import Lab
from lvstui.lab.control import LabProcess
from lvstui.lab.errors import LabError
from lvstui.lab.guest import DEFAULT_MEMORY_MB
from lvstui.lab.surroundings import environment
from lvstui.lab.topology import RELEASES, Topology, read

FAILED = 2
"""Exit status when the lab itself cannot."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `lab` and its subcommands; each sets `run`, a function from the arguments to a status."""
    parser = subparsers.add_parser(
        "lab",
        help="a whole LVS cluster inside one User-Mode Linux guest, without root",
        description="Start a cluster of directors, real servers and a client inside one User-Mode "
        "Linux guest and open lvstui on lb1. Needs no root and changes nothing on this host. "
        "Quitting shuts the guest down.",
    )
    what = "run COMMAND (sh -c), not the TUI"
    parser.add_argument("--exec", metavar="COMMAND", dest="command", help=what)
    where = "the node for the TUI or COMMAND (default: lb1)"
    parser.add_argument("--node", default="lb1", help=where)
    parser.add_argument("--topology", metavar="FILE", type=Path, help="another cluster (TOML)")
    release = "Debian release of the directors' keepalived (default: what this host has)"
    parser.add_argument("--release", choices=RELEASES, help=release)
    bare = "all real servers as freshly installed: no VIP on their loopback, no ARP sysctls"
    parser.add_argument("--bare", action="store_true", help=bare)
    parser.add_argument("--name", help="the lab's name (default: lab1, lab2, …)")
    size = "memory of the guest (default: %(default)s)"
    parser.add_argument("--memory", metavar="MB", type=int, default=DEFAULT_MEMORY_MB, help=size)
    wait = "with --exec: wait first until all backends are up"
    parser.add_argument("--wait", action="store_true", help=wait)
    changes = "the lab makes folders, starts machines and breaks things"
    parser.set_defaults(run=_guarded(_start), changes=changes)
    commands = parser.add_subparsers(metavar="SUBCOMMAND")

    def add(
        name: str, work: Callable[[argparse.Namespace], int], help: str
    ) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=help)
        command.set_defaults(run=_guarded(work))
        return command

    shell = add("shell", _shell, "open a shell on a node of a running lab")
    run = add("exec", _exec, "run a command on a node of a running lab")
    fault = add("fault", _fault, "break something, or heal it; no name: list the faults")
    add("list", _list, "running labs")
    add("stop", _stop, "power a lab off").add_argument("lab", metavar="NAME", nargs="?")
    for command in (shell, run):
        command.add_argument("node_name", metavar="NODE")
    fault.add_argument("fault_name", metavar="NAME", nargs="?")
    for command in (shell, run, fault):
        command.add_argument("--lab", metavar="NAME")
    run.add_argument("words", metavar="COMMAND", nargs=argparse.REMAINDER)
    fault.add_argument("words", metavar="NODE ARG", nargs=argparse.REMAINDER)


def _guarded(work: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """LabError as words and status 2; ended by a signal as its status; never a traceback."""

    def run(args: argparse.Namespace) -> int:
        from lvstui.lab.terminal import TerminalEnded, ending_by_signal

        try:
            with ending_by_signal():
                return work(args)
        except LabError as error:
            print(f"lvstui lab: {error}", file=sys.stderr)
            return FAILED
        except KeyboardInterrupt:
            return 130
        except TerminalEnded:
            return 143
        except BrokenPipeError:
            # Whoever read our output is gone; nothing more is flushed into it at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            return 141

    return run


class StartProgress:
    """One line on stderr that is rewritten when it is a terminal, plain lines otherwise."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._start = time.monotonic()
        self._last = ""
        self._lock = threading.Lock()

    def __call__(self, text: str) -> None:
        with self._lock:
            if text == self._last:
                return
            self._last = text
            line = f"lvstui lab: {text} … {time.monotonic() - self._start:.0f} s"
            sys.stderr.write(f"\r\x1b[K{line}" if self._live else f"{line}\n")
            sys.stderr.flush()

    def clear(self) -> None:
        with self._lock:
            if self._live and self._last:
                sys.stderr.write("\r\x1b[K")
                sys.stderr.flush()
            self._last = ""


@contextlib.contextmanager
def _started(args: argparse.Namespace) -> Iterator[tuple[Lab, StartProgress]]:
    progress = StartProgress()
    # A copy: pass_fds of the low numbers would collide with the keeper's own standard streams.
    terminal = fcntl.fcntl(0, fcntl.F_DUPFD_CLOEXEC, 10) if args.command is None else None
    topology = Topology() if args.topology is None else read(args.topology)
    if args.release:
        topology = topology.of_release(args.release)
    if args.bare:
        topology = topology.stripped()
    lab = Lab(topology, name=args.name, memory_mb=args.memory, progress=progress, terminal=terminal)
    try:
        lab.start()
        yield lab, progress
    finally:
        progress.clear()
        lab.stop()
        if terminal is not None:
            os.close(terminal)


def _start(args: argparse.Namespace) -> int:
    if faults.available():
        raise LabError("this is already inside a lab", "", "leave it first")
    if args.command is None and not (os.isatty(0) and os.isatty(1)):
        raise LabError(
            "the TUI needs a terminal on standard input and output",
            "",
            "use `lvstui lab --exec 'COMMAND'` to run something without it",
        )
    with _started(args) as (lab, progress):
        if lab.topology and any(machine.name == args.node for machine in lab.topology.machines):
            progress(f"booting {args.node}")
            lab.machine(args.node).wait_ssh()
        if args.command is not None:
            if args.wait:
                progress("waiting for all backends")
                lab.wait_all_up()
            progress.clear()
            return _live(lab, args.node, args.command)
        progress.clear()
        from lvstui.lab.terminal import join

        return join(lab, args.node, ["/usr/local/bin/lvstui"], full_screen=True)


def _live(lab: Lab, node: str, command: str | list[str]) -> int:
    """Run a command, its output as it comes; its exit status, 128 + n for a signal."""

    def show(data: bytes, is_err: bool) -> None:
        stream = sys.stderr.buffer if is_err else sys.stdout.buffer
        with contextlib.suppress(BrokenPipeError):
            stream.write(data)
            stream.flush()

    process = lab.spawn(node, command, on_output=show)
    if not os.isatty(0):
        threading.Thread(target=_feed, args=(process,), daemon=True).start()
    else:
        process.close_input()
    try:
        status = process.wait()
    except BaseException:
        process.kill()
        raise
    return status if status >= 0 else 128 - status


def _feed(process: LabProcess) -> None:
    with contextlib.suppress(OSError):
        while data := os.read(0, 16384):
            process.write(data)
    process.close_input()


def _shell(args: argparse.Namespace) -> int:
    from lvstui.lab.terminal import join

    with Lab.attach(args.lab) as lab:
        return join(lab, args.node_name, ["/bin/bash", "-i"], environment(os.environ))


def _own_option(lab: str | None, words: list[str]) -> tuple[str | None, list[str]]:
    """The lab's name and the other words, from what argparse left: it takes everything behind
    the first word for the command, also a --lab before the `--` or before the next word."""
    words = list(words)
    while words and words[0].partition("=")[0] == "--lab":
        _, equals, lab = words.pop(0).partition("=")
        if not equals:
            if not words or words[0] == "--":
                raise LabError("--lab needs a name", "", "lvstui lab list names the running ones")
            lab = words.pop(0)
    return lab, words[1:] if words[:1] == ["--"] else words


def _exec(args: argparse.Namespace) -> int:
    name, words = _own_option(args.lab, args.words)
    if not words:
        raise LabError("no command was given", "", "lvstui lab exec NODE [--lab NAME] -- COMMAND")
    with Lab.attach(name) as lab:
        return _live(lab, args.node_name, words[0] if len(words) == 1 else shlex.join(words))


def _fault(args: argparse.Namespace) -> int:
    if args.fault_name is None:
        for fault in faults.FAULTS:
            who = {"": "", "any": "NODE", "director": "DIRECTOR", "realserver": "REALSERVER"}
            usage = f"{fault.name} {who[fault.role]}{' [ARG]' if fault.argument else ''}"
            more = f"; ARG: {fault.argument}" if fault.argument else ""
            print(f"{usage:34} {fault.summary}{more}")
        return 0
    name, words = _own_option(args.lab, args.words)
    node = words.pop(0) if words else ""
    name, words = _own_option(name, words)
    argument = words.pop(0) if words else None
    name, words = _own_option(name, words)
    if words:
        raise LabError(f"too many words: {shlex.join(words)}", "", "lvstui lab fault lists them")
    if faults.available() and name is None:
        print(faults.inject(args.fault_name, node, argument))
        return 0
    with Lab.attach(name) as lab:
        print(lab.fault(args.fault_name, node, argument))
    return 0


def _list(args: argparse.Namespace) -> int:
    from lvstui.lab import guest

    for name in guest.running():
        try:
            lab = Lab.attach(name)
        except LabError:
            continue  # it ended since the list was made
        with lab:
            print(f"{name}: {' '.join(node['name'] for node in lab.nodes())}")
    return 0


def _stop(args: argparse.Namespace) -> int:
    lab = Lab.attach(args.lab)
    lab.stop()
    print(f"{lab.name} is off")
    return 0
