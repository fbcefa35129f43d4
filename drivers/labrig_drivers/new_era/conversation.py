"""Questions and answers with one New Era pump: framing mode, alarms, refusals."""

from __future__ import annotations

import logging

from labrig_drivers.errors import (
    AlarmRaised,
    InstrumentError,
    NoReply,
    NotNow,
    OutOfRange,
    Refused,
    ReplyError,
)
from labrig_drivers.new_era import codec
from labrig_drivers.transports.base import Transport

REPLY_TIMEOUT_S = 0.5
_MUCH = 256
"""Bytes; no answer is as long."""
_MOST_FRAMES = 8
"""Of neighbours on a line, passed over in wait for one's own."""

_log = logging.getLogger(__name__)


class Conversation:
    """Speaks with the pump at one address of a line.

    Args:
        link: the serial line.
        address: 0–99.
        watchdog_s: 0 for Basic mode, else Safe mode with this host watchdog.
        name: as the rig file calls the pump.
    """

    def __init__(self, link: Transport, address: int, watchdog_s: int, name: str) -> None:
        self._link = link
        self._address = address
        self._watchdog_s = watchdog_s
        self._name = name
        self._safe: bool | None = None
        self._settled = False
        self._owed = self._noisy = False
        self._greeted = False
        self._powered_up = False

    def ask(self, command: str) -> codec.Reply:
        """Send one command, once, and take its answer, in the framing that the rig wants.

        Raises:
            NoReply: silence; whether the pump acted is unknown.
            ReplyError: garbled, or another pump's answer.
            AlarmRaised: the pump had stopped itself; this reply has acknowledged the alarm, and
                the command was not carried out.
            Refused: the pump refuses the command (OutOfRange, NotNow).
        """
        if not self._settled:
            self._settle()
        reply = self._exchange(command)
        if reply.safe != bool(self._watchdog_s):
            self._settled = False
            raise ReplyError(self._name, "the pump answers in the other framing mode.")
        return self._taken(command, reply)

    def tell(self, command: str) -> None:
        """Send one command whose answer nobody waits for, in the framing it was last met in."""
        safe = bool(self._watchdog_s) if self._safe is None else self._safe
        encode = codec.safe_frame if safe else codec.basic_frame
        self._settled, self._owed = False, True
        self._link.write(encode(self._address, command))

    def look(self, question: str) -> codec.Reply:
        """Ask in whatever framing the pump is in; nothing is set, and no watchdog armed.

        A pending alarm is acknowledged all the same: it is told to whoever asks first, once.
        Raises as :meth:`ask`.
        """
        if self._safe is None:
            self._find_framing()
        elif self._owed:
            self._catch_up()
        return self._taken(question, self._exchange(question))

    def ask_at_once(self, command: str) -> codec.Reply:
        """As :meth:`ask`, before anything that is only good manners: to stop the pump."""
        if self._safe is None:
            self._settle()
        return self._taken(command, self._exchange(command, at_once=True))

    def leave_to_itself(self) -> None:
        """Basic mode: it goes on without a host, and other programs reach it. Raises as ask."""
        if self._safe is None:
            self._find_framing()
        if self._safe:
            self._set_framing(0)
        self._settled = False

    def take_power_up(self) -> bool:
        """Whether the pump was found freshly powered up since this was last asked."""
        found, self._powered_up = self._powered_up, False
        return found

    def _settle(self) -> None:
        """Bring host and pump to the same framing, with a command that is safe to repeat.

        Also done after a time-out, whose answer may still come and would then pass for the
        answer to the next question.
        """
        if self._owed and self._safe is not None:
            self._catch_up()
        if self._watchdog_s:
            self._set_framing(self._watchdog_s)
        else:
            self._find_framing()
            if self._safe:
                self._set_framing(0)
        self._settled = True

    def _set_framing(self, watchdog_s: int) -> None:
        # In Safe framing whatever the present mode; the answer comes in the new mode.
        self._safe = True
        command = f"SAF{watchdog_s}"
        reply = self._exchange(command)
        alarm = reply.alarm
        if alarm is not None:
            # Answered by its alarm, the pump has not carried it out.
            reply = self._exchange(command)
        self._taken(command, reply)
        self._safe = reply.safe
        self._meet(alarm)

    def _find_framing(self) -> None:
        """Ask for the status in the framing that the rig wants, else in the other."""
        wanted = bool(self._watchdog_s)
        try:
            reply = self._status_in(wanted)
        except (NoReply, ReplyError):
            # In Safe mode it is deaf to Basic commands.
            reply = self._status_in(not wanted)
        self._safe = reply.safe
        self._meet(reply.alarm)

    def _status_in(self, safe: bool) -> codec.Reply:
        self._safe = safe
        try:
            return self._exchange("")
        except (NoReply, ReplyError):
            self._safe = None
            raise

    def _meet(self, alarm: str | None) -> None:
        """An alarm in answer to a greeting: lost power is what any pump tells at first."""
        at_first, self._greeted = not self._greeted, True
        if alarm == "R" and at_first:
            _log.info("%s: was powered up since it was last asked; it stands", self._name)
            self._powered_up = True
        elif alarm is not None:
            raise self._alarm_raised(alarm)

    def _catch_up(self) -> None:
        """Read away what comes late: the version is asked for, whose answer is like no other."""
        reply = self._exchange("VER")
        while reply.alarm is None and not codec.is_version(reply.data):
            reply = self._receive(b"")
        self._owed = False
        self._meet(reply.alarm)

    def _exchange(self, command: str, at_once: bool = False) -> codec.Reply:
        encode = codec.safe_frame if self._safe else codec.basic_frame
        sent = encode(self._address, command)
        if self._noisy and not at_once:
            self._link.read(_MUCH, REPLY_TIMEOUT_S)
            self._noisy = False
        # An exchange that is broken off, whoever does it, leaves an answer on the line.
        before = self._settled, self._owed
        self._settled, self._owed = False, True
        self._link.discard_input()
        self._link.write(sent)
        reply = self._receive(sent)
        self._settled, self._owed = before
        return reply

    def _receive(self, sent: bytes) -> codec.Reply:
        """The next frame of this pump; what another one says meanwhile passes by."""
        others: tuple[tuple[str, bytes], ...] = ()
        for _ in range(_MOST_FRAMES):
            received = self._frame()
            transcript = ((">", sent), *others, ("<", received))
            if not received:
                break
            try:
                reply = codec.parse_frame(received)
            except codec.BadFrame as error:
                self._noisy = True
                raise ReplyError(
                    self._name,
                    f"garbled answer: {error}.",
                    "Check cable and earth, and the baud rate in its set-up menu.",
                    transcript,
                ) from error
            if reply.address == self._address:
                return reply
            # In Safe mode a neighbour tells its alarm unasked; it tells its own driver again.
            others = (*others, ("<", received))
        self._noisy = True
        if others:
            spoke = sorted({codec.parse_frame(frame).address for _, frame in others})
            raise ReplyError(
                self._name,
                f"pump {', '.join(map(str, spoke))} answered in its stead.",
                "Check the addresses in the pumps' set-up menus.",
                ((">", sent), *others),
            )
        raise NoReply(
            self._name,
            f"no answer from pump address {self._address} within {REPLY_TIMEOUT_S:g} s.",
            "Check its power, the cable, and baud rate and address in its set-up menu.",
            ((">", sent),),
        )

    def _frame(self) -> bytes:
        received = b""
        while missing := codec.missing_bytes(received):
            more = self._link.read(missing, REPLY_TIMEOUT_S)
            received += more
            if len(more) < missing or len(received) > _MUCH:
                break
        return received

    def _taken(self, command: str, reply: codec.Reply) -> codec.Reply:
        if reply.alarm is not None:
            self._greeted = True
            raise self._alarm_raised(reply.alarm)
        if reply.error is not None:
            raise self._refusal(command, reply.error)
        return reply

    def _alarm_raised(self, letter: str) -> AlarmRaised:
        alarm = codec.ALARMS[letter]
        return AlarmRaised(
            self._name,
            alarm,
            f"the pump has stopped itself: {alarm}.",
            "Look at syringe, line and power before it is started again. "
            "It tells this once, and has told it now.",
        )

    def _refusal(self, command: str, error: str) -> InstrumentError:
        match error:
            case "?OOR":
                return OutOfRange(self._name, f"the pump holds {command!r} to be out of range.")
            case "?NA" | "?IGN":
                return NotNow(self._name, f"the pump does not take {command!r} in this state.")
            case "?COM":
                return ReplyError(
                    self._name, f"{command!r} reached the pump garbled.", "Check cable and earth."
                )
            case _:
                return Refused(self._name, f"the pump does not understand {command!r}.")
