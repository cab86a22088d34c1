"""keepalived's messages about its configuration and what each is worth (2.0.10 to 2.4.3).

Lethal is what was seen to end the daemon, or to empty it, at a SIGHUP. What it complains about
although nothing is wrong is a note.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lvstui.model.finding import FindingSeverity

_ROW = re.compile(r"([A-Z]+) ([\w-]+): (.+?)(?: ?→ (.+))?")


@dataclass(frozen=True, slots=True)
class MessageShape:
    """One kind of message."""

    pattern: re.Pattern[str]
    rule: str
    severity: FindingSeverity
    fix: str = ""


def shapes(table: str) -> tuple[MessageShape, ...]:
    """The rows `SEVERITY rule: pattern → fix` of a table; an indented line goes on with the row
    above it."""
    found = []
    for row in re.sub(r"\n +", "", table).splitlines():
        if row and not row.startswith("#"):
            match = _ROW.fullmatch(row)
            assert match is not None, row
            severity, rule, pattern, fix = match.groups("")
            found.append(MessageShape(re.compile(pattern), rule, FindingSeverity[severity], fix))
    return tuple(found)


UNKNOWN = MessageShape(re.compile(""), "message", FindingSeverity.WARNING)
SHAPES = shapes(r"""
# Ends the daemon
LETHAL missing-parameter: is missing a parameter → give the keyword its value
LETHAL vrid-missing: virtual router id must be set → virtual_router_id 1 to 255
LETHAL interface-missing: Unknown interface! → interface NAME
LETHAL interface-unknown: interface \S* ?(for|specified for) .*doesn't exist
    |tracked interface \S+ doesn't exist|Non-existent interface specified
    → mend the name, or bring the interface up first
LETHAL vrid-twice: both use VRID|duplicate VRID conflict → another virtual_router_id
LETHAL vip-missing: at least one is required → virtual_ipaddress { ADDRESS/PREFIX }
LETHAL strict-with-unicast: Unicast peers are not supported in strict mode → take vrrp_strict out
LETHAL interface-missing: Unicast instances must have|Non link-local address required
    |cannot use VMAC if no interface → interface NAME
# Empties it
LETHAL instance-lost: vrrp_instance must have a name → exactly one name
ERROR brace-missing: Missing '\{' at beginning → put { behind the keyword
LETHAL not-loaded: Unable to open configuration file|Configuration file .* not found
    → a regular file without execute bit
LETHAL block-lost: Unknown keyword '\W*(vrrp_instance|virtual_server)'
    → look for a brace that is missing or one too many above it
# Harmless
NOTE own-interface: Ignoring track_interface .* own interface
NOTE sync-group-of-one: has only 1 virtual router
NOTE ah-starts-as-backup: Initial state master is incompatible with AH
NOTE scheduler-defaults: no scheduler set → lb_algo wlc
WARNING protocol-defaults-to-udp: no protocol set → protocol TCP
ERROR forwarding-defaults-to-nat: no forwarding method set → lb_kind DR
NOTE protocol-with-mark: protocol specified for fwmark → take protocol out
NOTE script-security-off: SECURITY VIOLATION → enable_script_security
NOTE password-too-long: Truncating auth_pass → at most 8 bytes
NOTE deprecated: deprecated|Please use global
NOTE link-local-first: first IPv6 VIP address should be link local
NOTE garp-slow: garp_interval is very large|gna_interval is very large
NOTE script-unused: (track script|vrrp_script|script) \S+ (is )?(not used|unused)
    |not used, ignoring
NOTE persistence-by-default: zero port only valid for persistent → set persistence_timeout
NOTE route-not-tracked: cannot track route .* with no interface
NOTE rule-without-preference: Rule has no preference → preference N
# Surprises
WARNING vip-missing: at least one is sensible → virtual_ipaddress { ADDRESS/PREFIX }
WARNING quorum-over-weights: exceeds total weight → quorum up to the sum of weights
WARNING hysteresis: hysteresis .* >= quorum|hysteresis
WARNING server-twice: real server .* is duplicated → take one out
WARNING nopreempt-with-master: nopreempt will not work → state BACKUP
WARNING preempt-delay-with-nopreempt: preempt_delay is incompatible
WARNING authentication-ignored: does not support authentication
WARNING strict-state: State MASTER must match → take vrrp_strict out
WARNING include-matches-nothing: Config files missing|No config files matched
    → check the path of the include
WARNING ops-needs-udp: one packet scheduling requires UDP → take ops out
WARNING vips-too-many: exceeds maximum/space available
NOTE port-with-mark: has port specified - (clearing|port will be ignored)
# Not what is written
ERROR quote-not-closed: Unterminated quote|Unmatched quote|missing terminating
    → close the double quote
ERROR keyword-unknown: Unknown keyword → its spelling, and the block it stands in
ERROR brace-missing: missing '\}'s or extra '\{'s → count the braces
ERROR brace-stray: Extra '\}'|Unexpected '\{' → count the braces
ERROR password-missing: no password given → auth_pass on a line of its own
ERROR authentication-unknown: unknown authentication type → auth_type PASS
ERROR include-not-read: not a regular non-executable file → chmod 644
ERROR port-mapping-in-dr: ports don't match - resetting
    → the server has to listen on the service's port
ERROR service-without-servers: has no real servers → add a real_server
ERROR forwarding-unknown: routing method → DR, TUN or NAT, in capitals
ERROR number-out-of-range: outside range|invalid number|negative number|outside .* range
    |decimal places
ERROR line-too-long: line too long|Line too long → split the line
ERROR invalid: [Uu]nknown|[Ii]nvalid|not found|doesn't exist|does not exist|must have
ERROR ignored: [Ss]kipping|[Ii]gnoring|- ignored|[Rr]emoving|[Dd]isabling|malformed
    |already defined|parameter specified|Unable to|character length|[Cc]annot use|don't match
    |must match|used before|has no (urls|path|entries)|No script|missing
WARNING reset: [Rr]esetting|[Dd]efaulting|setting
""")


def shape_of(text: str) -> MessageShape:
    """The kind of one message; `UNKNOWN` when no kind fits."""
    for shape in SHAPES:
        if shape.pattern.search(text):
            return shape
    return UNKNOWN
