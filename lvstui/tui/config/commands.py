"""What can be done with the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lvstui.tui.command import Command

if TYPE_CHECKING:
    from lvstui.tui.config.screen import ConfigScreen


class _OnText(Command["ConfigScreen"]):
    group = "Configuration"
    changes = False

    def why_not(self, screen: ConfigScreen) -> str:
        """There must be a text."""
        return "" if screen.session.document is not None else screen.why_nothing()


class Read(Command["ConfigScreen"]):
    """Read the files again now and judge them anew."""

    id = "refresh"
    keys = "r,f5"
    title = "Read the files again"
    group = "Configuration"
    changes = False

    def why_not(self, screen: ConfigScreen) -> str:
        """There must be files."""
        return "" if screen.session.possible else screen.why_nothing()

    def run(self, screen: ConfigScreen) -> None:
        """In a thread."""
        screen.console.feed.refresh()
        screen.session.follow(screen.console.picture, now=True)
        screen.tell("Reading again.")


class Open(_OnText):
    """On an include: the file that it opens. On a service or a real server: its row on the
    Services screen. On anything else in the tree: its place in the text."""

    id = "config-open"
    keys = "enter"
    label = "open"
    title = "Open"

    def run(self, screen: ConfigScreen) -> None:
        """By what is under the cursor."""
        screen.open_here()


class OtherPane(_OnText):
    """From the tree to the text and back."""

    id = "config-pane"
    keys = "tab"
    title = "Other pane"
    priority = True
    in_palette = False

    def run(self, screen: ConfigScreen) -> None:
        """Move the focus."""
        screen.other_pane()


class TreePane(_OnText):
    """Hide the tree for more room, or show it again."""

    id = "config-tree"
    keys = "t"
    label = "tree"
    title = "Tree: hide or show"

    def run(self, screen: ConfigScreen) -> None:
        """Turn it round."""
        screen.turn_tree()


class Search(_OnText):
    """Find text in all files of the configuration. Only what is shown is found: no password."""

    id = "config-search"
    keys = "slash"
    label = "search"
    title = "Search"

    def run(self, screen: ConfigScreen) -> None:
        """Open the input."""
        screen.open_search()


class _Again(_OnText):
    back = False

    def why_not(self, screen: ConfigScreen) -> str:
        """Something must have been searched for."""
        return super().why_not(screen) or ("" if screen.words else "Search with / first.")

    def run(self, screen: ConfigScreen) -> None:
        """Go there."""
        screen.search(back=self.back)


class SearchNext(_Again):
    """The next place that holds what was searched for, in the next file if need be."""

    id = "config-next"
    keys = "n"
    title = "Next match"


class SearchPrevious(_Again):
    """The match before this one."""

    id = "config-previous"
    keys = "N"
    title = "Previous match"
    back = True


class _ToFinding(_OnText):
    back = False

    def why_not(self, screen: ConfigScreen) -> str:
        """There must be one."""
        reason = super().why_not(screen)
        if reason or screen.session.document is None:
            return reason
        return "" if screen.session.document.findings else "Nothing is wrong with it."

    def shell(self, screen: ConfigScreen) -> str:
        """All of them."""
        return "lvstui config check"

    def run(self, screen: ConfigScreen) -> None:
        """Go there."""
        screen.to_finding(back=self.back)


class NextFinding(_ToFinding):
    """The next line with a finding: what is wrong stands below the text."""

    id = "config-finding"
    keys = "f"
    label = "finding"
    title = "Next finding"


class PreviousFinding(_ToFinding):
    """The finding before this one."""

    id = "config-finding-back"
    keys = "F"
    title = "Previous finding"
    back = True


class ShowService(_OnText):
    """The row on the Services screen of what is under the cursor."""

    id = "config-service"
    keys = "s"
    label = "service"
    title = "Show on the Services screen"

    def why_not(self, screen: ConfigScreen) -> str:
        """There must be one."""
        reason = super().why_not(screen)
        return reason or ("" if screen.target() else "No service or real server is here.")

    def run(self, screen: ConfigScreen) -> None:
        """Go there."""
        screen.show_service()


class Back(Command["ConfigScreen"]):
    """One step back: close the search, then to where the last jump began."""

    id = "back"
    keys = "escape,backspace"
    title = "Back"
    group = "Configuration"
    changes = False

    def run(self, screen: ConfigScreen) -> None:
        """Undo the last of it."""
        screen.step_back()


class CopyPlace(_OnText):
    """Copy file and line (`/etc/keepalived/keepalived.conf:12`) to your terminal's clipboard."""

    id = "copy"
    keys = "y"
    title = "Copy the place"

    def run(self, screen: ConfigScreen) -> None:
        """Through OSC 52."""
        screen.copy_place()


CONFIG_COMMANDS: tuple[Command[Any], ...] = (
    Open(),
    ShowService(),
    Search(),
    SearchNext(),
    SearchPrevious(),
    NextFinding(),
    PreviousFinding(),
    OtherPane(),
    TreePane(),
    Back(),
    CopyPlace(),
    Read(),
)
