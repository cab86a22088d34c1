"""The audit log: every write, before it is tried and after it was read back."""

from __future__ import annotations

import json
import os
import pwd
import secrets
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from lvstui.operations.plan import Plan, StepResult
from lvstui.readonly import forbid
from lvstui.sources.audit import Entry, audit_path, entries


def operator_name() -> str:
    """Who is at the keyboard: the user behind sudo, else the login."""
    for variable in ("SUDO_USER", "DOAS_USER"):
        if name := os.environ.get(variable):
            return name
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _new_id() -> str:
    return f"{time.strftime('%Y%m%dT%H%M%S')}-{secrets.token_hex(3)}"


class AuditLog:
    """Appends entries. Each `write` is on disk (fsync) before it returns."""

    def __init__(self, path: Path | None = None, who: str | None = None) -> None:
        self.path = path or audit_path()
        self.who = who or operator_name()

    def planned(self, plan: Plan) -> str:
        """Record what will be tried; returns the operation's id. Raises OSError: then nothing
        may be applied, for it could not be accounted for."""
        id_ = _new_id()
        self._write([self._entry(plan, id_, "planned", index) for index in range(len(plan.steps))])
        return id_

    def done(self, plan: Plan, id_: str, results: tuple[StepResult, ...]) -> None:
        """Record what came of it. Raises OSError."""
        self._write(
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
    ) -> None:
        """Record what came of it: as for `begin`, then whether it is as planned, and how it ended
        in words. Raises OSError."""
        self._write(
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
        now = time.time()
        return Entry(
            id=id_,
            phase=phase,
            at=round(now, 6),
            time=datetime.fromtimestamp(now).astimezone().isoformat(timespec="milliseconds"),
            who=self.who,
            host=address,
            operation=operation,
            service="",
            server=address,
            name=name,
            ok=ok,
            reason=reason,
            error="" if ok else end,
            text=what if phase == "planned" else end,
        )

    def last_undoable(self) -> tuple[Entry, ...]:
        """The steps of this operator's last operation that changed something and was not taken
        back; empty when there is none."""
        try:
            found = [e for e in entries(self.path) if e.phase == "done" and e.who == self.who]
        except OSError:
            return ()
        undone = {entry.undoes for entry in found if entry.undoes and entry.ok}
        for last in reversed(found):
            # Without a service it is no weight: a change of a real server has an undo of its own.
            if last.ok and last.service and last.operation != "undo" and last.id not in undone:
                return tuple(e for e in found if e.id == last.id and e.ok)
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
        now = time.time()
        return Entry(
            id=id_,
            phase=phase,
            at=round(now, 6),
            time=datetime.fromtimestamp(now).astimezone().isoformat(timespec="milliseconds"),
            who=self.who,
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

    def _write(self, lines: list[Entry]) -> None:
        forbid()
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        handle = os.open(self.path, flags, 0o600)
        try:
            text = "".join(
                json.dumps(
                    {k: v for k, v in asdict(line).items() if v not in (None, "")},
                    ensure_ascii=False,
                )
                + "\n"
                for line in lines
            )
            os.write(handle, text.encode())
            os.fsync(handle)
        finally:
            os.close(handle)
