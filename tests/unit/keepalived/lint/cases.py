"""Small configurations with one fault each, as measured with six versions of keepalived, and the
worst that lint should say about each."""

from __future__ import annotations

from lvstui.keepalived.lint.surroundings import InterfaceSeen, Script, Surroundings
from lvstui.model.finding import FindingSeverity

HOST = Surroundings(
    links=(
        InterfaceSeen("lo", (("127.0.0.1", 8), ("::1", 128)), "loopback"),
        InterfaceSeen("eth0", (("10.9.0.1", 24), ("fd00:9::1", 64)), "veth"),
    ),
    version="2.2.7",
    scripts={"/usr/bin/true": Script.GOOD, "/nope/x": Script.MISSING},
    users=frozenset(("root", "keepalived_script")),
)

LETHAL, ERROR, WARNING, NOTE = FindingSeverity
QUIET = None
"""Nothing above a note."""


def instance(
    *more: str,
    name: str = "VI_1",
    interface: str = "interface eth0",
    vrid: str = "virtual_router_id 51",
    priority: str = "priority 150",
    vips: tuple[str, ...] | None = ("10.9.0.100/24",),
) -> str:
    lines = [interface, vrid, priority, *more]
    if vips is not None:
        lines += ["virtual_ipaddress {", *(f"    {vip}" for vip in vips), "}"]
    return "\n".join(
        [f"vrrp_instance {name} {{", *(f"    {line}" for line in lines if line), "}", ""]
    )


def server(*lines: str, address: str = "10.9.0.11 80", check: str = "TCP_CHECK {\n}") -> str:
    return "\n".join([f"real_server {address} {{", *lines, check, "}"])


def service(
    *more: str,
    header: str = "10.9.0.100 80",
    algo: str = "lb_algo rr",
    kind: str = "lb_kind DR",
    protocol: str = "protocol TCP",
    servers: tuple[str, ...] | None = None,
) -> str:
    pool = (server(),) if servers is None else servers
    lines = [f"virtual_server {header} {{", algo, kind, protocol, *more, *pool, "}", ""]
    return "\n".join(line for line in lines if line) + "\n"


def checked(check: str) -> str:
    return service(servers=(server(check=check),))


SCRIPT = 'vrrp_script s {{\n    script "{}"\n    interval 2\n}}\n'
SECURE = "global_defs {\n    enable_script_security\n    script_user root\n}\n"
GROUP = "vrrp_sync_group G {{\n    group {{\n        {}\n    }}\n}}\n"
VS_GROUP = "virtual_server_group G1 {{\n    {}\n}}\n"
GROUPED = service(header="group G1")

CASES: dict[str, tuple[str, FindingSeverity | None]] = {
    "empty file": ("", LETHAL),
    "only comments": ("# nothing\n! at all\n", LETHAL),
    "good": (instance() + service(), QUIET),
    "unknown top keyword": ("foo\n" + instance(), WARNING),
    "unknown top keyword block": ("foo {\n    bar\n}\n" + instance(), ERROR),
    "unknown kw in VI": (instance("foo"), WARNING),
    "unknown kw in RS": (service(servers=(server("foo"),)), WARNING),
    "missing close brace at EOF": (instance().rstrip("}\n"), ERROR),
    "extra close brace": (instance() + "}\n", ERROR),
    "no brace on header, next line": (instance().replace("VI_1 {", "VI_1\n{"), QUIET),
    "missing open brace": (instance().replace("VI_1 {", "VI_1"), LETHAL),
    "one-line blocks": (
        instance(vips=None).rstrip("}\n") + "\n    virtual_ipaddress { 10.9.0.100/24 }\n}\n",
        QUIET,
    ),
    "one-line blocks 2": (
        "vrrp_instance VI_1 { interface eth0 virtual_router_id 51 priority 150\n"
        "    virtual_ipaddress { 10.9.0.100/24 } }\n",
        LETHAL,
    ),
    "TCP_CHECK one line": (checked("TCP_CHECK { connect_timeout 3 }"), QUIET),
    "TCP_CHECK empty one line": (checked("TCP_CHECK { }"), QUIET),
    "TCP_CHECK{} no space": (checked("TCP_CHECK{}"), QUIET),
    "brace glued": (instance().replace("VI_1 {", "VI_1{"), QUIET),
    "close brace then text": (
        instance().rstrip("\n")
        + " "
        + instance(name="VI_2", vrid="virtual_router_id 52", vips=("10.9.0.101/24",)),
        QUIET,
    ),
    "unterminated quote": (
        instance("authentication {", "    auth_type PASS", '    auth_pass "abc', "}"),
        LETHAL,
    ),
    "missing param": (instance("advert_int"), LETHAL),
    "bad number": (instance("advert_int abc"), ERROR),
    "neg number": (instance("advert_int -1"), ERROR),
    "prio 0": (instance(priority="priority 0"), ERROR),
    "prio 255 non owner": (instance(priority="priority 255"), WARNING),
    "prio 256": (instance(priority="priority 256"), ERROR),
    "vrid 0": (instance(vrid="virtual_router_id 0"), LETHAL),
    "vrid 256": (instance(vrid="virtual_router_id 256"), LETHAL),
    "no vrid": (instance(vrid=""), LETHAL),
    "no interface": (instance(interface=""), LETHAL),
    "bad iface": (instance(interface="interface nope0"), LETHAL),
    "no vips": (instance(vips=None), ERROR),
    "dup vrrp names": (instance() + instance(vips=("10.9.0.101/24",)), ERROR),
    "dup vrid same iface": (instance() + instance(name="VI_2", vips=("10.9.0.101/24",)), LETHAL),
    "dup vip 2 instances": (instance() + instance(name="VI_2", vrid="virtual_router_id 52"), ERROR),
    "bad vip": (instance(vips=("10.9.0.300/24",)), ERROR),
    "bad vip mask": (instance(vips=("10.9.0.100/33",)), ERROR),
    "vip dev missing": (instance(vips=("10.9.0.100/24 dev nope0",)), LETHAL),
    "bad state": (instance("state FOO"), ERROR),
    "auth pass long": (
        instance("authentication {", "    auth_type PASS", "    auth_pass abcdefghij", "}"),
        WARNING,
    ),
    "auth bad type": (
        instance("authentication {", "    auth_type FOO", "    auth_pass abc", "}"),
        ERROR,
    ),
    "auth AH": (instance("authentication {", "    auth_type AH", "    auth_pass abc", "}"), QUIET),
    "auth with v3": (
        instance("version 3", "authentication {", "    auth_type PASS", "    auth_pass abc", "}"),
        WARNING,
    ),
    "nopreempt with MASTER": (instance("state MASTER", "nopreempt"), WARNING),
    "track_script undefined": (instance("track_script {", "    chk_x", "}"), ERROR),
    "track_interface missing": (instance("track_interface {", "    nope0", "}"), LETHAL),
    "sync group unknown member": (GROUP.format("VI_1\nVI_9") + instance(), ERROR),
    "sync group only one": (GROUP.format("VI_1") + instance(), QUIET),
    "notify nonexist": (SECURE + instance('notify_master "/nope/x"'), ERROR),
    "notify script exists no security": (instance('notify_master "/usr/bin/true"'), QUIET),
    "vrrp_script nonexist": (SCRIPT.format("/nope/x") + SECURE + instance(), ERROR),
    "vrrp_script unused": (SCRIPT.format("/usr/bin/true") + instance(), QUIET),
    "vrrp_script unresolvable user": (
        SCRIPT.format("/usr/bin/true").replace("interval", "user nobody9\n    interval")
        + instance(),
        ERROR,
    ),
    "mcast_src/unicast self peer": (
        instance("unicast_src_ip 10.9.0.1", "unicast_peer {", "    10.9.0.1", "}"),
        ERROR,
    ),
    "VS only no VRRP": (service(), QUIET),
    "bad sched": (service(algo="lb_algo foo"), ERROR),
    "no sched": (service(algo=""), QUIET),
    "bad kind": (service(kind="lb_kind FOO"), ERROR),
    "lower kind dr": (service(kind="lb_kind dr"), ERROR),
    "no kind": (service(kind=""), ERROR),
    "no proto": (service(protocol=""), WARNING),
    "bad proto": (service(protocol="protocol FOO"), ERROR),
    "port 0 no persist": (service(header="10.9.0.100 0"), ERROR),
    "port 0 persist": (
        service(
            "persistence_timeout 50",
            header="10.9.0.100 0",
            servers=(server(address="10.9.0.11 0"),),
        ),
        ERROR,  # -t is content; its check connects to port 0
    ),
    "no port persist": (
        service(
            "persistence_timeout 50", header="10.9.0.100", servers=(server(address="10.9.0.11"),)
        ),
        ERROR,  # -t is content; its check connects to port 0
    ),
    "port 65536": (service(header="10.9.0.100 65536"), LETHAL),
    "bad vip VS": (service(header="10.9.0.999 80"), LETHAL),
    "hostname VS": (service(header="localhost 80"), LETHAL),
    "hostname RS": (service(servers=(server(), server(address="localhost 80"))), ERROR),
    "rs port mismatch DR": (service(servers=(server(address="10.9.0.11 8080"),)), ERROR),
    "rs port mismatch NAT": (
        service(kind="lb_kind NAT", servers=(server(address="10.9.0.11 8080"),)),
        QUIET,
    ),
    "dup RS": (service(servers=(server(), server())), WARNING),
    "dup VS": (service() + service(), ERROR),
    "af mismatch": (service(servers=(server(), server(address="fd00:9::11 80"))), ERROR),
    "fwmark ok": (
        service(header="fwmark 5", protocol="", servers=(server(address="10.9.0.11"),)),
        ERROR,  # -t is content; its check connects to port 0
    ),
    "fwmark with proto": (
        service(header="fwmark 5", servers=(server(address="10.9.0.11"),)),
        ERROR,  # -t is content; its check connects to port 0
    ),
    "fwmark with rs port": (service(header="fwmark 5", protocol=""), QUIET),
    "group undefined": (service() + service(header="group G9"), ERROR),
    "group ok": (VS_GROUP.format("10.9.0.100 80\n    10.9.0.101 80") + GROUPED, QUIET),
    "group range big": (VS_GROUP.format("10.9.0.100-200 80") + GROUPED, QUIET),
    "group fwmark": (
        VS_GROUP.format("fwmark 7")
        + service(header="group G1", protocol="", servers=(server(address="10.9.0.11"),)),
        ERROR,  # -t is content; its check connects to port 0
    ),
    "group empty": (VS_GROUP.format("") + service() + GROUPED, ERROR),
    "weight -1": (service(servers=(server("weight -1"),)), ERROR),
    "weight 65536": (service(servers=(server("weight 65536"),)), QUIET),
    "weight abc": (service(servers=(server("weight abc"),)), ERROR),
    "weight 0": (service(servers=(server("weight 0"),)), WARNING),
    "vs weight 0": (service("weight 0"), ERROR),
    "quorum too high": (service("quorum 5"), WARNING),
    "quorum 0": (service("quorum 0"), ERROR),
    "hysteresis >= quorum": (service("quorum 1", "hysteresis 1"), WARNING),
    "sorry dup rs": (service("sorry_server 10.9.0.11 80"), QUIET),
    "sorry_inhibit first": (service("sorry_server_inhibit", "sorry_server 10.9.0.12 80"), ERROR),
    "sorry port mismatch": (service("sorry_server 10.9.0.12 81"), ERROR),
    "ops TCP": (service("ops"), WARNING),
    "ops UDP": (service("ops", protocol="protocol UDP"), QUIET),
    "uthreshold<lthreshold": (service(servers=(server("uthreshold 5", "lthreshold 9"),)), ERROR),
    "persist 0": (service("persistence_timeout 0"), ERROR),
    "persist gran bad": (service("persistence_granularity 255.255.300.0"), ERROR),
    "persist_engine sip": (
        service("persistence_engine sip", "persistence_timeout 50", protocol="protocol UDP"),
        QUIET,
    ),
    "HTTP_GET no url": (checked("HTTP_GET {\n}"), LETHAL),
    "HTTP_GET url no path": (checked("HTTP_GET {\nurl {\nstatus_code 200\n}\n}"), LETHAL),
    "HTTP_GET bad digest": (checked("HTTP_GET {\nurl {\npath /\ndigest zz\n}\n}"), ERROR),
    "HTTP_GET old nb_get_retry": (
        checked("HTTP_GET {\nurl {\npath /\nstatus_code 200\n}\nnb_get_retry 3\n}"),
        QUIET,
    ),
    "MISC_CHECK no path": (checked("MISC_CHECK {\nmisc_timeout 3\n}"), ERROR),
    "MISC_CHECK nonexist": (SECURE + checked('MISC_CHECK {\nmisc_path "/nope/x"\n}'), WARNING),
    "MISC_CHECK insecure": (checked('MISC_CHECK {\nmisc_path "/usr/bin/true"\n}'), QUIET),
    "DNS_CHECK": (checked("DNS_CHECK {\ntype A\nname example.org\n}"), QUIET),
    "unknown checker": (checked("FOO_CHECK {\n}"), ERROR),
    "delay_loop 0": (service("delay_loop 0"), ERROR),
    "no RS": (service(servers=()), LETHAL),
    "real_server outside VS": (server() + "\n" + instance(), ERROR),
    "include missing": ("include /nope/*.conf\n" + instance(), ERROR),
    "include missing file": ("include /nope/x.conf\n" + instance(), ERROR),
    "includer missing": ("includer /nope/x.conf\n" + instance(), ERROR),
    "includem missing": ("includem /nope/x.conf\n" + instance(), ERROR),
    "includew missing wild": ("includew /etc/nomatch*.conf\n" + instance(), ERROR),
    "includea missing wild": ("includea /etc/nomatch*.conf\n" + instance(), ERROR),
    "CRLF": ((instance() + service()).replace("\n", "\r\n"), QUIET),
    "BOM": ("\ufeff" + instance(), LETHAL),
    "NBSP": (instance("\u00a0advert_int 1"), ERROR),
    "tabs": (instance().replace("    ", "\t"), QUIET),
    "long line": ("# " + "x" * 1100 + "\n" + instance(), ERROR),
    "long kw line": (instance('notify "/usr/bin/true ' + "x" * 1100 + '"'), ERROR),
    "no trailing newline": (instance().rstrip("\n"), QUIET),
    "router_id w/ spaces": ("global_defs {\n    router_id my router\n}\n" + instance(), QUIET),
    "unknown global": ("global_defs {\n    foo\n}\n" + instance(), WARNING),
    "dup global_defs": (
        "global_defs {\n    router_id A\n}\nglobal_defs {\n    router_id B\n}\n" + instance(),
        QUIET,
    ),
    "extra params vip hdr": (instance(name="VI_1 foo"), LETHAL),
    "VS extra header": (service(header="10.9.0.100 80 TCP"), QUIET),
    "VS ip:port": (service(header="10.9.0.100:80"), LETHAL),
    "trailing junk after value": (service(servers=(server("weight 5 6 7"),)), WARNING),
    "semicolon": (service(servers=(server("weight 5;"),)), ERROR),
    "preempt_delay with nopreempt": (
        instance("state BACKUP", "nopreempt", "preempt_delay 10"),
        WARNING,
    ),
    "use_vmac": (instance("use_vmac vrrp.51"), QUIET),
    "garp etc": (instance("garp_master_delay 1", "garp_master_refresh 60"), QUIET),
    "v6 only vips": (instance(vips=("fe80::100/64", "fd00:9::100/64")), QUIET),
    "mixed vips": (instance(vips=("10.9.0.100/24", "fd00:9::100/64")), ERROR),
    "strict with auth": (
        instance("strict_mode on", "authentication {", "auth_type PASS", "auth_pass abc", "}"),
        ERROR,
    ),
    ">20 vips v2": (instance(vips=tuple(f"10.9.0.{n}/24" for n in range(100, 125))), QUIET),
    ">256 vips": (
        instance(vips=tuple(f"10.9.{n // 250}.{n % 250 + 2}/16" for n in range(300))),
        WARNING,
    ),
}

DIES = frozenset(
    (
        "one-line blocks 2",
        "unterminated quote",
        "missing param",
        "vrid 0",
        "vrid 256",
        "no vrid",
        "no interface",
        "bad iface",
        "dup vrid same iface",
        "vip dev missing",
        "track_interface missing",
        "HTTP_GET no url",
        "HTTP_GET url no path",
    )
)
"""A SIGHUP with these ended a running 2.2.7, or its test mode crashed."""

NEEDS_HOST = frozenset(("bad iface", "vip dev missing", "track_interface missing"))
