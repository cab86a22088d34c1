"""The rows of the table: which services and real servers are shown, and in what order.

Pure: from the services of a picture and what the operator asked to see to an ordered list. Work
is done again only for services that are new objects; the rest is taken from the last build.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import Enum
from typing import Any, cast

from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.model.picture import ServerView, ServiceView, Severity, State
from lvstui.tui.widgets.format import filter_words, width_of

Row = ServiceView | ServerView
RowId = tuple[ServiceKey, ServerKey | None]


class Sort(str, Enum):
    """An order, in the words that the screen uses."""

    FILE = "as configured"
    NAME = "address"
    STATE = "state"
    RATE = "conn/s"
    ACTIVE = "active"
    TRAFFIC = "traffic"


BIGGEST_FIRST = frozenset({Sort.RATE, Sort.ACTIVE, Sort.TRAFFIC})
"""Orders whose natural direction is downwards."""

_WORST_FIRST = {
    state: rank
    for rank, state in enumerate(
        (
            State.DOWN,
            State.OVERLOADED,
            State.FOREIGN,
            State.DRAINING,
            State.DRAINED,
            State.DISABLED,
            State.UNVERIFIED,
            State.STANDBY,
            State.UP,
        )
    )
}
_SEVERITY = {Severity.BAD: 0, Severity.WARN: 1, Severity.INFO: 2, Severity.GOOD: 3}
_CALM = frozenset({State.UP, State.UNVERIFIED, State.STANDBY})


@dataclass(frozen=True, slots=True)
class ViewOptions:
    """What the operator asked to see."""

    sort: Sort = Sort.FILE
    reverse: bool = False
    """Against the natural direction of `sort`."""
    pattern: str = ""
    """Words that all must be found; a leading `!` hides what matches instead."""
    faults: bool = False
    """Only what is not plainly up."""

    @property
    def narrowed(self) -> bool:
        """Some rows may be hidden; folding rests meanwhile, so that what matches is seen."""
        return bool(self.pattern.strip("! ")) or self.faults


def row_id(row: Row) -> RowId:
    """The identity of a row in every picture."""
    if isinstance(row, ServerView):
        return row.service, row.key
    return row.key, None


def is_fault(server: ServerView) -> bool:
    """Whether the server belongs on a list of faults."""
    return server.state not in _CALM or bool(server.differs)


def _service_text(view: ServiceView) -> str:
    return f"{view.key} {view.name} {view.scheduler} {view.forwarding} {view.reason}".lower()


def _server_text(view: ServerView) -> str:
    return f"{view.key} {view.name} {view.state.value} {view.reason} {view.checker}".lower()


def _traffic(row: Row) -> float:
    return row.rates.bytes_in + row.rates.bytes_out if row.rates else -1.0


def _rate(row: Row) -> float:
    return row.rates.connections if row.rates else -1.0


def _address(row: Row) -> tuple[Any, ...]:
    if isinstance(row, ServiceView):
        key = row.key
        return key.protocol, key.family, _sortable(key.address), key.port, key.fwmark
    return row.key.family, _sortable(row.key.address), row.key.port


def _sortable(address: str) -> tuple[int, ...] | tuple[str, ...]:
    parts = address.split(".")
    return tuple(map(int, parts)) if len(parts) == 4 else (address,)


def _badness(row: Row) -> tuple[Any, ...]:
    if isinstance(row, ServiceView):
        return _SEVERITY[row.severity], row.up - row.pool
    return _WORST_FIRST[row.state], not row.differs


_KEYS: dict[Sort, Callable[[Row], Any]] = {
    Sort.NAME: _address,
    Sort.STATE: _badness,
    Sort.RATE: _rate,
    Sort.ACTIVE: lambda row: row.active,
    Sort.TRAFFIC: _traffic,
}


def ordered(rows: Iterable[Row], shape: ViewOptions) -> list[Row]:
    """Rows of one level in the order that was asked for; equal ones stay as configured."""
    if shape.sort is Sort.FILE:
        found = list(rows)
        return found[::-1] if shape.reverse else found
    down = (shape.sort in BIGGEST_FIRST) != shape.reverse
    return sorted(rows, key=_KEYS[shape.sort], reverse=down)


@dataclass(slots=True)
class _Kept:
    """What one service gave at the last build."""

    view: ServiceView
    servers: tuple[Row, ...] | None
    """None: the service itself is hidden."""
    width: int
    """Cells that its longest name needs, indents not counted."""


class RowList:
    """An ordered list of rows that is rebuilt by difference."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        """What is shown, top to bottom."""
        self.name_width = 0
        """Cells that the longest name among all shown services needs, indent included."""
        self.hidden = 0
        """Real servers that the filter hides."""
        self._starts: dict[ServiceKey, int] = {}
        self._kept: dict[ServiceKey, _Kept] = {}
        self._shape = ViewOptions()

    def build(
        self, services: Sequence[ServiceView], shape: ViewOptions, folded: AbstractSet[ServiceKey]
    ) -> None:
        """Make the list anew for these services."""
        if shape != self._shape:
            self._kept.clear()
            self._shape = shape
        kept: dict[ServiceKey, _Kept] = {}
        last = self._kept
        for view in services:
            known = last.get(view.key)
            if known is None or known.view is not view:
                servers = self._choose(view, shape)
                known = _Kept(view, servers, known.width if known else 0)
                known.width = max(known.width, _name_width(view))
            kept[view.key] = known
        self._kept = kept
        rows: list[Row] = []
        starts: dict[ServiceKey, int] = {}
        width = shown = total = 0
        narrowed = shape.narrowed
        untouched = shape.sort is Sort.FILE and not shape.reverse
        for row in services if untouched else ordered(services, shape):
            view = cast(ServiceView, row)
            known = kept[view.key]
            total += len(view.servers)
            if known.servers is None:
                continue
            starts[view.key] = len(rows)
            rows.append(view)
            shown += len(known.servers)
            if known.width > width:
                width = known.width
            if narrowed or view.key not in folded:
                rows.extend(known.servers)
        self.rows, self._starts = rows, starts
        self.name_width = width
        self.hidden = total - shown

    def _choose(self, view: ServiceView, shape: ViewOptions) -> tuple[Row, ...] | None:
        words, inverse = filter_words(shape.pattern)

        def match(line: str) -> bool:
            return all(word in line for word in words)

        servers: Sequence[ServerView] = view.servers
        if shape.faults:
            servers = [server for server in servers if is_fault(server)]
            if not servers and view.severity in (Severity.GOOD, Severity.INFO):
                return None
        if words:
            whole = match(_service_text(view))
            if inverse:
                if whole:
                    return None
                left = [server for server in servers if not match(_server_text(server))]
                if servers and not left:
                    return None
                servers = left
            elif not whole:
                # Words may be spread: "web down" finds the down servers of the service web.
                head = _service_text(view) + " "
                servers = [server for server in servers if match(head + _server_text(server))]
                if not servers:
                    return None
        return tuple(ordered(servers, shape))

    def index(self, wanted: RowId) -> int | None:
        """Where that row is, None when it is not shown."""
        service, server = wanted
        start = self._starts.get(service)
        if start is None or server is None:
            return start
        for at in range(start + 1, len(self.rows)):
            row = self.rows[at]
            if not isinstance(row, ServerView):
                return None
            if row.key == server:
                return at
        return None

    def __len__(self) -> int:
        return len(self.rows)


def _name_width(view: ServiceView) -> int:
    """Cells for the longest name of a service: see `columns` for how it is put together."""
    width = len(str(view.key)) + (width_of(view.name) + 1 if view.name else 0)
    longest = 0
    for server in view.servers:
        key = server.key
        # Cheaper than str(): brackets for IPv6, colon and digits of the port.
        needs = len(key.address) + (2 if ":" in key.address else 0)
        needs += len(str(key.port)) + 1 if key.port else 0
        if server.name:
            needs += width_of(server.name) + 1
        if needs > longest:
            longest = needs
    return max(width + 2, longest + 4)
