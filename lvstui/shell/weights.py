"""`lvstui drain|enable|weight|undo`: operations from the shell."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lvstui.model.keys import ServerKey, ServiceKey, split_port
from lvstui.model.picture import Picture
from lvstui.process import readonly
from lvstui.process.printing import ask
from lvstui.process.readonly import Harmless
from lvstui.shell.config.change import plan_options

if TYPE_CHECKING:
    from lvstui.operations.operator import Operator
    from lvstui.operations.plan import Outcome, Plan

DONE, NOT_DONE, USAGE, UNRECORDED = 0, 1, 2, 3
"""Exit status; UNRECORDED: done, and the audit log could not be written."""
_HELP = {
    "drain": "no new connections to a real server: weight 0 in the kernel, the running ones end",
    "enable": "give a drained real server its weight back",
    "weight": "set the kernel weight of a real server",
}


def add_operations(commands: Any, look_options: Callable[[argparse.ArgumentParser], None]) -> None:
    """Add the operations to the command line."""
    for operation, text in _HELP.items():
        parser = commands.add_parser(operation, help=text, description=text)
        look_options(parser)
        parser.add_argument("server", metavar="ADDR[:PORT]", help="the real server, or its name")
        if operation == "weight":
            parser.add_argument("weight", type=int, help="0 to 65535")
        parser.add_argument(
            "--service",
            metavar="S",
            help="only there: 'tcp ADDR:PORT', 'fwmark N' (default: every service that has it)",
        )
        _apply_options(parser)
        parser.set_defaults(run=Harmless(_run, _changes), operation=operation)
    text = "undo your newest operation: weights, keepalived.conf or real servers"
    undo = commands.add_parser(
        "undo",
        help=text,
        description=f"{text[0].upper()}{text[1:]}. Once more makes it again; --list and a number "
        "reach older ones.",
    )
    look_options(undo)
    undo.add_argument("number", metavar="N", nargs="?", type=int, help="of --list, whoever did it")
    undo.add_argument("--list", action="store_true", help="what was done, newest first")
    plan_options(undo)
    _read_only_option(undo)
    undo.set_defaults(run=Harmless(_undo, _undoes))


def _apply_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reason", default="", help="why; goes to the audit log and the screens")
    parser.add_argument("--plan", action="store_true", help="show what would be done, do nothing")
    parser.add_argument("--yes", action="store_true", help="do it without asking")
    parser.add_argument("--json", action="store_true", help="the plan and the outcome as JSON")
    _read_only_option(parser)


def _read_only_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--read-only", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS
    )


def targets(
    picture: Picture, server: str, service: str | None
) -> list[tuple[ServiceKey, ServerKey]]:
    """The real servers that `server` (address, address and port, or name) means, in `service`
    or everywhere. Raises ValueError saying what is there instead."""
    only = ServiceKey.parse(service) if service else None
    if only is not None and picture.service(only) is None:
        known = ", ".join(str(s.key) for s in picture.services[:20]) or "none"
        raise ValueError(f"there is no service {only}; there are: {known}")
    address, port = "", 0
    named = False
    try:
        address, port = split_port(server)
    except ValueError:
        named = True
    found = [
        view.id
        for view_service in picture.services
        if only is None or view_service.key == only
        for view in view_service.servers
        if (view.name == server if named else view.key.address == address)
        and (named or not port or view.key.port == port)
    ]
    if not found:
        where = f" in {only}" if only else ""
        some = dict.fromkeys(
            view.label for s in picture.services if only in (None, s.key) for view in s.servers
        )
        known = ", ".join(list(some)[:20]) or "none"
        raise ValueError(f"no real server {server!r}{where}; there are: {known}")
    return found


def _changes(args: argparse.Namespace) -> str:
    return "" if args.plan else f"{args.operation} changes the kernel's table; --plan only shows it"


def _undoes(args: argparse.Namespace) -> str:
    return "" if args.plan or args.list else "undo changes what was done; --plan only shows it"


def _run(args: argparse.Namespace) -> int:
    from lvstui.operations.operator import Operator

    operator = Operator(read_only=readonly.active())
    picture = _picture(args)
    if not picture.table_readable:
        return _blind(picture, args)
    try:
        plan = _plan(operator, picture, args)
    except ValueError as error:
        return _fail(str(error), args, USAGE)
    return _carry_out(operator, plan, args)


def _picture(args: argparse.Namespace) -> Picture:
    from lvstui.watch import local_watcher

    with local_watcher(config=args.config, interval_s=args.interval) as watcher:
        return watcher.settle()


def _blind(picture: Picture, args: argparse.Namespace) -> int:
    gaps = [f"{g.what}: {g.remedy}" for g in picture.gaps if g.source == "proc"]
    return _fail(gaps[0] if gaps else "the kernel's IPVS table can not be read", args, USAGE)


def _undo(args: argparse.Namespace) -> int:
    """The newest operation of any kind, or the one with that number."""
    from lvstui.operations.operator import Operator
    from lvstui.operations.undo import Kind

    operator = Operator(read_only=readonly.active())
    picture = _picture(args)
    if args.list:
        return _list(operator, picture, args)
    found = operator.last(picture, args.number)
    if found is None:
        if args.number is not None:
            return _fail(f"there is no operation {args.number}: lvstui undo --list", args, USAGE)
        return _fail("there is no operation of yours to undo", args)
    kind = found.operation.kind
    if found.refusal:
        return _fail(found.refusal, args)
    if kind is Kind.FILE:
        from lvstui.shell.config.change import undo_change

        return undo_change(args, found)
    if kind is Kind.HOSTS:
        from lvstui.shell.realservers import undo_on_hosts

        return undo_on_hosts(args, found)
    if not picture.table_readable:
        return _blind(picture, args)
    return _carry_out(operator, operator.plan_undo(picture, found), args)


def _list(operator: Operator, picture: Picture, args: argparse.Namespace) -> int:
    from lvstui.operations.undo import listed

    found = operator.operations(picture)
    if args.json:
        rows = [
            {
                "number": number,
                "id": one.id,
                "kind": one.kind.value,
                "at": one.at,
                "who": one.who,
                "title": one.title,
                "own": one.own,
                "in_force": one.in_force,
                "end": one.end,
            }
            for number, one in enumerate(found, 1)
        ]
        print(
            json.dumps(
                {"schema": "lvstui.operation/1", "operations": rows}, indent=1, ensure_ascii=False
            )
        )
    else:
        print("\n".join(listed(found, picture.at)) or "nothing was done with lvstui here yet")
    return DONE


def _carry_out(operator: Operator, plan: Plan, args: argparse.Namespace) -> int:
    if args.plan:
        _print(args, plan, None)
        return NOT_DONE if plan.refusals else DONE
    if plan.refusals:
        _print(args, plan, None)
        return NOT_DONE
    if not args.yes and not _agreed(plan, args):
        return NOT_DONE
    outcome = operator.apply(plan)
    _print(args, plan, outcome)
    if not outcome.ok:
        return NOT_DONE
    return UNRECORDED if outcome.unrecorded else DONE


def _plan(operator: Operator, picture: Picture, args: argparse.Namespace) -> Plan:
    chosen = targets(picture, args.server, args.service)
    weight = args.weight if args.operation == "weight" else None
    return operator.plan(picture, args.operation, chosen, weight=weight, reason=args.reason)


def _agreed(plan: Plan, args: argparse.Namespace) -> bool:
    """Show the plan and ask. A pipe can not be asked: it has to say --yes."""
    if args.json or not sys.stdin.isatty():
        _fail("not done: give --yes to apply it without being asked, or --plan to look", args)
        return False
    print(words(plan))
    if plan.typed:
        return ask(f"type {plan.typed} to go on: ").strip() == plan.typed
    return ask("go on? [y/N] ").strip().lower() in ("y", "yes")


def words(plan: Plan) -> str:
    """The plan for people."""
    lines = [f"{plan.operation} on {plan.host}"]
    lines += [f"  {step.what}" for step in plan.steps]
    lines += [f"  → {effect}" for effect in plan.effects]
    lines += [f"  ⚠ {caution}" for caution in plan.cautions]
    lines += [f"  ✖ {refusal}" for refusal in plan.refusals]
    return "\n".join(lines)


def _print(args: argparse.Namespace, plan: Plan, outcome: Outcome | None) -> None:
    if args.json:
        print(json.dumps(document(plan, outcome), indent=1, ensure_ascii=False))
        return
    if outcome is None or args.yes:
        print(words(plan))
    if outcome is not None:
        print(outcome.text)


def document(plan: Plan, outcome: Outcome | None) -> dict[str, Any]:
    """Plan and outcome in the schema `lvstui.operation/1`."""
    return {
        "schema": "lvstui.operation/1",
        "operation": plan.operation,
        "host": plan.host,
        "reason": plan.reason,
        "steps": [
            {**asdict(step), "service": str(step.service), "server": str(step.server)}
            for step in plan.steps
        ],
        "effects": list(plan.effects),
        "cautions": list(plan.cautions),
        "refusals": list(plan.refusals),
        "applied": outcome is not None,
        "ok": outcome.ok if outcome is not None else None,
        "id": outcome.id if outcome is not None else None,
        "recorded": not outcome.unrecorded if outcome is not None else None,
        "results": [
            {
                "service": str(result.step.service),
                "server": str(result.step.server),
                "ok": result.ok,
                "weight_read_back": result.seen,
                "error": result.error,
            }
            for result in (outcome.results if outcome is not None else ())
        ],
    }


def _fail(message: str, args: argparse.Namespace, status: int = NOT_DONE) -> int:
    if args.json:
        print(json.dumps({"schema": "lvstui.operation/1", "ok": False, "error": message}))
    print(f"lvstui: {message}", file=sys.stderr)
    return status
