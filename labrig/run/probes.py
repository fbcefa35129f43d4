"""One environment probe: readings by the timeline. They are judged by interlocks."""

from __future__ import annotations

from labrig.plan.timeline import Reading
from labrig.run.desk import Desk
from labrig.run.handler import ForHandler
from labrig.run.orders import Order
from labrig_drivers.errors import LinkError
from labrig_drivers.kinds import EnvironmentProbe


class ProbeHandler:
    """Owns one probe."""

    def __init__(self, name: str, desk: Desk) -> None:
        self.name = name
        self._desk = desk
        self._probe: EnvironmentProbe | None = None

    def attach(self, driver: EnvironmentProbe) -> None:
        """Nothing to read before the first reading is due."""
        self._probe = driver

    def heed(self, message: ForHandler) -> None:
        """Read when told to."""
        match message:
            case Order(entry=Reading() as entry):
                self._read(entry)
            case Order():
                raise TypeError(f"{message.entry.key} is not for a probe")
            case _:
                pass

    def _read(self, entry: Reading) -> None:
        if self._probe is None:
            raise LinkError(self.name, "it has not answered since this runner started.")
        reading = self._probe.read()
        values = {"co2_percent": reading.co2_percent, "temperature_c": reading.temperature_c}
        self._desk.measured(
            self.name, values, trusted=reading.trusted, note=reading.note, entry=entry.key
        )
