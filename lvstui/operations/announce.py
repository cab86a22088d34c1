"""Announcing virtual addresses again: who knows another MAC for one sends to this host from then
on. Only for addresses that this host holds: from elsewhere it would take their traffic away from
the owner."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lvstui.model.changes import Ended
from lvstui.model.link_warnings import who
from lvstui.model.picture import Picture
from lvstui.model.text import plain
from lvstui.operations.audit import AuditLog, Deed, NotRecordedError
from lvstui.operations.change import (
    NOT_BEGUN,
    Outcome,
    Part,
    Plan,
    Progress,
    ReadBack,
    Step,
    Stop,
    Tell,
    not_recorded,
    refused,
    silent,
    stops,
    worst,
)
from lvstui.process.readonly import forbid
from lvstui.realserver.probes import Unavailable, announce, ask_all

ANNOUNCE = "announce"
"""The operation in the audit log."""
_VERIFY = "asked who has it, nobody else answers"
_UNDO = "there is nothing to undo: it says what is so"


@dataclass(frozen=True, slots=True)
class AnnouncePlan(Plan):
    """Addresses that this director announces."""

    host: str = ""
    vips: tuple[str, ...] = ()

    @property
    def parts(self) -> tuple[Part, ...]:
        if not self.vips:
            return ()
        steps = tuple(Step(f"announce {vip} on its link", _VERIFY, _UNDO) for vip in self.vips)
        return (Part(self.host, steps=steps),)

    @property
    def deeds(self) -> tuple[Deed, ...]:
        return tuple(Deed(self.host, vip, ANNOUNCE, what=vip) for vip in self.vips)

    @property
    def shell_lines(self) -> tuple[str, ...]:
        return (" ".join(("lvstui announce", *self.vips)),)


def plan_announcement(
    picture: Picture, vips: Sequence[str] = (), *, reason: str = ""
) -> AnnouncePlan:
    """The plan for these virtual addresses; for all that this host holds when none is named."""
    here = [vip for instance in picture.instances for vip in instance.vips_here]
    known = {vip for instance in picture.instances for vip in instance.vips}
    chosen = tuple(dict.fromkeys(vips or here))
    refusals = []
    for vip in chosen:
        if vip not in known:
            refusals.append(f"{plain(vip, 60)} is no virtual address of this director")
        elif vip not in here:
            refusals.append(f"{vip} is not on this host: announce it from the MASTER")
    if not chosen:
        refusals.append("this host holds no virtual address: announce them from the MASTER")
    cautions = [
        f"{rival.address}: {who(rival.mac, rival.host)} speaks for it as well, so its clients come "
        "here only until that one announces it"
        for rival in picture.rivals
        if rival.address in chosen
    ]
    effects = [
        f"whoever has another MAC for {vip} in his neighbour table sends to this host from now on"
        for vip in chosen
    ]
    named = chosen[0] if chosen else ""
    more = f" and {len(chosen) - 1} more" if len(chosen) > 1 else ""
    return AnnouncePlan(
        f"announce {plain(named, 60)}{more}".rstrip(),
        picture.host,
        chosen,
        effects=tuple(effects),
        cautions=tuple(dict.fromkeys(cautions)),
        refusals=tuple(refusals),
        reason=reason,
    )


class LinkVoice:
    """The wire of this host: says and asks."""

    def announce(self, vip: str) -> str:
        """Announce one; what came of it in words: `announced, …` when it was done."""
        forbid()
        return announce([vip])

    def others(self, vip: str) -> tuple[str, ...]:
        """MACs that answer for it besides this host's."""
        found = ask_all([vip])[vip]
        return () if isinstance(found, Unavailable) else tuple(a.mac for a in found.answers)


class Announcements:
    """Carries plans out; blocks, so it belongs on a worker's thread."""

    def __init__(
        self,
        *,
        read_only: bool = False,
        audit: AuditLog | None = None,
        voice: LinkVoice | None = None,
        named: Callable[[str], str] = lambda mac: mac,
    ) -> None:
        self.read_only = read_only
        self._audit = audit or AuditLog()
        self._voice = voice or LinkVoice()
        self._named = named

    def apply(
        self, plan: AnnouncePlan, *, tell: Tell = silent, stop: Stop | None = None
    ) -> Outcome:
        """Announce each, ask who answers, record it. Never raises for what the link refuses."""
        why = stops(plan, read_only=self.read_only)
        if why:
            return refused(plan, why)

        results: list[ReadBack] = []
        ends: list[Ended] = []
        done: list[Deed] = []
        try:
            with self._audit.around(plan.deeds, plan.reason, plan.undoes) as record:
                for number, (vip, deed) in enumerate(zip(plan.vips, plan.deeds, strict=True), 1):
                    ended, text = Ended.STOPPED, NOT_BEGUN
                    if stop is None or not stop.is_set():
                        tell(Progress(number, len(plan.vips), plan.host, f"announcing {vip}"))
                        ended, text = self._one(vip)
                    ends.append(ended)
                    results.append(ReadBack(plan.host, vip, ended.good, text))
                    done.append(deed.came(ended.good, text))
                record.came = done
        except NotRecordedError as error:
            return not_recorded(plan, error)
        said = "; ".join(f"{one.what}: {one.seen}" for one in results)
        outcome = Outcome(plan, worst(ends), record.id, said, tuple(results))
        return outcome.recorded(record.unrecorded)

    def _one(self, vip: str) -> tuple[Ended, str]:
        try:
            said = self._voice.announce(vip)
        except OSError as error:
            return Ended.FAILED, plain(str(error))
        if not said.startswith("announced"):
            return Ended.FAILED, said
        others = self._voice.others(vip)
        if others:
            return Ended.TROUBLE, f"{said}; {', '.join(map(self._named, others))} answers as well"
        return Ended.DONE, f"{said}; nobody else answers for it"
