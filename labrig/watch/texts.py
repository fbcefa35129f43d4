"""What people read on a telephone at two in the morning: what is wrong, what was done, what to do.

Plain text, short lines, the time on the clock on the wall with its zone; each choice with what
comes of it, each command to be pasted as it stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any

from labrig.display.alarms import AlarmWords, alarm_words
from labrig.display.legend import Legend
from labrig.display.people import who_words
from labrig.display.questions import QuestionWords, command_words, question_words
from labrig.display.times import clock_words
from labrig.pasted import pasted
from labrig.record.alarms import Alarm, Question

if TYPE_CHECKING:
    from labrig.watch.book import Entry
    from labrig.watch.judging import Asked, Known
    from labrig.watch.store import HeardHost


@dataclass(frozen=True, slots=True)
class Text:
    """Of one message."""

    subject: str
    body: str


def alarm(
    known: Known,
    asked: Asked,
    others: Sequence[Asked],
    questions: Sequence[Asked],
    legend: Legend,
) -> Text:
    """An alarm, what else there is about the same instrument, and the questions with it."""
    words = _alarm_words(asked, legend)
    lines = [f"{words.title}, since {words.since}.", words.what]
    if words.done:
        lines.append(f"labrig: {words.done}")
    lines.append(f"You: {words.remedy}")
    for other in others:
        beside = _alarm_words(other, legend)
        lines.append(f"Also, since {beside.since}: {beside.what}")
    for question in questions:
        lines += ["", *_choices(known, question, legend)]
    return Text(words.title, "\n".join([*lines, "", *_look_or_stop(known)]))


def with_besides(body: str, needs: str) -> str:
    """A message, and until when nothing else wants somebody; "" where nobody can say."""
    if not needs:
        return body
    return f"{body}\n\nBesides this: {needs[0].lower()}{needs[1:]}"


def question(known: Known, asked: Asked, legend: Legend) -> Text:
    """A question alone."""
    lines = [*_choices(known, asked, legend), "", *_look_or_stop(known)]
    return Text(f"your decision is wanted: {_words(asked, legend).asks}", "\n".join(lines))


def died(known: Known) -> Text:
    """Its runner is gone, and nobody has brought it back."""
    return Text(
        "the runner is dead",
        "The program that runs the bench has died, and nobody has brought it back.\n"
        "What that means: impulses have ended by themselves; pumps keep their last rate where they "
        "can; no dose, no picture and no alarm comes from it any more.\n"
        "What you can do:\n"
        f"  labrig resume {pasted(known.folder)}\n"
        "    goes on with the run: every instrument is asked what it did, no dose is given twice.\n"
        f"  labrig stop {pasted(known.folder)}\n"
        "    ends the run and makes the bench safe: impulses and doses off, basal perfusion on.\n"
        "`labrig run` and `labrig serve` bring it back by themselves where they still live.",
    )


def brought_back(known: Known) -> Text:
    """Its runner died and another has taken over."""
    return Text(
        "the runner died and was brought back",
        "The program that runs the bench died, and another has taken the run over. Instruments "
        "were asked what they did meanwhile; the gap stands in the journal and in the report.\n"
        f"  look: labrig status {pasted(known.folder)}",
    )


def silent(known: Known, door: bool) -> Text:
    """Its runner lives and does not answer."""
    what = "does not answer any more" if door else "has been starting without a sign of life"
    return Text(
        "the runner hangs",
        f"The program that runs the bench lives, but {what}.\n"
        "What that means: pumps keep their last rate; nothing new may be begun.\n"
        "What you can do: look at the computer (disk full? overloaded?) and at the bench.\n"
        f"  labrig stop {pasted(known.folder)}\n"
        "    stops the run the moment the runner wakes. If it never does, end its process: then "
        "the same command makes the bench safe.",
    )


def hung(known: Known, thread: str, status: Mapping[str, Any]) -> Text:
    """A thread of the runner hangs."""
    states = [state for state in status.get("threads", ()) if state["name"] == thread]
    doing = f": {states[0]['doing']} for {states[0]['for_s']:.0f} s" if states else ""
    who = "its schedule" if thread == "dispatcher" else f"its port {thread}"
    return Text(
        f"the runner hangs ({thread})",
        f"{who} hangs{doing}.\n"
        "What that means: pumps keep their last rate; what was due there is late.\n"
        "labrig: a stop or a hold still reaches every instrument.\n"
        "What you can do: look at its instruments and at the computer's disk.\n"
        f"  labrig stop {pasted(known.folder)}\n"
        "    impulses and doses off, basal perfusion on; ends the run.\n"
        f"  labrig hold {pasted(known.folder)}\n"
        "    pauses impulses and events; the cells are fed.",
    )


def unseen(known: Known, error: Exception) -> Text:
    """Its files make no sense to the watch."""
    return Text(
        "nobody watches this run",
        f"{known.named}\nThe watch cannot read what the run says of itself ({error!r}).\n"
        "What that means: the run may be sound, but of it nobody is called any more.\n"
        f"What you can do:\n  labrig status {pasted(known.folder)}\n"
        "    shows how it stands; send the run folder to whoever looks after labrig.",
    )


def gone(known: Known) -> Text:
    """Its folder cannot be found, and nobody runs it."""
    return Text(
        "the run folder is gone",
        f"{known.folder} is not there any more, and no runner lives.\n"
        "What you can do: look at the bench: pumps may be running at their last rate. Put the "
        "folder back under its name; then `labrig stop` makes the bench safe.",
    )


def ended(known: Known, condition: str, outcome: Mapping[str, Any], zone: tzinfo) -> Text:
    """How the run ended, by the clock of this zone."""
    why = [*outcome.get("failures", ()), *outcome.get("shortfalls", ())]
    lines = [f"- {reason}" for reason in why]
    unsafe = outcome.get("unsafe", ())
    if unsafe:
        lines.append(
            f"The state of {', '.join(unsafe)} could not be confirmed at the end: look at them."
        )
    if "stopped_utc" in outcome:
        who = who_words(
            datetime.fromisoformat(outcome["stopped_utc"]), outcome["by"], outcome["reason"], zone
        )
        return Text("stopped", "\n".join([f"The run was stopped {who}.", *lines]))
    if condition == "finished" and not lines:
        return Text("all well, finished", "The run has come to its end as planned.")
    if condition == "failed" and not outcome.get("over", True):
        lines += [
            "A part of its runner died and it ended half way; the cells are on the bench.",
            f"  labrig resume {pasted(known.folder)}\n    goes on with the run.",
            f"  labrig stop {pasted(known.folder)}\n    makes the bench safe.",
        ]
    return Text(condition, "\n".join(lines or [f"The run has {condition}."]))


def no_heartbeat(host: HeardHost) -> Text:
    """A computer at a bench is not heard any more."""
    last = _clock(datetime.fromisoformat(host.last_utc).astimezone())
    runs = f"Ran there: {', '.join(host.runs)}.\n" if host.runs else "No run was known there.\n"
    return Text(
        f"{host.name} is silent",
        f"No sign of life of the watch on {host.name} since {last}.\n{runs}"
        "What that means: its power, its network or its watch is gone, or it has a call that it "
        "cannot send. Until it is heard again nobody is called from there.\n"
        "What you can do: look at the bench and at that computer. If it runs, "
        "`labrig status` there says how its run stands, and `labrig watch` starts the watch.",
    )


def still_over(entry: Entry) -> Text:
    """What somebody was called for is over."""
    return Text(f"over: {entry.cause.subject}", f"Message {entry.number} needs nobody any more.")


def whole(entry: Entry, route: str, now: datetime, later_min: float, ack: str) -> Text:
    """A message as it is sent.

    Args:
        entry: of the book.
        route: by which it goes.
        now: with the zone of this computer.
        later_min: nobody has acknowledged it for so long; 0: it goes out at once.
        ack: the command by which it is acknowledged.
    """
    cause = entry.cause
    raised = _clock(datetime.fromisoformat(entry.raised_utc).astimezone(now.tzinfo))
    word = {"call": "CALL", "tell": "labrig", "note": "labrig"}[cause.severity]
    head = [f"Noticed {raised}."]
    if later_min:
        head.append(f"Nobody has acknowledged this for {later_min:.0f} min, so it comes to you.")
    if entry.over_utc:
        over = _clock(datetime.fromisoformat(entry.over_utc).astimezone(now.tzinfo))
        if over != raised:
            head.append(f"It is over since {over}.")
    before = entry.by(route)
    if before is not None and before.perhaps:
        head.append("(It may reach you a second time: the first was cut short.)")
    tail = [f"Message {entry.number}. I see to it: {ack} {entry.number}"]
    if cause.severity != "call":
        tail = [f"Message {entry.number}."]
    body = "\n".join([*head, "", cause.text, "", *tail])
    return Text(f"{word} {cause.run}: {cause.subject}, {raised}", body)


def _alarm_words(asked: Asked, legend: Legend) -> AlarmWords:
    return alarm_words(
        Alarm(asked.code, asked.about, asked.since_s, asked.what, asked.remedy), legend
    )


def _words(asked: Asked, legend: Legend) -> QuestionWords:
    return question_words(
        Question(asked.key, asked.what, asked.options, asked.since_s, asked.facts), legend
    )


def _choices(known: Known, asked: Asked, legend: Legend) -> list[str]:
    words = _words(asked, legend)
    lines = [f"Your decision is wanted: {words.asks}", words.why, f"Until then: {words.meanwhile}"]
    for option in words.options:
        lines.append(f"  {option.label}: {option.consequence}".rstrip())
        lines.append(f"    {command_words(asked.key, option.choice, pasted(known.folder))}")
    return [line for line in lines if line]


def _look_or_stop(known: Known) -> list[str]:
    return [
        f"  look: labrig status {pasted(known.folder)}",
        f"  stop: labrig stop {pasted(known.folder)}",
        "    impulses and doses off at once, basal perfusion goes on; ends the run.",
    ]


def _clock(at: datetime) -> str:
    return f"{clock_words(at, at.tzinfo or UTC)} {at:%Z}"
