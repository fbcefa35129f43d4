"""Registers of the GMP25x (User Guide M211897EN-D, pp. 114–118). Addresses as sent, from 0."""

from __future__ import annotations

CO2 = 0x0000
"""32-bit float, low word first; percent on a GMP251, ppm on a GMP252."""
PROBE_TEMPERATURE = 0x0004
"""32-bit float, °C."""
STATUS = 0x0800
"""Device status, then CO2 status."""

VENDOR_NAME, PRODUCT_NAME, REVISION, SERIAL_NUMBER = 0x00, 0x01, 0x02, 0x80

CRITICAL, ERROR, WARNING = 1, 2, 4
CO2_UNRELIABLE, CO2_NOT_READY = 2, 256

MOST_PERCENT_OF_GMP251 = 20.0
"""End of its range; outdoor air has some 400 ppm, so no GMP252 in use reads so little."""

COLDEST_C, WARMEST_C = -40.0, 80.0
"""Where the probe works; it says nothing else."""

PERCENT_PER_UNIT = {"GMP251": 1.0, "GMP252": 1e-4}


def status_note(device: int, co2: int) -> tuple[bool, str]:
    """Whether a reading may be trusted, and why not.

    Args:
        device: device status register, a sum of bits.
        co2: CO2 status register, a sum of bits.

    >>> status_note(0, 0)
    (True, '')
    >>> status_note(0, 256)
    (False, 'warming up')
    >>> status_note(4, 0)
    (True, 'probe warning')
    """
    faults = {
        "critical probe error": device & CRITICAL,
        "probe error": device & ERROR,
        "warming up": co2 & CO2_NOT_READY,
        "CO2 reading not reliable": co2 & CO2_UNRELIABLE,
        f"unknown status {device}/{co2}": (device & ~7) or (co2 & ~258),
    }
    notes = [text for text, found in faults.items() if found]
    trusted = not notes
    if device & WARNING:
        notes.append("probe warning")
    return trusted, ", ".join(notes)


def plausible(co2: float, temperature_c: float) -> bool:
    """Whether air can be like that: outdoor air has some 0.04 % CO2, no air has none.

    >>> plausible(0.0, 37.0), plausible(5.0, 37.0), plausible(5.0, 465.0)
    (False, True, False)
    """
    return co2 > 0 and COLDEST_C <= temperature_c <= WARMEST_C
