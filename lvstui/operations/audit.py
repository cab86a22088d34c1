"""The audit log: every write, before it is tried and after it was read back."""

from __future__ import annotations

import errno
import os
import secrets
import stat
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from lvstui.operations import journal
from lvstui.operations.identity import Identity, identify
from lvstui.operations.plan import Plan, StepResult
from lvstui.process.readonly import forbid
from lvstui.remote.append import append_lines
from lvstui.sources.audit import START, Entry, audit_path, digest, encode, entries


def _new_id() -> str:
    return f"{time.strftime('%Y%m%dT%H%M%S')}-{secrets.token_hex(3)}"


class AuditLog:
    """Appends entries. What is recorded is on disk (fsync) before this says so, and a copy of it
    goes to the journal.

    Before a change it is recorded or OSError is raised; after it nothing can fail any more.
    """

    def __init__(
        self,
        path: Path | None = None,
        who: str | Identity | None = None,
        copy: Callable[[Sequence[str]], None] | None = None,
    ) -> None:
        """path: instead of the host's own log; then nothing goes to the journal but by `copy`."""
        self.path = path or audit_path()
        self.identity = Identity(who) if isinstance(who, str) else who or identify()
        self._copy = copy or (journal.copy if path is None else None)

    @property
    def who(self) -> str:
        """The operator as he is named everywhere, with the claim beside it."""
        return str(self.identity)

    def own(self, entry: Entry) -> bool:
        """Whether this operator made that entry."""
        return Identity(entry.who, entry.claims) == self.identity

    def planned(self, plan: Plan) -> str:
        """Record what will be tried; returns the operation's id. Raises OSError: then nothing
        may be applied, for it could not be accounted for."""
        id_ = _new_id()
        self._write([self._entry(plan, id_, "planned", index) for index in range(len(plan.steps))])
        return id_

    def done(self, plan: Plan, id_: str, results: tuple[StepResult, ...]) -> str:
        """Record what came of it. Returns why it could not be recorded; empty: it was."""
        return self._after(
            [self._entry(plan, id_, "done", index, result) for index, result in enumerate(results)]
        )

    def begin(self, changes: Sequence[tuple[str, str, str, str]], reason: str) -> str:
        """Record what will be tried on real servers, each as (address, name, operation, what in
        words); returns the id. Raises OSError as `planned` does."""
        id_ = _new_id()
        self._write([self._remote(id_, "planned", *change, reason=reason) for change in changes])
        return id_

    def end(
        self, id_: str, changes: Sequence[tuple[str, str, str, str, bool, str]], reason: str
    ) -> str:
        """Record what came of it: as for `begin`, then whether it is as planned, and how it ended
        in words. Returns why it could not be recorded; empty: it was."""
        return self._after(
            [
                self._remote(id_, "done", *change[:4], ok=change[4], end=change[5], reason=reason)
                for change in changes
            ]
        )

    def _remote(
        self,
        id_: str,
        phase: str,
        address: str,
        name: str,
        operation: str,
        what: str,
        *,
        reason: str,
        ok: bool | None = None,
        end: str = "",
    ) -> Entry:
        return replace(
            self._new(id_, phase),
            host=address,
            operation=operation,
            server=address,
            name=name,
            ok=ok,
            reason=reason,
            error="" if ok else end,
            text=what if phase == "planned" else end,
            what="" if phase == "planned" else what,
        )

    def _new(self, id_: str, phase: str) -> Entry:
        now = time.time()
        return Entry(
            id=id_,
            phase=phase,
            at=round(now, 6),
            time=datetime.fromtimestamp(now).astimezone().isoformat(timespec="milliseconds"),
            who=self.identity.who,
            claims=self.identity.claims,
            host="",
            operation="",
        )

    def entries(self) -> tuple[Entry, ...]:
        """What is on record, oldest first; nothing when it can not be read."""
        try:
            return tuple(entries(self.path))
        except OSError:
            return ()

    def original_weight(self, service: str, server: str) -> int | None:
        """The weight before the last drain of that server; None when none is recorded."""
        weight: int | None = None
        try:
            for entry in entries(self.path):
                if (
                    entry.phase == "done"
                    and entry.ok
                    and entry.service == service
                    and entry.server == server
                    and entry.before
                    and entry.after == 0
                ):
                    weight = entry.before
        except OSError:
            return None
        return weight

    def _entry(
        self, plan: Plan, id_: str, phase: str, index: int, result: StepResult | None = None
    ) -> Entry:
        step = plan.steps[index]
        return replace(
            self._new(id_, phase),
            host=plan.host,
            operation=plan.operation,
            service=str(step.service),
            server=str(step.server),
            name=step.name,
            before=step.before,
            after=step.after,
            seen=result.seen if result is not None else None,
            ok=result.ok if result is not None else None,
            reason=plan.reason,
            error=result.error if result is not None else "",
            undoes=plan.undoes,
        )

    def _after(self, found: list[Entry]) -> str:
        try:
            self._write(found)
        except OSError as error:
            return f"not recorded in the audit log: {error}"
        return ""

    def _write(self, found: list[Entry]) -> None:
        copies: list[str] = []

        def lines(last: bytes) -> bytes:
            copies.clear()
            whole = []
            for entry in found:
                entry = replace(entry, prev=digest(last) if last else START)
                last = encode(entry)
                copies.append(journal.message(entry, digest(last)))
                whole.append(last + b"\n")
            return b"".join(whole)

        forbid()
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        kept = False
        while not kept:
            handle = os.open(self.path, flags, 0o600)
            try:
                if not stat.S_ISREG(os.fstat(handle).st_mode):
                    raise OSError(errno.EINVAL, "it is no regular file", str(self.path))
                append_lines(handle, lines)
                # Removed while we waited for the lock: nobody would ever read it.
                kept = os.fstat(handle).st_nlink > 0
            finally:
                os.close(handle)
        if self._copy is not None:
            self._copy(copies)
