"""A Pulse Pal 2 on the other side of the wire, with the habits of firmware 21.

Written from the firmware's source (``sanworks/PulsePal``
``Firmware/PulsePal_2_0_1/PulsePal_2_0_1.ino``), its hazards included: continuous-loop flags
outlive abort and disconnect, a soft trigger during a train is kept and starts another one, a
command that stalls for more than 500 ms is completed with zeros and followed by deafness until
someone clicks the joystick, op 74 spoils the burst flags of other channels.

Op 73 and op 74 store a resting voltage without moving the outputs; aborts and the ends of trains
put the stored one there. After COMM. FAILURE and a click, a train that stood still goes on with
default parameters. When switched on it plays the settings file of its SD card.

Not simulated: debug pins (86, 87), signals on the trigger inputs, and the playing of custom trains
(75 and 76 are read and acknowledged; a channel set to one plays its own parameters).
"""

from __future__ import annotations

import copy
import math
import struct
from collections.abc import Callable, Sequence
from typing import Any

from labrig_drivers.pulse_pal.faults import FAULTS
from labrig_drivers.pulse_pal.settings import PulsePalSettings
from labrig_drivers.pulse_pal.simulated_outputs import HALF_A_CYCLE_S, NUMBERS, Outputs
from labrig_drivers.pulse_pal.simulated_programme import (
    DEFAULT_FILE,
    DEFAULT_LINKS,
    TIME_NAMES,
    Programme,
    Settings,
)
from labrig_drivers.simulated_faults import FaultSchedule
from labrig_drivers.simulation import Fault, StimulatorPlant

FIRMWARE = 21

_ACK = b"\x01"
_STALL_S = 0.5
_MAX_CUSTOM_PULSES = 5000
_CLICKED_DEAF_S = 1.0
_FIELD_BY_CODE = {
    1: "biphasic",
    2: "phase1_code",
    3: "phase2_code",
    14: "custom_id",
    15: "custom_target",
    16: "custom_loop",
    17: "resting_code",
}


class PulsePalSimulator:
    """One simulated Pulse Pal 2 (:class:`labrig_drivers.simulation.Simulator`).

    Faults: ``silent`` (no byte gets through; trains play on), ``reboot`` (power cycle at
    ``from_s``: trains cut, 0 V, the settings of its SD card), ``dead_until_joystick`` (deaf as
    after COMM. FAILURE; someone clicks at ``until_s``), ``joystick_click`` (someone clicks at
    ``from_s``: when a train plays, all are ended and it is deaf for a second), ``corrupt_ack``
    (the first byte of answers is wrong).

    Args:
        settings: only the gain to the electrodes is used.
        plant: the electrodes; voltages reported to it are those that reach them.
        seed: unused, nothing here is random.
        faults: scripted states, see above.
        name: for messages.

    Raises:
        ValueError: a fault that it cannot play.
    """

    def __init__(
        self,
        settings: PulsePalSettings,
        plant: StimulatorPlant,
        seed: int = 0,
        faults: Sequence[Fault] = (),
        name: str = "pulse_pal",
    ) -> None:
        self._faults = FaultSchedule(faults, FAULTS, name)
        self._faults_seen_s = -math.inf
        self._click_awaited = False
        self._outputs = Outputs(plant, settings.volts_per_volt)
        self._trigger_links = bytearray(DEFAULT_LINKS)
        self._trigger_modes = bytes(2)
        self._file = DEFAULT_FILE
        self._card = {DEFAULT_FILE: self._settings()}
        self._input = bytearray()
        self._last_byte_s = 0.0
        self._deaf = False
        self._busy_until_s = -math.inf
        self._commands: dict[int, Callable[[_Reader, float], bytes]] = {
            72: self._handshake,
            73: self._program_all,
            74: self._program_one,
            75: self._custom_train,
            76: self._custom_train,
            77: self._soft_trigger,
            78: self._display,
            79: self._fixed_voltage,
            80: self._abort,
            81: self._abort,
            82: self._continuous,
            85: self._tell_file,
            89: self._client_name,
            90: self._settings_file,
        }

    # What the host does.

    def receive(self, data: bytes, now_s: float) -> bytes:
        """Bytes arrive; returns what the firmware answers."""
        answer = self.advance(now_s)
        if self._deaf or self._faults.active("silent", now_s):
            return answer
        self._input += data
        self._last_byte_s = now_s
        if now_s < self._busy_until_s:
            return answer
        return answer + self._as_sent(self._serve(now_s), now_s)

    def advance(self, now_s: float) -> bytes:
        """Let time pass: trains begin and end, a stalled command is completed with zeros."""
        answer = b""
        while (due_s := self.next_wake_s()) is not None and due_s <= now_s + HALF_A_CYCLE_S:
            self._play_faults(due_s)
            self._outputs.advance(due_s)
            if self._busy_until_s <= due_s:
                self._busy_until_s = -math.inf
                answer += self._as_sent(self._serve(due_s), due_s)
            if self._stalls_s() <= due_s:
                answer += self._as_sent(self._give_up_waiting(due_s), due_s)
        self._faults_seen_s = max(self._faults_seen_s, now_s)
        return answer

    def next_wake_s(self) -> float | None:
        """The next beginning or end of a train, time-out or scripted change."""
        due_s = (
            self._faults.next_edge_s(self._faults_seen_s),
            self._outputs.next_change_s(),
            self._stalls_s(),
            self._busy_until_s,
        )
        return min((m for m in due_s if m is not None and not math.isinf(m)), default=None)

    def _stalls_s(self) -> float:
        """When a command that has begun to arrive is given up."""
        waits = self._input and self._busy_until_s == -math.inf
        return self._last_byte_s + _STALL_S if waits else math.inf

    # What can be seen and done at the bench.

    @property
    def deaf(self) -> bool:
        """It shows COMM. FAILURE and answers nobody."""
        return self._deaf

    @property
    def armed_to_loop(self) -> tuple[int, ...]:
        """Channels whose next train, if triggered, would never end."""
        return tuple(number for number in NUMBERS if self._outputs.looping(number))

    @property
    def linked_inputs(self) -> tuple[int, ...]:
        """Trigger inputs (1, 2) that would start a channel."""
        return tuple(n for n in (1, 2) if any(self._trigger_links[4 * n - 4 : 4 * n]))

    def playing(self, channel: int) -> bool:
        """Whether a train is under way or about to begin after its delay."""
        return self._outputs.playing(channel)

    def output_v(self, channel: int) -> float:
        """Voltage that the output holds between pulses, at its socket."""
        return self._outputs.held_v(channel)

    def click_joystick(self, now_s: float) -> None:
        """Someone clicks.

        A deaf instrument loads its defaults, and goes on with trains that stood still; outputs
        without one stay as they were. Otherwise a click in a train ends all of them, and for a
        second, while its screen says so, the instrument serves nobody.
        """
        self.advance(now_s)
        self._clicked(now_s)

    # Commands. Each reads its whole payload before it does anything.

    def _serve(self, now_s: float) -> bytes:
        answer = b""
        while self._input:
            reader = _Reader(self._input)
            try:
                answer += self._execute(reader, now_s)
            except _Incomplete:
                break
            del self._input[: reader.position]
        return answer

    def _execute(self, reader: _Reader, now_s: float) -> bytes:
        """One command; any byte between commands is dropped."""
        if reader.u8() != 213:
            return b""
        command = self._commands.get(reader.u8())
        return command(reader, now_s) if command else b""

    def _handshake(self, reader: _Reader, now_s: float) -> bytes:
        return b"K" + struct.pack("<I", FIRMWARE)

    def _program_all(self, reader: _Reader, now_s: float) -> bytes:
        told = reader.unpack("<32I12H16B8s2s")
        times, codes, flags = told[:32], told[32:44], told[44:60]
        self._trigger_links[:], self._trigger_modes = told[60:]
        for number in NUMBERS:
            place = number - 1
            programme = self._outputs.programme(number)
            before = copy.copy(programme)
            programme.times = dict(zip(TIME_NAMES, times[8 * place : 8 * number], strict=True))
            programme.phase1_code, programme.phase2_code, programme.resting_code = codes[
                3 * place : 3 * number
            ]
            programme.biphasic, *custom = flags[4 * place : 4 * number]
            programme.custom_id, programme.custom_target, programme.custom_loop = custom
            programme.recompute_bursts()
            if programme != before:
                self._outputs.reprogrammed(number, now_s)
        return _ACK

    def _program_one(self, reader: _Reader, now_s: float) -> bytes:
        code, target = reader.u8(), reader.u8()
        if 4 <= code <= 11:
            value = reader.u32()
        elif code in (2, 3, 17):
            value = reader.u16()
        elif code in _FIELD_BY_CODE or code in (12, 13, 128):
            value = reader.u8()
        else:
            return _ACK
        if code != 128 and target in NUMBERS:
            self._store(code, target, value)
        recomputed = target
        if 4 <= code <= 11:
            # The four-byte read leaves its own middle bytes where code and channel stood.
            code, recomputed = (value >> 8) & 255, ((value >> 16) & 255) + 1
        if code < 14 and recomputed in NUMBERS:
            self._outputs.programme(recomputed).recompute_bursts()
            self._outputs.reprogrammed(recomputed, now_s)
        return _ACK

    def _store(self, code: int, target: int, value: int) -> None:
        programme = self._outputs.programme(target)
        if 4 <= code <= 11:
            programme.times[TIME_NAMES[code - 4]] = value
        elif code in (12, 13):
            self._trigger_links[4 * (code - 12) + target - 1] = value
        else:
            setattr(programme, _FIELD_BY_CODE[code], value)

    def _custom_train(self, reader: _Reader, now_s: float) -> bytes:
        count = reader.u32()
        if count > _MAX_CUSTOM_PULSES:
            # The firmware overruns its memory here; what follows is not defined.
            self._go_deaf(now_s)
            return b""
        for _ in range(count):
            reader.u32()
        for _ in range(count):
            reader.u16()
        return _ACK

    def _soft_trigger(self, reader: _Reader, now_s: float) -> bytes:
        bits = reader.u8()
        for number in NUMBERS:
            if bits >> (number - 1) & 1:
                self._outputs.start(number, now_s)
        return b""

    def _display(self, reader: _Reader, now_s: float) -> bytes:
        for _ in range(reader.u8()):
            reader.u8()
        return b""

    def _client_name(self, reader: _Reader, now_s: float) -> bytes:
        for _ in range(6):
            reader.u8()
        return b""

    def _fixed_voltage(self, reader: _Reader, now_s: float) -> bytes:
        target, code = reader.u8(), reader.u16()
        if target in NUMBERS:
            self._outputs.hold(target, code, now_s)
        return _ACK

    def _abort(self, reader: _Reader, now_s: float) -> bytes:
        for number in NUMBERS:
            self._outputs.kill(number, now_s)
        return b""

    def _continuous(self, reader: _Reader, now_s: float) -> bytes:
        target, on = reader.u8(), reader.u8()
        if target in NUMBERS:
            self._outputs.loop(target, bool(on), now_s)
        return _ACK

    # The SD card.

    def _tell_file(self, reader: _Reader, now_s: float) -> bytes:
        return self._card[self._file].as_file() if self._file in self._card else bytes(178)

    def _settings_file(self, reader: _Reader, now_s: float) -> bytes:
        operation, length = reader.u8(), reader.u8()
        self._file = bytes(reader.u8() for _ in range(length)).decode("latin-1")
        if operation == 1:
            self._card[self._file] = self._settings()
        elif operation == 2 and self._file in self._card:
            self._load(self._card[self._file])
            for number in NUMBERS:
                self._outputs.reprogrammed(number, now_s)
            return self._card[self._file].as_programme()
        elif operation == 3:
            self._card.pop(self._file, None)
        return b""

    def _settings(self) -> Settings:
        """What would be saved now."""
        programmes = {number: copy.deepcopy(self._outputs.programme(number)) for number in NUMBERS}
        return Settings(programmes, bytes(self._trigger_links), self._trigger_modes)

    def _load(self, settings: Settings) -> None:
        for number, saved in settings.programmes.items():
            programme = self._outputs.programme(number)
            for name in Programme.__slots__:
                setattr(programme, name, copy.copy(getattr(saved, name)))
        self._trigger_links[:] = settings.links
        self._trigger_modes = settings.modes

    # Troubles.

    def _give_up_waiting(self, now_s: float) -> bytes:
        """More than 500 ms within a command: the missing bytes count as zeros."""
        reader = _Reader(self._input, zeros_at_end=True)
        answer = self._execute(reader, now_s)
        self._go_deaf(now_s)
        return answer

    def _go_deaf(self, now_s: float) -> None:
        self._outputs.freeze(now_s)
        self._input.clear()
        self._deaf = True

    def _clicked(self, now_s: float) -> None:
        if self._deaf:
            self._deaf = False
            self._outputs.thaw(now_s)
            self._trigger_links[:] = DEFAULT_LINKS
        elif any(self.playing(number) for number in NUMBERS):
            for number in NUMBERS:
                self._outputs.kill(number, now_s)
            self._busy_until_s = now_s + _CLICKED_DEAF_S

    def _switched_on(self, now_s: float) -> None:
        self._file = DEFAULT_FILE
        card = self._card.get(DEFAULT_FILE) or Settings({n: Programme() for n in NUMBERS})
        self._outputs.power_cycle(now_s, copy.deepcopy(dict(card.programmes)))
        self._trigger_links[:] = card.links
        self._trigger_modes = card.modes
        self._input.clear()
        self._deaf = False
        self._busy_until_s = -math.inf

    def _play_faults(self, now_s: float) -> None:
        self._faults_seen_s = now_s
        if self._faults.starts("reboot", now_s):
            self._switched_on(now_s)
        if self._faults.starts("joystick_click", now_s):
            self._clicked(now_s)
        if self._faults.starts("dead_until_joystick", now_s):
            self._go_deaf(now_s)
            self._click_awaited = True
        if self._click_awaited and not self._faults.active("dead_until_joystick", now_s):
            self._click_awaited = False
            self._clicked(now_s)

    def _as_sent(self, answer: bytes, now_s: float) -> bytes:
        if answer and self._faults.active("corrupt_ack", now_s):
            return bytes((answer[0] ^ 0x0E,)) + answer[1:]
        return answer


class _Incomplete(Exception):
    """The command's bytes are not all here yet."""


class _Reader:
    """Reads a command's bytes in place; past their end it stops or, if told, gives zeros."""

    def __init__(self, data: bytearray, zeros_at_end: bool = False) -> None:
        self._data = data
        self._zeros_at_end = zeros_at_end
        self.position = 0

    def u8(self) -> int:
        return self._take(1)

    def u16(self) -> int:
        return self._take(2)

    def u32(self) -> int:
        return self._take(4)

    def unpack(self, form: str) -> tuple[Any, ...]:
        """Many at once, by a format of :mod:`struct`."""
        return struct.unpack(form, self._piece(struct.calcsize(form)))

    def _take(self, size: int) -> int:
        return int.from_bytes(self._piece(size), "little")

    def _piece(self, size: int) -> bytes:
        end = self.position + size
        if end > len(self._data) and not self._zeros_at_end:
            raise _Incomplete
        piece = bytes(self._data[self.position : end])
        self.position = end
        return piece.ljust(size, b"\0")
