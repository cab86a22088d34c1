"""`lvstui drain|enable|weight|undo`: operations from the shell."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from lvstui.model.keys import ServerKey, ServiceKey, split_port
from lvstui.model.picture import Picture
from lvstui.process import readonly
from lvstui.process.readonly import Harmless
from lvstui.shell.arguments import flag, look_options
from lvstui.shell.ask import DONE, USAGE
from lvstui.shell.change import carry_out, change_options, fields_of, not_done, print_json
from lvstui.shell.config.change import plan_options

if TYPE_CHECKING:
    from lvstui.operations.weight_changes import WeightChanges
    from lvstui.operations.weights import WeightsPlan

_HELP = {
    "drain": "no new connections to a real server: weight 0 in the kernel, the running ones end",
    "enable": "give a drained real server its weight back",
    "weight": "set the kernel weight of a real server",
}


def add_operations(commands: Any) -> None:
    for operation, text in _HELP.items():
        parser = commands.add_parser(operation, help=text, description=text)
        look_options(parser)
        parser.add_argument("server", metavar="ADDR[:PORT]", help="the real server, or its name")
        if operation == "weight":
            parser.add_argument("weight", type=int, help="0 to 65535")
        there = "only there: 'tcp ADDR:PORT', 'fwmark N' (default: every service that has it)"
        parser.add_argument("--service", metavar="S", help=there)
        change_options(parser)
        _read_only_option(parser)
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
    flag(undo, "--list", help="what was done, newest first")
    plan_options(undo)
    _read_only_option(undo)
    undo.set_defaults(run=Harmless(_undo, _undoes))


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
    try:
        address, port = split_port(server)
    except ValueError:
        address, port = "", 0
    there = [view for s in picture.services if only in (None, s.key) for view in s.servers]
    found = [
        view.id
        for view in there
        if (view.key.address == address and port in (0, view.key.port))
        or (not address and view.name == server)
    ]
    if not found:
        where = f" in {only}" if only else ""
        known = ", ".join(list(dict.fromkeys(view.label for view in there))[:20]) or "none"
        raise ValueError(f"no real server {server!r}{where}; there are: {known}")
    return found


def _changes(args: argparse.Namespace) -> str:
    return "" if args.plan else f"{args.operation} changes the kernel's table; --plan only shows it"


def _undoes(args: argparse.Namespace) -> str:
    return "" if args.plan or args.list else "undo changes what was done; --plan only shows it"


def _run(args: argparse.Namespace) -> int:
    from lvstui.operations.weight_changes import WeightChanges

    operator = WeightChanges(read_only=readonly.active())
    picture = _picture(args)
    if not picture.table_readable:
        return _blind(picture, args)
    weight = args.weight if args.operation == "weight" else None
    try:
        chosen = targets(picture, args.server, args.service)
        plan = operator.plan(picture, args.operation, chosen, weight=weight, reason=args.reason)
    except ValueError as error:
        return not_done(args, str(error), USAGE)
    return _carry_out(operator, plan, args)


def _picture(args: argparse.Namespace) -> Picture:
    from lvstui.watch import local_watcher

    with local_watcher(config=args.config, interval_s=args.interval) as watcher:
        return watcher.settle()


def _blind(picture: Picture, args: argparse.Namespace) -> int:
    gaps = [f"{g.what}: {g.remedy}" for g in picture.gaps if g.source == "proc"]
    return not_done(args, gaps[0] if gaps else "the kernel's IPVS table can not be read", USAGE)


def _undo(args: argparse.Namespace) -> int:
    """The newest operation of any kind, or the one with that number."""
    from lvstui.operations.undo import Kind
    from lvstui.operations.weight_changes import WeightChanges
    from lvstui.operations.weights import plan_undo

    operator = WeightChanges(read_only=readonly.active())
    picture = _picture(args)
    if args.list:
        return _list(operator, picture, args)
    found = operator.last(picture, args.number)
    if found is None:
        if args.number is not None:
            return not_done(args, f"there is no operation {args.number}: lvstui undo --list", USAGE)
        return not_done(args, "there is no operation of yours to undo")
    kind = found.operation.kind
    if found.refusal:
        return not_done(args, found.refusal)
    if kind is Kind.FILE:
        from lvstui.shell.config.change import undo_change

        return undo_change(args, found)
    if kind is Kind.HOSTS:
        from lvstui.shell.realservers import undo_on_hosts

        return undo_on_hosts(args, found)
    if not picture.table_readable:
        return _blind(picture, args)
    return _carry_out(operator, plan_undo(picture, found), args)


def _list(operator: WeightChanges, picture: Picture, args: argparse.Namespace) -> int:
    from lvstui.operations.undo import listed

    found = operator.operations(picture)
    if args.json:
        names = ("at", "who", "title", "own", "in_force", "end")
        rows = [
            {"number": number, "id": one.id, "kind": one.kind.value, **fields_of(one, *names)}
            for number, one in enumerate(found, 1)
        ]
        print_json(operations=rows)
    else:
        print("\n".join(listed(found, picture.at)) or "nothing was done with lvstui here yet")
    return DONE


def _carry_out(operator: WeightChanges, plan: WeightsPlan, args: argparse.Namespace) -> int:
    return carry_out(args, plan, lambda tell, stop: operator.apply(plan, tell=tell, stop=stop))
