"""What the parser of keepalived trips over: lost values, quotes, braces, foreign characters."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lvstui.keepalived.keywords import ENTRY_REQUIRED, PROGRAMS, ROOT, ROUTE_TYPES, Keywords
from lvstui.keepalived.lint.context import LintContext, error, lethal, note, warning
from lvstui.keepalived.text.lexer import MAX_LINE, strip
from lvstui.keepalived.text.tree import Block, Node, Statement
from lvstui.model.config import Place
from lvstui.model.finding import Finding, FindingSeverity

_BOM = b"\xef\xbb\xbf"
_NBSP = b"\xc2\xa0"
_SMART_QUOTE = re.compile(rb"(?:\A|[ \t])(?:" + b"|".join(q.encode() for q in "‘’‚“”„«»") + b")")
"""At the beginning of a word, where a quote is meant."""
_TEMPLATE = re.compile(rb"\{\{|\}\}|\{%|%\}")
_VARIABLE = re.compile(rb"\$\{[A-Za-z_][A-Za-z0-9_]*\}")


def missing_values(context: LintContext) -> Iterator[Finding]:
    """A keyword that needs a value and has none ends the daemon."""
    waiting: list[tuple[Keywords, tuple[Node, ...]]] = [(ROOT, context.tree.root)]
    while waiting:
        table, nodes = waiting.pop()
        for node in nodes:
            line = node.header if isinstance(node, Block) else node
            words = line.words
            keyword = table.get(words[0])
            if len(words) < 2:
                # The tokeniser of scripts has a value even when a quote is open.
                script = words[0] in PROGRAMS and b'"' in line.text.data
                if keyword is not None and keyword.needs_value and not script:
                    yield _missing(line)
            elif (
                words[0] == b"virtual_server"
                and len(words) == 2
                and words[1] in (b"fwmark", b"group")
            ):
                yield _missing(line)
            if isinstance(node, Block):
                if node.value_block:
                    yield from _entries(node)
                else:
                    inner = keyword.inner if keyword is not None else None
                    waiting.append((inner or {}, node.children))


def _entries(block: Block) -> Iterator[Finding]:
    needed = ENTRY_REQUIRED.get(block.keyword)
    if needed is None:
        return
    for line in block.statements():
        words = line.words
        at = 0
        if block.keyword == b"virtual_server_group" and len(words) > 1:
            continue
        while at < len(words) - 1:
            # A word behind one of these is its value, whatever it is.
            at += 2 if words[at] in needed else 1
        if at == len(words) - 1 and words[at] in needed:
            yield _missing(line, words[at])
        elif block.keyword.endswith(b"_routes") and len(words) == 1 and _is_type(words[0]):
            yield _missing(line)


def _is_type(word: bytes) -> bool:
    return word in ROUTE_TYPES or (word.isdigit() and int(word) <= 0xFF)


def _missing(line: Statement, word: bytes = b"") -> Finding:
    keyword = (word or line.words[0]).decode("ascii", "replace")
    return lethal(
        "value-missing",
        f"{keyword} has no value: keepalived ends over this, and leaves the VIPs where they are",
        line.place,
        evidence='"missing a parameter", exit status 2, at a start and at a reload',
        fix=f"give {keyword} its value, or take the line out",
    )


def open_quotes(context: LintContext) -> Iterator[Finding]:
    """A double quote that is never closed: what follows it is lost."""
    for line in context.tree.walk():
        if line.text.data.count(b'"') % 2:
            # Seen with 2.2.7: a vrrp_script or MISC_CHECK whose script is lost this way.
            crashes = line.words[0] in (b"script", b"misc_path")
            yield Finding(
                "quote-not-closed",
                FindingSeverity.LETHAL if crashes else FindingSeverity.ERROR,
                "a double quote is not closed: keepalived "
                + ("crashes" if crashes else "loses what follows it, braces too"),
                line.place,
                fix='close the quote; there is no escape for " inside of quotes',
            )


def foreign_bytes(context: LintContext) -> Iterator[Finding]:
    """Bytes that look like blanks or quotes and are none; long lines; what a template left."""
    for file in context.tree.files:
        whole = file.data
        if whole.startswith(_BOM):
            yield error(
                "byte-order-mark",
                "the file begins with a byte order mark: its first keyword is not understood",
                Place(file.path, 1),
                fix="save the file as UTF-8 without BOM",
            )
        if (
            whole.isascii()
            and b"{{" not in whole
            and b"{%" not in whole
            and max(map(len, file.lines)) <= MAX_LINE
        ):
            continue
        for number, line in enumerate(file.lines, 1):
            if len(line) > MAX_LINE:
                text = (
                    f"a line of {len(line)} bytes: keepalived reads at most {MAX_LINE} at once, "
                    "and takes the rest for a line of its own, even of a comment"
                )
                yield error("line-too-long", text, Place(file.path, number), fix="split it")
            if b"{{" in line or b"{%" in line or b"\xc2" in line or b"\xe2" in line:
                yield from _strange(file.path, number, line)


def _strange(path: str, number: int, line: bytes) -> Iterator[Finding]:
    meant = strip(line)
    text = line[meant.start : meant.end]
    place = Place(path, number, meant.start + 1)
    if _NBSP in text:
        yield error(
            "no-break-space",
            "a no-break space stands where a blank is meant: keepalived takes it for a letter",
            place,
            fix="type the blanks of this line anew",
        )
    if _SMART_QUOTE.search(text):
        yield warning(
            "typographic-quote",
            'a typographic quote groups nothing: only " does',
            place,
            fix='write " instead',
        )
    if _TEMPLATE.search(text):
        yield error(
            "template-leftover",
            "something of a template was not filled in",
            place,
            fix="render the template again with all its values",
        )


def unfilled(context: LintContext) -> Iterator[Finding]:
    """`${NAME}` of which there is no definition stays as it is, and its braces count as braces."""
    for line in context.tree.walk():
        data = line.text.data
        if b"$" not in data:
            continue
        raw = line.file.lines[line.line - 1] if data.endswith(b"$") else data
        if _VARIABLE.search(raw):
            yield error(
                "undefined-variable",
                "a ${NAME} has no definition: its braces are taken for those of a block",
                line.place,
                fix="define it above with $NAME=value, or fill in the template",
            )


_ONE_VALUE = frozenset(
    b"state interface virtual_router_id priority advert_int auth_type delay_loop lb_algo lvs_sched "
    b"protocol weight quorum hysteresis connect_timeout connect_port connect_ip retry "
    b"delay_before_retry uthreshold lthreshold persistence_timeout interval timeout rise fall "
    b"path misc_timeout nb_get_retry warmup preempt_delay version auth_pass bindto".split()
)
_OF_WEIGHT = frozenset((b"reverse", b"noreverse"))
_EVERY_KEYWORD = frozenset(
    name
    for inner in (
        ROOT[b"vrrp_instance"].inner,
        ROOT[b"virtual_server"].inner,
        ROOT[b"vrrp_script"].inner,
    )
    if inner is not None
    for name in inner
) | frozenset((b"auth_pass", b"status_code", b"digest", b"connect_port", b"uthreshold"))


def extra_words(context: LintContext) -> Iterator[Finding]:
    """keepalived reads one value, and says nothing about what follows it on the line."""
    for line in context.tree.walk():
        words = line.words
        if len(words) < 3 or words[0] not in _ONE_VALUE:
            continue
        if words[0] == b"weight" and words[2] in _OF_WEIGHT:
            continue
        keyword = words[0].decode("ascii", "replace")
        lost = next((word for word in words[2:] if word in _EVERY_KEYWORD), None)
        if lost == b"auth_pass" or (words[0] == b"auth_type" and lost):
            yield error(
                "password-lost",
                "auth_pass stands behind auth_type on one line: keepalived does not read it, and "
                "the adverts are not authenticated",
                line.place,
                evidence="one statement a line: what follows the first value is not read",
                fix="put auth_pass on a line of its own, on both directors at the same time",
            )
        elif lost is not None:
            yield error(
                "keyword-lost",
                f"{lost.decode()} stands behind {keyword} on one line: keepalived does not read it",
                line.place,
                evidence="one statement a line: what follows the first value is not read",
                fix=f"put {lost.decode()} on a line of its own",
            )
        elif words[2][:1] in (b"/", b";") and words[2][:2] in (b"//", b"/*", b";"):
            text = f"{keyword}: comments begin with # or !; keepalived happens not to read this one"
            yield note("foreign-comment", text, line.place, fix="write # instead")
        else:
            yield warning(
                "extra-words",
                f"{keyword}: words behind its value are not read",
                line.place,
                fix="take them out, or put them on lines of their own",
            )


def crowded_entries(context: LintContext) -> Iterator[Finding]:
    """`virtual_ipaddress { a b }` takes the first entry only."""
    for block in context.tree.every_block():
        if block.keyword not in _ONE_A_LINE:
            continue
        for line in block.statements():
            what = block.keyword.decode()
            for word in line.words[1:]:
                if _entry_like(block.keyword, line.words, word):
                    text = f"{what}: of several entries on one line keepalived takes the first only"
                    yield error("entries-on-one-line", text, line.place, fix="one entry a line")
                    break


_ONE_A_LINE = frozenset(
    (b"virtual_ipaddress", b"virtual_ipaddress_excluded", b"unicast_peer", b"track_interface")
)
_ADDRESS = re.compile(
    rb"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+(/[0-9]+)?|[0-9A-Fa-f]*:[0-9A-Fa-f:]+(/\d+)?"
)
_TAKES_ADDRESS = frozenset((b"brd", b"broadcast", b"peer", b"label", b"dev", b"scope"))
_INTERFACE_OPTIONS = _OF_WEIGHT | {b"weight"}


def _entry_like(keyword: bytes, words: tuple[bytes, ...], word: bytes) -> bool:
    before = words[words.index(word) - 1]
    if keyword == b"track_interface":
        return word not in _INTERFACE_OPTIONS and before != b"weight"
    return before not in _TAKES_ADDRESS and _ADDRESS.fullmatch(word) is not None
