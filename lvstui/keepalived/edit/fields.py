"""What can be typed into a form about keepalived, and what is wrong with it.

Ranges and defaults are those of keepalived 2.2.7 to 2.4.3 (check_parser.c, vrrp_parser.c,
keepalived.conf(5)); what another version knows is said where it differs.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from enum import Enum

from lvstui.keepalived.keywords import version_of
from lvstui.model.keys import canonical_address


class FieldKind(str, Enum):
    """How a value is typed and shown."""

    ADDRESS = "address"
    NETWORK = "address with prefix"
    """`10.0.0.9/24`, and the options that may follow."""
    PORT = "port"
    INTEGER = "number"
    SECONDS = "seconds"
    CHOICE = "choice"
    FLAG = "flag"
    """A keyword without a value: `yes` writes it, nothing leaves it out."""
    SCRIPT = "command"
    """Path and arguments."""
    NAME = "name"
    """One word."""
    TEXT = "text"
    SECRET = "secret"
    """Never shown, never in a message."""


@dataclass(frozen=True, slots=True)
class Field:
    """One thing to be filled in."""

    keyword: str
    """As it is written; for a part of the header its name: `address`, `port`, `name`."""
    label: str
    help: str
    """One line."""
    kind: FieldKind
    default: str = ""
    """What counts when it is left empty; for people to read."""
    low: float = 0
    high: float | None = None
    choices: tuple[str, ...] = ()
    required: bool = False
    block: str = ""
    """The block within that it stands in: `url`, `authentication`."""
    since: str = ""
    """First version that knows it; empty: every one that lvstui meets."""
    whole_before: str = ""
    """Before this version only whole seconds were read."""
    high_before: tuple[str, float] | None = None
    """Before that version the highest value was another one."""

    @property
    def secret(self) -> bool:
        """Its value must never be seen."""
        return self.kind is FieldKind.SECRET

    def known(self, version: str = "") -> bool:
        """Whether keepalived `version` has it; yes when the version is not known."""
        return not version or not self.since or version_of(version) >= version_of(self.since)

    def check(self, text: str, version: str = "") -> str:
        """What is wrong with `text`; empty when nothing is. Never repeats it.

        `version` is that of the keepalived that will read it; empty: the newest is assumed.
        """
        text = text.strip(" ")
        if not text:
            return f"{self.label}: a value is needed" if self.required else ""
        if not self.known(version):
            return f"{self.keyword} came with keepalived {self.since}; this is {version}"
        problem = _unwritable(text)
        if not problem:
            problem = _CHECKS[self.kind](self, text, version)
        return f"{self.label}: {problem}" if problem else ""


def _unwritable(text: str) -> str:
    """Why keepalived could not read `text` back, whatever it means."""
    if '"' in text:
        return "a double quote can not be written in keepalived.conf"
    if not text.isprintable():
        return "control characters and line breaks can not be written"
    if text.endswith("\\"):
        return "a backslash at the end hides what follows"
    return ""


def _address(field: Field, text: str, version: str) -> str:
    try:
        found = canonical_address(text) if "[" not in text and "%" not in text else ""
    except ValueError:
        found = ""
    return "" if found else "an IPv4 or IPv6 address is needed, without port and brackets"


def _network(field: Field, text: str, version: str) -> str:
    first = text.split()[0]
    try:
        ipaddress.ip_interface(first)
    except ValueError:
        return "an address is needed, with its prefix: 10.0.0.9/24"
    return "" if "%" not in first else "an address without a zone is needed"


def _integer(field: Field, text: str, version: str) -> str:
    if not re.fullmatch(r"[+-]?\d{1,12}", text):
        return "a whole number is needed"
    return _range(field, int(text), version)


def _range(field: Field, value: float, version: str) -> str:
    high = field.high
    if version and field.high_before and version_of(version) < version_of(field.high_before[0]):
        high = field.high_before[1]
    if value < field.low or (high is not None and value > high):
        return (
            f"it goes from {field.low:g} to {high:.12g}"
            if high is not None
            else (f"it is at least {field.low:g}")
        )
    return ""


def _seconds(field: Field, text: str, version: str) -> str:
    if not re.fullmatch(r"\d{1,9}(\.\d{1,6})?|\.\d{1,6}", text):
        return "a time in seconds is needed"
    before = field.whole_before
    if "." in text and version and before and version_of(version) < version_of(before):
        return f"keepalived {version} reads whole seconds only"
    return _range(field, float(text), version)


def _choice(field: Field, text: str, version: str) -> str:
    return "" if text in field.choices else f"one of {', '.join(field.choices)} is needed"


def _flag(field: Field, text: str, version: str) -> str:
    return "" if text in ("yes", "no") else "yes or no is needed"


def _script(field: Field, text: str, version: str) -> str:
    if "\\" in text:
        return "keepalived takes a backslash in a command for an escape"
    return "" if text.count("'") % 2 == 0 else "a single quote is not closed"


def _name(field: Field, text: str, version: str) -> str:
    if len(text.split()) > 1 or re.search(r"[#!{}]", text):
        return "one word is needed, without # ! { }"
    if field.high is not None and len(text.encode()) > field.high:
        return f"it has up to {field.high:g} bytes"
    return ""


def _text(field: Field, text: str, version: str) -> str:
    if field.high is not None and len(text.encode()) > field.high:
        return f"it has up to {field.high:g} bytes"
    return ""


_CHECKS = {
    FieldKind.ADDRESS: _address,
    FieldKind.NETWORK: _network,
    FieldKind.PORT: _integer,
    FieldKind.INTEGER: _integer,
    FieldKind.SECONDS: _seconds,
    FieldKind.CHOICE: _choice,
    FieldKind.FLAG: _flag,
    FieldKind.SCRIPT: _script,
    FieldKind.NAME: _name,
    FieldKind.TEXT: _text,
    FieldKind.SECRET: _text,
}
