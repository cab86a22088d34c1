"""The configuration of a sitting: read when the picture says so, and never by a clock."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lvstui.keepalived.edit.intent import SetWeight
from lvstui.model.files import ConfigFile, ConfigFiles
from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.model.picture import Gap, Picture
from lvstui.session.config import ConfigSession
from lvstui.session.jobs import at_once
from lvstui.session.on_disk import OnDisk

WEB, RS1 = ServiceKey.of("tcp", "10.10.0.20", 80), ServerKey("10.10.0.3", 80)
TEXT = """\
virtual_server 10.10.0.20 80 {
    lb_kind DR
    protocol TCP
    real_server 10.10.0.3 80 {
        weight 1
    }
}
"""


def seen(at: float) -> Picture:
    """What the source of the file noticed last."""
    files = ConfigFiles((ConfigFile("/etc/keepalived/keepalived.conf", at),))
    return Picture(5.0, "lb1", ready=True, files=files)


def of(path: Path) -> ConfigSession:
    """A session that works in place."""
    return ConfigSession(OnDisk(str(path)), at_once, lambda: 5.0, begin=at_once)


def weights(session: ConfigSession) -> list[int]:
    """Those of the real servers as they are shown."""
    assert session.document is not None
    services = session.document.configuration.services
    return [server.weight for service in services for server in service.servers]


def test_it_is_read_again_when_the_picture_says_so(tmp_path: Path) -> None:
    path = tmp_path / "keepalived.conf"
    path.write_text(TEXT)
    session = of(path)
    session.follow(seen(1.0))
    assert weights(session) == [1]
    path.write_text(TEXT.replace("weight 1", "weight 12"))
    session.follow(seen(1.0))
    assert weights(session) == [1], "nobody looks by himself"
    session.follow(seen(2.0))
    assert weights(session) == [12]


def test_files_that_are_gone_are_told_and_come_back(tmp_path: Path) -> None:
    path = tmp_path / "keepalived.conf"
    session = of(path)
    gone = replace(seen(1.0), files=None, gaps=(Gap("file", "there is none", ""),))
    session.follow(gone)
    assert (session.document, str(path) in session.trouble) == (None, True)
    path.write_text(TEXT)
    session.follow(seen(2.0))
    assert (weights(session), session.trouble) == ([1], "")


def test_a_draft_under_which_the_files_changed_is_stale_until_it_is_discarded(
    tmp_path: Path,
) -> None:
    path = tmp_path / "keepalived.conf"
    path.write_text(TEXT)
    session = of(path)
    session.follow(seen(1.0))
    intent = SetWeight(WEB, RS1, 7)
    session.edit("weight", [intent])
    assert (weights(session), session.stale) == ([7], "")
    path.write_text(TEXT + "# somebody else\n")
    session.follow(seen(2.0))
    assert session.stale
    session.discard()
    session.follow(seen(2.0))
    assert (weights(session), session.stale, session.pending.titles) == ([1], "", ())
