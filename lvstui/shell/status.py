"""`lvstui status` and `lvstui stream`: what is known, for people, programs and recordings."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping
from typing import Any

from lvstui import __version__
from lvstui.model.claims import AT_ONCE
from lvstui.model.picture import Picture
from lvstui.model.verdict import verdict
from lvstui.model.vrrp import InstanceStats
from lvstui.process import readonly
from lvstui.process.printing import as_json, table_console
from lvstui.process.readonly import Harmless
from lvstui.shell.arguments import SCHEMA_HELP, flag, look_options, print_meanings
from lvstui.shell.ask import fail

PIPE_WIDTH = 200


def add_status(commands: Any) -> None:
    status = commands.add_parser("status", help="print what is known, once or at each change")
    look_options(status)
    flag(status, "--json", help="one JSON document (schema lvstui.status/2)")
    flag(status, "--watch", help="one JSON line for each change of state, until interrupted")
    ask = "ask keepalived once for its counters (writes a few lines to its log)"
    flag(status, "--ask", help=ask)
    flag(status, "--schema", help=SCHEMA_HELP)
    sample = "how long to count for the rates (default 1.2; 0: no rates)"
    status.add_argument("--sample", metavar="SECONDS", type=float, default=1.2, help=sample)
    status.set_defaults(run=Harmless(_status, lambda args: "--ask signals keepalived" * args.ask))

    what = "print every observation as a JSON line (a recording)"
    stream = commands.add_parser("stream", help=what)
    look_options(stream)
    end = "end after this long (default: when interrupted)"
    stream.add_argument("--seconds", type=float, default=0.0, help=end)
    stream.set_defaults(run=Harmless(_stream))


def _status(args: argparse.Namespace) -> int:
    from lvstui.shell import report
    from lvstui.watch import local_watcher

    if args.schema:
        print_meanings(report.MEANINGS)
        return 0
    if args.replay:
        return _replayed(args)
    with local_watcher(config=args.config, interval_s=args.interval) as watcher:
        if args.watch:
            return _watch(watcher)
        picture = watcher.settle()
        if args.ask:
            if not watcher.ask_daemon():
                return fail("keepalived can not be asked: it must run, and that needs root")
            # Those of an older dump are no answer.
            asked = {instance.name: instance.stats for instance in picture.instances}
            watcher.wait_for(lambda now: _counted_since(now, asked), 6.0)
        if args.sample > 0 and picture.table_readable and picture.services:
            watcher.watch_closely(tuple(service.key for service in picture.services))
            time.sleep(min(args.sample, 60.0))
            # Netlink is opened while the first picture is made: a slow host needs a moment more.
            watcher.wait_for(_has_rates, 3.0)
        if not readonly.active():
            # Who else has an address that is here was asked as soon as it was seen.
            watcher.wait_for(_is_answered, 3.0)
        picture = watcher.wait_for(_is_judged, 3.0) or watcher.picture
    return _tell(picture, args)


def _replayed(args: argparse.Namespace) -> int:
    """The end of a recording, or (`--watch`) all of it in its own time."""
    from lvstui.sources.recording import Recording
    from lvstui.watch import replay_watcher

    try:
        watcher = replay_watcher(Recording(args.replay, at_once=not args.watch))
    except (OSError, ValueError) as error:
        return fail(f"{args.replay}: {error}")
    if args.watch:
        with watcher:
            return _watch(watcher)
    return _tell(watcher.play(), args)


def _tell(picture: Picture, args: argparse.Namespace) -> int:
    from lvstui.shell import report

    if args.json:
        print(as_json(report.report(picture), indent=1))
    else:
        from lvstui.shell.status_table import show

        # A pipe has no width: lines are cut by whoever reads them.
        columns = None if sys.stdout.isatty() else PIPE_WIDTH
        show(picture, table_console(columns))
    return verdict(picture)[0]


def _counted_since(picture: Picture, before: Mapping[str, InstanceStats | None]) -> bool:
    return any(
        instance.stats is not None and instance.stats is not before.get(instance.name)
        for instance in picture.instances
    )


def _has_rates(picture: Picture) -> bool:
    blind = any(gap.source == "netlink" for gap in picture.gaps)
    return blind or any(service.rates is not None for service in picture.services)


def _is_judged(picture: Picture) -> bool:
    return picture.files is not None or any(gap.source in ("file", "lint") for gap in picture.gaps)


def _is_answered(picture: Picture) -> bool:
    """Nothing is open, or nobody can ask, or it would take too long."""
    here = {vip for instance in picture.instances for vip in instance.vips_here}
    blind = any(gap.source == "arp" for gap in picture.gaps)
    return blind or len(here) > AT_ONCE or here <= {owners.address for owners in picture.owners}


def _watch(watcher: Any) -> int:
    from lvstui.shell import report

    last: dict[str, Any] = {}
    watcher.settle()
    while True:
        # One that comes while this one is told must not count as seen.
        seen = watcher.picture
        document = report.report(seen)
        told = report.lasting(document)
        if told != last:
            last = told
            print(as_json(document), flush=True)
        watcher.wait_for(lambda picture, seen=seen: picture is not seen, 60.0)


def _stream(args: argparse.Namespace) -> int:
    from lvstui.model.facts import Observation
    from lvstui.model.wire import FORMAT, encode
    from lvstui.watch import local_watcher

    def write(seen: Observation) -> None:
        print(encode(seen), flush=True)

    print(json.dumps({"lvstui": FORMAT, "version": __version__}), flush=True)
    with local_watcher(config=args.config, interval_s=args.interval, recorder=write) as watcher:
        ended = time.monotonic() + args.seconds if args.seconds else None
        while ended is None or time.monotonic() < ended:
            time.sleep(0.1)
            watcher.watch_closely(tuple(s.key for s in watcher.picture.services[:50]))
    return 0
