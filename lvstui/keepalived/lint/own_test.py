"""What `keepalived -t` printed, understood.

Its exit status alone is no verdict (2.0.20 gives 0 after most errors, every version gives 5 for
things that are harmless), so its words count. All roles of the daemon read the files, so each
message comes up to four times.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lvstui.keepalived.lint.context import error, lethal, warning
from lvstui.keepalived.lint.secrets import SecretWords, secret_words
from lvstui.keepalived.lint.surroundings import release
from lvstui.keepalived.text.tree import Tree
from lvstui.keepalived.text.values import shown
from lvstui.model.config import Place
from lvstui.model.finding import Finding, FindingSeverity, worst_first

_WITH_FILE = re.compile(r"\((.+?): Line (\d{1,9})\)\s+(.*)", re.DOTALL)
_WITH_LINE = re.compile(r"\(Line (\d{1,9})\)\s+(.*)", re.DOTALL)
_WITH_NAME = re.compile(r"\(([^()\s]+)\):?\s")
_SERVICE = re.compile(r"\[([0-9a-fA-F.:]+)\]:(tcp|udp|sctp|none):(\d+)|FWM (\d+)")
_MAIN = re.compile(
    r"Configuration file .* is (a directory|not a regular)|Config files missing|No config files"
)
"""Without a line number these speak of the main file: at an include they give its line."""
_SHELL = re.compile(r"Segmentation fault|Aborted|.*\(core dumped\)")
"""What a shell adds when a program crashed; the status says the same."""
_SYNC = re.compile(r"[Ss]ync group (\S+)")
_SCRIPT = re.compile(r"(?:track script|vrrp_script) (\S+)")


@dataclass(frozen=True, slots=True)
class _Message:
    """One line that it printed."""

    text: str
    file: str = ""
    line: int = 0


def classify(status: int, text: str | bytes, version: str, tree: Tree) -> tuple[Finding, ...]:
    """The findings in what a test printed, worst first; their rules begin with `-t:`.

    `status` is the exit status, or minus the signal's number; `text` all that it printed,
    `version` keepalived's, empty when not known; `tree` the configuration that was tested.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", "surrogateescape")
    secrets = secret_words(tree)
    findings = [
        _finding(message, tree, secrets)
        for message in _once(text.splitlines())
        if message.text and not _SHELL.match(message.text)
    ]
    told = _verdict(status, text, release(version), findings)
    return worst_first([*findings, *told])


def _once(lines: list[str]) -> list[_Message]:
    """Each message once, with its file where any role told it."""
    found: dict[tuple[int, str], _Message] = {}
    for line in lines:
        message = _message(line)
        key = (message.line, message.text)
        before = found.get(key)
        if before is None or (message.file and not before.file):
            found[key] = message
        elif message.file and message.file != before.file:
            # The same words about the same line of another file.
            found.setdefault((message.line, f"{message.text}\0{message.file}"), message)
    return list(found.values())


def _message(line: str) -> _Message:
    if match := _WITH_FILE.fullmatch(line.rstrip()):
        return _Message(match.group(3).strip(), match.group(1), int(match.group(2)))
    if match := _WITH_LINE.fullmatch(line.rstrip()):
        return _Message(match.group(2).strip(), "", int(match.group(1)))
    return _Message(line.strip())


def _finding(message: _Message, tree: Tree, secrets: SecretWords) -> Finding:
    place: Place | None
    if not message.line and _MAIN.match(message.text):
        return lethal(
            "-t:main-file-not-loaded",
            "keepalived would not load its main file: it reloads to nothing",
            Place(_path(tree, ""), 1),
            evidence="keepalived -t says so, and gives 0",
            fix="a regular file that can be read and has no execute bit: chmod 644",
        )
    if message.line:
        place = _place(tree, _path(tree, message.file), message.line)
        where = (place.file, place.line)
        text = secrets.mask(message.text, where)
    else:
        place = _about(tree, message.text)
        text = secrets.mask(message.text, None)
    shape = shape_of(message.text)
    return Finding(
        f"-t:{shape.rule}", shape.severity, text, place, evidence="keepalived -t", fix=shape.fix
    )


def _path(tree: Tree, file: str) -> str:
    """The file of the tree that keepalived means: as it opened it, often relative.

    A candidate beside the main file has another name: what is no file of the tree is that.
    """
    main = tree.files[0].path if tree.files else "/"
    if not file:
        return main
    tail = "/" + file.lstrip("./")
    for source in tree.files:
        if source.path == file or source.path.endswith(tail):
            return source.path
    return main


def _place(tree: Tree, path: str, line: int) -> Place:
    """The place of the first word of that line."""
    for source in tree.files:
        if source.path == path and line <= len(source.lines):
            raw = source.lines[line - 1]
            return Place(path, line, len(raw) - len(raw.lstrip()) + 1)
    return Place(path, line)


def _about(tree: Tree, text: str) -> Place | None:
    """The header of the instance, service or group that a message without line names."""
    if match := _SERVICE.search(text):
        for block in tree.blocks(b"virtual_server"):
            words = tuple(map(shown, block.header.words[1:3]))
            if match.group(4):
                wanted: tuple[str, ...] = ("fwmark", match.group(4))
            else:
                wanted = (match.group(1), match.group(3))
            if words == wanted or (words[:1] == wanted[:1] and wanted[1:] == ("0",)):
                return block.place
    named = (
        (_WITH_NAME.match(text), b"vrrp_instance"),
        (_SYNC.search(text), b"vrrp_sync_group"),
        (_SCRIPT.search(text), b"vrrp_script"),
        (re.match(r"(\S+) and \S+ both use", text), b"vrrp_instance"),
    )
    for found, keyword in named:
        if found is None:
            continue
        name = found.group(1).rstrip(":")
        for block in tree.blocks(keyword):
            if shown(b" ".join(block.header.words[1:2])) == name:
                return block.place
    return None


def _verdict(
    status: int, text: str, version: tuple[int, ...], findings: Sequence[Finding]
) -> Iterator[Finding]:
    """Findings of the status itself.

    2 (3 before 2.1) is a value that is missing; 4, 5 and 6 say that something was printed, and
    no more: the numbers do not follow the severity. Above 127, or below 0, it died by a signal.
    """
    if "invalid option" in text and "'t'" in text:
        # Older ones take `--config-test` for a wrong option, print that, and exit with 0.
        yield warning(
            "-t:not-available",
            "this version of keepalived has no test mode: nothing was tested",
            evidence="--config-test came with 2.0.4",
        )
        return
    signal = -status if status < 0 else status - 128 if status > 128 else 0
    fatal = (2,) if not version or version >= (2, 1) else (2, 3)
    said = any(finding.severity is FindingSeverity.LETHAL for finding in findings)
    evidence = f"exit status {status}"
    if signal:
        yield lethal(
            "-t:crash",
            "keepalived crashes while it reads this configuration",
            evidence=f"signal {signal}",
            fix="take out what was added last; HTTP_GET needs url and path before 2.2.8",
        )
    elif status in fatal and not said:
        text = "keepalived gives up while it reads this configuration"
        yield lethal("-t:fatal", text, evidence=evidence)
    elif status in (126, 127):
        text = "keepalived could not be run: nothing was tested"
        yield error("-t:not-run", text, evidence=evidence)
    elif status and not findings:
        text = f"keepalived gives {status} and does not say why"
        yield error("-t:status", text, evidence=evidence)
    elif status and status not in (2, 3, 4, 5, 6):
        text = f"keepalived ends with a status that is not known ({status})"
        yield error("-t:status", text, evidence=evidence)


# keepalived's messages about its configuration and what each is worth (2.0.10 to 2.4.3). Lethal is
# what was seen to end the daemon, or to empty it, at a SIGHUP. What it complains about although
# nothing is wrong is a note.

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
NOTE comment-continues: Unknown keyword '\\' → take the backslash at the comment's end away
WARNING keyword-unknown: Unknown keyword → its spelling, and the block it stands in
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
