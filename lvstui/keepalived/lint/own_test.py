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
from lvstui.keepalived.lint.messages import MessageShape, shape_of
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
    shape: MessageShape = shape_of(message.text)
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
