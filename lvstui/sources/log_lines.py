"""keepalived's log messages as facts. Pure; formats of 1.2 to 2.4 (`log_patterns`).

Text passes `lvstui.model.text.plain`, and anything that looks like a password is masked, before
it gets into a fact.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from functools import lru_cache

from lvstui.model import facts as f
from lvstui.model.keys import ServerKey, ServiceKey, canonical_address
from lvstui.model.numbers import PIDS, number, signed
from lvstui.model.text import plain
from lvstui.sources import log_patterns as shape

_HOW = {
    "Adding": ("added", True),
    "Removing": ("removed", False),
    # It takes its table with it when it ends, the healthy servers too.
    "Shutting down": ("stopped", False),
    "Enabling": ("enabled", True),
    "Disabling": ("disabled", False),
}

_MAX_PORT, _MAX_WEIGHT = 65535, 0x7FFFFFFF
_SECRET_BEFORE = re.compile(
    r"(?i)(\bauth_(?:pass|data|hmac\w*)\b|\bSSL password:|\bpassword\b\s*=)"
    r"(?!\s*(?:to|is|too|must|has|not|longer)\b)(?P<gap>[\s'\"`:=]*)(?P<secret>[^'\"\s`].*)$"
)
_SECRET_OPTION = re.compile(r"(?i)(\w*(?:passw(?:or)?d|secret|token|community)=)\S+")
_MASK = "********"


def masked(text: str) -> str:
    """`text` without what may be a password.

    keepalived quotes whole configuration lines in some errors (`Unmatched quote: 'auth_pass …`),
    prints the SSL key's password when SSL cannot be set up, and 1.x prints check scripts with
    their arguments. Everything behind such a word is taken out, rather too much than too little.
    """
    low = text.lower()
    if "pass" in low or "auth_" in low or "secret" in low or "token" in low or "community" in low:
        text = _SECRET_BEFORE.sub(lambda m: f"{m.group(1)}{m.group('gap')}{_MASK}", text)
        text = _SECRET_OPTION.sub(rf"\g<1>{_MASK}", text)
    return text


def server_of(address: str, port: str) -> ServerKey | None:
    """The key of a real server as logged; None when that is no address."""
    found = number(port, _MAX_PORT)
    try:
        return None if found is None else ServerKey(canonical_address(address), found)
    except ValueError:
        return None


_TRIPLE = re.compile(r"\[(?P<in>.+)\]:(?:(?P<proto>tcp|udp|sctp|none|\?):)?(?P<port>\d+)$")


@lru_cache(maxsize=4096)
def service_of(text: str, protocol: str = "", family: int = 4) -> tuple[ServiceKey, str]:
    """The key of a virtual server as logged, and its group's name (empty for a plain one).

    `protocol` and `family` are the real server's, where one is named: old versions print no
    protocol (then `tcp`), firewall marks print no family, and a group prints neither. A group's
    key has no address: it stands for all members, `service_name` tells which group.
    Raises ValueError for anything else.
    """
    if text.startswith("FWM "):
        mark = number(text[4:], 0xFFFFFFFF)
        if mark is None:
            raise ValueError(f"{text!r} is no firewall mark")
        return ServiceKey.mark(mark, family), ""
    match = _TRIPLE.match(text)
    port = number(match.group("port"), _MAX_PORT) if match else None
    if match is None or port is None:
        raise ValueError(f"{text!r} names no virtual server")
    said = match.group("proto") or ""
    if said not in ("tcp", "udp", "sctp"):
        said = protocol if protocol in ("tcp", "udp", "sctp") else "tcp"
    try:
        return ServiceKey.of(said, match.group("in"), port), ""
    except ValueError:
        return ServiceKey(said, "", 0, 0, family), match.group("in")


def _change(text: str) -> tuple[f.Fact, ...]:
    """Real servers in and out, weights and quorum; empty when the line is about none of them."""
    match = shape.SERVER_CHANGE.match(text) or shape.WEIGHT_CHANGE.match(text)
    if match:
        server = server_of(match["rs"], match["rsport"])
        if server is None:
            return ()
        service, name = service_of(match["vs"], match["rsproto"] or "", server.family)
        parts = match.groupdict()
        if "verb" in parts:
            how, up = _HOW[parts["verb"]]
            return (f.ServerChanged(service, server, up, how, "log", name),)
        before, after = signed(parts["before"], _MAX_WEIGHT), signed(parts["after"], _MAX_WEIGHT)
        if before is None or after is None:
            return ()
        return (f.WeightChanged(service, server, before, after, name),)
    match = shape.QUORUM.match(text)
    if match:
        service, name = service_of(match["vs"])
        up = match["what"] == "Gained quorum"
        return (f.QuorumChanged(service, up, text, service_name=name),)
    return ()


def _check(text: str) -> tuple[f.Fact, ...]:
    if not text.startswith(shape.FIRST_OF_CHECK):
        return ()
    for pattern, checker, ok in shape.CHECKS:
        match = pattern.match(text)
        if match is None:
            continue
        parts = match.groupdict()
        only = parts.get("rsonly")
        if only is not None:
            # 1.x: `[10.0.0.1]`, some builds `[10.0.0.1]:80` or `[[10.0.0.1]:80]`.
            server = server_of(only.strip("[]"), "0")
        else:
            server = server_of(parts["rs"], parts["rsport"])
        service = None
        if parts.get("vs"):
            family = server.family if server else 4
            service, name = service_of(parts["vs"], parts.get("rsproto") or "", family)
            if name:
                service = None
        kind = checker or parts.get("kind") or ""
        return (f.CheckSeen(bool(ok), kind, text, server, service),)
    return ()


def _of_instance(text: str, say: Callable[[str, str], f.DaemonSaid]) -> tuple[f.Fact, ...]:
    match = shape.INSTANCE.match(text)
    if match is None:
        return ()
    name, rest = match["name"], match["rest"]
    found = shape.STATE.match(rest)
    if found:
        return (f.InstanceChanged(name, found["state"]),)
    found = shape.FAULT_WITH_CAUSE.match(rest)
    if found:
        cause = found["cause"] or found["due"] or ""
        kind = "link" if "interface" in cause else "script" if "script" in cause else "other"
        return (f.InstanceChanged(name, "FAULT"), *((say(kind, name),) if cause else ()))
    found = shape.PRIORITY.match(rest)
    if found:
        before, after = number(found["before"], 255), number(found["after"], 255)
        if before is not None and after is not None:
            return (f.PriorityChanged(name, before, after),)
    found = shape.PRIORITY_SET.match(rest)
    if found:
        after = number(found["after"], 255)
        if after is not None:
            return (f.PriorityChanged(name, None, after),)
    return (say(_kind(_OF_INSTANCE, rest) or "other", name),)


Table = tuple[tuple[Callable[[str], object], str], ...]
_FIRST: Table = (
    (shape.GROUP.match, "election"),
    *((pattern.match, kind) for pattern, kind in shape.LIFE),
    (shape.FATAL.match, "fatal"),
    # "(FILE: Line n) …" looks like an instance: configuration comes first.
    (shape.CONFIG.match, "config"),
)
_OF_INSTANCE: Table = (
    (shape.VIP.match, "vip"),
    (shape.MISMATCH.search, "mismatch"),
    (shape.ELECTION.search, "election"),
    (shape.CONFIG_OF_INSTANCE.match, "config"),
)
_LAST: Table = (
    (shape.SCRIPT.match, "script"),
    (shape.LINK.match, "link"),
    (shape.MISMATCH.search, "mismatch"),
)
"""What a line is about that tells no change: the first that finds it."""


def _kind(table: Table, text: str) -> str:
    return next((kind for finds, kind in table if finds(text)), "")


def facts_of(text: str, ident: str = "Keepalived", pid: int = 0) -> tuple[f.Fact, ...]:
    """The facts that one message tells; none for noise.

    `text` is the message without syslog's prefix; it may be foreign and unclean. Never raises.
    """
    text = text.rstrip("\r\n")
    if shape.NOISE.match(text):
        return ()
    text = masked(plain(text))

    def say(kind: str, instance: str = "") -> f.DaemonSaid:
        return f.DaemonSaid(kind, text, plain(ident, 64), pid, instance)

    try:
        facts = _change(text) or _check(text)
    except ValueError:
        # Looks like a change, names no address that we know: keep the words.
        return (say("other"),)
    if facts:
        return facts
    match = shape.GROUP_STATE.match(text)
    if match:
        return (f.GroupChanged(match["name"], match["state"]),)
    if kind := _kind(_FIRST, text):
        return (say(kind),)
    return _of_instance(text, say) or (say(_kind(_LAST, text) or "other"),)


_WINDOW_S, _REMEMBERED = 60.0, 256


class Repeats:
    """Lets a line through only once within a while.

    keepalived repeats some lines for each advertisement (`received lower priority … discarding`,
    mismatches). The first is news; the others are not.
    """

    def __init__(self) -> None:
        self._seen: dict[str, float] = {}

    def is_repeat(self, fact: f.Fact, now: float) -> bool:
        """Whether the same was said within the window; `now` is any clock in seconds."""
        if not isinstance(fact, f.DaemonSaid) or fact.kind not in ("election", "mismatch"):
            return False
        if len(self._seen) >= _REMEMBERED:
            self._seen = {k: t for k, t in self._seen.items() if abs(now - t) < _WINDOW_S}
            if len(self._seen) >= _REMEMBERED:
                self._seen.clear()
        last = self._seen.get(fact.text)
        # Each repeat renews the window: a mismatch that lasts for hours is said once.
        self._seen[fact.text] = now
        if last is None or abs(now - last) >= _WINDOW_S:
            return False
        # An election that ended in another state may begin again with the same words.
        return "Receive advertisement timeout" not in fact.text or abs(now - last) < 1.0


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_CLOCK = r"(?P<h>\d\d):(?P<m>\d\d):(?P<s>\d\d)(?:[.,](?P<f>\d{1,9}))?"
_MON = r"(?P<mon>[A-Z][a-z]{2}) +(?P<d>\d{1,2}) "
_TAG = r"(?P<ident>[^\s\[\]:]+)(?:\[(?P<pid>\d+)\])?: ?(?P<text>.*)$"
_OWN = re.compile(rf"[A-Z][a-z]{{2}} {_MON}{_CLOCK} (?P<y>\d{{4}}): (?P<text>.*)$")
_TRADITIONAL = re.compile(
    # The optional word is busybox's facility.level.
    rf"(?:<\d+>)?{_MON}(?:(?P<y>\d{{4}}) )?{_CLOCK} (?P<host>\S+) (?:[a-z0-9]+\.[a-z]+ )?{_TAG}"
)
_ISO = rf"(?P<y>\d{{4}})-(?P<mon>\d\d)-(?P<d>\d\d)[T ]{_CLOCK} ?(?P<zone>Z|UTC|[+-]\d\d:?\d\d)?"
_RFC5424 = re.compile(
    rf"(?:<\d+>)?1 {_ISO} (?P<host>\S+) (?P<ident>\S+) (?P<pid>\S+) \S+ "
    r"(?:-|(?:\[(?:[^\]\"\\]|\"(?:[^\"\\]|\\.)*\")*\])+)(?: \ufeff?(?P<text>.*))?$"
)
_RFC3339 = re.compile(
    rf"(?:<\d+>)?(?:[A-Z][a-z]{{2}} )?{_ISO} (?P<host>\S+) (?:[a-z0-9]+\.[a-z]+ )?{_TAG}"
)


def _zone_s(zone: str | None) -> int | None:
    """Seconds east of UTC; None for local time."""
    if zone is None:
        return None
    if zone in ("Z", "UTC"):
        return 0
    digits = zone[1:].replace(":", "")
    seconds = int(digits[:2]) * 3600 + int(digits[2:]) * 60
    return -seconds if zone[0] == "-" else seconds


@lru_cache(maxsize=64)
def _second(y: int, mon: int, d: int, h: int, m: int, s: int, zone: int | None) -> float | None:
    """Epoch of a whole second; None when there is no such time."""
    import calendar

    try:
        if d > calendar.monthrange(y, mon)[1]:
            return None
        if zone is not None:
            return calendar.timegm((y, mon, d, h, m, s)) - zone
        return time.mktime((y, mon, d, h, m, s, -1, -1, -1))
    except (ValueError, OverflowError, calendar.IllegalMonthError):
        return None


def _epoch(match: re.Match[str], now: float) -> float | None:
    parts = match.groupdict()
    month = parts["mon"]
    if not month.isdigit() and month not in _MONTHS:
        return None
    mon = int(month) if month.isdigit() else _MONTHS.index(month) + 1
    zone = _zone_s(parts.get("zone"))
    rest = (mon, int(parts["d"]), int(parts["h"]), int(parts["m"]), int(parts["s"]))
    fraction = float(f"0.{parts['f']}") if parts["f"] else 0.0
    if parts.get("y"):
        at = _second(int(parts["y"]), *rest, zone)
        return None if at is None else at + fraction
    # Traditional syslog has no year: the newest one that does not lie in the future. A day of
    # grace for clocks and zones that differ. Leap days need up to eight years of looking back.
    this_year = time.localtime(now).tm_year
    for year in range(this_year + 1, this_year - 9, -1):
        at = _second(year, *rest, zone)
        if at is not None and at <= now + 86400:
            return at + fraction
    return None


def split_syslog(line: str, now: float | None = None) -> tuple[float | None, str, str, int, str]:
    """(epoch or None, host, ident, pid, text) of one line of a log file.

    Knows traditional syslog (also busybox's), RFC 3339 stamps, RFC 5424, journalctl's short
    forms, and keepalived's own file and console form (ident `Keepalived`, no host). Stamps
    without a zone are local time. A line of no known shape comes back as text alone with an
    empty ident. `now` (epoch) serves to guess the year.
    """
    line = line.rstrip("\r\n")
    now = time.time() if now is None else now
    match = _OWN.match(line)
    if match:
        return _epoch(match, now), "", "Keepalived", 0, match["text"]
    match = _TRADITIONAL.match(line) or _RFC5424.match(line) or _RFC3339.match(line)
    if match is None:
        return None, "", "", 0, line
    pid = match["pid"] or ""
    text = match["text"] or ""
    host, ident = plain(match["host"], 255), plain(match["ident"], 64)
    return _epoch(match, now), host, ident, number(pid, PIDS) or 0, text


def is_keepalived(ident: str) -> bool:
    """Whether an ident is one of keepalived's (a netns or instance name may follow)."""
    return ident.lower().startswith("keepalived")
