"""How a pump is left that must run on when no host will speak any more."""

from __future__ import annotations

from labrig.record.kinds.pump_deviations import WatchdogArmed
from labrig.record.kinds.runs import LeftRunning
from labrig.run.desk import Desk
from labrig_drivers.errors import InstrumentError
from labrig_drivers.kinds import Watchdog


def leave_running(desk: Desk, name: str, pump: Watchdog) -> bool:
    """Only its watchdog would stop it: switch that off, and say so; whether it could be done."""
    try:
        pump.release()
    except InstrumentError as error:
        desk.deviation(WatchdogArmed(instrument=name, what=str(error)))
        desk.alarm(
            "watchdog", name,
            "it feeds the cells and stops by itself: its watchdog could not be switched off.",
            "Start it by hand, or resume.",
        )  # fmt: skip
        return False
    desk.of_run(LeftRunning(instrument=name))
    return True
