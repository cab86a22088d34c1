"""The shell face: the same engine as the screens, `--json`, exit codes.

Exit codes: 0 all well or done; 1 something is degraded, or an operation was not done; 2 lvstui
itself could not look, or was asked for something that it does not understand.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from lvstui import __version__
from lvstui.lab.cli import add_parser as add_lab
from lvstui.model.text import plain
from lvstui.process import readonly
from lvstui.process.printing import clean_output
from lvstui.process.readonly import READ_ONLY, Harmless
from lvstui.process.trust import NotBelieved, believe
from lvstui.shell.arguments import flag, look_options
from lvstui.shell.ask import USAGE, fail
from lvstui.shell.check import add_check
from lvstui.shell.config.change import director_configs
from lvstui.shell.config.inspect import add_config
from lvstui.shell.link import add_link
from lvstui.shell.realservers import add_realservers
from lvstui.shell.status import add_status
from lvstui.shell.weights import add_operations

if TYPE_CHECKING:
    from lvstui.operations.configuration import DirectorConfigs
    from lvstui.operations.realservers import RealServers
    from lvstui.remote.runner import Asker


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lvstui",
        description="Terminal console for Linux load balancers: LVS (IPVS) with keepalived. "
        "Without a command it opens the console on this director.",
    )
    parser.add_argument("--version", action="version", version=f"lvstui {__version__}")
    flag(parser, "--read-only", help="see everything, change nothing")
    peer = "the other director, by SSH: changes of keepalived.conf go to both"
    parser.add_argument("--peer", action="append", default=[], metavar="[USER@]HOST", help=peer)
    flag(parser, "--alone", help="there is no other director: nothing has to agree with one")
    parser.add_argument("--replay", metavar="FILE", help="show a recording instead of this host")
    look_options(parser)
    parser.set_defaults(run=Harmless(_console))
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    looks = (add_status, add_check)
    for add in (*looks, add_operations, add_link, add_realservers, add_config, add_lab):
        add(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    # Nothing but what is meant for people goes to the terminal.
    logging.getLogger("lvstui").addHandler(logging.NullHandler())
    with clean_output():
        try:
            return _run(arguments)
        except Exception:
            # An error of ours: its trace may quote what was read, so it takes the same door.
            traceback.print_exc()
            return USAGE


def _run(arguments: Sequence[str] | None) -> int:
    args = build_parser().parse_args(arguments)
    try:
        for text in believe(os.environ):
            print(f"lvstui: {plain(text)}", file=sys.stderr)
    except NotBelieved as error:
        return fail(plain(str(error)))
    # A recording has nothing that could be changed.
    if args.read_only or args.replay:
        why = readonly.refusal(args)
        if why:
            return fail(f"refused: {why}" + (f" ({READ_ONLY})" if why != READ_ONLY else ""))
        try:
            readonly.enter()
        except OSError as error:
            return fail(f"root's rights can not be given up, so read-only is not: {error.strerror}")
    try:
        return int(args.run(args))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader went away (`lvstui status | head`): nothing is left to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def _console(args: argparse.Namespace) -> int:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return fail("the console needs a terminal; `lvstui status` prints the same to a pipe")
    if os.environ.get("TERM", "dumb") in ("", "dumb", "unknown"):
        return fail("this terminal can not draw (TERM=dumb); use `lvstui status`")
    from lvstui.process.memory import one_arena

    one_arena()
    from lvstui.lab import LabError
    from lvstui.lab.faults import lab_link
    from lvstui.operations.weight_changes import WeightChanges
    from lvstui.session.on_disk import OnDisk
    from lvstui.sources.processes import config_id
    from lvstui.sources.recording import Recording
    from lvstui.tui.app import LvstuiApp
    from lvstui.tui.settings import Settings
    from lvstui.watch import local_watcher, replay_watcher

    settings = Settings()
    try:
        if args.replay:
            recording = Recording(args.replay)
            watcher = replay_watcher(recording)
            settings = Settings(clock=recording.clock)
        else:
            watcher = local_watcher(config=args.config, interval_s=args.interval)
        # Its faults are changes.
        lab = None if readonly.active() else lab_link()
    except (OSError, ValueError) as error:
        return fail(f"{args.replay}: {error}")
    except LabError as error:
        return fail(f"the lab around this node: {error}")
    with watcher:
        operator = WeightChanges(read_only=readonly.active())
        with ExitStack() as at_the_end:

            def realservers(asker: Asker) -> RealServers:
                """Called at the first look: until then neither SSH nor its libraries are loaded."""
                from lvstui.operations.looks import keep
                from lvstui.operations.realservers import RealServers
                from lvstui.remote.connect import Connector
                from lvstui.session.realservers import other_directors

                connector = at_the_end.enter_context(Connector(asker))
                directors, read_only = other_directors(watcher.picture), readonly.active()
                return RealServers(connector, read_only=read_only, directors=directors, keep=keep)

            def configurations(asker: Asker) -> DirectorConfigs:
                """Called when a change is planned or the history is read for the first time."""
                return director_configs(watcher.picture.host, args, asker, at_the_end)

            app = LvstuiApp(
                watcher,
                operator,
                lab=lab,
                realservers=None if args.replay else realservers,
                configuration=None if args.replay else OnDisk(args.config, config_id=config_id),
                config_engine=None if args.replay else configurations,
                settings=settings,
            )
            app.run()
        return app.return_code or 0
