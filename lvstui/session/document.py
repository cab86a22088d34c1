"""A configuration as the screen shows it: its files, what is said about their lines, its outline.

Made in a thread from a tree. The tree itself, a million objects for a big site, is not kept.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher

from lvstui.keepalived.meaning.view import view
from lvstui.keepalived.text.files import in_memory
from lvstui.keepalived.text.mask import masked_lines
from lvstui.keepalived.text.parser import parse
from lvstui.keepalived.text.tree import Tree
from lvstui.model.config import Configuration, Place
from lvstui.model.files import ConfigFiles
from lvstui.model.finding import Finding, FindingSeverity
from lvstui.session.outline import NodeId, Outline, outline
from lvstui.session.pieces import Piece, in_force, pieces, shown

_MOST_COMPARED = 4_000_000
"""Pairs of lines that are compared one by one."""
_UNKNOWN = "unknown keyword"

Lint = Callable[[Tree, Configuration], Iterable[Finding]]
"""What is wrong with a configuration; called in a thread."""


@dataclass(frozen=True, slots=True, eq=False)
class FilePage:
    """One file."""

    path: str
    lines: tuple[bytes, ...] = field(repr=False)
    """As read, without the empty one after the last newline; shown through `line` only."""
    config_id: str
    masked: Mapping[int, bytes] = field(default_factory=dict, repr=False)
    """By line: those that hold a secret, as they may be shown."""
    unknown: frozenset[int] = frozenset()
    """Lines whose keyword keepalived does not know."""
    findings: Mapping[int, tuple[Finding, ...]] = field(default_factory=dict)
    """By line, the worst first."""
    includes: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """By line of the include: the files it opens."""
    changed: frozenset[int] = frozenset()
    """Lines of a draft that are not on the disk."""

    def line(self, number: int) -> bytes:
        """Line `number` (from 1), secrets masked."""
        return self.masked.get(number) or self.lines[number - 1]

    def pieces(self, number: int) -> tuple[Piece, ...]:
        """The same in pieces that mean something."""
        return pieces(self.line(number), unknown=number in self.unknown)

    def shown(self, number: int) -> str:
        """The same as one text."""
        return shown(self.line(number))

    def in_force(self, number: int) -> bool:
        """Whether this host takes that line."""
        return in_force(self.lines[number - 1], self.config_id)


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """A whole configuration."""

    pages: Mapping[str, FilePage]
    """By path, the main file first, then in the order of reading."""
    configuration: Configuration
    config_id: str
    findings: tuple[Finding, ...]
    """Every one, the worst first."""
    outline: Outline
    marks: Mapping[str, tuple[tuple[int, ...], tuple[NodeId, ...]]]
    """By path: lines in order, and the node that begins on each."""

    @property
    def main(self) -> FilePage:
        """The file that keepalived opens first."""
        return next(iter(self.pages.values()))

    def node_at(self, path: str, line: int) -> NodeId | None:
        """The innermost node of the outline that begins on that line or last above it."""
        lines, ids = self.marks.get(path, ((), ()))
        at = bisect_right(lines, line)
        return (ids[at - 1] or None) if at else None

    def find(
        self, words: str, path: str, line: int, *, back: bool = False
    ) -> tuple[str, int] | None:
        """The next place after (or before) that line that holds `words`, in any file, then round;
        None when there is none. Only what is shown is found: no secret can be guessed at."""
        wanted = words.casefold()
        if not wanted:
            return None
        return next(
            (place for place in self._order(path, line, back) if self._holds(place, wanted)), None
        )

    def _order(self, path: str, line: int, back: bool) -> Iterator[tuple[str, int]]:
        paths = list(self.pages)
        step = -1 if back else 1
        at = paths.index(path)
        count = len(self.pages[path].lines)
        after = range(line - 1, 0, -1) if back else range(line + 1, count + 1)
        yield from ((path, number) for number in after)
        for index in range(1, len(paths)):
            other = paths[(at + step * index) % len(paths)]
            numbers = range(1, len(self.pages[other].lines) + 1)
            yield from ((other, number) for number in (reversed(numbers) if back else numbers))
        rest = range(count, line - 1, -1) if back else range(1, line + 1)
        yield from ((path, number) for number in rest)

    def _holds(self, place: tuple[str, int], wanted: str) -> bool:
        page = self.pages[place[0]]
        raw = page.lines[place[1] - 1].decode("utf-8", "replace").casefold()
        # Most lines are out by their bytes; what control characters are shown as is never sought.
        return wanted in raw and wanted in page.shown(place[1]).casefold()

    def next_finding(self, path: str, line: int, *, back: bool = False) -> Finding | None:
        """The next one in the order of files and lines, then round."""
        order = {name: index for index, name in enumerate(self.pages)}
        placed = sorted(
            (order[f.place.file], f.place.line, f.severity.rank, index)
            for index, f in enumerate(self.findings)
            if f.place is not None and f.place.file in order
        )
        if not placed:
            return None
        here = (order.get(path, 0), line)
        if back:
            before = [item for item in placed if item[:2] < here]
            return self.findings[(before or placed)[-1][3]]
        after = [item for item in placed if item[:2] > here]
        return self.findings[(after or placed)[0][3]]


def document(
    tree: Tree, lint: Lint | None = None, *, before: Mapping[str, bytes] | None = None
) -> Document:
    """What `tree` says. Takes about as long as reading it did: call it in a thread.

    `before` gives the files of a draft as they are on the disk; lines that differ are marked.
    """
    configuration = view(tree)
    said = tuple(_problems(configuration.problems))
    if lint is not None:
        said += tuple(lint(tree, configuration))
    findings = _merged(said)
    masked = masked_lines(tree)
    found = outline(tree, configuration, masked)
    unknown: dict[str, set[int]] = {}
    for place, text in configuration.problems:
        if text.startswith(_UNKNOWN):
            unknown.setdefault(place.file, set()).add(place.line)
    by_line: dict[str, dict[int, list[Finding]]] = {}
    for finding in findings:
        if finding.place is not None:
            by_line.setdefault(finding.place.file, {}).setdefault(finding.place.line, []).append(
                finding
            )
    includes: dict[str, dict[int, tuple[str, ...]]] = {}
    for include in tree.includes:
        here = includes.setdefault(include.statement.file.path, {})
        here[include.statement.line] = (*here.get(include.statement.line, ()), *include.files)
    pages = {
        file.path: FilePage(
            file.path,
            file.text_lines,
            tree.config_id,
            masked[file.path],
            frozenset(unknown.get(file.path, ())),
            {line: tuple(some) for line, some in by_line.get(file.path, {}).items()},
            includes.get(file.path, {}),
            _changed((before or {}).get(file.path), file.data),
        )
        for file in tree.files
    }
    marks = found.marks()
    return Document(
        pages, configuration, tree.config_id, findings, replace(found, sections=()), marks
    )


def recorded(seen: ConfigFiles) -> Document | None:
    """The same of files that another lvstui saw, as far as they may be shown; None when their
    lines were too many to be kept."""
    if seen.left_out or not seen.files:
        return None
    texts = {file.path: "".join(f"{line}\n" for line in file.lines) for file in seen.files}
    data = {path: text.encode() for path, text in texts.items()}
    tree = parse(seen.files[0].path, in_memory(data), seen.config_id)
    return document(tree, lambda tree, configuration: seen.findings)


def _changed(before: bytes | None, after: bytes) -> frozenset[int]:
    """Numbers of the lines of `after` that are new or other ones. Cheap when few are, however
    long the file: what is the same at both ends is never compared line by line."""
    if before is None or before == after:
        return frozenset()
    old, new = before.split(b"\n"), after.split(b"\n")
    first, least = 0, min(len(old), len(new))
    while first < least and old[first] == new[first]:
        first += 1
    last = 0
    while last < least - first and old[-1 - last] == new[-1 - last]:
        last += 1
    middle_old, middle_new = old[first : len(old) - last], new[first : len(new) - last]
    if len(middle_old) * len(middle_new) > _MOST_COMPARED:
        return frozenset(range(first + 1, first + len(middle_new) + 1))
    found: set[int] = set()
    matcher = SequenceMatcher(None, middle_old, middle_new, autojunk=False)
    for tag, _, _, start, end in matcher.get_opcodes():
        if tag in ("replace", "insert"):
            found.update(range(first + start + 1, first + end + 1))
    return frozenset(found)


def _problems(problems: Iterable[tuple[Place, str]]) -> Iterator[Finding]:
    for place, text in problems:
        yield Finding("not-understood", FindingSeverity.WARNING, text, place)


def _merged(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Sorted; what the reader itself stumbled over gives way to what lint says about a line."""
    known = {f.place for f in findings if f.rule != "not-understood"}
    kept = [f for f in findings if f.rule != "not-understood" or f.place not in known]
    order = {severity: severity.rank for severity in FindingSeverity}
    return tuple(
        sorted(dict.fromkeys(kept), key=lambda f: (order[f.severity], f.place or Place("", 0)))
    )
