"""An ASI MS-2000 on the other side of the wire.

Answers what Micro-Manager's ``ASIStage`` adapter and ``asitiger`` ask, in the forms those two
expect (blanks, missing ``:A`` and all). Moves take time, handed in.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from labrig_drivers.asi_ms2000.settings import AsiStageSettings
from labrig_drivers.simulated_faults import FaultSchedule
from labrig_drivers.simulation import Fault, StagePlant

FAULTS = frozenset({"silent", "stuck", "reboot", "short"})

AXES = ("X", "Y")
_TOP_SPEED_MM_S = 7.5
_HARD_LIMIT_MM = 120.0
_OK = ":A"
_SHORT_BY_UM = 50.0


class _Refusal(Exception):
    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.answer = f":N-{number}"


@dataclass(slots=True)
class _Axis:
    """One axis in mm from where it stood at power-up."""

    start_mm: float = 0.0
    target_mm: float = 0.0
    zero_mm: float = 0.0
    units_per_mm: float = 10_000.0
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
    controller says where it really stands).

    Args:
        settings: only the axis signs are used, so that the plant hears the rig's coordinates.
        plant: what stands on the stage.
        seed: unused, nothing here is random.
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
        self._faults_seen_s = -math.inf
        self._axes = {axis: _Axis() for axis in AXES}
        self._kept = _power_up_settings()
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
            (("VE", "VECTOR"), self._vector),
            (("MC", "MOTCTRL"), self._vector),
            (("HM",), self._vector),
        ):
            self._commands.update(dict.fromkeys(names, command))

    # What the host does.

    def receive(self, data: bytes, now_s: float) -> bytes:
        """Bytes arrive; each CR completes a command."""
        self.advance(now_s)
        if self._faults.active("silent", now_s):
            return b""
        self._input += data
        answer = b""
        while b"\r" in self._input:
            line, _, rest = bytes(self._input).partition(b"\r")
            self._input[:] = rest
            text = line.decode("ascii", errors="replace").strip()
            if text:
                answer += f"{self._answer(text, now_s)}\r\n".encode("ascii")
        return answer

    def advance(self, now_s: float) -> bytes:
        """Let time pass: a move may arrive, a reboot may happen."""
        while (due_s := self.next_wake_s()) is not None and due_s <= now_s:
            if self._arrives_s is not None and self._arrives_s <= due_s:
                self._come_to_rest(self._arrives_s)
            self._faults_seen_s = due_s
            if self._faults.starts("reboot", due_s):
                self._power_cycle(due_s)
        self._faults_seen_s = max(self._faults_seen_s, now_s)
        return b""

    def next_wake_s(self) -> float | None:
        """When the move under way arrives, or a scripted change is due."""
        due_s = [
            moment
            for moment in (self._arrives_s, self._faults.next_edge_s(self._faults_seen_s))
            if moment is not None and math.isfinite(moment)
        ]
        return min(due_s, default=None)

    # Commands.

    def _answer(self, text: str, now_s: float) -> str:
        # "/" and "\" need no blank after them.
        head, _, rest = text.partition(" ")
        command = self._commands.get(head.upper())
        if command is None:
            return ":N-1"
        try:
            return command(_words(rest), now_s)
        except _Refusal as refusal:
            return refusal.answer

    def _where(self, words: dict[str, str], now_s: float) -> str:
        asked = _axes_in(words)
        positions = " ".join(str(round(self._reported(axis, now_s))) for axis in asked)
        return f":A {positions} "

    def _move(self, words: dict[str, str], now_s: float) -> str:
        targets = {axis: _number(words[axis]) for axis in _axes_in(words)}
        self._go({axis: self._to_mm(axis, units) for axis, units in targets.items()}, now_s)
        return ":A "

    def _move_by(self, words: dict[str, str], now_s: float) -> str:
        steps = {axis: _number(words[axis]) for axis in _axes_in(words)}
        self._go(
            {
                axis: self._at(axis, now_s) + units / self._axes[axis].units_per_mm
                for axis, units in steps.items()
            },
            now_s,
        )
        return ":A "

    def _home(self, words: dict[str, str], now_s: float) -> str:
        self._go({axis: 0.0 for axis in _axes_in(words)}, now_s)
        return _OK

    def _status(self, words: dict[str, str], now_s: float) -> str:
        return "B" if self._arrives_s is not None else "N"

    def _read_status(self, words: dict[str, str], now_s: float) -> str:
        busy_and_motor = 1 + 4 if self._arrives_s is not None else 0
        enabled, joystick = 2, 8
        asked = _axes_in({axis.rstrip("?"): "" for axis in words})
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
        values = {axis: _number(words[axis] or "0") for axis in _axes_in(words)}
        for name, units in values.items():
            axis = self._axes[name]
            axis.zero_mm = self._at(name, now_s) - units / axis.units_per_mm
        return _OK

    def _zero(self, words: dict[str, str], now_s: float) -> str:
        return self._here(dict.fromkeys(AXES, "0"), now_s)

    def _build(self, words: dict[str, str], now_s: float) -> str:
        return "STD_XY\rMotor Axes: X Y" if words else "STD_XY"

    def _units(self, words: dict[str, str], now_s: float) -> str:
        for axis in _axes_in(words):
            units = _number(words[axis])
            if units == 0:
                raise _Refusal(4)
            self._axes[axis].units_per_mm = units
        return _OK

    def _speed(self, words: dict[str, str], now_s: float) -> str:
        if _is_query(words):
            return self._queried(words, ":A ", lambda axis: self._axes[axis].speed_mm_s)
        for name in _axes_in(words):
            wanted_mm_s = _number(words[name])
            if wanted_mm_s <= 0:
                raise _Refusal(4)
            self._axes[name].speed_mm_s = min(wanted_mm_s, _TOP_SPEED_MM_S)
        return _OK

    def _keeper(self, command: str, prefix: str) -> Callable[[dict[str, str], float], str]:
        """A command that only remembers a number for each axis."""

        def answer(words: dict[str, str], now_s: float) -> str:
            if _is_query(words):
                return self._queried(words, prefix, lambda axis: self._kept[command][axis])
            for axis in _axes_in(words):
                self._kept[command][axis] = _number(words[axis])
            return _OK

        return answer

    def _queried(self, words: dict[str, str], prefix: str, value: Callable[[str], float]) -> str:
        asked = _axes_in({axis.rstrip("?"): "" for axis in words})
        return prefix + " ".join(f"{axis}={value(axis):.6f}" for axis in asked)

    def _vector(self, words: dict[str, str], now_s: float) -> str:
        """Accepted and without effect here: VE at 0 speed, MC, HM."""
        _axes_in({axis.rstrip("+-"): value for axis, value in words.items()})
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
            raise _Refusal(4)
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

    def _power_cycle(self, now_s: float) -> None:
        was_moving = self._arrives_s is not None
        self._axes = {
            name: _Axis(start_mm=mm, target_mm=mm, zero_mm=mm)
            for name, mm in self._here_mm(now_s).items()
        }
        self._kept = _power_up_settings()
        self._arrives_s = None
        self._input.clear()
        if was_moving:
            self._come_to_rest(now_s)


def _power_up_settings() -> dict[str, dict[str, float]]:
    values = {"WT": 0.0, "B": 0.04, "E": 0.0004, "AC": 70.0, "PC": 0.000024, "OS": 0.0}
    return {command: dict.fromkeys(AXES, value) for command, value in values.items()}


def _stopped_short(axis: _Axis, by_um: float) -> float:
    distance_mm = axis.target_mm - axis.start_mm
    missing_mm = min(abs(distance_mm), by_um / 1000)
    return axis.target_mm - math.copysign(missing_mm, distance_mm)


def _words(text: str) -> dict[str, str]:
    """``X=1000 Y?`` as ``{"X": "1000", "Y?": ""}``."""
    words = {}
    for word in text.upper().split():
        name, _, value = word.partition("=")
        words[name] = value
    return words


def _axes_in(words: dict[str, str]) -> tuple[str, ...]:
    if not words:
        raise _Refusal(3)
    if any(name not in AXES for name in words):
        raise _Refusal(2)
    return tuple(words)


def _is_query(words: dict[str, str]) -> bool:
    return bool(words) and all(name.endswith("?") for name in words)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise _Refusal(3) from None
