"""The forms: which fields a new service, real server, check, instance or script has.

What a field is called, takes and means is in the table of keywords; here stand their order, and
the parts of a header, which are no keywords.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from lvstui.keepalived.edit.fields import Field, FieldKind
from lvstui.keepalived.keywords import CHECKERS, ROOT, Keyword, Keywords, ValueKind
from lvstui.keepalived.text.values import MAX_PORT, MAX_UNSIGNED, NAME_LIMIT

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
