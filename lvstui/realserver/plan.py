"""Plans: the smallest set of changes that makes a host a real server of these VIPs, and back.

Order is safety: the kernel is silent about the VIP before the VIP is there; what lasts is written
after what is live was proven; on the way back the VIP goes first.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from lvstui.model.keys import address_family, canonical_address
from lvstui.realserver import manifest as manifests
from lvstui.realserver import preflight, sysctls
from lvstui.realserver.facts import SYSCTL_FILE, HostFacts, Manifest, host_prefix
from lvstui.realserver.parse import names
from lvstui.realserver.stacks import Choice, Stack, by_name, choose
from lvstui.realserver.stacks.base import WantedFile, add_address, delete_address
from lvstui.realserver.steps import ChangeFile, HostPlan, HostStep, MoveAddress, SetSysctl

VARIANTS = ("all", "interface")


def plan_push(
    facts: HostFacts,
    vips: Sequence[str],
    *,
    method: str = "",
    variant: str = "",
    operator: str = "",
    when: str = "",
) -> HostPlan:
    """What makes this host a real server of `vips`, beside those that it has.

    `method` and `variant` override what is found to fit. Raises ValueError for an address, a
    method or a variant that is none. What speaks against it is in the plan's refusals.
    """
    asked = tuple(dict.fromkeys(canonical_address(vip) for vip in vips))
    if variant and variant not in VARIANTS:
        raise ValueError(f"no variant {variant!r}; there are: {', '.join(VARIANTS)}")
    manifest = facts.manifest or Manifest()
    every = tuple(dict.fromkeys((*manifest.vips, *asked)))
    choice = choose(facts, every, method)
    chosen = variant or manifest.variant or ("interface" if facts.containers else "all")
    refusals = preflight.refusals(facts, asked, choice, method)
    notes: list[str] = []
    if not asked or refusals:
        more = () if asked else ("no VIP was given",)
        return HostPlan(
            facts.host,
            "push",
            asked,
            choice.stack.name if choice.stack else "",
            choice.why,
            chosen,
            refusals=(*refusals, *more),
            boot_id=facts.boot_id,
        )
    stack = choice.stack
    assert stack is not None  # without one there is a refusal

    silent = any(address_family(vip) == 4 for vip in every)
    keys = needed_keys(facts, chosen) if silent else ()
    live: list[HostStep] = [
        _sysctl(facts, path, value) for path, value in keys if facts.sysctl(path) != value
    ]
    # Where the files of others say it already, there is no key to set.
    lasting = sysctls.file_text(keys, chosen) if keys else None
    ours, theirs = _who_persists(facts, stack, every, manifest)
    live += _put(facts, stack, asked, ours)
    commit: list[HostStep] = []
    if lasting is not None:
        wanted = WantedFile(SYSCTL_FILE, lasting.encode())
        commit += _file(facts, manifest, wanted, "ARP settings again after a reboot")
        refusals += _losing(facts, lasting, keys)
    files = [
        step
        for wanted in (stack.files(facts, ours) if ours else ())
        for step in _file(facts, manifest, wanted, "the VIP again after a reboot")
    ]
    transition = stack.transition(ours)
    if files or (ours and not all(stack.persistent(facts, vip) for vip in ours)):
        commit += [*transition.before, *files, *transition.after]
    if live or commit:
        after = manifests.after_push(
            facts, manifest, every, ours, stack.name, chosen, live, commit, operator, when
        )
        commit.append(manifests.step_for(facts, after))
    notes += _notes(facts, choice, chosen, theirs, live, commit)
    way_back = stack.transition(manifest.vips)
    return HostPlan(
        host=facts.host,
        operation="push",
        vips=asked,
        method=stack.name,
        why_method=choice.why,
        variant=chosen,
        live=tuple(live),
        commit=tuple(commit),
        back=way_back.before if files else (),
        back_after=way_back.after if files else (),
        scratch=stack.scratch(facts, tuple(dict.fromkeys((*manifest.vips, *ours)))),
        notes=tuple(notes),
        cautions=preflight.cautions(facts, asked, stack),
        refusals=tuple(refusals),
        boot_id=facts.boot_id,
    )


def plan_undo(
    facts: HostFacts, vips: Sequence[str] = (), *, operator: str = "", when: str = ""
) -> HostPlan:
    """What takes lvstui's work for `vips` (all, when none is given) off this host.

    What somebody else changed meanwhile is left alone and named. Raises ValueError for an address
    that is none.
    """
    manifest = facts.manifest
    asked = tuple(dict.fromkeys(canonical_address(vip) for vip in vips))
    refusals = preflight.undo_refusals(facts, asked)
    if refusals or manifest is None:
        return HostPlan(facts.host, "undo", asked, refusals=refusals, boot_id=facts.boot_id)
    going = tuple(vip for vip in manifest.vips if not asked or vip in asked)
    staying = tuple(vip for vip in manifest.vips if vip not in going)
    stack = by_name(manifest.method)
    cautions: list[str] = []
    live: list[HostStep] = []
    for vip in going:
        held = [a for a in facts.holders(vip) if a.link == "lo" and a.prefix == host_prefix(vip)]
        if vip not in manifest.added:
            cautions.append(f"{vip} was on lo before lvstui's push: it stays there")
        elif not held:
            cautions.append(f"{vip} is not on lo any more: somebody took it away")
        else:
            live.append(
                MoveAddress(
                    vip,
                    host_prefix(vip),
                    False,
                    stack.unlive(facts, vip),
                    stack.live(facts, vip, manifest.vips),
                    "the VIP goes first",
                )
            )
    commit: list[HostStep] = []
    files: list[HostStep] = []
    kept = stack.files(facts, staying)
    for wanted in kept:
        files += _undo_file(facts, manifest, wanted, staying, cautions)
    if not staying:
        known = {SYSCTL_FILE, *(wanted.path for wanted in kept)}
        for file in manifest.files:
            if file.path not in known:
                gone = WantedFile(file.path, None)
                files += _undo_file(facts, manifest, gone, staying, cautions)
    transition = stack.transition(staying)
    if files:
        commit += [*transition.before, *files, *transition.after]
    if not staying:
        if any(file.path == SYSCTL_FILE for file in manifest.files):
            gone = WantedFile(SYSCTL_FILE, None)
            commit += _undo_file(facts, manifest, gone, staying, cautions)
        commit += _restore_sysctls(facts, manifest, cautions)
    after = None
    if staying:
        after = manifests.after_undo(manifest, staying, files, operator, when)
    commit.append(manifests.step_for(facts, after))
    way_back = stack.transition(manifest.vips)
    if facts.boot_id != manifest.boot_id and manifest.boot_id:
        cautions.append("the host was started anew since the push: it survived that")
    return HostPlan(
        host=facts.host,
        operation="undo",
        vips=going,
        method=stack.name,
        why_method="it holds the VIPs now",
        variant=manifest.variant,
        live=tuple(live),
        commit=tuple(commit),
        back=way_back.before if files else (),
        back_after=way_back.after if files else (),
        scratch=stack.scratch(facts, manifest.vips),
        cautions=(*cautions, *preflight.undo_cautions(facts, going)),
        boot_id=facts.boot_id,
    )


# Parts


def needed_keys(facts: HostFacts, variant: str) -> tuple[tuple[str, str], ...]:
    """Keys and values that this host needs for silence, live or lasting; none when what is in
    force and what the files of others give at boot is right already."""
    own = facts.file(SYSCTL_FILE)
    wanted = sysctls.keys_for(facts, variant)
    if own is not None and own.content is not None:
        return wanted
    links = facts.lan if variant == "all" else facts.ingress
    boot = sysctls.in_order(facts)
    right = bool(links) and all(
        sysctls.effective(facts, name, link).ok and sysctls.effective_at_boot(boot, name, link).ok
        for link in links
        for name in sysctls.WANTED
    )
    return () if right else wanted


def _sysctl(facts: HostFacts, path: str, value: str) -> SetSysctl:
    why = "no ARP request that names the VIP as its sender"
    if path.endswith(sysctls.IGNORE):
        why = "no ARP answer for the VIP"
    if "/lo/" in path:
        why = "part of the usual recipe; no effect on packets from a NIC"
    return SetSysctl(path, facts.sysctl(path), value, why)


def _losing(facts: HostFacts, text: str, keys: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    """Lines that would win over ours at boot."""
    files = sysctls.with_ours(facts, text)
    found = []
    for path, value in keys:
        *_, link, name = path.split("/")
        setting = sysctls.losing(files, link, name, value) if link != "lo" else None
        if setting is not None:
            found.append(
                f"{setting.place} sets {sysctls.dotted(path)} = {setting.value} and is read after "
                f"{SYSCTL_FILE}: change it there first"
            )
    return tuple(dict.fromkeys(found))


def _who_persists(
    facts: HostFacts, stack: Stack, every: tuple[str, ...], manifest: Manifest
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """VIPs that our files have to hold, and sentences on those that other files hold already."""
    ours, theirs = [], []
    managed_paths = {file.path for file in manifest.files}
    for vip in every:
        place = foreign_place(facts, stack, vip, managed_paths)
        if vip not in manifest.vips and place:
            theirs.append(f"{vip} comes back after a reboot by {place}: nothing is added to that")
        else:
            ours.append(vip)
    return tuple(ours), tuple(theirs)


def foreign_place(
    facts: HostFacts, stack: Stack | None, vip: str, managed: AbstractSet[str] = frozenset()
) -> str:
    """Where somebody else's configuration puts this VIP on the loopback at boot; empty: nowhere.

    A stack's own files are believed; other lines that name the VIP are believed when the VIP is
    on the loopback now, since something put it there."""
    if stack is not None:
        path = stack.persistent(facts, vip)
        if path and path not in managed and "lvstui" not in path.rpartition("/")[2]:
            return path
    here = any(a.link == "lo" for a in facts.holders(vip))
    for mention in facts.mentions:
        base = mention.path.rpartition("/")[2]
        if (
            here
            and mention.path not in managed
            and "lvstui" not in base
            and not mention.path.startswith("/etc/keepalived/")
            and names(mention, vip)
        ):
            return mention.place
    return ""


def _put(
    facts: HostFacts, stack: Stack, asked: tuple[str, ...], ours: tuple[str, ...]
) -> list[HostStep]:
    steps: list[HostStep] = []
    for vip in asked:
        held = [a for a in facts.holders(vip) if a.link == "lo"]
        right = [a for a in held if a.prefix == host_prefix(vip)]
        if not right:
            do = add_address(facts, vip)
            back = f"{delete_address(facts, vip)} 2>/dev/null || :"
            if vip in ours:
                do, back = stack.live(facts, vip, ours), stack.unlive(facts, vip)
            steps.append(
                MoveAddress(
                    vip, host_prefix(vip), True, do, back, "this host takes packets for the VIP"
                )
            )
        steps += [
            MoveAddress(
                vip,
                wrong.prefix,
                False,
                f"{delete_address(facts, vip, wrong.prefix)} 2>/dev/null || :",
                f"ip addr replace {vip}/{wrong.prefix} dev lo",
                f"/{wrong.prefix} makes the whole network local; /{host_prefix(vip)} is right",
            )
            for wrong in held
            if wrong.prefix != host_prefix(vip)
        ]
    return steps


def _file(facts: HostFacts, manifest: Manifest, wanted: WantedFile, why: str) -> list[ChangeFile]:
    """The step for one file; none when it is as it has to be."""
    path, content, mode = wanted.path, wanted.content, wanted.mode
    seen = facts.seen(path)
    before = seen.content if seen else None
    if before == content and (seen is None or seen.mode == mode or content is None):
        return []
    managed = next((file for file in manifest.files if file.path == path), None)
    keep = path.replace("/", "%").lstrip("%") if before is not None and managed is None else ""
    owner = seen.owner if seen and before is not None and not path.endswith("lvstui") else "0:0"
    return [ChangeFile(path, before, content, mode, owner, keep, why)]


def _undo_file(
    facts: HostFacts,
    manifest: Manifest,
    wanted: WantedFile,
    staying: tuple[str, ...],
    cautions: list[str],
) -> list[ChangeFile]:
    """Back to what was there, or to what the VIPs that stay need."""
    path, content, mode = wanted.path, wanted.content, wanted.mode
    managed = next((file for file in manifest.files if file.path == path), None)
    seen = facts.seen(path)
    if managed is None or seen is None:
        if managed is not None:
            cautions.append(f"{path} is gone already: somebody removed it")
        return []
    ours = seen.content is not None and manifests.sha(seen.content) == managed.sha256
    if not ours:
        cautions.append(f"{path} is not what lvstui wrote: it was changed since (see its diff)")
    if not staying and managed.original:
        kept = facts.file(f"/var/lib/lvstui/original/{managed.original}")
        if kept is None or kept.content is None:
            cautions.append(f"the original of {path} is not on the host any more")
        elif ours:
            content, mode = kept.content, kept.mode
    if seen.content == content:
        return []
    why = "without this VIP" if staying else "as it was"
    return [ChangeFile(path, seen.content, content, mode, seen.owner, why=why)]


def _restore_sysctls(facts: HostFacts, manifest: Manifest, cautions: list[str]) -> list[SetSysctl]:
    steps = []
    for item in manifest.sysctls:
        now = facts.sysctl(item.key)
        if now == item.before:
            continue
        if now != item.after:
            cautions.append(
                f"{sysctls.dotted(item.key)} is {now or 'unreadable'} now, not the {item.after} "
                "that lvstui left: it stays"
            )
            continue
        steps.append(SetSysctl(item.key, now, item.before, "as it was before lvstui's push"))
    return steps


def _notes(
    facts: HostFacts,
    choice: Choice,
    variant: str,
    theirs: tuple[str, ...],
    live: list[HostStep],
    commit: list[HostStep],
) -> list[str]:
    notes = [*choice.passed, *theirs]
    paths = [step.path for step in commit if isinstance(step, ChangeFile)]
    if SYSCTL_FILE in paths:
        notes.append(
            f"{SYSCTL_FILE} and not 90-arp.conf: files are read in the order of their names, and "
            "99-sysctl.conf (Debian, RHEL) would win over 90; /usr/lib/sysctl.d belongs to packages"
        )
        if variant == "all":
            notes.append(
                "the values of lo change nothing for packets from a NIC: the kernel takes the "
                "larger of `all` and the interface that the packet uses"
            )
        else:
            notes.append(
                "only the director's interface is set: containers run here "
                f"({', '.join(facts.containers[:3])}), and `all` would reach into their networks"
            )
    if any(path.startswith("/etc/sysconfig/network-scripts/") for path in paths):
        notes.append(
            "the network service is not restarted: that would bounce every NIC; the address is "
            "put up with ip, under the label that the file gives it at the next boot"
        )
    if any(
        isinstance(step, MoveAddress) and step.add and address_family(step.vip) == 6
        for step in live
    ):
        notes.append("IPv6 needs no kernel setting: a /128 on lo is not answered for on a NIC")
    return notes
