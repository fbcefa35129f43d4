"""Records are written once and whole, and a table is nothing but its records."""

from __future__ import annotations

import csv
import json
import os
import shutil
import tracemalloc
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labrig.durable import write_text_whole
from labrig.measure import closing, films, sound_tables
from labrig.measure.closing import close_measures, tables_so_far
from labrig.measure.rounds import RoundFrame
from labrig_measure import tables
from labrig_measure.batch import measure_folder
from labrig_measure.errors import MeasureError
from labrig_measure.records import (
    DamagedRecord,
    Record,
    read_record,
    records_in_force,
    write_record,
)

WELLS = ("A1", "B10", "B2")
PLACE = ["well", "field", "round", "offset_s"]


def frame(well="A1", round_=0, tubes=2, signature="s", **more):
    """A record of one frame, with so many tubes."""
    seen = RoundFrame(well, 0, round_, 1800.0 * round_, {"tubes": "red"})
    head = {"field": seen.name}
    return Record(
        seen.name,
        signature,
        seen.place,
        {},
        {
            "fields": [head | {"status": "ok", "reasons": "", "tubes": tubes}],
            "tubes": [head | {"tube": tube, **more} for tube in range(1, tubes + 1)],
            "nuclei": [],
        },
    )


def film(well="A1", number=0):
    row = dict.fromkeys(films.COLUMNS) | {"well": well, "field": 0, "film": number, "status": "ok"}
    place = {"well": well, "field": 0, "film": number}
    return Record(f"film_{number:02d}_{well}_f0", "s", place, {}, {films.TABLE: [row]})


def record(out, *records):
    """Write them as whoever measures does: after the one that is in force."""
    for one in records:
        write_record(out, one, records_in_force(out).get(one.name))


def read(path):
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def all_tables(out):
    return {path.name: path.read_bytes() for path in out.glob("*.csv")}


class Killed(BaseException):
    """Stands for the end of a process, which cleans up nothing."""


def killed_after(calls, work):
    """Do some work in a process that is killed at so many calls of the file system."""
    with pytest.MonkeyPatch.context() as patch:
        left = [calls]
        for name in ("fsync", "replace", "open"):
            patch.setattr(os, name, _counted(getattr(os, name), left))
        unlink = Path.unlink
        # The dead clean up nothing.
        patch.setattr(Path, "unlink", lambda *a, **k: unlink(*a, **k) if left[0] > 0 else None)
        with suppress(Killed):
            work()


def _counted(call, left):
    def counted(*args, **kwargs):
        if left[0] <= 0:
            raise Killed
        left[0] -= 1
        return call(*args, **kwargs)

    return counted


DONE = st.tuples(
    st.sampled_from(WELLS),
    st.integers(0, 11),
    st.integers(0, 3),
    st.sampled_from([{}, {"a": 1.5}, {"b": "x", "a": None}]),
    st.integers(0, 12),
    st.booleans(),
)


@settings(max_examples=30, deadline=None)
@given(done=st.lists(DONE, max_size=14))
def test_tables_are_the_records_in_any_order_and_after_any_death(tmp_path_factory, done):
    """Who measures, or makes tables, is killed anywhere; what had its record counts, once."""
    out = tmp_path_factory.mktemp("measures")
    expected = {}
    for number, (well, round_, tubes, more, calls, reduces) in enumerate(done):
        one = frame(well, round_, tubes, f"s{number}", **more)
        killed_after(calls, lambda one=one: record(out, one))
        there = records_in_force(out).get(one.name)
        if there is not None and read_record(there).signature == one.signature:
            expected[one.name] = one
        else:
            assert (there is None) == (one.name not in expected), "what was there is gone"
        if reduces:
            killed_after(calls, lambda: close_measures(out))
    close_measures(out)

    in_order = sorted(expected.values(), key=lambda r: (r.place["round"], r.place["well"]))
    for name in ("fields", "tubes"):
        rows = [row for one in in_order for row in one.rows(name)]
        cells = [{k: "" if v is None else f"{v:g}" if isinstance(v, float) else str(v)
                  for k, v in row.items()} for row in rows]  # fmt: skip
        found = read(out / f"{name}.csv") if expected else []
        names = list(found[0]) if found else []
        own = {"track": ""} if name == "tubes" else {}
        assert found == [dict.fromkeys(names, "") | own | row for row in cells]
    before = all_tables(out)
    close_measures(out)
    assert all_tables(out) == before


@settings(max_examples=10, deadline=None)
@given(order=st.permutations([(well, round_) for well in WELLS for round_ in range(3)]))
def test_the_order_in_which_frames_are_measured_is_not_seen(tmp_path_factory, order):
    first, second = (tmp_path_factory.mktemp("measures") for _ in range(2))
    record(first, *(frame(*place, tubes=place[1], **({"a": 1} if place[1] else {}))
                    for place in sorted(order)))  # fmt: skip
    record(second, *(frame(*place, tubes=place[1], **({"a": 1} if place[1] else {}))
                     for place in order))  # fmt: skip
    for out in (first, second):
        close_measures(out)
    assert all_tables(first) == all_tables(second)


def test_two_machines_that_measure_the_same_at_once_disturb_nobody(tmp_path):
    """Neither saw the other's record: both are there, and everybody takes the same one."""
    one, other = tmp_path / "one", tmp_path / "other"
    records = [frame(tubes=1, signature="here"), frame(tubes=2, signature="there")]
    for out, order in ((one, records), (other, records[::-1])):
        for measured in order:
            write_record(out, measured, None)
        close_measures(out)
        assert len(list((out / "records").iterdir())) == 2
    assert all_tables(one) == all_tables(other)
    # The next who measures the field comes after both.
    record(one, frame(tubes=3))
    close_measures(one)
    assert [row["tube"] for row in read(one / "tubes.csv")] == ["1", "2", "3"]


def test_the_same_record_twice_is_one_file(tmp_path):
    paths = {write_record(tmp_path, frame(), None) for _ in range(2)}
    assert list((tmp_path / "records").iterdir()) == list(paths)


def test_a_record_is_there_once_it_is_whole_and_not_before(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError, match="disk full"):
        record(tmp_path, frame())
    assert list((tmp_path / "records").iterdir()) == []


def test_no_record_is_ever_changed(tmp_path):
    for tubes in range(3):
        record(tmp_path, frame(tubes=tubes))
        kept = {path.name: path.read_bytes() for path in (tmp_path / "records").iterdir()}
        assert len(kept) == tubes + 1
    record(tmp_path, frame(tubes=7))
    assert (
        kept.items() <= {p.name: p.read_bytes() for p in (tmp_path / "records").iterdir()}.items()
    )


def test_what_is_recorded_while_tables_are_made_is_in_them(tmp_path, monkeypatch):
    record(tmp_path, frame("A1"))
    late = [frame("B2"), frame("A1", tubes=1)]
    written = closing.write_objects

    def while_another_measures(*args):
        written(*args)
        if late:
            record(tmp_path, late.pop())

    monkeypatch.setattr(closing, "write_objects", while_another_measures)
    close_measures(tmp_path)
    assert [(row["well"], row["tubes"]) for row in read(tmp_path / "fields.csv")] == [
        ("A1", "1"), ("B2", "2"),
    ]  # fmt: skip


def test_a_new_column_comes_last_and_is_blank_before(tmp_path):
    record(tmp_path, frame(round_=1, note='a, and\na "b"'), frame())
    close_measures(tmp_path)
    found = read(tmp_path / "tubes.csv")
    assert list(found[0]) == [*PLACE, "tube", "note", "track"]
    assert [row["note"] for row in found] == ["", ""] + ['a, and a "b"'] * 2


def test_films_have_a_table_of_their_own(tmp_path):
    record(tmp_path, film("B2", 1), film("A1", 1), film("B2"))
    assert close_measures(tmp_path) == 0
    assert [path.name for path in tmp_path.glob("*.csv")] == ["contractions.csv"]
    found = read(tmp_path / "contractions.csv")
    assert [(row["film"], row["well"]) for row in found] == [("0", "B2"), ("1", "A1"), ("1", "B2")]
    assert tuple(found[0]) == films.COLUMNS


def test_tables_so_far_follow_no_tubes_and_leave_closed_ones_alone(tmp_path):
    record(tmp_path, frame())
    tables_so_far(tmp_path)
    assert list(read(tmp_path / "tubes.csv")[0]) == [*PLACE, "tube"]
    assert not (tmp_path / "tracks.csv").exists()
    (tmp_path / "manifest.jsonl").touch()
    record(tmp_path, frame("B2"))
    tables_so_far(tmp_path)
    assert len(read(tmp_path / "fields.csv")) == 1


DAMAGE = {
    "cut short": lambda content: content[: len(content) // 2],
    "empty": lambda content: b"",
    "edited": lambda content: content.replace(b'"ok"', b'"OK"'),
}


@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_record_is_told_and_measuring_anew_mends_it(tmp_path, how):
    record(tmp_path, frame())
    close_measures(tmp_path)
    before = all_tables(tmp_path)
    path = records_in_force(tmp_path)["A1_f0_t000"]
    path.write_bytes(DAMAGE[how](path.read_bytes()))
    with pytest.raises(DamagedRecord, match=r"A1_f0_t000.*is damaged.*measures its field anew"):
        close_measures(tmp_path)
    assert all_tables(tmp_path) == before
    record(tmp_path, frame())
    close_measures(tmp_path)
    assert all_tables(tmp_path) == before


def test_a_disk_that_is_full_leaves_tables_as_they_were(tmp_path, monkeypatch):
    record(tmp_path, frame())
    close_measures(tmp_path)
    before = all_tables(tmp_path)
    record(tmp_path, frame(round_=1))
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
        with pytest.raises(OSError, match="disk full"):
            close_measures(tmp_path)
    assert all_tables(tmp_path) == before
    assert not list(tmp_path.glob(".*"))


def test_tables_are_made_without_holding_their_objects(tmp_path):
    note = "x" * 400
    record(tmp_path, *(frame("A1", round_, tubes=400, note=note) for round_ in range(30)))
    tracemalloc.start()
    try:
        close_measures(tmp_path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (tmp_path / "tubes.csv").stat().st_size > 4_800_000
    assert peak < 2_500_000


def as_an_earlier_version(out):
    """Records of a folder as versions before 0.2 kept them: one per field, without a place."""
    for name, path in records_in_force(out).items():
        one = read_record(path)
        content = {"field": name} | {
            k: v for k, v in asdict(one).items() if k not in ("name", "place")
        }
        older = out / ".done" / f"{name}.json"
        older.parent.mkdir(exist_ok=True)
        older.write_text(json.dumps(content))
    shutil.rmtree(out / "records")


def test_records_of_an_earlier_version_count_and_are_measured_no_second_time(
    folder, patterns, tmp_path
):
    out = tmp_path / "out"
    measure_folder(folder, out, patterns, 0.65)
    before = all_tables(out)
    as_an_earlier_version(out)
    assert measure_folder(folder, out, patterns, 0.65).measured == 0
    assert all_tables(out) == before
    older = out / ".done" / "a.json"
    older.write_text(older.read_text()[:-20])
    assert measure_folder(folder, out, patterns, 0.65).measured == 1
    assert all_tables(out) == before


def test_films_of_an_earlier_version_count(tmp_path):
    one = film()
    (tmp_path / ".done_films").mkdir()
    content = {"signature": "s", "row": one.tables[films.TABLE][0]}
    (tmp_path / ".done_films" / f"{one.name}.json").write_text(json.dumps(content))
    assert read_record(records_in_force(tmp_path)[one.name]) == one
    record(tmp_path, replace(one, signature="t"))
    assert read_record(records_in_force(tmp_path)[one.name]).signature == "t"


# what is done to a table: (of its text what, stands there instead, what must be said)
WRONG = {
    "a cell too many": ("B10,0,1,2\n", "B10,0,1,2,9,9\n", "line 11 has 6 cells, its first line 4"),
    "a cell too few": ("B10,0,1,2\n", "B10,0,1\n", "line 11 has 3 cells"),
    "cut short": ("B2,0,3,2\n", "B2,", "line 25 has 2 cells"),
    "a round that is none": ("B10,0,1,2\n", "B10,0,I,2\n", "round in line 11 is 'I', not a whole"),
    "no round at all": ("B10,0,1,2\n", "B10,0,,2\n", "round in line 11 is '', not a whole"),
    "an unknown first line": ("round", "rund", "names no column round"),
    "not text": ("B10,0,1,2\n", "B10,\udcff,1,2\n", "it is no table"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_damaged_table_is_refused_with_its_place_and_remedy(tmp_path, what):
    """By whoever reads tables, such as the report."""
    old, new, said = WRONG[what]
    table = tmp_path / "tubes.csv"
    rows = [f"{w},0,{r},{t}\n" for r in range(4) for w in WELLS for t in (1, 2)]
    text = "".join(["well,field,round,tube\n", *rows])
    assert text.count(old) == 1
    table.write_bytes(text.encode())
    sound_tables.check_table(table, ("field", "round"))
    table.write_bytes(text.replace(old, new).encode(errors="surrogateescape"))
    with pytest.raises(MeasureError) as refused:
        sound_tables.check_table(table, ("field", "round"))
    message = str(refused.value)
    assert message.startswith(f"{table} is damaged: ")
    assert said in message
    assert "Delete it, and `labrig follow`" in message


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""), (1.5, "1.5"), (1 / 3, "0.3333333"), (float("nan"), ""), (float("inf"), ""),
        (12345678, "12345678"), (True, "True"), ("a\nb", "a b"), ("", ""),
    ],
)  # fmt: skip
def test_cells(value, text):
    assert tables.cell(value) == text


def test_what_cannot_be_written_leaves_nothing_beside_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "settings.json"
    path.write_text("old")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
        with pytest.raises(OSError, match="disk full"):
            write_text_whole(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
