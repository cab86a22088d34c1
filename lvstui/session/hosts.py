"""Which hosts there are beside this one, as far as the picture tells."""

from __future__ import annotations

from lvstui.model.picture import Picture
from lvstui.realserver.hosts import Host, OwnFile, from_services


def real_servers_of(picture: Picture, own: OwnFile) -> tuple[Host, ...]:
    """The real servers in Direct Routing that a picture knows."""
    services = [view.configured for view in picture.services if view.configured is not None]
    marked = dict.fromkeys(vip for instance in picture.instances for vip in instance.vips)
    return from_services(services, own, tuple(marked))


def other_directors(picture: Picture) -> dict[str, str]:
    """Address and name of directors beside this one, as far as the wire tells them."""
    found: dict[str, str] = {}
    for instance in picture.instances:
        for address in (instance.master_address, *(sender for sender, _ in instance.others)):
            if address and address not in instance.vips:
                found[address] = "the other director"
    return found
