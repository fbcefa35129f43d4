"""One selector valve: stands where its level says, and is asked whether it does.

A turn takes seconds, in which it is looked at now and then. What became of a turn that was under
way when the line failed, or the runner died, is asked of the valve: it is sent only to a position
at which it says that it is not.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from labrig.plan.timeline import ValveLevel
from labrig.record.kinds.other_deviations import SettingChanged
from labrig.run.desk import Desk
from labrig.run.handler import ForHandler, next_poll_s
from labrig.run.mode import FOLLOWING, Mode
from labrig.run.orders import Finish, InMode, Order
from labrig.run.setting_words import SettingWords
from labrig_drivers.errors import LinkError, NotNow, Refused
from labrig_drivers.kinds import Valve

POSITION = "position"
LOOK_EVERY_S = 0.5
TURNS_WITHIN_S = 15.0
"""[S] A turn that is not over by then has failed: selector valves need a few seconds."""
MOST_TRIES = 2


@dataclass(frozen=True, slots=True)
class _Turn:
    """To where, since when, and the how-manieth try it is."""

    to: str
    since_s: float
    tries: int


class ValveHandler:
    """Owns one valve.

    Args:
        name: as the rig calls it.
        desk: clock, journal, fence and board.
        poll_s: how often it is asked where it stands.
        safe: where a stop, an interlock and the end of the run bring it; None: it stays.
    """

    def __init__(self, name: str, desk: Desk, poll_s: float, safe: str | None) -> None:
        self.name = name
        self._desk = desk
        self._poll_s = poll_s
        self._safe = safe
        self._valve: Valve | None = None
        self._level: ValveLevel | None = None
        self._epoch = desk.fence.epoch
        self._mode = FOLLOWING
        self._turn: _Turn | None = None
        self._confirmed = True
        self._words = SettingWords(name, desk)
        self._look_due_s = desk.clock.now_s()
        self._poll_due_s = desk.clock.now_s()

    @property
    def busy(self) -> bool:
        """Whether it turns."""
        return self._turn is not None

    @property
    def has_more_to_do(self) -> bool:
        """Nothing waits here but the setting that is wanted last."""
        return False

    @property
    def confirmed(self) -> bool:
        """Whether it said that it stands where it should."""
        return self._confirmed and self._turn is None

    def attach(self, driver: Valve) -> None:
        """Ask where it stands; change nothing."""
        self._valve = driver
        self._turn = None
        self._show()
        self._poll_due_s = next_poll_s(self._desk.clock.now_s(), self._poll_s)

    def heed(self, message: ForHandler) -> None:
        """Remember a level, which :meth:`assert_due` sees to; or enter a mode."""
        match message:
            case Order(entry=ValveLevel() as level):
                self._level = level
                if self._mode.name != "halted":
                    self._epoch = message.epoch
            case Order():
                raise TypeError(f"{message.entry.key} is not for a valve")
            case InMode():
                if message.mode.name == "halted":
                    self._epoch = message.epoch
                self._enter(message.mode)
            case Finish():
                self._enter(self._mode.halt())
            case _:
                pass

    def _enter(self, mode: Mode) -> None:
        """A hold changes nothing here: what comes to the cells stays what it should be."""
        before, self._mode = self._mode, mode
        if before.name != mode.name and {"suspended", "halted"} & {before.name, mode.name}:
            self.assert_due()

    def assert_due(self) -> None:
        """Ask where it stands, and turn it where it should be."""
        to = self._wanted()
        if to is None:
            return
        valve = self._port()
        try:
            turning = valve.moving()
        except Refused as error:
            self._failed(error.what, error.remedy)
            return
        if turning:
            self._send_on(to)
            # Whoever has begun it: it is seen to once it stands.
            self._watch(_Turn(to, self._desk.clock.now_s(), 0))
        elif valve.position() == to:
            self._arrived(to)
        else:
            self._send(to, 1)

    def next_due_s(self) -> float:
        """When it is to be looked at."""
        return self._poll_due_s if self._turn is None else min(self._look_due_s, self._poll_due_s)

    def tick(self) -> None:
        """Look at a turn, and poll."""
        now_s = self._desk.clock.now_s()
        if self._turn is not None and self._look_due_s <= now_s:
            self._look(self._turn)
        if self._poll_due_s <= now_s:
            self._poll_due_s = next_poll_s(now_s, self._poll_s)
            self._poll()

    def cut_off(self) -> None:
        """Nothing: a turn that is broken off would leave it between two ports."""

    def _wanted(self) -> str | None:
        if self._mode.name in ("suspended", "halted"):
            return self._safe
        return None if self._level is None else self._level.position

    def _watch(self, turn: _Turn) -> None:
        self._turn = turn
        self._look_due_s = self._desk.clock.now_s() + LOOK_EVERY_S

    def _send(self, to: str, tries: int) -> None:
        self._desk.fence.check(self._epoch)
        try:
            self._port().move_to(to)
        except Refused as error:
            self._failed(error.what, error.remedy)
            return
        self._watch(_Turn(to, self._desk.clock.now_s(), tries))

    def _send_on(self, to: str) -> None:
        """One that looks for its place would go on to where it was sent before, after a stop too.

        One that turns to a position takes no other one until it stands.
        """
        self._desk.fence.check(self._epoch)
        with suppress(NotNow):
            self._port().move_to(to)

    def _look(self, turn: _Turn) -> None:
        valve, now_s = self._port(), self._desk.clock.now_s()
        try:
            turning = valve.moving()
        except Refused as error:
            self._failed(error.what, error.remedy)
            return
        if turning and now_s - turn.since_s < TURNS_WITHIN_S:
            self._look_due_s = now_s + LOOK_EVERY_S
            return
        at = None if turning else valve.position()
        if at == turn.to:
            self._arrived(turn.to)
        elif not turning and turn.tries < MOST_TRIES:
            self._send(turn.to, turn.tries + 1)
        else:
            does = f"still turns after {TURNS_WITHIN_S:g} s" if turning else f"stands at {at}"
            self._failed(f"sent to position {turn.to}, it {does}.", "Look at the valve.")

    def _arrived(self, at: str) -> None:
        self._turn, self._confirmed = None, True
        self._desk.board.clear("valve", self.name)
        self._desk.troubles.over("valve", self.name)
        self._show()
        if self._mode.name in ("suspended", "halted"):
            self._words.made_safe(POSITION, at)
        elif self._level is not None:
            self._words.confirmed(self._level.key, POSITION, at)

    def _failed(self, what: str, remedy: str) -> None:
        self._turn, self._confirmed = None, False
        if self._level is not None:
            self._words.failed(self._level.key, what)
        self._desk.alarm("valve", self.name, what, remedy)
        self._desk.troubles.met("valve", "refused", self.name, what)

    def _poll(self) -> None:
        at = self._show()
        to = self._wanted()
        if self._turn is not None or to is None:
            return
        if at == to:
            if not self._confirmed:
                # It got there late, or by a hand.
                self._arrived(at)
            return
        # Its answers bear no checksum: one letter alone is no reason to turn it.
        at = self._show()
        if at == to:
            return
        if self._confirmed:
            self._desk.deviation(SettingChanged(self.name, POSITION, at or "unknown", to))
        self.assert_due()

    def _show(self) -> str | None:
        at = self._port().position()
        self._desk.measured(self.name, {"position": at})
        return at

    def _port(self) -> Valve:
        if self._valve is None:
            raise LinkError(self.name, "it has not answered since this runner started.")
        return self._valve
