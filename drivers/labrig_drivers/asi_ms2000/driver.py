"""Driver of the ASI MS-2000 XY stage."""

from __future__ import annotations

import math
import time

from labrig_drivers.asi_ms2000 import codec
from labrig_drivers.asi_ms2000.settings import AsiStageSettings, travel
from labrig_drivers.errors import (
    NoReply,
    NotNow,
    OutOfRange,
    Refused,
    ReplyError,
    WrongInstrument,
)
from labrig_drivers.kinds import Identity, StageLimits
from labrig_drivers.transports.base import Transport

_LONGEST_REPLY = 120
_COARSEST_PER_UM = 1.0
_LONGEST_ANSWER_S = 0.5  # of an answer that has begun: 120 bytes at 9600 baud take 0.13 s


class AsiStage:
    """One ASI MS-2000 XY stage (:class:`labrig_drivers.kinds.Stage`).

    After power-up the controller calls wherever it stands 0, 0. Whoever knows where the stage
    should stand compares :meth:`position_um` with it before each move, and asks
    :meth:`was_reset`, where the controller takes a mark.

    What a number means to the controller is its multiplier ``UM``, which other programs change,
    sign included (Micro-Manager does at every start), and which a reset changes back. It is asked
    with every position and move, and never written.

    Args:
        link: the open port, owned by this object alone.
        settings: see :class:`AsiStageSettings`.
        name: the rig file's name for it, used in errors.
    """

    def __init__(self, link: Transport, settings: AsiStageSettings, name: str) -> None:
        self._link = link
        self._settings = settings
        self._name = name
        self._owed = False

    def identify(self) -> Identity:
        """Ask for the firmware version.

        Raises:
            NoReply: silence.
            WrongInstrument: something else answers.
        """
        # Half a command that another program left would swallow this one.
        self._link.write(codec.FLUSH)
        reply = self._ask(codec.VERSION)
        if reply.startswith(b":N"):
            # It was refused with what still stood before it.
            reply = self._ask(codec.VERSION)
        try:
            text = codec.parse_answer(reply)
        except ValueError as error:
            raise self._not_ours(reply, str(error)) from error
        label, _, version = text.partition(":")
        if label.strip() != "Version":
            raise self._not_ours(reply, f"{text!r} is not a version")
        return Identity(vendor="ASI", model="MS-2000", firmware=version.strip())

    def close(self) -> None:
        """Let go of the port. A move under way goes on."""
        self._link.close()

    def limits(self) -> StageLimits:
        """Travel allowed by the rig file. No I/O."""
        return travel(self._settings)

    def position_um(self) -> tuple[float, float]:
        """Where the stage says it is, in the rig's coordinates.

        Raises:
            Refused: it does not tell its units, so nothing can be said of its position.
        """
        x_per_um, y_per_um = self._units_per_um()
        reply = self._ask(codec.WHERE)
        try:
            x_units, y_units = codec.parse_position(reply)
        except ValueError as error:
            raise self._explained(codec.WHERE, reply, error) from error
        return (
            self._settings.x_sign * x_units / x_per_um,
            self._settings.y_sign * y_units / y_per_um,
        )

    def move_to(self, x_um: float, y_um: float) -> None:
        """Start an absolute move, to the nearest of the controller's units, and return at once.

        Raises:
            OutOfRange: outside the rig's limits (nothing was sent) or the controller's.
            Refused: it does not tell its units, or they are too coarse; no move was sent.
            NoReply: silence; whether it moves is unknown, asking again is safe.
        """
        settings = self._settings
        for axis, value, low, high in (
            ("x_um", x_um, settings.x_min_um, settings.x_max_um),
            ("y_um", y_um, settings.y_min_um, settings.y_max_um),
        ):
            if not (math.isfinite(value) and low <= value <= high):
                raise OutOfRange(
                    self._name,
                    f"{axis} = {value:g} is outside {low:g}…{high:g}, the travel allowed.",
                    "Correct the position, or the stage's limits in the rig file.",
                )
        x_per_um, y_per_um = self._units_per_um()
        command = codec.move(
            round(settings.x_sign * x_um * x_per_um), round(settings.y_sign * y_um * y_per_um)
        )
        self._obeyed(command)

    def mark(self) -> bool:
        """Have positions told with more decimals, which a power cycle undoes and nothing else.

        Raises:
            NoReply, ReplyError: trouble on the line.
        """
        reply = self._ask(codec.SET_MARK)
        try:
            codec.parse_answer(reply)
        except codec.ErrorReply:
            return False
        except ValueError as error:
            raise self._explained(codec.SET_MARK, reply, error) from error
        return not self.was_reset()

    def was_reset(self) -> bool:
        """Whether positions are told with other decimals than :meth:`mark` has set.

        Raises:
            NoReply, ReplyError: trouble on the line.
        """
        reply = self._ask(codec.DECIMALS)
        try:
            return not codec.is_marked(reply)
        except codec.ErrorReply:
            return True
        except ValueError as error:
            raise self._explained(codec.DECIMALS, reply, error) from error

    def moving(self) -> bool:
        """Whether a move is still under way."""
        reply = self._ask(codec.STATUS)
        try:
            return codec.parse_busy(reply)
        except ValueError as error:
            raise self._explained(codec.STATUS, reply, error) from error

    def stop(self) -> None:
        """Halt now, wherever it is."""
        reply = self._ask(codec.HALT)
        try:
            codec.parse_answer(reply)
        except codec.ErrorReply as error:
            # :N-21 says that a move was interrupted, which is what stop is for.
            if error.number != codec.HALTED:
                raise self._explained(codec.HALT, reply, error) from error
        except ValueError as error:
            raise self._explained(codec.HALT, reply, error) from error

    def _units_per_um(self) -> tuple[float, float]:
        reply = self._ask(codec.UNITS)
        try:
            units = codec.parse_units_per_um(reply)
        except ValueError as error:
            raise self._explained(codec.UNITS, reply, error) from error
        if min(abs(per_um) for per_um in units) < _COARSEST_PER_UM:
            raise Refused(
                self._name,
                f"its units are coarser than 1 µm: UM gives {units[0]:g} and {units[1]:g} "
                "units a µm.",
                "Another program has set its multiplier: send UM X=10000 Y=10000 to it.",
                ((">", codec.UNITS), ("<", reply)),
            )
        return units

    def _obeyed(self, command: bytes) -> None:
        reply = self._ask(command)
        try:
            codec.parse_answer(reply)
        except ValueError as error:
            raise self._explained(command, reply, error) from error

    def _ask(self, command: bytes) -> bytes:
        """One exchange; the answer up to and with its CR LF."""
        # A late answer to an earlier question would be taken for this one's, and half of a question
        # that did not arrive whole for the beginning of this one.
        if self._owed:
            self._link.write(codec.FLUSH)
            self._link.read(_LONGEST_REPLY, self._settings.reply_timeout_s)
        self._link.discard_input()
        # Until it has come: an exchange may be broken off in between.
        self._owed = True
        self._link.write(command)
        reply = b""
        # A line that never falls silent is not listened to for ever.
        give_up_s = time.monotonic() + self._settings.reply_timeout_s + _LONGEST_ANSWER_S
        while codec.REPLY_END not in reply and len(reply) < _LONGEST_REPLY:
            left_s = max(0.0, give_up_s - time.monotonic())
            wait_s = min(self._settings.reply_timeout_s, left_s)
            more = self._link.read(codec.missing_bytes(reply), wait_s) if left_s else b""
            if not more:
                break
            reply += more
            if codec.REPLY_END not in reply:
                # And what is there already.
                reply += self._link.read(_LONGEST_REPLY, 0.0)
        reply = codec.first_line(reply)
        self._owed = not reply
        if not reply:
            raise NoReply(
                self._name,
                f"no answer to {command!r} within {self._settings.reply_timeout_s:g} s.",
                "Check that the controller is on, the cable, and the baud rate set by its DIP "
                "switches.",
                ((">", command),),
            )
        return reply

    def _explained(self, command: bytes, reply: bytes, error: ValueError) -> Refused | ReplyError:
        transcript = ((">", command), ("<", reply))
        if not isinstance(error, codec.ErrorReply):
            return ReplyError(
                self._name,
                f"the answer to {command!r} makes no sense: {error}.",
                "Check that no other program uses the port.",
                transcript,
            )
        kind = {4: OutOfRange, codec.HALTED: NotNow}.get(error.number, Refused)
        return kind(self._name, f"it answered {command!r} with {error}.", "", transcript)

    def _not_ours(self, reply: bytes, why: str) -> WrongInstrument:
        return WrongInstrument(
            self._name,
            f"what answers is not an ASI stage: {why}.",
            "Check the port in the rig file.",
            ((">", codec.VERSION), ("<", reply)),
        )
