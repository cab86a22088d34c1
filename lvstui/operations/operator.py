"""The one who plans, applies, reads back, records and undoes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from lvstui.kernel.ipvs import KernelIpvs
from lvstui.kernel.table import TableReader, read_text
from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.model.picture import Picture
from lvstui.operations import weights
from lvstui.operations.audit import AuditLog
from lvstui.operations.plan import Outcome, Plan, Step, StepResult
from lvstui.operations.undo import Offer, Operation, offer, operations
from lvstui.process.readonly import READ_ONLY, forbid


class Kernel(Protocol):
    """What an operation needs of the kernel."""

    def set_weight(self, key: ServiceKey, server: ServerKey, weight: int) -> None:
        """Write one weight."""

    def weight(self, key: ServiceKey, server: ServerKey) -> int | None:
        """Read one weight; None when the server is not there."""


class LiveKernel:
    """The kernel of this host: written by netlink, read back from /proc/net/ip_vs, so that the
    proof does not come from the hand that wrote."""

    def set_weight(self, key: ServiceKey, server: ServerKey, weight: int) -> None:
        """Raises LookupError, PermissionError, OSError."""
        forbid()
        with KernelIpvs() as ipvs:
            ipvs.set_weight(key, server, weight)

    def weight(self, key: ServiceKey, server: ServerKey) -> int | None:
        """Raises OSError."""
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


class Operator:
    """Plans are made on any thread; `apply` blocks on I/O and belongs on a worker's."""

    def __init__(
        self,
        *,
        read_only: bool = False,
        audit: AuditLog | None = None,
        kernel: Kernel | None = None,
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
    ) -> Plan:
        """What `operation` would do. Raises ValueError for an unknown operation."""
        return weights.plan_weights(
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

    def plan_undo(self, picture: Picture, offer: Offer) -> Plan:
        """What undoing an operation on weights would do."""
        return weights.plan_undo(picture, offer)

    def apply(self, plan: Plan) -> Outcome:
        """Apply a plan step by step, read each one back, record it. Never raises for what the
        kernel or the disk refuses: the outcome says it.

        A step whose weight changed since the plan was made is not written: the operator decided
        on what he saw.
        """
        if self.read_only:
            return Outcome(plan, (), "", f"refused: {READ_ONLY}")
        if plan.refusals:
            return Outcome(plan, (), "", "refused: " + "; ".join(plan.refusals))
        try:
            id_ = self.audit.planned(plan)
        except OSError as error:
            why = f"nothing was done: the audit log can not be written ({error})"
            return Outcome(plan, (), "", why)
        results = tuple(self._step(step) for step in plan.steps)
        text = _summary(plan, results)
        unrecorded = self.audit.done(plan, id_, results)
        if unrecorded:
            text += f"; {unrecorded}"
        return Outcome(plan, results, id_, text, unrecorded)

    def _step(self, step: Step) -> StepResult:
        try:
            now = self._kernel.weight(step.service, step.server)
            if now is None:
                return StepResult(step, False, None, "it is not in the kernel any more")
            if now != step.before:
                why = f"its weight is {now} now, {step.before} when this was planned: look again"
                return StepResult(step, False, now, why)
            self._kernel.set_weight(step.service, step.server, step.after)
            seen = self._kernel.weight(step.service, step.server)
        except (OSError, LookupError) as error:
            return StepResult(step, False, None, str(error.args[-1] if error.args else error))
        if seen != step.after:
            return StepResult(step, False, seen, f"read back {seen}, not {step.after}")
        return StepResult(step, True, seen)


def _summary(plan: Plan, results: tuple[StepResult, ...]) -> str:
    good = [result for result in results if result.ok]
    bad = [result for result in results if not result.ok]
    words = []
    if good:
        first = good[0].step
        label = first.name or str(first.server)
        more = f" and {len(good) - 1} more" if len(good) > 1 else ""
        words.append(f"{label}{more}: weight {first.before} → {first.after}, read back")
    words += [f"{result.step.name or result.step.server}: {result.error}" for result in bad]
    return f"{plan.operation}: " + "; ".join(words)
