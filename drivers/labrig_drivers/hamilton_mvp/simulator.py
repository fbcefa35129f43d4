"""A Hamilton MVP from the other side of the wire, written from the manual of the serial MVP.

Simulated: automatic addressing, initialisation, turns in both directions, their time, status,
errors, types. Several on one line are simulators of their own, one letter each.

Assumed, not in the manual: NAK for a turn before initialisation and while it turns; errors that
``E2`` has told are cleared, that it is not initialised is not; a turn takes 0.3 s and 0.15 s for
each port, an initialisation 4 s; after a failed turn it is not initialised.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from labrig_drivers.hamilton_mvp.faults import FAULTS
from labrig_drivers.hamilton_mvp.settings import HamiltonMvpSettings
from labrig_drivers.simulated_faults import FaultSchedule
from labrig_drivers.simulated_link import SpoiltReplies
from labrig_drivers.simulation import Fault, SettingPlant

_HEADS = {"8-port": (2, 8), "6-port": (3, 6), "3-port": (4, 3), "2-port-180": (5, 2),
          "2-port-90": (6, 2), "4-port": (7, 4)}  # fmt: skip
_PORTS_OF_TYPE = dict(_HEADS.values())
_TURN_S, _PORT_S, _INITIALISE_S = 0.3, 0.15, 4.0
_NEVER = math.inf


class SimulatedHamiltonMvp:
    """Satisfies :class:`labrig_drivers.simulation.Simulator`. Switched on, without an address.

    Args:
        settings: its letter and head.
        plant: told where it stands.
        seed: of the noise in ``corrupt_reply``.
        faults: scripted states, see ``faults.py`` beside this.
        name: for messages.
    """

    def __init__(
        self,
        settings: HamiltonMvpSettings,
        plant: SettingPlant,
        seed: int = 0,
        faults: Sequence[Fault] = (),
        name: str = "hamilton_mvp",
    ) -> None:
        self._letter = settings.address
        self._type, self._ports = _HEADS[settings.valve]
        self._plant = plant
        self._faults = FaultSchedule(faults, FAULTS, name)
        self._line = SpoiltReplies(self._faults, seed)
        self._speed = 9
        self._at = 1
        self._rebooted_s = -_NEVER
        self._input = b""
        self._switch_on()

    def _switch_on(self) -> None:
        self._addressed = self._initialised = False
        self._overload = False
        self._to: int | None = None
        self._ends_s = _NEVER
        self._input = b""

    def receive(self, data: bytes, now_s: float) -> bytes:
        """Bytes arrive; each CR ends a command."""
        late = self.advance(now_s)
        if self._faults.active("silent", now_s):
            return late
        answer = b""
        self._input += data
        while b"\r" in self._input:
            line, _, self._input = self._input.partition(b"\r")
            answer += self._line.send(self._answer(line, now_s), now_s)
        return late + answer

    def advance(self, now_s: float) -> bytes:
        """A turn may end, its power may fail; it never speaks unasked."""
        reboot_s = self._faults.last_start_s("reboot", now_s)
        cut_s = reboot_s if reboot_s is not None and reboot_s > self._rebooted_s else None
        if cut_s is not None and self._ends_s > cut_s:
            self._rebooted_s = cut_s
            self._switch_on()
        if self._ends_s <= now_s:
            self._come_to_rest(self._ends_s)
        if cut_s is not None and self._rebooted_s < cut_s:
            self._rebooted_s = cut_s
            self._switch_on()
        return self._line.due(now_s)

    def next_wake_s(self) -> float | None:
        """When a turn ends or a late reply goes."""
        wake_s = min(self._ends_s, self._line.next_due_s())
        return None if wake_s == _NEVER else wake_s

    def _answer(self, line: bytes, now_s: float) -> bytes:
        if line[:1] == b"1" and len(line) == 2:
            if self._addressed:
                return line + b"\r\x06\r"
            self._addressed = True
            return b"1" + bytes([ord(self._letter) + 1]) + b"\r"
        if not self._addressed or line[:1] != self._letter.encode("ascii"):
            return b""
        said = self._carried_out(line[1:].decode("ascii", errors="replace"), now_s)
        return line + b"\r" + (b"\x15" if said is None else b"\x06" + said) + b"\r"

    def _carried_out(self, text: str, now_s: float) -> bytes | None:
        """Data of its answer; None: it refuses."""
        match text:
            case "U":
                return b"OM01.02.A"
            case "F":
                return b"Y" if self._to is None else b"*"
            case "G":
                return b"*" if self._to is not None else b"Y" if self._overload else b"N"
            case "E1":
                return bytes([0x40 | (4 if self._to is not None else 0)])
            case "E2":
                bits = (0 if self._initialised else 1) | (4 if self._overload else 0)
                self._overload = False
                return bytes([0x50, 0x40 | bits, 0x50, 0x50])
            case "LQP":
                return str(self._at).encode("ascii")
            case "LQA":
                return f"{(self._at - 1) * 360 // self._ports:03d}".encode("ascii")
            case "LQT":
                return str(self._type).encode("ascii")
            case "LQF":
                return str(self._speed).encode("ascii")
            case "LXR" if self._to is None:
                self._initialised = True
                self._turn(1, _INITIALISE_S, now_s)
                return b""
            case _:
                return self._set(text, now_s)

    def _set(self, text: str, now_s: float) -> bytes | None:
        digits = text[3:].removesuffix("R")
        if not digits.isdecimal() or self._to is not None:
            return None
        number = int(digits)
        if text.startswith("LST") and number in _PORTS_OF_TYPE:
            self._type, self._ports, self._initialised = number, _PORTS_OF_TYPE[number], False
            return b""
        if text.startswith("LSF") and number <= 9:
            self._speed = number
            return b""
        # LP0pp: the digit after P is the direction.
        if text[:3] in ("LP0", "LP1") and text.endswith("R") and 1 <= number <= self._ports:
            if not self._initialised:
                return None
            way = 1 if text[2] == "0" else -1
            passed = (number - self._at) * way % self._ports
            self._turn(number, _TURN_S + passed * _PORT_S, now_s)
            return b""
        return None

    def _turn(self, to: int, takes_s: float, now_s: float) -> None:
        if self._faults.active("overload", now_s):
            self._overload, self._initialised, to = True, False, self._at
        elif wrong := self._faults.active("wrong_position", now_s):
            to = (to - 1 + int(wrong.value or 1)) % self._ports + 1
        self._to = to
        stuck = self._faults.active("stuck", now_s)
        self._ends_s = _NEVER if stuck else now_s + takes_s

    def _come_to_rest(self, now_s: float) -> None:
        if self._to is not None:
            self._at = self._to
            self._plant.setting_held(now_s, "position", str(self._at))
        self._to, self._ends_s = None, _NEVER
