"""An observation as one JSON line and back: for streams, recordings and test data.

The form follows the dataclasses: `{"at":…,"host":…,"source":…,"fact":"TableSeen",…fields}`.
Enums are their values, tuples are arrays, None is null.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from enum import Enum
from functools import cache
from typing import Any

from lvstui.model import facts

FORMAT = 1
"""Version of the format; a reader refuses a later one."""

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
    return json.dumps(line, separators=(",", ":"), ensure_ascii=False)


def decode(line: str) -> facts.Observation:
    """The observation in one line. Raises ValueError saying what is wrong with it."""
    try:
        raw = json.loads(line)
        kind = _FACTS[raw["fact"]]
        fact = _build(kind, raw["is"])
        return facts.Observation(
            float(raw["at"]), str(raw["host"]), str(raw["source"]), fact, bool(raw.get("past"))
        )
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"not an observation ({error!r}): {line[:80]!r}") from None


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
    if raw is None:
        return None
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        known = _hints(hint)
        return hint(**{name: _build(known[name], raw[name]) for name in raw if name in known})
    origin = typing.get_origin(hint)
    if origin is tuple:
        inner = typing.get_args(hint)
        if len(inner) == 2 and inner[1] is Ellipsis:
            return tuple(_build(inner[0], value) for value in raw)
        return tuple(_build(kind, value) for kind, value in zip(inner, raw, strict=True))
    if origin in (typing.Union, types.UnionType):
        (kind,) = [kind for kind in typing.get_args(hint) if kind is not type(None)]
        return _build(kind, raw)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(raw)
    return raw
