"""From the text of `scripts/look.sh` to facts. Pure; foreign text is made harmless here."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import fields
from typing import TypeVar

from lvstui.model.keys import canonical_address
from lvstui.model.numbers import hexadecimal, number
from lvstui.model.text import plain
from lvstui.realserver.facts import (
    MANIFEST,
    Address,
    HostFacts,
    Listener,
    ManagedFile,
    ManagedSysctl,
    Manifest,
    Mention,
    Route,
    SeenFile,
    Setting,
    Stacks,
    SysctlFile,
    Unfinished,
)

T = TypeVar("T")
Sections = dict[str, list[str]]


def sections(text: str, nonce: str) -> Sections:
    """The parts of the output by name, markers found by the nonce; a missing one is empty."""
    found: Sections = defaultdict(list)
    current: list[str] = []
    mark = f"@@{nonce} "
    for line in text.split("\n"):
        if line.startswith(mark):
            current = found[line.removeprefix(mark)]
        else:
            current.append(line)
    return found


def facts(text: str, nonce: str, host: str, at: float) -> HostFacts:
    """Everything that one look saw. Raises ValueError when the output is not whole."""
    part = sections(text, nonce)
    if "end" not in part or "host" not in part:
        raise ValueError("the answer is not whole: it has no end mark")
    words = _words(part["host"])
    ours = [seen for line in part["ours"] if (seen := _file(line))]
    programs = tuple(
        (pair[0], pair[2])
        for value in words.get("program", ())
        if len(pair := value.partition(" ")) == 3 and pair[2]
    )
    as_root = words.get("uid", [""])[0] == "0"
    gap = "looked without root: firewall rules and files that only root reads are unseen"
    manifest = next((s for s in ours if s.path == MANIFEST), None)
    return HostFacts(
        host=host,
        taken_at=at,
        as_root=as_root,
        os_name=_release(part["release"]),
        kernel=words.get("kernel", [""])[0],
        boot_id=words.get("boot", [""])[0],
        init=words.get("init", [""])[0],
        systemd=number(words.get("systemd", [""])[0]) or 0,
        openrc="openrc" in words and "systemd" not in words,
        programs=programs,
        read_only=tuple(words.get("readonly", ())),
        free_kb=tuple(
            (name, size)
            for value in words.get("free", ())
            for name, _, kb in [value.partition(" ")]
            if (size := number(kb)) is not None
        ),
        addresses=tuple(_addresses(part["addresses"])),
        links=tuple(
            plain(match.group(1))
            for line in part["links"]
            if (match := re.match(r"\d+:\s+([^\s:@]+)[^<]*<[^>]*>", line))
        ),
        routes=tuple(_routes(part["routes"])),
        rules=tuple(
            plain(line.strip())
            for line in part["rules"]
            if line.strip()
            and not re.fullmatch(
                r"(0:\s+from all lookup local|3276[67]:\s+from all lookup (main|default))\s*", line
            )
        ),
        sysctls=tuple(_sysctls(part["sysctls"])),
        sysctl_files=tuple(_sysctl_files(part["sysctl-files"])),
        stacks=_stacks(part),
        files=tuple(ours),
        unit_enabled=any(line.strip() in ("unit enabled", "rc enabled") for line in part["ours"]),
        mentions=tuple(_mentions(part["mentions"])),
        listeners=tuple(_listeners(part["listeners"])),
        processes=tuple(plain(line) for line in part["processes"] if line),
        firewall=tuple(plain(line) for line in part["firewall"] if line.strip()),
        selinux=plain(" ".join(part["selinux"]).strip()),
        manifest=parse_manifest(manifest) if manifest else None,
        unfinished=unfinished(part["ours"]),
        reverted=next((plain(s.text, 4000) for s in ours if s.path.endswith("/reverted/log")), ""),
        gaps=() if as_root else (gap,),
    )


def _words(lines: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in lines:
        word, _, rest = line.partition(" ")
        if word:
            found.setdefault(word, []).append(plain(rest.strip()))
    return found


def _release(lines: list[str]) -> str:
    """The system's name, by os-release(5), or the one line that RHEL 6 and CentOS 6 have."""
    values = {}
    for line in lines:
        key, sign, value = line.partition("=")
        if sign:
            values[key.strip()] = plain(value.strip().strip("\"'"))
    if "ID" in values:
        return values.get("PRETTY_NAME") or values.get("NAME", values["ID"])
    return plain(next((line for line in lines if line.strip()), "").strip())


def _addresses(lines: Iterable[str]) -> Iterable[Address]:
    for line in lines:
        match = re.match(r"\d+:\s+(\S+)\s+inet6?\s+(\S+)(.*)", line)
        if not match:
            continue
        link, where, rest = match.groups()
        address, _, prefix = where.partition("/")
        try:
            address = canonical_address(address)
        except ValueError:
            continue
        most = 128 if ":" in address else 32
        length = number(prefix, most)
        scope = re.search(r"scope (\S+)", rest)
        # The label is the last word of the first half: `scope global lo:0\ valid_lft …`.
        label = re.search(
            r"scope \S+(?: (?:deprecated|secondary|noprefixroute|dynamic))* "
            r"([^\s\\]+)\s*\\",
            rest,
        )
        yield Address(
            plain(link.partition("@")[0].rstrip(":")),
            address,
            length if length is not None else most,
            plain(scope.group(1)) if scope else "global",
            plain(label.group(1)) if label and ":" not in address else "",
        )


def _routes(lines: Iterable[str]) -> Iterable[Route]:
    for line in lines:
        match = re.match(r"(to|from|away) (\S+) (.*)", line)
        if not match:
            continue
        kind, address, rest = match.groups()
        word = {
            name: plain(found.group(1)) if (found := re.search(rf"\b{name} (\S+)", rest)) else ""
            for name in ("dev", "via", "src")
        }
        yield Route(
            f"{kind} {plain(address)}",
            word["dev"],
            word["via"],
            word["src"],
            rest.startswith("local "),
            "" if word["dev"] else plain(rest),
        )


def _sysctls(lines: Iterable[str]) -> Iterable[tuple[str, str]]:
    for line in lines:
        words = line.split()
        if len(words) == 4:
            family, link, key, value = words
            middle = "" if link == "-" else f"conf/{plain(link)}/"
            yield f"net/{family}/{middle}{key}", plain(value)


def normal_key(text: str) -> str:
    """A key of a sysctl file with slashes between its parts (sysctl.d(5): if the first separator
    is a slash, dots are literal; else dots and slashes change places)."""
    first = re.search(r"[./]", text)
    if first is None or first.group() == "/":
        return text
    return text.translate(str.maketrans("./", "/."))


def _sysctl_files(lines: Iterable[str]) -> Iterable[SysctlFile]:
    path = link = ""
    settings: list[Setting] = []
    for line in [*lines, "F\t\t"]:
        if line.startswith("F\t"):
            if path:
                yield SysctlFile(path, link, tuple(settings))
            _, path, link = (plain(part) for part in (line + "\t").split("\t")[:3])
            settings = []
            continue
        match = re.match(r"(\d+):\s*(-?)\s*([^=\s#;]+)\s*(=?)\s*(.*)", line)
        if match:
            at, _, key, sign, value = match.groups()
            value = plain(value.strip()) if sign else ""
            settings.append(Setting(path, number(at) or 0, plain(normal_key(key)), value))


def _file(line: str) -> SeenFile | None:
    parts = line.split("\t")
    if len(parts) != 7 or parts[0] != "file":
        return None
    _, path, mode, uid, gid, link, content = parts
    try:
        data = None if content == "?" else bytes.fromhex(content)
    except ValueError:
        data = None
    right = int(mode, 8) if re.fullmatch("[0-7]{1,6}", mode) else 0o644
    return SeenFile(plain(path), data, right, f"{plain(uid)}:{plain(gid)}", plain(link))


def _mentions(lines: Iterable[str]) -> Iterable[Mention]:
    for line in lines:
        match = re.match(r"(/[^:]+(?::\d+)?):(\d+):(.*)", line)
        if match:
            path, at, text = match.groups()
            yield Mention(plain(path), number(at) or 0, plain(text.strip()))


def names(mention: Mention, address: str) -> bool:
    """Whether a line really names that address, not one that begins with it, outside a comment."""
    bare = mention.text.split("#")[0]
    if mention.path.endswith("keepalived.conf"):
        bare = bare.split("!")[0]
    pattern = rf"(?<![0-9A-Fa-f.:]){re.escape(address)}(?![0-9A-Fa-f:]|\.\d)"
    return re.search(pattern, bare, re.IGNORECASE) is not None


def _listeners(lines: list[str]) -> Iterable[Listener]:
    protocol, style = "tcp", ""
    for line in lines:
        words = line.split()
        if len(words) == 1:
            style, protocol = (words[0], "tcp") if words[0] != "udp" else (style, "udp")
            continue
        if style == "proc" and len(words) == 2:
            yield from _proc_listener(words)
            continue
        if not words or words[0] not in ("LISTEN", "UNCONN", "tcp", "tcp6", "udp", "udp6"):
            continue
        if len(words) < 4:
            continue
        where, _, port = words[3].rpartition(":")
        where = where.partition("%")[0].strip("[]")
        listens = number(port, 65535)
        if listens is None:
            continue
        if where in ("*", ""):
            yield Listener(protocol, "*", listens)
            continue
        try:
            yield Listener(protocol, canonical_address(where), listens)
        except ValueError:
            continue


def _proc_listener(words: list[str]) -> Iterable[Listener]:
    """`tcp 0100007F:0016` as /proc/net/tcp has it: words of the host's byte order."""
    kind, where = words
    raw, _, port = where.partition(":")
    try:
        data = b"".join(bytes.fromhex(raw[at : at + 8])[::-1] for at in range(0, len(raw), 8))
        text = canonical_address(
            ".".join(map(str, data))
            if len(data) == 4
            else ":".join(data[at : at + 2].hex() for at in range(0, 16, 2))
        )
        listens = hexadecimal(port, 65535)
        if listens is not None:
            yield Listener(kind[:3], text, listens)
    except ValueError:
        return


def _stacks(part: Sections) -> Stacks:
    manager = [line for line in part["network-manager"] if line]
    state = next((line for line in manager if not line.startswith("lo:")), "")
    running, _, version = state.partition(":")
    lo = next((line for line in manager if line.startswith("lo:")), "").split(":")
    networkd = part["networkd"]
    lo_line = next((line.split() for line in networkd if re.match(r"\s*\d+\s+lo\s", line)), [])
    lo_file = next(
        (line.partition(":")[2].strip() for line in networkd if "etwork File" in line), ""
    )
    netplan = part["netplan"]
    plan_files, renderer, plan_lo, current = [], "", "", ""
    for line in netplan:
        if line.startswith("file "):
            current = plain(line.removeprefix("file "))
            plan_files.append(current)
        elif match := re.match(r"(\d+):\s*renderer:\s*[\"']?(\w+)", line):
            renderer = plain(match.group(2))
        elif (match := re.match(r"(\d+):\s*lo:", line)) and not current.endswith("lvstui.yaml"):
            plan_lo = f"{current}:{match.group(1)}"
    ifupdown = part["ifupdown"]
    scripts = part["network-scripts"]
    wicked = part["wicked"]
    words = _words([*ifupdown, ""])
    script_words = _words([line for line in scripts if not line.startswith("file\t")])
    return Stacks(
        nm_running=running == "running",
        nm_version=plain(version.strip()),
        nm_lo=plain(lo[1]) if len(lo) > 1 else "",
        nm_lo_profile=plain(":".join(lo[2:])) if len(lo) > 2 else "",
        networkd_active="active" in (line.strip() for line in networkd[:1]),
        networkd_lo=plain(lo_line[-1]) if lo_line else "",
        networkd_lo_file="" if lo_file in ("n/a", "") else plain(lo_file),
        netplan=any(line.startswith("program ") for line in netplan) and bool(plan_files),
        netplan_files=tuple(plan_files),
        netplan_renderer=renderer,
        netplan_lo=plan_lo,
        ifupdown_version=words.get("version", [""])[0],
        ifupdown_service="enabled" in words.get("service", []),
        interfaces=next((s for line in ifupdown if (s := _file(line))), None),
        scripts_service="enabled" in script_words.get("service", [])
        or ("rc" in script_words and "disabled" not in script_words.get("service", [])),
        scripts_lo=tuple(s for line in scripts if (s := _file(line))),
        wicked_active="active" in _words(wicked).get("active", []),
        wicked_lo=next((s for line in wicked if (s := _file(line))), None),
    )


def unfinished(lines: list[str]) -> Unfinished | None:
    """The change under way, by the lines that begin with `tx`; None without any."""
    words = {key: rest.strip() for key, _, rest in (line.partition(" ") for line in lines)}
    if "tx" not in words:
        return None
    return Unfinished(
        tuple(plain(word) for word in words["tx"].split()),
        same_boot=words.get("tx-boot") != "other",
        guarded="tx-guard" in words,
        trouble=plain(words.get("tx-trouble", "")),
    )


def _record(kind: Callable[..., T], item: object) -> T:
    """A part of the manifest; every field of one is a text. Raises TypeError and ValueError."""
    if not isinstance(item, dict) or not all(isinstance(value, str) for value in item.values()):
        raise ValueError("a file or a kernel parameter in it is not as lvstui writes them")
    return kind(**item)


def parse_manifest(seen: SeenFile) -> Manifest:
    """lvstui's own record on the host; one that cannot be read says so in `problem`."""
    try:
        raw = json.loads(seen.text)
        plain_fields = {f.name for f in fields(Manifest)} - {"files", "sysctls", "vips", "added"}
        return Manifest(
            vips=tuple(canonical_address(vip) for vip in raw.get("vips", ())),
            added=tuple(canonical_address(vip) for vip in raw.get("added", ())),
            files=tuple(_record(ManagedFile, item) for item in raw.get("files", ())),
            sysctls=tuple(_record(ManagedSysctl, item) for item in raw.get("sysctls", ())),
            **{name: plain(str(raw.get(name, ""))) for name in plain_fields - {"problem"}},
        )
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        return Manifest(problem=plain(f"{seen.path} can not be read: {error}"))
