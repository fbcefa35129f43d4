"""What a person is told of an alarm: how urgent, of whom, what labrig does, what to do.

A row of the journal holds the facts of one alarm; here stands what every alarm of its code means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from labrig.display.legend import Legend
from labrig.display.numbers import rounded
from labrig.record.alarms import Alarm, AlarmSpan

Urgency = Literal["now", "soon", "morning"]
"""``now``: cells or the whole night are at stake, wake somebody. ``soon``: data are being lost.
``morning``: nothing gets worse until somebody comes."""


@dataclass(frozen=True, slots=True)
class AlarmKind:
    """What all alarms of one code have in common.

    Attributes:
        title: in a few words, without a full stop.
        done: what labrig does by itself meanwhile.
        remedy: what a person can do, where the alarm itself does not say it.
    """

    urgency: Urgency
    title: str
    done: str
    remedy: str


ALARMS: Mapping[str, AlarmKind] = MappingProxyType(
    {
        "stall": AlarmKind(
            "now", "no liquid comes",
            "It is tried again by itself, ever more rarely; all other instruments go on.",
            "Look for a clog, an empty syringe or a slipped tube.",
        ),
        "rate": AlarmKind(
            "now", "does not hold its rate", "All other instruments go on.", "Look at the pump.",
        ),
        "watchdog": AlarmKind(
            "now", "will stop by itself", "The run is over: nobody speaks to the pump any more.",
            "Start it by hand, or resume.",
        ),
        "dose-refused": AlarmKind(
            "soon", "refused a dose", "Nothing of it came, and it is not sent again.",
            "Read on the pump's display what is the matter with it.",
        ),
        "dose-not-given": AlarmKind(
            "soon", "a dose was not given", "It was sent twice and is not sent again.",
            "Look at its line.",
        ),
        "stimulation": AlarmKind(
            "soon", "gives no impulses as planned", "Perfusion and pictures go on.",
            "Look at the stimulator and its cables.",
        ),
        "refused": AlarmKind(
            "soon", "refused what it was asked", "All other instruments go on.",
            "Read on the instrument's display what is the matter with it.",
        ),
        "capture": AlarmKind(
            "now", "has channels whose capture threshold is not known",
            "They are silent, or get the fallback of the protocol; all others go on.",
            "Look at the films of the staircase, and answer the question if one stands.",
        ),
        "valve": AlarmKind(
            "now", "does not stand where it should",
            "It is asked every minute, and turned when it answers; pumps go on.",
            "Look at the valve: what comes through it may be another liquid than planned.",
        ),
        "climate": AlarmKind(
            "now", "does not take its set point",
            "It is asked every minute, and set again; all other instruments go on.",
            "Look at the controller's display: is it locked, off, or in another unit?",
        ),
        "link": AlarmKind(
            "now", "does not answer",
            "It is asked again until it answers; a pump goes on at its last rate where it can.",
            "Look at its power and its cable.",
        ),
        "step": AlarmKind(
            "now", "a step of people is overdue",
            "The run goes on and feeds the cells; what waits for the step waits.",
            "Do it and sign it, or decide against it.",
        ),
        "supply": AlarmKind(
            "now", "will soon run out, or overflow",
            "The run goes on; what it feeds gets nothing more when it is empty.",
            "See to it, then say so: `labrig refill`.",
        ),
        "stage-lost": AlarmKind(
            "soon", "the stage is not where it was left",
            "It is not moved and no picture is taken until a person has put it right.",
            "Bring it to where its coordinates are right, zero it there, then answer.",
        ),
        "camera": AlarmKind(
            "soon", "no picture came", "The next picture is tried all the same.",
            "Look at camera and stage.",
        ),
        "saturated": AlarmKind(
            "soon", "pictures are over-exposed", "Pictures go on as planned.",
            "Less light or a shorter exposure; what is over-exposed cannot be measured.",
        ),
        "bad-picture": AlarmKind(
            "soon", "pictures may be of no use", "Pictures go on as planned.",
            "Look at lamp, focus, camera and cable.",
        ),
        "probe": AlarmKind(
            "soon", "readings of the air are missing or not to be trusted",
            "The air is not judged meanwhile.", "Look at the probe.",
        ),
        "environment": AlarmKind(
            "now", "the air is not as it should be", "Pictures taken meanwhile are annotated.",
            "Check door, gas and incubator.",
        ),
        "environment-trip": AlarmKind(
            "now", "the air has been far off for a quarter of an hour",
            "The run goes on, and its controllers stay as they are set.",
            "Save the cells: another incubator, or stop the run.",
        ),
        "outage": AlarmKind(
            "now", "was left alone for longer than its cells may be",
            "Medium flows; impulses and additives are off, and nothing begins.",
            "Look at the cells, then answer the question.",
        ),
        "interlock": AlarmKind("now", "a rule of the bench is broken", "", "See to it."),
        "disk": AlarmKind(
            "now", "the disk is full", "Flow goes on; the room kept for the journal is in use.",
            "Free space on the disk of the run folder now: when this is used up too, no dose and "
            "no train is begun.",
        ),
        "disk-short": AlarmKind(
            "soon", "the disk is short of room for pictures",
            "Some pictures are left out, each with its reason; flow, doses, impulses and the "
            "journal go on.",
            "Free space on the disk of the run folder: then all pictures are taken again.",
        ),
        "journal": AlarmKind(
            "now", "nothing can be written down",
            "Flow goes on; no dose, train or picture is begun until it can.",
            "Look at the disk of the run folder: is it full, unplugged or not writable?",
        ),
        "row-dropped": AlarmKind(
            "morning", "a line of the journal could not be kept", "The run goes on.",
            "Send the run folder to whoever looks after labrig.",
        ),
        "journal-damaged": AlarmKind(
            "soon", "the journal is not what was written",
            "The run goes on with what the journal says since.",
            "Keep the file; look at the doses before, and stop the run if they are in doubt.",
        ),
        "folder": AlarmKind(
            "soon", "the run folder is not where it was",
            "The run goes on and feeds the cells; pictures cannot be stored meanwhile.",
            "Put it back under its name.",
        ),
        "unfollowed": AlarmKind(
            "morning", "nobody follows the run", "The bench goes on, and all pictures are kept.",
            "`labrig follow` takes it up; `labrig serve` does so by itself.",
        ),
        "hung": AlarmKind(
            "now", "a part of labrig does not come back", "The other ports go on.",
            "`labrig stop` and `labrig hold` still work. Look at its instruments and the disk.",
        ),
        "worker": AlarmKind(
            "now", "a part of labrig has ended",
            "The other instruments go on; a stop still reaches these.",
            "Send the run folder to whoever looks after labrig.",
        ),
        "port-held": AlarmKind(
            "morning", "a port does not let go of its line",
            "Its instruments were left as the end of a run leaves them; the run ends without it.",
            "Unplug its adapter and plug it in again before the next run.",
        ),
        "clock": AlarmKind(
            "now", "the computer's clock went back",
            "The run goes on from its last entry as if no time had passed.", "Set its clock.",
        ),
    }
)  # fmt: skip
"""By code; a test holds it complete."""

_UNKNOWN = AlarmKind("now", "needs a look", "", "Look at it.")
"""Of a code that a newer labrig has."""


@dataclass(frozen=True, slots=True)
class AlarmWords:
    """One alarm, for a person.

    Attributes:
        title: of whom and what, e.g. ``nerve_02 (C1 nerve-sham): no liquid comes``.
        since: by the clock on the wall, then by the run's.
        what: what was seen; begins with a capital letter and has a full stop.
        done: what labrig does by itself; "" for nothing.
        remedy: what a person can do.
        wells: whom it may cost something, in plate order.
    """

    code: str
    about: str
    urgency: Urgency
    title: str
    since: str
    what: str
    done: str
    remedy: str
    wells: tuple[str, ...]

    @property
    def text(self) -> str:
        """All of it in one paragraph."""
        said = (f"{self.title}, since {self.since}.", self.what, self.done, self.remedy)
        return " ".join(part for part in said if part)


def alarm_from(raw: Mapping[str, Any]) -> Alarm:
    """An alarm as ``/status`` and the JSON of a state give it; what a newer labrig adds is left."""
    names = ("code", "about", "since_s", "what", "remedy")
    return Alarm(**{name: raw[name] for name in names})


def alarm_words(alarm: Alarm | AlarmSpan, legend: Legend) -> AlarmWords:
    """How to tell of an alarm that stands, or stood."""
    kind = ALARMS.get(alarm.code, _UNKNOWN)
    since_s = alarm.since_s if isinstance(alarm, Alarm) else alarm.from_s
    about = _about(alarm.about, legend)
    return AlarmWords(
        code=alarm.code,
        about=alarm.about,
        urgency=kind.urgency,
        title=f"{about}: {kind.title}",
        since=legend.moment(since_s),
        what=sentence(rounded(alarm.what)),
        done=kind.done,
        remedy=sentence(rounded(alarm.remedy)) or kind.remedy,
        wells=legend.wells.get(alarm.about, ()),
    )


def sentence(text: str) -> str:
    """A text as a sentence of its own: a capital letter, one full stop; names stay as they are."""
    text = text.strip()
    if not text:
        return ""
    first = text.split(maxsplit=1)[0]
    if first.isalpha() and first.islower():
        text = text[0].upper() + text[1:]
    return text if text[-1] in ".!?" else f"{text}."


def _about(about: str, legend: Legend) -> str:
    """An instrument with its wells; what is said beside it, e.g. a channel, stays beside it."""
    name, space, rest = about.partition(" ")
    return f"{legend.instrument(name)}{space}{rest}" if name in legend.wells else about
