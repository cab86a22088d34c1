"""What an operator should know now, in the order of how bad it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lvstui.model.ages import warnings_of
from lvstui.model.facts import Done
from lvstui.model.finding import FindingSeverity as Fault
from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.model.link_warnings import link_warnings
from lvstui.model.packet_warnings import packet_warnings
from lvstui.model.picture import InstanceView, Picture, Severity, State, Warning
from lvstui.model.processes import process_warnings
from lvstui.model.realserver import Verdict
from lvstui.model.say import duration
from lvstui.model.waiting import pressing

_ORDER = {Severity.BAD: 0, Severity.WARN: 1, Severity.INFO: 2, Severity.GOOD: 3}
LOOK_HOLDS_S = 3600.0
"""A look at a real server that is older is no warning any more: nobody knows whether it holds."""
BECAUSE_S = 10.0
"""What keepalived said this close to a transition may be why."""
SHOWN = 3
"""Faults of the files that are told one by one."""
MOST = 200
"""Warnings made at most: past that the rest is counted in the last one."""
_ENDS = {"split": "no second director sends adverts any more"}
Deeds = Mapping[tuple[ServiceKey, ServerKey], Done]
"""Who did what to a real server last."""


def warnings(picture: Picture, done: Deeds) -> tuple[Warning, ...]:
    """Every warning that holds for `picture`, worst first."""
    found = [
        *_changes(picture),
        *warnings_of(picture),
        *_daemon(picture),
        *process_warnings(picture),
        *_vrrp(picture),
        *link_warnings(picture),
        *_services(picture),
        *_files(picture),
        *_drains(picture, done),
        *_looks(picture),
        *packet_warnings(picture),
    ]
    found.sort(key=lambda warning: _ORDER[warning.severity])
    if len(found) > MOST:
        more = len(found) - MOST
        found = [*found[:MOST], Warning(Severity.WARN, f"and {more} more", id="more")]
    return tuple(found)


def _changes(picture: Picture) -> list[Warning]:
    """A change whose way back cannot be relied on; one that waits as it should is no warning."""
    found = []
    for change in pressing(picture.changes):
        trouble = change.plight(picture.at)
        if trouble:
            text = f"change “{change.title}” of {change.who}: {trouble}"
            found.append(Warning(Severity.BAD, text, id=f"change {change.id}"))
    return found


def _daemon(picture: Picture) -> list[Warning]:
    daemon = picture.daemon
    found = []
    if daemon.running is False and daemon.installed:
        text = "keepalived is not running: nobody checks, nobody fails over"
        if any(instance.vips_here for instance in picture.instances):
            text += "; its VIP is still on this host"
        found.append(Warning(Severity.BAD, text, id="daemon"))
    if daemon.running and daemon.beside:
        pids = ", ".join(map(str, daemon.beside))
        text = f"more than one keepalived works on this table: {daemon.pid} is shown, not {pids}"
        found.append(Warning(Severity.BAD, text, id="daemons"))
    if daemon.running and daemon.loaded_is_file is False:
        text = "keepalived runs another configuration than the file: it was not reloaded"
        found.append(Warning(Severity.WARN, text, id="loaded"))
    return found


def _vrrp(picture: Picture) -> list[Warning]:
    running = picture.daemon.running is not False
    return [
        *_stand_ins(picture),
        *[
            Warning(Severity.BAD, text, id=f"{what} {instance.name}", ends=_ENDS.get(what, ""))
            for instance in picture.instances
            for what, text in _instance(instance, running)
        ],
    ]


def _stand_ins(picture: Picture) -> list[Warning]:
    """Instances that are MASTER here although another director is meant to be: that is no fault,
    and the next failover's beginning."""
    found = []
    for view in picture.instances:
        if view.state != "MASTER" or view.meant != "BACKUP":
            continue
        since = f" since {duration(picture.at - view.since)}" if view.since else ""
        why = next(
            (
                event.text
                for event in reversed(picture.events)
                if event.kind in ("daemon", "vrrp")
                and view.since
                and abs(event.at - view.since) < BECAUSE_S
                and view.name in event.text
                and not event.text.startswith(f"{view.name} is MASTER")
            ),
            "",
        )
        text = f"{view.name} is BACKUP in the file and MASTER here{since}"
        text += f": {why}" if why else ""
        found.append(Warning(Severity.INFO, text, id=f"stands in {view.name}"))
    return found


def _instance(instance: InstanceView, running: bool) -> Iterator[tuple[str, str]]:
    """What is wrong with it: a word for that, and a sentence."""
    name, here, others = instance.name, instance.vips_here, instance.others
    if instance.state == "FAULT":
        yield "fault", f"{name} is in FAULT"
    if here and others:
        who = ", ".join(f"{address} (priority {prio})" for address, prio in others)
        yield "split", f"split brain: {name} has its VIP here and {who} sends adverts as well"
    if len(others) > 1 and not here:
        who = " and ".join(address for address, _ in others)
        yield "split", f"split brain: {who} both send adverts for VRID {instance.vrid}"
    if running and instance.state == "BACKUP" and instance.adverts_ok is False:
        yield "silent", f"{name} is BACKUP and hears no adverts on {instance.interface}"
    if running and instance.state == "MASTER" and len(here) < len(instance.vips):
        missing = ", ".join(vip for vip in instance.vips if vip not in here)
        yield "vip", f"{name} is MASTER, but {missing} is not on {instance.interface}"


def _services(picture: Picture) -> list[Warning]:
    found = []
    for service in picture.services if picture.table_readable else ():
        key = service.key
        if service.severity is Severity.BAD:
            text = f"{key}: {service.reason}"
            found.append(Warning(service.severity, text, key, None, f"service {key}"))
        for one in service.differs:
            id_ = f"{one.what} {key}"
            found.append(Warning(Severity.WARN, f"{key}: {one}", key, None, id_))
    return found


def _drains(picture: Picture, done: Deeds) -> list[Warning]:
    found = []
    for service in picture.services:
        if service.severity is Severity.GOOD:
            continue
        for server in service.servers:
            weights = server.weights
            if server.state in (State.DRAINING, State.DRAINED) and weights.kernel == 0:
                last = done.get(server.id)
                since = f" {duration(picture.at - server.since)} ago" if server.since else ""
                by = f", drained by {last.who}{since}" if last is not None else ""
                why = f", “{last.reason}”" if last is not None and last.reason else ""
                file = f", file {weights.file}" if weights.file is not None else ""
                what = "drain"
                text = f"kernel weight 0{file}{by}{why}; a check that fails and recovers undoes it"
            elif server.differs and service.in_kernel:
                what, text = "differs", "; ".join(map(str, server.differs))
            elif server.state is State.OVERLOADED:
                what, text = "overloaded", server.reason
            else:
                continue
            text = f"{server.label} in {service.key}: {text}"
            id_ = f"{what} {service.key} {server.key}"
            found.append(Warning(Severity.WARN, text, service.key, server.key, id_))
            if len(found) > MOST:
                return found
    return found


def _files(picture: Picture) -> list[Warning]:
    """What is wrong in the files: only what keeps a service or an instance from doing what is
    written."""
    found = [
        finding
        for finding in (picture.files.findings if picture.files is not None else ())
        if finding.severity in (Fault.LETHAL, Fault.ERROR)
    ]
    result = []
    for finding in found[:SHOWN]:
        severity = Severity.BAD if finding.severity is Fault.LETHAL else Severity.WARN
        where = f"{finding.place.file}:{finding.place.line}: " if finding.place else ""
        id_ = f"finding {where}{finding.rule}"
        result.append(Warning(severity, f"{where}{finding.text}", id=id_))
    if len(found) > SHOWN:
        text = f"and {len(found) - SHOWN} more errors in the configuration"
        result.append(Warning(Severity.WARN, text, id="findings"))
    return result


def _looks(picture: Picture) -> list[Warning]:
    """Real servers that were seen not to be what Direct Routing needs, while that is news."""
    found = []
    for look in picture.looks.values():
        age = picture.at - look.at
        bad = [check for _, some in look.checks for check in some if check.verdict is Verdict.BAD]
        if bad and age < LOOK_HOLDS_S:
            more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
            when = f"as seen {duration(age)} ago" if age >= 1 else "as seen now"
            text = f"{look.label}, {when}: {look.error or bad[0].says or bad[0].id}{more}"
            found.append(Warning(Severity.WARN, text, id=f"look {look.address}"))
    return found
