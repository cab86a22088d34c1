"""The one who plans, applies, reads back, records and undoes."""

from __future__ import annotations

from collections.abc import Sequence

from lvstui.kernel.ipvs import KernelIpvs
from lvstui.kernel.table import TableReader, read_text
from lvstui.model.changes import Ended
from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.model.picture import Picture
from lvstui.operations.audit import AuditLog, Deed, NotRecordedError
from lvstui.operations.change import (
    NOT_BEGUN,
    Outcome,
    Progress,
    ReadBack,
    Stop,
    Tell,
    not_recorded,
    refused,
    silent,
    stops,
    worst,
)
from lvstui.operations.undo import Offer, Operation, offer, operations
from lvstui.operations.weights import SetKernelWeight, WeightsPlan, plan_weights
from lvstui.process.readonly import forbid


class LiveKernel:
    """The kernel of this host: written by netlink, read back from /proc/net/ip_vs, so that the
    proof does not come from the hand that wrote."""

    def set_weight(self, key: ServiceKey, server: ServerKey, weight: int) -> None:
        """Write one weight. Raises LookupError, PermissionError, OSError."""
        forbid()
        with KernelIpvs() as ipvs:
            ipvs.set_weight(key, server, weight)

    def weight(self, key: ServiceKey, server: ServerKey) -> int | None:
        """Read one weight; None when the server is not there. Raises OSError."""
        for service in TableReader().parse(read_text()).services:
            if service.key == key:
                for destination in service.destinations:
                    if destination.key == server:
                        return destination.weight
                return None
        # The file may leave a service out (`lvstui.kernel.truncated`).
        with KernelIpvs() as ipvs:
            left_out = ipvs.destinations(key)
        return next((found.weight for found in left_out if found.key == server), None)


class WeightChanges:
    """Plans are made on any thread; `apply` blocks on I/O and belongs on a worker's."""

    def __init__(
        self,
        *,
        read_only: bool = False,
        audit: AuditLog | None = None,
        kernel: LiveKernel | None = None,
    ) -> None:
        self.read_only = read_only
        self.audit = audit or AuditLog()
        self._kernel = kernel or LiveKernel()

    def plan(
        self,
        picture: Picture,
        operation: str,
        targets: Sequence[tuple[ServiceKey, ServerKey]],
        *,
        weight: int | None = None,
        reason: str = "",
    ) -> WeightsPlan:
        """What `operation` would do. Raises ValueError for an unknown operation."""
        return plan_weights(
            picture,
            operation,
            targets,
            weight=weight,
            reason=reason,
            original=self.audit.original_weight,
        )

    def operations(self, picture: Picture) -> tuple[Operation, ...]:
        """Everything of lvstui that is on record on this host, of any kind, newest first."""
        log = self.audit
        return operations(log.entries(), picture.changes, log.who, log.own)

    def last(self, picture: Picture, number: int | None = None) -> Offer | None:
        """What an undo takes back: this operator's newest operation of any kind, or the one with
        that number in `operations`. None when there is none."""
        return offer(self.operations(picture), picture.at, number)

    def apply(self, plan: WeightsPlan, *, tell: Tell = silent, stop: Stop | None = None) -> Outcome:
        """Apply a plan step by step, read each one back, record it. Never raises for what the
        kernel or the disk refuses: the outcome says it. `stop` is heeded between two steps.

        A step whose weight changed since the plan was made is not written: the operator decided
        on what he saw.
        """
        why = stops(plan, read_only=self.read_only)
        if why:
            return refused(plan, why)

        ends: list[Ended] = []
        results: list[ReadBack] = []
        done: list[Deed] = []
        try:
            with self.audit.around(plan.deeds, plan.reason, plan.undoes) as record:
                for number, (step, deed) in enumerate(zip(plan.steps, plan.deeds, strict=True), 1):
                    ended, seen, text = Ended.STOPPED, None, NOT_BEGUN
                    if stop is None or not stop.is_set():
                        tell(Progress(number, len(plan.steps), step.host, step.what))
                        ended, seen, text = self._step(step)
                    ends.append(ended)
                    done.append(deed.came(ended.good, text, seen))
                    read = f"weight {seen}" if seen is not None else ""
                    said = "; ".join(filter(None, (read, text)))
                    results.append(ReadBack(step.host, deed.server, ended.good, said))
                record.came = done
        except NotRecordedError as error:
            return not_recorded(plan, error)
        ended = worst(ends)
        if ended is Ended.FAILED and Ended.DONE in ends:
            ended = Ended.TROUBLE
        outcome = Outcome(plan, ended, record.id, _summary(plan, ends, done), tuple(results))
        return outcome.recorded(record.unrecorded)

    def _step(self, step: SetKernelWeight) -> tuple[Ended, int | None, str]:
        """How it ended, the weight that was read, and what is wrong with it."""
        try:
            now = self._kernel.weight(step.service, step.server)
            if now is None:
                return Ended.FAILED, None, "it is not in the kernel any more"
            if now != step.before:
                why = f"its weight is {now} now, {step.before} when this was planned: look again"
                return Ended.FAILED, now, why
            self._kernel.set_weight(step.service, step.server, step.after)
            seen = self._kernel.weight(step.service, step.server)
        except (OSError, LookupError) as error:
            return Ended.FAILED, None, str(error.args[-1] if error.args else error)
        if seen != step.after:
            return Ended.TROUBLE, seen, f"read back {seen}, not {step.after}"
        return Ended.DONE, seen, ""


def _summary(plan: WeightsPlan, ends: Sequence[Ended], done: Sequence[Deed]) -> str:
    good = [step for step, ended in zip(plan.steps, ends, strict=True) if ended is Ended.DONE]
    left = [step for step, ended in zip(plan.steps, ends, strict=True) if ended is Ended.STOPPED]
    words = []
    if good:
        first = good[0]
        more = f" and {len(good) - 1} more" if len(good) > 1 else ""
        label = first.name or str(first.server)
        words.append(f"{label}{more}: weight {first.before} → {first.after}, read back")
    words += [
        f"{deed.name or deed.server}: {deed.end}"
        for deed, ended in zip(done, ends, strict=True)
        if ended not in (Ended.DONE, Ended.STOPPED)
    ]
    if left:
        names = ", ".join(step.name or str(step.server) for step in left)
        words.append(f"stopped, and nothing was done to {names}")
    return f"{plan.operation}: " + "; ".join(words)
