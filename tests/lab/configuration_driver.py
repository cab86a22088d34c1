"""The engine in one process on a director, told what to do by lines of JSON.

Starting Python in the guest takes seconds, so a test with many rounds keeps one process. Names on
the command line are peers, reached by SSH.
"""

from __future__ import annotations

import base64
import json
import sys
import time
from typing import Any

from lvstui.operations.change import Outcome
from lvstui.operations.config_history import HistoryEntry
from lvstui.operations.config_plan import ConfigPlan, FileChange
from lvstui.operations.configuration import DirectorConfigs
from lvstui.operations.configuration_hosts import DirectorAccess
from lvstui.remote.connect import Connector
from lvstui.remote.local import LocalRunner
from lvstui.remote.runner import Access, Runner


def told(plan: ConfigPlan) -> dict[str, Any]:
    return {
        "refusals": plan.refusals,
        "cautions": plan.cautions,
        "effects": plan.effects,
        "typed": plan.typed,
        "new": [[f.rule, f.severity.value, f.text] for h in plan.hosts for f in h.findings],
        "diff": "".join(host.diff for host in plan.hosts),
    }


def ended(outcome: Outcome) -> dict[str, Any]:
    return {
        "ended": outcome.ended.value,
        "text": outcome.text,
        "id": outcome.id,
        "verified": [[v.host, v.what, v.ok, v.seen] for v in outcome.results],
    }


def entry(found: HistoryEntry) -> dict[str, Any]:
    standing = [[s.host, s.ended.value, s.left_s, s.guarded] for s in found.standing]
    return {
        "id": found.id,
        "who": found.who,
        "title": found.title,
        "ended": found.ended.value,
        "text": found.text,
        "standing": standing,
    }


def main() -> None:
    """Serve until the input ends."""
    connector = Connector()

    def peer(name: str) -> DirectorAccess:
        def connect() -> Runner:
            return connector.open(Access(name))

        return DirectorAccess(name, connect)

    here, *peers = sys.argv[1:] or ["lb1"]
    engine = DirectorConfigs(
        [DirectorAccess(here, lambda: LocalRunner(here), local=True), *map(peer, peers)],
        alone=not peers,
    )
    print("ready", flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        answer: dict[str, Any] = {}
        began = time.monotonic()
        do = order["do"]
        if do in ("plan", "apply", "rollback"):
            timer = int(order.get("timer", 60))
            if do == "rollback":
                plan = engine.plan_rollback(order["id"], timer_s=timer)
            else:
                files = {
                    host: [
                        FileChange(path, *(t if t is None else base64.b64decode(t) for t in both))
                        for path, both in changes.items()
                    ]
                    for host, changes in order["files"].items()
                }
                plan = engine.plan(
                    order.get("title", "a change"),
                    files,
                    reason=order.get("reason", ""),
                    timer_s=timer,
                )
            answer = told(plan)
            answer["planned_s"] = time.monotonic() - began
            if order.get("pause"):
                print("planned", flush=True)
                sys.stdin.readline()
            if do != "plan":
                answer |= ended(
                    engine.apply(
                        plan,
                        force=bool(order.get("force")),
                        tell=lambda now: print("stage", now.text, flush=True),
                    )
                )
        elif do == "confirm":
            answer = ended(engine.confirm(order["id"]))
        elif do == "take back":
            answer = ended(engine.take_back(order["id"], order.get("why", "a test")))
        elif do == "history":
            answer = {"entries": [entry(e) for e in engine.history()]}
        elif do == "waiting":
            answer = {"entries": [entry(e) for e in engine.waiting()]}
        answer["took_s"] = time.monotonic() - began
        print("answer", json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
