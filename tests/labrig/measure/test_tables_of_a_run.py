"""Tables of a run: added to at the end, put in order, replaced by place, and never torn."""

import csv
import os
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labrig.durable import write_text_whole
from labrig.measure import run_tables
from labrig.measure.closing import close_measures
from labrig.measure.errors import MeasureError
from labrig.measure.run_tables import replace_rows, set_column

COLUMNS = ("well", "field", "round", "tube")
KEY = ("well", "field", "round")
ORDER = ("round", "well", "field")
WELLS = ("A1", "B10", "B2")


def rows(round_, wells=WELLS, tubes=2, **more):
    return [
        {"well": well, "field": 0, "round": round_, "tube": tube, **more}
        for well in wells
        for tube in range(1, tubes + 1)
    ]


def put(path, new, round_, wells=WELLS):
    places = {(well, 0, round_) for well in wells}
    replace_rows(path, COLUMNS, new, KEY, places, ORDER)


def read(path):
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture
def table(tmp_path):
    """Rounds 0 to 3 of three wells, two tubes each."""
    path = tmp_path / "tubes.csv"
    for round_ in range(4):
        put(path, rows(round_), round_)
    return path


@pytest.fixture
def copies(monkeypatch):
    """Names of the tables that were copied."""
    seen = []
    whole = run_tables.written_whole
    monkeypatch.setattr(
        run_tables, "written_whole", lambda path: (seen.append(path.name), whole(path))[1]
    )
    return seen


def test_a_later_round_is_appended(table, copies):
    before, file = table.read_bytes(), table.stat().st_ino
    put(table, rows(4), 4)
    assert table.read_bytes().startswith(before)
    assert (table.stat().st_ino, copies, len(read(table))) == (file, [], 30)
    assert [path.name for path in table.parent.iterdir()] == ["tubes.csv"]


def test_rounds_that_come_in_any_order_make_the_same_bytes(table, tmp_path):
    other = tmp_path / "other.csv"
    for round_ in (2, 0, 3, 1):
        put(other, rows(round_), round_)
    assert other.read_bytes() == table.read_bytes()


def test_what_is_there_already_is_left_alone(table, copies):
    before = table.read_bytes()
    for round_ in range(4):
        put(table, rows(round_), round_)
    assert (table.read_bytes(), copies) == (before, [])


def test_what_was_judged_of_replaced_rows_goes_with_them(table):
    table.write_text(table.read_text().replace("\n", ",7\n").replace(",7", ",track", 1))
    put(table, rows(1), 1)
    assert [row["track"] for row in read(table)] == ["7"] * 6 + [""] * 6 + ["7"] * 12


def test_places_are_replaced_and_their_neighbours_kept(table):
    put(table, rows(1, ["B2"], tubes=3), 1, ["B2", "B10"])
    found = [(row["well"], row["tube"]) for row in read(table) if row["round"] == "1"]
    assert found == [("A1", "1"), ("A1", "2"), ("B2", "1"), ("B2", "2"), ("B2", "3")]
    assert [row["round"] for row in read(table)] == ["0"] * 6 + ["1"] * 5 + ["2"] * 6 + ["3"] * 6


def test_a_new_column_comes_last_and_is_blank_before(table):
    put(table, rows(4, note='a, and\na "b"'), 4)
    found = read(table)
    assert list(found[0]) == [*COLUMNS, "note"]
    assert {row["note"] for row in found[:24]} == {""}
    assert {row["note"] for row in found[24:]} == {'a, and a "b"'}


class Killed(BaseException):
    """Stands for the end of the process."""


def fail_after_writing(monkeypatch, table, error):
    """Half of what was appended reaches the disk, then this."""
    synced, size = os.fsync, table.stat().st_size

    def fsync(descriptor):
        if os.fstat(descriptor).st_ino == table.stat().st_ino:
            os.truncate(table, (size + table.stat().st_size) // 2)
            raise error
        synced(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)


@pytest.mark.parametrize("next_round", [4, 5])
def test_what_a_killed_process_left_by_half_is_cut_off(table, monkeypatch, next_round):
    before = table.read_bytes()
    with monkeypatch.context() as patch:
        fail_after_writing(patch, table, Killed())
        with pytest.raises(Killed):
            put(table, rows(4), 4)
    assert len(table.read_bytes()) > len(before)
    put(table, rows(next_round), next_round)
    assert table.read_bytes().startswith(before)
    assert [row["round"] for row in read(table)[24:]] == [str(next_round)] * 6


def test_a_disk_that_is_full_leaves_the_table_as_it_was(table, monkeypatch):
    before = table.read_bytes()
    with monkeypatch.context() as patch:
        fail_after_writing(patch, table, OSError("disk full"))
        with pytest.raises(OSError, match="disk full"):
            put(table, rows(4), 4)
    assert table.read_bytes() == before
    assert [path.name for path in table.parent.iterdir()] == ["tubes.csv"]


def test_closing_cuts_off_what_was_left_by_half(tmp_path, monkeypatch):
    fields = tmp_path / "fields.csv"
    put(fields, rows(0, tubes=1), 0)
    with monkeypatch.context() as patch:
        fail_after_writing(patch, fields, Killed())
        with pytest.raises(Killed):
            put(fields, rows(1, tubes=1), 1)
    close_measures(fields.parent)
    assert [row["round"] for row in read(fields)] == ["0"] * 3


def test_adding_to_a_large_table_takes_no_memory_of_its_size(tmp_path):
    path = tmp_path / "tubes.csv"
    put(path, rows(0, ["A1"], tubes=40_000, note="x" * 200), 0, ["A1"])
    assert path.stat().st_size > 8_000_000
    tracemalloc.start()
    try:
        for round_, wells in ((1, ["A1"]), (3, ["A1"]), (2, ["A1"])):  # appended, and put between
            put(path, rows(round_, wells, note="y"), round_, wells)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4_000_000


STEPS = st.lists(
    st.tuples(
        st.integers(0, 12),
        st.sets(st.sampled_from(WELLS), min_size=1).map(sorted),
        st.integers(0, 3),
        st.sampled_from([{}, {"a": 1.5}, {"b": "x", "a": None}]),
    ),
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(steps=STEPS)
def test_it_holds_what_a_plain_list_would_hold(tmp_path_factory, steps):
    path, expected = tmp_path_factory.mktemp("tables") / "tubes.csv", []
    for round_, wells, tubes, more in steps:
        new = rows(round_, wells, tubes, **more)
        put(path, new, round_, wells)
        kept = [r for r in expected if r["round"] != round_ or r["well"] not in wells]
        expected = sorted([*kept, *new], key=lambda r: (r["round"], r["well"]))
    cells = [{k: "" if v is None else str(v) for k, v in row.items()} for row in expected]
    found = read(path) if path.exists() else []
    names = list(found[0]) if found else []
    assert found == [dict.fromkeys(names, "") | row for row in cells]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("well,tube\nA1,1\nA1,2\n", "well,tube,track\nA1,1,t1\nA1,2,t2\n"),
        (
            'well,tube,track,why\nA1,1,9,"a, b"\nA1,2.50,,\n',
            'well,tube,track,why\nA1,1,t1,"a, b"\nA1,2.50,t2.50,\n',
        ),
    ],
    ids=["a new column", "an older one, among cells as they are"],
)
def test_one_column_is_written_anew_and_the_rest_left_as_it_is(
    tmp_path, monkeypatch, before, after
):
    monkeypatch.setattr(run_tables, "_ROWS_AT_ONCE", 1)
    table = tmp_path / "tubes.csv"
    table.write_text(before, encoding="utf-8")
    for _ in range(2):
        set_column(table, "track", lambda row: f"t{row['tube']}")
        assert table.read_text(encoding="utf-8") == after
    assert list(tmp_path.iterdir()) == [table]


# what is done to a table: (of its text what, stands there instead, what must be said)
DAMAGE = {
    "a cell too many": ("B10,0,1,2\n", "B10,0,1,2,9,9\n", "line 11 has 6 cells, its first line 4"),
    "a cell too few": ("B10,0,1,2\n", "B10,0,1\n", "line 11 has 3 cells"),
    "cut short": ("B2,0,3,2\n", "B2,", "line 25 has 2 cells"),
    "a round that is none": ("B10,0,1,2\n", "B10,0,I,2\n", "round in line 11 is 'I', not a whole"),
    "no round at all": ("B10,0,1,2\n", "B10,0,,2\n", "round in line 11 is '', not a whole"),
    "an unknown first line": ("round", "rund", "names no column round"),
    "not text": ("B10,0,1,2\n", "B10,\udcff,1,2\n", "it is no table"),
}


@pytest.fixture(params=DAMAGE)
def damaged_table(table, request):
    """The table with one fault, and what is to be said of it."""
    old, new, said = DAMAGE[request.param]
    text = table.read_text()
    assert text.count(old) == 1
    table.write_bytes(text.replace(old, new).encode(errors="surrogateescape"))
    return table, said


def test_a_damaged_table_is_refused_with_its_place_and_remedy(damaged_table):
    table, said = damaged_table
    before = table.read_bytes()
    with pytest.raises(MeasureError) as refused:
        set_column(table, "track", lambda row: row["round"], ("field", "round"))
    message = str(refused.value)
    assert message.startswith(f"{table} is damaged: ")
    assert said in message
    assert "Delete it, and `labrig follow`" in message
    assert table.read_bytes() == before
    assert list(table.parent.iterdir()) == [table], "something was left behind"


def test_closing_refuses_a_damaged_table_and_changes_none(damaged_table):
    table, said = damaged_table
    fields = table.parent / "fields.csv"
    put(fields, rows(0, tubes=1), 0)
    before = {path: path.read_bytes() for path in (table, fields)}
    with pytest.raises(MeasureError, match=r"tubes\.csv is damaged") as refused:
        close_measures(table.parent)
    assert said in str(refused.value)
    assert {path: path.read_bytes() for path in table.parent.glob("*.csv*")} == before


@pytest.mark.parametrize("name", ["a cell too many", "a cell too few", "not text"])
def test_rows_are_not_put_beside_damaged_ones(table, name):
    old, new, _ = DAMAGE[name]
    damage = table.read_text().replace(old, new).encode(errors="surrogateescape")
    table.write_bytes(damage)
    with pytest.raises(MeasureError, match=r"tubes\.csv is damaged: .* Delete it"):
        put(table, rows(1, tubes=3), 1)
    assert table.read_bytes() == damage


def test_what_cannot_be_written_leaves_nothing_beside_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "settings.json"
    path.write_text("old")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
        with pytest.raises(OSError, match="disk full"):
            write_text_whole(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
