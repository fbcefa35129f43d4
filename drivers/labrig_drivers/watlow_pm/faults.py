"""What a simulated Watlow EZ-ZONE PM can be made to suffer."""

from __future__ import annotations

from labrig_drivers.simulation import FaultKind

FAULTS = {
    "silent": FaultKind("no byte gets through, either way"),
    "reboot": FaultKind("its power is interrupted: it goes back to what its EEPROM holds"),
    "corrupt_reply": FaultKind("one bit of every answer is turned"),
    "late_reply": FaultKind("answers come this much later; 2 s for 0", (0.0, 5.0), "s", 0.0, 600.0),
    "repeat_reply": FaultKind("every answer comes twice"),
    "sensor_break": FaultKind("its sensor is open: no value, and its output is off"),
    "no_output": FaultKind("it takes set points, and its output does nothing"),
    "panel": FaultKind("a person sets it to so much on its panel; 30 for 0", (0.0, 39.0), "of it"),
    "drift": FaultKind("it reads so much more than there is, and holds less", (-0.8, 0.8), "of it"),
}
