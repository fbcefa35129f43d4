"""An ASI MS-2000 on the other side of the wire.

Answers what Micro-Manager's ``ASIStage`` adapter and ``asitiger`` ask, in the forms those two
expect (blanks, missing ``:A`` and all), and beyond them as the vendor's command pages say: axes
in the hardware's order, a missing number is 0, ``UM`` outlives everything but a reset, and that
too after ``SS Z``. Moves take time, handed in. ``SL``, ``SU``, ``JS`` and the like are kept and
have no effect; bits 0 and 3 of ``VB X`` and the decimals of ``VB Z`` have theirs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from labrig_drivers.asi_ms2000.faults import FAULTS
from labrig_drivers.asi_ms2000.settings import AsiStageSettings
from labrig_drivers.asi_ms2000.simulated_words import (
    AXES,
    Refusal,
    axes_in,
    is_query,
    number,
    words_of,
)
from labrig_drivers.simulated_faults import FaultSchedule
from labrig_drivers.simulated_link import SpoiltReplies
from labrig_drivers.simulation import Fault, StagePlant

_TOP_SPEED_MM_S = 7.5
_HARD_LIMIT_MM = 120.0
_HOME_MM = 1000.0  # of HM as delivered: far beyond, it runs into the limit switch
_UNITS_PER_MM = 10_000.0
_FLUSHES = (b"\x08", b"\x7f")
_PIECES = re.compile(rb"[^\x08\x7f\r]+|[\x08\x7f\r]")
_UNASKED, _CR_ALONE = 1, 8
_OK = ":A"
_SHORT_BY_UM = 50.0


@dataclass(slots=True)
class _Axis:
    """One axis in mm from where it stood at power-up."""

    start_mm: float = 0.0
    target_mm: float = 0.0
    zero_mm: float = 0.0
    units_per_mm: float = _UNITS_PER_MM
    speed_mm_s: float = 5.74592

    def at(self, elapsed_s: float) -> float:
        distance_mm = self.target_mm - self.start_mm
        if abs(distance_mm) <= self.speed_mm_s * elapsed_s:
            return self.target_mm
        return self.start_mm + math.copysign(self.speed_mm_s * elapsed_s, distance_mm)

    def travel_s(self) -> float:
        return abs(self.target_mm - self.start_mm) / self.speed_mm_s


class AsiStageSimulator:
    """One simulated MS-2000 (:class:`labrig_drivers.simulation.Simulator`).

    Faults: ``silent`` (no byte gets through), ``stuck`` (moves begun in it stay busy and never
    arrive; HALT frees them), ``reboot`` (power cycle at ``from_s``: where it stands becomes
    0, 0), ``short`` (moves begun in it stop ``value`` µm, 50 if 0, before the target and the
    controller says where it really stands), ``corrupt_reply``, ``repeat_reply``.

    Args:
        settings: only the axis signs are used, so that the plant hears the rig's coordinates.
        plant: what stands on the stage.
        seed: of the noise in ``corrupt_reply``.
        faults: scripted states, see above.
        name: for messages.
    """

    def __init__(
        self,
        settings: AsiStageSettings,
        plant: StagePlant,
        seed: int = 0,
        faults: Sequence[Fault] = (),
        name: str = "asi_ms2000",
    ) -> None:
        self._signs = {"X": settings.x_sign, "Y": settings.y_sign}
        self._plant = plant
        self._faults = FaultSchedule(faults, FAULTS, name)
        self._line = SpoiltReplies(self._faults, seed)
        self._faults_seen_s = -math.inf
        self._axes = {axis: _Axis() for axis in AXES}
        self._kept = _power_up_settings()
        self._saved_units = dict.fromkeys(AXES, _UNITS_PER_MM)
        self._talk = {"X": 0.0, "Y": 0.0, "Z": 0.0}
        self._unasked = b""
        self._began_s = 0.0
        self._arrives_s: float | None = None
        self._input = bytearray()
        self._commands: dict[str, Callable[[dict[str, str], float], str]] = {}
        for names, command in (
            (("W", "WHERE"), self._where),
            (("M", "MOVE"), self._move),
            (("R", "MOVREL"), self._move_by),
            (("/", "STATUS"), self._status),
            (("\\", "HALT"), self._halt),
            (("H", "HERE"), self._here),
            (("Z", "ZERO"), self._zero),
            (("!", "HOME"), self._home),
            (("RS", "RDSTAT"), self._read_status),
            (("V", "VERSION"), lambda words, now_s: ":A Version: USB-9.2k "),
            (("CD",), lambda words, now_s: "Dec 19 2008:08:00:00"),
            (("BU", "BUILD"), self._build),
            (("WHO", "N"), lambda words, now_s: "MS2000 XY stage (simulated)"),
            (("UM", "UNITS"), self._units),
            (("S", "SPEED"), self._speed),
            (("WT", "WAIT"), self._keeper("WT", ":")),
            (("B", "BACKLASH"), self._keeper("B", ":")),
            (("E", "ERROR"), self._keeper("E", ":")),
            (("AC", "ACCEL"), self._keeper("AC", ":")),
            (("PC", "PCROS"), self._keeper("PC", ":A ")),
            (("OS", "OVERSHOOT"), self._keeper("OS", ":A ")),
            (("VE", "VECTOR"), self._keeper("VE", ":A ")),
            (("HM",), self._keeper("HM", ":A ")),
            (("SL", "SETLOW"), self._keeper("SL", ":A ")),
            (("SU", "SETUP"), self._keeper("SU", ":A ")),
            (("JS", "JOYSPD"), self._keeper("JS", ":A ")),
            (("KP",), self._keeper("KP", ":A ")),
            (("KI",), self._keeper("KI", ":A ")),
            (("KD",), self._keeper("KD", ":A ")),
            (("AA", "AALIGN"), self._keeper("AA", ":A ")),
            (("CNTS", "C"), self._keeper("CNTS", ":A ")),
            (("VB", "VERBOSE"), self._verbose),
            (("SS", "SAVESET"), self._save),
            (("MC", "MOTCTRL"), self._motors),
        ):
            self._commands.update(dict.fromkeys(names, command))

    # What the host does.

    def receive(self, data: bytes, now_s: float) -> bytes:
        """Bytes arrive; each CR completes a command, BS and DEL forget what came of one."""
        self._unasked = self.advance(now_s)
        if self._faults.active("silent", now_s):
            return b""
        answer, self._unasked = self._unasked, b""
        for piece in _PIECES.findall(data):
            if piece in _FLUSHES:
                self._input.clear()
            elif piece != b"\r":
                self._input += piece
            elif text := self._take_line():
                line = self._answer(text, now_s).encode("ascii", errors="replace")
                answer += self._line.send(line + self._end, now_s)
        return answer

    def _take_line(self) -> str:
        line = bytes(self._input).decode("ascii", errors="replace").strip()
        self._input.clear()
        return line

    @property
    def _end(self) -> bytes:
        return b"\r" if int(self._talk["X"]) & _CR_ALONE else b"\r\n"

    def advance(self, now_s: float) -> bytes:
        """Let time pass: a move may arrive, a reboot may happen."""
        while (due_s := self.next_wake_s()) is not None and due_s <= now_s:
            if self._arrives_s is not None and self._arrives_s <= due_s:
                self._come_to_rest(self._arrives_s)
            self._faults_seen_s = due_s
            if self._faults.starts("reboot", due_s):
                self._power_cycle(due_s)
        self._faults_seen_s = max(self._faults_seen_s, now_s)
        unasked, self._unasked = self._unasked, b""
        return unasked

    def next_wake_s(self) -> float | None:
        """When the move under way arrives, or a scripted change is due."""
        edge_s = self._faults.next_edge_s(self._faults_seen_s)
        arrives_s = self._arrives_s
        if arrives_s is None or math.isinf(arrives_s):
            return edge_s
        return arrives_s if edge_s is None else min(arrives_s, edge_s)

    # Commands.

    def _answer(self, text: str, now_s: float) -> str:
        # "/" and "\" need no blank after them.
        head, _, rest = text.partition(" ")
        command = self._commands.get(head.upper())
        if command is None:
            return ":N-1"
        try:
            return command(words_of(rest), now_s)
        except Refusal as refusal:
            return refusal.answer

    def _where(self, words: dict[str, str], now_s: float) -> str:
        asked = axes_in(words)
        decimals = int(self._talk["Z"])
        positions = " ".join(
            f"{self._reported(axis, now_s):.{decimals}f}" for axis in AXES if axis in asked
        )
        return f":A {positions} ".replace("-0 ", "0 ")

    def _move(self, words: dict[str, str], now_s: float) -> str:
        targets = {axis: number(words[axis] or "0") for axis in axes_in(words)}
        self._go({axis: self._to_mm(axis, units) for axis, units in targets.items()}, now_s)
        return ":A "

    def _move_by(self, words: dict[str, str], now_s: float) -> str:
        steps = {axis: number(words[axis] or "0") for axis in axes_in(words)}
        self._go(
            {
                axis: self._at(axis, now_s) + units / self._axes[axis].units_per_mm
                for axis, units in steps.items()
            },
            now_s,
        )
        return ":A "

    def _home(self, words: dict[str, str], now_s: float) -> str:
        homes_mm = {axis: self._kept["HM"][axis] for axis in axes_in(words)}
        self._go(
            {axis: max(-_HARD_LIMIT_MM, min(_HARD_LIMIT_MM, mm)) for axis, mm in homes_mm.items()},
            now_s,
        )
        return _OK

    def _status(self, words: dict[str, str], now_s: float) -> str:
        return "B" if self._arrives_s is not None else "N"

    def _read_status(self, words: dict[str, str], now_s: float) -> str:
        busy_and_motor = 1 + 4 if self._arrives_s is not None else 0
        enabled, joystick = 2, 8
        asked = axes_in({axis.rstrip("?"): "" for axis in words})
        if is_query(words):
            return ":A " + " ".join(self._status({}, now_s) for _ in asked)
        return ":A " + " ".join(str(busy_and_motor + enabled + joystick) for _ in asked)

    def _halt(self, words: dict[str, str], now_s: float) -> str:
        if self._arrives_s is None:
            return _OK
        here_mm = self._here_mm(now_s)
        for name, axis in self._axes.items():
            axis.target_mm = here_mm[name]
        self._come_to_rest(now_s)
        return ":N-21"

    def _here(self, words: dict[str, str], now_s: float) -> str:
        values = {axis: number(words[axis] or "0") for axis in axes_in(words)}
        for name, units in values.items():
            axis = self._axes[name]
            axis.zero_mm = self._at(name, now_s) - units / axis.units_per_mm
        return _OK

    def _zero(self, words: dict[str, str], now_s: float) -> str:
        return self._here(dict.fromkeys(AXES, "0"), now_s)

    def _build(self, words: dict[str, str], now_s: float) -> str:
        return "STD_XY\rMotor Axes: X Y" if words else "STD_XY"

    def _units(self, words: dict[str, str], now_s: float) -> str:
        if is_query(words):
            return self._queried(words, ":A ", lambda axis: self._axes[axis].units_per_mm)
        for axis in axes_in(words):
            units = number(words[axis])
            if units == 0:
                raise Refusal(4)
            self._axes[axis].units_per_mm = units
        return _OK

    def _speed(self, words: dict[str, str], now_s: float) -> str:
        if is_query(words):
            return self._queried(words, ":A ", lambda axis: self._axes[axis].speed_mm_s)
        for name in axes_in(words):
            wanted_mm_s = number(words[name])
            if wanted_mm_s <= 0:
                raise Refusal(4)
            self._axes[name].speed_mm_s = min(wanted_mm_s, _TOP_SPEED_MM_S)
        return _OK

    def _keeper(self, command: str, prefix: str) -> Callable[[dict[str, str], float], str]:
        """A command that only remembers a number for each axis (``X+``: where it stands, in mm)."""

        def answer(words: dict[str, str], now_s: float) -> str:
            if is_query(words):
                return self._queried(words, prefix, lambda axis: self._kept[command][axis])
            here = {axis.rstrip("+"): axis for axis in words}
            for axis in axes_in(here):
                if here[axis].endswith("+"):
                    self._kept[command][axis] = self._at(axis, now_s) - self._axes[axis].zero_mm
                else:
                    self._kept[command][axis] = number(words[axis] or "0")
            return _OK

        return answer

    def _queried(self, words: dict[str, str], prefix: str, value: Callable[[str], float]) -> str:
        asked = axes_in({axis.rstrip("?"): "" for axis in words})
        return prefix + " ".join(f"{axis}={value(axis):.6f}" for axis in asked)

    def _verbose(self, words: dict[str, str], now_s: float) -> str:
        if not words:
            raise Refusal(3)
        if is_query(words):
            asked = [name.rstrip("?") for name in words]
            if any(name not in self._talk for name in asked):
                raise Refusal(2)
            return ":A " + " ".join(f"{name}={self._talk[name]:g}" for name in asked)
        for name, value in words.items():
            if name not in self._talk:
                raise Refusal(2)
            if not 0 <= number(value) <= (9 if name == "Z" else 255):
                raise Refusal(4)
            self._talk[name] = number(value)
        return _OK

    def _save(self, words: dict[str, str], now_s: float) -> str:
        """SS Z keeps what is set over a reset."""
        if "Z" in words:
            self._saved_units = {name: self._axes[name].units_per_mm for name in AXES}
        return _OK

    def _motors(self, words: dict[str, str], now_s: float) -> str:
        """Accepted and without effect here."""
        axes_in({axis.rstrip("+-?"): value for axis, value in words.items()})
        return _OK

    # Motion.

    def _at(self, axis: str, now_s: float) -> float:
        if self._arrives_s is None:
            return self._axes[axis].target_mm
        if math.isinf(self._arrives_s):
            return self._axes[axis].start_mm
        return self._axes[axis].at(now_s - self._began_s)

    def _here_mm(self, now_s: float) -> dict[str, float]:
        return {name: self._at(name, now_s) for name in AXES}

    def _reported(self, name: str, now_s: float) -> float:
        axis = self._axes[name]
        return (self._at(name, now_s) - axis.zero_mm) * axis.units_per_mm

    def _to_mm(self, name: str, units: float) -> float:
        axis = self._axes[name]
        return axis.zero_mm + units / axis.units_per_mm

    def _go(self, targets_mm: dict[str, float], now_s: float) -> None:
        if any(abs(target_mm) > _HARD_LIMIT_MM for target_mm in targets_mm.values()):
            raise Refusal(4)
        here_mm = self._here_mm(now_s)
        short = self._faults.active("short", now_s)
        for name, axis in self._axes.items():
            axis.start_mm = here_mm[name]
            axis.target_mm = targets_mm.get(name, axis.target_mm)
            if short:
                axis.target_mm = _stopped_short(axis, short.value or _SHORT_BY_UM)
        self._began_s = now_s
        if self._faults.active("stuck", now_s):
            self._arrives_s = math.inf
        else:
            self._arrives_s = now_s + max(axis.travel_s() for axis in self._axes.values())

    def _come_to_rest(self, now_s: float) -> None:
        for axis in self._axes.values():
            axis.start_mm = axis.target_mm
        self._arrives_s = None
        x_um, y_um = (self._signs[name] * self._axes[name].target_mm * 1000 for name in AXES)
        self._plant.moved(now_s, x_um, y_um)
        if int(self._talk["X"]) & _UNASKED:
            self._unasked += b"N" + self._end

    def _power_cycle(self, now_s: float) -> None:
        was_moving = self._arrives_s is not None
        self._axes = {
            name: _Axis(mm, mm, zero_mm=mm, units_per_mm=self._saved_units[name])
            for name, mm in self._here_mm(now_s).items()
        }
        self._talk = dict.fromkeys(self._talk, 0.0)
        self._kept = _power_up_settings()
        self._arrives_s = None
        self._input.clear()
        if was_moving:
            self._come_to_rest(now_s)


def _power_up_settings() -> dict[str, dict[str, float]]:
    values = {
        "WT": 0.0, "B": 0.04, "E": 0.0004, "AC": 70.0, "PC": 0.000024, "OS": 0.0, "VE": 0.0,
        "HM": _HOME_MM, "SL": -_HARD_LIMIT_MM, "SU": _HARD_LIMIT_MM, "JS": 60.0, "KP": 200.0,
        "KI": 20.0, "KD": 0.0, "AA": 85.0, "CNTS": 45_397.6,
    }  # fmt: skip
    return {command: dict.fromkeys(AXES, value) for command, value in values.items()}


def _stopped_short(axis: _Axis, by_um: float) -> float:
    distance_mm = axis.target_mm - axis.start_mm
    missing_mm = min(abs(distance_mm), by_um / 1000)
    return axis.target_mm - math.copysign(missing_mm, distance_mm)
