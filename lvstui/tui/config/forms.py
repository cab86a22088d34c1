"""Forms for every thing that can be added or set, and the edits that they become. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from lvstui.keepalived.edit import intent
from lvstui.keepalived.edit.forms import (
    BLOCKS,
    CHECKS,
    INSTANCE,
    SCRIPT,
    SERVER,
    SERVICE,
    SORRY,
    Field,
    FieldKind,
)
from lvstui.keepalived.edit.intent import Intent
from lvstui.keepalived.edit.judge import (
    Values,
    check_all,
    check_check,
    check_instance,
    check_quorum,
    check_server,
    check_service,
    complaint,
    field_of,
    new_check,
    settings,
)
from lvstui.keepalived.edit.servers import NewServer
from lvstui.keepalived.edit.target import (
    NamedBlock,
    OfCheck,
    OfGlobals,
    OfNamed,
    OfServer,
    OfService,
)
from lvstui.model.config import Configuration, ConfiguredService
from lvstui.model.keys import ServerKey, ServiceKey, canonical_address

Faults = dict[str, str]
"""What is wrong, by keyword."""
NO_CHECK = "none"


@dataclass(frozen=True, slots=True)
class Form:
    """A form, and what becomes of it."""

    title: str
    fields: tuple[Field, ...]
    faults: Callable[[Values], Faults]
    intents: Callable[[Values], tuple[Intent, ...]]
    """Made in order, all or none."""
    values: Mapping[str, str] = field(default_factory=dict)
    """What is filled in already."""
    about: str = ""


def server_form(service: ConfiguredService, version: str) -> Form:
    """A real server more in `service`."""
    direct = service.forwarding != "NAT"
    fields = tuple(f for f in SERVER if not (direct and f.keyword == "port"))
    extra = tuple(f.keyword for f in SERVER if f.keyword not in _NEW_SERVER)

    def intents(values: Values) -> tuple[Intent, ...]:
        new = NewServer(
            _text(values, "address"),
            _number(values, "port"),
            _text(values, "name"),
            _number_or_none(values, "weight"),
        )
        port = new.port or service.key.port
        key = ServerKey(canonical_address(new.address), service.key.port if direct else port)
        more = _set_all(SERVER, values, OfServer(service.key, key), extra)
        return (intent.AddServer(service.key, new), *more)

    about = "Its checks are copied from the last real server of the pool."
    if not service.servers or not service.servers[-1].checkers:
        about = "Nothing will check it: no server of the pool has a check that could be copied."
    usual = service.usual_weight
    return Form(
        f"new real server in {service.key}",
        fields,
        lambda values: check_server(values, service, version),
        intents,
        values={} if usual is None else {"weight": str(usual)},
        about=about,
    )


_NEW_SERVER = ("address", "port", "name", "weight")


def _text(values: Values, keyword: str) -> str:
    return values.get(keyword, "").strip()


def _number(values: Values, keyword: str) -> int:
    """0 when it was left out."""
    return int(values.get(keyword) or 0)


def _number_or_none(values: Values, keyword: str) -> int | None:
    return _number(values, keyword) if values.get(keyword) else None


def _set_all(
    fields: Sequence[Field], values: Values, target: NamedBlock, keywords: Sequence[str]
) -> tuple[Intent, ...]:
    wanted = [f for f in fields if f.keyword in keywords]
    return tuple(intent.SetValue(target, words[0], words[1:]) for words in settings(wanted, values))


_FIRST = (
    Field(
        "rs_address",
        "First server",
        "address of its first real server",
        FieldKind.ADDRESS,
        required=True,
    ),
    Field("rs_name", "  its name", "stands beside it as a comment", FieldKind.TEXT, high=40),
    Field("rs_weight", "  its weight", "its share", FieldKind.INTEGER, "1", 0, 65535),
    Field(
        "rs_check",
        "  its check",
        "another kind is added with a afterwards",
        FieldKind.CHOICE,
        "TCP_CHECK",
        choices=("TCP_CHECK", NO_CHECK),
    ),
)


def service_form(configuration: Configuration, version: str) -> Form:
    """A virtual server more, with its first real server."""

    def faults(values: Values) -> Faults:
        found = check_service(values, version) | check_all(_FIRST, values, version)
        if not found and values.get("address"):
            new = (
                canonical_address(values["address"]),
                _number(values, "port"),
                values.get("protocol", "").lower(),
            )
            if any(
                (s.key.address, s.key.port, s.key.protocol) == new for s in configuration.services
            ):
                found["address"] = "there is such a service already"
        return found

    def intents(values: Values) -> tuple[Intent, ...]:
        checks = () if values.get("rs_check") == NO_CHECK else (new_check("TCP_CHECK", {}),)
        weight = _number_or_none(values, "rs_weight")
        first = NewServer(_text(values, "rs_address"), 0, _text(values, "rs_name"), weight, checks)
        new = intent.AddService(
            _text(values, "address"),
            _number(values, "port"),
            _number(values, "fwmark"),
            _text(values, "group"),
            _text(values, "name"),
            settings(SERVICE, values),
            (first,),
        )
        return (new,)

    common = {s.forwarding for s in configuration.services}
    values = {"lb_kind": common.pop()} if len(common) == 1 else {}
    ahead = tuple(f for f in SERVICE if f.keyword in _AHEAD)
    rest = tuple(f for f in SERVICE if f.keyword not in _AHEAD)
    return Form("new service", (*ahead, *_FIRST, *rest), faults, intents, values)


_AHEAD = ("address", "port", "name", "protocol", "lb_algo", "lb_kind")
"""What every service needs comes first."""


def check_form(service: ServiceKey, server: ServerKey, kind: str, version: str) -> Form:
    """A check more for a real server."""
    return Form(
        f"new {kind} for {server} in {service}",
        CHECKS[kind],
        lambda values: check_check(kind, values, version),
        lambda values: (intent.AddCheck(service, server, new_check(kind, values)),),
    )


def kinds(version: str) -> list[str]:
    """The kinds of checks that keepalived `version` knows."""
    return [kind for kind, fields in CHECKS.items() if all(f.known(version) for f in fields[:1])]


def sorry_form(service: ConfiguredService, version: str) -> Form:
    """Who answers when the quorum is lost."""
    now = service.sorry_server
    values = {"address": now.address, "port": str(now.port)} if now is not None else {}
    rest = [f.keyword for f in SORRY if f.keyword not in ("address", "port")]

    def intents(values: Values) -> tuple[Intent, ...]:
        port = _number(values, "port")
        one = intent.SetSorryServer(service.key, _text(values, "address"), port)
        return (one, *_set_all(SORRY, values, OfService(service.key), rest))

    title = f"sorry server of {service.key}"
    return Form(title, SORRY, lambda v: check_all(SORRY, v, version), intents, values)


def quorum_form(service: ConfiguredService, version: str) -> Form:
    """The weight that must be alive."""
    fields = tuple(
        replace(f, required=f.keyword == "quorum")
        for f in SERVICE
        if f.keyword in ("quorum", "hysteresis")
    )

    def faults(values: Values) -> Faults:
        found = check_all(fields, values, version)
        if not found:
            hysteresis = int(values.get("hysteresis") or service.hysteresis)
            wrong = check_quorum(service, int(values["quorum"]), hysteresis)
            found = {"quorum": wrong} if wrong else {}
        return found

    def intents(values: Values) -> tuple[Intent, ...]:
        margin = _number_or_none(values, "hysteresis")
        return (intent.SetQuorum(service.key, int(values["quorum"]), margin),)

    values = {"quorum": str(service.quorum)}
    if service.hysteresis:
        values["hysteresis"] = str(service.hysteresis)
    total = sum(server.weight for server in service.servers)
    about = f"The weights of its real servers come to {total}."
    return Form(f"quorum of {service.key}", fields, faults, intents, values, about)


def instance_form(configuration: Configuration, version: str) -> Form:
    """A vrrp_instance more."""

    def intents(values: Values) -> tuple[Intent, ...]:
        plain = [f for f in INSTANCE if f.block == ""]
        peer = _text(values, "unicast_peer")
        new = intent.AddInstance(
            _text(values, "name"),
            settings(plain, values),
            (tuple(values["virtual_ipaddress"].split()),),
            settings(INSTANCE, values, "authentication"),
            (peer,) if peer else (),
        )
        return (new,)

    return Form(
        "new VRRP instance",
        INSTANCE,
        lambda values: check_instance(values, version, configuration),
        intents,
        about="The other director needs its own: the same router id, VIPs and password, "
        "another priority.",
    )


def vip_form(instance: str, version: str) -> Form:
    """A VIP more."""
    address = next(f for f in INSTANCE if f.keyword == "virtual_ipaddress")
    help_ = "not in adverts: both directors need not agree"
    excluded = Field("excluded", "Excluded", help_, FieldKind.FLAG, "no")

    def intents(values: Values) -> tuple[Intent, ...]:
        vip = tuple(values["virtual_ipaddress"].split())
        return (intent.AddVip(instance, vip, values.get("excluded") == "yes"),)

    fields = (address, excluded)
    return Form(
        f"new VIP in {instance}", fields, lambda values: check_all(fields, values, version), intents
    )


def script_form(version: str) -> Form:
    """A vrrp_script more."""

    def intents(values: Values) -> tuple[Intent, ...]:
        return (intent.AddScript(values["name"].strip(), settings(SCRIPT, values)),)

    return Form(
        "new vrrp_script", SCRIPT, lambda values: check_all(SCRIPT, values, version), intents
    )


def block_of(target: NamedBlock) -> str:
    """The keyword of a target's block."""
    if isinstance(target, OfCheck):
        return target.kind
    if isinstance(target, OfNamed):
        return target.keyword
    names = {OfGlobals: "global_defs", OfService: "virtual_server", OfServer: "real_server"}
    return names[type(target)]


def settable(target: NamedBlock, version: str) -> list[Field]:
    """The values that a block of that kind may have, header and inner blocks left out."""
    block = block_of(target)
    fields = BLOCKS.get(block, ())
    return [f for f in fields if f.known(version) and field_of(block, f.keyword) == f]


def value_form(target: NamedBlock, keyword: str, now: str, version: str) -> Form:
    """Another value for one keyword; `now` is empty for a secret."""
    block = block_of(target)
    known = field_of(block, keyword)
    one = (
        replace(known, required=True)
        if known is not None
        else Field(keyword, keyword, f"its value in {block}", FieldKind.TEXT, required=True)
    )
    spread = one.kind not in (FieldKind.TEXT, FieldKind.SCRIPT, FieldKind.SECRET)

    def words(values: Values) -> tuple[str, ...]:
        text = values[keyword].strip()
        if known is None and not any(c in text for c in "#!{}"):
            return tuple(text.split())
        return tuple(text.split()) if spread else (text,)

    def faults(values: Values) -> Faults:
        found = check_all((one,), values, version)
        if not found and one.kind is not FieldKind.FLAG:
            wrong = complaint(block, keyword, words(values), version)
            found = {keyword: wrong} if wrong else {}
        return found

    def intents(values: Values) -> tuple[Intent, ...]:
        if one.kind is FieldKind.FLAG:
            if values[keyword].strip() == "yes":
                return (intent.SetValue(target, keyword),)
            return (intent.RemoveValue(target, keyword),)
        return (intent.SetValue(target, keyword, words(values)),)

    known_now = "yes" if one.kind is FieldKind.FLAG else now
    values = {keyword: known_now} if known_now else {}
    return Form(f"{keyword} of {block}", (one,), faults, intents, values)
