"""Arguments that several commands have, and short ways to declare one."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

JSON_OF_CONFIG = "one JSON document (lvstui.config/1)"
SCHEMA_HELP = "print what each JSON field means"


def flag(parser: argparse.ArgumentParser, *names: str, help: str) -> None:
    """An option that is there or not."""
    parser.add_argument(*names, action="store_true", help=help)


def option(parser: argparse.ArgumentParser, *names: str, metavar: str, help: str) -> None:
    """An option with a value; the first name is where it goes, empty without it."""
    parser.add_argument(
        *names, dest=names[0].strip("-").replace("-", "_"), default="", metavar=metavar, help=help
    )


def login_options(parser: argparse.ArgumentParser) -> None:
    """The way to another host."""
    option(parser, "--jump", metavar="HOST", help="through this host, as ssh -J")
    option(parser, "--identity", metavar="FILE", help="with this key, as ssh -i")


def _interval(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.1 <= value <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r}: expected seconds from 0.1 to 3600")
    return value


def look_options(parser: argparse.ArgumentParser) -> None:
    """How this host is looked at."""
    what = "keepalived's main file, when it is not where the daemon says"
    option(parser, "--config", metavar="FILE", help=what)
    often = "how often to look (default 1)"
    parser.add_argument("--interval", metavar="SECONDS", type=_interval, default=1.0, help=often)


def timer_option(parser: argparse.ArgumentParser, help: str) -> None:
    """How long a change waits to be kept."""
    parser.add_argument("--timer", type=int, default=60, metavar="SECONDS", help=help)


def print_meanings(meanings: Mapping[str, str]) -> None:
    """Every field of a JSON form, and what it means."""
    width = max(map(len, meanings))
    for name, meaning in meanings.items():
        print(f"{name:<{width}}  {meaning}")
