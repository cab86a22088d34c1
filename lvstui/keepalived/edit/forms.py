"""The forms: which fields a new service, real server, check, instance or script has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from lvstui.keepalived.edit.fields import Field, Kind, time_field
from lvstui.keepalived.edit.forms_vrrp import INSTANCE, SCRIPT
from lvstui.keepalived.meaning.virtual_servers import (
    DEFAULT_PERSISTENCE,
    MAX_PERSISTENCE,
    MAX_WEIGHT,
    SCHEDULERS,
)
from lvstui.keepalived.text.values import MAX_PORT, MAX_UNSIGNED, NAME_LIMIT

_OLD_WEIGHT = ("2.1.0", 65535.0)
_ADDRESS = Field("address", "Address", "IPv4 or IPv6, as it is", Kind.ADDRESS, required=True)
_PORT = Field("port", "Port", "0 or empty: every port", Kind.PORT, "", 0, MAX_PORT)
_COMMENT = Field("name", "Name", "stands beside it as a comment", Kind.TEXT, high=NAME_LIMIT)

_DELAY = time_field("delay_loop", "Check every", "seconds from one check to the next", "60")
_CONNECT = time_field("connect_timeout", "Timeout", "seconds until a connect has failed", "5")
_BETWEEN = time_field("delay_before_retry", "Retry after", "seconds until it runs again", "1")
_WARMUP = replace(
    time_field("warmup", "Warm-up", "checks begin within this time, at random", "delay_loop"), low=0
)
_RETRY = Field(
    "retry", "Retries", "failures in a row that are forgiven", Kind.INTEGER, "1", 1, MAX_UNSIGNED
)
_ALPHA = Field("alpha", "Starts as down", "no traffic before its first check", Kind.FLAG, "no")

SERVICE: tuple[Field, ...] = (
    replace(_ADDRESS, help="the VIP; empty for a firewall mark or group", required=False),
    _PORT,
    Field("fwmark", "Firewall mark", "instead of an address", Kind.INTEGER, "", 1, MAX_UNSIGNED),
    Field("group", "Group", "a virtual_server_group instead of an address", Kind.NAME),
    _COMMENT,
    Field(
        "protocol",
        "Protocol",
        "keepalived takes UDP when it is missing",
        Kind.CHOICE,
        "UDP",
        choices=("TCP", "UDP", "SCTP"),
    ),
    Field(
        "lb_algo",
        "Scheduler",
        "how a server is picked",
        Kind.CHOICE,
        "wlc",
        choices=tuple(sorted(name.decode() for name in SCHEDULERS)),
    ),
    Field(
        "lb_kind",
        "Forwarding",
        "keepalived takes NAT when it is missing",
        Kind.CHOICE,
        "NAT",
        choices=("DR", "NAT", "TUN"),
    ),
    Field(
        "persistence_timeout",
        "Persistence",
        "seconds that a client stays with its server",
        Kind.INTEGER,
        f"off; without a port {DEFAULT_PERSISTENCE}",
        1,
        MAX_PERSISTENCE,
    ),
    Field(
        "quorum",
        "Quorum",
        "sum of the weights alive below which the sorry server steps in",
        Kind.INTEGER,
        "1",
        1,
        MAX_UNSIGNED,
    ),
    Field(
        "hysteresis", "Hysteresis", "over and under the quorum", Kind.INTEGER, "0", 0, MAX_UNSIGNED
    ),
    _DELAY,
    _CONNECT,
    _RETRY,
    replace(_BETWEEN, default="1; HTTP_GET and SSL_GET 3"),
    _WARMUP,
    _ALPHA,
    Field("omega", "Notify at the end", "run the down scripts at shutdown", Kind.FLAG, "no"),
    Field("ops", "One packet", "each UDP packet is scheduled alone", Kind.FLAG, "no"),
    Field("ha_suspend", "Suspend", "no checks while the VIP is elsewhere", Kind.FLAG, "no"),
    Field(
        "inhibit_on_failure", "Keep failed", "a failed server stays at weight 0", Kind.FLAG, "no"
    ),
    Field(
        "weight",
        "Weight",
        "of servers that give none",
        Kind.INTEGER,
        "1",
        1,
        MAX_WEIGHT,
        since="1.3.7",
        high_before=_OLD_WEIGHT,
    ),
    Field("quorum_up", "Quorum up", "runs when it is reached", Kind.SCRIPT),
    Field("quorum_down", "Quorum down", "runs when it is lost", Kind.SCRIPT),
    Field("virtualhost", "Host header", "for HTTP_GET and SSL_GET", Kind.NAME),
)
"""A virtual_server."""

SERVER: tuple[Field, ...] = (
    _ADDRESS,
    replace(_PORT, help="empty: that of the service", default="the service's"),
    _COMMENT,
    Field(
        "weight",
        "Weight",
        "its share; 0: no new connections",
        Kind.INTEGER,
        "1",
        0,
        MAX_WEIGHT,
        high_before=_OLD_WEIGHT,
    ),
    Field("inhibit_on_failure", "Keep failed", "stays at weight 0 when it fails", Kind.FLAG, "no"),
    Field(
        "lvs_method",
        "Forwarding",
        "another one than the service's",
        Kind.CHOICE,
        "the service's",
        choices=("DR", "NAT", "TUN"),
        since="1.3.6",
    ),
    Field("uthreshold", "Upper limit", "connections; 0: none", Kind.INTEGER, "0", 0, MAX_UNSIGNED),
    Field("lthreshold", "Lower limit", "connections; 0: none", Kind.INTEGER, "0", 0, MAX_UNSIGNED),
    replace(_DELAY, default="the service's", since="1.3.7"),
    replace(_CONNECT, default="the service's", since="2.0.13"),
    replace(_RETRY, default="the service's", since="1.3.7"),
    replace(_BETWEEN, default="the service's", since="1.3.7"),
    replace(_WARMUP, default="the service's", since="1.3.7"),
    replace(_ALPHA, default="the service's"),
    Field("notify_up", "When up", "runs when it comes back", Kind.SCRIPT),
    Field("notify_down", "When down", "runs when it fails", Kind.SCRIPT),
    Field("virtualhost", "Host header", "for HTTP_GET and SSL_GET", Kind.NAME),
)
"""A real_server."""

SORRY: tuple[Field, ...] = (
    _ADDRESS,
    replace(_PORT, help="empty: that of the service", default="the service's"),
    Field("sorry_server_inhibit", "Inhibit", "failed servers stay at weight 0", Kind.FLAG, "no"),
    Field(
        "sorry_server_lvs_method",
        "Forwarding",
        "another one than the service's",
        Kind.CHOICE,
        "the service's",
        choices=("DR", "NAT", "TUN"),
    ),
)
"""The server that answers when the quorum is lost."""

_TIMING = (
    _DELAY,
    replace(_RETRY, low=0),
    _BETWEEN,
    _WARMUP,
    replace(_ALPHA, default="the server's"),
)
_NETWORK = (
    Field("connect_ip", "Address", "instead of the server's own", Kind.ADDRESS, "the server's"),
    Field("connect_port", "Port", "instead of its own", Kind.PORT, "the server's", 1, MAX_PORT),
    Field("bindto", "From address", "source of the check", Kind.ADDRESS),
    Field("bind_port", "From port", "source of the check", Kind.PORT, "", 1, MAX_PORT),
    Field("bind_if", "Interface", "for link-local addresses", Kind.NAME, high=15),
    Field("fwmark", "Mark", "on packets of the check", Kind.INTEGER, "", 0, MAX_UNSIGNED),
    _CONNECT,
    *_TIMING,
)


def _retries(fields: Sequence[Field], retry: str, between: str = "1") -> tuple[Field, ...]:
    changed = {"retry": retry, "delay_before_retry": between}
    return tuple(
        replace(field, default=changed.get(field.keyword, field.default)) for field in fields
    )


_HTTP = (
    Field("path", "Path", "what is asked for: /health", Kind.TEXT, required=True, block="url"),
    Field("status_code", "Status", "a code, or 200-299", Kind.NAME, "200-299", block="url"),
    Field("digest", "Digest", "MD5 of the answer (genhash)", Kind.NAME, block="url", high=32),
    Field("virtualhost", "Host header", "of the request", Kind.NAME),
    Field(
        "http_protocol",
        "HTTP",
        "version of the request",
        Kind.CHOICE,
        "1.0",
        choices=("1.0", "1.0C", "1.1"),
    ),
    *_retries(_NETWORK, "1", "3"),
)

CHECKS: Mapping[str, tuple[Field, ...]] = {
    "TCP_CHECK": _NETWORK,
    "HTTP_GET": _HTTP,
    "SSL_GET": (
        *_HTTP,
        Field("enable_sni", "SNI", "name the host in the handshake", Kind.FLAG, "no"),
    ),
    "SMTP_CHECK": (
        Field("helo_name", "HELO", "how we call ourselves", Kind.NAME, "this host"),
        *_NETWORK,
    ),
    "DNS_CHECK": (
        Field("name", "Name", "what is asked for", Kind.NAME, "."),
        Field(
            "type",
            "Record",
            "of that name",
            Kind.CHOICE,
            "SOA",
            choices=("A", "NS", "CNAME", "SOA", "MX", "TXT", "AAAA", "RRSIG", "DNSKEY"),
        ),
        *_retries(_NETWORK, "3", "delay_loop"),
    ),
    "MISC_CHECK": (
        Field("misc_path", "Command", "exit 0: up", Kind.SCRIPT, required=True),
        Field(
            "misc_timeout",
            "Timeout",
            "seconds until it is killed",
            Kind.INTEGER,
            "delay_loop",
            0,
            MAX_UNSIGNED // 1_000_000,
        ),
        Field("misc_dynamic", "Sets weight", "exit 2-255: weight is that less 2", Kind.FLAG, "no"),
        Field("user", "As user", "who runs it", Kind.NAME, "keepalived_script, else root"),
        *_retries(_TIMING, "0"),
    ),
    "PING_CHECK": tuple(replace(field, since="2.0.20") for field in _NETWORK),
    "UDP_CHECK": tuple(
        replace(field, since="2.0.20")
        for field in (
            Field("payload", "Payload", "hexadecimal bytes to send", Kind.TEXT),
            Field("require_reply", "Needs a reply", "silence is a failure", Kind.FLAG, "no"),
            Field("min_reply_length", "Shortest reply", "bytes", Kind.INTEGER, "0", 0, 65535),
            Field("max_reply_length", "Longest reply", "bytes", Kind.INTEGER, "255", 0, 65535),
            *_NETWORK,
        )
    ),
    "FILE_CHECK": (
        Field(
            "track_file",
            "File",
            "name of a track_file block",
            Kind.NAME,
            required=True,
            since="2.1.0",
        ),
        Field(
            "weight",
            "Factor",
            "the file's number times this",
            Kind.INTEGER,
            "1",
            -MAX_WEIGHT,
            MAX_WEIGHT,
            since="2.1.0",
        ),
    ),
    "BFD_CHECK": (
        Field(
            "name",
            "BFD instance",
            "name of a bfd_instance block",
            Kind.NAME,
            required=True,
            since="2.0.0",
        ),
        replace(_ALPHA, since="2.0.0"),
    ),
}
"""Each kind of check."""

BLOCKS: Mapping[str, tuple[Field, ...]] = {
    "virtual_server": SERVICE,
    "real_server": SERVER,
    "vrrp_instance": INSTANCE,
    "vrrp_script": SCRIPT,
    **CHECKS,
}
"""The fields of each block by its keyword."""
