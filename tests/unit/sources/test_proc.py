"""The source of the kernel's table."""

from __future__ import annotations

from lvstui.sources.proc import ProcTable


def test_a_host_without_ipvs_is_told_once_how_to_get_it(tmp_path: object) -> None:
    fact = ProcTable(f"{tmp_path}/nothing").look()
    assert "no IPVS" in getattr(fact, "what", "")
    assert "modprobe ip_vs" in getattr(fact, "remedy", "")
