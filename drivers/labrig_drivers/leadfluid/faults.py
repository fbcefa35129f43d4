"""What a simulated Lead Fluid pump can be made to suffer."""

from __future__ import annotations

from labrig_drivers.simulation import FaultKind

FAULTS = {
    "stall": FaultKind("it turns and counts, moves nothing, and says nothing of it"),
    "silent": FaultKind("no byte gets through, either way"),
    "reboot": FaultKind("its power is interrupted when the fault begins"),
    "reset": FaultKind("its power is interrupted, and its registers are those of the factory"),
    "corrupt_reply": FaultKind("one bit of every answer is turned"),
    "late_reply": FaultKind("answers come this much later; 2 s for 0", (0.0, 5.0), "s", 0.0, 600.0),
    "repeat_reply": FaultKind("every answer comes twice"),
    "drift": FaultKind(
        "worn tubing moves 1 + value times what is counted", (-0.4, 0.3), "fraction", -1.0, 5.0
    ),
}
