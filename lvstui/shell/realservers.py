"""`lvstui realserver look|plan|push|verify|undo`: real servers from the shell."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lvstui.model.keys import canonical_address
from lvstui.model.realserver import Check, Verdict
from lvstui.model.text import plain
from lvstui.process import readonly
from lvstui.process.printing import as_json
from lvstui.process.readonly import Harmless
from lvstui.remote.runner import SecretAnswer, SecretRequest, UnknownKey
from lvstui.session.realservers import other_directors, real_servers_of
from lvstui.shell.arguments import flag, login_options, look_options, timer_option
from lvstui.shell.ask import DONE, NOT_DONE, Usage, agreed, fail
from lvstui.shell.change import SCHEMA as CHANGE
from lvstui.shell.change import carry_out, change_options, json_option

if TYPE_CHECKING:
    from lvstui.operations.realservers import RealServers
    from lvstui.operations.rows import Row
    from lvstui.operations.undo import Offer
    from lvstui.realserver.hosts import Host

SCHEMA = "lvstui.realserver/1"
_MARKS = {"good": "✓", "warn": "!", "bad": "✖", "unknown": "?", "none": "–"}
_HELP = {
    "look": "find out what the hosts have, and judge it; changes nothing",
    "plan": "show what a push would change, with a diff for each file; changes nothing",
    "push": "give the hosts the VIP on lo and ARP silence, now and after a reboot",
    "verify": "look again and ask from the director; --reboot proves that it survives one",
    "undo": "take lvstui's work off the hosts again",
}


def add_realservers(commands: Any) -> None:
    parser = commands.add_parser(
        "realserver",
        help="look at, push to, verify and undo real servers over SSH",
        description="Real servers in Direct Routing: the VIP on the loopback and silence on ARP, "
        "over SSH, under a timer on each host that takes everything back unless it is confirmed.",
    )
    words = parser.add_subparsers(title="what to do", metavar="WHAT", required=True)
    for word, text in _HELP.items():
        sub = words.add_parser(word, help=text, description=text)
        look_options(sub)
        _options(sub, word)
        sub.set_defaults(run=Harmless(_run, _changes), word=word)


def _options(sub: argparse.ArgumentParser, word: str) -> None:
    host = "[USER@]name or address of a real server (look, plan, verify: all when none is given)"
    sub.add_argument("hosts", metavar="HOST", nargs="*", help=host)
    flag(sub, "--all", help="every real server of the configuration")
    vip = "only this VIP, or one that the configuration here does not name (again for more)"
    sub.add_argument("--vip", action="append", default=[], metavar="ADDR", help=vip)
    sub.add_argument("--user", default="", help="log in as this user")
    login_options(sub)
    at_a_time = "hosts at a time (default 10)"
    sub.add_argument("--parallel", type=int, default=10, metavar="N", help=at_a_time)
    written = "write every command and answer to FILE, a new one"
    sub.add_argument("--transcript", metavar="FILE", help=written)
    if word in ("look", "verify"):
        flag(sub, "--json", help=f"one JSON document (schema {SCHEMA})")
    flag(sub, "--verbose", "-v", help="with the evidence of each check")
    if word in ("plan", "push"):
        sub.add_argument("--method", default="", help="this way instead of the one that is found")
        which = "ARP settings for all interfaces, or only the director's (hosts with containers)"
        sub.add_argument("--variant", default="", choices=["", "all", "interface"], help=which)
    if word == "plan":
        json_option(sub)
    if word in ("push", "undo"):
        change_options(sub)
        after = "the host goes back by itself after this long without confirmation (default 60)"
        timer_option(sub, after)
    if word == "undo":
        what = "take back a change that was cut half way, before anything else"
        flag(sub, "--unfinished", help=what)
    if word == "verify":
        flag(sub, "--reboot", help="reboot the hosts first, one by one")
        flag(sub, "--yes", help="reboot without asking")


class TerminalAsker:
    """Asks at the terminal; without one it knows nothing and accepts nothing."""

    def accept_key(self, key: UnknownKey) -> bool:
        """The fingerprint is shown; only a typed `yes` accepts it."""
        print(
            f"\nThe host key of {plain(key.host)} ({plain(key.address)}, port {key.port}) is not "
            f"known.\n  {key.kind}  {key.fingerprint}",
            file=sys.stderr,
        )
        for other in key.others:
            print(f"  known already: {plain(other)}", file=sys.stderr)
        if not sys.stdin.isatty():
            return False
        becomes = f"be added to {plain(key.file)}" if key.file != os.devnull else "not be kept"
        print(
            f"It would {becomes}. Compare it with what the host's own console says "
            "(ssh-keygen -lf).",
            file=sys.stderr,
        )
        return _ask_line("Type yes to accept it: ").strip() == "yes"

    def secret(self, request: SecretRequest) -> SecretAnswer | None:
        """Nothing is echoed unless the host says that it may be. For which hosts the answer is
        good is asked with their names."""
        if not sys.stdin.isatty():
            return None
        again = "not accepted; " if request.again else ""
        prompt = f"{request.user}@{request.host}: {again}{request.prompt} "
        try:
            ask = _ask_line if request.echo else _ask_hidden
            secret = ask(prompt)
            everywhere = False
            if request.hosts:
                names = ", ".join(plain(host) for host in request.hosts)
                question = f"Use it on {len(request.hosts)} hosts: {names}? [y/N] "
                everywhere = _ask_line(question).strip().lower() in ("y", "yes")
        except (EOFError, KeyboardInterrupt):
            return None
        return SecretAnswer(secret, everywhere)


def _ask_line(prompt: str) -> str:
    print(prompt, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline()


def _ask_hidden(prompt: str) -> str:
    return getpass.getpass(plain(prompt), sys.stderr)


def _changes(args: argparse.Namespace) -> str:
    if args.transcript:
        return "--transcript writes a file"
    if args.word in ("push", "undo") and not args.plan:
        return f"{args.word} changes the hosts; --plan only shows it"
    if args.word == "undo" and args.unfinished:
        return "--unfinished takes back what is there"
    return "--reboot reboots the hosts" if getattr(args, "reboot", False) else ""


def _run(args: argparse.Namespace) -> int:
    from lvstui.remote.connect import Connector

    try:
        _check(args)
        hosts, directors = _hosts(args)
    except (Usage, ValueError) as error:
        return _fail(args, str(error))
    warn = lambda text: print(f"lvstui: {text}", file=sys.stderr)  # noqa: E731
    transcript = Path(args.transcript) if args.transcript else None
    try:
        connector = Connector(TerminalAsker(), transcript=transcript, warn=warn)
    except OSError as error:
        return _fail(args, f"the transcript can not be written: {error}")
    from lvstui.operations.looks import keep
    from lvstui.operations.realservers import RealServers

    with connector:
        service = RealServers(
            connector,
            read_only=readonly.active(),
            directors=directors,
            limit=args.parallel,
            timer_s=getattr(args, "timer", 60),
            keep=keep,
        )
        try:
            if args.word in ("look", "verify"):
                return _look(service, hosts, args)
            return _change(service, hosts, args)
        except ValueError as error:
            return _fail(args, str(error))


_NOT_ASKED = {"all": False, "user": "", "parallel": 10, "transcript": None, "verbose": False}
_NOT_ASKED |= {"method": "", "variant": "", "unfinished": False}
"""What `lvstui undo` has no options for."""


def undo_on_hosts(args: argparse.Namespace, offer: Offer) -> int:
    """Undo a push on the hosts and VIPs that it was for, or make an undone one again."""
    operation = offer.operation
    for caution in () if args.json else offer.cautions:
        print(f"⚠ {caution}")
    word = "push" if operation.is_undo else "undo"
    asked = {"word": word, "hosts": list(operation.hosts), "vip": list(operation.vips)}
    return _run(argparse.Namespace(**{**vars(args), **_NOT_ASKED, **asked}))


def _fail(args: argparse.Namespace, message: str) -> int:
    schema = SCHEMA if args.word in ("look", "verify") else CHANGE
    return fail(message, schema=schema if args.json else "")


def _check(args: argparse.Namespace) -> None:
    from lvstui.realserver.transaction import LONGEST_S, SHORTEST_S

    if args.parallel < 1:
        raise Usage("--parallel: expected 1 or more")
    timer = getattr(args, "timer", SHORTEST_S)
    if not SHORTEST_S <= timer <= LONGEST_S:
        raise Usage(f"--timer {timer}: expected {SHORTEST_S} to {LONGEST_S} seconds")
    if args.word in ("push", "undo") and not args.hosts and not args.all:
        raise Usage(f"name the hosts to {args.word}, or --all")


def _hosts(args: argparse.Namespace) -> tuple[tuple[Host, ...], dict[str, str]]:
    """The hosts that are meant, and the other directors."""
    from lvstui.realserver.hosts import Vip, find, read_own
    from lvstui.watch import local_watcher

    own = read_own()
    vips = [canonical_address(vip) for vip in args.vip]
    with local_watcher(config=args.config, interval_s=args.interval) as watcher:
        picture = watcher.settle()
    known = real_servers_of(picture, own)
    chosen = [_with_options(find(known, word, own, vips), word, args) for word in args.hosts]
    if not args.hosts:
        chosen = [_with_options(host, "", args) for host in known]
        if not chosen:
            raise Usage(
                "no real server in Direct Routing is in keepalived.conf here; name hosts and "
                "their VIP: lvstui realserver look HOST --vip ADDR"
            )
    result = tuple(
        replace(host, vips=tuple(Vip(vip, host.ports(vip)) for vip in vips)) if vips else host
        for host in dict.fromkeys(chosen)
    )
    return result, other_directors(picture)


def _with_options(host: Host, word: str, args: argparse.Namespace) -> Host:
    """What the command line says of the login wins; `user@host` over --user."""
    said = {name: getattr(args, name) for name in ("user", "jump", "identity")}
    if "@" in word:
        said["user"] = ""
    return replace(host, access=replace(host.access, **{k: v for k, v in said.items() if v}))


def _look(service: RealServers, hosts: Sequence[Host], args: argparse.Namespace) -> int:
    troubles: list[str] = []
    if getattr(args, "reboot", False):
        names = ", ".join(host.label for host in hosts)
        question = "reboot them, one after the other?"
        if not args.yes and not agreed(names, question, schema=SCHEMA if args.json else ""):
            return NOT_DONE
        for host in hosts:
            error = service.reboot(host, _tell)
            if error is not None:
                troubles.append(f"{host.label}: {error}")
                # The next one may be all that is left of the service.
                break
    rows = service.look(hosts)
    if args.json:
        found = {
            "schema": SCHEMA,
            "hosts": [row_document(row) for row in rows],
            "reboot_troubles": troubles,
        }
        print(as_json(found, indent=1))
    else:
        print(table(rows, args.verbose))
        for text in troubles:
            print(f"✖ {text}")
    good = all(row.verdict in (Verdict.GOOD, Verdict.WARN, Verdict.NONE) for row in rows)
    return DONE if good and not troubles else NOT_DONE


def _change(service: RealServers, hosts: Sequence[Host], args: argparse.Namespace) -> int:
    from lvstui.operations.rows import hosts_plan

    operation = "undo" if args.word == "undo" else "push"
    if args.word == "plan":
        args = argparse.Namespace(**{**vars(args), "plan": True, "reason": ""})
    if getattr(args, "unfinished", False) and not args.plan:
        for host in hosts:
            _tell(host.label, service.take_back_unfinished(host))
    rows = service.look(hosts)
    method, variant = getattr(args, "method", ""), getattr(args, "variant", "")
    plans = service.plan(rows, operation, vips=args.vip, method=method, variant=variant)
    # Of the others nothing was looked at: what is left without these is not known here.
    plan = hosts_plan(operation, rows, plans, (), {}, {}, service.timer_s)
    plan = replace(plan, reason=args.reason)

    return carry_out(args, plan, lambda tell, stop: service.apply(plan, tell=tell, stop=stop))


def _tell(host: str, stage: str) -> None:
    """Progress goes to the error stream, so that the output stays what it is."""
    print(f"… {host}: {stage}", file=sys.stderr, flush=True)


# What was seen: the matrix, JSON


def table(rows: Sequence[Row], verbose: bool = False) -> str:
    """The matrix for people: a line for each host and VIP, then what is wrong and why."""
    from lvstui.realserver.checks import TITLES

    head = ["HOST", "VIP", *TITLES.values()]
    body: list[list[str]] = []
    said: list[str] = []
    for row in rows:
        for vip, found in row.checks:
            by_id = {check.id: check for check in found}
            cells = [_cell(by_id.get(id_)) for id_ in TITLES]
            body.append([row.host.label, vip, *cells])
            for check in found:
                bad = check.verdict in (Verdict.BAD, Verdict.WARN)
                told = check.id == "reachable" or row.facts is not None or check.evidence
                if (bad and told) or verbose:
                    fix = f"  → {check.fix}" if check.fix else ""
                    said.append(f"{row.host.label} {vip} {TITLES[check.id]}: {check.says}{fix}")
                    said += [f"    {line}" for line in check.evidence] if verbose else []
        said += [f"{row.host.label}: drift: {text}" for text in row.drift]
    widths = [max(len(line[at]) for line in [head, *body]) for at in range(len(head))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in [head, *body]
    ]
    return "\n".join([*lines, *([""] if said else []), *said])


def _cell(check: Check | None) -> str:
    if check is None:
        return "?"
    mark = _MARKS[check.verdict.value]
    return f"{mark} {check.text}".strip() if check.text != mark else mark


def row_document(row: Row) -> dict[str, Any]:
    facts = row.facts
    return {
        "host": row.host.address,
        "name": row.host.name,
        "reached": facts is not None,
        "trouble": row.trouble or None,
        "error": row.error or None,
        "todo": row.todo or None,
        "system": facts.os_name if facts else None,
        "kernel": facts.kernel if facts else None,
        "boot_id": facts.boot_id if facts else None,
        "as_root": facts.as_root if facts else None,
        "managed": list(facts.manifest.vips) if facts and facts.manifest else [],
        "verdict": row.verdict.value,
        "drift": list(row.drift),
        "vips": {
            vip: {
                check.id: {
                    "verdict": check.verdict.value,
                    "text": check.text,
                    "says": check.says,
                    "evidence": list(check.evidence),
                    "fix": check.fix or None,
                }
                for check in found
            }
            for vip, found in row.checks
        },
    }
