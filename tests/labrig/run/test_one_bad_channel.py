"""Each instrument fails for good in turn: the others, and the other arm, get everything."""

from dataclasses import replace

import pytest

from labrig.plan.plan import WellPlan

FAULTS = {
    "dose": "silent", "second": "stall", "pulses": "silent", "stage": "stuck", "probe": "silent",
    "base": "silent",
}  # fmt: skip
"""What fails from 300 s on, and how."""


def a_plan(script):
    second = replace(script.flow(0.0, 2.0, "second"), wells=("A2",))
    return script.plan(
        [
            script.flow(0.0, 30.0),
            replace(script.flow(0.0, 2.0, "dose"), wells=("A1",)),
            second,
            script.stimulate(0.0),
            *(script.dose(at_s, wells=("A1",)) for at_s in (600.0, 1200.0)),
            *(
                script.dose(at_s, key=f"second-{at_s:g}", instrument="second", wells=("A2",))
                for at_s in (600.0, 1200.0)
            ),
            *(script.frame(at_s, i, 500.0 * (i % 2)) for i, at_s in enumerate((400.0, 1000.0))),
            *(script.reading(at_s) for at_s in (100.0, 700.0, 1300.0)),
        ],
        1800.0,
        wells=tuple(WellPlan(w, "arm", "d1", w, "1", False) for w in ("A1", "A2")),
        draws=(
            script.draw("bottle", "base", "medium"),
            script.draw("syringe", "dose", "additive"),
            script.draw("other", "second", "additive"),
        ),
    )


def got(night):
    """What came of each instrument: keys that were confirmed, and how many trains were played."""
    confirmed = {r.key for r in night.rows("dose", "frame", "reading") if r.state == "confirmed"}
    by = {
        "dose": {k for k in confirmed if k.startswith("dose-")},
        "second": {k for k in confirmed if k.startswith("second-")},
        "stage": {k for k in confirmed if k.startswith("frame-")},
        "probe": {k for k in confirmed if k.startswith("reading-")},
        "pulses": {at_s for at_s, _ in night.plants["pulses"].trains},
    }
    night.plants["base"].settle(1800.0)
    return by | {"base": {round(night.plants["base"].moved_ul)}}


@pytest.fixture(scope="module")
def everything():
    """What came of each of them in a night in which nothing failed; filled by the first test."""
    return {}


@pytest.mark.parametrize("bad", FAULTS)
def test_the_others_get_everything(rehearse, script, everything, bad):
    bench = {**script.bench, "second": ("new_era_ne1000", {"address": 0, "watchdog_s": 200})}
    if not everything:
        sound = rehearse("sound", instruments=bench)
        assert sound.run(a_plan(script)).failures == ()
        everything.update(got(sound))
        assert all(everything.values())
    night = rehearse(instruments=bench, faults={bad: (script.Fault(FAULTS[bad], 300.0),)})
    assert night.run(a_plan(script)).failures == ()
    seen = got(night)
    assert {k: v for k, v in seen.items() if k != bad} == {
        k: v for k, v in everything.items() if k != bad
    }
