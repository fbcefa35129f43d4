"""One environment probe: readings by the timeline, and alarms when the air is wrong."""

from __future__ import annotations

from labrig.plan.plan import RunRules
from labrig.plan.timeline import Reading
from labrig.plan.words import hours
from labrig.run.desk import Desk
from labrig.run.handler import ForHandler
from labrig.run.orders import Finish, Order
from labrig_drivers.errors import LinkError
from labrig_drivers.kinds import EnvironmentProbe, EnvironmentReading

TRIP_AFTER_S = 15 * 60.0
"""[K] Twice the warning limit for this long is an alarm of its own: incubator practice."""


class ProbeHandler:
    """Owns one probe."""

    def __init__(self, name: str, desk: Desk, rules: RunRules) -> None:
        self.name = name
        self._desk = desk
        self._rules = rules
        self._probe: EnvironmentProbe | None = None
        self._far_off_since_s: float | None = None
        self._blind_since_s: float | None = None
        self._blind_told = False
        self._has_seen = False

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
            case Finish():
                # What was wrong with the air until the end is written down as such.
                self._note_far_off(self._desk.clock.now_s())
            case _:
                pass

    def _read(self, entry: Reading) -> None:
        if self._probe is None:
            raise LinkError(self.name, "it has not answered since this runner started.")
        reading = self._probe.read()
        values = {
            "instrument": self.name,
            "co2_percent": reading.co2_percent,
            "temperature_c": reading.temperature_c,
            "trusted": reading.trusted,
            "note": reading.note,
        }
        self._desk.board.read(self.name, {"at_s": self._desk.clock.now_s(), **values})
        self._desk.note("reading", entry.key, "confirmed", **values)
        self._judge(reading)

    def _judge(self, reading: EnvironmentReading) -> None:
        board = self._desk.board
        if not reading.trusted:
            self._desk.alarm("probe", self.name, f"its readings are not to be trusted: "
                             f"{reading.note}", "Look at the probe.")  # fmt: skip
            self._blind("not trusted")
            return
        rules = self._rules
        measured = (
            ("CO2", "%", reading.co2_percent, rules.co2_percent, rules.warn_co2_percent),
            (
                "temperature",
                "°C",
                reading.temperature_c,
                rules.temperature_c,
                rules.warn_temperature_c,
            ),
        )
        missing = [label for label, _, value, _, _ in measured if value is None]
        if missing:
            what = f"it gives no {' and no '.join(missing)}."
            self._desk.alarm("probe", self.name, what, "Look at the probe.")
            self._blind(what)
        else:
            board.clear("probe", self.name)
            self._sees_again()
        worst = 0.0
        for label, unit, value, wanted, limit in measured:
            if value is None:
                continue
            about = f"{self.name} {label}"
            off = abs(value - wanted) / limit
            worst = max(worst, off)
            if off <= 1.0:
                board.clear("environment", about)
            else:
                self._desk.alarm(
                    "environment", about,
                    f"{value:.3g} {unit}, set point {wanted:g} ± {limit:g} {unit}.",
                    "Check door, gas and incubator; frames taken meanwhile are annotated.",
                )  # fmt: skip
        self._watch_far_off(worst)

    def _blind(self, what: str) -> None:
        """Written at once by one that had seen the air; one that warms up is given its time."""
        now_s = self._desk.clock.now_s()
        if self._blind_since_s is None:
            self._blind_since_s = now_s
        long_s = now_s - self._blind_since_s
        if not self._blind_told and (self._has_seen or long_s >= TRIP_AFTER_S):
            self._blind_told = True
            self._desk.deviation(
                "environment-unseen", instrument=self.name, from_s=self._blind_since_s, what=what
            )

    def _sees_again(self) -> None:
        if self._blind_told:
            self._desk.deviation(
                "environment-seen", instrument=self.name,
                from_s=self._blind_since_s, to_s=self._desk.clock.now_s(),
            )  # fmt: skip
        self._has_seen, self._blind_told, self._blind_since_s = True, False, None

    def _watch_far_off(self, worst: float) -> None:
        now_s = self._desk.clock.now_s()
        if worst <= 2.0:
            self._note_far_off(now_s)
            self._desk.board.clear("environment-trip", self.name)
        elif self._far_off_since_s is None:
            self._far_off_since_s = now_s
            self._desk.deviation("environment-off", instrument=self.name, from_s=now_s)
        elif now_s - self._far_off_since_s >= TRIP_AFTER_S:
            self._desk.alarm(
                "environment-trip", self.name,
                f"the air has been far off since {hours(self._far_off_since_s)} of the run.",
                "Save the cells: another incubator, or stop the run.",
            )  # fmt: skip

    def _note_far_off(self, to_s: float) -> None:
        if self._far_off_since_s is not None:
            self._desk.deviation(
                "environment", instrument=self.name, from_s=self._far_off_since_s, to_s=to_s
            )
        self._far_off_since_s = None
