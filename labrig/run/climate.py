"""One controller of the surroundings: its set points are levels, read back, and asked for again.

What it measures comes with every poll, and is judged like a probe's readings.
"""

from __future__ import annotations

from collections.abc import Mapping

from labrig.plan.timeline import ClimateLevel
from labrig.record.kinds.other_deviations import SettingChanged
from labrig.run.desk import Desk
from labrig.run.handler import ForHandler, next_poll_s
from labrig.run.mode import FOLLOWING, Mode
from labrig.run.orders import Finish, InMode, Order
from labrig.run.setting_words import SettingWords
from labrig_drivers.errors import LinkError, Refused
from labrig_drivers.kinds import EnvironmentController, quantity_of

WITHIN = 0.01
"""Of a set point read back against the one asked for: rounding of its unit, not accuracy."""


class ControllerHandler:
    """Owns one controller.

    Args:
        name: as the rig calls it.
        desk: clock, journal, fence and board.
        poll_s: how often it is read.
        safe: by quantity, what a stop, an interlock and the end of the run set it to; what is not
            named stays as it is.
    """

    def __init__(self, name: str, desk: Desk, poll_s: float, safe: Mapping[str, float]) -> None:
        self.name = name
        self._desk = desk
        self._poll_s = poll_s
        self._safe = safe
        self._controller: EnvironmentController | None = None
        self._levels: dict[str, ClimateLevel] = {}
        self._epoch = desk.fence.epoch
        self._mode = FOLLOWING
        self._confirmed = True
        self._words = SettingWords(name, desk)
        self._poll_due_s = desk.clock.now_s()

    @property
    def busy(self) -> bool:
        """A set point is taken at once; what follows from it takes its time without us."""
        return False

    @property
    def has_more_to_do(self) -> bool:
        """Nothing waits here."""
        return False

    @property
    def confirmed(self) -> bool:
        """Whether it said that it is set as it should be."""
        return self._confirmed

    def attach(self, driver: EnvironmentController) -> None:
        """Read it; change nothing."""
        self._controller = driver
        self._show()
        self._poll_due_s = next_poll_s(self._desk.clock.now_s(), self._poll_s)

    def heed(self, message: ForHandler) -> None:
        """Remember a level, which :meth:`assert_due` sets; or enter a mode."""
        match message:
            case Order(entry=ClimateLevel() as level):
                self._levels[level.quantity] = level
                if self._mode.name != "halted":
                    self._epoch = message.epoch
            case Order():
                raise TypeError(f"{message.entry.key} is not for a controller")
            case InMode():
                if message.mode.name == "halted":
                    self._epoch = message.epoch
                self._enter(message.mode)
            case Finish():
                self._enter(self._mode.halt())
            case _:
                pass

    def _enter(self, mode: Mode) -> None:
        """A hold changes nothing here: the cells stay in what they should be in."""
        before, self._mode = self._mode, mode
        if before.name != mode.name and {"suspended", "halted"} & {before.name, mode.name}:
            self.assert_due()

    def assert_due(self) -> None:
        """Read its set points, and write those that differ; confirmed by reading again."""
        wanted = self._wanted()
        if not wanted:
            return
        controller = self._port()
        points, self._confirmed = dict(controller.set_points()), True
        for quantity, value in wanted.items():
            if not _holds(points, quantity, value):
                self._desk.fence.check(self._epoch)
                try:
                    controller.set_point(quantity, value)
                except Refused as error:
                    self._failed(quantity, error.what, error.remedy)
                    continue
                points = dict(controller.set_points())
            if _holds(points, quantity, value):
                self._set(quantity, value)
            else:
                self._failed(quantity, _otherwise(points, quantity, value), "Look at its display.")
        if self._confirmed:
            self._desk.board.clear("climate", self.name)
            self._desk.troubles.over("climate", self.name)
        self._show()

    def next_due_s(self) -> float:
        """When it is to be read."""
        return self._poll_due_s

    def tick(self) -> None:
        """Read it; set again what somebody has changed."""
        now_s = self._desk.clock.now_s()
        if self._poll_due_s > now_s:
            return
        self._poll_due_s = next_poll_s(now_s, self._poll_s)
        points, wanted = self._show(), self._wanted()
        off = [q for q, value in wanted.items() if not _holds(points, q, value)]
        if not off and self._confirmed:
            return
        if self._confirmed:
            for quantity in off:
                found = f"{points[quantity]:g}" if quantity in points else "off"
                changed = SettingChanged(self.name, quantity, found, f"{wanted[quantity]:g}")
                self._desk.deviation(changed)
        self.assert_due()

    def cut_off(self) -> None:
        """Nothing: heat that is on does no harm in the second until its set point is safe."""

    def _wanted(self) -> Mapping[str, float]:
        if self._mode.name in ("suspended", "halted"):
            return self._safe
        return {quantity: level.value for quantity, level in self._levels.items()}

    def _set(self, quantity: str, value: float) -> None:
        if self._mode.name in ("suspended", "halted"):
            self._words.made_safe(quantity, f"{value:g}")
        else:
            self._words.confirmed(self._levels[quantity].key, quantity, value)

    def _failed(self, quantity: str, what: str, remedy: str) -> None:
        self._confirmed = False
        if quantity in self._levels:
            self._words.failed(self._levels[quantity].key, what)
        self._desk.alarm("climate", self.name, what, remedy)
        self._desk.troubles.met("climate", "refused", self.name, what)

    def _show(self) -> Mapping[str, float]:
        controller = self._port()
        reading, points = controller.read(), dict(controller.set_points())
        said = {"set_points": points, "trusted": reading.trusted, "note": reading.note}
        self._desk.measured(
            self.name, {**reading.values, **said}, trusted=reading.trusted, note=reading.note
        )
        return points

    def _port(self) -> EnvironmentController:
        if self._controller is None:
            raise LinkError(self.name, "it has not answered since this runner started.")
        return self._controller


def _otherwise(points: Mapping[str, float], quantity: str, value: float) -> str:
    """That it does not hold what it was set to."""
    held = quantity_of(quantity)
    said = f"{points[quantity]:g} {held.unit_label}" if quantity in points else "nothing"
    asked = f"{value:g} {held.unit_label} {held.words}"
    return f"set to {asked}, it says that it holds {said}."


def _holds(points: Mapping[str, float], quantity: str, value: float) -> bool:
    return quantity in points and abs(points[quantity] - value) <= WITHIN
