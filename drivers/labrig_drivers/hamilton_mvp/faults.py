"""What a simulated Hamilton MVP can be made to suffer."""

from __future__ import annotations

from labrig_drivers.simulation import FaultKind

FAULTS = {
    "silent": FaultKind("no byte gets through, either way"),
    "reboot": FaultKind("its power is interrupted: it has no address and is not initialised"),
    "corrupt_reply": FaultKind("one bit of every answer is turned"),
    "late_reply": FaultKind("answers come this much later; 2 s for 0", (0.0, 5.0), "s", 0.0, 600.0),
    "repeat_reply": FaultKind("every answer comes twice"),
    "stuck": FaultKind("turns that begin in it never end"),
    "overload": FaultKind("turns that begin in it end where they began: the valve is too stiff"),
    "wrong_position": FaultKind(
        "turns end so many ports too far; 1 for 0", (0.0, 2.0), "ports", 0.0, 8.0
    ),
}
