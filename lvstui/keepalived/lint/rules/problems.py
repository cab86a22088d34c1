"""What the reader of the configuration could not understand, judged."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lvstui.keepalived.keywords import walk
from lvstui.keepalived.lint.context import LintContext, error, warning
from lvstui.keepalived.lint.own_test import shapes
from lvstui.model.finding import Finding

_REQUIRED = frozenset(keyword.name for keyword in walk() if keyword.needs_value)

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

_JUDGED = shapes(r"""
LETHAL definition-loops: a definition uses itself → keepalived would hang while reading it
ERROR line-too-long: a substitution makes → shorten the values that it uses
NOTE value-at-start: \$\{_(RANDOM|ENV)\}
ERROR repetition-wrong: ~(SEQ|LST) → see SEQUENCES in keepalived.conf(5)
NOTE not-read-to-the-end: repetitions give over
ERROR nul-byte: a NUL byte → take it out
WARNING include-matches-nothing: include .*: no such file$ → check the path
ERROR include-not-read: include .* → a regular file, readable, without execute bit
ERROR include-not-read: keepalived could not read what is included
ERROR brace-missing: '\{' is missing → put { behind the keyword
ERROR brace-stray: '\{' opens no block → is the keyword before it known, and in place?
ERROR brace-stray: '\}' closes nothing → one } too many, or a { too few above it
ERROR brace-missing: the configuration ends within → close the block
WARNING keyword-unknown: unknown keyword → check its spelling and the block it stands in
ERROR number-out-of-range: a number from|.*: a number from
ERROR number-out-of-range: .*: a time in seconds → a number above 0
ERROR flag-wrong: .*: true or false
ERROR service-without-servers: virtual server has no real servers → add a real_server
ERROR service-address-invalid: virtual_server: no valid address
    → virtual_server ADDRESS PORT: no names, no ADDRESS:PORT
ERROR server-address-invalid: real_server: no valid address
    → real_server ADDRESS PORT: no names, no ADDRESS:PORT
ERROR scheduler-unknown: unknown scheduler → rr, wrr, lc, wlc, sh, mh …, in small letters
ERROR protocol-unknown: unknown protocol → TCP, UDP or SCTP
ERROR forwarding-unknown: unknown forwarding method → DR, TUN or NAT, in capitals
WARNING family-mismatch: ip_family unknown
ERROR sorry-server-invalid: sorry_server: no valid → sorry_server ADDRESS PORT
ERROR sorry-server-order: sorry_server_?\w* stands before → put it behind sorry_server
ERROR family-mismatch: sorry_server of another → one family in one service
ERROR families-mixed: real_server of another → one family in one service, except with TUN
ERROR group-undefined: virtual server of an undefined group
    → define the virtual_server_group, or mend the name
ERROR forwarding-defaults-to-nat: no forwarding method set → lb_kind DR
WARNING protocol-defaults-to-udp: no protocol set → protocol TCP
NOTE scheduler-defaults: no scheduler set → lb_algo wlc
WARNING ops-needs-udp: ops needs UDP → take ops out
NOTE protocol-with-mark: a protocol means nothing → take protocol out
WARNING hysteresis-over-quorum: hysteresis is not below → hysteresis below the quorum
NOTE persistence-by-default: no port: keepalived sets → set persistence_timeout
WARNING server-twice: real server is there already → take one out
ERROR port-mapping-in-dr: .*its port is not the service's
    → let the server listen on the service's port: only NAT can change it
NOTE port-with-mark: .*a port means nothing with a mark → take the port out
ERROR check-dropped: MISC_CHECK: no misc_path → misc_path PROGRAM
ERROR check-target-invalid: connect_ip: no address
ERROR sync-group-invalid: vrrp_sync_group: its name → vrrp_sync_group NAME {
ERROR sync-group-member-unknown: the sync group names → check the name
ERROR instance-twice: vrrp_instance of that name exists → give it a name of its own
ERROR track-script-unknown: track_script: no such → define the vrrp_script, or mend it
ERROR tracked-empty: \w+ without \w+; keepalived removes it → say what is tracked
ERROR defined-twice: \w+ of that name exists → give it a name of its own
NOTE strict-state: strict mode: the state has to fit → state BACKUP
NOTE ha-suspend-with-mark: ha_suspend means nothing → take it out
WARNING interval-rounded: VRRP 2 knows whole seconds → version 3 knows fractions
NOTE ah-starts-as-backup: state MASTER does not go with AH → state BACKUP
WARNING nopreempt-with-master: nopreempt needs state BACKUP
    → state BACKUP on both directors: nopreempt has no effect with MASTER
ERROR state-unknown: unknown state → MASTER or BACKUP
WARNING state-twice: state was MASTER before → keep one of them
ERROR address-invalid: .*: no address; keepalived skips → ADDRESS/PREFIX, one a line
ERROR families-mixed: address of the other family
    → put it into virtual_ipaddress_excluded, or into an instance of its own
WARNING password-too-long: auth_pass: keepalived uses
    → eight bytes are all that an advert has room for
ERROR group-empty: virtual_server_group has no entries → ADDRESS PORT, one a line
ERROR group-entry-invalid: fwmark: inet or inet6|no address, range or port
""")


def problems(context: LintContext) -> Iterator[Finding]:
    """Each problem of the configuration with its weight. Their texts hold no values."""
    for place, text in context.configuration.problems:
        if _SAID_BETTER.match(text):
            continue
        if "its value is missing" in text:
            keyword = text.partition(":")[0]
            if keyword not in _REQUIRED:
                yield error("value-empty", f"{keyword} has no value: ignored", place)
            continue
        for shape in _JUDGED:
            if shape.pattern.match(text):
                yield Finding(shape.rule, shape.severity, text, place, fix=shape.fix)
                break
        else:
            yield warning("not-understood", text, place)
