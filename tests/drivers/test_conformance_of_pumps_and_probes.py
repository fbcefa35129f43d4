"""Every pump and probe driver meets its kind's suite, over loopback, pty and TCP."""

import pytest

from labrig_drivers import leadfluid, new_era, vaisala_gmp25x
from labrig_drivers.conformance import probe, pump
from labrig_drivers.leadfluid.settings import LeadFluidSettings
from labrig_drivers.new_era.settings import NewEraSettings
from labrig_drivers.vaisala_gmp25x.settings import VaisalaSettings

PUMPS = {
    "New Era, Basic": (new_era.INSTRUMENT, NewEraSettings()),
    "New Era, Safe": (new_era.INSTRUMENT, NewEraSettings(address=7, watchdog_s=60)),
    "Lead Fluid": (
        leadfluid.INSTRUMENT,
        LeadFluidSettings(min_rate_ul_min=1.0, max_rate_ul_min=30_000.0),
    ),
}
PROBES = {
    "GMP251": (vaisala_gmp25x.INSTRUMENT, VaisalaSettings()),
    "GMP252": (vaisala_gmp25x.INSTRUMENT, VaisalaSettings(model="GMP252", address=3)),
}


def over_links(checks):
    """All over loopback and pty; over TCP, where pyserial sleeps 0.3 s in close, only the last."""
    return [(link, check) for link in ("loopback", "pty") for check in checks] + [
        ("tcp", checks[-1])
    ]


@pytest.mark.parametrize(("link", "check"), over_links(pump.CHECKS))
@pytest.mark.parametrize("case", PUMPS)
def test_pump(case, link, check, bench, wire):
    instrument, settings = PUMPS[case]
    stand = bench(instrument, settings)
    if instrument is new_era.INSTRUMENT:
        stand.driver().configure()
    check(wire(link, stand), stand.clock)


@pytest.mark.parametrize(("link", "check"), over_links(probe.CHECKS))
@pytest.mark.parametrize("case", PROBES)
def test_probe(case, link, check, bench, wire):
    stand = bench(*PROBES[case])
    check(wire(link, stand), stand.clock)
