"""A lab's own stimulator that measures its outputs: read, written down, judged by an interlock."""

from __future__ import annotations

import pytest
from plugged_in import PlugIns

from labrig.catalogue import catalogue_folder
from labrig.plan.run_rules import Interlock
from labrig.problems import FileProblems
from labrig.rig.loading import load_rig
from labrig_drivers.conformance import declaration
from labrig_drivers.instrument import ContradictoryType, installed_types

SOURCE = '''
"""A Pulse Pal with a meter at its electrodes: 18 V, and for a while 26."""
from dataclasses import replace
from labrig_drivers.kinds import Quantity
from labrig_drivers.pulse_pal import INSTRUMENT as PAL

class Metered:
    def __init__(self, driver):
        self.driver = driver
    def __getattr__(self, name):
        return getattr(self.driver, name)
    def state(self, now_s):
        volts = 26.0 if 900 <= now_s < 1500 else 18.0 if now_s < 2400 else 4000.0
        return replace(self.driver.state(now_s), measured={"output_v": volts})

INSTRUMENT = replace(
    PAL, name="acme_metered",
    driver=lambda link, settings, name: Metered(PAL.driver(link, settings, name)),
    measures=lambda settings: (Quantity("output", "v", -30.0, 30.0),),
)
'''
TOO_HIGH = Interlock(
    name="volts", instrument="pulses", reservoir="", quantity="output_v", low=None, high=20.0,
    older_than_s=None, for_s=0.0, hysteresis=0.5, action="suspend", suspends=("pulses",),
)  # fmt: skip


@pytest.fixture
def metered(tmp_path, monkeypatch):
    site = tmp_path / "site"
    site.mkdir()
    PlugIns(site, monkeypatch).install("acme-labrig", {"acme_metered": "INSTRUMENT"}, SOURCE)
    yield installed_types()["acme_metered"]
    monkeypatch.undo()
    installed_types.cache_clear()


def test_a_voltage_suspends_the_impulses_until_it_is_right_again(metered, rehearse, script):
    night = rehearse(
        instruments={"base": ("leadfluid_bt", {"address": 1}), "pulses": ("acme_metered", {})}
    )
    timeline = [script.flow(0.0, 30.0), script.stimulate(0.0)]
    assert night.run(script.plan(timeline, 3000.0, interlocks=(TOO_HIGH,))).condition == "finished"
    said = {row.key: row.detail for row in night.rows("deviation")}
    assert said["interlock"]["value"] == 26.0
    assert said["interlock"]["from_s"] == pytest.approx(900.0, abs=60.0)
    assert said["interlock-over"]["to_s"] == pytest.approx(1500.0, abs=60.0)
    begun = [at_s for at_s, _ in night.plants["pulses"].trains]
    assert not [at_s for at_s in begun if 970.0 < at_s < 1490.0]
    assert [at_s for at_s in begun if at_s > 1600.0]
    samples = [r.detail for r in night.rows("sample") if "reachable" in r.detail]
    volts = {sample["output_v"] for sample in samples}
    assert volts == {18.0, 26.0, None}, "what cannot be is no value"


def test_it_measures_what_it_declares(metered):
    declaration.check_measures(metered, metered.settings())


def test_a_rule_may_ask_for_it_and_not_of_one_that_measures_nothing(metered, tmp_path):
    text = (catalogue_folder() / "rigs/simulated-bench.yaml").read_text(encoding="utf-8")
    rule = "interlocks: {volts: {instrument: stimulator, quantity: output_v, high: 20}}"
    path = tmp_path / "rig.yaml"
    path.write_text(f"{text}\n{rule}\n", encoding="utf-8")
    with pytest.raises(FileProblems, match="gives no 'output_v' that can be judged"):
        load_rig(path)
    path.write_text(
        f"{text}\n{rule}\n".replace("type: pulse_pal_2", "type: acme_metered"), encoding="utf-8"
    )
    assert load_rig(path).model.interlocks["volts"].quantity == "output_v"


def test_nobody_asks_a_pump_for_what_it_would_measure():
    from dataclasses import replace

    pump = installed_types()["leadfluid_bt"]
    with pytest.raises(ContradictoryType, match="nobody asks a pump"):
        replace(pump, measures=lambda settings: ())
