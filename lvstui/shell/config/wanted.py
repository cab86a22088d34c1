"""What is wanted of a file by each word of change of `lvstui config`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import datetime, timezone

from lvstui.keepalived.edit import intent
from lvstui.keepalived.edit.intent import Intent
from lvstui.keepalived.edit.servers import NewServer
from lvstui.keepalived.edit.target import (
    NamedBlock,
    OfCheck,
    OfGlobals,
    OfNamed,
    OfServer,
    OfService,
)
from lvstui.model.config import Configuration, ConfiguredService
from lvstui.model.keys import ServerKey, ServiceKey, split_port
from lvstui.model.text import plain
from lvstui.operations.identity import identify
from lvstui.shell.ask import Usage
from lvstui.shell.config.words import NAMED


def _target(args: argparse.Namespace, file: Configuration) -> NamedBlock:
    named = [
        OfNamed(keyword, getattr(args, name))
        for name, keyword in NAMED.items()
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
    args: argparse.Namespace, file: Configuration, disabled: bool | None = None
) -> list[tuple[ServiceKey, ServerKey]]:
    """A real server in one service, or in each that has it. With `disabled`, of several only
    where it is so now: it may be off in one service and in use in another."""
    text = args.name
    if args.service:
        service = _service(args.service, file)
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


def _disable(args: argparse.Namespace, file: Configuration) -> list[Intent]:
    who, now = str(identify()), datetime.now(timezone.utc)
    return [
        intent.Disable(*pair, who, now, args.reason, args.last)
        for pair in _everywhere(args, file, False)
    ]


def _add_server(args: argparse.Namespace, file: Configuration) -> list[Intent]:
    service = _service(args.service, file)
    try:
        address, port = split_port(args.address)
    except ValueError as error:
        raise Usage(str(error)) from None
    checks = () if args.no_check else None
    weight = service.usual_weight if args.weight is None else args.weight
    new = NewServer(address, port, args.as_name, weight, checks)
    return [intent.AddServer(service.key, new)]


def _vip(args: argparse.Namespace, file: Configuration) -> list[Intent]:
    if args.instance not in {instance.name for instance in file.instances}:
        known = ", ".join(instance.name for instance in file.instances) or "none"
        raise Usage(f"no instance {plain(args.instance)!r}; there are: {known}")
    if args.adding:
        return [intent.AddVip(args.instance, tuple(args.vip.split()), excluded=args.excluded)]
    return [intent.RemoveVip(args.instance, args.vip)]


WANTED: dict[str, Callable[[argparse.Namespace, Configuration], list[Intent]]] = {
    "set": lambda a, file: [intent.SetValue(_target(a, file), a.keyword, tuple(a.words))],
    "unset": lambda a, file: [intent.RemoveValue(_target(a, file), a.keyword)],
    "weight": lambda a, file: [
        intent.SetWeight(*pair, a.value, a.last) for pair in _everywhere(a, file)
    ],
    "disable": _disable,
    "enable": lambda a, file: [intent.Enable(*pair) for pair in _everywhere(a, file, True)],
    "add-server": _add_server,
    "remove-server": lambda a, file: [intent.RemoveServer(*pair) for pair in _everywhere(a, file)],
    "remove-service": lambda a, file: [intent.RemoveService(_service(a.service, file).key)],
    "add-vip": _vip,
    "remove-vip": _vip,
}
"""By word; those that are not here are no single edit of a file."""
