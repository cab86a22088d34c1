"""`lvstui owners|announce`: who has the virtual addresses, and saying it again."""

from __future__ import annotations

import argparse
from typing import Any

from lvstui.model.keys import canonical_address
from lvstui.model.link_warnings import owner_lines
from lvstui.model.picture import Picture
from lvstui.process import readonly
from lvstui.process.readonly import Harmless
from lvstui.shell.arguments import look_options
from lvstui.shell.ask import DONE, NOT_DONE, USAGE, fail
from lvstui.shell.change import carry_out, change_options, not_done

ANSWER_S = 8.0
"""How long answers are waited for."""


def add_link(commands: Any) -> None:
    text = "ask on the wire who has the virtual addresses (it sends ARP questions, and no more)"
    owners = commands.add_parser("owners", help=text, description=text)
    look_options(owners)
    _addresses(owners, "all of this director")
    owners.set_defaults(run=Harmless(_owners))
    text = "announce virtual addresses that this host holds again, by ARP and neighbour discovery"
    announce = commands.add_parser("announce", help=text, description=text)
    look_options(announce)
    _addresses(announce, "all that this host holds")
    change_options(announce)
    refused = "announce sends; --plan only shows it"
    announce.set_defaults(run=Harmless(_announce, lambda args: "" if args.plan else refused))


def _addresses(parser: argparse.ArgumentParser, default: str) -> None:
    parser.add_argument("vips", metavar="VIP", nargs="*", help=f"default: {default}")


def _chosen(args: argparse.Namespace) -> tuple[str, ...]:
    """The addresses in their one written form. Raises ValueError."""
    return tuple(canonical_address(vip) for vip in args.vips)


def _owners(args: argparse.Namespace) -> int:
    """1 when somebody answers who must not, or nobody does."""
    from lvstui.watch import local_watcher

    try:
        chosen = _chosen(args)
    except ValueError as error:
        return fail(str(error), USAGE)
    with local_watcher(config=args.config, interval_s=args.interval) as watcher:
        picture = watcher.settle()
        known = [vip for instance in picture.instances for vip in instance.vips]
        vips = chosen or tuple(dict.fromkeys(known))
        strange = [vip for vip in vips if vip not in known]
        if strange or not vips:
            what = f"{strange[0]} is" if strange else "there is"
            return fail(f"{what} no virtual address of this director", USAGE)
        asked = picture.at
        watcher.ask_owners(vips)

        def answered(now: Picture) -> bool:
            came = {owners.address for owners in now.owners if owners.at > asked}
            return came.issuperset(vips) or any(gap.source == "arp" for gap in now.gaps)

        picture = watcher.wait_for(answered, ANSWER_S) or watcher.picture
    lines = [line for line in owner_lines(picture) if line.address in vips]
    if not lines:
        gaps = [f"{gap.what}: {gap.remedy}" for gap in picture.gaps if gap.source == "arp"]
        return fail(gaps[0] if gaps else "nobody could be asked", USAGE)
    for line in lines:
        print(line.text)
    return DONE if all(line.good for line in lines) else NOT_DONE


def _announce(args: argparse.Namespace) -> int:
    from lvstui.operations.announce import Announcements, plan_announcement
    from lvstui.watch import local_watcher

    try:
        chosen = _chosen(args)
    except ValueError as error:
        return not_done(args, str(error), USAGE)
    with local_watcher(config=args.config, interval_s=args.interval) as watcher:
        picture = watcher.settle()
    plan = plan_announcement(picture, chosen, reason=args.reason)
    operator = Announcements(read_only=readonly.active())
    return carry_out(args, plan, lambda tell, stop: operator.apply(plan, tell=tell, stop=stop))
