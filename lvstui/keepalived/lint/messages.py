"""keepalived's messages about its configuration and what each is worth (2.0.10 to 2.4.3).

Lethal is what was seen to end the daemon, or to empty it, at a SIGHUP. What it complains about
although nothing is wrong is a note.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lvstui.model.finding import FindingSeverity

_L, _E, _W, _N = (
    FindingSeverity.LETHAL,
    FindingSeverity.ERROR,
    FindingSeverity.WARNING,
    FindingSeverity.NOTE,
)


@dataclass(frozen=True, slots=True)
class MessageShape:
    """One kind of message."""

    pattern: re.Pattern[str]
    rule: str
    severity: FindingSeverity
    fix: str = ""


UNKNOWN = MessageShape(re.compile(""), "message", _W)

SHAPES: tuple[MessageShape, ...] = tuple(
    MessageShape(re.compile(pattern), rule, severity, fix)
    for pattern, rule, severity, fix in (
        # Ends the daemon
        (r"is missing a parameter", "missing-parameter", _L, "give the keyword its value"),
        (r"virtual router id must be set", "vrid-missing", _L, "virtual_router_id 1 to 255"),
        (r"Unknown interface!", "interface-missing", _L, "interface NAME"),
        (
            r"interface \S* ?(for|specified for) .*doesn't exist",
            "interface-unknown",
            _L,
            "mend the name, or bring the interface up first",
        ),
        (
            r"tracked interface \S+ doesn't exist",
            "interface-unknown",
            _L,
            "mend the name, or bring the interface up first",
        ),
        (
            r"Non-existent interface specified",
            "interface-unknown",
            _L,
            "mend the name, or bring the interface up first",
        ),
        (r"both use VRID|duplicate VRID conflict", "vrid-twice", _L, "another virtual_router_id"),
        (r"at least one is required", "vip-missing", _L, "virtual_ipaddress { ADDRESS/PREFIX }"),
        (
            r"Unicast peers are not supported in strict mode",
            "strict-with-unicast",
            _L,
            "take vrrp_strict out",
        ),
        (
            r"Unicast instances must have|Non link-local address required",
            "interface-missing",
            _L,
            "interface NAME",
        ),
        (r"cannot use VMAC if no interface", "interface-missing", _L, "interface NAME"),
        # Empties it
        (r"vrrp_instance must have a name", "instance-lost", _L, "exactly one name"),
        (r"Missing '\{' at beginning", "brace-missing", _E, "put { behind the keyword"),
        (
            r"Unable to open configuration file|Configuration file .* not found",
            "not-loaded",
            _L,
            "a regular file without execute bit",
        ),
        (
            r"Unknown keyword '\W*(vrrp_instance|virtual_server)'",
            "block-lost",
            _L,
            "look for a brace that is missing or one too many above it",
        ),
        # Harmless
        (r"Ignoring track_interface .* own interface", "own-interface", _N, ""),
        (r"has only 1 virtual router", "sync-group-of-one", _N, ""),
        (r"Initial state master is incompatible with AH", "ah-starts-as-backup", _N, ""),
        (r"no scheduler set", "scheduler-defaults", _N, "lb_algo wlc"),
        (r"no protocol set", "protocol-defaults-to-udp", _W, "protocol TCP"),
        (r"no forwarding method set", "forwarding-defaults-to-nat", _E, "lb_kind DR"),
        (r"protocol specified for fwmark", "protocol-with-mark", _N, "take protocol out"),
        (r"SECURITY VIOLATION", "script-security-off", _N, "enable_script_security"),
        (r"Truncating auth_pass", "password-too-long", _N, "at most 8 bytes"),
        (r"deprecated|Please use global", "deprecated", _N, ""),
        (r"first IPv6 VIP address should be link local", "link-local-first", _N, ""),
        (r"garp_interval is very large|gna_interval is very large", "garp-slow", _N, ""),
        (
            r"(track script|vrrp_script|script) \S+ (is )?(not used|unused)|not used, ignoring",
            "script-unused",
            _N,
            "",
        ),
        (
            r"zero port only valid for persistent",
            "persistence-by-default",
            _N,
            "set persistence_timeout",
        ),
        (r"cannot track route .* with no interface", "route-not-tracked", _N, ""),
        (r"Rule has no preference", "rule-without-preference", _N, "preference N"),
        # Surprises
        (r"at least one is sensible", "vip-missing", _W, "virtual_ipaddress { ADDRESS/PREFIX }"),
        (r"exceeds total weight", "quorum-over-weights", _W, "quorum up to the sum of weights"),
        (r"hysteresis .* >= quorum|hysteresis", "hysteresis", _W, ""),
        (r"real server .* is duplicated", "server-twice", _W, "take one out"),
        (r"nopreempt will not work", "nopreempt-with-master", _W, "state BACKUP"),
        (r"preempt_delay is incompatible", "preempt-delay-with-nopreempt", _W, ""),
        (r"does not support authentication", "authentication-ignored", _W, ""),
        (r"State MASTER must match", "strict-state", _W, "take vrrp_strict out"),
        (
            r"Config files missing|No config files matched",
            "include-matches-nothing",
            _W,
            "check the path of the include",
        ),
        (r"one packet scheduling requires UDP", "ops-needs-udp", _W, "take ops out"),
        (r"exceeds maximum/space available", "vips-too-many", _W, ""),
        (r"has port specified - (clearing|port will be ignored)", "port-with-mark", _N, ""),
        # Not what is written
        (
            r"Unterminated quote|Unmatched quote|missing terminating",
            "quote-not-closed",
            _E,
            "close the double quote",
        ),
        (r"Unknown keyword", "keyword-unknown", _E, "its spelling, and the block it stands in"),
        (r"missing '\}'s or extra '\{'s", "brace-missing", _E, "count the braces"),
        (r"Extra '\}'|Unexpected '\{'", "brace-stray", _E, "count the braces"),
        (r"no password given", "password-missing", _E, "auth_pass on a line of its own"),
        (r"unknown authentication type", "authentication-unknown", _E, "auth_type PASS"),
        (r"not a regular non-executable file", "include-not-read", _E, "chmod 644"),
        (
            r"ports don't match - resetting",
            "port-mapping-in-dr",
            _E,
            "the server has to listen on the service's port",
        ),
        (r"has no real servers", "service-without-servers", _E, "add a real_server"),
        (r"routing method", "forwarding-unknown", _E, "DR, TUN or NAT, in capitals"),
        (
            r"outside range|invalid number|negative number|outside .* range|decimal places",
            "number-out-of-range",
            _E,
            "",
        ),
        (r"line too long|Line too long", "line-too-long", _E, "split the line"),
        (
            r"[Uu]nknown|[Ii]nvalid|not found|doesn't exist|does not exist|must have",
            "invalid",
            _E,
            "",
        ),
        (
            r"[Ss]kipping|[Ii]gnoring|- ignored|[Rr]emoving|[Dd]isabling|malformed|already defined"
            r"|parameter specified|Unable to|character length|[Cc]annot use|don't match"
            r"|must match|used before|has no (urls|path|entries)|No script|missing",
            "ignored",
            _E,
            "",
        ),
        (r"[Rr]esetting|[Dd]efaulting|setting", "reset", _W, ""),
    )
)


def shape_of(text: str) -> MessageShape:
    """The kind of one message; `UNKNOWN` when no kind fits."""
    for shape in SHAPES:
        if shape.pattern.search(text):
            return shape
    return UNKNOWN
