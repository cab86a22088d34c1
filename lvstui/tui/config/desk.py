"""What is known of the configuration and what is under way there, for the screens and dialogs.

Reading, editing, planning and applying run in threads of their own, which end with the process:
closing a dialog or leaving the screen cuts nothing. One piece of work at a time. Everything here
is called on the UI's thread, except what is handed to `later`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from lvstui.keepalived.edit.draft import Draft
from lvstui.keepalived.edit.intent import Intent
from lvstui.keepalived.lint.finding import Finding
from lvstui.keepalived.text.tree import Tree
from lvstui.model.changes import Ended
from lvstui.model.config import Configuration
from lvstui.model.picture import Picture
from lvstui.model.text import plain
from lvstui.model.waiting import ChangeStands
from lvstui.operations.change import Outcome, Phase, Progress
from lvstui.operations.config_edit import with_others
from lvstui.operations.config_plan import ConfigPlan, FileChange
from lvstui.tui.change.config_change import ConfigChange, MakePlan
from lvstui.tui.config.document import Document, Lint, document
from lvstui.tui.config.drafting import Edit, Pending, Wishes, pending
from lvstui.tui.config.engine import ConfigEngine, ConfigFiles, Past
from lvstui.tui.config.work import Later, Work, in_thread, said

Stamp = tuple[int, str, object]
"""The daemon, its main file, and what tells whether the files have changed."""
_NO_STAMP: Stamp = (0, "", None)
_REST_S = 2.0
"""Between two looks at the files while the screen is shown."""
_STALE = "The files were changed on the disk since the draft was begun: X discards it."
_BUSY = (Phase.RUNNING, Phase.DECIDING, Phase.WAITING)
"""A change of this console that is in one of these is the one that counts."""
NO_ENGINE = "Nothing can be changed from here: this is a recording."


class ConfigDesk(Work):
    """One for the console."""

    def __init__(
        self,
        files: ConfigFiles | None,
        later: Later,
        clock: Callable[[], float],
        engine: Callable[[], ConfigEngine] | None = None,
        lint: Lint | None = None,
    ) -> None:
        """`files` None: this console shows no host whose files can be read. `engine` is called in
        a thread when it is first needed."""
        super().__init__(later)
        self._files, self._clock, self._lint = files, clock, lint
        self._make_engine = engine
        self._engine: ConfigEngine | None = None
        self._stamp: Stamp = _NO_STAMP
        self._looked = float("-inf")
        self._busy = False
        self._version = ""
        self.document: Document | None = None
        """What was read last; with a draft: what it would become."""
        self.trouble = ""
        """Why it can not be read now."""
        self.stale = ""
        """The files under the draft have changed: what that means."""
        self.pending = Pending()
        """What is in the draft."""
        self.cautions: tuple[str, ...] = ()
        """What the changes in the draft said that one must know."""
        self._draft: Draft | None = None
        self._wishes = Wishes()
        self._daemon: tuple[int, str] = (0, "")
        self.change: ConfigChange | None = None
        """The last one that was planned."""

    @property
    def possible(self) -> bool:
        """There are files to read."""
        return self._files is not None

    @property
    def changeable(self) -> bool:
        """There is something that can change them."""
        return self._make_engine is not None

    @property
    def reading(self) -> bool:
        """It is being read for the first time."""
        return self._busy and self.document is None

    @property
    def unkept(self) -> ConfigChange | None:
        """A change whose timer runs."""
        change = self.change
        return change if change is not None and change.phase is Phase.WAITING else None

    @property
    def decided(self) -> str:
        """Id of the last change, when it came to its end as this console saw it."""
        change = self.change
        if change is None or change.outcome is None or change.phase is not Phase.ENDED:
            return ""
        return change.outcome.id

    # Reading

    def follow(self, picture: Picture, *, now: bool = False) -> None:
        """Look whether the files changed, when that was not done just before (`now`: even so),
        and read them again if they did."""
        files = self._files
        if files is None or self._busy or not picture.ready:
            return
        if not now and self._clock() - self._looked < _REST_S:
            return
        self._busy, self._looked = True, self._clock()
        known = self.document
        drafted = self._draft is not None
        self.know(picture)
        pid, main = self._daemon
        lint = self._linter()

        def work() -> None:
            found: Document | None = None
            trouble = ""
            stamp = _NO_STAMP
            try:
                if known is not None:
                    stamp = (pid, main, files.stamp(tuple(known.pages)))
                    if drafted or (stamp == self._stamp and not now):
                        self.later(lambda: self._idle(stamp))
                        return
                tree = files.read(pid, main)
                stamp = (pid, main, files.stamp([file.path for file in tree.files]))
                found = document(tree, lint)
            except Exception as error:
                # Whatever it was, the screen goes on and says so.
                trouble = said(error)
            self.later(lambda: self._read(found, stamp, trouble))

        in_thread(work)

    def know(self, picture: Picture) -> None:
        """Whose configuration it is: call it before anything is read or edited."""
        self._daemon = picture.daemon.pid, picture.daemon.config_file
        self._version = picture.daemon.version

    def _linter(self) -> Lint:
        """Our rules, for this host's keepalived."""
        version, files = self._version, self._files

        def judge(tree: Tree, configuration: Configuration) -> tuple[Finding, ...]:
            if self._lint is not None:
                return tuple(self._lint(tree, configuration))
            # A fifth of the house's rules; loaded with the first configuration.
            from lvstui.keepalived.lint.run import lint

            assert files is not None
            return lint(tree, configuration, files.surroundings(tree, version))

        return judge

    def _idle(self, stamp: Stamp) -> None:
        self._busy = False
        stale = self._draft is not None and stamp[1:] != self._stamp[1:]
        if stale != bool(self.stale):
            self.stale = _STALE if stale else ""
            self.changed()

    def _read(self, found: Document | None, stamp: Stamp, trouble: str) -> None:
        self._busy = False
        self.trouble = trouble
        if self._draft is not None:
            # A draft was begun meanwhile: it is what is shown.
            return
        if found is not None:
            self.document, self._stamp = found, stamp
        elif self.document is None:
            self._stamp = _NO_STAMP
        self.changed()

    # The draft

    def edit(
        self,
        words: str,
        work: Edit,
        then: Callable[[], None] | None = None,
        refused: Callable[[str], None] | None = None,
        intents: tuple[Intent, ...] = (),
        by_hand: bool = False,
    ) -> None:
        """Work on the draft, which is begun when there is none. `then` hears that it was done;
        `refused` (or else the operator) why it was not. `intents` are what `work` does, for the
        other director; `by_hand`: they can not tell."""
        files = self._files
        assert files is not None
        pid, main = self._daemon
        lint = self._linter()

        def run() -> tuple[Draft, Stamp, Document, Pending, tuple[str, ...], int]:
            draft, stamp = self._draft, self._stamp
            if draft is None:
                draft = files.draft(pid, main)
                stamp = (pid, main, files.stamp([file.path for file in draft.tree.files]))
            steps = len(draft.titles)
            cautions = work(draft)
            found = document(draft.tree, lint, before=draft.base)
            return draft, stamp, found, pending(draft), cautions, steps

        def done(value: tuple[Draft, Stamp, Document, Pending, tuple[str, ...], int]) -> None:
            draft, self._stamp, self.document, self.pending, cautions, steps = value
            if intents or by_hand:
                self._wishes.made(steps, None if by_hand else intents)
            self._draft = draft if draft.titles or self.pending.redoable else None
            self.cautions = (*self.cautions, *cautions) if self.pending.titles else ()
            if then is not None:
                then()

        self.start(words, run, done, None, refused)

    def undo(self) -> None:
        """Take the last change of the draft back."""

        def work(draft: Draft) -> tuple[str, ...]:
            draft.undo()
            return ()

        self.edit("undo", work)

    def redo(self) -> None:
        """Make it again."""

        def work(draft: Draft) -> tuple[str, ...]:
            draft.redo()
            return ()

        self.edit("redo", work)

    def discard(self) -> None:
        """Forget the draft; the files are shown as they are."""
        self._draft, self.pending, self.cautions, self.stale = None, Pending(), (), ""
        self._stamp, self._looked = _NO_STAMP, float("-inf")
        self.changed()

    def plan_draft(self) -> ConfigChange:
        """Plan everything that is in the draft."""
        files = tuple(FileChange(path, old, new) for path, (old, new) in self.pending.files.items())
        title = self.pending.title
        asked = self._wishes.of(len(self.pending.titles))

        def make(engine: ConfigEngine) -> ConfigPlan:
            if len(engine.directors) < 2:
                return engine.plan(title, {engine.here: files})
            wanted = with_others(engine.here, files, asked, engine.look())
            plan = engine.plan(title, wanted.files)
            return replace(plan, cautions=(*wanted.cautions, *plan.cautions))

        change = self.plan(title, make, from_draft=True)
        change.cautions = self.cautions
        return change

    # Changing

    def plan(self, title: str, make: MakePlan, *, from_draft: bool = False) -> ConfigChange:
        """Plan a change; it tells by its phase how far that is."""
        change = ConfigChange(title, make=make, from_draft=from_draft)
        self.change = change

        def done(plan: ConfigPlan) -> None:
            change.plan, change.phase = plan, Phase.PLANNED
            change.title = plan.title or change.title

        self.start("planning", lambda: make(self.engine()), done, change)
        return change

    def apply(self, change: ConfigChange, reason: str, *, force: bool) -> None:
        """Carry a planned change out."""
        plan = change.plan
        assert plan is not None

        plan = replace(plan, reason=reason)
        change.plan = plan

        def tell(progress: Progress) -> None:
            def show() -> None:
                change.stages.append(str(progress))
                self.changed()

            self.later(show)

        change.phase, change.started = Phase.RUNNING, time.monotonic()
        self.start(
            f"applying {change.title}",
            lambda: self.engine().apply(plan, force=force, tell=tell, stop=change.stop),
            lambda outcome: self._ended(change, outcome),
            change,
        )

    def decide(self, change: ConfigChange, *, keep: bool) -> None:
        """Keep what was applied, or undo it now."""
        assert change.outcome is not None
        id_ = change.outcome.id

        def work() -> Outcome:
            engine = self.engine()
            return engine.confirm(id_) if keep else engine.take_back(id_)

        def failed(text: str) -> None:
            # Its timer still runs, and it can be tried again.
            change.phase = Phase.WAITING
            self.tell(text, True)

        change.phase = Phase.DECIDING
        words = "keeping it" if keep else "undoing it"
        self.start(words, work, lambda outcome: self._ended(change, outcome), None, failed)

    def _ended(self, change: ConfigChange, outcome: Outcome) -> None:
        change.stages.clear()
        change.ended(outcome)
        self._looked = float("-inf")
        if change.from_draft and outcome.ok:
            # It is on the disk now; taking it back puts the old files there.
            self.discard()
        if self.looked_at is not change:
            bad = not outcome.ok and outcome.ended is not Ended.UNDONE
            self.tell(plain(f"{change.title}: {outcome.text}"), bad)

    def tick(self, picture: Picture) -> None:
        """A second has passed. When the time of a change is up, ask what became of it: it may
        have been kept elsewhere, or its timer may be gone."""
        change = self.unkept
        if change is None or change.outcome is None:
            return
        outcome = change.outcome
        change.plight_here = next(
            (one.plight(picture.at) for one in picture.changes if one.id == outcome.id), ""
        )
        if change.left_s or self._job:
            return

        def work() -> Outcome:
            engine = self.engine()
            waits = next((one for one in engine.waiting() if one.id == outcome.id), None)
            if waits is not None:
                change.plight_told = waits.plight
                return replace(outcome, left_s=_REST_S if waits.plight else max(waits.left_s, 1.0))
            past = next((past for past in engine.history() if past.id == outcome.id), None)
            if past is not None and past.ended is not Ended.WAITING:
                return replace(outcome, ended=past.ended, text=past.end)
            return replace(
                outcome,
                ended=Ended.TROUBLE,
                text="its time is up, and what the timer did is not known: look at the history",
            )

        def failed(text: str) -> None:
            self._ended(
                change,
                replace(
                    outcome,
                    ended=Ended.TROUBLE,
                    text=f"its time is up, and what the timer did is not known: {text}",
                ),
            )

        change.phase = Phase.DECIDING

        def done(now: Outcome) -> None:
            if now.ended is Ended.WAITING:
                change.ended(now)
            else:
                self._ended(change, now)

        self.start("looking what the timer did", work, done, None, failed)

    def history(self, then: Callable[[tuple[Past, ...]], None]) -> None:
        """What was changed in the past, the newest first."""
        self.start("reading the history", lambda: tuple(self.engine().history()), then, None)

    def past_diff(self, past: Past, then: Callable[[str], None]) -> None:
        """The text of one change of the past, secrets masked."""
        self.start("reading the history", lambda: self.engine().diff(past.id), then, None)

    def bind_nonlocal(self) -> None:
        """See `operations.first.bind_nonlocal`; says what came of it."""
        self.start(
            "setting the sysctl",
            lambda: self.engine().bind_nonlocal(),
            lambda said: self.tell(plain("; ".join(said)), False),
            None,
        )

    def heed(self, seen: tuple[ChangeStands, ...]) -> None:
        """What the host remembers: a change that waits becomes the last one, whichever session
        made it; one that was decided elsewhere, or by its timer, waits no more."""
        change = self.change
        known = change.outcome.id if change is not None and change.outcome is not None else ""
        for one in seen:
            if change is not None and one.id == known:
                if change.phase is Phase.WAITING and one.ended is not Ended.WAITING:
                    assert change.outcome is not None
                    self._ended(change, replace(change.outcome, ended=one.ended, text=one.end))
                    self.changed()
                return
            if one.can_settle and (change is None or change.phase not in _BUSY):
                self.change = _waiting(one, max(one.deadline - self._clock(), 1.0))
                self.changed()
                return

    def engine(self) -> ConfigEngine:
        """What changes things; made when it is first needed. In a thread only."""
        if self._engine is None:
            assert self._make_engine is not None
            self._engine = self._make_engine()
        return self._engine


def _waiting(seen: ChangeStands, left_s: float) -> ConfigChange:
    """A change of another session whose timer runs."""
    plan = ConfigPlan(seen.title, reason=seen.reason)
    change = ConfigChange(seen.title, make=lambda engine: plan, plan=plan)
    text = f"applied by {seen.who}, not kept yet"
    change.ended(Outcome(plan, Ended.WAITING, seen.id, text, (), left_s))
    return change
