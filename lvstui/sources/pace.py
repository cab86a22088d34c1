"""Which advertisements are worth a fact: whoever floods the wire must not crowd out the others."""

from __future__ import annotations

from lvstui.model.vrrp import Advert

MOST_PER_S = 500
"""Facts a second beyond one from each sender that is known."""
NEW_PER_S = 50
"""Facts a second from all senders that are not."""
AT_FIRST_S = 3.0
"""For so long nobody is known: then MOST_PER_S is for all."""
KNOWN_AFTER_S = 0.5
"""Who sends again after so long is known."""
SILENT_S = 60.0
"""Who has not been heard for so long is known no longer."""
MOST_KNOWN = 512
_MOST_NEW = 8192
"""New senders remembered: one that sends each second has to be found again in a flood."""
_USUAL_PER_S = 50.0
_SAME_WITHIN_S = 0.02

_Sender = tuple[str, int, int, str]


class _Sending:
    """What came from one sender for one VRID."""

    __slots__ = ("advert", "first", "heard", "passed")

    def __init__(self, advert: Advert, now: float) -> None:
        self.advert, self.first, self.heard = advert, now, now
        self.passed: float | None = None
        """When the last one was passed on."""


def _what(advert: Advert) -> tuple[object, ...]:
    return advert.priority, advert.interval_s, advert.vips


class Pace:
    """Each sender's advertisement for each VRID, but not its copies, and not more than one a second
    of the same when there are many; a change (priority, addresses, interval) passes.

    A sender that is known gets one through each second whatever else comes, and so does this host
    itself; ever new addresses share a small budget.
    """

    def __init__(self) -> None:
        self._known: dict[_Sender, _Sending] = {}
        self._new: dict[_Sender, _Sending] = {}
        self._began: float | None = None
        self._second = -1.0
        self._count = self._new_count = 0
        self.left_out = 0
        """Advertisements beyond the budgets."""

    def allows(self, advert: Advert, now: float) -> bool:
        """Whether to pass `advert` at `now` (monotonic seconds)."""
        if self._began is None:
            self._began = now
        if now - self._second >= 1.0:
            self._second, self._count, self._new_count = now, 0, 0
        key = (advert.source, advert.vrid, advert.version, advert.interface)
        seen = self._known.get(key) or self._find(key, advert, now)
        seen.heard = now
        if seen.passed is not None and _what(seen.advert) == _what(advert):
            # A flood must not make those that are known be heard less.
            many = len(self._known) or len(self._new)
            gap = min(1.0 - _SAME_WITHIN_S, max(_SAME_WITHIN_S, many / _USUAL_PER_S))
            if now - seen.passed < gap * 0.9:
                return False
        if not self._within_budget(key, seen, now):
            self.left_out += 1
            return False
        seen.passed, seen.advert = now, advert
        return True

    def _within_budget(self, key: _Sender, seen: _Sending, now: float) -> bool:
        if key in self._known:
            if seen.passed is None or now - seen.passed >= 1.0 - _SAME_WITHIN_S:
                return True
        else:
            most = MOST_PER_S if now - (self._began or now) < AT_FIRST_S else NEW_PER_S
            if self._new_count >= most:
                return False
            self._new_count += 1
        self._count += 1
        return self._count <= MOST_PER_S

    def _find(self, key: _Sender, advert: Advert, now: float) -> _Sending:
        """A sender that was not known until now."""
        seen = self._new.get(key)
        if seen is None:
            if len(self._new) >= _MOST_NEW:
                del self._new[next(iter(self._new))]
            seen = self._new[key] = _Sending(advert, now)
        elif (advert.outgoing or now - seen.first >= KNOWN_AFTER_S) and self._room(now):
            self._known[key] = self._new.pop(key)
        return seen

    def _room(self, now: float) -> bool:
        """Whether one more can be known: nobody who still sends makes room."""
        if len(self._known) >= MOST_KNOWN:
            for gone in [k for k, one in self._known.items() if now - one.heard > SILENT_S]:
                del self._known[gone]
        return len(self._known) < MOST_KNOWN
