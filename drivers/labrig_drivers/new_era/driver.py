"""A New Era (NE-1000 family) syringe pump over a serial link."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from labrig_drivers.errors import (
    AlarmRaised,
    NotNow,
    OutOfRange,
    Refused,
    ReplyError,
    WrongInstrument,
)
from labrig_drivers.kinds import Identity, PumpLimits, PumpState
from labrig_drivers.new_era import codec
from labrig_drivers.new_era.conversation import Conversation
from labrig_drivers.new_era.counter import WoundCounter
from labrig_drivers.new_era.rates import NewEraRates
from labrig_drivers.new_era.settings import NewEraSettings
from labrig_drivers.transports.base import Transport

_POWER_ALARM = codec.ALARMS["R"]

_log = logging.getLogger(__name__)

_Parsed = TypeVar("_Parsed")


class NewEraPump:
    """Satisfies :class:`labrig_drivers.kinds.Pump`.

    With ``settings.watchdog_s`` every call, :meth:`state` above all, feeds the pump's own
    watchdog: a silent host stops it. Attaching never stops a running pump.

    Its counter adds up the steps of its motor, and the pump stops with an alarm when the motor
    does not follow. So it witnesses how far the plunger was driven: not a wrong syringe, a leak or
    a bubble, and a pump whose gear is worn or whose model is another moves another volume.

    Args:
        link: the serial line.
        settings: the pump as it stands on the bench.
        name: as the rig file calls it.
    """

    def __init__(self, link: Transport, settings: NewEraSettings, name: str) -> None:
        self._link = link
        self._conversation = Conversation(link, settings.address, settings.watchdog_s, name)
        self._settings = settings
        self._name = name
        self._model = "NE-1000"
        self._program_checked = False
        self._rate_ul_min: float | None = None
        self._alarm: str | None = None
        self._power_lost = False
        self._counter = WoundCounter()

    def identify(self) -> Identity:
        """Ask model, firmware and syringe diameter, in the framing mode that the pump is in.

        Raises:
            WrongInstrument: no New Era pump, or one set to another syringe than the rig file
                says (then every rate would be wrong): see :meth:`configure`.
        """
        try:
            data = self._look("VER").data
        except AlarmRaised:
            raise
        except Refused as refusal:
            raise WrongInstrument(
                self._name,
                "it does not know the question for its version.",
                "Older and other models (NE-300, NE-1800) may not; labrig cannot use them.",
            ) from refusal
        try:
            self._model, firmware = codec.parse_version(data)
        except codec.BadFrame as error:
            raise WrongInstrument(
                self._name,
                f"it answers as {data!r}, not as a New Era.",
                "Check the port and the address in the rig file.",
            ) from error
        diameter_mm = self._parsed(codec.parse_number, self._look("DIA"))
        if codec.format_number(diameter_mm) != self._diameter():
            raise WrongInstrument(
                self._name,
                f"the pump is set to a syringe of {diameter_mm:g} mm, the rig file says "
                f"{self._settings.syringe_diameter_mm:g} mm: every volume would be wrong.",
                "If the rig file is right, write its diameter to the pump while it stands: "
                f"`labrig doctor RIG --configure {self._name}`. Else correct the rig file.",
            )
        return Identity("New Era", self._model, firmware)

    def configure(self) -> None:
        """Set syringe diameter and volume unit; clears the pump's volume counters.

        Raises:
            NotNow: the pump is running.
        """
        if self._ask("").status != "S":
            raise NotNow(self._name, "the pump is not stopped.", "Stop it, then configure it.")
        self._ask(f"DIA{self._diameter()}")
        self._ask(f"VOL{self._counter_unit()}")
        self._counter.forget()
        self._check_program()

    def limits(self) -> PumpLimits:
        """From plunger speed and syringe area; of the plain NE-1000 until identified."""
        return self._rates().limits()

    def quantised(self, rate_ul_min: float) -> float:
        """The rate that the pump's four digits hold. Raises OutOfRange."""
        return self._rates().quantised(rate_ul_min)

    def state(self) -> PumpState:
        """One exchange, unless an alarm has to be taken note of first."""
        try:
            reply = self._ask("DIS")
        except AlarmRaised:
            # Its reply has acknowledged the alarm, which is kept for the state below.
            reply = self._ask("DIS")
        infused_ul, _ = self._parsed(codec.parse_dispensed, reply)
        step_ul, range_ul = self._parsed(codec.counter_step_and_range_ul, reply)
        if self._rate_ul_min is None:
            number, unit = self._parsed(codec.parse_rate, self._ask("RAT"))
            self._rate_ul_min = number * codec.UL_MIN_PER_RATE_UNIT[unit]
        return PumpState(
            running=reply.status in "IWX",
            rate_ul_min=self._rate_ul_min,
            delivered_ul=self._counter.see(infused_ul, step_ul, range_ul),
            alarm=self._alarm,
            power_lost=self._power_lost,
            drive_watched=True,
            counter_step_ul=step_ul,
            counter_range_ul=range_ul,
        )

    def set_rate(self, rate_ul_min: float) -> None:
        """Hold this rate; 0 stops. A running pump changes without stopping unless the unit must.

        Raises:
            OutOfRange: before anything is sent.
            NotNow: a bounded dispense is under way.
        """
        if rate_ul_min == 0:
            self.stop()
            return
        number, unit = self._rates().setting(rate_ul_min)
        reply = self._ask("RAT")
        present = self._parsed(codec.parse_rate, reply)
        volume, _ = self._parsed(codec.parse_volume, self._ask("VOL"))
        if reply.status == "I":
            if volume != 0:
                raise NotNow(
                    self._name,
                    "a bounded dispense is under way.",
                    "Wait until it is done, or stop the pump first.",
                )
            if present[1] == unit:
                # Number alone: taken while pumping, at once, and not worn into its memory.
                if present[0] != float(number):
                    self._ask(f"RAT{number}")
                self._rate_ul_min = self.quantised(rate_ul_min)
                return
        self._start(number, unit, "0", self._counter_unit())

    def dispense(self, volume_ul: float, rate_ul_min: float) -> None:
        """Deliver one volume, then stand. Stops a continuous rate first. NOT safe to repeat.

        Raises:
            OutOfRange: before anything is sent.
            NotNow: another dispense is under way.
        """
        number, unit = self._rates().setting(rate_ul_min)
        full_ul = self._settings.syringe_volume_ul or float("inf")
        if not 0.001 <= volume_ul <= min(full_ul, 9_999_000.0):
            raise OutOfRange(
                self._name,
                f"cannot dispense {volume_ul:g} µL.",
                f"Give between 0.001 µL and the syringe's {full_ul:g} µL.",
            )
        present_volume, _ = self._parsed(codec.parse_volume, reply := self._ask("VOL"))
        if reply.status == "I" and present_volume != 0:
            raise NotNow(self._name, "another dispense is under way.", "Wait until it is done.")
        self._start(number, unit, *codec.volume_setting(volume_ul))

    def stop(self) -> None:
        """Stop now, and reset the program (the pump takes one STP for each)."""
        for _ in range(3):
            try:
                reply = self._heard(self._conversation.ask_at_once, "STP")
            except AlarmRaised as alarm:
                _log.warning("%s, found while stopping it", alarm)
            except NotNow:
                return
            else:
                if reply.status == "S":
                    return
        raise ReplyError(self._name, "it does not stop.", "Switch it off by hand.")

    def halt(self) -> None:
        """The bare STP. A pump with an alarm pending swallows it, and stands already."""
        self._conversation.tell("STP")

    def release(self) -> None:
        """Leave it running as it runs, in Basic mode: its watchdog is off."""
        for _ in range(2):
            try:
                self._conversation.leave_to_itself()
            except AlarmRaised as alarm:
                _log.warning("%s, found while leaving it", alarm)
                self._forget(alarm.alarm)
            else:
                return

    def close(self) -> None:
        """Let go of the port; a pump in Safe mode then stops when its watchdog runs out."""
        self._link.close()

    def _start(self, number: str, unit: str, volume: str, volume_unit: str) -> None:
        if self._ask("").status != "S":
            self.stop()
        self._check_program()
        present_volume, present_unit = self._parsed(codec.parse_volume, self._ask("VOL"))
        # Settings are worn into non-volatile memory, so only what differs is written.
        if present_unit != volume_unit:
            self._ask(f"VOL{volume_unit}")
        if (present_volume, present_unit) != (float(volume), volume_unit):
            self._ask(f"VOL{volume}")
        if self._parsed(codec.parse_rate, self._ask("RAT")) != (float(number), unit):
            self._ask(f"RAT{number}{unit}")
        self._rate_ul_min = float(number) * codec.UL_MIN_PER_RATE_UNIT[unit]
        # Before: should power fail as it starts, what it tells afterwards is news.
        self._alarm, self._power_lost = None, False
        self._ask("RUN1")

    def _check_program(self) -> None:
        """Phase 1 pumps, phase 2 stops (else a dispense would run on); phase 1 selected."""
        if not self._program_checked:
            self._ask("PHN2")
            if self._ask("FUN").data != "STP":
                self._ask("FUNSTP")
            self._ask("PHN1")
            if self._ask("FUN").data != "RAT":
                self._ask("FUNRAT")
            if self._ask("DIR").data != "INF":
                self._ask("DIRINF")
            self._program_checked = True
        self._ask("PHN1")

    def _rates(self) -> NewEraRates:
        return NewEraRates(self._settings, self._name, self._model)

    def _counter_unit(self) -> str:
        return self._rates().counter_unit()

    def _diameter(self) -> str:
        return codec.format_number(self._settings.syringe_diameter_mm)

    def _ask(self, command: str) -> codec.Reply:
        return self._heard(self._conversation.ask, command)

    def _look(self, question: str) -> codec.Reply:
        return self._heard(self._conversation.look, question)

    def _heard(self, say: Callable[[str], codec.Reply], command: str) -> codec.Reply:
        try:
            return say(command)
        except AlarmRaised as alarm:
            self._forget(alarm.alarm)
            raise
        finally:
            if self._conversation.take_power_up():
                self._forget(None)

    def _forget(self, alarm: str | None) -> None:
        """The pump may have lost all it was told: nothing remembered holds any longer."""
        self._alarm = alarm
        self._rate_ul_min = None
        self._program_checked = False
        if alarm in (None, _POWER_ALARM):
            self._power_lost = True
            self._counter.forget()

    def _parsed(self, parse: Callable[[str], _Parsed], reply: codec.Reply) -> _Parsed:
        try:
            return parse(reply.data)
        except codec.BadFrame as error:
            raise ReplyError(self._name, f"the answer makes no sense: {error}.") from error
