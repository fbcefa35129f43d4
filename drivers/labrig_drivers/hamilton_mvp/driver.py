"""Driver of the Hamilton MVP, a motor that turns a selector valve."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from labrig_drivers.errors import (
    AlarmRaised,
    NoReply,
    NotNow,
    OutOfRange,
    Refused,
    ReplyError,
    WrongInstrument,
)
from labrig_drivers.hamilton_mvp import codec
from labrig_drivers.hamilton_mvp.settings import HamiltonMvpSettings, positions
from labrig_drivers.kinds import Identity
from labrig_drivers.transports.base import Transport

_LONGEST_REPLY = 60
_LONGEST_ANSWER_S = 0.3
_Parsed = TypeVar("_Parsed")


class HamiltonMvp:
    """One MVP (:class:`labrig_drivers.kinds.Valve`).

    A positioner that was switched on, or could not turn, does not know where it stands: it must
    turn once around, past every port, before it is sent anywhere. That is done by :meth:`move_to`,
    and by nothing else.

    Args:
        link: the open port.
        settings: see :class:`HamiltonMvpSettings`.
        name: the rig file's name for it, used in errors.
    """

    def __init__(self, link: Transport, settings: HamiltonMvpSettings, name: str) -> None:
        self._link = link
        self._settings = settings
        self._name = name
        self._owed = False
        self._lost = False
        self._goes_on_to: str | None = None
        self._sent = False

    def identify(self) -> Identity:
        """Ask for the firmware and the head; gives it its letter if it was just switched on.

        Raises:
            NoReply: silence.
            WrongInstrument: something else answers, or another head is set in it.
        """
        try:
            firmware = self._asked_who()
        except ReplyError as error:
            raise WrongInstrument(
                self._name,
                "what answers is not a Hamilton MVP.",
                "Check the port in the rig file.",
                error.transcript,
            ) from error
        if not firmware.startswith("OM"):
            raise WrongInstrument(
                self._name,
                f"it calls its firmware {firmware!r}, an MVP begins with OM.",
                "Check the port in the rig file.",
            )
        self._check_head()
        return Identity(vendor="Hamilton", model="MVP", firmware=firmware)

    def close(self) -> None:
        """Let go of the port. A turn under way goes on."""
        self._link.close()

    def configure(self) -> None:
        """Write the head of the rig file into the positioner.

        Raises:
            NotNow: it turns.
        """
        if self.moving():
            raise NotNow(self._name, "it turns.", "Wait until it stands.")
        self._obey(f"LST{codec.TYPE_CODES[self._settings.valve]}")
        self._lost = True

    def positions(self) -> tuple[str, ...]:
        """Their numbers. No I/O."""
        return positions(self._settings)

    def position(self) -> str | None:
        """Where it stands; None while it turns, and where it does not know."""
        if self._turning() or self._goes_on_to is not None:
            return None
        self._look_for_errors()
        if self._lost:
            return None
        number = str(self._ask(codec.POSITION, codec.parse_number))
        if number not in self.positions():
            raise ReplyError(
                self._name,
                f"it says that it stands at {number}, a {self._settings.valve} valve has "
                f"{len(self.positions())}.",
                "Compare the head with the rig file.",
            )
        return number

    def move_to(self, position: str) -> None:
        """Turn there and return at once; once around before, where it does not know its place.

        While it turns once around it can still be told to go elsewhere from there.

        Raises:
            OutOfRange: it has no such position; nothing was sent.
            NotNow: it turns to a position.
            NoReply: silence; whether it turns is unknown, and to be asked with :meth:`position`.
        """
        if position not in self.positions():
            raise OutOfRange(
                self._name,
                f"it has no position {position!r}.",
                f"It has {', '.join(self.positions())}.",
            )
        if self._turning():
            if self._goes_on_to is None:
                raise NotNow(self._name, "it turns.", "Wait until it stands.")
            self._goes_on_to = position
            return
        self._look_for_errors()
        if self._lost:
            self._goes_on_to = position
            self._obey(codec.INITIALISE)
            self._lost = False
        else:
            self._go(position)

    def moving(self) -> bool:
        """Whether it still turns; where it has turned once around it is sent on its way.

        Raises:
            AlarmRaised: it could not turn.
        """
        if self._turning():
            return True
        if not self._sent and self._goes_on_to is None:
            return False
        self._look_for_errors()
        on, self._goes_on_to, self._sent = self._goes_on_to, None, False
        if self._lost:
            raise AlarmRaised(
                self._name,
                "overload",
                "it could not turn, and does not know where it stands.",
                "See whether the valve is stiff, blocked or not seated on its motor.",
            )
        if on is None:
            return False
        self._go(on)
        return True

    def _go(self, position: str) -> None:
        self._sent = True
        self._obey(codec.move(position, clockwise=self._settings.turns == "clockwise"))

    def _turning(self) -> bool:
        return self._ask(codec.FINISHED, codec.parse_turning)

    def _look_for_errors(self) -> None:
        """Reading them clears them in the valve, so what they mean is kept here."""
        if self._ask(codec.ERRORS, codec.parse_errors):
            self._lost = True

    def _check_head(self) -> None:
        try:
            code = self._ask(codec.TYPE, codec.parse_number)
        except Refused:
            return
        if code != codec.TYPE_CODES[self._settings.valve]:
            known = {number: name for name, number in codec.TYPE_CODES.items()}
            raise WrongInstrument(
                self._name,
                f"it is set to a {known.get(code, f'type {code}')} valve, the rig file says "
                f"{self._settings.valve}.",
                "Correct `valve:` in the rig file, or write it to the valve with `labrig doctor "
                "RIG --configure NAME`.",
            )

    def _asked_who(self) -> str:
        try:
            return self._ask(codec.VERSION, _text)
        except NoReply:
            # Switched on since: it ignores everything until the chain has its letters.
            self._link.discard_input()
            self._link.write(codec.AUTO_ADDRESS)
            reply = self._until(lambda got: got.endswith(codec.CR))
            self._owed = not reply
            if not codec.is_addressed(reply):
                raise
        except Refused:
            # Half a command of another program stood before it.
            pass
        return self._ask(codec.VERSION, _text)

    def _obey(self, text: str) -> None:
        self._ask(text, lambda data: None)

    def _ask(self, text: str, parse: Callable[[bytes], _Parsed]) -> _Parsed:
        """One exchange."""
        sent = codec.command(self._settings.address, text)
        if self._owed:
            # A late answer would be taken for this one's.
            self._link.read(_LONGEST_REPLY, self._settings.reply_timeout_s)
        self._link.discard_input()
        self._owed = True
        self._link.write(sent)
        received = self._until(lambda got: _is_whole(sent, got))
        self._owed = not received
        transcript = ((">", sent), ("<", received))
        if not received:
            raise NoReply(
                self._name,
                f"no answer to {sent!r} within {self._settings.reply_timeout_s:g} s.",
                "Check its power, the cable, 9600 baud 7O1, and its place in the chain.",
                transcript,
            )
        try:
            return parse(codec.parse_reply(sent, received))
        except codec.Nak as error:
            raise Refused(
                self._name, f"it refused {text!r}.", "Read its lights: is it busy?", transcript
            ) from error
        except codec.BadReply as error:
            self._owed = True
            raise ReplyError(
                self._name,
                f"the answer to {sent!r} makes no sense: {error}.",
                "Check that no other program uses the port, and 9600 baud 7O1.",
                transcript,
            ) from error

    def _until(self, is_whole: Callable[[bytes], bool]) -> bytes:
        got, timeout_s = b"", self._settings.reply_timeout_s
        # A line that never falls silent is not listened to for ever.
        give_up_s = time.monotonic() + timeout_s + _LONGEST_ANSWER_S
        while not is_whole(got) and len(got) < _LONGEST_REPLY:
            left_s = give_up_s - time.monotonic()
            more = self._link.read(1, min(timeout_s, left_s)) if left_s > 0 else b""
            if not more:
                break
            got += more
        return got


def _is_whole(sent: bytes, got: bytes) -> bool:
    """Its echo, then ACK or NAK, data and CR."""
    return len(got) > len(sent) and got[len(sent) :].endswith(codec.CR)


def _text(data: bytes) -> str:
    text = data.decode("ascii", errors="replace").strip()
    if not text.isprintable():
        raise codec.BadReply(f"{data!r} is no text")
    return text
