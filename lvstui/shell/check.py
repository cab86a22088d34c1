"""`lvstui check SERVICE SERVER`: ask a real server now, from this director."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from lvstui.model.picture import Picture, ServerView
from lvstui.process.printing import as_json
from lvstui.process.readonly import Harmless
from lvstui.realserver.check_now import Came
from lvstui.shell.arguments import SCHEMA_HELP, flag, look_options, print_meanings
from lvstui.shell.ask import DONE, NOT_DONE, fail
from lvstui.shell.weights import targets

SCHEMA = "lvstui.check/1"
MEANINGS = {
    "schema": "name and version of this form",
    "service": "the virtual service",
    "server": "ADDR:PORT of the real server",
    "ok": "something was tried, and nothing of it failed; the exit status says the same (0, 1)",
    "came[].what": "what was tried",
    "came[].good": "whether it went well; null: not tried, or nothing is known by it",
    "came[].says": "what came, or why it was not tried",
    "came[].ms": "until the last of it was there; null: nothing came",
    "came[].evidence[]": "what was sent and heard",
}
_MARKS = {True: "✓", False: "✖", None: "–"}


def add_check(commands: Any) -> None:
    text = "ask a real server now, from this director: connect, request, SYN for the VIP"
    parser = commands.add_parser(
        "check",
        help=text,
        description="Ask a real server now, from this director: connect to its address, send what "
        "HTTP_GET and SSL_GET are configured to send and, in Direct Routing, a SYN for the VIP to "
        "its MAC. It changes nothing.",
    )
    look_options(parser)
    parser.add_argument("service", metavar="SERVICE", nargs="?", help="'tcp ADDR:PORT', 'fwmark N'")
    parser.add_argument("server", metavar="SERVER", nargs="?", help="ADDR[:PORT], or its name")
    flag(parser, "--json", help=f"one JSON document (schema {SCHEMA})")
    flag(parser, "--schema", help=SCHEMA_HELP)
    parser.set_defaults(run=Harmless(_run, _of_a_recording))


def _of_a_recording(args: argparse.Namespace) -> str:
    return "a recording asks nobody" if args.replay else ""


def _run(args: argparse.Namespace) -> int:
    if args.schema:
        print_meanings(MEANINGS)
        return DONE
    if not args.service or not args.server:
        return fail("name a service and a real server: lvstui check 'tcp ADDR:PORT' ADDR")
    from lvstui.watch import local_watcher

    with local_watcher(config=args.config, interval_s=args.interval) as watcher:
        picture = watcher.settle()
    try:
        (wanted, *_) = targets(picture, args.server, args.service)
    except ValueError as error:
        return fail(str(error))
    server = picture.server(*wanted)
    return fail("it is gone") if server is None else _check(args, picture, server)


def _check(args: argparse.Namespace, picture: Picture, server: ServerView) -> int:
    from lvstui.session.checking import CheckSession
    from lvstui.session.jobs import at_once
    from lvstui.session.on_disk import OnDisk
    from lvstui.sources.processes import config_id

    files, daemon = OnDisk(args.config, config_id=config_id), picture.daemon
    session = CheckSession(lambda: files.read(daemon.pid, daemon.config_file), begin=at_once)
    if not args.json:
        session.heard = _print
    check = session.check(server)
    if check.problem:
        return fail(check.problem)
    if args.json:
        document = {
            "schema": SCHEMA,
            "service": str(server.service),
            "server": str(server.key),
            "ok": check.good,
            "came": [
                {**asdict(came), "ms": None if came.ms is None else round(came.ms, 3)}
                for came in check.came
            ],
        }
        print(as_json(document, indent=1))
    elif not any(came.good is not None for came in check.came):
        print("nothing of it can be tried from here")
    return DONE if check.good else NOT_DONE


def _print(came: Came) -> None:
    print(f"{_MARKS[came.good]} {came.what}: {came.line}", flush=True)
    for line in came.evidence:
        print(f"    {line}", flush=True)
