"""Lines of a file with only what may be shown at their place (`lvstui.keepalived.text.shown`).

Works on the text alone, so that a broken file, a part of one, and a line of a comment are covered
too. Where the block around a line is not known, a keyword counts as the most secret of its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from lvstui.keepalived.keywords import ROOT, Keyword, ValueKind, walk
from lvstui.keepalived.text.lexer import find_brace, spans, strip
from lvstui.keepalived.text.shown import MASK, meant, shown_url, shown_words, shows, shows_keyword

_CAUTION = (
    ValueKind.SECRET,
    ValueKind.OPAQUE,
    ValueKind.COMMAND,
    ValueKind.NOTIFY,
    ValueKind.PROCESS,
    ValueKind.URL,
)
_ANYWHERE: dict[bytes, Keyword] = {}
for _word in walk():
    _there = _ANYWHERE.get(_word.name.encode())
    if _there is None or (_word.kind in _CAUTION and _there.kind not in _CAUTION):
        _ANYWHERE[_word.name.encode()] = _word

_OUTSIDE = Keyword("", ValueKind.BLOCK, ROOT)
_CONDITION = re.compile(rb"@\^?[A-Za-z0-9_.-]{1,64}(?=\s|$)\s*")
_DEFINITION = re.compile(rb"\$[A-Za-z_][A-Za-z0-9_]*=\s*")
_INCLUDE = re.compile(rb"include[rmwba]?\s+")
_PATTERN = re.compile(rb"[A-Za-z0-9_./*?\[\]{},:+~-]{1,255}")
_REPEAT = re.compile(rb"~(?:SEQ|LST)x?\(([^)]*)\)\s*")
_ITEM = re.compile(rb"[^,{} \t]+")
_IN_BRACES = re.compile(rb"\$\{([A-Za-z_][A-Za-z0-9_]*(?: [0-9 ]*)?)\}")
_DEVICE = re.compile(
    rb"(?:eth|en[opsx]|bond|lo|br|vlan|team|ib|dummy|veth|tun|tap|wl)[\w.:-]{0,11}"
)
_TELLS = re.compile(
    rb"(?i)(?<![a-z])(?:pass|pw|pwd|key|pin)(?![a-z])|passw|passphrase|secret|token|credential"
    rb"|bearer|api.?key|auth_|login"
)
"""A comment with one of these speaks of a secret."""
_LOOSE = re.compile(
    rb"(?<!\S)(?P<option>--?[A-Za-z][\w-]*[=:]?)(?P<value>\s*\S+)"
    rb"|(?P<url>https?://[^\s\"']+)"
    rb"|(?P<name>\w[\w.-]*=)(?P<given>[^\s,;]+)"
    rb"|(?<![\w-])(?:(?=\w*[a-z])(?=\w*[A-Z])(?=\w*[0-9])\w{6,}"
    rb"|(?=[A-Z]*[0-9]+[A-Z])[A-Z0-9]{8,}|(?=[a-f]*[0-9])[0-9a-f]{16,})(?![\w-])"
)
"""What may be a secret in prose: values of options, users of URLs, words of mixed letters."""


def allowed(lines: Sequence[bytes]) -> Iterator[bytes]:
    """Each line with `MASK` for all that may not be shown."""
    stack: list[Keyword] = []
    pending: Keyword | None = None
    seen: dict[tuple[int, bytes], tuple[bytes, int, Keyword | None]] = {}
    continued = False
    for line in lines:
        top = stack[-1] if stack else _OUTSIDE
        key = (id(top), line)
        if pending is None and not continued and key in seen:
            # Few lines of a big file are unlike all before them.
            safe, depth, opened = seen[key]
            if opened is not None:
                stack.append(opened)
            elif depth < 0 and stack:
                stack.pop()
            yield safe
            continue
        before = len(stack)
        work = _Line(line, stack, pending, continued)
        safe = work.shown()
        plain = pending is work.pending is None and not continued and not work.continued
        pending, continued = work.pending, work.continued
        depth = len(stack) - before
        if plain and (depth in (-1, 0) if b"{" not in line else depth == 1 and b"}" not in line):
            seen[key] = (safe, depth, stack[-1] if depth > 0 else None)
        yield safe


class _Line:
    """One physical line that is being looked at; `stack` are the blocks around it."""

    def __init__(
        self, line: bytes, stack: list[Keyword], pending: Keyword | None, continued: bool
    ) -> None:
        self.line, self.stack, self.pending = line, stack, pending
        found = strip(line)
        self.continued = found.continued and (continued or b"$" in line)
        # A backslash that continues a definition is kept with what follows.
        self.end = found.end if self.continued else found.comment
        self.end = self.end if self.end >= 0 else len(line)
        self.rest = line[self.end :]
        self.start = found.start
        # A line of a definition is of no block.
        self.loose = continued

    def shown(self) -> bytes:
        at = self.start
        result = self.line[:at]
        body = _IN_BRACES.sub(rb"$_\1_", self.line[: self.end])
        secret = any(block.secret for block in self.stack)
        if match := _CONDITION.match(body, at):
            result, at = result + match.group(), match.end()
        if match := _DEFINITION.match(body, at):
            result, at, self.loose = result + match.group(), match.end(), True
            rest = body[at:].rstrip(b"\\ \t\r")
            first = rest.split()[:1]
            if not first or first[0] not in _ANYWHERE:
                tail = self.line[at + len(rest) : self.end]
                return result + self._loose(rest) + tail + self._ending(secret)
        elif match := _INCLUDE.match(body, at):
            path = self.line[match.end() : self.end].rstrip()
            safe = path if _PATTERN.fullmatch(path) else MASK
            tail = self.line[match.end() + len(path) : self.end]
            return self.line[: match.end()] + safe + tail + self._ending(secret)
        elif match := _REPEAT.match(body, at):
            _, *items = _ITEM.findall(match.group(1)) or [b""]
            known = all(shows(item) or _DEVICE.fullmatch(item) for item in items)
            whole = self.line[at : match.end()]
            result += whole if known else whole[: whole.index(b"(") + 1] + MASK + b") "
            at, self.loose = match.end(), True
        return result + b"".join(self._statements(body, at)) + self._ending(secret)

    def _ending(self, secret: bool) -> bytes:
        if self.continued:
            mark = self.rest.find(b"\\")
            return self.rest if mark >= 0 and not self.rest[:mark].strip() else MASK + b"\\"
        return comment_shown(self.rest, secret)

    def _loose(self, rest: bytes) -> bytes:
        """The value of a definition: what would be shown anywhere."""
        out = []
        for index, (word, start, end) in enumerate(spans(rest)):
            safe = shows(word) or _DEVICE.fullmatch(word) is not None
            if not safe and index == 0 and word.startswith(b"/"):
                out.append(next(shown_words(ValueKind.COMMAND, [word])))
            else:
                out.append(rest[start:end] if safe else MASK)
        return b" ".join(out) if MASK in b" ".join(out) or b'"' not in rest else rest

    def _statements(self, body: bytes, at: int) -> Iterator[bytes]:
        while at < len(body):
            found = find_brace(body[at:])
            stop = len(body) if found < 0 else at + found
            part = body[at:stop]
            if part.strip():
                yield self._statement(part, self.line[at:stop])
            else:
                yield part
            if stop < len(body):
                yield body[stop : stop + 1]
                self._brace(body[stop : stop + 1])
            at = stop + 1

    def _brace(self, brace: bytes) -> None:
        if brace == b"{":
            if self.pending is not None and not self.loose:
                self.stack.append(self.pending)
            self.pending = None
        elif self.stack and not self.loose:
            self.stack.pop()

    def _statement(self, part: bytes, raw: bytes) -> bytes:
        words = list(spans(part))
        if not words:
            return MASK
        first = words[0][0]
        top = self.stack[-1] if self.stack and not self.loose else _OUTSIDE
        table = top.inner or {}
        keyword = table.get(first)
        anywhere = _ANYWHERE.get(first)
        self.pending = None
        values = words[1:]
        kind: ValueKind | None
        shown: list[bytes] = []
        if keyword is None and top.entries is not None:
            hides = anywhere is not None and anywhere.kind in _CAUTION
            kind = anywhere.kind if hides and anywhere is not None else top.entries
            if not hides:
                values = words
        elif keyword is None and anywhere is None:
            # Of a part of a file whose block is not here: an address with its options.
            entry = shows(first) and not top.secret
            kind = ValueKind.NETWORK if entry else _meant(first)
            values = words if entry or not shows_keyword(first) else values
        else:
            found = keyword or anywhere
            assert found is not None
            kind = found.kind
            if keyword is not None and (found.inner is not None or found.values):
                self.pending = keyword
                kind = ValueKind.BLOCK
            kind = ValueKind.SECRET if found.secret else kind
        shown = list(shown_words(kind, [word for word, _, _ in values]))
        return _put_together(part, raw, values, shown)


def kind_of(keyword: bytes) -> ValueKind | None:
    """What stands behind a keyword in whatever block; None when none knows it."""
    found = _ANYWHERE.get(keyword)
    return found.kind if found is not None else None


def _meant(word: bytes) -> ValueKind | None:
    """What stands behind a mistyped keyword; None when it may be a secret."""
    kinds = {_ANYWHERE[near].kind for near in meant(word)}
    return kinds.pop() if len(kinds) == 1 and kinds.isdisjoint(_CAUTION) else None


def _put_together(
    part: bytes, raw: bytes, values: Sequence[tuple[bytes, int, int]], shown: Sequence[bytes]
) -> bytes:
    """`raw` with each word exchanged for what is shown of it; a run of hidden ones becomes one."""
    result, at = b"", 0
    for (word, start, end), safe in zip(values, shown, strict=True):
        if safe == word:
            result += raw[at:end]
        elif safe == MASK and result.endswith(MASK) and not raw[at:start].strip():
            pass
        else:
            quote = part[start : start + 1] if part[start : start + 1] == b'"' else b""
            result += raw[at:start] + (safe if safe == MASK else quote + safe + quote)
        at = end
    rest = raw[at:]
    if values and rest.strip(b" \t\r\v\f\\"):
        # A quote that is not closed.
        return result + MASK
    return result + rest


def comment_shown(comment: bytes, secret: bool = False) -> bytes:
    """A comment, its mark included, as it may be shown: nothing of one that speaks of a secret,
    or stands in a block of them (`secret`)."""
    if not comment:
        return comment
    text = comment.lstrip(b"#! \t")
    head, tail = comment[: len(comment) - len(text)], text[len(text.rstrip()) :]
    text = text.rstrip()
    if not text:
        return comment
    keyword = _ANYWHERE.get(text.split()[0].strip(b'"{}'))
    if keyword is not None and keyword.kind in _CAUTION:
        inner = next(allowed([text.replace(b"#", b" ").replace(b"!", b" ")]))
        if inner.count(b" ") or keyword.kind is ValueKind.SECRET:
            return head + inner + tail
    if secret or _TELLS.search(text):
        return (head if head.endswith((b" ", b"\t")) else head + b" ") + MASK + tail
    return head + _LOOSE.sub(_hidden, text) + tail


def _hidden(match: re.Match[bytes]) -> bytes:
    if match["url"]:
        return shown_url(match["url"])
    for name, value in (("option", "value"), ("name", "given")):
        if match[name]:
            safe = shows(match[value].strip())
            blank = match[value][: len(match[value]) - len(match[value].lstrip())]
            return match.group() if safe else match[name] + blank + MASK
    return MASK
