"""The command line taken apart: every command there is, with arguments that it takes."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

from lvstui.cli import build_parser

SAMPLES = {
    "vips": "10.10.0.20",
    "server": "rs1",
    "weight": "1",
    "hosts": "rs1",
    "before": "",
    "after": "",
    "number": "",
    "id": "",
    "node_name": "lb1",
    "fault_name": "",
    "words": "",
    "lab": "",
    "source": "/dev/null",
    "address": "10.10.0.99",
    "vip": "10.10.0.77/24",
    "keyword": "weight",
    "values": "1",
    "value": "1",
    "service": "tcp 10.10.0.20:80",
    "instance": "LB_1",
    "name": "x",
    "check": "",
    "router": "LB_1",
}
"""For a positional or a required argument, by its name; empty: left out."""

OPTIONS = {
    **SAMPLES,
    "config": "",
    "interval": "0.5",
    "sample": "0.5",
    "seconds": "2",
    "peer": "lb2",
    "file": "",
    "reason": "why",
    "timer": "60",
    "user": "root",
    "jump": "",
    "identity": "",
    "parallel": "2",
    "transcript": "/root/transcript",
    "method": "unit",
    "peer_file": "",
    "peer_id": "peer",
    "keepalived": "2.2.7",
    "output": "/root/first",
    "command": "true",
    "node": "lb1",
    "topology": "",
    "memory": "256",
    "replay": "",
    "vrid": "9",
    "interface": "eth0,eth0",
    "directors": "lb1,lb2",
    "unicast": "",
    "port": "80",
    "scheduler": "wlc",
    "persistence": "60",
    "path": "/",
    "servers": "10.10.0.3=rs1",
    "priority": "100",
    "script": "",
    "group": "",
    "as_name": "rs9",
}
"""For an option with a value, by its name; empty: not tried."""


@dataclass(frozen=True)
class Leaf:
    """One command."""

    name: tuple[str, ...]
    words: list[str]
    """With what it cannot do without."""
    parser: argparse.ArgumentParser


def leaves() -> Iterator[Leaf]:
    """Every command that can be run, the console (no words) first."""
    yield from _below(build_parser(), ())


def _below(parser: argparse.ArgumentParser, name: tuple[str, ...]) -> Iterator[Leaf]:
    inner = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    if not any(action.required for action in inner):
        yield Leaf(name, [*name, *_arguments(parser)], parser)
    for action in inner:
        for word, sub in action.choices.items():
            yield from _below(sub, (*name, word))


def _arguments(parser: argparse.ArgumentParser) -> list[str]:
    words: list[str] = []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            continue
        if action.option_strings and not action.required:
            continue
        sample = SAMPLES[action.dest]
        words += (
            [action.option_strings[-1], sample]
            if action.option_strings
            else [sample] * bool(sample)
        )
    return words


def optional_words(parser: argparse.ArgumentParser) -> Iterator[list[str]]:
    """Each option of a command, with a value if it wants one; not those that only print."""
    for action in parser._actions:
        if not action.option_strings or action.required or action.dest in ("help", "version"):
            continue
        if action.nargs == 0:
            yield [action.option_strings[-1]]
            continue
        sample = str(list(action.choices)[-1]) if action.choices else OPTIONS[action.dest]
        if sample:
            yield [action.option_strings[-1], sample]
