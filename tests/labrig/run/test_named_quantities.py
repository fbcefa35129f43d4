"""A probe of any quantities, by declaration alone: read, written down, judged, drawn."""

from __future__ import annotations

import json

import pytest
from plugged_in import PlugIns

from labrig.display.legend import Legend
from labrig.record.kinds.levels import AirRead
from labrig.record.reading import read_journal
from labrig.report.figures import environment_figure
from labrig_drivers.conformance import declaration
from labrig_drivers.instrument import ContradictoryType, installed_types
from labrig_drivers.kinds import CO2, TEMPERATURE, Quantity

SOURCE = '''
"""A box that tells oxygen, humidity, pressure, a leak and the weight of a bottle on one line."""
from dataclasses import dataclass
from labrig_drivers.instrument import InstrumentType, SerialSettings
from labrig_drivers.kinds import EnvironmentReading, Identity, Quantity
from labrig_drivers.errors import NoReply

MEASURES = (
    Quantity("o2", "percent", 0.0, 100.0, "O2", "%"),
    Quantity("humidity", "percent", 0.0, 100.0),
    Quantity("pressure", "hpa", 300.0, 1200.0),
    Quantity("leak", "bool", 0.0, 1.0),
    Quantity("weight", "g", -10.0, 5000.0),
)

@dataclass(frozen=True)
class Settings:
    pass

class Driver:
    def __init__(self, link, settings, name):
        self.link, self.name = link, name
    def identify(self):
        return Identity("Acme", "sniffer", "1")
    def close(self):
        self.link.close()
    def read(self):
        self.link.write(b"?")
        words = self.link.read(100, 1.0).split()
        if not words:
            raise NoReply(self.name, "it is silent.")
        values = [None if word == b"-" else float(word) for word in words]
        return EnvironmentReading({q.key: v for q, v in zip(MEASURES, values)}, True)

class Sniffer:
    def __init__(self):
        self.reads = 0
    def receive(self, data, now_s):
        self.reads += 1
        return b"18.6 93 1013 0 412.5" if now_s < 1800 else (
            b"18.5 94 1012 1 -" if now_s < 3000 else b"18.5 140 1012 1 401")
    def advance(self, now_s):
        return b""
    def next_wake_s(self):
        return None

INSTRUMENT = InstrumentType(
    name="acme_sniffer", kind="probe", link="serial", vendor="Acme", model="sniffer",
    serial=SerialSettings(9600), settings=Settings, driver=Driver,
    simulator=lambda settings, plant, seed, faults, name: Sniffer(),
    verified_on=(), measures=lambda settings: MEASURES,
)
'''


@pytest.fixture
def sniffer(tmp_path, monkeypatch):
    site = tmp_path / "site"
    site.mkdir()
    PlugIns(site, monkeypatch).install("acme-labrig", {"acme_sniffer": "INSTRUMENT"}, SOURCE)
    yield installed_types()["acme_sniffer"]
    monkeypatch.undo()
    installed_types.cache_clear()


def test_what_it_declares_is_what_it_reads(sniffer):
    declaration.check_measures(sniffer, sniffer.settings())


def test_a_night_with_a_probe_that_knows_no_co2(sniffer, rehearse, script):
    night = rehearse(
        instruments={"base": ("leadfluid_bt", {"address": 1}), "probe": ("acme_sniffer", {})}
    )
    plan = script.plan([script.reading(at_s) for at_s in range(0, 4800, 600)], 4800.0)
    assert night.run(plan).condition == "finished"
    rows = [
        r
        for r in read_journal(night.folder / "journal.sqlite")
        if (r.kind, r.state) == ("reading", "confirmed")
    ]
    first = rows[0].detail
    assert {k: first[k] for k in ("o2_percent", "pressure_hpa", "weight_g", "trusted")} == {
        "o2_percent": 18.6, "pressure_hpa": 1013.0, "weight_g": 412.5, "trusted": True,
    }  # fmt: skip
    assert "co2_percent" not in first
    assert json.loads(json.dumps(first)) == first
    assert [r.detail["weight_g"] for r in rows[3:5]] == [None, None]
    assert [r.detail["trusted"] for r in rows] == [True] * 5 + [False] * 3
    assert "humidity 140 percent cannot be" in rows[-1].detail["note"]
    said = [(r.key, r.detail) for r in night.rows("deviation")]
    assert [key for key, _ in said] == ["environment-unseen"]
    assert "weight" in said[0][1]["what"]
    assert not [r for r in night.rows("alarm") if "CO2" in json.dumps(r.detail)]
    drawn = environment_figure(plan, rows, Legend())
    for title in ("O2 (percent)", "Humidity (percent)", "Pressure (hpa)", "Weight (g)"):
        assert title in drawn


def test_a_row_of_before_still_reads():
    from labrig.record.detail import from_detail, to_detail

    old = {"instrument": "probe", "co2_percent": 5.0, "temperature_c": None, "trusted": True,
           "note": ""}  # fmt: skip
    row = from_detail(AirRead, old)
    assert row.values == {"co2_percent": 5.0, "temperature_c": None}
    assert to_detail(row) == old
    assert from_detail(AirRead, to_detail(row)) == row


@pytest.mark.parametrize(
    ("value", "plausible"), [(0.0, True), (100.0, True), (100.1, False), (float("nan"), False)]
)
def test_what_cannot_be_is_not_believed(value, plausible):
    assert CO2.plausible(value) is plausible


def test_keys_carry_their_units():
    assert (CO2.key, TEMPERATURE.key) == ("co2_percent", "temperature_c")
    assert Quantity("weight", "g", 0.0, 1.0).words == "weight"


def test_a_probe_says_what_it_measures(sniffer):
    import dataclasses

    with pytest.raises(ContradictoryType, match="measures="):
        dataclasses.replace(sniffer, measures=None)
