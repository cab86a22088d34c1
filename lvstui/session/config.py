"""The configuration as one sitting of an operator knows it: the text, the draft, and the change
that is planned, applied and decided.

Nothing here looks whether the files changed: the picture says so. Reading, editing, planning and
applying are `Jobs`, one at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from lvstui.keepalived.edit.change import RefusedEdit
from lvstui.keepalived.edit.draft import Draft
from lvstui.keepalived.edit.intent import Intent
from lvstui.keepalived.text.tree import Tree
from lvstui.model.changes import Ended
from lvstui.model.config import Configuration
from lvstui.model.files import ConfigFiles
from lvstui.model.finding import Finding
from lvstui.model.picture import Picture
from lvstui.model.text import plain
from lvstui.model.waiting import ChangeStands
from lvstui.operations.change import Outcome, Phase
from lvstui.operations.config_edit import with_others
from lvstui.operations.config_plan import ConfigPlan, FileChange
from lvstui.remote.runner import RemoteError
from lvstui.session.document import Document, Lint, document, recorded
from lvstui.session.drafting import (
    ConfigChange,
    Edit,
    IntentLog,
    MakePlan,
    Pending,
    make_all,
    pending,
)
from lvstui.session.jobs import Begin, ChangeJobs, Later, T, in_thread
from lvstui.session.on_disk import OnDisk

if TYPE_CHECKING:
    from lvstui.operations.configuration import DirectorConfigs

Stamp = tuple[int, str, object]
"""The daemon, its main file, and what tells whether the files have changed."""
_NO_STAMP: Stamp = (0, "", None)
_AGAIN_S = 2.0
"""Between two questions what became of a change whose timer is late."""
_STALE = "The files were changed on the disk since the draft was begun: X discards it."
_BUSY = (Phase.RUNNING, Phase.DECIDING, Phase.WAITING)
"""A change of this console that is in one of these is the one that counts."""
NO_ENGINE = "Nothing can be changed from here: this is a recording."


class ConfigSession(ChangeJobs[ConfigChange]):
    """One for the console."""

    def __init__(
        self,
        files: OnDisk | None,
        later: Later,
        clock: Callable[[], float],
        engine: Callable[[], DirectorConfigs] | None = None,
        begin: Begin = in_thread,
    ) -> None:
        """`files` None: this session shows no host whose files can be read; what the picture has
        of them is shown. `engine` is called in a thread when it is first needed."""
        super().__init__(later, begin)
        self._files, self._clock = files, clock
        self._make_engine = engine
        self._engine: DirectorConfigs | None = None
        self._stamp: Stamp = _NO_STAMP
        self._followed: object = None
        """What the picture said of the files when they were read last."""
        self._busy = False
        self._version = ""
        self.document: Document | None = None
        """What was read last; with a draft: what it would become."""
        self.trouble = ""
        """Why it cannot be read now."""
        self.stale = ""
        """The files under the draft have changed: what that means."""
        self.pending = Pending()
        """What is in the draft."""
        self.cautions: tuple[str, ...] = ()
        """What the changes in the draft said that one must know."""
        self._draft: Draft | None = None
        self._wishes = IntentLog()
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
        """Read the files again when the picture says that they changed (`now`: even so)."""
        gap = next((gap for gap in picture.gaps if gap.source == "file"), None)
        said = (picture.files, gap, picture.daemon.pid, picture.daemon.config_file)
        if self._busy or not picture.ready or (said == self._followed and not now):
            return
        self.know(picture)
        self._busy, self._followed = True, said
        seen, known, drafted = picture.files, self.document, self._draft is not None
        self.start("", lambda: self._look(seen, known, drafted, now), self._read, self._unread)

    def _look(
        self, seen: ConfigFiles | None, known: Document | None, drafted: bool, now: bool
    ) -> tuple[Document | None, Stamp]:
        """In a thread. No document: what is known is as it is on the disk, or a draft shows."""
        files = self._files
        if files is None:
            return recorded(seen) if seen is not None else None, _NO_STAMP
        pid, main = self._daemon
        if known is not None:
            stamp = (pid, main, files.stamp(tuple(known.pages)))
            if drafted or (stamp == self._stamp and not now):
                return None, stamp
        tree = files.read(pid, main)
        stamp = (pid, main, files.stamp([file.path for file in tree.files]))
        return document(tree, self._linter()), stamp

    def know(self, picture: Picture) -> None:
        """Whose configuration it is: call it before anything is read or edited."""
        self._daemon = picture.daemon.pid, picture.daemon.config_file
        self._version = picture.daemon.version

    def _linter(self) -> Lint:
        """Our rules, for this host's keepalived."""
        version, files = self._version, self._files

        def judge(tree: Tree, configuration: Configuration) -> tuple[Finding, ...]:
            # A fifth of the house's rules; loaded with the first configuration.
            from lvstui.keepalived.lint.rules import lint

            assert files is not None
            return lint(tree, configuration, files.surroundings(tree, version))

        return judge

    def _read(self, found: tuple[Document | None, Stamp]) -> None:
        read, stamp = found
        self._busy, self.trouble = False, ""
        if self._draft is not None:
            # What is shown is the draft, whether it was there or was begun meanwhile.
            if read is None:
                self.stale = _STALE if stamp[1:] != self._stamp[1:] else ""
        elif read is not None:
            self.document, self._stamp = read, stamp

    def _unread(self, trouble: str) -> None:
        self._busy, self.trouble = False, trouble
        if self._draft is None and self.document is None:
            self._stamp = _NO_STAMP

    # The draft

    def edit(
        self,
        words: str,
        intents: Sequence[Intent] = (),
        then: Callable[[], None] = lambda: None,
        *,
        work: Edit | None = None,
        by_hand: bool = False,
    ) -> None:
        """Make all `intents` as one step of the draft, or none; or do other `work` on it. It is
        begun when there is none. `then` hears that it was done, the operator why it was not.
        `by_hand`: no intent tells the other director what was done."""
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
            cautions: tuple[str, ...] = ()
            if work is None:
                cautions = make_all(draft, intents, words)
            else:
                work(draft)
            found = document(draft.tree, lint, before=draft.base)
            return draft, stamp, found, pending(draft), cautions, steps

        def done(value: tuple[Draft, Stamp, Document, Pending, tuple[str, ...], int]) -> None:
            draft, self._stamp, self.document, self.pending, cautions, steps = value
            if intents or by_hand:
                self._wishes.made(steps, None if by_hand else tuple(intents))
            self._draft = draft if draft.titles or self.pending.redoable else None
            self.cautions = (*self.cautions, *cautions) if self.pending.titles else ()
            then()

        self.start(words, run, done)

    def undo(self) -> None:
        """Take the last change of the draft back."""
        self.edit("undo", work=Draft.undo)

    def redo(self) -> None:
        """Make it again."""
        self.edit("redo", work=Draft.redo)

    def discard(self) -> None:
        """Forget the draft; the files are shown as they are."""
        self._draft, self.pending, self.cautions, self.stale = None, Pending(), (), ""
        self._stamp, self._followed = _NO_STAMP, None
        self.changed()

    def plan_draft(self) -> ConfigChange:
        """Plan everything that is in the draft."""
        files = tuple(FileChange(path, old, new) for path, (old, new) in self.pending.files.items())
        title = self.pending.title
        asked = self._wishes.of(len(self.pending.titles))

        def make(engine: DirectorConfigs) -> ConfigPlan:
            looks = engine.look()
            wanted = with_others(engine.here, files, asked, looks)
            plan = engine.plan(title, wanted.files, looks=looks)
            return replace(plan, cautions=(*wanted.cautions, *plan.cautions))

        change = self.plan(title, make, from_draft=True)
        change.cautions = self.cautions
        return change

    # Changing

    def ask(
        self,
        words: str,
        work: Callable[[DirectorConfigs], T],
        done: Callable[[T], None],
        failed: Callable[[str], None] | None = None,
    ) -> None:
        """Something of the directors, as a job of its own."""
        self.start(words, lambda: work(self.engine()), done, failed)

    def plan(self, title: str, make: MakePlan, *, from_draft: bool = False) -> ConfigChange:
        """Plan a change; it tells by its phase how far that is."""
        change = ConfigChange(title, make=make, from_draft=from_draft)
        self.change = change
        self.ask("planning", make, change.planned, self._lost(change))
        return change

    def apply(self, change: ConfigChange, reason: str) -> None:
        """With its errors: the dialog had them insisted on."""
        assert change.plan is not None
        plan = change.plan = replace(change.plan, reason=reason)
        tell, force = partial(self.told, change), bool(plan.to_force)
        change.begin()
        self.ask(
            f"applying {change.title}",
            lambda engine: engine.apply(plan, force=force, tell=tell, stop=change.stop),
            lambda outcome: self._ended(change, outcome),
            self._lost(change),
        )

    def _lost(self, change: ConfigChange) -> Callable[[str], None]:
        """What becomes of a change that could not even be tried."""

        def failed(text: str) -> None:
            change.lost(text)
            if self.looked_at is not change:
                self.tell(text, True)

        return failed

    def decide(self, change: ConfigChange, *, keep: bool) -> None:
        assert change.outcome is not None
        id_ = change.outcome.id

        def failed(text: str) -> None:
            # Its timer still runs, and it can be tried again.
            change.phase = Phase.WAITING
            self.tell(text, True)

        change.phase = Phase.DECIDING
        self.ask(
            "keeping it" if keep else "undoing it",
            lambda engine: engine.confirm(id_) if keep else engine.take_back(id_),
            lambda outcome: self._ended(change, outcome),
            failed,
        )

    def _ended(self, change: ConfigChange, outcome: Outcome) -> None:
        change.ended(outcome)
        self._followed = None
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
        if change.left_s or self.under_way:
            return

        def work(engine: DirectorConfigs) -> Outcome:
            waits = next((one for one in engine.waiting() if one.id == outcome.id), None)
            if waits is not None:
                change.plight_told = waits.plight
                return replace(outcome, left_s=_AGAIN_S if waits.plight else max(waits.left_s, 1.0))
            past = next(iter(engine.history(outcome.id)), None)
            if past is not None and past.ended is not Ended.WAITING:
                return replace(outcome, ended=past.ended, text=past.end)
            return unknown("look at the history")

        def unknown(why: str) -> Outcome:
            text = f"its time is up, and what the timer did is not known: {why}"
            return replace(outcome, ended=Ended.TROUBLE, text=text)

        change.phase = Phase.DECIDING

        def done(now: Outcome) -> None:
            if now.ended is Ended.WAITING:
                change.ended(now)
            else:
                self._ended(change, now)

        words = "looking what the timer did"
        self.ask(words, work, done, lambda text: self._ended(change, unknown(text)))

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

    def words_of(self, error: Exception) -> str:
        """Only those whose text is known to hold no secret are quoted."""
        if isinstance(error, PermissionError):
            name = error.filename or "keepalived.conf"
            return plain(f"{name} may not be read: run lvstui as root")
        if isinstance(error, OSError):
            name = f"{error.filename}: " if error.filename else ""
            return plain(f"{name}{error.strerror or type(error).__name__}")
        if isinstance(error, (RefusedEdit, RemoteError)):
            return plain(str(error))
        if isinstance(error, KeyError):
            return "the history does not know that change (any more)"
        return f"an error within lvstui ({type(error).__name__}): nothing more is known"

    def engine(self) -> DirectorConfigs:
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
