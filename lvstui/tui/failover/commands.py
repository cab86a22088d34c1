"""What can be done on the Failover screen: ask who has the addresses, announce them again."""

from __future__ import annotations

from lvstui.tui.command import Command, HarmlessCommand, Names, grouped
from lvstui.tui.host import PageHost


def _virtual(page: PageHost) -> tuple[str, ...]:
    instances = page.console.picture.instances
    return tuple(dict.fromkeys(vip for instance in instances for vip in instance.vips))


def _no_addresses(page: PageHost) -> str:
    return "" if _virtual(page) else "No virtual address is known here."


def _none_here(page: PageHost) -> str:
    instances = page.console.picture.instances
    if any(instance.vips_here for instance in instances):
        return ""
    return "This host holds no virtual address: announce them from the MASTER."


def _ask(page: PageHost) -> None:
    vips = _virtual(page)
    if page.console.feed.ask_owners(vips):
        page.tell("Asked on the wire; who answers shows beside each address.")
    else:
        page.tell("Nobody can be asked from here.", bad=True)


def _announce(page: PageHost) -> None:
    from lvstui.operations.announce import plan_announcement
    from lvstui.tui.change.announce import AnnounceScreen

    session = page.console.announcements
    change = session.plan(lambda: plan_announcement(page.console.picture))
    page.app.push_screen(AnnounceScreen(session, change))


FAILOVER_COMMANDS: tuple[Command[PageHost], ...] = grouped(
    "Addresses",
    HarmlessCommand(
        Names("owners", "o", "Ask who has the addresses", "who has it"),
        "Ask on the wire who has each virtual address: it sends ARP questions and neighbour "
        "solicitations, and nothing else. Who answers and must not is an alarm.",
        _ask,
        _no_addresses,
        "lvstui owners",
    ),
    Command(
        Names("announce", "a", "Announce the addresses again", "announce"),
        "Tell everybody on the link that the virtual addresses of this host are here: for clients "
        "and routers that still send to the director before.",
        _announce,
        _none_here,
        "lvstui announce",
    ),
)
