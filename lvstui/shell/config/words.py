"""The words of change of `lvstui config`: their help and their arguments."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial

from lvstui.shell.arguments import flag, option

NAMED = {"instance": "vrrp_instance", "script": "vrrp_script", "group": "vrrp_sync_group"}
"""Option, and the keyword of the blocks that it names."""


def _keyword_arguments(sub: argparse.ArgumentParser) -> None:
    flag(sub, "--globals", help="in global_defs")
    for name, keyword in NAMED.items():
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


COMMANDS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "apply": ("put a file in force as keepalived's main file", _apply_arguments),
    "set": ("give a keyword of a block its value", _set_arguments),
    "unset": ("take a keyword out of a block", _keyword_arguments),
    "weight": ("set the weight of a real server in the file", _weight_arguments),
    "disable": ("switch a real server off, lasting, signed in the file", _server_arguments),
    "enable": ("give a disabled real server back what it had", _server_arguments),
    "add-server": ("add a real server to a service", _add_arguments),
    "remove-server": ("remove a real server", _server_arguments),
    "remove-service": ("remove a virtual server", _service_arguments),
    "add-vip": ("add a virtual address to an instance", partial(_vip_arguments, adding=True)),
    "remove-vip": ("remove a virtual address", _vip_arguments),
    "rollback": ("put back what a past change replaced", _rollback_arguments),
}
"""By name: help, and arguments."""
