"""What may be missing of a dose nobody knows about, and how a person is asked. Pure."""

from __future__ import annotations

from labrig.plan.timeline import Dose
from labrig.record.alarms import Question
from labrig.record.kinds.doses import Bounds
from labrig.run.dose_witness import Witness

GIVE_UP, GIVE_AGAIN = "assume_done", "redo"


def certainly_missing_ul(dose: Dose, bounds: Bounds) -> float:
    """What can be given without any chance of giving more than was planned."""
    return max(dose.volume_ul - bounds.at_most_ul, 0.0)


def question_of(
    dose: Dose, instrument: str, witness: Witness, bounds: Bounds, rest: bool, now_s: float
) -> Question:
    """Ask whether to give it again, saying what each answer gives and what may then have come.

    Args:
        dose: or what was left of it, when ``rest``.
        instrument: its pump.
        witness: what the pump's counter said of it.
        bounds: between which volumes it has come.
        rest: another part of the dose was given before.
        now_s: on the run's clock.
    """
    what = f"the rest, {dose.volume_ul:.4g} µL," if rest else f"{dose.volume_ul:.4g} µL"
    again_ul = dose.volume_ul - bounds.at_least_ul
    most_ul = bounds.at_most_ul + again_ul
    return Question(
        dose.key,
        f"Of {what} into {', '.join(dose.wells)} by {instrument}, "
        f"{_came(witness, bounds)} was delivered. {GIVE_AGAIN} gives {again_ul:.4g} µL more: "
        f"up to {most_ul:.4g} of {dose.volume_ul:.4g} µL may then have come. "
        f"{GIVE_UP} gives nothing more: {_between(bounds)} of {dose.volume_ul:.4g} µL have come.",
        (GIVE_UP, GIVE_AGAIN),
        now_s,
        {
            "volume_ul": dose.volume_ul,
            "at_least_ul": bounds.at_least_ul,
            "at_most_ul": bounds.at_most_ul,
            "rest": rest,
        },
    )


def _came(witness: Witness, bounds: Bounds) -> str:
    if witness.delivered_ul is not None:
        return f"{witness.delivered_ul:.4g} µL"
    return f"an unknown part ({_between(bounds)} µL)"


def _between(bounds: Bounds) -> str:
    if bounds.at_most_ul == bounds.at_least_ul:
        return f"{bounds.at_least_ul:.4g}"
    return f"{bounds.at_least_ul:.4g} to {bounds.at_most_ul:.4g}"
