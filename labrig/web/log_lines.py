"""What happened in a run, a sentence each, from its journal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from labrig.display.alarms import alarm_words, sentence
from labrig.display.deviations import deviation_words
from labrig.display.legend import Legend
from labrig.display.numbers import number_words
from labrig.display.questions import question_words
from labrig.display.times import length_words
from labrig.places import wells_named_in
from labrig.plan.words import words_of
from labrig.record.acts import acts_of_people
from labrig.record.alarms import AlarmSpan, Question
from labrig.record.kinds import doses, levels, operator, pictures, runs
from labrig.record.reading import open_read_only
from labrig.record.rows import Row, RowUnreadable, row_of
from labrig.record.said import said

LineKind = Literal["people", "alarm", "question", "deviation", "dose", "picture", "run"]
KINDS: tuple[LineKind, ...] = get_args(LineKind)
MOST = 400
"""[P] Rows looked through, the newest first: a long night's log stays quick."""
_ROWS = """
SELECT * FROM journal WHERE
  kind IN ('command', 'note', 'alarm', 'question', 'deviation')
  OR (kind = 'run' AND key IN ('started', 'adopted', 'held', 'resumed', 'stopped', 'finished',
      'phase', 'unfollowed', 'followed'))
  OR (kind = 'dose' AND state IN ('confirmed', 'unknown', 'failed', 'missed', 'skipped', 'refused'))
  OR (kind IN ('frame', 'film') AND state IN ('missed', 'skipped', 'failed'))
ORDER BY seq DESC LIMIT {most}
"""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One thing that happened.

    Attributes:
        at_s: on the run's clock; ``utc``: time of day, ISO 8601.
        by: who, where a person did it.
        wells: whom it concerned, as far as its words say.
    """

    seq: int
    at_s: float
    utc: str
    kind: LineKind
    text: str
    by: str = ""
    wells: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines; everything empty: all."""

    kind: str = ""
    well: str = ""
    by: str = ""
    text: str = ""

    def __contains__(self, line: LogLine) -> bool:
        return (
            (not self.kind or line.kind == self.kind)
            and (not self.well or self.well.upper() in line.wells)
            and (not self.by or self.by.casefold() in line.by.casefold())
            and (not self.text or self.text.casefold() in f"{line.text} {line.by}".casefold())
        )


def log_lines(journal: Path, legend: Legend, most: int = MOST) -> list[LogLine]:
    """The last lines, the newest first.

    Raises:
        JournalError: the journal cannot be read.
    """
    if not journal.exists():
        return []
    with open_read_only(journal) as connection:
        if connection is None:
            return []
        records = connection.execute(_ROWS.format(most=most)).fetchall()
    rows = [row_of(record, str(journal)) for record in reversed(records)]
    return list(_lines(rows, legend))[::-1]


def _lines(rows: Iterable[Row], legend: Legend) -> Iterator[LogLine]:
    raised: dict[str, operator.AlarmRaised] = {}
    for row in rows:
        try:
            kind, text, by = _told(row, legend, raised)
        except RowUnreadable:
            kind, text, by = "deviation", "An entry cannot be read; the journal keeps it.", ""
        if text:
            wells = frozenset(wells_named_in(text))
            yield LogLine(row.seq, row.run_s, row.utc, kind, text, by, wells)


def _told(
    row: Row, legend: Legend, raised: dict[str, operator.AlarmRaised]
) -> tuple[LineKind, str, str]:
    """Kind, words, and who; no words: nobody needs to read it."""
    match said(row):
        case operator.CommandTaken():
            act = next(iter(acts_of_people([row])), None)
            return ("people", sentence(act.what), act.by) if act is not None else ("run", "", "")
        case operator.AlarmRaised() as alarm:
            raised[row.key] = alarm
            words = alarm_words(_span(alarm, row.run_s), legend)
            return "alarm", f"{words.title}. {words.what}", ""
        case operator.AlarmCleared() as over:
            since = raised.get(row.key)
            title = alarm_words(_span(since, row.run_s), legend).title if since else over.about
            return "alarm", f"Over after {length_words(row.run_s - over.from_s)}: {title}.", ""
        case operator.QuestionAsked() as asked:
            question = Question(row.key, asked.what, asked.options, row.run_s, asked.facts)
            return "question", question_words(question, legend).asks, ""
        case operator.QuestionWithdrawn():
            return "question", "A question needs no answer any more.", ""
        case operator.ArmsTold() as told:
            return "people", f"Was told the arms: {told.reason}.", told.by
    return _of_events(row, legend)


def _of_events(row: Row, legend: Legend) -> tuple[LineKind, str, str]:
    match said(row):
        case runs.RunStarted():
            return "run", "The night began.", ""
        case runs.RunAdopted():
            return "run", "A new runner took the run over.", ""
        case runs.RunHeld() as held if not held.by or held.by.startswith("rule"):
            return "run", sentence(f"The run was held: {held.reason}"), held.by
        case runs.RunStopped():
            return "run", "The run is stopped.", ""
        case runs.RunFinished():
            return "run", "The night came to its end.", ""
        case runs.RunReplanned() as replanned:
            return "run", f"From here on plan {replanned.number} is in force.", ""
        case runs.PhaseEntered() as phase:
            return "run", f"Phase {phase.name} began.", ""
        case runs.Unfollowed():
            return "run", "Nobody follows the run.", ""
        case runs.Followed():
            return "run", "The run is followed again.", ""
        case doses.DoseConfirmed() as dose:
            given = "" if dose.delivered_ul is None else number_words(dose.delivered_ul, "µL")
            return "dose", f"Given: {_entry(row, legend)}{f', {given}' if given else ''}.", ""
        case doses.DoseUnknown() | doses.RestNotGiven():
            return "dose", f"Uncertain: {_entry(row, legend)}.", ""
        case doses.DoseFailed() as failed:
            return "dose", sentence(f"Not given: {_entry(row, legend)}: {failed.what}"), ""
        case levels.NotDone() as undone:
            kind: LineKind = "dose" if row.kind == "dose" else "picture"
            return kind, sentence(f"Not done: {_entry(row, legend)}: {undone.reason}"), ""
        case pictures.PictureMissed() as missed:
            return "picture", sentence(f"Not done: {_entry(row, legend)}: {missed.reason}"), ""
        case what if row.kind == "deviation" and what is not None:
            return "deviation", deviation_words(what, legend), ""
    return "run", "", ""


def _entry(row: Row, legend: Legend) -> str:
    entry = legend.entries.get(row.key)
    if entry is None:
        return "an entry of the plan"
    words = words_of(entry)
    return words.unnamed if legend.blind else words.sentence


def _span(alarm: operator.AlarmRaised, at_s: float) -> AlarmSpan:
    return AlarmSpan(alarm.code, alarm.about, alarm.what, alarm.remedy, at_s)


def people_of(lines: Iterable[LogLine]) -> tuple[str, ...]:
    """Everybody who did something, by name."""
    return tuple(sorted({line.by for line in lines if line.by}))
