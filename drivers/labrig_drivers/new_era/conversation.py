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
        self._encode = codec.safe_frame if watchdog_s else codec.basic_frame
        self._greeted = False
        self._synchronised = False

    def ask(self, command: str) -> codec.Reply:
        """Send one command, once, and take its answer.

        Raises:
            NoReply: silence; whether the pump acted is unknown.
            ReplyError: garbled, or another pump's answer.
            AlarmRaised: the pump had stopped itself; this reply has acknowledged the alarm, and
                the command was not carried out.
            Refused: the pump refuses the command (OutOfRange, NotNow).
        """
        if not self._synchronised:
            self._synchronise()
        reply = self._exchange(self._encode(self._address, command))
        if reply.safe != bool(self._watchdog_s):
            self._synchronised = False
            raise ReplyError(self._name, "the pump answers in the other framing mode.")
        return self._taken(command, reply)

    def tell(self, command: str) -> None:
        """Send one command whose answer nobody waits for, in whatever mode the pump is."""
        self._synchronised = False
        self._link.write(self._encode(self._address, command))

    def _synchronise(self) -> None:
        """Bring host and pump to the same framing, with a command that is safe to repeat.

        Also done after a time-out, whose answer may still come and would then pass for the
        answer to the next question.
        """
        if self._watchdog_s:
            # In Safe framing whatever the present mode; the answer comes in the new mode.
            frame = codec.safe_frame(self._address, f"SAF{self._watchdog_s}")
            reply = self._exchange(frame)
        else:
            frame = codec.basic_frame(self._address, "")
            try:
                reply = self._exchange(frame)
            except NoReply:
                # A pump left in Safe mode is deaf to Basic commands.
                if self._address == 0:
                    frame = codec.BACK_TO_BASIC
                else:
                    frame = codec.safe_frame(self._address, "SAF0")
                reply = self._exchange(frame)
        if reply.alarm == "R" and not self._greeted:
            # The first command after power-up is answered so, and not carried out.
            _log.info("%s: was powered up since it was last asked; it stands", self._name)
            reply = self._exchange(frame)
        self._greeted = True
        self._synchronised = True
        self._taken("SAF", reply)

    def _exchange(self, sent: bytes) -> codec.Reply:
        link = self._link
        # An exchange that is broken off, whoever does it, leaves an answer on the line.
        synchronised, self._synchronised = self._synchronised, False
        link.discard_input()
        link.write(sent)
        received = b""
        while missing := codec.missing_bytes(received):
            more = link.read(missing, REPLY_TIMEOUT_S)
            received += more
            if len(more) < missing:
                break
        transcript = ((">", sent), ("<", received))
        if not received:
            raise NoReply(
                self._name,
                f"no answer from pump address {self._address} within {REPLY_TIMEOUT_S:g} s.",
                "Check its power, the cable, and baud rate and address in its set-up menu.",
                transcript,
            )
        try:
            reply = codec.parse_frame(received)
        except codec.BadFrame as error:
            raise ReplyError(
                self._name, f"garbled answer: {error}.", "Check cable and earth.", transcript
            ) from error
        if reply.address != self._address:
            raise ReplyError(
                self._name, f"pump {reply.address} answered in its stead.", "", transcript
            )
        self._synchronised = synchronised
        return reply

    def _taken(self, command: str, reply: codec.Reply) -> codec.Reply:
        if reply.alarm is not None:
            alarm = codec.ALARMS[reply.alarm]
            raise AlarmRaised(
                self._name,
                alarm,
                f"the pump has stopped itself: {alarm}.",
                "Look at syringe, line and power before it is started again.",
            )
        if reply.error is not None:
            raise self._refusal(command, reply.error)
        return reply

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
