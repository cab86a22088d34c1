"""What of a configuration may be shown: one function decides, by an allow-list from the table.

Shown are numbers, addresses, keepalived's own words, interfaces, names where a name is expected,
and paths. Whatever else stands there, arguments of programs and unknown words first of all, may
be a password, and is replaced by `MASK`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from lvstui.keepalived.keywords import (
    ENTRY_REQUIRED,
    KNOWN_WORDS,
    ROUTE_TYPES,
    SECRET_KEYWORDS,
    ValueKind,
    walk,
)
from lvstui.keepalived.text.tree import Statement
from lvstui.model.text import plain

MASK = b"********"
HIDDEN = MASK.decode()
_LIMIT = 160

_OPTIONS = frozenset(
    b"dev oif iif label scope table brd peer group track_group inst lookup protocol ttl-propagate "
    b"type interfaces all".split()
) | frozenset().union(*ENTRY_REQUIRED.values())
"""Behind one of these in an entry stands a name."""
_WORDS = (
    KNOWN_WORDS
    | _OPTIONS
    | ROUTE_TYPES
    | frozenset(choice.encode() for keyword in walk() for choice in keyword.choices)
    | frozenset(
        b"on off true false yes no home noprefixroute mngtmpaddr nodad -nodad autojoin no_track "
        b"preferred_lft forever up down delay reverse noreverse inverse create overwrite startup "
        b"shutdown initial partial ipip gue gre nocsum csum remcsum port id maxlen grp weight tcp "
        b"tcpfin udp sctp none fwmark default vs_flush any never all MTU ADVERT NO_SEND_RX host "
        b"link global site exact initial_weight allow_if_changes"
        b" caseless multiline dotall extended anchored ungreedy utf + -".split()
    )
)
_PLAIN = re.compile(
    rb"[+-]?[0-9]{1,20}(?:\.[0-9]*)?(?:[-:][0-9.]{1,20})?[%s]?|0x[0-9A-Fa-f]{1,8}"
    rb"|[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?:/[0-9.]+|-[0-9.]+)?"
    rb"|(?=[^:]*:[^:]*:)[0-9A-Fa-f:]{2,39}(?:[0-9.]{7,15})?(?:[/-][0-9A-Fa-f:]+)?(?:%[\w.-]{1,15})?"
    rb"|\*{3,}|[{}]"
)
_USE = re.compile(rb"\$\{?[A-Za-z_][A-Za-z0-9_]*\}?")
_BESIDE_USE = re.compile(rb"[0-9.:/,-]*")
_INTERFACE = re.compile(rb"[A-Za-z0-9_.:-]{1,15}")
_NAME = re.compile(rb"[A-Za-z0-9_\x80-\xff][A-Za-z0-9_.:\x80-\xff-]{0,63}")
_FILE = re.compile(rb"[A-Za-z0-9_./+~-][A-Za-z0-9_./:+~-]{0,254}")
_SHAPES: Mapping[ValueKind, re.Pattern[bytes]] = {
    ValueKind.INTERFACE: _INTERFACE,
    ValueKind.SYNC: _NAME,
    ValueKind.NAME: _NAME,
    ValueKind.NAMES: _NAME,
    ValueKind.BLOCK: _NAME,
    ValueKind.HOST: re.compile(rb"\.|(?:[a-z0-9_](?:[a-z0-9-]{0,61}[a-z0-9])?\.?){1,10}"),
    ValueKind.MAIL: re.compile(rb"[A-Za-z0-9_.+-]{1,64}(?:@[A-Za-z0-9.-]{1,200})?"),
    ValueKind.USER: re.compile(rb"[A-Za-z_][A-Za-z0-9_-]{0,31}"),
    ValueKind.PATH: _FILE,
}
"""What the first value looks like, where it is a word that people choose."""
_MANY = frozenset((ValueKind.NAMES, ValueKind.SYNC, ValueKind.USER, ValueKind.MAIL))
_NOTHING = frozenset((ValueKind.SECRET, ValueKind.OPAQUE))
_PROGRAMS = frozenset((ValueKind.COMMAND, ValueKind.NOTIFY, ValueKind.PROCESS))

_URL = re.compile(rb"(https?://)?(?:([^/@?#]*)@)?([^?#]*)([?#].*)?", re.DOTALL)
_READABLE = re.compile(rb"(?:[A-Z]?[a-z]{1,12}(?:[._-][a-z]{1,12})*|v?[0-9]{1,3})?")


def shows(word: bytes) -> bool:
    """Whether a word says nothing but a number, an address or a word of keepalived's own."""
    if word in _WORDS or _PLAIN.fullmatch(word):
        return True
    return b"$" in word and _BESIDE_USE.fullmatch(_USE.sub(b"", word)) is not None


def shows_keyword(word: bytes) -> bool:
    """Whether an unknown word in a keyword's place is one that was mistyped, and no password that
    lost its keyword: one letter is wrong, missing, or too many."""
    return word in _WORDS or bool(meant(word))


@lru_cache(maxsize=4096)
def meant(word: bytes) -> frozenset[bytes]:
    """The keywords that a mistyped one may stand for."""
    if len(word) < 4 or not word.islower():
        return frozenset()
    near = _near()
    return frozenset().union(*(near.get(part, ()) for part in _shorter(word)))


@lru_cache(maxsize=1)
def _near() -> Mapping[bytes, set[bytes]]:
    found: dict[bytes, set[bytes]] = {}
    for word in KNOWN_WORDS:
        for part in _shorter(word) if len(word) > 3 else ():
            found.setdefault(part, set()).add(word)
    return found


def _shorter(word: bytes) -> set[bytes]:
    """The word, and what is left of it without one letter: near words have one in common."""
    return {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}


def shown_words(kind: ValueKind | None, words: Sequence[bytes]) -> Iterator[bytes]:
    """Each of the words that stand behind a keyword, or are an entry, as it may be shown.

    `kind` is what the table expects there, None for a keyword that is unknown.
    """
    shape = _SHAPES.get(kind) if kind is not None else None
    before = b""
    for index, word in enumerate(words):
        if kind is None or kind in _NOTHING:
            yield word if word in (b"{", b"}") else MASK
        elif kind in _PROGRAMS:
            yield shown_program(word) if index == 0 else MASK
        elif kind is ValueKind.URL and index == 0:
            yield shown_url(word)
        elif shows(word) or (
            shape is not None and (index == 0 or kind in _MANY) and shape.fullmatch(word)
        ):
            yield word
        else:
            yield word if before in _OPTIONS and _NAME.fullmatch(word) else MASK
        if word in SECRET_KEYWORDS or meant(word) & SECRET_KEYWORDS:
            # A line that lost its block: what comes now is what it says, wherever it stands.
            kind = None
        before = word


def shown_program(word: bytes) -> bytes:
    """The path of a program; its arguments hidden."""
    path, *arguments = word.strip().lstrip(b"'").split() or [b""]
    bare = path.rstrip(b"'")
    safe = bare if _FILE.fullmatch(_USE.sub(b"", bare) or b"x") else MASK
    return safe + (b" " + MASK if arguments and safe != MASK else b"")


def shown_url(word: bytes) -> bytes:
    """The path of a URL without user, query, and parts that nobody could read out."""
    match = _URL.fullmatch(word)
    assert match is not None
    scheme, user, rest, query = match.groups()
    parts = rest.split(b"/")
    safe = [
        part if _READABLE.fullmatch(part) or shows(part) or (scheme and not index) else MASK
        for index, part in enumerate(parts)
    ]
    at = MASK + b"@" if user is not None else b""
    return (scheme or b"") + at + b"/".join(safe) + (query[:1] + MASK if query else b"")


def value_of(statement: Statement, kind: ValueKind | None, entry: bool = False) -> str:
    """What stands behind its keyword, harmless; an entry of a value block as a whole."""
    return shown_text(kind, statement.words if entry else statement.words[1:])


def shown_text(kind: ValueKind | None, words: Sequence[bytes]) -> str:
    """These values as one text, harmless; several hidden words in a row are one."""
    if kind is None or kind in _NOTHING:
        return HIDDEN if words else ""
    found: list[bytes] = []
    for word in shown_words(kind, words):
        if not (found and word == MASK and found[-1].endswith(MASK)):
            found.append(word)
    text = plain(b" ".join(found), _LIMIT)
    if kind in _PROGRAMS or kind is ValueKind.URL:
        return text.replace(f" {HIDDEN}", " …").replace(f"?{HIDDEN}", "?…")
    return text
