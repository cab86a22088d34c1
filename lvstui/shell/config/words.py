"""The words of change of `lvstui config`: their arguments, and what is wanted by them of a file."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import datetime, timezone
from functools import partial
from typing import TYPE_CHECKING, Any

from lvstui.model.keys import ServerKey, ServiceKey, split_port
from lvstui.model.text import plain
from lvstui.shell.arguments import flag, option
from lvstui.shell.ask import Usage

if TYPE_CHECKING:
    from lvstui.keepalived.edit.change import Intent
    from lvstui.model.config import Configuration, ConfiguredService


_NAMED = {"instance": "vrrp_instance", "script": "vrrp_script", "group": "vrrp_sync_group"}
"""Option, and the keyword of the blocks that it names."""


def _target(args: argparse.Namespace, file: Configuration) -> Any:
    from lvstui.keepalived.edit.target import OfCheck, OfGlobals, OfNamed, OfServer, OfService

    named = [
        OfNamed(keyword, getattr(args, name))
        for name, keyword in _NAMED.items()
        if getattr(args, name)
    ]
    ways = len(named) + bool(args.service) + args.globals
    if ways != 1:
        raise Usage(
            "name one block: --globals, --instance, --script, --group, or --service with "
            "--server and --check as needed"
        )
    if args.globals:
        return OfGlobals()
    if named:
        return named[0]
    service = _service(args.service, file)
    if not args.server:
        if args.check:
            raise Usage("--check needs --server")
        return OfService(service.key)
    server = _server(args.server, service)
    if args.check:
        return OfCheck(service.key, server, args.check, args.number - 1)
    return OfServer(service.key, server)


def _service(text: str, file: Configuration) -> ConfiguredService:
    """By key or by name."""
    known = ", ".join(f"{s.key} {s.name}".strip() for s in file.services[:20]) or "none"
    try:
        key = ServiceKey.parse(text)
        found = [service for service in file.services if service.key == key]
    except ValueError:
        found = [service for service in file.services if service.name == text]
    if len(found) != 1:
        how = "several services are" if found else "no service is"
        raise Usage(f"{how} {plain(text)!r} in the file; there are: {known}")
    return found[0]


def _server(text: str, service: ConfiguredService) -> ServerKey:
    """By address, address and port, or name."""
    try:
        address, port = split_port(text)
        found = [
            server
            for server in service.servers
            if server.key.address == address and port in (0, server.key.port)
        ]
    except ValueError:
        found = [server for server in service.servers if server.name == text]
    if len(found) != 1:
        known = ", ".join(f"{s.key} {s.name}".strip() for s in service.servers[:20])
        raise Usage(f"no real server {plain(text)!r} in {service.key}; there are: {known}")
    return found[0].key


def _everywhere(
    text: str, within: str, file: Configuration, disabled: bool | None = None
) -> list[tuple[ServiceKey, ServerKey]]:
    """A real server in one service, or in each that has it. With `disabled`, of several only
    where it is so now: it may be off in one service and in use in another."""
    if within:
        service = _service(within, file)
        return [(service.key, _server(text, service))]
    found = []
    for service in file.services:
        try:
            found.append((service.key, _server(text, service)))
        except Usage:
            continue
    if not found:
        names = dict.fromkeys(s.name or str(s.key) for v in file.services for s in v.servers)
        known = ", ".join(list(names)[:20]) or "none"
        raise Usage(f"no service has a real server {plain(text)!r}; there are: {known}")
    if disabled is None:
        return found
    off = {
        (service.key, server.key)
        for service in file.services
        for server in service.servers
        if server.disabled
    }
    # None left: the edit says of the first why it cannot be.
    return [pair for pair in found if (pair in off) is disabled] or found


Make = Callable[[argparse.Namespace, "Configuration"], "list[Intent]"]


def _set(args: argparse.Namespace, file: Configuration) -> list[Intent]:
    from lvstui.keepalived.edit.intent import SetValue

    return [SetValue(_target(args, file), args.keyword, tuple(args.words))]


def _unset(args: argparse.Namespace, file: Configuration) -> list[Intent]:
    from lvstui.keepalived.edit.intent import RemoveValue

    return [RemoveValue(_target(args, file), args.keyword)]


def _weight(args: argparse.Namespace, file: Configuration) -> list[Intent]:
    from lvstui.keepalived.edit.intent import SetWeight

    return [
        SetWeight(service, server, args.value, args.last)
        for service, server in _everywhere(args.name, args.service, file)
    ]


def _disable(args: argparse.Namespace, file: Configuration) -> list[Intent]:
    from lvstui.keepalived.edit.intent import Disable
    from lvstui.operations.identity import identify

    now = datetime.now(timezone.utc)
    return [
        Disable(service, server, str(identify()), now, args.reason, args.last)
        for service, server in _everywhere(args.name, args.service, file, False)
    ]


def _enable(args: argparse.Namespace, file: Configuration) -> list[Intent]:
    from lvstui.keepalived.edit.intent import Enable

    return [
        Enable(service, server)
        for service, server in _everywhere(args.name, args.service, file, True)
    ]


def _add_server(args: argparse.Namespace, file: Configuration) -> list[Intent]:
    from lvstui.keepalived.edit.intent import AddServer
    from lvstui.keepalived.edit.servers import NewServer

    service = _service(args.service, file)
    try:
        address, port = split_port(args.address)
    except ValueError as error:
        raise Usage(str(error)) from None
    checks = () if args.no_check else None
    weight = service.usual_weight if args.weight is None else args.weight
    return [AddServer(service.key, NewServer(address, port, args.as_name, weight, checks))]


def _remove_server(args: argparse.Namespace, file: Configuration) -> list[Intent]:
    from lvstui.keepalived.edit.intent import RemoveServer

    return [
        RemoveServer(service, server)
        for service, server in _everywhere(args.name, args.service, file)
    ]


def _remove_service(args: argparse.Namespace, file: Configuration) -> list[Intent]:
    from lvstui.keepalived.edit.intent import RemoveService

    return [RemoveService(_service(args.service, file).key)]


def _vip(args: argparse.Namespace, file: Configuration) -> list[Intent]:
    from lvstui.keepalived.edit.intent import AddVip, RemoveVip

    if args.instance not in {instance.name for instance in file.instances}:
        known = ", ".join(instance.name for instance in file.instances) or "none"
        raise Usage(f"no instance {plain(args.instance)!r}; there are: {known}")
    if args.adding:
        return [AddVip(args.instance, tuple(args.vip.split()), excluded=args.excluded)]
    return [RemoveVip(args.instance, args.vip)]


def _keyword_arguments(sub: argparse.ArgumentParser) -> None:
    flag(sub, "--globals", help="in global_defs")
    for name, keyword in _NAMED.items():
        option(sub, f"--{name}", metavar="NAME", help=f"in this {keyword}")
    option(sub, "--service", metavar="S", help="in this virtual_server")
    option(sub, "--server", metavar="R", help="in this real_server of it")
    option(sub, "--check", metavar="KIND", help="in this check of it")
    number = "of several checks of a kind the Nth"
    sub.add_argument("--number", type=int, default=1, metavar="N", help=number)
    sub.add_argument("keyword", metavar="KEYWORD")


def _set_arguments(sub: argparse.ArgumentParser) -> None:
    _keyword_arguments(sub)
    sub.add_argument("words", metavar="WORD", nargs="*", help="its value; none for a flag")


def _server_arguments(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("name", metavar="SERVER", help="address, ADDR:PORT or name")
    option(sub, "--service", metavar="S", help="only in this one")
    flag(sub, "--last", help="even when nobody is left for new connections")


def _weight_arguments(sub: argparse.ArgumentParser) -> None:
    _server_arguments(sub)
    sub.add_argument("value", metavar="WEIGHT", type=int)


def _add_arguments(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("address", metavar="ADDR[:PORT]")
    sub.add_argument("--service", required=True, metavar="S", help="'tcp ADDR:PORT', or its name")
    sub.add_argument("--name", dest="as_name", default="", help="stands beside it as a comment")
    sub.add_argument("--weight", type=int, default=None, help="else that of its neighbours")
    flag(sub, "--no-check", help="without the checks that its neighbours have")


def _service_arguments(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("service", metavar="SERVICE", help="'tcp ADDR:PORT', or its name")


def _vip_arguments(sub: argparse.ArgumentParser, adding: bool = False) -> None:
    sub.add_argument("vip", metavar="ADDR/PREFIX" if adding else "ADDR")
    sub.add_argument("--instance", required=True, metavar="NAME")
    if adding:
        flag(sub, "--excluded", help="not in the adverts (virtual_ipaddress_excluded)")
    sub.set_defaults(adding=adding)


def _apply_arguments(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("source", metavar="FILE", help="becomes the main file; - reads it from a pipe")


def _rollback_arguments(sub: argparse.ArgumentParser) -> None:
    which = "of `history`; 1, the newest, unless given"
    sub.add_argument("number", metavar="N", nargs="?", default="1", help=which)


COMMANDS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None], Make | None]] = {
    "apply": ("put a file in force as keepalived's main file", _apply_arguments, None),
    "set": ("give a keyword of a block its value", _set_arguments, _set),
    "unset": ("take a keyword out of a block", _keyword_arguments, _unset),
    "weight": ("set the weight of a real server in the file", _weight_arguments, _weight),
    "disable": (
        "switch a real server off, lasting, signed in the file",
        _server_arguments,
        _disable,
    ),
    "enable": ("give a disabled real server back what it had", _server_arguments, _enable),
    "add-server": ("add a real server to a service", _add_arguments, _add_server),
    "remove-server": ("remove a real server", _server_arguments, _remove_server),
    "remove-service": ("remove a virtual server", _service_arguments, _remove_service),
    "add-vip": ("add a virtual address to an instance", partial(_vip_arguments, adding=True), _vip),
    "remove-vip": ("remove a virtual address", _vip_arguments, _vip),
    "rollback": ("put back what a past change replaced", _rollback_arguments, None),
}
"""By name: help, arguments, and what is wanted; None: no single edit of a file."""
