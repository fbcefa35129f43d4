"""docs/instruments.md says what the code says."""

import importlib
import re
from pathlib import Path

import pytest

import labrig_drivers
from labrig_drivers.instrument import InstrumentType

PAGE = (Path(__file__).parents[2] / "docs" / "instruments.md").read_text(encoding="utf-8")
PACKAGES = sorted(
    path.parent.name
    for path in Path(labrig_drivers.__file__).parent.glob("*/__init__.py")
    if hasattr(importlib.import_module(f"labrig_drivers.{path.parent.name}"), "INSTRUMENT")
)


def row(section, name):
    """The table row of an instrument under a heading, as cells."""
    text = PAGE.split(section, 1)[1].split("\n## ", 1)[0]
    found = re.search(rf"^\| `{name}` \|(.*)\|$", text, re.MULTILINE)
    assert found, f"{name} has no row under {section!r}"
    return [cell.strip() for cell in found[1].split("|")]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_instrument_is_described_as_it_is(package):
    instrument = importlib.import_module(f"labrig_drivers.{package}").INSTRUMENT
    assert isinstance(instrument, InstrumentType)
    assert row("# Instruments", instrument.name)[2] == ", ".join(instrument.verified_on)
    assert row("## When the computer is lost", instrument.name)
    if instrument.simulator is not None:
        [faults] = row("## Faults that the simulators play", instrument.name)
        assert set(re.findall("`(.*?)`", faults)) == set(instrument.faults)


def test_all_eight_are_found():
    assert len(PACKAGES) >= 8
