"""One environment probe: readings by the timeline. They are judged by interlocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from labrig.plan.timeline import Reading
from labrig.run.desk import Desk
from labrig.run.handler import ForHandler
from labrig.run.orders import Order
from labrig_drivers.errors import LinkError
from labrig_drivers.kinds import EnvironmentProbe, Quantity


class ProbeHandler:
    """Owns one probe.

    Args:
        name: the probe's.
        desk: where its readings go.
        measures: the quantities that its type declares.
    """

    def __init__(self, name: str, desk: Desk, measures: Sequence[Quantity]) -> None:
        self.name = name
        self._desk = desk
        self._measures = measures
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
        # what it does not declare is not its business; what it does not give, it has not
        values = {quantity.key: reading.values.get(quantity.key) for quantity in self._measures}
        trusted, note = reading.trusted, reading.note
        if impossible := self._impossible(values):
            trusted, note = False, f"{note}; {impossible}" if note else impossible
        self._desk.measured(self.name, values, trusted=trusted, note=note, entry=entry.key)

    def _impossible(self, values: Mapping[str, float | None]) -> str:
        """In words, what cannot be: nothing is like that, whatever the probe says of itself."""
        return ", ".join(
            f"{quantity.words} {value:g} {quantity.unit_label or quantity.unit} cannot be"
            for quantity in self._measures
            if (value := values[quantity.key]) is not None and not quantity.plausible(value)
        )
