"""What a simulated MS-2000 can be made to suffer."""

from __future__ import annotations

from labrig_drivers.simulation import FaultKind

FAULTS = {
    "silent": FaultKind("no byte gets through, either way"),
    "stuck": FaultKind("moves begun in it stay busy and never arrive; HALT frees them"),
    "corrupt_reply": FaultKind("one bit of every answer is turned"),
    "repeat_reply": FaultKind("every answer comes twice"),
    "reboot": FaultKind("its power is interrupted: where it stands becomes 0, 0"),
    "short": FaultKind(
        "moves begun in it end this much before their target; 50 µm for 0",
        unit="µm",
        least=0.0,
        most=1e5,
    ),
}
