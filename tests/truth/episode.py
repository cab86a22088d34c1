"""One case: a lab, acts in it, and after each the question whether what lvstui says is so."""

from __future__ import annotations

import json
import random
import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

from lvstui.lab import LabError
from lvstui.lab.control import LabProcess
from tests.lab.director import LVSTUI, SLOW_S, python
from tests.labs import Lab
from tests.truth import acts, oracle, rules, topologies
from tests.truth.acts import Act, World
from tests.truth.choosing import calm, random_acts
from tests.truth.topologies import Site
from tests.truth.view import Disagreement, Document, View

START_S = 6.0
"""Until the directors have agreed who is master."""
TRIES = 4
"""To find the site the same before and after lvstui was asked."""
AGAIN_S = 3.0
"""What is said must still be said, and be wrong, after that long."""


@dataclass(frozen=True, slots=True)
class Case:
    """A site and what is done to it. The seed names both, until it is shrunk."""

    seed: int
    site: Site
    acts: tuple[Act, ...]

    def __str__(self) -> str:
        return f"seed {self.seed}: " + ("; ".join(map(str, self.acts)) or "nothing is done")


def case_of(seed: int, count: int) -> Case:
    """The case of that seed: at the end all is mended."""
    chance = random.Random(seed)
    site = topologies.random_site(chance)
    return Case(seed, site, tuple(random_acts(chance, site, count)))


@dataclass(frozen=True, slots=True)
class Found:
    """A disagreement, and after which act of its case."""

    case: Case
    step: int
    """Acts done before it."""
    disagreement: Disagreement

    def __str__(self) -> str:
        done = "; ".join(map(str, self.case.acts[: self.step])) or "nothing"
        return f"seed {self.case.seed} step {self.step}: {self.disagreement}\n    after {done}"

    @property
    def kind(self) -> str:
        """The same for all that are one fault."""
        return f"{self.disagreement.rule}: {rules.kind(self.disagreement.what)}"


class Directors:
    """lvstui on all directors: one that watches all the while, and one that answers when asked."""

    def __init__(self, lab: Lab, names: Sequence[str]) -> None:
        self._lab, self._names = lab, names
        self._asked: dict[str, LabProcess] = {}
        self._watching: dict[str, LabProcess] = {}

    def begin(self) -> None:
        """Start those that watch."""
        for name in self._names:
            self._watching[name] = self._lab.spawn(name, f"exec {LVSTUI} status --watch")
            resident = self._lab.spawn(name, f"exec {python('-m tests.lab.resident')}")
            self._asked[name] = resident
        for process in self._asked.values():
            process.wait_output("ready\n", SLOW_S)
            process.take()

    def documents(self) -> Iterator[tuple[str, str, Document, int | None]]:
        """Director, source, document, exit status."""
        line = json.dumps(shlex.split("status --json")).encode() + b"\n"
        for process in self._asked.values():
            process.write(line)
        for name, process in self._asked.items():
            process.wait_output("\n", SLOW_S)
            answer = json.loads(process.take())
            if not answer["stdout"].startswith("{") or answer["stderr"]:
                raise LabError(f"lvstui status on {name}", answer["stdout"] + answer["stderr"])
            yield name, "fresh", json.loads(answer["stdout"]), answer["status"]
        for name, process in self._watching.items():
            lines = process.output().decode().split("\n")[:-1]
            if process.status is not None:
                raise LabError(f"status --watch on {name} ended", process.errors().decode()[-2000:])
            if lines:
                yield name, "running", json.loads(lines[-1]), None

    def screen(self, name: str) -> str:
        """What a console there shows."""
        command = f"exec {python('-m tests.truth.screen')}"
        done = self._lab.run(name, command, timeout=SLOW_S, check=False)
        if done.status:
            raise LabError(f"the console on {name}", done.stderr[-2000:])
        return done.stdout


class Episode:
    """A case, while it runs."""

    def __init__(self, case: Case, tell: Callable[[str], None]) -> None:
        self.case, self._tell = case, tell
        self._open = ExitStack()

    def __enter__(self) -> Episode:
        site = self.case.site

        def render(_: Any, director: int, *__: Any) -> str:
            return topologies.render(site, director)

        try:
            # keepalived starts with our file at once, not first with the lab's own.
            with patch("lvstui.lab.conf.render", render):
                self.lab = self._open.enter_context(Lab(site.topology()))
            self.world = World(self.lab, site)
            self.directors = Directors(self.lab, site.director_names)
            self.directors.begin()
        except BaseException:
            self._open.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def do(self, act: Act) -> None:
        """Do it, and wait until all that follows from it has happened."""
        acts.do(self.world, act)
        self.settle(act.settles_in_s(self.case.site))

    def settle(self, least_s: float) -> None:
        """Wait that long, and until nothing moves any more."""
        oracle.settled(self.lab, self.case.site.director_names, least_s)

    def judge(self, thoroughly: bool = False) -> list[Disagreement]:
        """What is wrong now, and was a few seconds ago, or was said by one of two fresh runs. The
        site stood still when they looked. thoroughly: ask keepalived too, and look at a screen."""
        found = self._once(thoroughly)
        if not found:
            return []
        time.sleep(AGAIN_S)
        again = set(self._once(thoroughly))
        return [
            one if one in again else replace(one, source="fresh, once")
            for one in found
            if one in again or (one.source == "fresh" and one.rule not in rules.LATE)
        ]

    def _once(self, thoroughly: bool) -> list[Disagreement]:
        names = self.case.site.director_names
        for _ in range(TRIES):
            before = {name: oracle.look(self.lab, name) for name in names}
            documents = list(self.directors.documents())
            screen = self.directors.screen(names[0]) if thoroughly else ""
            truths = {name: oracle.look(self.lab, name) for name in names}
            if all(truths[name].same(before[name]) for name in names):
                break
        else:
            self._tell("    it does not stand still")
            return []
        losses = oracle.losses(self.lab)
        if thoroughly:
            truths = {n: oracle.dumped(self.lab, n, truth) for n, truth in truths.items()}
        found = [
            Disagreement("the screen says the same", name, "screen", what)
            for name, source, document, _ in documents
            if screen and (name, source) == (names[0], "fresh")
            for what in rules.not_on_screen(document, screen)
        ]
        return found + [
            disagreement
            for name, source, document, status in documents
            for disagreement in rules.compare(
                View(name, source, document, status, self.world, truths, losses)
            )
        ]


def run(
    case: Case, *, tell: Callable[[str], None] = lambda _: None, end: float = float("inf")
) -> list[Found]:
    """Do all of it and mend it; what was found. end: on the monotonic clock, no act after it."""
    found: list[Found] = []
    with Episode(case, tell) as episode:

        def judged(step: int, last: bool) -> None:
            new = [Found(case, step, one) for one in episode.judge(thoroughly=last)]
            known = {(one.disagreement.rule, one.disagreement.what) for one in found}
            for one in new:
                tell(f"  ! {one.disagreement}")
                if (one.disagreement.rule, one.disagreement.what) not in known:
                    found.append(one)

        episode.settle(START_S)
        judged(0, False)
        for step, act in enumerate(case.acts, 1):
            if time.monotonic() > end:
                return found
            tell(f"  {step} {act}")
            episode.do(act)
            judged(step, False)
        mending = calm(episode.world)
        if mending and time.monotonic() < end:
            whole = Case(case.seed, case.site, (*case.acts, *mending))
            tell("  mended: " + "; ".join(map(str, mending)))
            for act in mending:
                acts.do(episode.world, act)
            episode.settle(START_S + case.site.settles_in_s())
            case = whole
            judged(len(whole.acts), True)
    return found


def still(case: Case, kind: str) -> bool:
    """Whether that kind of disagreement is there after the last act of a case."""
    with Episode(case, lambda _: None) as episode:
        episode.settle(START_S)
        for act in case.acts:
            episode.do(act)
        return any(Found(case, len(case.acts), one).kind == kind for one in episode.judge())
