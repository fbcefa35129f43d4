"""What a simulated Vaisala probe can be made to suffer."""

from __future__ import annotations

from labrig_drivers.simulation import FaultKind

FAULTS = {
    "silent": FaultKind("no byte gets through, either way"),
    "reboot": FaultKind("its power is interrupted when the fault begins: it warms up anew"),
    "corrupt_reply": FaultKind("one bit of every answer is turned"),
    "late_reply": FaultKind("answers come this much later; 2 s for 0", (0.0, 5.0), "s", 0.0, 600.0),
    "repeat_reply": FaultKind("every answer comes twice"),
    "drift": FaultKind("it reads so much more CO2 than there is", (-0.4, 0.3), "%", -20.0, 20.0),
    "stale": FaultKind("it gives its last value again and again"),
    "sensor_error": FaultKind("no CO2 value, and the error bit"),
}
