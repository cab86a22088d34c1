"""Plans for drain, enable and weight: pure, from the picture to steps with their effects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.model.picture import Picture, ServerView, ServiceView, State
from lvstui.model.say import duration, plural
from lvstui.operations.audit import Deed
from lvstui.operations.change import Part, Plan, Step
from lvstui.operations.undo import OLDER, Offer

MAX_WEIGHT = 65535
"""keepalived takes more since 2.1, older kernels' schedulers do not all: 65535 is safe."""
Target = tuple[ServiceKey, ServerKey]
Original = Callable[[str, str], int | None]


@dataclass(frozen=True, slots=True)
class SetKernelWeight:
    """One write: the kernel weight of one real server in one virtual service."""

    host: str
    service: ServiceKey
    server: ServerKey
    before: int
    """Weight in the kernel when the plan was made."""
    after: int
    what: str
    """In words: `kernel weight of rs2 (10.10.0.4:80) in tcp 10.10.0.20:80: 10 → 0`."""
    verify: str
    undo: str
    name: str = ""
    """The real server's name, when it has one."""


@dataclass(frozen=True, slots=True)
class WeightsPlan(Plan):
    """Weights in the kernel of this director."""

    host: str = ""
    operation: str = ""
    """drain, enable, weight or undo."""
    steps: tuple[SetKernelWeight, ...] = ()

    @property
    def parts(self) -> tuple[Part, ...]:
        steps = tuple(Step(one.what, one.verify, one.undo) for one in self.steps)
        return (Part(self.host, steps=steps),)

    @property
    def deeds(self) -> tuple[Deed, ...]:
        """For the audit log, one for each step."""
        return tuple(
            Deed(
                self.host,
                step.name,
                self.operation,
                service=str(step.service),
                server=str(step.server),
                before=step.before,
                after=step.after,
            )
            for step in self.steps
        )

    @property
    def shell_lines(self) -> tuple[str, ...]:
        if self.operation == "undo":
            return ("lvstui undo",)
        lines = []
        for step in self.steps:
            weight = f" {step.after}" if self.operation == "weight" else ""
            lines.append(
                f'lvstui {self.operation} {step.server}{weight} --service "{step.service}"'
            )
        return tuple(lines)


def planned(host: str, operation: str, steps: Sequence[SetKernelWeight]) -> WeightsPlan:
    """A plan of these steps, called `drain 10.10.0.4:80 in tcp 10.10.0.20:80 and 2 more`."""
    title = operation
    if steps:
        title += f" {steps[0].server} in {steps[0].service}"
        title += f" and {len(steps) - 1} more" if len(steps) > 1 else ""
    return WeightsPlan(title, host, operation, tuple(steps))


def plan_weights(
    picture: Picture,
    operation: str,
    targets: Sequence[Target],
    *,
    weight: int | None = None,
    reason: str = "",
    original: Original = lambda service, server: None,
) -> WeightsPlan:
    """The plan of `drain`, `enable` or `weight` (with its `weight`) on `targets`.

    `original` gives the weight before an earlier drain, from the audit log. What cannot be done
    is in the plan's refusals, never raised; an unknown operation raises ValueError.
    """
    if operation not in ("drain", "enable", "weight"):
        raise ValueError(f"no operation {operation!r}")
    refusals: list[str] = []
    cautions: list[str] = []
    same: list[str] = []
    steps: list[SetKernelWeight] = []
    if operation == "weight" and (weight is None or not 0 <= weight <= MAX_WEIGHT):
        refusals.append(f"a weight is a whole number from 0 to {MAX_WEIGHT}")
        weight = 0
    if not targets:
        refusals.append("no real server was chosen")
    for service_key, server_key in dict.fromkeys(targets):
        view = picture.server(service_key, server_key)
        if view is None or not view.in_kernel or view.weights.kernel is None:
            refusals.append(_not_there(picture, service_key, server_key, view))
            continue
        off = disabled_words(view) if operation == "enable" and not view.weights.kernel else ""
        if off:
            # A weight in the kernel alone would be gone with the next check that recovers.
            refusals.append(
                f'{off}, or lvstui config enable {server_key} --service "{service_key}"'
            )
            continue
        after = _wanted(operation, view, weight, original, cautions)
        if after is None and view.weights.file == 0:
            refusals.append(
                f"the weight of {view.label} in {service_key} is 0 in the file, and nobody signed "
                "for it: set one there (c on screen 4, or lvstui config weight)"
            )
        elif after is None:
            refusals.append(
                f"{view.label} in {service_key}: no weight is known to go back to; "
                "give one (w, or lvstui weight)"
            )
        elif after == view.weights.kernel:
            same.append(f"{view.label} in {service_key} has weight {after} already{_other(view)}")
        else:
            steps.append(_step(picture.host, view, after))
    if not steps and not refusals:
        refusals.append("nothing to change: " + "; ".join(same))
    elif not refusals:
        cautions += same
    effects, typed, more = _effects(picture, steps)
    cautions += more
    cautions += _flap_caution(picture, steps)
    return replace(
        planned(picture.host, operation, steps),
        effects=tuple(effects),
        cautions=tuple(dict.fromkeys(cautions)),
        refusals=tuple(refusals),
        typed=typed,
        reason=reason,
    )


def plan_undo(picture: Picture, offer: Offer) -> WeightsPlan:
    """The plan that undoes an operation on weights."""
    chosen = offer.operation
    steps: list[SetKernelWeight] = []
    cautions = list(offer.cautions)
    refusals = [offer.refusal] if offer.refusal else []
    for entry in chosen.steps:
        try:
            service, server = ServiceKey.parse(entry.service), ServerKey.parse(entry.server)
        except ValueError as error:
            refusals.append(f"the audit log holds an entry that can not be read: {error}")
            continue
        view = picture.server(service, server)
        if (
            view is None
            or not view.in_kernel
            or view.weights.kernel is None
            or (entry.before is None)
        ):
            refusals.append(_not_there(picture, service, server, view))
            continue
        if view.weights.kernel != entry.after:
            cautions.append(
                f"{view.label} in {service} has weight {view.weights.kernel} now, not the "
                f"{entry.after} that {entry.operation} left: something changed it since"
            )
        if view.weights.kernel != entry.before:
            steps.append(_step(picture.host, view, entry.before))
    if not steps and not refusals:
        refusals.append(
            f"nothing to undo: the weights are what they were before “{chosen.title}”. {OLDER}"
        )
    effects, typed, more = _effects(picture, steps)
    age = duration(picture.at - chosen.at)
    what = f"undoes “{chosen.title}” of {chosen.who}, {age} ago"
    reason = next((entry.reason for entry in chosen.steps if entry.reason), "")
    return replace(
        planned(picture.host, "undo", steps),
        effects=(what, *effects),
        cautions=(*cautions, *more),
        refusals=tuple(refusals),
        typed=typed,
        reason=reason,
        undoes=chosen.id,
    )


def disabled_words(view: ServerView) -> str:
    """By whom, since when and why a server is disabled in the file, and the way back; empty: it is
    not."""
    mark = view.configured.disabled if view.configured is not None else None
    if mark is None or view.weights.file != 0:
        return ""
    why = f" ({mark.reason})" if mark.reason else ""
    back = "the default weight" if mark.was is None else f"weight {mark.was}"
    return (
        f"{view.label} in {view.service} is disabled in the file since {mark.at} UTC by "
        f"{mark.who}{why}: B enables it there ({back})"
    )


def _other(view: ServerView) -> str:
    """Where a server that takes connections has not the weight that is configured."""
    configured = view.weights.keepalived or view.weights.file
    if not view.weights.kernel or not configured or configured == view.weights.kernel:
        return ""
    return f" (configured {configured}: w, or lvstui weight, sets it)"


def _wanted(
    operation: str, view: ServerView, weight: int | None, original: Original, cautions: list[str]
) -> int | None:
    if operation == "drain":
        return 0
    if operation == "weight":
        return weight
    if view.weights.kernel:
        return view.weights.kernel  # it is enabled: nothing to change
    recorded = original(str(view.service), str(view.key))
    configured = view.weights.keepalived or view.weights.file
    if recorded and configured and recorded != configured:
        cautions.append(
            f"{view.label} had weight {recorded} before it was drained; "
            f"the configuration says {configured}"
        )
    if view.weights.file == 0:
        cautions.append(
            f"{view.label} is disabled in the file (weight 0): keepalived takes this back when "
            "its check recovers or the service restarts"
        )
    return recorded or configured or None


def _not_there(
    picture: Picture, service: ServiceKey, server: ServerKey, view: ServerView | None
) -> str:
    if not picture.table_readable:
        return "the kernel's IPVS table can not be read here"
    if view is None:
        return f"{server} is not in {service}"
    why = f" ({view.reason})" if view.reason else ""
    return f"{view.label} is not in {service} in the kernel now{why}: it has no weight to change"


def _step(host: str, view: ServerView, after: int) -> SetKernelWeight:
    before = view.weights.kernel or 0
    label = f"{view.name} ({view.key})" if view.name else str(view.key)
    return SetKernelWeight(
        host=host,
        service=view.service,
        server=view.key,
        before=before,
        after=after,
        what=f"kernel weight of {label} in {view.service}: {before} → {after}",
        verify="read the kernel table again",
        undo=f"kernel weight back to {before}",
        name=view.name,
    )


def _effects(
    picture: Picture, steps: Iterable[SetKernelWeight]
) -> tuple[list[str], str, list[str]]:
    """What the site will feel, what has to be typed, and cautions."""
    effects: list[str] = []
    cautions: list[str] = []
    typed = ""
    grouped: dict[ServiceKey, list[SetKernelWeight]] = {}
    for step in steps:
        grouped.setdefault(step.service, []).append(step)
    for key, changes in grouped.items():
        service = picture.service(key)
        if service is None:
            continue
        text, lost = _service_effect(service, changes)
        effects.append(text)
        stopped = [s for s in changes if s.after == 0 and s.before > 0]
        for step in stopped:
            view = picture.server(key, step.server)
            if view is not None and view.connections:
                effects.append(
                    f"clients of {plural(view.connections, 'connection')} on {view.label} keep "
                    "going until they end by themselves"
                )
        if service.vip_here is False:
            cautions.append(
                f"{service.key.address} is not on this host: the traffic goes through the other "
                "director, which this does not change"
            )
        if stopped and key.protocol == "tcp" and service.forwarding in ("DR", "TUN"):
            mode = picture.sysctl("net.ipv4.vs.conn_reuse_mode")
            if mode in ("0", "1"):
                cautions.append(
                    "a client that uses a source port again within two minutes still goes to a "
                    f"drained server: net.ipv4.vs.conn_reuse_mode is {mode}, 2 ends that"
                )
        templates = picture.sysctl("net.ipv4.vs.expire_quiescent_template")
        if stopped and service.persistence_s and templates != "1":
            cautions.append(
                f"{key} is persistent ({service.persistence_s} s): known clients come back to "
                "a drained server until then; net.ipv4.vs.expire_quiescent_template=1 ends that"
            )
        if lost:
            cautions.append(f"{key}: no real server is left for new connections")
            typed = typed or str(stopped[0].server.address if stopped else changes[0].server)
    return effects, typed, cautions


def _service_effect(service: ServiceView, changes: list[SetKernelWeight]) -> tuple[str, bool]:
    wanted = {step.server: step.after for step in changes}
    now = {
        view.key: view.weights.kernel or 0
        for view in service.servers
        if view.in_kernel and view.state is not State.DOWN
    }
    after = {key: wanted.get(key, weight) for key, weight in now.items()}
    total_now, total_after = sum(now.values()), sum(after.values())
    left = sum(1 for weight in after.values() if weight)
    more = total_after > total_now
    verb = ("takes" if left == 1 else "take") + " new connections" if more else "left"
    text = f"{service.key}: {left} of {service.pool} {verb}"
    if service.quorum > 1 or total_after < service.quorum:
        text += f", weight {total_after} against quorum {service.quorum}"
    if total_after == 0:
        return f"{text}: every new connection is refused", total_now > 0
    if total_now == 0:
        return f"{text}: new connections are accepted again", False
    others = [key for key, weight in after.items() if weight and key not in wanted]
    if others:
        change = total_now / total_after - 1
        if abs(change) >= 0.005:
            who = "each other one" if len(others) > 1 else "the other one"
            text += f", {who} gets {abs(change):.0%} {'more' if change > 0 else 'fewer'}"
    shares = [
        f"{_label(service, key)} {weight / total_after:.0%}"
        for key, weight in after.items()
        if key in wanted and weight
    ]
    if shares:
        text += "; new share: " + ", ".join(shares)
    return text, False


def _label(service: ServiceView, key: ServerKey) -> str:
    return next((v.label for v in service.servers if v.key == key), str(key))


def _flap_caution(picture: Picture, steps: Iterable[SetKernelWeight]) -> list[str]:
    """keepalived 2.2.7 writes the configured weight when a failed check recovers; a reload with
    the file unchanged keeps the kernel's weight (measured)."""
    for step in steps:
        view = picture.server(step.service, step.server)
        configured = view.configured if view is not None else None
        if configured is not None and configured.checkers and step.after != configured.weight:
            return [
                "this changes the kernel only: if the server's check fails and recovers, or "
                f"keepalived restarts, the weight goes back to {configured.weight}"
            ]
    return []
