"""Whether values fit their field, each other, and what is there already."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from lvstui.keepalived.edit.forms import BLOCKS, CHECKS, INSTANCE, SERVER, SERVICE, Field, FieldKind
from lvstui.keepalived.edit.style import NewBlock, NewLine
from lvstui.keepalived.keywords import version_of
from lvstui.model.config import Configuration, ConfiguredService
from lvstui.model.keys import ServerKey, address_family, canonical_address

Values = Mapping[str, str]
"""What was typed, by keyword; a field that is left out is empty."""

_HEADER = frozenset(("address", "port", "fwmark", "group", "name"))


def field_of(block: str, keyword: str) -> Field | None:
    """The field of `keyword` in a block; None when no form has it."""
    fields = BLOCKS.get(block)
    outer = ""
    if fields is None and block in ("url", "authentication"):
        outer = block
        fields = CHECKS["SSL_GET"] if block == "url" else INSTANCE
    for field in fields or ():
        if field.keyword == keyword and field.block == outer:
            header = block in ("virtual_server", "real_server", "vrrp_instance", "vrrp_script")
            return None if header and keyword in _HEADER else field
    return None


_BOOLEANS = ("true", "false", "on", "off", "yes", "no")
_ALIKE = {"lvs_sched": "lb_algo", "nb_get_retry": "retry"}


def complaint(block: str, keyword: str, words: Sequence[str], version: str = "") -> str:
    """What is wrong with `keyword words` in a block of that kind; empty when nothing is, or when
    no form knows the keyword."""
    alike = "lb_kind" if (block, keyword) == ("virtual_server", "lvs_method") else keyword
    field = field_of(block, _ALIKE.get(alike, alike))
    if field is None:
        return ""
    if field.kind is FieldKind.FLAG:
        extra = words and keyword != "require_reply" and words[0].lower() not in _BOOLEANS
        return f"{keyword}: true or false is needed" if extra else field.check("yes", version)
    text = (
        " ".join(words)
        if field.kind in (FieldKind.NETWORK, FieldKind.TEXT, FieldKind.SECRET)
        else ""
    )
    text = text or (words[0] if words else "")
    if not text.strip() and keyword != "persistence_timeout":
        return f"{keyword}: a value is needed"
    several = (FieldKind.SCRIPT, FieldKind.NETWORK, FieldKind.CHOICE)
    if len(words) > 1 and field.kind not in several:
        return f"{keyword}: keepalived reads one value only"
    if keyword == "protocol":
        text = text.upper()
    return field.check(text, version)


def check_all(
    fields: Sequence[Field], values: Mapping[str, str], version: str = ""
) -> dict[str, str]:
    """What is wrong with each of `values`, by keyword; only those with a fault are in it."""
    found = {field.keyword: field.check(values.get(field.keyword, ""), version) for field in fields}
    return {keyword: fault for keyword, fault in found.items() if fault}


def check_service(values: Values, version: str = "") -> dict[str, str]:
    """What is wrong with a new virtual server, by keyword."""
    faults = check_all(SERVICE, values, version)
    given = [name for name in ("address", "fwmark", "group") if _has(values, name)]
    if len(given) != 1:
        faults.setdefault(
            given[1] if len(given) > 1 else "address",
            "one of address, firewall mark and group is needed",
        )
    if "fwmark" in given and _has(values, "protocol"):
        faults.setdefault("protocol", "a firewall mark has no protocol")
    if given == ["address"] and not _has(values, "protocol"):
        faults.setdefault("protocol", "say which: keepalived would take UDP")
    if given[:1] != ["address"] and _has(values, "port"):
        faults.setdefault("port", "only an address has a port")
    for keyword, taken in (("lb_algo", "wlc"), ("lb_kind", "NAT")):
        if not _has(values, keyword):
            faults.setdefault(keyword, f"say which: keepalived would take {taken}")
    if values.get("ops") == "yes" and values.get("protocol") != "UDP":
        faults.setdefault("ops", "one packet scheduling needs UDP")
    quorum, hysteresis = _number(values, "quorum", 1), _number(values, "hysteresis", 0)
    if hysteresis >= quorum and not {"quorum", "hysteresis"} & faults.keys():
        faults["hysteresis"] = "the hysteresis is below the quorum"
    return faults


def check_quorum(service: ConfiguredService, quorum: int, hysteresis: int) -> str:
    """What is wrong with a quorum for the servers that are there; empty when nothing is."""
    total = sum(server.weight for server in service.servers)
    if quorum > total:
        return f"the weights come to {total}: keepalived would take that as quorum"
    if hysteresis >= quorum:
        return "the hysteresis is below the quorum"
    return ""


def check_server(values: Values, service: ConfiguredService, version: str = "") -> dict[str, str]:
    """What is wrong with a new real server of `service`, by keyword."""
    faults = check_all(SERVER, values, version)
    direct = (values.get("lvs_method") or service.forwarding) != "NAT"
    port = _number(values, "port", 0)
    if direct and port not in (0, service.key.port) and "port" not in faults:
        faults["port"] = f"with {service.forwarding} it is that of the service"
    if "address" not in faults:
        address = canonical_address(values["address"])
        tunnel = (values.get("lvs_method") or service.forwarding) == "TUN"
        if address_family(address) != service.key.family and not tunnel:
            faults["address"] = f"the service is IPv{service.key.family}"
        key = ServerKey(address, port if port and not direct else service.key.port)
        if any(server.key == key for server in service.servers):
            faults["address"] = "the service has that server already"
    upper, lower = _number(values, "uthreshold", 0), _number(values, "lthreshold", 0)
    if upper and lower > upper:
        faults.setdefault("lthreshold", "it is below the upper limit")
    return faults


_SHAPES = {
    "path": (r"/.*", "a path begins with /"),
    "status_code": (r"[1-5]\d\d(-[1-5]\d\d)?", "a code like 200, or a range like 200-299"),
    "digest": (r"[0-9a-fA-F]{32}", "an MD5 has 32 hexadecimal digits"),
    "payload": (r"[0-9a-fA-F \t]+", "hexadecimal digits are needed"),
}
"""What values of a check look like."""


def check_check(kind: str, values: Values, version: str = "") -> dict[str, str]:
    """What is wrong with a new check, by keyword. Raises KeyError for an unknown kind."""
    faults = check_all(CHECKS[kind], values, version)
    if first := next((f for f in CHECKS[kind] if f.required and not f.known(version)), None):
        faults[first.keyword] = f"{kind} came with keepalived {first.since}; this is {version}"
    for keyword, (shape, fault) in _SHAPES.items():
        if _has(values, keyword) and not re.fullmatch(shape, values[keyword].strip()):
            faults.setdefault(keyword, fault)
    payload = values.get("payload", "").strip()
    if payload.lower().endswith("ff") and version and version_of(version) < (2, 3, 3):
        # keepalived's reader takes the byte for its own mark of an error (2.2.7).
        faults.setdefault("payload", f"keepalived {version} can not read ff at its end")
    if "max_reply_length" not in faults and "min_reply_length" not in faults:
        low, high = _number(values, "min_reply_length", 0), _number(values, "max_reply_length", 255)
        if low > high:
            faults["min_reply_length"] = f"it is over the longest reply ({high})"
    return faults


def check_instance(
    values: Values, version: str = "", beside: Configuration | None = None
) -> dict[str, str]:
    """What is wrong with a new vrrp_instance, by keyword; `beside` is what is there already."""
    faults = check_all(INSTANCE, values, version)
    vips = values.get("virtual_ipaddress", "").split()
    ipv6 = bool(vips) and ":" in vips[0]
    vrrp = _number(values, "version", 3 if ipv6 else 2)
    interval = values.get("advert_int", "").strip() or "1"
    if "advert_int" not in faults:
        if vrrp == 2 and not re.fullmatch(r"0*[1-9]\d*", interval):
            faults["advert_int"] = "version 2 knows whole seconds only"
        elif vrrp == 3 and float(interval) > MAX_V3_INTERVAL:
            faults["advert_int"] = f"version 3 knows up to {MAX_V3_INTERVAL} s"
    if ipv6 and vrrp == 2:
        faults.setdefault("version", "IPv6 needs version 3")
    if values.get("nopreempt") == "yes":
        if values.get("state") == "MASTER":
            faults.setdefault("nopreempt", "it needs state BACKUP on every director")
        if _has(values, "preempt_delay"):
            faults.setdefault("preempt_delay", "it does not go with no preempt")
    if _has(values, "auth_type") or _has(values, "auth_pass"):
        if vrrp != 2:
            faults.setdefault("auth_type", "version 3 has no authentication")
        elif not _has(values, "auth_pass"):
            faults.setdefault("auth_pass", "a password is needed")
        elif not _has(values, "auth_type"):
            faults.setdefault("auth_type", "say which: PASS")
    if values.get("auth_type") == "AH" and values.get("state") == "MASTER":
        faults.setdefault("state", "with AH keepalived takes BACKUP")
    own, peer = values.get("unicast_src_ip", "").strip(), values.get("unicast_peer", "").strip()
    if own and peer and own == peer:
        faults.setdefault("unicast_peer", "it is the other director's address, not the own one")
    for there in beside.instances if beside else ():
        if there.name == values.get("name", "").strip():
            faults.setdefault("name", "there is an instance of that name")
        same = there.vrid == _number(values, "virtual_router_id", 0)
        if same and there.interface == values.get("interface", "").strip():
            family = address_family(there.vips[0]) if there.vips else 4
            if family == (6 if ipv6 else 4):
                faults.setdefault(
                    "virtual_router_id", f"instance {there.name} has it on that interface"
                )
    return faults


MAX_V3_INTERVAL = 40.95
"""Seconds: 12 bits of centiseconds (RFC 9568, 5.2.7)."""


def new_check(kind: str, values: Values) -> NewBlock:
    """The check that `values` describe: empty ones are left out, a flag is written for `yes`.

    Raises KeyError for an unknown kind.
    """
    inner: list[NewLine] = []
    lines: list[NewLine | NewBlock] = []
    for field in CHECKS[kind]:
        words = words_of(field, values.get(field.keyword, ""))
        if words is not None:
            (inner if field.block else lines).append(NewLine(words))
    if inner:
        lines.insert(0, NewBlock((b"url",), tuple(inner)))
    return NewBlock((kind.encode(),), tuple(lines))


def settings(
    fields: Sequence[Field], values: Values, block: str = ""
) -> tuple[tuple[str, ...], ...]:
    """What a form writes into its block (or into the `block` within): keyword and value of each
    field that is filled in, without those of the header."""
    result: list[tuple[str, ...]] = []
    for field in fields:
        if field.block == block and field.keyword not in _HEADER:
            words = words_of(field, values.get(field.keyword, ""))
            if words is not None:
                result.append(tuple(word.decode("utf-8", "surrogateescape") for word in words))
    return tuple(result)


def words_of(field: Field, text: str) -> tuple[bytes, ...] | None:
    """The words that a field writes; None when it writes nothing."""
    text = text.strip()
    keyword = field.keyword.encode()
    if field.kind is FieldKind.FLAG:
        return (keyword,) if text == "yes" else None
    if not text:
        return None
    return keyword, text.encode("utf-8", "surrogateescape")


def _has(values: Values, keyword: str) -> bool:
    return bool(values.get(keyword, "").strip())


def _number(values: Values, keyword: str, default: int) -> int:
    text = values.get(keyword, "").strip()
    return int(text) if re.fullmatch(r"\d{1,10}", text) else default
