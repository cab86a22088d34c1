"""The shell face: the same engine as the screens, `--json`, exit codes.

Exit codes: 0 all well or done; 1 something is degraded, or an operation was not done; 2 lvstui
itself could not look, or was asked for something that it does not understand.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import time
import traceback
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

from lvstui import __version__, readonly
from lvstui.configfile import add_config
from lvstui.environment import NotBelieved, believe
from lvstui.model.picture import Picture
from lvstui.model.text import plain
from lvstui.operate import add_operations
from lvstui.printing import clean_output, table_console
from lvstui.readonly import READ_ONLY, Harmless
from lvstui.realservers import add_realservers

if TYPE_CHECKING:
    from lvstui.operations.configuration import Configurations
    from lvstui.operations.realservers import RealServers
    from lvstui.remote.runner import Asker

USAGE = 2
PIPE_WIDTH = 200


def _interval(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.1 <= value <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r}: expected seconds from 0.1 to 3600")
    return value


def _look_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config",
        metavar="FILE",
        default="",
        help="keepalived's main file, when it is not where the daemon says",
    )
    parser.add_argument(
        "--interval",
        metavar="SECONDS",
        type=_interval,
        default=1.0,
        help="how often to look (default 1)",
    )


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = argparse.ArgumentParser(
        prog="lvstui",
        description="Terminal console for Linux load balancers: LVS (IPVS) with keepalived. "
        "Without a command it opens the console on this director.",
    )
    parser.add_argument("--version", action="version", version=f"lvstui {__version__}")
    parser.add_argument("--read-only", action="store_true", help="see everything, change nothing")
    parser.add_argument(
        "--peer",
        action="append",
        default=[],
        metavar="[USER@]HOST",
        help="the other director, by SSH: changes of keepalived.conf go to both",
    )
    parser.add_argument(
        "--alone",
        action="store_true",
        help="there is no other director: nothing has to agree with one",
    )
    parser.add_argument("--replay", metavar="FILE", help="show a recording instead of this host")
    _look_options(parser)
    parser.set_defaults(run=Harmless(_console))
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    status = commands.add_parser("status", help="print what is known, once or at each change")
    _look_options(status)
    status.add_argument(
        "--json", action="store_true", help="one JSON document (schema lvstui.status/1)"
    )
    status.add_argument(
        "--watch",
        action="store_true",
        help="one JSON line for each change of state, until interrupted",
    )
    status.add_argument(
        "--ask",
        action="store_true",
        help="ask keepalived once for its counters (writes a few lines to its log)",
    )
    status.add_argument("--schema", action="store_true", help="print what each JSON field means")
    status.add_argument(
        "--sample",
        metavar="SECONDS",
        type=float,
        default=1.2,
        help="how long to count for the rates (default 1.2; 0: no rates)",
    )
    status.set_defaults(run=Harmless(_status, lambda args: "--ask signals keepalived" * args.ask))

    stream = commands.add_parser(
        "stream", help="print every observation as a JSON line (a recording)"
    )
    _look_options(stream)
    stream.add_argument(
        "--seconds", type=float, default=0.0, help="end after this long (default: when interrupted)"
    )
    stream.set_defaults(run=Harmless(_stream))

    add_operations(commands, _look_options)
    add_realservers(commands, _look_options)
    add_config(commands, _look_options)

    from lvstui.lab.cli import add_parser as add_lab

    add_lab(commands)
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


def fail(message: str) -> int:
    """Say why nothing can be done; the exit status for that."""
    print(f"lvstui: {message}", file=sys.stderr)
    return USAGE


def _status(args: argparse.Namespace) -> int:
    from lvstui import report
    from lvstui.live import local_watcher

    if args.schema:
        width = max(map(len, report.MEANINGS))
        for name, meaning in report.MEANINGS.items():
            print(f"{name:<{width}}  {meaning}")
        return 0
    with local_watcher(config=args.config, interval_s=args.interval) as watcher:
        if args.watch:
            return _watch(watcher)
        picture = watcher.settle()
        if args.ask:
            if not watcher.ask_daemon():
                return fail("keepalived can not be asked: it must run, and that needs root")
            watcher.wait_for(_has_counters, 6.0)
            picture = watcher.picture
        if args.sample > 0 and picture.table_readable and picture.services:
            watcher.watch_closely(tuple(service.key for service in picture.services))
            time.sleep(min(args.sample, 60.0))
            # Netlink is opened while the first picture is made: a slow host needs a moment more.
            watcher.wait_for(_has_rates, 3.0)
            picture = watcher.picture
    if args.json:
        print(json.dumps(report.report(picture), indent=1, ensure_ascii=False))
    else:
        from lvstui.plain_status import show

        # A pipe has no width: lines are cut by whoever reads them.
        columns = None if sys.stdout.isatty() else PIPE_WIDTH
        show(picture, table_console(columns))
    return report.verdict(picture)[0]


def _has_counters(picture: Picture) -> bool:
    return any(instance.stats is not None for instance in picture.instances)


def _has_rates(picture: Picture) -> bool:
    blind = any(gap.source == "netlink" for gap in picture.gaps)
    return blind or any(service.rates is not None for service in picture.services)


def _watch(watcher: Any) -> int:
    from lvstui import report

    last: dict[str, Any] = {}
    watcher.settle()
    while True:
        document = report.report(watcher.picture)
        told = report.lasting(document)
        if told != last:
            last = told
            print(json.dumps(document, ensure_ascii=False), flush=True)
        seen = watcher.picture
        watcher.wait_for(lambda picture, seen=seen: picture is not seen, 60.0)


def _stream(args: argparse.Namespace) -> int:
    from lvstui.live import local_watcher
    from lvstui.model.facts import Observation
    from lvstui.model.wire import FORMAT, encode

    def write(seen: Observation) -> None:
        print(encode(seen), flush=True)

    print(json.dumps({"lvstui": FORMAT, "version": __version__}), flush=True)
    with local_watcher(config=args.config, interval_s=args.interval, recorder=write) as watcher:
        ended = time.monotonic() + args.seconds if args.seconds else None
        while ended is None or time.monotonic() < ended:
            time.sleep(0.1)
            watcher.watch_closely(tuple(s.key for s in watcher.picture.services[:50]))
    return 0


def _console(args: argparse.Namespace) -> int:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return fail("the console needs a terminal; `lvstui status` prints the same to a pipe")
    if os.environ.get("TERM", "dumb") in ("", "dumb", "unknown"):
        return fail("this terminal can not draw (TERM=dumb); use `lvstui status`")
    from lvstui.frugal import one_arena

    one_arena()
    from lvstui.app import LvstuiApp
    from lvstui.keepalived.on_disk import OnDisk
    from lvstui.lab import LabError
    from lvstui.lab.link import lab_link
    from lvstui.live import local_watcher, replay_watcher
    from lvstui.operations.operator import Operator
    from lvstui.screens.settings import Settings
    from lvstui.sources.processes import config_id
    from lvstui.sources.recording import Recording

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
        operator = Operator(read_only=readonly.active())
        with ExitStack() as at_the_end:

            def realservers(asker: Asker) -> RealServers:
                """Called at the first look: until then neither SSH nor its libraries are loaded."""
                from lvstui.operations.realservers import RealServers
                from lvstui.realservers import other_directors
                from lvstui.remote.connect import Connector

                connector = at_the_end.enter_context(Connector(asker))
                return RealServers(
                    connector,
                    read_only=readonly.active(),
                    directors=other_directors(watcher.picture),
                )

            def configurations(asker: Asker) -> Configurations:
                """Called when a change is planned or the history is read for the first time."""
                from lvstui.operations.configuration import Configurations
                from lvstui.operations.configuration_hosts import Where
                from lvstui.remote.local import LocalRunner

                here = watcher.picture.host
                directors = [Where(here, lambda: LocalRunner(here), local=True)]
                if args.peer:
                    from lvstui.remote.connect import Connector
                    from lvstui.remote.runner import Access

                    connector = at_the_end.enter_context(Connector(asker))
                    for peer in args.peer:
                        user, at, host = peer.rpartition("@")
                        access = Access(host, user=user if at else "")
                        directors.append(Where(host, partial(connector.open, access)))
                return Configurations(directors, read_only=readonly.active(), alone=args.alone)

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
