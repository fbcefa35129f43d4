"""The same suites on real instruments: ``pytest --instrument new_era_ne1000=/dev/ttyUSB0``."""

import importlib

import pytest

from labrig_drivers.conformance import WallClock
from labrig_drivers.instrument import connect, installed_types
from labrig_drivers.transports.serial_port import open_serial


@pytest.mark.hardware
def test_real_instrument(hardware):
    name, address = hardware
    kind = installed_types()[name]
    settings = kind.settings()

    def make_driver():
        link = address if kind.serial is None else open_serial(address, kind.serial, name)
        return connect(kind, link, settings, name)

    checks = importlib.import_module(f"labrig_drivers.conformance.{kind.kind}").CHECKS
    for check in checks:
        check(make_driver, WallClock())
