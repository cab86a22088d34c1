"""Shapes of keepalived's log lines, 1.2 to 2.4, for `log_lines`.

Shapes are from keepalived's source at v1.2.13, v1.3.9, v2.0.10, v2.2.7 and v2.4.3. A line is
tried against tables in order, so a table's order matters; everything is anchored or starts with
a literal to keep a foreign line cheap.
"""

from __future__ import annotations

import re

RS = r"\[(?P<rs>[0-9A-Fa-f.:]+(?:%\S+)?)\]:(?:(?P<rsproto>tcp|udp|sctp|none|\?):)?(?P<rsport>\d+)"
"""A real server: `[ip]:port` (to 1.3.5) or `[ip]:proto:port`."""

VS = r"(?P<vs>FWM \d+|\[.+\]:(?:(?:tcp|udp|sctp|none|\?):)?\d+)"
"""A virtual server: as a real server, `FWM n`, or `[group]:sequence`."""

SERVER_CHANGE = re.compile(
    r"(?P<verb>Adding|Removing|Enabling|Disabling|Shutting down) (?:\(inhibited\) )?"
    rf"service {RS} (?:to|from|of) VS {VS}$"
)
WEIGHT_CHANGE = re.compile(
    rf"Changing weight from (?P<before>-?\d+) to (?P<after>-?\d+) for (?:in)?active service {RS}"
    rf" of VS {VS}$"
)
QUORUM = re.compile(
    rf"(?P<what>Gained quorum|Lost quorum|Starting with quorum down) .* for VS {VS}$"
)

CHECKS: tuple[tuple[re.Pattern[str], str, bool | None], ...] = tuple(
    (re.compile(shape), checker, ok)
    for shape, checker, ok in (
        (rf"TCP connection to {RS} success", "TCP_CHECK", True),
        (rf"TCP connection to {RS} (?:failed|timeout)", "TCP_CHECK", False),
        (rf"UDP connection to {RS} success", "UDP_CHECK", True),
        (rf"UDP connection to {RS} (?:failed|timeout)", "UDP_CHECK", False),
        (rf"UDP check to {RS} reply data mismatch", "UDP_CHECK", False),
        (rf"ICMP connection to (?:address )?{RS} success", "PING_CHECK", True),
        (
            rf"ICMP connection to (?:address )?{RS}(?: of {VS})? (?:failed|timeout)",
            "PING_CHECK",
            False,
        ),
        (rf"DNS_CHECK \({RS}\) (?:succe|OK)", "DNS_CHECK", True),
        (rf"DNS_CHECK \({RS}\) ", "DNS_CHECK", False),
        (rf"Misc check for \[{RS} VS {VS}\] by \[.*\] succe", "MISC_CHECK", True),
        (rf"Misc check for \[{RS} VS {VS}\] by \[.*\] ", "MISC_CHECK", False),
        # 1.x names the address only, sometimes with the port.
        (r"Misc check (?:to|for) \[(?P<rsonly>[^\]]+)\] for \[.*\] success", "MISC_CHECK", True),
        (r"Misc check (?:to|for) \[(?P<rsonly>[^\]]+)\] for \[.*\] ", "MISC_CHECK", False),
        (rf"Remote SMTP server {RS} succeed", "SMTP_CHECK", True),
        # The name of the real server follows the address that was connected to.
        (rf"SMTP_CHECK .* real server {RS}", "SMTP_CHECK", False),
        (rf"SMTP_CHECK .*server {RS}", "SMTP_CHECK", False),
        (rf"Remote Web server {RS} succeed", "HTTP_GET", True),
        (rf"(?:HTTP status code|MD5 digest|Regex match|HTTP) success to {RS}", "HTTP_GET", True),
        (rf"(?:HTTP status code|MD5 digest) error to (?:server )?{RS}", "HTTP_GET", False),
        (rf"Regex match failed (?:server |to )?{RS}", "HTTP_GET", False),
        (rf"SSL handshake/communication error.* {RS}", "SSL_GET", False),
        (rf"(?:Read error with|Cannot send get request to) (?:server )+{RS}", "HTTP_GET", False),
        (rf"Cannot send get request to {RS}", "HTTP_GET", False),
        (rf"Read, no data received from +(?:server )?{RS}", "HTTP_GET", False),
        (
            rf"(?:Timeout|Error|Connection) (?:HTTP |WEB )?(?:connecting|connect|read|write|failed)"
            rf" (?:to )?server {RS}",
            "HTTP_GET",
            False,
        ),
        (rf"Connection trouble to:? {RS}", "HTTP_GET", False),
        (rf"HTTP_CHECK - network unreachable server {RS}", "HTTP_GET", False),
        (rf"HTTP_CHECK on service {RS} failed", "HTTP_GET", False),
        (rf"(?P<kind>[A-Z]+_CHECK|SSL_GET|HTTP_GET) on service {RS} failed", "", False),
        # 1.x: HTTP and SSL checks say only this when they give up.
        (rf"Check on service {RS} failed", "HTTP_GET", False),
        (rf"BFD check of \[.*\] RS\({RS}\) is UP", "BFD_CHECK", True),
        (rf"BFD check of \[.*\] RS\({RS}\) is DOWN", "BFD_CHECK", False),
    )
)

FIRST_OF_CHECK = (
    *("TCP", "UDP", "ICMP", "DNS_", "Misc", "Remote", "SMTP", "HTTP", "MD5", "Regex", "SSL"),
    *("Read", "Cannot", "Timeout", "Error", "Connection", "Check", "BFD"),
    *("PING_", "FILE_", "MISC_"),
)
"""First words of `CHECKS`, to skip the table for any other line."""

INSTANCE = re.compile(r"(?:VRRP_Instance)?\((?P<name>[^()]+)\):? (?P<rest>.*)$")
"""`(NAME) `, `(NAME): ` from 2.0.0, `VRRP_Instance(NAME) ` before."""

GROUP_STATE = re.compile(
    r"VRRP_Group\((?P<name>.+?)\):? Syncing instances to (?P<state>[A-Z]+) state"
)
GROUP = re.compile(r"VRRP_Group\((?P<name>.+?)\):? (?P<rest>.*)$")
STATE = re.compile(r"(?:Entering|Now in) (?P<state>MASTER|BACKUP|FAULT|INIT) (?:STATE|state)")
FAULT_WITH_CAUSE = re.compile(r"entering FAULT state(?: \((?P<cause>.*)\)| (?P<due>due to .*))?$")
PRIORITY = re.compile(r"Changing effective priority from (?P<before>\d+) to (?P<after>\d+)")
PRIORITY_SET = re.compile(r"Setting effective priority to (?P<after>\d+)")
VIP = re.compile(
    r"(?:setting|removing) (?:protocol )?(?:E-)?(?:VIPs|Virtual Routes|Virtual Rules|iptable)"
)
ELECTION = re.compile(
    r"Receive advertisement timeout|[Rr]eceived (?:higher|lower) prio|"
    r"[Rr]eceived advert (?:from \S+ )?with|Master received|Backup received|sent 0 priority|"
    r"forcing a new MASTER|ignoring received advert|Transition to MASTER|"
    r"prio is higher than received|master (?:set to|changed from)|"
    r"Restoring our priority|advertisement interval (?:changed|updated)|changing advert interval|"
    r"using locally configured advertisement|(?:start|reset) preempt delay"
)
MISMATCH = re.compile(
    r"unexpected ip number count|invalid ip number count|expected \d+ VIPs|"
    r"ip address associated with VRID|one or more VIP associated|invalid passwd|"
    r"advertisse?ment interval mismatch|wrong (?:VRRP )?version|invalid version|"
    r"Invalid (?:VRRPv|vrrp checksum|auth type|packet type)|received? a \d+ auth|"
    r"Dropping (?:received VRRP )?packet|not a unicast peer|invalid (?:TTL|ttl)|"
    r"TTL/HL .* not in range|authentication (?:trailer|HMAC|clock|key)|IPSEC.AH|AH header|"
    r"CONFIGURATION ERROR|equal priority advert received|address owner|VRID mismatch|"
    r"vrrp (?:packet|header) .*too (?:short|long)|icast packet but received|VRID conflict|"
    r"Unknown VRID|bogus VRRP packet|receive an invalid"
)
SCRIPT = re.compile(
    r"VRRP_Script\(.*\) |Script `.*` now returning|Executing \[|Script .* (?:lost|failed)"
)
LINK = re.compile(
    r"Netlink reports \S+ (?:up|down)|Kernel is reporting: |"
    r"Interface .*(?:added|deleted|changed)|.* interface \S+ (?:is )?(?:up|down)$"
)
CONFIG = re.compile(
    r"\((?:.*: ?)?Line \d+\) |.*Unknown keyword|SECURITY VIOLATION|Script user|WARNING - |"
    r"Warning - |Truncating auth_pass|.*must be set|New config failed validation|"
    r"Unable to (?:find|open|read|set default user)|.*[Uu]nmatched quote|\*\*\* Configuration line|"
    r"There are \d+ missing|.*is missing a parameter|Cannot change|Virtual server .* ignoring|"
    r"(?:Extra|Unexpected) '"
)
CONFIG_OF_INSTANCE = re.compile(
    r".*(?:must be set|[Ii]gnoring|No VIP|out of range|incompatible|does not support|rounding|"
    r"resetting|Cannot|excess moved|Warning|not configured|no password|Truncating)"
)
FATAL = re.compile(
    r".*exited with permanent error|.*child process\(\d+\) died|.*exited due to |"
    r"IPVS ?: Can't initialize|daemon is already running|"
    r"(?:pid \d+|[Kk]eepalived\S*) exited with status"
)
LIFE: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"Starting Keepalived"), "start"),
    (re.compile(r"Stopping$|Stopping Keepalived|Stopped Keepalived|Stopping VRRP$"), "stop"),
    (re.compile(r"Reloading \.\.\.|Got SIGHUP, reloading|Reload already in progress"), "reload"),
    (re.compile(r"Reload(?:ing)? (?:complete|finished)"), "reloaded"),
)
NOISE = re.compile(
    r"\s|Sending (?:/queueing )?(?:gratuitous|unsolicited)|Registering |VRRP sockpool|"
    r"Opening file|Configuration file |Running on |Command line: |Assigned address|"
    r"Deassigned address|Initializing ipvs|Using LinkWatch|Using (?:MII|netlink)|"
    r"Netlink reflector|Printing |NOTICE: |Configuration is using|Stopped - used|CPU usage|"
    r"Reloading$|Starting (?:VRRP|Healthcheck|BFD) child process|Startup complete|"
    r"(?:A|Dea)ctivating |[A-Za-z]*(?:cti|suspend)\w+ healthchecker|------<|"
    r"VRRP_Script\(.*\) considered|validate conf before|Got SIGTERM|Terminating on signal|"
    r"(?:Global|Checker|Vrrp) dynamic|Netlink: filtering|SMTP alert|Remote Web server .* connected|"
    r"Truncated|Received BFD event|\(.*\) Sending/queueing|VRRP_Instance\(.*\) Sending|"
    r"Sending/queueing|$"
)
"""Lines that tell an operator nothing: announcements, repeats of what netlink says better, and
dumps (they begin with a blank)."""
