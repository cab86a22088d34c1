"""Recordings of anybody: cleaned, checked, read while they are played, never the end."""

from __future__ import annotations

import dataclasses
import json
import re
import time
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lvstui.model import facts as f
from lvstui.model.knowledge import Knowledge
from lvstui.model.text import harmless
from lvstui.model.wire import decode, encode
from lvstui.shell.report import report
from lvstui.sources.base import Context, Source
from lvstui.sources.recording import Recording
from lvstui.watch import Watcher, replay_watcher
from tests import hostile

HEAD = '{"lvstui":1}'
GOOD = f.Observation(1.0, "lb1", "test", f.InstanceChanged("LB_1", "MASTER", 150, "fifo"))
DEEP = "[" * 100_000
WRONG: tuple[Any, ...] = (None, 5, 1.5, True, "x", [], {}, [[]], -1, 10**30, [5], {"a": 1})


def texts(value: Any) -> Iterator[str]:
    """Every text in a fact."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for inner in value:
            yield from texts(inner)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from texts(getattr(value, field.name))


def decoded(lines: list[str]) -> list[f.Observation]:
    """What is left of some lines."""
    found, reasons = [], []
    for line in lines:
        try:
            found.append(decode(line))
        except ValueError as error:
            reasons.append(str(error))
    assert all(map(harmless, reasons)), "reasons quote their lines"
    return found


def test_every_text_of_every_fact_is_made_harmless() -> None:
    seen = decoded(hostile.lines()[1:])
    assert {type(one.fact) for one in seen} == set(hostile.KINDS)
    found = [text for one in seen for text in texts(one)]
    assert len(found) > 5000
    assert [text for text in found if not harmless(text)] == []
    shown = " ".join(found)
    assert "␛]0;PWNED␇" in shown
    assert "[@click=app.quit]" in shown


@pytest.mark.parametrize("name", hostile.HONEST)
def test_names_in_other_scripts_stay(name: str) -> None:
    seen = f.Observation(1.0, name, name, f.InstanceChanged(name, "MASTER"))
    assert decode(encode(seen)) == seen


def _paths(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield here
    items: Any = value.items() if isinstance(value, dict) else ()
    if isinstance(value, list):
        items = list(enumerate(value))[:1]
    for key, inner in items:
        yield from _paths(inner, (*here, key))


def _with(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = _with(value[path[0]], path[1:], new)
    return copy


@pytest.mark.parametrize("kind", hostile.KINDS, ids=lambda kind: kind.__name__)
def test_a_value_of_another_type_is_one_bad_line(kind: type) -> None:
    made = hostile.Maker(keys=True).make(kind)
    line = json.loads(encode(f.Observation(1.0, "lb1", "x", made, past=True)))
    hints = {str: str, int: int, float: int | float, bool: bool}
    for path in _paths(line):
        for wrong in WRONG:
            try:
                seen = decode(json.dumps(_with(line, path, wrong)))
            except ValueError:
                continue
            _check_types(seen, f.Observation, hints)


def _check_types(value: Any, hint: Any, leaves: dict[Any, Any]) -> None:
    if hint in leaves:
        assert isinstance(value, leaves[hint]), (value, hint)
        assert isinstance(value, bool) == (hint is bool)
    elif dataclasses.is_dataclass(value):
        known = typing.get_type_hints(type(value))
        for field in dataclasses.fields(value):
            _check_types(getattr(value, field.name), known[field.name], leaves)
    elif typing.get_origin(hint) is tuple:
        assert isinstance(value, tuple)


@pytest.mark.parametrize(
    "line",
    [
        DEEP,
        '{"a":' * 100_000,
        '{"lvstui":[1]}',
        "[]",
        "5",
        "null",
        '"x"',
        "{}",
        "\x00",
        "9" * 5000,
        encode(GOOD).replace("1.0", "NaN"),
        encode(GOOD).replace("1.0", "1e999"),
        encode(GOOD).replace("1.0", "-Infinity"),
        encode(GOOD).replace("1.0", "-1"),
        encode(GOOD).replace("1.0", "1e18"),
        encode(GOOD).replace("150", "1" + "0" * 4000),
        encode(GOOD).replace("150", "1.5"),
        encode(GOOD).replace('"MASTER"', "7"),
        encode(GOOD).replace('"lb1"', "null"),
        encode(GOOD).replace("InstanceChanged", "Observation"),
        encode(GOOD).replace('"InstanceChanged"', "[]"),
    ],
    ids=range(21),
)
def test_one_bad_line_is_said_and_the_rest_is_played(line: str, tmp_path: Path) -> None:
    path = tmp_path / "x.lvs"
    path.write_text("\n".join([HEAD, encode(GOOD), line, encode(GOOD), ""]))
    seen = played(path)
    missing = [one.fact for one in seen if isinstance(one.fact, f.Missing)]
    assert [one for one in seen if one.fact == GOOD.fact] == [GOOD, GOOD]
    assert len(missing) == 1
    assert missing[0].what.startswith("1 line of the recording left out; the last: line 3: not an")
    assert len(missing[0].what) < 400


def played(path: Path) -> list[f.Observation]:
    """What a recording pushes, at once."""
    seen: list[f.Observation] = []
    Recording(path, speed=1e6).run(Context("lb1", seen.append))
    return seen


def test_a_line_that_was_cut_off_is_left_out_without_a_word(tmp_path: Path) -> None:
    path = tmp_path / "x.lvs"
    path.write_text("\n".join([HEAD, encode(GOOD), encode(GOOD)[:20]]))
    assert played(path) == [GOOD]


@pytest.mark.parametrize(
    ("head", "why"),
    [
        ("hello", "no recording"),
        ("", "no recording"),
        (DEEP, "no recording"),
        ('{"lvstui":[1]}', "no recording"),
        ('{"lvstui":"1"}', "no recording"),
        ('{"lvstui":NaN}', "no recording"),
        ("[1]", "no recording"),
        ('{"lvstui":99}', "format 99"),
    ],
    ids=range(8),
)
def test_what_is_no_recording_is_refused(head: str, why: str, tmp_path: Path) -> None:
    path = tmp_path / "x.lvs"
    path.write_text(head + "\n" + encode(GOOD) + "\n")
    with pytest.raises(ValueError, match=why):
        Recording(path)


def test_a_wrong_date_neither_stops_nor_shifts_it(tmp_path: Path) -> None:
    def at(when: float) -> str:
        return encode(dataclasses.replace(GOOD, at=when))

    path = tmp_path / "x.lvs"
    path.write_text("\n".join([HEAD, at(0.0), *map(at, (1e9, 1e9 + 0.5, 2e9, 1e9 + 1)), ""]))
    recording = Recording(path, speed=1e6)
    assert 1e9 <= recording.clock() < 2e9
    seen: list[f.Observation] = []
    recording.run(Context("lb1", seen.append))
    assert [one.at for one in seen if one.fact == GOOD.fact] == [0.0, 1e9, 1e9 + 0.5, 1e9 + 1]
    assert any("is of another day" in str(one.fact) for one in seen)


def test_a_long_recording_shows_before_it_was_read(tmp_path: Path) -> None:
    path = tmp_path / "x.lvs"
    lines = "".join(
        encode(dataclasses.replace(GOOD, at=1000.0 + second)) + "\n"
        for second in range(0, 100_000, 1)
    )
    path.write_text(HEAD + "\n" + lines)
    recording = Recording(path)
    assert len(recording._ahead) < 100
    with replay_watcher(recording) as watcher:
        assert watcher.wait_for(lambda picture: bool(picture.instances), 20)
        read = recording._file.tell()
    assert read < 100_000, "the rest is read when its time comes"


def test_a_hostile_recording_makes_a_picture(tmp_path: Path) -> None:
    with replay_watcher(Recording(hostile.write(tmp_path / "x.lvs"), speed=100)) as watcher:
        found = watcher.wait_for(
            lambda picture: bool(picture.services and picture.events and picture.instances), 20
        )
        time.sleep(0.3)
        gaps = {gap.source: gap.what for gap in watcher.picture.gaps}
    assert found is not None
    assert "watch" not in gaps, "everything that was decoded was understood"
    assert re.match(r"\d+ lines of the recording left out", gaps["recording"])
    text = json.dumps(report(watcher.picture), ensure_ascii=False)
    assert harmless(text)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(hostile.KINDS),
            st.sampled_from((0, 1, -1, 255, 65536, 2**31, 2**64 - 1)),
            st.sampled_from((0.0, 0.1, 1e9, 2.5e11)),
            st.booleans(),
        ),
        max_size=12,
    )
)
def test_any_numbers_make_a_picture(some: list[tuple[type, int, float, bool]]) -> None:
    """What passes decoding ends neither the store nor its reports."""
    known = Knowledge("lb1", 1.0)
    maker = hostile.Maker(keys=True)
    for kind, whole, real, flag in some:
        maker.simple = {int: whole, float: real, bool: flag}
        seen = f.Observation(real, "lb1", "x", maker.make(kind))
        known.learn(decode(encode(seen)))
        report(known.picture(hostile.AT))


class Odd(Source):
    """A source whose facts are of no kind that anybody knows."""

    name = "odd"

    def run(self, context: Context) -> None:
        context.emit("odd", f.TableSeen(table=None))  # type: ignore[arg-type]
        context.push(GOOD)
        context.stop.wait(30)


def test_a_fact_that_is_not_understood_is_said_and_the_next_is_taken() -> None:
    with Watcher([Odd()], host="lb1", interval_s=0.05) as watcher:
        found = watcher.wait_for(lambda picture: bool(picture.instances), 20)
        assert found is not None, "the thread that makes pictures is gone"
        (gap,) = [gap for gap in found.gaps if gap.source == "watch"]
    assert "what odd said (TableSeen) was not understood: AttributeError" in gap.what


def test_a_picture_that_can_not_be_made_leaves_the_last_one_with_its_age(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Watcher([Odd()], host="lb1", interval_s=0.05) as watcher:
        last = watcher.wait_for(lambda picture: bool(picture.instances), 20)
        assert last is not None
        good = watcher._known.picture

        def broken(at: float) -> Any:
            raise TypeError("\x1b[31mno")

        monkeypatch.setattr(watcher._known, "picture", broken)
        said = "no new picture could be made"
        found = watcher.wait_for(lambda picture: said in str(picture.gaps), 20)
        assert found is not None
        old = found.at
        time.sleep(0.2)
        assert watcher.picture.at == old
        assert harmless(str(watcher.picture.gaps))
        monkeypatch.setattr(watcher._known, "picture", good)
        assert watcher.wait_for(lambda picture: picture.at > old, 20)
        assert said not in str(watcher.picture.gaps)
