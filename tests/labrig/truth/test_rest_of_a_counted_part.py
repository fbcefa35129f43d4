"""Of a dose of which a part was counted, an operator's `redo` gives the rest and no more."""

from __future__ import annotations

import pytest
from quiet_night import quiet_night

from labrig.soak.drawn_plans import Visit
from labrig.soak.playing import play
from labrig.truth.doses import given_ul
from labrig.truth.night import Fault, read_night


@pytest.mark.parametrize("stalls_s", [65.0, 75.0, 88.0])
def test_a_dose_that_stalled_half_way_ends_at_its_volume(tmp_path, stalls_s):
    night = quiet_night()
    night.faults.append(Fault("dose0", "stall", stalls_s, stalls_s + 1.0))
    # One looks at its line, and then has the rest given.
    night.visits += [Visit(140.0, "answer", "restart"), Visit(150.0, "answer", "redo")]
    assert play(night, tmp_path / "run") == []
    given, unannounced = given_ul(read_night(tmp_path / "run"))
    assert given["dose0-bolus60"] == pytest.approx(10.0, abs=0.2)
    assert unannounced == []
