"""What can go wrong beside the instruments: the world around them, the computer, people, cameras.

What an instrument's own simulator plays is declared by its type (``labrig_drivers``).
"""

from __future__ import annotations

from collections.abc import Mapping

from labrig_drivers.simulation import FaultKind

WORLD, COMPUTER = "world", "computer"
"""In place of an instrument's name; and ``people``."""

PEOPLE_FAULTS: Mapping[str, FaultKind] = {
    "late": FaultKind("they come after a step's time", (1200.0, 3600.0), "s", 0.0),
    "absent": FaultKind("nobody comes; a person at the page or a terminal may"),
    "refuses": FaultKind("they decide against a step"),
}

WORLD_FAULTS: Mapping[str, FaultKind] = {
    "bubble": FaultKind("so much air passes in a line: nothing arrives meanwhile",
                        (20.0, 200.0), "µL", 0.0, 1e6),
    "clog": FaultKind("a line lets nothing through; the pump stalls if it feeds no other"),
    "leak": FaultKind("this part of what a line carries runs out beside the wells",
                      (0.5, 1.0), "fraction", 0.0, 1.0),
    "run_dry": FaultKind("a reservoir holds no more than this from now on",
                         (0.0, 500.0), "µL", 0.0, 1e9),
    "door_open": FaultKind("air of the room comes in: warmth and CO2 go, and come back after it"),
    "co2_excursion": FaultKind("so much more CO2 than is set", (-1.5, 2.0), "%", -20.0, 20.0),
    "temperature_excursion": FaultKind("so much warmer than is set", (-3.0, 2.0), "°C", -30.0,
                                       30.0),
    "lamp_off": FaultKind("pictures are dark"),
    "focus_lost": FaultKind("pictures are so far out of focus", (30.0, -30.0), "µm", -500.0, 500.0),
}  # fmt: skip
OF: Mapping[str, str] = {
    "bubble": "line", "clog": "line", "leak": "line", "run_dry": "reservoir", "unplug": "port",
}  # fmt: skip
"""By kind, what ``of`` names; the others concern everything."""

COMPUTER_FAULTS: Mapping[str, FaultKind] = {
    "kill": FaultKind("the runner is killed (kill -9); `for` later it is started again"),
    "pause": FaultKind("the runner is stopped and goes on later (SIGSTOP, SIGCONT)"),
    "sleep": FaultKind("it sleeps, and its ports are new ones when it wakes"),
    "unplug": FaultKind("a port's cable is out, or all are"),
    "disk_full": FaultKind("the journal's disk is full"),
    "disk_read_only": FaultKind("the journal's disk has become read-only"),
    "journal_locked": FaultKind("another program holds the journal"),
    "clock_step": FaultKind("somebody sets the time of day", (3600.0, -3600.0), "s", -1e7, 1e7),
    "dst": FaultKind("its clock keeps local time, and summer time begins or ends",
                     (-3600.0, 3600.0), "s", -3600.0, 3600.0),
}  # fmt: skip
LASTING = frozenset({"kill", "pause", "sleep"})
"""Kinds of the computer that must end: `for` is how long, :data:`STANDS_S` without it."""
STANDS_S = 60.0

CAMERA_FAULTS: Mapping[str, FaultKind] = {
    "hung": FaultKind("it answers nothing until its process is killed"),
    "torn_frame": FaultKind("the lower half of a picture is missing"),
    "unfocused": FaultKind("the focus is not found: no picture is taken"),
    "refused": FaultKind("it takes no picture, and says so"),
    "not_stored": FaultKind("a picture is taken, and its file cannot be written"),
}
"""Of every camera, in place of what its type plays: a simulated bench simulates the picture."""

NOT_ON_THIS_CLOCK: Mapping[str, str] = {
    "prefect_dead": "kill the server that `labrig serve` started (`ps`, its own process)",
    "prefect_slow": "stop it and let it go on: `kill -STOP PID`, `kill -CONT PID`",
    "prefect_locked": "hold its database: `sqlite3 RUNS/.prefect/prefect.db 'BEGIN EXCLUSIVE'`",
}
"""Asked for, and beyond a simulated night: Prefect keeps the real clock. What to do instead."""
