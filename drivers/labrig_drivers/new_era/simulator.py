"""A New Era NE-1000 from the other side of the wire (manual #1200-01). Handed time, never sleeps.

Simulated: Basic and Safe mode, alarms and their acknowledgement, the two-step STP, a program of
RAT and STP phases, the four-digit rule, plunger speed limits, volume totals and the host
watchdog. Answered ``?``: other phase functions, purge, triggers, TTL, buzzer and ``*`` commands.

From the quick start and from other people's clients: phase 2 leaves the factory as ``STP``; a
stopped pump answers STP with ``?NA``; ``RAT C`` is ``RAT``; four digits end in a point; a rate
changed while pumping is not kept over a power cut. Assumed: the other phases leave the factory as
``RAT`` without rate and volume, and a phase without a rate keeps the one before (so a program not
ended by ``STP`` runs on); totals are lost with power and roll over after 9999.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from labrig_drivers.new_era.faults import FAULTS
from labrig_drivers.new_era.settings import NewEraSettings
from labrig_drivers.new_era.simulated_wire import (
    Intake,
    address_of,
    basic_reply,
    safe_packet,
)
from labrig_drivers.simulated_faults import FaultSchedule
from labrig_drivers.simulated_link import SpoiltReplies
from labrig_drivers.simulation import Fault, PumpPlant

_SLOWEST_CM_H, _FASTEST_CM_MIN = 0.004205, 5.1005
_UNIT_UL_MIN = {"UH": 1 / 60, "UM": 1.0, "MH": 1000 / 60, "MM": 1000.0}
_UNIT_UL = {"UL": 1.0, "ML": 1000.0}
_LAST_PHASE = 41
_NOTHING_UL = 1e-9
_NEVER = float("inf")


@dataclass(eq=False)
class _Phase:
    function: str = "RAT"
    rate: float = 0.0
    rate_unit: str = "MH"
    volume: float = 0.0
    direction: str = "INF"


class _Refusal(Exception):
    """What the pump answers instead of data."""


class SimulatedNewEra:
    """Satisfies :class:`labrig_drivers.simulation.Simulator`.

    Args:
        settings: address and syringe as the pump was set up by hand.
        plant: told of the flow that really is.
        seed: of the noise in ``corrupt_reply``.
        faults: scripted states, see ``faults.py`` beside this.
        name: for messages.
    """

    def __init__(
        self,
        settings: NewEraSettings,
        plant: PumpPlant,
        seed: int = 0,
        faults: Sequence[Fault] = (),
        name: str = "new_era",
    ) -> None:
        self._plant = plant
        self._faults = FaultSchedule(faults, FAULTS, name)
        self._line = SpoiltReplies(self._faults, seed)
        self._intake = Intake(settings.address)
        self._address = settings.address
        self._diameter_mm = settings.syringe_diameter_mm
        self._volume_unit = "UL" if settings.syringe_diameter_mm <= 14.0 else "ML"
        # Of the 41 those that somebody has looked at: a chain of many pumps is written down.
        self._phases: defaultdict[int, _Phase] = defaultdict(_Phase)
        self._phases[1].function = "STP"
        self._stored_rates: dict[int, tuple[float, str]] = {}
        self._selected = 1
        self._safe_s = 0
        self._now_s = -_NEVER
        self._totals_ul = {"I": 0.0, "W": 0.0}
        self._status = "S"
        self._running_phase = 1
        self._phase_moved_ul = 0.0
        self._commanded_ul_min = 0.0
        self._alarm: str | None = None
        self._watchdog_from_s: float | None = None
        self._reported_ul_min = 0.0
        self._unasked = b""
        self._handlers = {
            "": self._on_status,
            "VER": self._on_ver,
            "DIA": self._on_dia,
            "RAT": self._on_rat,
            "VOL": self._on_vol,
            "DIR": self._on_dir,
            "RUN": self._on_run,
            "STP": self._on_stp,
            "DIS": self._on_dis,
            "CLD": self._on_cld,
            "PHN": self._on_phn,
            "FUN": self._on_fun,
            "SAF": self._on_saf,
        }
        self._wake: float | None = None
        self._power_up()

    def receive(self, data: bytes, now_s: float) -> bytes:
        """Bytes from the host; what is answered now, after anything unasked."""
        # A daisy chain hears every packet: a whole one for another pump changes nothing here.
        if not self._unasked and not self._intake.half_received:
            address = address_of(data, self._safe_s > 0)
            if address is not None and address != self._address:
                return b""
        self._wake = None
        answer = self.advance(now_s)
        if self._faults.active("silent", now_s):
            return b""
        for command in self._intake.commands(data, now_s, safe=self._safe_s > 0):
            if command is None:
                reply = f"{self._status}?COM"
            else:
                self._watchdog_from_s = now_s
                reply = self._obey(command)
            self._settle(now_s)
            answer += self._line.send(self._framed(reply), now_s)
        return answer

    def advance(self, now_s: float) -> bytes:
        """Move liquid, end volumes, let the watchdog run out; what was sent unasked or late."""
        self._wake = None
        self._settle(now_s)
        sent, self._unasked = self._unasked, b""
        sent += self._line.due(now_s)
        return b"" if self._faults.active("silent", now_s) else sent

    def next_wake_s(self) -> float | None:
        """When a volume ends, the watchdog runs out, a fault begins or ends, a late reply goes."""
        # Kept until something is heard or happens: a daisy chain asks all its pumps, all the time.
        if self._wake is None:
            self._wake = min(self._next_event_s(), self._line.next_due_s())
        return None if self._wake == _NEVER else self._wake

    # --- time -------------------------------------------------------------------------------

    def _settle(self, now_s: float) -> None:
        while (event_s := self._next_event_s()) <= now_s:
            self._move_until(event_s)
            self._happen(event_s)
        self._move_until(now_s)
        self._report_flow()

    def _next_event_s(self) -> float:
        events = [self._volume_end_s(), self._watchdog_end_s()]
        edge = self._faults.next_edge_s(self._now_s)
        return min([*events, _NEVER if edge is None else edge])

    def _volume_end_s(self) -> float:
        phase = self._phase
        if self._status not in "IW" or phase.volume == 0:
            return _NEVER
        left_ul = phase.volume * _UNIT_UL[self._volume_unit] - self._phase_moved_ul
        if left_ul < _NOTHING_UL:
            return self._now_s
        return self._now_s + left_ul * 60 / self._commanded_ul_min

    def _watchdog_end_s(self) -> float:
        if not self._safe_s or self._watchdog_from_s is None or self._alarm == "T":
            return _NEVER
        return self._watchdog_from_s + self._safe_s

    def _happen(self, at_s: float) -> None:
        if self._watchdog_end_s() <= at_s:
            self._watchdog_from_s = None
            self._halt("T")
        if self._faults.starts("reboot", at_s):
            self._power_up()
            self._send_unasked_alarm()
        if self._status in "IW" and self._faults.active("stall", at_s):
            self._halt("S")
        if self._volume_end_s() <= at_s:
            self._enter_phase(self._running_phase + 1)
        self._report_flow()

    def _move_until(self, now_s: float) -> None:
        if self._status in "IW":
            moved_ul = self._commanded_ul_min * (now_s - self._now_s) / 60
            self._phase_moved_ul += moved_ul
            self._totals_ul[self._status] += moved_ul
        self._now_s = max(self._now_s, now_s)

    def _report_flow(self) -> None:
        flow_ul_min = 0.0
        if self._status in "IW":
            error = self._faults.active("rate_error", self._now_s)
            flow_ul_min = self._commanded_ul_min * (1 + (error.value if error else 0.0))
            flow_ul_min *= 1 if self._status == "I" else -1
        if flow_ul_min != self._reported_ul_min:
            self._reported_ul_min = flow_ul_min
            self._plant.flow_changed(self._now_s, flow_ul_min)

    # --- power, alarms, program -------------------------------------------------------------

    def _power_up(self) -> None:
        self._status, self._alarm = "S", "R"
        for number, stored in self._stored_rates.items():
            self._phases[number].rate, self._phases[number].rate_unit = stored
        self._stored_rates.clear()
        self._totals_ul = {"I": 0.0, "W": 0.0}
        self._selected = self._running_phase = 1
        # In Safe mode the watchdog waits for the first valid packet after power-up.
        self._watchdog_from_s = None
        self._intake.clear()

    def _halt(self, alarm: str) -> None:
        self._status, self._alarm = "S", alarm
        self._send_unasked_alarm()

    def _send_unasked_alarm(self) -> None:
        # Said unasked an alarm stays pending: only a reply acknowledges it.
        if self._safe_s:
            self._unasked += safe_packet(f"{self._address:02d}A?{self._alarm}")

    @property
    def _phase(self) -> _Phase:
        return self._phases[self._place]

    @property
    def _place(self) -> int:
        """Of the present phase; they are counted from 1."""
        return (self._selected if self._status == "S" else self._running_phase) - 1

    def _enter_phase(self, number: int) -> None:
        if number > _LAST_PHASE:
            self._halt("O")
            return
        phase = self._phases[number - 1]
        self._running_phase, self._phase_moved_ul = number, 0.0
        if phase.function == "STP":
            self._status = "S"
            return
        self._status = "I" if phase.direction == "INF" else "W"
        if phase.rate:
            self._commanded_ul_min = phase.rate * _UNIT_UL_MIN[phase.rate_unit]

    # --- commands ---------------------------------------------------------------------------

    def _obey(self, command: str) -> str:
        if self._alarm is not None:
            alarm, self._alarm = self._alarm, None
            return f"A?{alarm}"
        handler = self._handlers.get(command[:3])
        if handler is None:
            return f"{self._status}?"
        try:
            data = handler(command[3:])
        except _Refusal as refusal:
            data = str(refusal)
        return f"{self._status}{data}"

    def _framed(self, reply: str) -> bytes:
        # By the mode now, so the answer to SAF comes in the mode that it has just set.
        text = f"{self._address:02d}{reply}"
        return safe_packet(text) if self._safe_s else basic_reply(text)

    def _on_status(self, argument: str) -> str:
        return ""

    def _on_ver(self, argument: str) -> str:
        return "NE1000V3.928"

    def _on_dia(self, argument: str) -> str:
        if not argument:
            return _four_digits(self._diameter_mm)
        self._only_standing()
        if not 0.1 <= (diameter_mm := _number(argument)) <= 50.0:
            raise _Refusal("?OOR")
        self._diameter_mm = diameter_mm
        self._totals_ul = {"I": 0.0, "W": 0.0}
        self._volume_unit = "UL" if diameter_mm <= 14.0 else "ML"
        return ""

    def _on_rat(self, argument: str) -> str:
        phase = self._phase
        if not argument:
            return f"{_four_digits(phase.rate)}{phase.rate_unit}"
        argument = argument.removeprefix("C")
        unit = argument[-2:] if argument[-2:] in _UNIT_UL_MIN else None
        rate = _number(argument if unit is None else argument[:-2])
        if unit is not None and self._status != "S":
            raise _Refusal("?NA")
        rate_ul_min = rate * _UNIT_UL_MIN[unit or phase.rate_unit]
        area_cm2 = math.pi * (self._diameter_mm / 20) ** 2
        slowest, fastest = _SLOWEST_CM_H / 60 * 1000, _FASTEST_CM_MIN * 1000
        if not slowest * area_cm2 <= rate_ul_min <= fastest * area_cm2:
            raise _Refusal("?OOR")
        number = self._place
        if self._status == "S":
            self._stored_rates.pop(number, None)
        else:
            # Not worn into its memory: after a power cut the rate before is there again.
            self._stored_rates.setdefault(number, (phase.rate, phase.rate_unit))
            self._commanded_ul_min = rate_ul_min
        phase.rate, phase.rate_unit = rate, unit or phase.rate_unit
        return ""

    def _on_vol(self, argument: str) -> str:
        if not argument:
            return f"{_four_digits(self._phase.volume)}{self._volume_unit}"
        self._only_standing()
        if argument in _UNIT_UL:
            self._volume_unit = argument
        else:
            self._phase.volume = _number(argument)
        return ""

    def _on_dir(self, argument: str) -> str:
        phase = self._phase
        if not argument:
            return phase.direction
        if argument not in ("INF", "WDR", "REV"):
            raise _Refusal("?")
        if self._status != "S" and phase.volume:
            raise _Refusal("?NA")
        reverse = {"INF": "WDR", "WDR": "INF"}[phase.direction]
        phase.direction = reverse if argument == "REV" else argument
        if self._status in "IW":
            self._status = "I" if phase.direction == "INF" else "W"
        return ""

    def _on_run(self, argument: str) -> str:
        if self._status == "P":
            self._status = "I" if self._phase.direction == "INF" else "W"
            return ""
        self._only_standing()
        number = _phase_number(argument or "1")
        if self._phases[number - 1].function == "RAT" and not self._phases[number - 1].rate:
            raise _Refusal("?OOR")
        self._enter_phase(number)
        if self._faults.active("stall", self._now_s):
            self._halt("S")
        return ""

    def _on_stp(self, argument: str) -> str:
        # The first STP pauses, the second resets the program.
        if self._status == "S":
            raise _Refusal("?NA")
        self._status = "P" if self._status in "IW" else "S"
        return ""

    def _on_dis(self, argument: str) -> str:
        infused, withdrawn = (
            _four_digits(self._totals_ul[way] / _UNIT_UL[self._volume_unit] % 10_000)
            for way in "IW"
        )
        return f"I{infused}W{withdrawn}{self._volume_unit}"

    def _on_cld(self, argument: str) -> str:
        self._only_standing()
        if argument not in ("INF", "WDR"):
            raise _Refusal("?")
        self._totals_ul[{"INF": "I", "WDR": "W"}[argument]] = 0.0
        return ""

    def _on_phn(self, argument: str) -> str:
        if not argument:
            return f"{self._selected:02d}"
        self._only_standing()
        self._selected = _phase_number(argument)
        return ""

    def _on_fun(self, argument: str) -> str:
        if not argument:
            return self._phase.function
        self._only_standing()
        if argument not in ("RAT", "STP"):
            raise _Refusal("?")
        self._phase.function = argument
        return ""

    def _on_saf(self, argument: str) -> str:
        if not argument:
            return str(self._safe_s)
        if not argument.isdigit() or int(argument) > 255:
            raise _Refusal("?OOR")
        self._safe_s = int(argument)
        return ""

    def _only_standing(self) -> None:
        if self._status != "S":
            raise _Refusal("?NA")


def _phase_number(argument: str) -> int:
    if not argument.isdigit() or not 1 <= int(argument) <= _LAST_PHASE:
        raise _Refusal("?OOR")
    return int(argument)


def _number(argument: str) -> float:
    """At most four digits, three of them decimals; more is out of range."""
    match = re.fullmatch(r"(\d*)\.?(\d*)", argument)
    if match is None or not (match[1] or match[2]):
        raise _Refusal("?")
    if len(match[1]) + len(match[2]) > 4 or len(match[2]) > 3:
        raise _Refusal("?OOR")
    return float(argument)


def _four_digits(value: float) -> str:
    """Cut, not rounded, to what the pump's display holds."""
    whole = len(str(int(value)))
    decimals = 4 - whole
    step: int = 10**decimals
    text = f"{int(value * step + 1e-6) / step:.{decimals}f}"
    return text if "." in text else f"{text}."
