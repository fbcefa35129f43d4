"""What a simulated Pulse Pal can be made to suffer."""

from __future__ import annotations

from labrig_drivers.simulation import FaultKind

FAULTS = {
    "silent": FaultKind("no byte gets through, either way"),
    "reboot": FaultKind("its power is interrupted when the fault begins"),
    "dead_until_joystick": FaultKind("COMM. FAILURE when the fault begins; a click when it ends"),
    "corrupt_ack": FaultKind("the first byte of every answer is wrong"),
    "joystick_click": FaultKind("a click ends all trains: deaf for a second"),
}
