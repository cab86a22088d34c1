"""What an operator does to the configuration, from its own screen and from the rows of Services.

Everything goes into the draft first; nothing is written before a plan was shown and agreed to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timezone

from lvstui.keepalived.edit import intent
from lvstui.keepalived.edit.intent import Intent
from lvstui.keepalived.first import First
from lvstui.model.changes import Ended
from lvstui.model.config import Configuration, ConfiguredService
from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.model.say import plural
from lvstui.model.text import plain
from lvstui.operations.change import Phase
from lvstui.session.config import NO_ENGINE, ConfigSession
from lvstui.session.drafting import ConfigChange
from lvstui.session.selection import Selection
from lvstui.tui.choice import AskScreen, ChoiceScreen
from lvstui.tui.config import forms
from lvstui.tui.config.forms import Form
from lvstui.tui.dialog import ask
from lvstui.tui.host import PageHost

Target = tuple[ServiceKey, ServerKey]
"""One real server of one virtual service, as an operation names it."""


class ConfigActions:
    """For one screen."""

    def __init__(self, screen: PageHost, *, at_once: bool) -> None:
        """`at_once`: a change is planned as soon as it is made; else it waits in the draft."""
        self._screen, self._at_once = screen, at_once

    @property
    def _session(self) -> ConfigSession:
        return self._screen.console.config_session

    @property
    def _version(self) -> str:
        return self._screen.console.picture.daemon.version

    def why_not(self) -> str:
        """Why nothing can be changed from here now."""
        session = self._session
        if not session.changeable:
            return NO_ENGINE
        if session.unkept is not None:
            return "A change waits to be kept or undone first (P shows it)."
        return session.wait

    # Making changes

    def carry(self, words: str, intents: Sequence[Intent], reason: str = "") -> None:
        """Put a change into the draft, and plan it at once when this screen does."""
        session = self._session
        session.know(self._screen.console.picture)
        before = session.pending

        def then() -> None:
            if self._at_once:
                self.plan(undo_when_left=not before.changed, reason=reason)
            else:
                self._screen.tell(f"In the draft: {session.pending.undoable}. p plans it.")

        session.edit(words, intents, then)

    def plan(self, *, undo_when_left: bool = False, reason: str = "") -> None:
        """The plan of everything in the draft."""
        session = self._session
        change = session.plan_draft()
        change.reason = reason

        def left() -> None:
            if undo_when_left and change is session.change and _given_up(change):
                session.discard()

        self.open(change, left)

    def open(self, change: ConfigChange, left: Callable[[], None] = lambda: None) -> None:
        from lvstui.tui.change.config_plan import ConfigPlanScreen

        self._screen.app.push_screen(ConfigPlanScreen(self._session, change), lambda _: left())

    def fill(self, form: Form) -> None:
        """Ask for values, then put what they mean into the draft."""
        from lvstui.tui.config.form import FormScreen

        ask(
            self._screen.app,
            FormScreen(form, self._version),
            lambda values: self.carry(form.title, form.intents(values)),
        )

    def add(self, spot: Selection, configuration: Configuration) -> None:
        """Choose what to add, then fill it in."""
        version = self._version
        offers: list[tuple[str, Callable[[], None]]] = []

        def offer(title: str, form: Callable[[], Form]) -> None:
            offers.append((title, lambda: self.fill(form())))

        service = _service(configuration, spot.service)
        if service is not None:
            key = service.key
            offer(f"Real server in {key}", lambda: forms.server_form(service, version))
            if spot.server is not None:
                server = spot.server
                offers.append((f"Check for {server}", lambda: self._choose_check(key, server)))
            offer("Sorry server", lambda: forms.sorry_form(service, version))
            offer("Quorum", lambda: forms.quorum_form(service, version))
        if spot.block == "vrrp_instance":
            offer(f"VIP in {spot.name}", lambda: forms.vip_form(spot.name, version))
        offer("Service", lambda: forms.service_form(configuration, version))
        offer("VRRP instance", lambda: forms.instance_form(configuration, version))
        offer("Script", lambda: forms.script_form(version))
        choice = ChoiceScreen("Add", [title for title, _ in offers], again="a")
        ask(self._screen.app, choice, lambda at: offers[at][1]())

    def _choose_check(self, service: ServiceKey, server: ServerKey) -> None:
        kinds = forms.kinds(self._version)
        ask(
            self._screen.app,
            ChoiceScreen(f"Check for {server}", kinds),
            lambda at: self.fill(forms.check_form(service, server, kinds[at], self._version)),
        )

    def remove(self, spot: Selection) -> None:
        """What is under the cursor goes, in the draft."""
        if spot.removal is not None:
            words, wanted = spot.removal
            self.carry(f"remove {words}", (wanted,))

    def first(self) -> None:
        """Ask for a first configuration, plan it, and say what is still to be done after it."""
        from lvstui.operations.first import guess, plan_first
        from lvstui.tui.config.first import FirstScreen

        console = self._screen.console

        def answered(answers: First) -> None:
            change = self._session.plan(
                "first configuration", lambda engine: plan_first(engine, answers)
            )
            self.open(change, lambda: self._after_first(change))

        ask(self._screen.app, FirstScreen(lambda: guess(console.picture.host)), answered)

    def _after_first(self, change: ConfigChange) -> None:
        """The sysctl and the real servers, once the file is in force."""
        from lvstui.operations import first
        from lvstui.tui.config.first import AfterFirstScreen

        outcome, session, console = change.outcome, self._session, self._screen.console
        if outcome is None or outcome.ended is not Ended.KEPT:
            return

        def chosen(what: str) -> None:
            if what == "sysctl":
                session.ask(
                    "setting the sysctl",
                    first.bind_nonlocal,
                    lambda said: session.tell(plain("; ".join(said)), False),
                )
            elif what == "realservers":
                console.show_screen("realservers")

        both = len(outcome.plan.parts) > 1
        runs = bool(console.picture.daemon.running)
        ask(self._screen.app, AfterFirstScreen(both, runs), chosen)

    def disable(self, servers: Sequence[Target]) -> None:
        """Ask why, then switch them off in the file."""
        who = self._screen.console.operator_name

        def answered(reason: str) -> None:
            now = datetime.now(timezone.utc)
            why = plain(reason.strip(), 200)
            some = [intent.Disable(*server, by=who, at=now, reason=why) for server in servers]
            self.carry(_count("disable", servers), some, why)

        names = ", ".join(str(server) for _, server in servers[:6])
        more = f" and {len(servers) - 6} more" if len(servers) > 6 else ""
        text = (
            f"{names}{more}: weight 0 in the file until it is enabled again; reloads and restarts "
            "keep it.\nWhy? It stands beside the line for the next operator."
        )
        ask(self._screen.app, AskScreen("Disable in keepalived.conf", text, "reason"), answered)

    def enable(self, servers: Sequence[Target]) -> None:
        """Give them back what the file said before."""
        self.carry(_count("enable", servers), [intent.Enable(*server) for server in servers])


def _count(word: str, servers: Sequence[Target]) -> str:
    return f"{word} {plural(len(servers), 'real server')}"


def _service(configuration: Configuration, key: ServiceKey | None) -> ConfiguredService | None:
    return next((s for s in configuration.services if s.key == key), None)


def _given_up(change: ConfigChange) -> bool:
    """It was left without being applied."""
    if change.phase in (Phase.PLANNING, Phase.PLANNED):
        return True
    return change.phase is Phase.ENDED and (change.outcome is None or not change.outcome.ok)
