"""What a host has, from what a remote one printed and from this one."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from pathlib import Path

import pytest

from lvstui.keepalived.daemon.around import around_here
from lvstui.keepalived.lint.programs import script_paths, script_users
from lvstui.keepalived.lint.surroundings import (
    InterfaceSeen,
    Script,
    Surroundings,
    judged,
    links_from_json,
    questions,
    release,
    stat_argv,
    stated,
    surroundings_of,
)
from lvstui.keepalived.text.parser import parse_bytes

IP = json.dumps(
    [
        {
            "ifname": "lo",
            "flags": ["LOOPBACK", "UP"],
            "link_type": "loopback",
            "addr_info": [{"local": "127.0.0.1", "prefixlen": 8}],
        },
        {
            "ifname": "eth0",
            "flags": ["BROADCAST"],
            "link_type": "ether",
            "linkinfo": {"info_kind": "veth"},
            "addr_info": [
                {"local": "10.10.0.1", "prefixlen": 24},
                {"local": "FD00::01", "prefixlen": 64},
                {},
            ],
        },
        {},
    ]
)


def test_links() -> None:
    lo, eth0 = links_from_json(IP)
    assert lo == InterfaceSeen("lo", (("127.0.0.1", 8),), "loopback", True)
    assert eth0 == InterfaceSeen("eth0", (("10.10.0.1", 24), ("fd00::1", 64)), "veth", False)


@pytest.mark.parametrize("text", ["", "Cannot find device", "{}"])
def test_what_is_no_list_of_links(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        links_from_json(text)


@pytest.mark.parametrize(
    ("lines", "state"),
    [
        (["81ed 0 /opt/run", "41ed 0 /opt", "41ed 0 /"], Script.GOOD),
        (["81a4 0 /opt/run", "41ed 0 /opt", "41ed 0 /"], Script.NOT_EXECUTABLE),
        (["81ed 1000 /opt/run", "41ed 0 /opt", "41ed 0 /"], Script.UNSAFE),
        (["81ff 0 /opt/run", "41ed 0 /opt", "41ed 0 /"], Script.UNSAFE),
        (["81ed 0 /opt/run", "41ff 0 /opt", "41ed 0 /"], Script.UNSAFE),
        (["81ed 0 /opt/run", "43ff 0 /opt", "41ed 0 /"], Script.GOOD),
        (["41ed 0 /opt/run", "41ed 0 /opt", "41ed 0 /"], Script.MISSING),
        (["41ed 0 /opt", "41ed 0 /"], Script.MISSING),
        (["stat: cannot stat '/opt/run'"], Script.MISSING),
    ],
)
def test_scripts(lines: list[str], state: Script) -> None:
    assert judged("/opt/run", stated("\n".join(lines))) is state


def test_the_command_asks_for_the_folders_too() -> None:
    assert stat_argv(["/opt/a/run"])[-4:] == ("/opt/a/run", "/opt/a", "/opt", "/")


def test_modes() -> None:
    text = "81a4 0 /etc/keepalived/keepalived.conf\nstat: cannot stat '/x'\n"
    assert stated(text) == {"/etc/keepalived/keepalived.conf": (0o100644, 0)}


def test_users() -> None:
    tree = parse_bytes(b"global_defs {\n script_user root\n}\n")
    found = surroundings_of(tree, {"users": "root:x:0:0::/root:/bin/sh\nbin:x:2:2::/:\n"})
    assert found.users == frozenset(("root",))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Keepalived v2.2.7 (01/16,2022)", (2, 2, 7)),
        ("2.4.3", (2, 4, 3)),
        ("2.3", (2, 3, 0)),
        ("", ()),
    ],
)
def test_release(text: str, expected: tuple[int, ...]) -> None:
    assert release(text) == expected


TREE = """\
global_defs {{
    script_user nobody9
}}
vrrp_script s {{
    script "{0} --password x"
    user root
}}
vrrp_instance V {{
    notify_master "{0}-gone a" daemon9 group9
    track_script {{
        user z
    }}
}}
"""


def test_what_is_asked_of_a_host() -> None:
    tree = parse_bytes(TREE.format("/opt/run").encode())
    assert script_paths(tree) == ("/opt/run", "/opt/run-gone")
    assert set(script_users(tree)) >= {"keepalived_script", "nobody9", "root", "daemon9"}


def test_what_another_host_answers() -> None:
    tree = parse_bytes(TREE.format("/opt/run").encode(), "/etc/keepalived/keepalived.conf")
    asked = questions(tree)
    assert set(asked["files"]) >= {"/opt/run", "/opt", "/", "/etc/keepalived/keepalived.conf"}
    answers = {
        "links": IP,
        "files": "41ed 0 /\n41ed 0 /opt\n81ed 0 /opt/run\n81a4 0 /etc/keepalived/keepalived.conf\n",
        "users": "root:x:0:0::/root:/bin/sh\n",
        "nonlocal_bind": "0\n",
    }
    told = surroundings_of(tree, answers, "2.2.7")
    assert told.own_addresses == {"127.0.0.1", "10.10.0.1", "fd00::1"}
    assert told.scripts == {"/opt/run": Script.GOOD, "/opt/run-gone": Script.MISSING}
    assert told.modes == {"/etc/keepalived/keepalived.conf": 0o100644}
    assert told.users == frozenset(("root",))
    assert told.nonlocal_bind is False


def test_what_is_out_of_sight_is_not_missing() -> None:
    tree = parse_bytes(TREE.format("/opt/run").encode())
    said = "stat: cannot statx '/opt/run': Permission denied\n41ed 0 /\n41c0 0 /opt\n"
    found = surroundings_of(tree, {"files": said})
    assert found.scripts == {"/opt/run-gone": Script.MISSING}


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone can become somebody else")
def test_a_host_says_what_is_out_of_sight(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o700)
    (folder / "run").touch(mode=0o755)
    tmp_path.chmod(0o755)
    tree = parse_bytes(f'vrrp_script s {{\n script "{folder}/run"\n}}\n'.encode())
    asked = shlex.join(questions(tree)["files"])
    ran = subprocess.run(
        ["setpriv", "--reuid", "65534", "--clear-groups", "sh", "-c", f"{asked} 2>&1"],
        env={**os.environ, "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
    )
    found = surroundings_of(tree, {"files": ran.stdout})
    assert found.scripts == {}, ran


@pytest.mark.parametrize("answers", [{}, {"links": "sh: ip: not found", "files": ""}])
def test_what_another_host_does_not_answer_is_unknown(answers: dict[str, str]) -> None:
    assert surroundings_of(parse_bytes(b""), answers) == Surroundings()


def test_this_host(tmp_path: Path) -> None:
    script = tmp_path / "run"
    script.write_text("#!/bin/sh\n")
    os.chmod(script, 0o755)
    text = f'vrrp_script s {{\n    script "{script} --password x"\n    user root\n}}\n'
    text += f'vrrp_script t {{\n    script "{script}-gone"\n    user nobody9\n}}\n'
    found = around_here(parse_bytes(text.encode()), "2.2.7")
    assert found.scripts is not None
    assert found.scripts[str(script)] in (Script.GOOD, Script.UNSAFE)
    assert found.scripts[f"{script}-gone"] is Script.MISSING
    assert found.users == frozenset(("root",))
    assert found.release == (2, 2, 7)
    assert found.links is None or "127.0.0.1" in found.own_addresses


def test_another_network_namespace_is_not_known() -> None:
    found = surroundings_of(
        parse_bytes(b"net_namespace red\n"), {"links": IP, "nonlocal_bind": "1\n"}
    )
    assert found.links is None
    assert found.nonlocal_bind is None
