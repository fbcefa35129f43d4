"""What a person is told of a deviation: one sentence for each code, whoever shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from labrig.display.alarms import sentence
from labrig.display.legend import Legend
from labrig.display.numbers import count_words, number_words, range_words, rounded
from labrig.display.times import length_words
from labrig.plan.words import words_of
from labrig.record.doubts import doubt_words
from labrig.record.kinds import other_deviations as other
from labrig.record.kinds import pump_deviations as pump
from labrig.record.kinds import steps
from labrig_drivers.kinds import quantity_of

Words = Callable[[Any, Legend], str]
"""Of what a row says, by its class: a sentence without its full stop."""


def deviation_words(said: object, legend: Legend) -> str:
    """How to tell of a deviation; begins with a capital letter or a name, has a full stop.

    Args:
        said: what its row says, of a class that has a ``CODE``.
        legend: of the run.
    """
    words = _WORDS.get(type(said))
    text = words(said, legend) if words else f"{type(said).__name__} was written down"
    return sentence(rounded(text))


def _stalled(said: pump.Stalled, legend: Legend) -> str:
    what = said.what or "no liquid came"
    where = " in a dose" if said.dosing else ""
    return f"{_of(said.instrument, said.wells, legend)} stalled{where}: {what}"


def _censored(said: pump.Censored, legend: Legend) -> str:
    because = {"stall": " as their pump stood"}.get(said.why, f" ({said.why})" if said.why else "")
    wells = legend.wells_words(said.wells)
    return f"left out of the analysis from {legend.clock(said.from_s)} on{because}: {wells}"


def _setting(said: other.SettingChanged, value: str) -> str:
    if said.quantity == "position":
        return f"position {value}"
    held = quantity_of(said.quantity)
    return f"{value} {held.unit_label} {held.words}" if value != "off" else "no set point"


def _disk_short(said: other.DiskShort, legend: Legend) -> str:
    free, needed = number_words(said.free_gb, "GB"), number_words(said.needed_gb, "GB")
    if said.stage == 0:
        return f"the disk has room for all pictures again: {free} free, {needed} still to come"
    given = [f"none of {', '.join(said.channels)} is taken"] if said.channels else []
    given += [{2: "every second round is left out"}.get(said.stage, "three of four rounds are left "
              "out")] if said.stage > 1 else []  # fmt: skip
    way = "; ".join(given) or "nothing gives way"
    return f"the disk is short of room, {free} free and {needed} still to come: {way}"


def _found(rate_ul_min: float) -> str:
    return f"running at {_rate(rate_ul_min)}" if rate_ul_min else "standing"


def _balance(said: pump.MassBalance, legend: Legend) -> str:
    believed = range_words(said.believed_ul / 1e3, said.believed_most_ul / 1e3, "mL")
    weighed = None if said.weighed_ul is None else said.weighed_ul / 1e3
    return (
        f"{said.reservoir} lost {number_words(weighed, 'mL')} by its weight, {believed} by its "
        f"pumps; {number_words(said.tolerance_ul / 1e3, 'mL')} apart would have been in order"
    )


def _uncertain(said: pump.DoseUncertain, legend: Legend) -> str:
    came = range_words(said.bounds.at_least_ul, said.bounds.at_most_ul, "µL")
    return f"{_entry(said.key, legend)}: {came} came, nobody can tell more"


def _off_place(said: other.PositionOff, legend: Legend) -> str:
    where = said.where
    if where.reached is None:
        return f"{_entry(said.key, legend)}: the stage did not get there"
    away_um = max(
        abs(where.reached.x_reached_um - where.x_asked_um),
        abs(where.reached.y_reached_um - where.y_asked_um),
    )
    return f"{_entry(said.key, legend)}: taken {number_words(away_um, 'µm')} beside its place"


_RULED = {
    "hold_unit": "its unit is held",
    "hold_run": "the run is held",
    "ask": "a person is asked",
}


def _tripped(said: other.InterlockTripped, legend: Legend) -> str:
    quantity, unit = quantity_words(said.quantity)
    value = "no value that can be trusted"
    if said.value is not None and said.quantity not in ("stalled", "alarmed"):
        value = number_words(said.value, unit)
    elif said.quantity in ("stalled", "alarmed"):
        value = "so"
    does = {
        "hold": "the run was held",
        "suspend": f"suspended {', '.join(said.suspends)}",
    }.get(said.action, "an alarm was given")
    return f"rule “{said.rule}”: {quantity} of {said.instrument} was {value}; {does}"


def _interlock_over(said: other.InterlockOver, legend: Legend) -> str:
    goes_on = f"; {', '.join(said.suspends)} went on" if said.suspends else ""
    return f"rule “{said.rule}” is kept again after {_for(said)}{goes_on}"


def _step_late(said: steps.StepLate, legend: Legend) -> str:
    by = f", by {' and '.join(said.by)}" if said.by else ""
    return f"{_entry(said.key, legend)}: done {length_words(said.late_s)} too late{by}"


def _step_missed(said: steps.StepMissed, legend: Legend) -> str:
    if said.refused_by:
        return f"{_entry(said.key, legend)}: {said.refused_by} decided against it: {said.reason}"
    return f"{_entry(said.key, legend)}: not done: {said.reason}"


_WORDS: Mapping[type[Any], Words] = MappingProxyType(
    {
        pump.Stalled: _stalled,
        pump.StallGivenUp: lambda said, legend: (
            f"{_of(said.instrument, said.wells, legend)} stalled again and stands"
        ),
        pump.StallRetried: lambda said, legend: (
            f"{said.instrument} was tried again, after {count_words(said.tries, 'try', 'tries')} "
            "in vain"
        ),
        pump.StallRecovered: lambda said, legend: (
            f"liquid comes from {legend.instrument(said.instrument)} again, after {_for(said)}"
        ),
        pump.Censored: _censored,
        pump.Uncensored: lambda said, legend: (
            f"the gap from {legend.clock(said.from_s)} on was short enough, so these count again: "
            f"{legend.wells_words(said.wells)}"
        ),
        pump.RestartedByOperator: lambda said, legend: (
            f"a person said that {legend.instrument(said.instrument)} is sound"
        ),
        pump.LeftByOperator: lambda said, legend: (
            f"a person let {legend.instrument(said.instrument)} stand"
        ),
        pump.RateChanged: lambda said, legend: (
            f"{legend.instrument(said.instrument)} was found {_found(said.rate_ul_min)}, and set "
            f"to {_rate(said.wanted_ul_min)} again"
        ),
        pump.LeftAsFound: lambda said, legend: (
            f"{_of(said.instrument, said.wells, legend)} was found {_found(said.rate_ul_min)} "
            f"after the stop instead of {_rate(said.wanted_ul_min)}, and left so"
        ),
        pump.WatchdogArmed: lambda said, legend: (
            f"{legend.instrument(said.instrument)} will stop by itself: {said.what}"
        ),
        pump.MassBalance: _balance,
        pump.DoseUncertain: _uncertain,
        pump.DoseAlarm: lambda said, legend: (
            f"{_entry(said.key, legend)}: its pump answered with an alarm: {said.what}"
        ),
        pump.DoseRefused: lambda said, legend: (
            f"{_entry(said.key, legend)}: refused, nothing came: {said.what}"
        ),
        pump.ArmAborted: lambda said, legend: (
            f"{_entry(said.because_of, legend)}, was too late: given up, but for perfusion: "
            f"{legend.wells_words(said.wells)}"
        ),
        other.SettingChanged: lambda said, legend: (
            f"{legend.instrument(said.instrument)} was found at {_setting(said, said.found)}, and "
            f"set to {_setting(said, said.wanted)} again"
        ),
        steps.StepLate: _step_late,
        steps.StepMissed: _step_missed,
        steps.StepHeldTooLong: lambda said, legend: (
            f"{_entry(said.key, legend)}: its pumps stood for {_for(said)} and then went on, as "
            "the cells had to be fed, though nobody had said that it was done"
        ),
        steps.StepNotPaused: lambda said, legend: (
            f"{_entry(said.key, legend)}: entered without a beginning, so nothing was paused for it"
        ),
        steps.StepOneSignature: lambda said, legend: (
            f"{_entry(said.key, legend)}: signed by {said.by} alone; two people should have"
        ),
        other.CaptureUnknown: lambda said, legend: (
            f"{legend.instrument(said.instrument)}: no capture threshold from {said.capture} for "
            f"channels {', '.join(map(str, said.channels))}; "
            + ("left silent" if said.done == "silent" else "given the fallback of the protocol")
        ),
        other.MissedPicture: lambda said, legend: (
            f"{_entry(said.key, legend)}, was missed: {said.reason}"
        ),
        other.PositionOff: _off_place,
        other.StageLost: lambda said, legend: (
            f"{said.instrument} is not where it was left: {said.what}"
        ),
        other.StageHomedByOperator: lambda said, legend: (
            f"a person put {said.instrument} right"
        ),
        other.DiskShort: _disk_short,
        other.Saturated: lambda said, legend: (
            f"{said.instrument}: {number_words(100 * said.fraction, '%')} of the pixels of "
            f"{_entry(said.key, legend)} are at the top of the scale"
        ),
        other.BadPicture: lambda said, legend: (
            f"{said.instrument}: {_entry(said.key, legend)} {doubt_words(said.doubts)}"
        ),
        other.EnvironmentOff: lambda said, legend: (
            f"{said.instrument}: the air is far off, since {legend.clock(said.from_s)}"
        ),
        other.EnvironmentWasOff: lambda said, legend: (
            f"{said.instrument}: the air was far off for {_for(said)}"
        ),
        other.EnvironmentUnseen: lambda said, legend: (
            f"{said.instrument} cannot be trusted since {legend.clock(said.from_s)}: {said.what}"
        ),
        other.EnvironmentSeen: lambda said, legend: (
            f"{said.instrument} gives readings that can be trusted again"
        ),
        other.InterlockTripped: _tripped,
        other.InterlockOver: _interlock_over,
        other.LinkLost: lambda said, legend: (
            f"{legend.instrument(said.instrument)} does not answer: "
            f"{_without(said.instrument, said.what) or 'nothing was heard'}"
        ),
        other.FailedByBug: lambda said, legend: (
            f"an error of labrig's own with {legend.instrument(said.instrument)}: "
            f"{_without(said.instrument, said.what) or 'unknown'}"
        ),
        other.LinkRestored: lambda said, legend: (
            f"{legend.instrument(said.instrument)} answers again, after {_for(said)}"
        ),
        other.LeftUnattended: lambda said, legend: (
            f"nobody could confirm in which state these are: {', '.join(said.instruments)}; look "
            "at them"
        ),
        other.WorkerDied: lambda said, legend: (
            f"the part of labrig that looks after {said.port or 'a port'} ended by an error of its "
            "own; runner.log has it"
        ),
        other.DispatcherDied: lambda said, legend: (
            "the part of labrig that gives orders ended by an error of its own: everything was "
            "made safe; runner.log has it"
        ),
        other.OutageTooLong: lambda said, legend: (
            f"nobody looked after the run for {_for(said)}, longer than the "
            f"{length_words(said.limit_s)} that its cells may do without: it was held, impulses "
            "and additives off, and a person was asked"
        ),
        other.OutageOver: lambda said, legend: (
            f"{said.by or 'somebody'} let the run go on after the long outage"
        ),
        other.RuleApplied: lambda said, legend: (
            f"by the rule errors.{said.action}.{said.error}, tried again {said.tries} times: "
            f"{_RULED.get(said.does, said.does)} ({_without(said.about, said.what)})"
        ),
        other.UnitHeld: lambda said, legend: (
            f"no dose and no picture of {legend.wells_words(said.wells)} begins: {said.why}"
        ),
        other.UnitReleased: lambda said, legend: (
            f"{said.by or 'somebody'} let {legend.wells_words(said.wells)} go on"
        ),
        other.AnswerByDefault: lambda said, legend: (
            f"nobody answered {said.question} in time: taken as {said.choice}, by its rule"
        ),
        other.Gap: lambda said, legend: (
            f"nothing could be done for {_for(said)}, from {legend.clock(said.from_s)} to "
            f"{legend.clock(said.to_s)}: {said.cause or 'nobody knows why'}"
        ),
        other.ClockWentBack: lambda said, legend: (
            f"the computer's clock said {said.utc[:16].replace('T', ' ')} UTC, before the last "
            f"entry of {said.last_utc[:16].replace('T', ' ')} UTC: how long nobody watched is "
            "unknown"
        ),
        other.JournalRestored: lambda said, legend: (
            f"the journal can be written again, after {_for(said)}; what waited has its true times"
        ),
        other.RowDropped: lambda said, legend: (
            f"a line of the journal about {said.kind} could not be kept: {said.why}"
        ),
        other.JournalDamaged: lambda said, legend: f"the journal is damaged: {said.what}",
        other.FolderLost: lambda said, legend: (
            f"the run folder {said.folder} was renamed, moved or deleted"
        ),
        other.FolderBack: lambda said, legend: f"the run folder {said.folder} is there again",
        other.UnblindedEarly: lambda said, legend: (
            f"{said.by or 'somebody'} was told the arms before the measures were closed "
            f"({said.reason}): {said.what}"
        ),
    }
)  # fmt: skip
"""By class; a test holds it complete."""

_UNITS: Mapping[str, str] = MappingProxyType(
    {
        "percent": "%", "c": "°C", "ul_min": "µL/min", "ul": "µL", "ml": "mL", "hpa": "hPa",
        "um": "µm", "s": "s", "g": "g", "v": "V", "ma": "mA",
    }
)  # fmt: skip
"""By the end of a quantity's name, how people write its unit."""
_NAMES: Mapping[str, str] = MappingProxyType({"co2": "CO2", "o2": "O2", "left": "what is left"})


def quantity_words(name: str) -> tuple[str, str]:
    """What a quantity with its unit in its name is called, and its unit, for people.

    >>> quantity_words("co2_percent"), quantity_words("rate_ul_min"), quantity_words("stalled")
    (('CO2', '%'), ('rate', 'µL/min'), ('stalled', ''))
    """
    for ending in sorted(_UNITS, key=len, reverse=True):
        if name.endswith(f"_{ending}"):
            bare = name.removesuffix(f"_{ending}")
            return _NAMES.get(bare, bare.replace("_", " ")), _UNITS[ending]
    return _NAMES.get(name, name.replace("_", " ")), ""


def _of(instrument: str, wells: Iterable[str], legend: Legend) -> str:
    """An instrument with the wells that the row itself names."""
    named = tuple(wells)
    return f"{instrument} ({legend.wells_words(named)})" if named else legend.instrument(instrument)


def _entry(key: str, legend: Legend) -> str:
    """An entry of the timeline in words; nobody is shown its key."""
    entry = legend.entries.get(key)
    if entry is None and key.startswith("step/"):
        # What somebody did though no plan asked for it.
        return f"the step {key.partition('/')[2].rpartition('/')[0]}"
    if entry is None:
        return "one entry of the plan"
    words = words_of(entry)
    due = legend.clock(entry.offset_s)
    return f"{words.unnamed if legend.blind else words.sentence}, due {due}"


def _rate(rate_ul_min: float) -> str:
    return number_words(rate_ul_min, "µL/min")


def _for(said: Any) -> str:  # noqa: ANN401 - whatever has a beginning and an end
    return length_words(said.to_s - (said.from_s or 0.0))


def _without(instrument: str, what: str) -> str:
    """An error's own words, which begin with the instrument's name."""
    return what.removeprefix(f"{instrument}: ").rstrip(".")
