"""What a simulated New Era pump can be made to suffer."""

from __future__ import annotations

from labrig_drivers.simulation import FaultKind

FAULTS = {
    "stall": FaultKind("its motor does not follow: it stops with an alarm"),
    "silent": FaultKind("no byte gets through, either way"),
    "reboot": FaultKind("its power is interrupted when the fault begins"),
    "corrupt_reply": FaultKind("one bit of every answer is turned"),
    "late_reply": FaultKind("answers come this much later; 2 s for 0", (0.0, 5.0), "s", 0.0, 600.0),
    "repeat_reply": FaultKind("every answer comes twice"),
    "rate_error": FaultKind(
        "it really moves 1 + value times what it counts", (-0.4, 0.3), "fraction", -1.0, 5.0
    ),
}
