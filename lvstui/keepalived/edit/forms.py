"""The forms: which fields a new service, real server, check, instance or script has.

What a field is called, takes and means is in the table of keywords; here stand their order, the
parts of a header, which are no keywords, and what is wrong with a value. Ranges and defaults are
those of keepalived 2.2.7 to 2.4.3 (check_parser.c, vrrp_parser.c, keepalived.conf(5)).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum

from lvstui.keepalived.keywords import CHECKERS, ROOT, Keyword, Keywords, ValueKind, version_of
from lvstui.keepalived.text.values import MAX_PORT, MAX_UNSIGNED, NAME_LIMIT
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


_KINDS = {
    ValueKind.FLAG: FieldKind.FLAG,
    ValueKind.BOOL: FieldKind.FLAG,
    ValueKind.NUMBER: FieldKind.INTEGER,
    ValueKind.SECONDS: FieldKind.SECONDS,
    ValueKind.PORT: FieldKind.PORT,
    ValueKind.ADDRESS: FieldKind.ADDRESS,
    ValueKind.CHOICE: FieldKind.CHOICE,
    ValueKind.COMMAND: FieldKind.SCRIPT,
    ValueKind.NOTIFY: FieldKind.SCRIPT,
    ValueKind.URL: FieldKind.TEXT,
    ValueKind.SECRET: FieldKind.SECRET,
    ValueKind.ENTRIES: FieldKind.NETWORK,
}
"""How a form asks for what the table expects; a name for all others."""


def _field(keyword: Keyword, block: str = "") -> Field:
    kind = _KINDS.get(keyword.kind, FieldKind.NAME)
    if keyword.entries is not None:
        block = keyword.name
        kind = FieldKind.NETWORK if keyword.entries is ValueKind.NETWORK else FieldKind.ADDRESS
    return Field(
        keyword.name,
        keyword.label,
        keyword.help,
        kind,
        keyword.default,
        keyword.low,
        keyword.high,
        keyword.choices,
        block=block,
        since=keyword.since,
        whole_before=keyword.whole_before,
        high_before=keyword.high_before,
    )


def _fields(table: Keywords, names: str, required: str = "") -> tuple[Field, ...]:
    """Fields for these keywords; `url.path` is one of the block `url`."""
    found = []
    for name in names.split():
        block, _, word = name.rpartition(".")
        inner = (table[block.encode()].inner or {}) if block else table
        field = _field(inner[word.encode()], block)
        found.append(replace(field, required=word in required.split()))
    return tuple(found)


def _table(*names: str) -> Keywords:
    table = ROOT
    for name in names:
        table = table[name.encode()].inner or {}
    return table


_ADDRESS = Field("address", "Address", "IPv4 or IPv6, as it is", FieldKind.ADDRESS, required=True)
_PORT = Field("port", "Port", "0 or empty: every port", FieldKind.PORT, "", 0, MAX_PORT)
_THEIR_PORT = replace(_PORT, help="empty: that of the service", default="the service's")
_COMMENT = Field("name", "Name", "stands beside it as a comment", FieldKind.TEXT, high=NAME_LIMIT)
_VIRTUAL, _REAL = _table("virtual_server"), _table("virtual_server", "real_server")

SERVICE: tuple[Field, ...] = (
    replace(_ADDRESS, help="the VIP; empty for a firewall mark or group", required=False),
    _PORT,
    Field(
        "fwmark", "Firewall mark", "instead of an address", FieldKind.INTEGER, "", 1, MAX_UNSIGNED
    ),
    Field("group", "Group", "a virtual_server_group instead of an address", FieldKind.NAME),
    _COMMENT,
    *_fields(
        _VIRTUAL,
        "protocol lb_algo lb_kind persistence_timeout quorum hysteresis delay_loop "
        "connect_timeout retry delay_before_retry warmup alpha omega ops ha_suspend "
        "inhibit_on_failure weight quorum_up quorum_down virtualhost",
    ),
)
"""A virtual_server."""

SERVER: tuple[Field, ...] = (
    _ADDRESS,
    _THEIR_PORT,
    _COMMENT,
    *_fields(
        _REAL,
        "weight inhibit_on_failure lvs_method uthreshold lthreshold delay_loop connect_timeout "
        "retry delay_before_retry warmup alpha notify_up notify_down virtualhost",
    ),
)
"""A real_server."""

SORRY: tuple[Field, ...] = (
    _ADDRESS,
    _THEIR_PORT,
    *_fields(_VIRTUAL, "sorry_server_inhibit sorry_server_lvs_method"),
)
"""The server that answers when the quorum is lost."""

_TIMING = "delay_loop retry delay_before_retry warmup alpha"
_CONNECT = f"connect_ip connect_port bindto bind_port bind_if fwmark connect_timeout {_TIMING}"
_HTTP = f"url.path url.status_code url.digest virtualhost http_protocol {_CONNECT}"
_OWN = {
    "TCP_CHECK": _CONNECT,
    "HTTP_GET": _HTTP,
    "SSL_GET": f"{_HTTP} enable_sni",
    "SMTP_CHECK": f"helo_name {_CONNECT}",
    "DNS_CHECK": f"name type {_CONNECT}",
    "MISC_CHECK": f"misc_path misc_timeout misc_dynamic user {_TIMING}",
    "PING_CHECK": _CONNECT,
    "UDP_CHECK": f"payload require_reply min_reply_length max_reply_length {_CONNECT}",
    "FILE_CHECK": "track_file weight",
    "BFD_CHECK": "name alpha",
}
_REQUIRED = {
    "HTTP_GET": "path",
    "SSL_GET": "path",
    "MISC_CHECK": "misc_path",
    "FILE_CHECK": "track_file",
    "BFD_CHECK": "name",
}
_DEFAULTS: Mapping[str, Mapping[str, str]] = {
    "HTTP_GET": {"delay_before_retry": "3"},
    "SSL_GET": {"delay_before_retry": "3"},
    "DNS_CHECK": {"retry": "3", "delay_before_retry": "delay_loop"},
    "MISC_CHECK": {"retry": "0"},
}
"""Of words that several checks share, where one check has a default of its own."""


def _check(kind: str) -> tuple[Field, ...]:
    own, keyword = _DEFAULTS.get(kind, {}), CHECKERS[kind.encode()]
    return tuple(
        replace(
            field,
            default=own.get(field.keyword, field.default),
            since=field.since or keyword.since,
            kind=_ASKED.get((kind, field.keyword), field.kind),
        )
        for field in _fields(keyword.inner or {}, _OWN[kind], _REQUIRED.get(kind, ""))
    )


_ASKED = {("UDP_CHECK", "payload"): FieldKind.TEXT, ("UDP_CHECK", "require_reply"): FieldKind.FLAG}
"""What a form asks for in a simpler way than keepalived takes it."""

CHECKS: Mapping[str, tuple[Field, ...]] = {kind: _check(kind) for kind in _OWN}
"""Each kind of check."""

INSTANCE: tuple[Field, ...] = (
    Field("name", "Name", "of the vrrp_instance", FieldKind.NAME, required=True),
    *_fields(
        _table("vrrp_instance"),
        "state interface virtual_router_id priority advert_int version nopreempt preempt_delay "
        "virtual_ipaddress authentication.auth_type authentication.auth_pass unicast_src_ip "
        "unicast_peer",
        "interface virtual_router_id virtual_ipaddress",
    ),
)
"""A vrrp_instance."""

SCRIPT: tuple[Field, ...] = (
    Field("name", "Name", "of the vrrp_script", FieldKind.NAME, required=True),
    *_fields(
        _table("vrrp_script"), "script interval timeout weight rise fall user init_fail", "script"
    ),
)
"""A vrrp_script."""

BLOCKS: Mapping[str, tuple[Field, ...]] = {
    "virtual_server": SERVICE,
    "real_server": SERVER,
    "vrrp_instance": INSTANCE,
    "vrrp_script": SCRIPT,
    **CHECKS,
}
"""The fields of each block by its keyword."""
