"""A draft takes changes and gives them back; a change that means more than it says is refused."""

from __future__ import annotations

import pytest

from lvstui.keepalived.edit.change import Change, Edit, ExpectedLines, RefusedEdit
from lvstui.keepalived.edit.draft import Draft
from lvstui.keepalived.edit.intent import SetWeight
from lvstui.keepalived.text.files import Files
from lvstui.model.keys import ServerKey, ServiceKey

MAIN = "/etc/keepalived/keepalived.conf"
WEB = ServiceKey.parse("tcp 10.0.0.1:80")
RS1 = ServerKey.parse("10.0.0.11:80")
RS2 = ServerKey.parse("10.0.0.12:80")
TEXT = b"""# managed by hand

virtual_server 10.0.0.1 80 {
    lb_kind DR
    protocol TCP
    real_server 10.0.0.11 80 { # rs1
        weight 10   # half
    }
    real_server 10.0.0.12 80 { # rs2
@lb1    weight 10
@lb2    weight 20
    }
}
"""


def draft(text: bytes = TEXT, config_id: str = "lb1", **others: bytes) -> Draft:
    files = {MAIN: text, **{f"/etc/keepalived/{name}.inc": data for name, data in others.items()}}

    def read(path: str) -> bytes:
        try:
            return files[path]
        except KeyError:
            raise FileNotFoundError(2, "No such file", path) from None

    return Draft(MAIN, Files(read), config_id)


def weights(made: Draft) -> list[int]:
    return [server.weight for server in made.configuration.services[0].servers]


def test_a_change_is_made_undone_and_made_again() -> None:
    made = draft()
    change = SetWeight(WEB, RS1, 3).on(made.tree)
    made.apply(change)
    after = TEXT.replace(b"weight 10   # half", b"weight 3   # half")
    assert made.files == {MAIN: (TEXT, after)}
    assert weights(made) == [3, 10]
    assert change.title == "weight of rs1 (10.0.0.11:80) in tcp 10.0.0.1:80: 10 → 3"
    assert made.undoable == change.title
    assert made.undo()
    assert (made.files, made.redoable, weights(made)) == ({}, change.title, [10, 10])
    assert not made.undo()
    assert made.redo()
    assert made.files == {MAIN: (TEXT, after)}
    assert not made.redo()


def test_a_new_change_forgets_what_was_undone() -> None:
    made = draft()
    made.apply(SetWeight(WEB, RS1, 3).on(made.tree))
    made.undo()
    made.apply(SetWeight(WEB, RS1, 4).on(made.tree))
    assert made.redoable == ""
    assert made.titles == ("weight of rs1 (10.0.0.11:80) in tcp 10.0.0.1:80: 10 → 4",)


def test_back_to_what_was_read_is_no_change() -> None:
    made = draft()
    made.apply(SetWeight(WEB, RS1, 3).on(made.tree))
    made.apply(SetWeight(WEB, RS1, 10).on(made.tree))
    assert made.files == {}
    assert len(made.titles) == 2


def test_several_at_once_are_one_step_and_judged_in_order() -> None:
    made = draft()
    both = [SetWeight(WEB, RS1, 0), SetWeight(WEB, RS2, 0)]
    with pytest.raises(RefusedEdit, match="last server"):
        made.apply_all(both, "drain both")
    assert (made.files, made.titles, weights(made)) == ({}, (), [10, 10])
    changes = made.apply_all([both[0], SetWeight(WEB, RS2, 0, True)], "drain both")
    assert len(changes) == 2
    assert "quorum" in changes[1].cautions[0]
    assert (made.titles, weights(made)) == (("drain both",), [0, 0])
    assert made.undo()
    assert (made.files, weights(made)) == ({}, [10, 10])
    assert made.apply_all([SetWeight(WEB, RS1, 10)], "nothing") == ()
    assert made.titles == ()


def test_text_by_hand() -> None:
    made = draft()
    made.replace(MAIN, b"# nothing\n", "edited by hand")
    assert made.configuration.services == ()
    assert made.undoable == "edited by hand"
    with pytest.raises(RefusedEdit, match="no part of the configuration"):
        made.replace("/etc/passwd", b"", "no")


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        (TEXT.index(b"half"), TEXT.index(b"half") + 4, b"half\n}"),
        (TEXT.index(b"weight 10   #"), TEXT.index(b"weight 10   #") + 9, b"weight 11"),
        (0, 0, b"quorum"),
        (TEXT.index(b"# rs1"), TEXT.index(b"# rs1"), b"weight 5"),
    ],
)
def test_what_means_more_than_it_says_is_refused(start: int, end: int, text: bytes) -> None:
    made = draft()
    before = made.configuration
    with pytest.raises(RefusedEdit, match="something else"):
        made.apply(Change("nothing", (Edit(MAIN, start, end, text),), meant=()))
    assert (made.files, made.configuration) == ({}, before)


def test_a_change_that_only_another_host_reads_is_refused() -> None:
    made = draft()
    at = TEXT.index(b"weight 20")
    with pytest.raises(RefusedEdit, match="only host lb2 reads"):
        made.apply(Change("nothing", (Edit(MAIN, at, at + 9, b"weight 21"),), meant=()))


def test_a_name_that_would_get_lost_is_refused() -> None:
    made = draft()
    at = TEXT.index(b"# rs2")
    with pytest.raises(RefusedEdit, match=r"10\.0\.0\.12:80 in tcp .* lose the name"):
        made.apply(Change("nothing", (Edit(MAIN, at, at + 5, b""),), meant=()))


def test_a_change_for_other_files_is_refused() -> None:
    made = draft()
    change = SetWeight(WEB, RS1, 3).on(made.tree)
    made.replace(MAIN, TEXT[:80], "cut")
    with pytest.raises(RefusedEdit, match="another state"):
        made.apply(change)
    with pytest.raises(RefusedEdit, match="another state"):
        made.apply(Change("x", (Edit("/etc/x", 0, 0, b""),), meant=(ExpectedLines(0, 0),)))


def test_included_files_are_read_once_and_edited_where_they_are() -> None:
    inc = b"    real_server 10.0.0.11 80 {\n\tweight 2\n    }\n"
    made = draft(
        b"virtual_server 10.0.0.1 80 {\n lb_kind DR\n protocol TCP\n include rs.inc\n}\n", rs=inc
    )
    made.apply(SetWeight(WEB, RS1, 5).on(made.tree))
    path = "/etc/keepalived/rs.inc"
    assert made.files == {path: (inc, inc.replace(b"weight 2", b"weight 5"))}
    assert made.data(path) == inc.replace(b"weight 2", b"weight 5")
