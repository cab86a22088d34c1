"""An observation as one JSON line and back: for streams, recordings and test data.

The form follows the dataclasses: `{"at":…,"host":…,"source":…,"fact":"TableSeen",…fields}`.
Enums are their values, tuples are arrays, None is null.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import json
import types
import typing
from collections.abc import Callable
from enum import Enum
from functools import cache
from typing import Any

from lvstui.model import facts
from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.model.numbers import LAST_SECOND, MOST
from lvstui.model.text import plain
from lvstui.model.vrrp import Advert, InstanceSeen

FORMAT = 1
"""Version of the format; a reader refuses a later one."""

ADDRESSES: dict[type, tuple[str, ...]] = {
    ServerKey: ("address",),
    ServiceKey: ("address",),
    Advert: ("source", "vips"),
    InstanceSeen: ("vips", "master_address"),
    facts.AddressChanged: ("address",),
    facts.AddressClaimed: ("address", "hosts"),
    facts.AddressOwner: ("hosts",),
    facts.OwnersSeen: ("address",),
    facts.StraysSeen: ("address", "clients"),
}
"""Fields that hold addresses, or nothing: what reads them counts on it."""
_LONGEST = 1 << 16
"""Characters of one text in a fact: the longest line of a log or configuration that is read."""

_FACTS: dict[str, type] = {kind.__name__: kind for kind in typing.get_args(facts.Fact)}


def encode(seen: facts.Observation) -> str:
    """One line of JSON without the line end."""
    line: dict[str, Any] = {
        "at": round(seen.at, 6),
        "host": seen.host,
        "source": seen.source,
        "fact": type(seen.fact).__name__,
    }
    if seen.past:
        line["past"] = True
    line["is"] = _plain(seen.fact)
    return json.dumps(line, separators=(",", ":"))


def decode(line: str) -> facts.Observation:
    """The observation in one line. Raises ValueError saying what is wrong with it.

    Total, whoever wrote the line: every value is of its field's type, every number one that a
    source may have seen, and all text is made harmless.
    """
    try:
        raw = read_object(line)
        kind = _FACTS[_text(raw["fact"])]
        at, host, source = _float(raw["at"]), _text(raw["host"]), _text(raw["source"])
        fact, past = _build(kind, raw["is"]), _flag(raw.get("past", False))
        return facts.Observation(at, host, source, fact, past)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        why = plain(str(error) if isinstance(error, ValueError) else repr(error), 200)
        raise ValueError(f"not an observation ({why}): {plain(line, 80)!r}") from None


def read_object(line: str) -> dict[str, Any]:
    """The JSON object in one line. Raises ValueError for anything else, however deep it is."""
    try:
        raw = json.loads(line, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("brackets in brackets without end") from None
    if not isinstance(raw, dict):
        raise ValueError("no JSON object")
    return raw


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no number")


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        shown = {}
        for field in dataclasses.fields(value):
            inner = getattr(value, field.name)
            if inner != field.default or field.default is dataclasses.MISSING:
                shown[field.name] = _plain(inner)
        return shown
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple | list):
        return [_plain(inner) for inner in value]
    return value


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _build(hint: Any, raw: Any) -> Any:
    if hint in _LEAVES:
        return _LEAVES[hint](raw)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        if not isinstance(raw, dict):
            raise TypeError(f"{hint.__name__} from {type(raw).__name__}")
        known = _hints(hint)
        built = hint(**{name: _build(known[name], raw[name]) for name in raw if name in known})
        for name in ADDRESSES.get(hint, ()):
            _check_addresses(hint, getattr(built, name))
        return built
    origin = typing.get_origin(hint)
    if origin is tuple:
        if not isinstance(raw, list):
            raise TypeError(f"a list from {type(raw).__name__}")
        inner = typing.get_args(hint)
        if len(inner) == 2 and inner[1] is Ellipsis:
            return tuple(_build(inner[0], value) for value in raw)
        return tuple(_build(kind, value) for kind, value in zip(inner, raw, strict=True))
    if origin in (typing.Union, types.UnionType):
        if raw is None:
            return None
        (kind,) = [kind for kind in typing.get_args(hint) if kind is not type(None)]
        return _build(kind, raw)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(raw)
    raise TypeError(f"no way to read a {hint}")


def _check_addresses(kind: type, found: str | tuple[str, ...]) -> None:
    for address in (found,) if isinstance(found, str) else found:
        # A firewall mark has none, and not every dump names the master.
        if address or kind is Advert:
            ipaddress.ip_address(address)


def _require(raw: Any, what: str, *kinds: type) -> Any:
    # Not isinstance: true and false are no numbers here.
    if type(raw) not in kinds:
        raise TypeError(f"{what} from {type(raw).__name__}")
    return raw


def _text(raw: Any) -> str:
    return plain(_require(raw, "text", str), _LONGEST)


def _int(raw: Any) -> int:
    value: int = _require(raw, "a number", int)
    if abs(value) > MOST:
        raise ValueError("a number beyond 64 bits")
    return value


def _float(raw: Any) -> float:
    # No fact has a negative one: those in fractions are times, and how long something takes.
    if not 0 <= _require(raw, "a number", int, float) <= LAST_SECOND:
        raise ValueError("no time from 1970 to 9999")
    return float(raw)


def _flag(raw: Any) -> bool:
    return bool(_require(raw, "true or false", bool))


_LEAVES: dict[Any, Callable[[Any], Any]] = {str: _text, int: _int, float: _float, bool: _flag}
