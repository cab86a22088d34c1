"""What the reader of the configuration could not understand, judged."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lvstui.keepalived.keywords import walk
from lvstui.keepalived.lint.context import LintContext
from lvstui.model.finding import Finding, FindingSeverity

_REQUIRED = frozenset(keyword.name for keyword in walk() if keyword.needs_value)

_L, _E, _W, _N = (
    FindingSeverity.LETHAL,
    FindingSeverity.ERROR,
    FindingSeverity.WARNING,
    FindingSeverity.NOTE,
)

_SAID_BETTER = re.compile(
    r"longer than \d+ bytes|a double quote is not closed|virtual_router_id is missing"
    r"|vrrp_instance: its name is missing|virtual_server: (its address|the group or mark) is"
    r"|(virtual_server_group|vrrp_script|vrrp_track_process|track_file|bfd_instance): its name"
    r"|track_(file|process|bfd): no such"
    r"|state MASTER without a priority|strict mode knows no auth|vrrp_script without script"
    r"|.*crashes on it|quorum \d+ is over the total weight"
    r"|hysteresis is not below the quorum: set to 4294967295|a range of \d+ addresses"
)
"""Other rules say these with more knowledge."""

_JUDGED: tuple[tuple[str, str, FindingSeverity, str], ...] = (
    ("a definition uses itself", "definition-loops", _L, "keepalived would hang while reading it"),
    ("a substitution makes", "line-too-long", _E, "shorten the values that it uses"),
    (r"\$\{_(RANDOM|ENV)\}", "value-at-start", _N, ""),
    (r"~(SEQ|LST)", "repetition-wrong", _E, "see SEQUENCES in keepalived.conf(5)"),
    ("repetitions give over", "not-read-to-the-end", _N, ""),
    ("a NUL byte", "nul-byte", _E, "take it out"),
    (r"include .*: no such file$", "include-matches-nothing", _W, "check the path"),
    ("include ", "include-not-read", _E, "a regular file, readable, without execute bit"),
    ("keepalived could not read what is included", "include-not-read", _E, ""),
    (r"'\{' is missing", "brace-missing", _E, "put { behind the keyword"),
    (r"'\{' opens no block", "brace-stray", _E, "is the keyword before it known, and in place?"),
    (r"'\}' closes nothing", "brace-stray", _E, "one } too many, or a { too few above it"),
    ("the configuration ends within", "brace-missing", _E, "close the block"),
    ("unknown keyword", "keyword-unknown", _E, "check its spelling and the block it stands in"),
    ("a number from", "number-out-of-range", _E, ""),
    (".*: a number from", "number-out-of-range", _E, ""),
    (".*: a time in seconds", "number-out-of-range", _E, "a number above 0"),
    (".*: true or false", "flag-wrong", _E, ""),
    ("virtual server has no real servers", "service-without-servers", _E, "add a real_server"),
    (
        "virtual_server: no valid address",
        "service-address-invalid",
        _E,
        "virtual_server ADDRESS PORT: no names, no ADDRESS:PORT",
    ),
    (
        "real_server: no valid address",
        "server-address-invalid",
        _E,
        "real_server ADDRESS PORT: no names, no ADDRESS:PORT",
    ),
    ("unknown scheduler", "scheduler-unknown", _E, "rr, wrr, lc, wlc, sh, mh …, in small letters"),
    ("unknown protocol", "protocol-unknown", _E, "TCP, UDP or SCTP"),
    ("unknown forwarding method", "forwarding-unknown", _E, "DR, TUN or NAT, in capitals"),
    ("ip_family unknown", "family-mismatch", _W, ""),
    ("sorry_server: no valid", "sorry-server-invalid", _E, "sorry_server ADDRESS PORT"),
    (r"sorry_server_?\w* stands before", "sorry-server-order", _E, "put it behind sorry_server"),
    ("sorry_server of another", "family-mismatch", _E, "one family in one service"),
    ("real_server of another", "families-mixed", _E, "one family in one service, except with TUN"),
    (
        "virtual server of an undefined group",
        "group-undefined",
        _E,
        "define the virtual_server_group, or mend the name",
    ),
    ("no forwarding method set", "forwarding-defaults-to-nat", _E, "lb_kind DR"),
    ("no protocol set", "protocol-defaults-to-udp", _W, "protocol TCP"),
    ("no scheduler set", "scheduler-defaults", _N, "lb_algo wlc"),
    ("ops needs UDP", "ops-needs-udp", _W, "take ops out"),
    ("a protocol means nothing", "protocol-with-mark", _N, "take protocol out"),
    ("hysteresis is not below", "hysteresis-over-quorum", _W, "hysteresis below the quorum"),
    ("no port: keepalived sets", "persistence-by-default", _N, "set persistence_timeout"),
    ("real server is there already", "server-twice", _W, "take one out"),
    (
        ".*its port is not the service's",
        "port-mapping-in-dr",
        _E,
        "let the server listen on the service's port: only NAT can change it",
    ),
    (".*a port means nothing with a mark", "port-with-mark", _N, "take the port out"),
    ("MISC_CHECK: no misc_path", "check-dropped", _E, "misc_path PROGRAM"),
    ("connect_ip: no address", "check-target-invalid", _E, ""),
    ("vrrp_sync_group: its name", "sync-group-invalid", _E, "vrrp_sync_group NAME {"),
    ("the sync group names", "sync-group-member-unknown", _E, "check the name"),
    ("vrrp_instance of that name exists", "instance-twice", _E, "give it a name of its own"),
    (r"track_script: no such", "track-script-unknown", _E, "define the vrrp_script, or mend it"),
    (r"\w+ without \w+; keepalived removes it", "tracked-empty", _E, "say what is tracked"),
    (r"\w+ of that name exists", "defined-twice", _E, "give it a name of its own"),
    ("strict mode: the state has to fit", "strict-state", _N, "state BACKUP"),
    ("ha_suspend means nothing", "ha-suspend-with-mark", _N, "take it out"),
    ("VRRP 2 knows whole seconds", "interval-rounded", _W, "version 3 knows fractions"),
    ("state MASTER does not go with AH", "ah-starts-as-backup", _N, "state BACKUP"),
    (
        "nopreempt needs state BACKUP",
        "nopreempt-with-master",
        _W,
        "state BACKUP on both directors: nopreempt has no effect with MASTER",
    ),
    ("unknown state", "state-unknown", _E, "MASTER or BACKUP"),
    ("state was MASTER before", "state-twice", _W, "keep one of them"),
    (".*: no address; keepalived skips", "address-invalid", _E, "ADDRESS/PREFIX, one a line"),
    (
        "address of the other family",
        "families-mixed",
        _E,
        "put it into virtual_ipaddress_excluded, or into an instance of its own",
    ),
    (
        "auth_pass: keepalived uses",
        "password-too-long",
        _W,
        "eight bytes are all that an advert has room for",
    ),
    ("virtual_server_group has no entries", "group-empty", _E, "ADDRESS PORT, one a line"),
    ("fwmark: inet or inet6", "group-entry-invalid", _E, ""),
    ("no address, range or port", "group-entry-invalid", _E, ""),
)

_PATTERNS = tuple((re.compile(text), rule, severity, fix) for text, rule, severity, fix in _JUDGED)


def problems(context: LintContext) -> Iterator[Finding]:
    """Each problem of the configuration with its weight. Their texts hold no values."""
    for place, text in context.configuration.problems:
        if _SAID_BETTER.match(text):
            continue
        if "its value is missing" in text:
            keyword = text.partition(":")[0]
            if keyword not in _REQUIRED:
                yield Finding("value-empty", _E, f"{keyword} has no value: ignored", place)
            continue
        for pattern, rule, severity, fix in _PATTERNS:
            if pattern.match(text):
                yield Finding(rule, severity, text, place, fix=fix)
                break
        else:
            yield Finding("not-understood", _W, text, place)
