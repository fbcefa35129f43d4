"""The truth checker is worth something: it sees each of these lies in a night that is true."""

from __future__ import annotations

import json
import shutil
import sqlite3

import pytest
from quiet_night import quiet_night

from labrig.soak.playing import play
from labrig.truth.check import check_truth
from labrig.truth.night import Fault


@pytest.fixture(scope="module")
def true_night(tmp_path_factory):
    """A night with everything in it and without trouble, which the checker believes."""
    folder = tmp_path_factory.mktemp("quiet") / "run"
    assert play(quiet_night(), folder) == []
    return folder


@pytest.fixture
def night(true_night, tmp_path):
    return shutil.copytree(true_night, tmp_path / "run")


def rules(folder):
    return {violation.rule for violation in check_truth(folder)}


def with_ledger(folder, change):
    path = folder / "ledger.json"
    ledger = json.loads(path.read_text(encoding="utf-8"))
    change(ledger)
    path.write_text(json.dumps(ledger), encoding="utf-8")


def with_physical(folder, change):
    path = folder / "twin" / "physical.jsonl"
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    path.write_text("".join(json.dumps(line) + "\n" for line in change(lines)), encoding="utf-8")


def with_journal(folder, sql):
    connection = sqlite3.connect(folder / "journal.sqlite")
    connection.executescript(
        "DROP TRIGGER IF EXISTS journal_no_update; DROP TRIGGER IF EXISTS journal_no_delete; "
        f"{sql};"
    )
    connection.close()


@pytest.mark.parametrize("by", [-1, 1])
@pytest.mark.parametrize("index", [0, 1])
def test_one_pulse_too_many_or_too_few(night, index, by):
    def change(ledger):
        ledger["pulses"][index]["delivered"] += by

    with_ledger(night, change)
    assert rules(night) == {"pulses"}


@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_pump_that_moved_a_twentieth_more(night, index):
    def change(ledger):
        pump = ledger["pumps"][index]
        for word in ("confirmed_ul", "believed_ul", "witnessed_ul"):
            if pump.get(word) is not None:
                pump[word] *= 1.05

    with_ledger(night, change)
    assert rules(night) == {"pump volume"}


def test_a_dose_of_another_volume(night):
    def change(ledger):
        ledger["doses"][0]["delivered_ul"] *= 0.9

    with_ledger(night, change)
    assert rules(night) == {"dose volume"}


def test_a_dose_that_the_ledger_leaves_out(night):
    with_ledger(night, lambda ledger: ledger["doses"].pop(0))
    assert rules(night) == {"dose untold"}


def test_a_dose_that_came_twice(night):
    again = [["dose0", 120.0, "flow", 20.0], ["dose0", 150.0, "flow", 0.0]]
    with_physical(night, lambda lines: sorted([*lines, *again], key=lambda line: line[1]))
    assert rules(night) >= {"dose twice", "dose volume", "pump volume"}


def test_a_train_of_another_programme(night):
    def change(lines):
        for line in lines:
            if line[2] == "train":
                line[7] = 909.1
                return lines
        raise AssertionError("there is no train")

    with_physical(night, change)
    assert "foreign train" in rules(night)


def test_electrodes_under_direct_current(night):
    with_physical(night, lambda lines: [*lines, ["pulses", 100.0, "volts", 2, 1.5]])
    assert rules(night) == {"direct current"}


def test_a_stage_that_stood_elsewhere(night):
    def change(lines):
        return [[*line[:3], line[3] + 7.0, line[4]] if line[2] == "at" else line for line in lines]

    with_physical(night, change)
    assert rules(night) == {"position"}


def test_a_pump_left_at_another_rate(night):
    with_physical(night, lambda lines: [*lines, ["base", 599.999, "flow", 29.0]])
    assert rules(night) == {"level at the end"}


def test_a_pump_that_stood_for_long(night):
    def change(lines):
        return [line for line in lines if line[2:] not in (["flow", 30.0], ["flow", 15.0])]

    with_physical(night, change)
    assert "level not held" in rules(night)


@pytest.mark.parametrize("when", ["held", "stopped"])
def test_a_train_that_begins_when_nothing_may(night, when):
    """As if the same night had been held, or stopped, before its last train."""
    rows = {
        "held": ("run", "held", "noted", "{}"),
        "stopped": ("command", "x", "acknowledged", '{"command":"stop","at_s":400.0}'),
    }
    kind, key, state, detail = rows[when]
    with_journal(
        night,
        "INSERT INTO journal SELECT max(seq) + 1, "
        f"'{kind}', '{key}', '{state}', 1, 400.0, utc, 0, boot_id, '{detail}', '' FROM journal",
    )
    assert {"held": "while held", "stopped": "after a stop"}[when] in rules(night)


@pytest.mark.parametrize(
    ("sql", "rule"),
    [
        ("DELETE FROM journal WHERE kind = 'frame' AND state = 'confirmed' AND key = 'frame-1'",
         "no end"),
        ("DELETE FROM journal WHERE kind = 'reading' AND key = 'reading-300'", "no end"),
        ("DELETE FROM journal WHERE kind = 'dose' AND state = 'confirmed'", "no end"),
        ("UPDATE journal SET run_s = run_s + 1 WHERE seq = 20", "chain"),
        ("UPDATE journal SET key = 'stopped' WHERE kind = 'run' AND key = 'finished'", "outcome"),
    ],
)  # fmt: skip
def test_a_journal_that_was_touched(night, sql, rule):
    with_journal(night, sql)
    assert rule in rules(night)


def with_row(folder, at_s, kind, key, state, detail):
    with_journal(
        folder,
        "INSERT INTO journal SELECT max(seq) + 1, "
        f"'{kind}', '{key}', '{state}', 1, {at_s}, utc, 0, boot_id, '{json.dumps(detail)}', '' "
        "FROM journal",
    )


def alarmed(folder, at_s, code, about, state="raised", **more):
    detail = {"code": code, "about": about, **more}
    with_row(folder, at_s, "alarm", f"{code}:{about}", state, detail)


@pytest.mark.parametrize(
    ("key", "detail"),
    [
        ("stall", {"instrument": "base"}),
        ("link-lost", {"instrument": "pulses"}),
        ("interlock", {"rule": "warm", "suspends": []}),
        ("picture-missed", {"key": "frame-1", "reason": "no picture"}),
    ],
)
def test_a_row_of_trouble_for_which_nobody_was_called(night, key, detail):
    with_row(night, 200.0, "deviation", key, "noted", detail)
    assert "nobody called" in rules(night)


def test_nobody_need_be_called_for_a_link_that_whoever_took_over_found_sound(night):
    with_row(night, 100.0, "deviation", "link-lost", "noted", {"instrument": "dose0"})
    with_row(night, 103.0, "run", "attached", "noted", {"instrument": "dose0"})
    assert "nobody called" not in rules(night)


def test_a_reading_that_is_off_for_which_nobody_was_called(night):
    with_journal(
        night,
        "UPDATE journal SET detail = json_set(detail, '$.co2_percent', 6.0) "
        "WHERE key = 'reading-300' AND state = 'confirmed'",
    )
    assert rules(night) == {"chain", "nobody called"}


def test_a_pump_that_gave_hardly_anything_for_which_nobody_was_called(night):
    def change(lines):
        lines = [line for line in lines if line[0] != "dose1"]
        return [*lines, ["dose1", 0.0, "flow", 6.0], ["dose1", 5.0, "flow", 0.0]]

    with_physical(night, change)
    assert "nobody called" in rules(night)
    alarmed(night, 150.0, "stall", "dose1")
    assert "nobody called" not in rules(night)


@pytest.mark.parametrize("instrument", ["base", "dose1", "pulses"])
def test_an_instrument_that_answered_nobody_and_nobody_was_called(night, instrument):
    silence = Fault(instrument, "silent", 255.0, 600.0)
    assert "nobody called" in {v.rule for v in check_truth(night, [silence])}
    alarmed(night, 300.0, "link", instrument)
    assert "nobody called" not in {v.rule for v in check_truth(night, [silence])}


def test_a_disk_that_was_full_and_nobody_was_called(night):
    full = Fault("computer", "disk_full", 100.0, 500.0)
    assert "nobody called" in {v.rule for v in check_truth(night, [full])}


def test_alarms_that_are_raised_twice_or_end_without_a_beginning(night):
    alarmed(night, 100.0, "rate", "base", "cleared", from_s=50.0)
    assert "alarm cleared" in rules(night)
    alarmed(night, 110.0, "rate", "base")
    alarmed(night, 111.0, "rate", "base")
    assert "alarm raised twice" in rules(night)


@pytest.mark.parametrize(
    ("code", "about"),
    [("stall", "dose1"), ("rate", "dose1"), ("probe", "probe"), ("environment", "probe CO2")],
)
def test_an_alarm_that_stands_though_nothing_is_wrong(night, code, about):
    alarmed(night, 10.0, code, about)
    assert "alarm stands on" in rules(night)


@pytest.mark.parametrize(
    ("code", "about", "fault"),
    [("link", "base", Fault("base", "silent", 5.0, 50.0)),
     ("journal", "journal", Fault("computer", "disk_full", 5.0, 50.0))],
)  # fmt: skip
def test_an_alarm_that_outlives_its_cause(night, code, about, fault):
    alarmed(night, 10.0, code, about)
    assert "alarm stands on" in {v.rule for v in check_truth(night, [fault])}


def within(folder, limit_s):
    path = folder / "plan.json"
    plan = json.loads(path.read_text(encoding="utf-8"))
    plan["plan"]["rules"]["viable_gap_s"] = limit_s
    path.write_text(json.dumps(plan), encoding="utf-8")


@pytest.mark.parametrize("after_the_end", [False, True])
def test_cells_that_stood_without_medium(night, after_the_end):
    from_s = 650.0 if after_the_end else 5.0
    within(night, 60.0)

    def change(lines):
        lines = [line for line in lines if line[0] != "base" or line[1] < from_s]
        return [*lines, ["base", from_s, "flow", 0.0]]

    assert rules(night) == set()
    with_physical(night, change)
    assert "cells not fed" in rules(night)


@pytest.mark.parametrize("name", ["ledger.json", "outcome.json"])
def test_an_end_without_its_files(night, name):
    (night / name).unlink()
    assert "outcome" in rules(night)


def test_a_report_with_another_number(night):
    ledger = json.loads((night / "ledger.json").read_text(encoding="utf-8"))
    (night / "report").mkdir()

    def page(off):
        pumps = "".join(
            f"<tr><th>{p['pump']}</th><td>{p['planned_ul'] + off:.1f}</td></tr>"
            for p in ledger["pumps"]
        )
        channels = "".join(
            f"<tr><th>{p['stimulator']} {p['channel']}</th><td>{p['delivered']}</td></tr>"
            for p in ledger["pulses"]
        )
        return (
            "<table><caption>Volume through each pump</caption><tr><th>Pump</th>"
            f"<th>Planned (µL)</th></tr>{pumps}</table>"
            "<table><caption>Pulses by stimulator channel</caption><tr><th>Channel</th>"
            f"<th>Delivered</th></tr>{channels}</table>"
        )

    (night / "report" / "report.html").write_text(page(0.0), encoding="utf-8")
    assert rules(night) == set()
    (night / "report" / "report.html").write_text(page(0.2), encoding="utf-8")
    assert rules(night) == {"report"}
