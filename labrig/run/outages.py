"""Trouble with one instrument: its kinds, and how long to wait before it is tried again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from labrig.record.rows import JournalWriteFailed
from labrig.run.lease import StaleEpoch
from labrig.run.orders import Order
from labrig_drivers.errors import InstrumentError, LinkError, ReplyError, WrongInstrument

_log = logging.getLogger(__name__)
T = TypeVar("T")

BACK_OFF_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""[K] Seconds between tries to get an instrument back; the last repeats for ever, and is well
within the time after which a pump that hears nothing stops by itself."""
SOUND_S = 3600.0
"""[P] After so long without an error of our own an instrument is trusted as at first."""


class Interrupted(Exception):
    """A stop or hold came while an action waited."""


class Bug(InstrumentError):
    """An error of labrig's own, met while it dealt with an instrument."""


TROUBLE = (LinkError, ReplyError, WrongInstrument, Bug)
"""What begins an outage."""


ROLL_CALL_S = 0.1
"""[P] Who shares a line is asked first with so little patience: an answer is there within some
20 ms, and each that is silent would else keep the others waiting for one or two seconds."""
ON_A_SHARED_LINE_S = 0.25
"""[P] Once it was asked with a driver's full patience, one that is mute gets so much at each
further exchange: a try is some four of them, in which nobody else on the line is served."""
PATIENT_TRY = 20
"""[P] Each try of this number is one in full patience again: an answer may have grown slow."""


@dataclass(slots=True)
class Outage:
    """An instrument that is left alone until ``next_try_s``, and what waits for it.

    Attributes:
        told: that it is lost stands in the journal. One that this process has not asked yet,
            or only in the roll call, is not known to be lost.
    """

    since_s: float
    what: str
    next_try_s: float
    tries: int = 0
    told: bool = True
    waiting: list[Order] = field(default_factory=list)


def patience_s(back_off_s: Sequence[float], tries: int) -> float:
    """How long to wait after so many tries."""
    return back_off_s[min(tries, len(back_off_s) - 1)]


def told_apart(name: str, action: Callable[[], T]) -> T:
    """Do it; an error nobody foresaw becomes trouble with this one instrument.

    It is then left alone, asked again later and brought to what is due, as one that had been
    unplugged, while the others on the port go on.

    Raises:
        Bug: what nobody foresaw. What is foreseen passes.
    """
    try:
        return action()
    except (InstrumentError, StaleEpoch, Interrupted, JournalWriteFailed):
        raise
    except Exception as error:
        _log.exception("%s: an error of labrig's own", name)
        raise Bug(
            name,
            f"labrig itself failed ({type(error).__name__}: {error}).",
            "It is tried again; send the run folder to whoever looks after labrig.",
        ) from error
