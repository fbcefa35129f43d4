"""An instrument that stops when its host is silent is asked in time, whoever says how long."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import pytest

from labrig.rig import bench
from labrig.run import handlers, runner
from labrig.run.handler import next_poll_s
from labrig_drivers.instrument import installed_types
from labrig_drivers.new_era.settings import NewEraSettings


@dataclass(frozen=True)
class WatchedByDefault(NewEraSettings):
    watchdog_s: int = 30


def _installed(monkeypatch, **changes):
    types = dict(installed_types())
    types["new_era_ne1000"] = replace(types["new_era_ne1000"], **changes)
    for module in (runner, handlers, bench):
        monkeypatch.setattr(module, "installed_types", lambda: types)


@pytest.mark.parametrize("settings", [{}, {"watchdog_s": 30}, {"watchdog_s": 7}])
def test_a_watchdog_that_only_the_defaults_name_is_fed(rehearse, script, monkeypatch, settings):
    _installed(monkeypatch, settings=WatchedByDefault)
    night = rehearse(instruments={"dose": ("new_era_ne1000", {"address": 0, **settings})})
    night.run(script.plan([script.flow(0.0, 5.0, "dose")], 900.0))
    assert night.plants["dose"].rate_ul_min == pytest.approx(5.0)
    assert night.deviations() == []
    asked_s = [row.run_s for row in night.rows("sample") if row.key == "dose"]
    longest_s = max(b - a for a, b in pairwise(asked_s))
    assert longest_s <= 0.5 * settings.get("watchdog_s", 30)


def test_a_type_may_say_itself_how_long_it_bears_silence(rehearse, script, monkeypatch):
    _installed(monkeypatch, heartbeat_s=lambda settings: 20.0)
    night = rehearse(instruments={"dose": ("new_era_ne1000", {"address": 0})})
    night.run(script.plan([script.flow(0.0, 5.0, "dose")], 300.0))
    assert len([row for row in night.rows("sample") if row.key == "dose"]) >= 300 / 10


@pytest.mark.parametrize("watchdog_s", range(1, 256))
def test_a_poll_is_always_ahead(watchdog_s):
    poll_s, at_s = 0.4 * watchdog_s, 0.0
    for _ in range(2000):
        due_s = next_poll_s(at_s, poll_s)
        assert at_s < due_s <= at_s + 1.001 * poll_s
        at_s = due_s
