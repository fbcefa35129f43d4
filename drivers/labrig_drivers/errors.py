"""Errors, arranged by who must act.

::

    InstrumentError                what went wrong, with which instrument
    ├── LinkError                  the bytes did not travel: retrying a query is safe
    │   ├── PortMissing            no such port: plug in, or correct the rig file
    │   ├── PortBusy               another program holds the port: close it
    │   ├── PortLost               it was there and is gone: unplugged or powered off
    │   └── NoReply                sent, and silence until the time-out
    ├── ReplyError                 the bytes make no sense: stop, keep the transcript
    ├── WrongInstrument            something answered, but not what the rig file names
    └── Refused                    the instrument understood and said no: never retried
        ├── OutOfRange             a value outside what it can do
        ├── NotNow                 right command, wrong state (running, locked)
        └── AlarmRaised            it stopped itself: stall, host silent, power interrupted
"""


class InstrumentError(Exception):
    """Something went wrong with one instrument.

    Args:
        instrument: the name the rig file gives it.
        what: one sentence saying what happened.
        remedy: one sentence saying what a person can do about it.
        transcript: the bytes around the failure, ``(direction, data)`` with direction
            ``">"`` for sent and ``"<"`` for received; empty when none travelled.
    """

    def __init__(
        self,
        instrument: str,
        what: str,
        remedy: str = "",
        transcript: tuple[tuple[str, bytes], ...] = (),
    ) -> None:
        self.instrument = instrument
        self.what = what
        self.remedy = remedy
        self.transcript = transcript
        super().__init__(f"{instrument}: {what}" + (f" {remedy}" if remedy else ""))


class LinkError(InstrumentError):
    """The bytes did not travel."""


class PortMissing(LinkError):
    """No port is where the rig file says."""


class PortBusy(LinkError):
    """Another program holds the port."""


class PortLost(LinkError):
    """The port was open and has gone."""


class NoReply(LinkError):
    """The instrument stayed silent until the time-out.

    Whether it acted on what was sent is unknown.
    """


class ReplyError(InstrumentError):
    """The reply makes no sense: bad checksum, wrong length, an answer to another question."""


class WrongInstrument(InstrumentError):
    """Something answers on the port, but it is not what the rig file names."""


class Refused(InstrumentError):
    """The instrument understood the command and refused it."""


class OutOfRange(Refused):
    """The value asked for is outside what the instrument can do."""


class NotNow(Refused):
    """The command is right but the instrument's present state forbids it."""


class AlarmRaised(Refused):
    """The instrument stopped itself and says why."""

    def __init__(
        self,
        instrument: str,
        alarm: str,
        what: str,
        remedy: str = "",
        transcript: tuple[tuple[str, bytes], ...] = (),
    ) -> None:
        self.alarm = alarm
        super().__init__(instrument, what, remedy, transcript)
