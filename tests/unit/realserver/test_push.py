"""What a push says of its host comes from the host, not from the words of a phase that was cut."""

from __future__ import annotations

import dataclasses
from typing import cast

import pytest

from lvstui.model.changes import Ended
from lvstui.realserver import push
from lvstui.realserver.facts import MANIFEST
from lvstui.realserver.plan import plan_push
from lvstui.realserver.steps import ChangeFile
from lvstui.remote.runner import Ran, Runner
from tests.unit.realserver.looks import CENTOS7, look

FACTS = look(**CENTOS7)
PLAN = plan_push(FACTS, ["10.10.0.20"])


@dataclasses.dataclass
class Host:
    """Answers each question of a push by its name; a fake, since it has to fail in the middle."""

    answers: dict[str, Ran]
    manifest: bytes | None
    asked: list[str] = dataclasses.field(default_factory=list)

    def run(self, script: str, *, what: str, **_: object) -> Ran:
        self.asked.append(what)
        return self.answers[what]

    def read(self, path: str, **_: object) -> bytes | None:
        assert path == MANIFEST
        return self.manifest

    def close(self) -> None:
        pass


def pushed(monkeypatch: pytest.MonkeyPatch, host: Host) -> push.HostOutcome:
    monkeypatch.setattr(push, "look", lambda *_: FACTS)
    monkeypatch.setattr(push, "read_back", lambda *_, lasting: [])
    here = cast(Runner, host)
    return push.Push(lambda: here, PLAN, (), 15, lambda *_: (), lambda _: None).run()


def said(text: str, status: int = 0) -> Ran:
    return Ran(status, text.encode(), "")


BEGUN = {"begin the change": said("armed process\n"), "ask what was decided": said("")}
KILLED = Ran(143, b"", "Terminated")
NEW = next(
    step.after for step in PLAN.commit if isinstance(step, ChangeFile) and step.path == MANIFEST
)


@pytest.mark.parametrize("answer", [KILLED, said("gone: the timer ran out\n", 76)])
@pytest.mark.parametrize(
    ("manifest", "ended"), [(None, Ended.ROLLED_BACK), (NEW, Ended.DONE)], ids=["back", "kept"]
)
def test_whoever_was_faster_decides(
    monkeypatch: pytest.MonkeyPatch, answer: Ran, manifest: bytes | None, ended: Ended
) -> None:
    live = {"change what is in force": said("done\n")}
    host = Host({**BEGUN, **live, "make it last": answer}, manifest)
    outcome = pushed(monkeypatch, host)
    assert host.asked[-1] == "ask what was decided"
    assert (outcome.ended, "could not be" in outcome.text) == (ended, False), outcome


def test_trouble_that_the_host_tells_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = said("failed: no room\ntrouble: /etc/x can not be restored; it is tried again\n", 1)
    host = Host({**BEGUN, "change what is in force": broken}, None)
    outcome = pushed(monkeypatch, host)
    assert outcome.ended is Ended.TROUBLE
    assert "no room; trouble: /etc/x can not be restored" in outcome.text
