"""A whole run over simulated instruments, byte for byte, in virtual time."""

from __future__ import annotations

from collections import Counter

import pytest

from labrig.record.reading import journal_digest, read_journal


def test_an_hour_is_carried_out_as_planned(rehearse, script):
    night = rehearse()
    outcome = night.run(script.night())
    assert outcome.condition == "finished"
    assert outcome.unsafe == ()
    assert night.deviations() == []
    last = {row.key: row.state for row in night.rows("level", "dose", "frame", "film", "reading")}
    assert Counter(last.values()) == {"confirmed": len(script.night().timeline)}
    night.plants["base"].settle(3600.0)
    assert night.plants["base"].moved_ul == pytest.approx(30 * 30 + 60 * 30, rel=1e-3)
    assert night.plants["dose"].moved_ul == pytest.approx(40.0, rel=1e-3)


def test_trains_are_rearmed_at_exact_multiples_until_their_level_ends(rehearse, script):
    night = rehearse()
    night.run(script.night())
    starts = [at_s for at_s, _ in night.plants["pulses"].trains]
    assert starts == pytest.approx([50.0 * k for k in range(54)], abs=1e-3)
    trains = night.rows("train")
    assert [row.state for row in trains] == ["acknowledged"] * 54
    assert trains[0].detail["pulses"] == {"1": 50}


def test_sent_is_on_disk_before_a_dose_and_its_counter_confirms_it(rehearse, script):
    night = rehearse()
    night.run(script.night())
    rows = [row for row in night.rows("dose") if row.key == "dose-610"]
    assert [row.state for row in rows] == ["intent", "sent", "acknowledged", "confirmed"]
    assert rows[0].run_s <= 610.0 - 60.0
    assert rows[-1].detail["classification"] == "done"
    assert rows[-1].detail["delivered_ul"] == pytest.approx(20.0, rel=0.01)


def test_the_same_run_gives_the_same_journal(rehearse, script):
    digests = set()
    for name in ("one", "two", "three"):
        night = rehearse(name)
        night.run(script.night())
        digests.add(journal_digest(read_journal(night.folder / "journal.sqlite")))
    assert len(digests) == 1
    other = rehearse("other")
    other.run(script.night(1800.0))
    assert journal_digest(read_journal(other.folder / "journal.sqlite")) not in digests


def test_frames_say_where_the_stage_was(rehearse, script):
    night = rehearse()
    night.run(script.night())
    details = [row.detail for row in night.rows("frame") if row.state == "confirmed"]
    assert all(detail["position_verified"] for detail in details)
    assert {round(detail["x_reached_um"]) for detail in details} == {0, 500, 1000}
    assert all(0 <= detail["lateness_s"] < 5 for detail in details)


def test_a_finished_run_is_not_run_again(rehearse, script):
    from labrig.run.runner import RunOver

    night = rehearse()
    night.run(script.night(600.0))
    with pytest.raises(RunOver, match="finished"):
        night.run(script.night(600.0))


def test_a_start_with_an_instrument_missing_is_refused(rehearse, script):
    from labrig_drivers.errors import PortMissing

    night = rehearse(unplugged={"pulses": (0.0, 1e9)})
    with pytest.raises(PortMissing, match="pulses"):
        night.run(script.night())
    assert night.rows() == []
