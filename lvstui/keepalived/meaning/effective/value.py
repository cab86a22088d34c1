"""One effective value, and the things that have values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from lvstui.model.config import Place
from lvstui.model.keys import ServiceKey

Plain = str | int | float | bool | None


class Origin(str, Enum):
    """Where a value comes from."""

    WRITTEN = "written"
    """It stands in the block itself."""
    INHERITED = "inherited"
    """It stands in a block around it, or in global_defs."""
    DEFAULT = "default"
    """It stands nowhere: keepalived's own."""
    ADJUSTED = "adjusted"
    """keepalived uses another value than what is written at `place`."""


@dataclass(frozen=True, slots=True)
class Value:
    """What one keyword comes to."""

    keyword: str
    value: Plain
    """A secret is `********`. None: off, or not set."""
    origin: Origin
    place: Place | None = None
    """Where it is written; None for a default."""
    source: str = ""
    """From what it is inherited, or why it is what it is: `virtual_server 10.0.0.1 80`."""
    unit: str = ""
    """`s`, or empty."""

    @property
    def text(self) -> str:
        """The value with its unit, to be shown."""
        value = self.value
        if value is None or value == "":
            return "none"
        if isinstance(value, bool):
            return "on" if value else "off"
        text = f"{value:g}" if isinstance(value, float) else str(value)
        return f"{text} {self.unit}" if self.unit else text


@dataclass(frozen=True, slots=True)
class Section:
    """One thing with its values: a service, a real server, a check, an instance …"""

    kind: str
    """`service`, `server`, `checker`, `url`, `instance`, `sync-group`, `script`, `track-file`,
    `track-process`, `globals`."""
    title: str
    """As the operator knows it: `tcp 10.10.0.20:80`, `10.10.0.3:80`, `TCP_CHECK`, a name."""
    place: Place | None
    values: tuple[Value, ...]
    sections: tuple[Section, ...] = ()
    """What stands in it: servers of a service, checks of a server."""
    service: ServiceKey | None = None

    def value(self, keyword: str) -> Value:
        """The (first) value of `keyword`. Raises KeyError."""
        for value in self.values:
            if value.keyword == keyword:
                return value
        raise KeyError(keyword)
