"""From wanted files to a plan: what keepalived and lint say of them, and what they would do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lvstui.keepalived.daemon.around import look_around
from lvstui.keepalived.daemon.facts import ConfigSeen, DirectorSeen, FileSeen, FileStep
from lvstui.keepalived.daemon.look import look_config
from lvstui.keepalived.daemon.trial import Trial, trial
from lvstui.keepalived.diff import Difference, Impact, difference
from lvstui.keepalived.lint.context import Peer
from lvstui.keepalived.lint.own_test import classify
from lvstui.keepalived.lint.rules import lint
from lvstui.keepalived.lint.surroundings import Surroundings
from lvstui.keepalived.text.mask import Secrets, masked_diff, secrets_of
from lvstui.model.changes import Ended
from lvstui.model.config import Configuration
from lvstui.model.finding import Finding, FindingSeverity, new_findings, worst_first
from lvstui.model.text import plain
from lvstui.operations import configuration_rules as rules
from lvstui.operations import configuration_verify as verify
from lvstui.operations.config_history import CURRENT, HistoryEntry, read_history
from lvstui.operations.config_plan import ConfigPlan, Director, FileChange, HostChange
from lvstui.operations.configuration_hosts import DirectorAccess
from lvstui.operations.configuration_rules import Side
from lvstui.remote.runner import Runner

_MANAGED = re.compile(rb"(?i)\b(ansible|puppet|chef|salt|saltstack|cfengine|managed by)\b")
_HEAD = 5
_SAME_START_S = 5.0
"""The host's clock gives whole seconds, and may be set."""


@dataclass(frozen=True, slots=True)
class HostPlanned:
    """A host's part of a plan, and what was seen for it."""

    where: DirectorAccess
    seen: DirectorSeen
    change: HostChange
    after: ConfigSeen
    steps: tuple[FileStep, ...] = ()
    tried: Trial = field(default_factory=Trial)
    refusals: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()
    old_is_lethal: bool = False
    unproven: tuple[str, ...] = ()
    """See `ConfigPlan`."""

    @property
    def side(self) -> Side:
        """For the rules of the pair."""
        before = self.seen.running or self.seen.config.configuration or Configuration()
        after = self.after.configuration or before
        return Side(
            self.where.name,
            self.seen.daemon.version,
            bool(self.seen.daemon.pid),
            before,
            after,
            rules.authentication(self.seen.config.tree),
            rules.authentication(self.after.tree),
        )


def director(seen: DirectorSeen) -> Director:
    """The daemon as a plan remembers it."""
    daemon = seen.daemon
    return Director(
        daemon.host,
        daemon.main,
        daemon.config_id,
        daemon.pid,
        daemon.started,
        daemon.version,
        seen.in_step,
    )


def idle(where: DirectorAccess, seen: DirectorSeen) -> HostPlanned:
    """A director on which nothing is changed; it counts for the rules of the pair."""
    return HostPlanned(where, seen, HostChange(director(seen), ()), seen.config)


def candidate(seen: DirectorSeen, runner: Runner, files: Sequence[FileChange]) -> ConfigSeen:
    """The configuration as it would be with new files. Raises RemoteError."""
    daemon = seen.daemon
    over = {change.path: change.after for change in files if change.before != change.after}
    return look_config(runner, daemon.main, daemon.config_id, over=over, root=daemon.root)


def peer_of(
    name: str, configs: Mapping[str, ConfigSeen], versions: Mapping[str, str]
) -> Peer | None:
    """The other director for lint; None when there is none to be seen."""
    for other, config in configs.items():
        if other != name and config.tree is not None and config.configuration is not None:
            around = Surroundings(version=versions.get(other, ""))
            return Peer(other, config.tree, config.configuration, around)
    return None


def draw(
    where: DirectorAccess,
    seen: DirectorSeen,
    runner: Runner,
    files: Sequence[FileChange],
    after: ConfigSeen,
    peers: tuple[Peer | None, Peer | None] = (None, None),
) -> HostPlanned:
    """What the new files of one director are worth. Raises RemoteError.

    after: from `candidate`. peers: the other director as it is, and as it will be.
    """
    daemon, root = seen.daemon, seen.daemon.root
    wanted = [change for change in files if change.before != change.after]
    on_disk = {file.path: file for file in (*seen.config.files, *after.files)}
    refusals = _disk(wanted, on_disk, where.name)
    steps = tuple(
        FileStep(c.path, on_disk[c.path].real if c.path in on_disk else c.path, c.before, c.after)
        for c in wanted
    )
    if not root:
        refusals.append(f"{where.name}: only root may write the configuration: sudo lvstui")
    if daemon.unbelieved:
        refusals.append(
            f"{where.name}: {daemon.unbelieved}, and others than root can write that program: it "
            "is not believed to be keepalived; let it and the folders above it be root's alone"
        )
    if wanted and root:
        refusals += _under_way(where.name, runner)
    tried = Trial()
    if wanted and not refusals:
        tried = trial(runner, daemon, steps)
    version = daemon.version
    around = _around(runner, seen, after) if tried.after or tried.why else {}
    before = judge(seen.config, tried, around.get("before"), version, peers[0], old=True)
    found = judge(after, tried, around.get("after"), version, peers[1]) if wanted else before
    fresh = new_findings(before, found)
    known = new_findings(fresh, found)
    if seen.config.configuration is not None and after.configuration is not None:
        nat = rules.nat_findings(seen.config.configuration, after.configuration)
        fresh = worst_first([*fresh, *nat])
    refusals += _lethal(where.name, found)
    if wanted and after.tree is None:
        refusals.append(f"{where.name}: keepalived would load nothing: {plain(after.why)}")
    refusals += _emptied(where.name, seen.config.configuration, after.configuration)
    old, new = seen.config.configuration, after.configuration
    differences: tuple[Difference, ...] = ()
    if wanted and new is not None:
        differences = difference(old or Configuration(), new, seen.config.tree, after.tree)
    secrets = Secrets()
    for tree in (seen.config.tree, after.tree):
        if tree is not None:
            secrets |= secrets_of(tree)
    diff = "".join(masked_diff(c.before, c.after, c.path, secrets) for c in wanted)
    change = HostChange(director(seen), tuple(wanted), differences, fresh, known, diff)
    lethal_before = any(finding.severity is FindingSeverity.LETHAL for finding in before)
    cautions = _cautions(where.name, seen, wanted, on_disk, lethal_before) if wanted else ()
    proof: tuple[str, ...] = ()
    if wanted and new is not None and daemon.pid:
        proof = verify.on_proof(verify.Expected(seen, new, seen.running or old or Configuration()))
    return HostPlanned(
        where,
        seen,
        change,
        after,
        steps,
        tried,
        tuple(dict.fromkeys(refusals)),
        cautions,
        lethal_before,
        proof,
    )


def _around(runner: Runner, seen: DirectorSeen, after: ConfigSeen) -> dict[str, Surroundings]:
    """What the host has, as far as each of the two texts names it."""
    trees = {"before": seen.config.tree, "after": after.tree}
    known = {name: tree for name, tree in trees.items() if tree is not None}
    found = look_around(runner, seen.daemon, tuple(known.values()))
    return dict(zip(known, found, strict=True))


def judge(
    config: ConfigSeen,
    tried: Trial,
    around: Surroundings | None,
    version: str,
    peer: Peer | None,
    *,
    old: bool = False,
) -> tuple[Finding, ...]:
    """What our rules and the host's own keepalived say of a configuration."""
    if config.tree is None or config.configuration is None:
        return ()
    found = list(
        lint(config.tree, config.configuration, around or Surroundings(version=version), peer)
    )
    tested = tried.before if old else tried.after
    if tested is not None:
        found += classify(tested.ended, tested.text, version, config.tree)
    elif tried.why and not old:
        # Where there is no keepalived nothing can die of it; where there is one, that is a risk.
        severity = FindingSeverity.ERROR if version else FindingSeverity.WARNING
        found.append(Finding("-t:untested", severity, f"keepalived has not tested it: {tried.why}"))
    return worst_first(found)


def _disk(wanted: Sequence[FileChange], on_disk: Mapping[str, FileSeen], host: str) -> list[str]:
    found = []
    for change in wanted:
        file = on_disk.get(change.path)
        now = file.data if file is not None and file.exists else None
        if file is not None and file.skipped:
            why = "it is no regular file"
            if file.regular:
                why = f"it has an execute bit (mode {file.mode:04o}): chmod a-x {change.path} first"
            found.append(f"{host}: {change.path}: keepalived would load nothing of it: {why}")
        elif now != change.before:
            word = "appeared" if change.before is None else "is gone" if now is None else "changed"
            found.append(f"{host}: {change.path} {word} since it was read: look again")
    return found


def _under_way(host: str, runner: Runner) -> list[str]:
    found = []
    for entry in read_history(runner, CURRENT):
        if entry.ended is Ended.WAITING:
            (standing,) = entry.standing
            then = f"keep it or undo it first, or wait {max(0, round(entry.left_s))} s"
            if standing.plight or standing.going_back:
                then = standing.plight or "it is on its way back"
            found.append(
                f"{host}: another change is under way (“{entry.title}” of {entry.who}): {then}"
            )
    return found


def _lethal(host: str, findings: Sequence[Finding]) -> list[str]:
    return [
        f"{host}: {finding.place or 'keepalived -t'}: {finding.text}"
        for finding in findings
        if finding.severity is FindingSeverity.LETHAL
    ]


def _emptied(host: str, old: Configuration | None, new: Configuration | None) -> list[str]:
    if old is None or new is None or not (old.instances or old.services):
        return []
    if new.instances or new.services:
        return []
    main = new.files[0] if new.files else "it"
    return [
        f"{host}: {main}: no instance and no service would be left: keepalived would drop "
        "every VIP and every backend"
    ]


def _cautions(
    host: str,
    seen: DirectorSeen,
    wanted: Sequence[FileChange],
    on_disk: Mapping[str, FileSeen],
    lethal_before: bool,
) -> tuple[str, ...]:
    found = []
    if not seen.daemon.pid:
        found.append(
            f"{host}: keepalived does not run: the file is written and tested, nothing is "
            "loaded and nothing can be verified"
        )
    if seen.in_step is False and seen.running is not None:
        pending = difference(seen.running, seen.config.configuration or Configuration())
        some = "; ".join(f"{d.subject}: {d.text}" for d in pending[:3])
        more = f" and {len(pending) - 3} more" if len(pending) > 3 else ""
        found.append(
            f"{host}: keepalived has not loaded the file as it is now: the reload also "
            f"brings {some or 'other differences'}{more}"
        )
    if lethal_before:
        found.append(
            f"{host}: keepalived would not survive loading the present file: if this is "
            "rolled back the file comes back and is not loaded"
        )
    for change in wanted:
        file = on_disk.get(change.path)
        if file is not None and file.links > 1:
            found.append(
                f"{host}: {change.path} has {file.links} names (hard links): the others "
                "keep the old text"
            )
        head = b"\n".join((change.before or b"").split(b"\n")[:_HEAD])
        if match := _MANAGED.search(head):
            found.append(
                f"{host}: {change.path} says that it is written by other software "
                f"({plain(match.group(1).decode())}): it may undo this"
            )
    return tuple(found)


def effects(drawn: Sequence[HostPlanned]) -> tuple[str, ...]:
    """What a plan does to the site, one sentence each; the same on both directors once."""
    found: dict[str, None] = {}
    for part in drawn:
        for one in part.change.differences:
            if one.impact is not Impact.WATCHES:
                found[f"{one.subject}: {one.text}"] = None
    return tuple(found)


def moved(plan: ConfigPlan, now: ConfigPlan) -> str:
    """What is no longer as the plan saw it; empty: nothing."""
    for host, again in zip(plan.hosts, now.hosts, strict=False):
        old, new = host.director, again.director
        if old.pid != new.pid or abs(old.started - new.started) > _SAME_START_S:
            return f"{old.host}: keepalived is another one than when this was planned: look again"
        known = {f.identity for f in (*host.findings, *host.known)}
        for finding in again.findings:
            if (
                finding.severity.rank <= FindingSeverity.ERROR.rank
                and finding.identity not in known
            ):
                return f"{old.host}: {finding.place or 'keepalived -t'}: {finding.text} (new)"
    return ""


def as_plan(entry: HistoryEntry) -> ConfigPlan:
    """What is remembered of a plan."""
    return ConfigPlan(entry.title, reason=entry.reason, timer_s=entry.timer_s, undoes=entry.undoes)
