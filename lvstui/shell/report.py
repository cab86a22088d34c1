"""`lvstui status` for programs: the picture as JSON with a documented, versioned schema.

Rules of the schema: names are stable within a version; a unit is in the name (`_s` seconds,
`_per_s`, `_bytes`); what is not known is null, never left out and never a made-up zero; times
are epoch seconds.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from lvstui.model.connections import Handshakes
from lvstui.model.files import ConfigFiles
from lvstui.model.ipvs import Rates
from lvstui.model.picture import Event, InstanceView, Picture, ServerView, ServiceView
from lvstui.model.realserver import Look
from lvstui.model.verdict import VERDICTS, not_looked_at, verdict
from lvstui.model.waiting import ChangeStands, pressing

SCHEMA = "lvstui.status/2"
MEANINGS: dict[str, str] = {
    "schema": "name and version of this form",
    "at_epoch_s": "when the picture was made",
    "host": "the director's name",
    "verdict": "ok, degraded or blind; the exit status says the same (0, 1, 2)",
    "reasons[]": "why it is not ok, one sentence each",
    "not_looked_at[]": "what the verdict does not speak for, one sentence each",
    "daemon.running": "keepalived runs here; null: not known",
    "daemon.version": "of the running daemon; empty: not known",
    "daemon.pid": "of its parent process; 0: none",
    "daemon.started_epoch_s": "when it was started",
    "daemon.loaded_is_file": "what it runs is what is on disk; null: not known",
    "daemon.config_file": "its main configuration file",
    "daemon.other_pids[]": "of daemons that work on the same table and are not shown",
    "daemon.pids_elsewhere[]": "of daemons in other network namespaces",
    "daemon.processes[].role": "parent, vrrp, checkers or bfd",
    "daemon.processes[].pid": "of the process",
    "daemon.processes[].state": "T stopped, t held by a debugger, D hangs in the kernel, Z zombie; "
    "empty: it works",
    "daemon.processes[].since_epoch_s": "begin of that state; null: before lvstui looked",
    "cost.cpu_share": "0..1 of one core that lvstui itself takes; null: not measured yet",
    "cost.resident_bytes": "memory that lvstui itself holds; null: not measured",
    "instances[].name": "vrrp_instance",
    "instances[].state": "MASTER, BACKUP, FAULT, INIT, STOP, DELETED or unknown",
    "instances[].state_source": "who says so: fifo, dbus, log, dump or address",
    "instances[].since_epoch_s": "last transition",
    "instances[].interface": "interface of the adverts",
    "instances[].vrid": "virtual router id",
    "instances[].priority": "effective priority",
    "instances[].base_priority": "configured priority",
    "instances[].sync_group": "vrrp_sync_group; empty: none",
    "instances[].vips[]": "virtual addresses",
    "instances[].vips_here[]": "those that are on an interface of this host",
    "instances[].master_address": "whom we hear (or are) as MASTER; empty: nobody",
    "instances[].master_priority": "its priority",
    "instances[].last_advert_epoch_s": "last advert on the wire, ours or another's",
    "instances[].adverts_on_time": "false: none within the master-down interval; null: not heard",
    "instances[].other_senders[]": "addresses that send adverts for this VRID beside us",
    "instances[].counters": "since the daemon's start, from its last dump; null: no dump",
    "services[].id": "`tcp ADDR:PORT`, `udp …`, `sctp …` or `fwmark N`",
    "services[].protocol": "tcp, udp, sctp or fwmark",
    "services[].address": "virtual address; empty for a firewall mark",
    "services[].port": "0: every port",
    "services[].fwmark": "0: none",
    "services[].family": "4 or 6",
    "services[].name": "from the configuration's comment or the hosts file",
    "services[].scheduler": "rr, wrr, lc …",
    "services[].forwarding": "DR, NAT, TUN or mixed",
    "services[].persistence_s": "null: not persistent",
    "services[].one_packet": "one-packet scheduling",
    "services[].in_kernel": "it is in the kernel's table",
    "services[].vip_here": "its address is on this host; null: not known",
    "services[].up": "real servers whose state is up",
    "services[].quorum": "weight that has to be alive",
    "services[].quorum_ok": "it is",
    "services[].sorry_server_active": "the sorry server answers",
    "services[].severity": "good, info, warn or bad",
    "services[].reason": "what is wrong; empty: nothing",
    "services[].differs[]": "as of a server; what is scheduler, persistence or one-packet",
    "services[].active_connections": "sum over its real servers",
    "services[].inactive_connections": "sum over its real servers",
    "services[].rates": "sum over its real servers; null: not known",
    "services[].servers[].id": "ADDR:PORT of the real server",
    "services[].servers[].address": "of the real server",
    "services[].servers[].port": "0: the service's",
    "services[].servers[].name": "from the configuration's comment or the hosts file",
    "services[].servers[].state": "what becomes of its traffic: up, down, draining, drained, "
    "disabled, overloaded, standby, unverified or foreign",
    "services[].servers[].differs[]": "in what file, keepalived and kernel disagree: what (weight, "
    "forwarding, check, entry or file), text, by (who made it; empty: nobody in particular)",
    "services[].servers[].since_epoch_s": "begin of that state; null: before lvstui looked",
    "services[].servers[].reason": "why; empty for up",
    "services[].servers[].checker": "the check that says so, or the checks it has",
    "services[].servers[].weight_file": "in the configuration on disk",
    "services[].servers[].weight_keepalived": "as keepalived has loaded it and lets it serve",
    "services[].servers[].weight_kernel": "in the kernel",
    "services[].servers[].forwarding": "DR, NAT, TUN or LOCAL",
    "services[].servers[].in_kernel": "it is in the kernel's table",
    "services[].servers[].sorry": "it is the sorry server",
    "services[].servers[].active_connections": "TCP: established or half open",
    "services[].servers[].inactive_connections": "every other entry",
    "services[].servers[].handshakes": "of its newest TCP connections in a sample of the table: "
    "never (more than 2 s old and half open), of, window_s; null: none in the sample",
    "services[].servers[].persistent_connections": "templates; null: not known",
    "services[].servers[].upper_threshold": "0: none; null: not known",
    "services[].servers[].lower_threshold": "0: none; null: not known",
    "services[].servers[].rates": "null: not known",
    "services[].servers[].counters": "since it was added to the kernel; null: not known",
    "services[].servers[].share_of_weight": "0..1 of its service",
    "services[].servers[].share_of_traffic": "0..1 of its service's new connections",
    "services[].servers[].drain_left_s": "estimate until no connection is left",
    "services[].servers[].checks[]": "last messages: checker, ok, message, at_epoch_s",
    "stranded_flows[]": "connections that still go to servers that are gone: protocol, virtual, "
    "server, entries, living (had packets lately, or a client that keeps its port)",
    "changes[].id": "of a change of the configuration: the one that waits, and the newest",
    "changes[].state": "waiting, going back, kept, rolled back, trouble or refused",
    "changes[].title": "what it changes",
    "changes[].who": "who made it",
    "changes[].at_epoch_s": "when it was made",
    "changes[].deadline_epoch_s": "when its timer takes it back; null: no timer runs for it",
    "changes[].timer_alive": "the timer's process was seen; null: it needs none",
    "changes[].trouble": "why its way back can not be relied on, or what became of it; empty: "
    "nothing is wrong",
    "changes[].outcome": "what came of it; empty while it waits",
    "configuration.files[].path": "of a file of the configuration on disk, the main one first; "
    "configuration is null until it was read and judged",
    "configuration.files[].modified_epoch_s": "last change of its text",
    "configuration.findings[].severity": "lethal, error, warning or note",
    "configuration.findings[].rule": "name of the rule, the same in every version",
    "configuration.findings[].text": "what is wrong",
    "configuration.findings[].file": "path of the file; null: none in particular",
    "configuration.findings[].line": "from 1; null: none in particular",
    "instances[].clashes[].address": "sends adverts with its VRID for other addresses than its",
    "instances[].clashes[].priority": "in these adverts",
    "instances[].clashes[].vips[]": "in these adverts",
    "instances[].clashes[].peer": "it is a director of this very instance: the lists differ",
    "rivals[].address": "virtual address for which somebody else speaks and must not",
    "rivals[].mac": "who speaks for it by ARP or neighbour discovery",
    "rivals[].host": "name or address of who has that MAC; empty: not known",
    "rivals[].here": "the address is on this host",
    "rivals[].real_server": "it is a real server",
    "rivals[].first_epoch_s": "since when",
    "rivals[].last_epoch_s": "when it was heard last",
    "strays[].address": "virtual address whose packets arrive here, though it is elsewhere",
    "strays[].clients[]": "who sends them, some of them",
    "strays[].since_epoch_s": "since when",
    "real_servers[].address": "of a real server that was looked at, as the configuration has it",
    "real_servers[].name": "its name; empty: none",
    "real_servers[].looked_at_epoch_s": "when: all of it may have changed since",
    "real_servers[].verdict": "good, warn, bad or unknown: the worst of its checks",
    "real_servers[].error": "why it could not be looked at; null: it could",
    "real_servers[].drift[]": "what is worse than at the look before",
    "real_servers[].checks[]": "of each VIP: vip, check, verdict, says",
    "warnings[]": "severity, text, service, server",
    "gaps[]": "what can not be seen here: source, what, remedy",
    "events[]": "the last fifty, oldest first: at_epoch_s, host, severity, kind, text",
}
"""Every field and its meaning; `*.rates` holds connections, packets and bytes `_per_s`."""


FLEETING = frozenset(
    (
        *(
            "at_epoch_s",
            "last_advert_epoch_s",
            "first_epoch_s",
            "last_epoch_s",
            "clients",
            "since_epoch_s",
            "rates",
            "counters",
            "checks",
        ),
        *("active_connections", "inactive_connections", "persistent_connections"),
        *("handshakes", "stranded_flows", "share_of_traffic", "drain_left_s", "reasons", "cost"),
    )
)
"""Fields that move without anything having changed for an operator."""


def lasting(document: Any) -> Any:
    """`document` without what moves all the time: two that are equal tell the same."""
    if isinstance(document, dict):
        kept = {key: lasting(value) for key, value in document.items() if key not in FLEETING}
        if str(kept.get("state", "")).startswith("drain"):
            # Its reason counts connections down; that is worth a line only when it ends.
            kept.pop("reason", None)
        if "warnings" in kept:
            # Their texts tell ages ("12 min ago").
            kept["warnings"] = [{**warning, "text": ""} for warning in kept["warnings"]]
        return kept
    if isinstance(document, list):
        return [lasting(value) for value in document]
    return document


def report(picture: Picture) -> dict[str, Any]:
    """The picture in the schema `lvstui.status/2`."""
    status, reasons = verdict(picture)
    return {
        "schema": SCHEMA,
        "at_epoch_s": round(picture.at, 3),
        "host": picture.host,
        "verdict": VERDICTS[status],
        "reasons": reasons,
        "not_looked_at": not_looked_at(picture),
        "daemon": {
            "running": picture.daemon.running,
            "version": picture.daemon.version,
            "pid": picture.daemon.pid,
            "started_epoch_s": _time(picture.daemon.started),
            "loaded_is_file": picture.daemon.loaded_is_file,
            "config_file": picture.daemon.config_file,
            "other_pids": list(picture.daemon.beside),
            "pids_elsewhere": list(picture.daemon.elsewhere),
            "processes": [
                {
                    "role": process.role,
                    "pid": process.pid,
                    "state": process.state,
                    "since_epoch_s": _time(process.since),
                }
                for process in picture.daemon.processes
            ],
        },
        "cost": {
            "cpu_share": picture.cost.cpu_share,
            "resident_bytes": picture.cost.resident_bytes or None,
        },
        "instances": [_instance(instance) for instance in picture.instances],
        "services": [_service(service, picture) for service in picture.services],
        "stranded_flows": [
            {**asdict(flows), "virtual": str(flows.virtual), "server": str(flows.server)}
            for flows in picture.packets.stranded
        ],
        "changes": [_change(change, picture.at) for change in pressing(picture.changes)],
        "configuration": _files(picture.files) if picture.files is not None else None,
        "rivals": [
            {
                "address": rival.address,
                "mac": rival.mac,
                "host": rival.host,
                "here": rival.here,
                "real_server": rival.server,
                "first_epoch_s": _time(rival.first),
                "last_epoch_s": _time(rival.last),
            }
            for rival in picture.rivals
        ],
        "strays": [
            {
                "address": stray.address,
                "clients": list(stray.clients),
                "since_epoch_s": _time(stray.since),
            }
            for stray in picture.strays
        ],
        "real_servers": [_look(look) for look in picture.looks.values()],
        "warnings": [
            {
                "severity": warning.severity.value,
                "text": warning.text,
                "service": str(warning.service) if warning.service else None,
                "server": str(warning.server) if warning.server else None,
            }
            for warning in picture.warnings
        ],
        "gaps": [asdict(gap) for gap in picture.gaps],
        "events": [event(seen) for seen in picture.events[-50:]],
    }


_CHANGE_STATES = {
    "armed": "waiting",
    "reverting": "going back",
    "confirmed": "kept",
    "reverted": "rolled back",
    "trouble.end": "trouble",
}


def _change(change: ChangeStands, now: float) -> dict[str, Any]:
    return {
        "id": change.id,
        "state": _CHANGE_STATES.get(change.state, "refused"),
        "title": change.title,
        "who": change.who,
        "at_epoch_s": _time(change.at),
        "deadline_epoch_s": _time(change.deadline) if change.state == "armed" else None,
        "timer_alive": change.guarded if change.waits else None,
        "trouble": change.plight(now),
        "outcome": change.outcome,
    }


def _files(files: ConfigFiles) -> dict[str, Any]:
    return {
        "files": [
            {"path": file.path, "modified_epoch_s": _time(file.modified)} for file in files.files
        ],
        "findings": [
            {
                "severity": finding.severity.value,
                "rule": finding.rule,
                "text": finding.text,
                "file": finding.place.file if finding.place else None,
                "line": finding.place.line if finding.place else None,
            }
            for finding in files.findings
        ],
    }


def _look(look: Look) -> dict[str, Any]:
    return {
        "address": look.address,
        "name": look.name,
        "looked_at_epoch_s": _time(look.at),
        "verdict": look.verdict.value,
        "error": look.error or None,
        "drift": list(look.drift),
        "checks": [
            {"vip": vip, "check": check.id, "verdict": check.verdict.value, "says": check.says}
            for vip, found in look.checks
            for check in found
        ],
    }


def event(seen: Event) -> dict[str, Any]:
    return {
        "at_epoch_s": _time(seen.at),
        "host": seen.host,
        "severity": seen.severity.value,
        "kind": seen.kind,
        "text": seen.text,
        "service": str(seen.service) if seen.service else None,
        "server": str(seen.server) if seen.server else None,
    }


def _rounded(number: float | None, digits: int) -> float | None:
    return round(number, digits) if number is not None else None


def _time(at: float | None) -> float | None:
    return _rounded(at, 3)


def _instance(view: InstanceView) -> dict[str, Any]:
    stats = view.stats
    return {
        "name": view.name,
        "state": view.state,
        "state_source": view.source,
        "since_epoch_s": _time(view.since),
        "interface": view.interface,
        "vrid": view.vrid,
        "priority": view.priority,
        "base_priority": view.base_priority,
        "sync_group": view.sync_group,
        "vips": list(view.vips),
        "vips_here": list(view.vips_here),
        "master_address": view.master_address,
        "master_priority": view.master_priority,
        "last_advert_epoch_s": _time(view.last_advert),
        "adverts_on_time": view.adverts_ok,
        "other_senders": [address for address, _ in view.others],
        "clashes": [{**asdict(clash), "vips": list(clash.vips)} for clash in view.clashes],
        "counters": {**asdict(stats), "errors": dict(stats.errors)} if stats is not None else None,
    }


def _rates(rates: Rates | None) -> dict[str, float] | None:
    if rates is None:
        return None
    return {
        f"{name}_per_s": round(value, 1 if name.startswith("bytes") else 2)
        for name, value in asdict(rates).items()
    }


def _service(view: ServiceView, picture: Picture) -> dict[str, Any]:
    return {
        "id": str(view.key),
        **asdict(view.key),
        "name": view.name,
        "scheduler": view.scheduler,
        "forwarding": view.forwarding,
        "persistence_s": view.persistence_s,
        "one_packet": view.one_packet,
        "in_kernel": view.in_kernel,
        "vip_here": view.vip_here,
        "up": view.up,
        "quorum": view.quorum,
        "quorum_ok": view.quorum_ok,
        "sorry_server_active": view.sorry_active,
        "differs": [asdict(one) for one in view.differs],
        "severity": view.severity.value,
        "reason": view.reason,
        "active_connections": view.active,
        "inactive_connections": view.inactive,
        "rates": _rates(view.rates),
        "servers": [
            _server(server, picture.packets.handshakes.get(server.id)) for server in view.servers
        ],
    }


def _server(view: ServerView, handshakes: Handshakes | None) -> dict[str, Any]:
    detail = view.detail
    return {
        "id": str(view.key),
        **asdict(view.key),
        "name": view.name,
        "state": view.state.value,
        "since_epoch_s": _time(view.since),
        "reason": view.reason,
        "checker": view.checker,
        "weight_file": view.weights.file,
        "weight_keepalived": view.weights.keepalived,
        "weight_kernel": view.weights.kernel,
        "forwarding": view.forwarding,
        "in_kernel": view.in_kernel,
        "sorry": view.sorry,
        "differs": [asdict(one) for one in view.differs],
        "active_connections": view.active if view.in_kernel else None,
        "inactive_connections": view.inactive if view.in_kernel else None,
        "handshakes": (
            {"never": handshakes.never, "of": handshakes.of, "window_s": handshakes.window_s}
            if handshakes is not None
            else None
        ),
        "persistent_connections": detail.persistent if detail else None,
        "upper_threshold": detail.upper_threshold if detail else None,
        "lower_threshold": detail.lower_threshold if detail else None,
        "rates": _rates(view.rates),
        "counters": asdict(detail.counters) if detail is not None else None,
        "share_of_weight": _rounded(view.share_of_weight, 4),
        "share_of_traffic": _rounded(view.share_of_traffic, 4),
        "drain_left_s": _rounded(view.drain_left_s, 1),
        "checks": [
            {"checker": c.checker, "ok": c.ok, "message": c.message, "at_epoch_s": _time(c.at)}
            for c in view.checks
        ],
    }
