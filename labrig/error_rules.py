"""What is done when something fails: error × action -> what to do. Data, and one pure function.

Every case that a runner can meet is one :class:`Case` of :data:`CASES`, with the rule that holds
where neither protocol nor rig says otherwise. What must never be repeated without a person is said
here too, so that no rule can ask for it. ``docs/error-rules.md`` is made of this table
(``python -m labrig.plan.error_rules_page``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Action = Literal[
    "level", "dose", "train", "move", "picture", "film", "reading", "valve", "climate", "step",
]  # fmt: skip
"""What was being done. ``level`` is that of a pump."""
Error = Literal[
    "no_answer", "garbled", "refused", "stalled", "unknown_outcome", "not_given", "not_arrived",
    "lost", "bad_picture", "camera_failed", "late",
]  # fmt: skip
Then = Literal["continue", "hold_unit", "hold_run", "ask"]
"""What follows once nothing is repeated any more. ``continue``: it is flagged, and all goes on."""

WAITED: frozenset[tuple[Action, Error]] = frozenset({
    ("level", "refused"), ("dose", "refused"), ("dose", "not_given"), ("move", "not_arrived"),
    ("picture", "camera_failed"), ("picture", "bad_picture"), ("film", "camera_failed"),
    ("film", "bad_picture"),
})  # fmt: skip
"""Of which a rule's ``apart`` is kept; all else is tried again in its own time."""
MOST_RETRIES = 20
MOST_APART_S = 3600.0


@dataclass(frozen=True, slots=True)
class ErrorRule:
    """What is done about one error of one action.

    Attributes:
        retries: how often it is repeated; None: for as long as it takes.
        apart_s: from one try to the next; 0: as soon as may be.
        default: the answer that is taken when nobody has answered ``after_s`` after an ``ask``;
            "": it waits for a person.
    """

    action: Action
    error: Error
    retries: int | None = 0
    apart_s: float = 0.0
    then: Then = "continue"
    default: str = ""
    after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Case:
    """One error of one action.

    Attributes:
        rule: what holds where nobody says otherwise.
        means: what has happened, and what is done about it in words.
        never_again: why it must not be repeated by a rule; "": it may.
        answers: what a person can answer when asked; ``risky`` ones may not be taken by default.
        governed_by: key of the protocol that says what is done; such a case takes no other rule.
    """

    rule: ErrorRule
    means: str
    never_again: str = ""
    answers: tuple[str, ...] = ("go_on", "hold_unit", "hold_run")
    risky: tuple[str, ...] = ()
    governed_by: str = ""

    @property
    def may_repeat(self) -> bool:
        """Whether a rule may have it tried again."""
        return not self.never_again and not self.governed_by


_ASKED_ON = "it is asked again with growing patience, for as long as the run lasts"
_STALL = ("restart", "leave")


def _link(action: Action, error: Error, means: str) -> Case:
    return Case(ErrorRule(action, error, retries=None), means)


_ALL = (
    _link("level", "no_answer", f"a pump is mute: {_ASKED_ON}; then its level is asserted"),
    _link("level", "garbled", f"a pump's answer makes no sense: {_ASKED_ON}"),
    Case(
        ErrorRule("level", "refused", retries=3, apart_s=60.0),
        "a pump does not take its rate, or does not say that it holds it: set again, which harms "
        "nothing; an alarm stands until it does",
    ),
    Case(
        ErrorRule("level", "stalled", retries=1, then="ask"),
        "nothing comes of what was commanded: restarted, then it stands, its wells are censored, "
        "and it is tried after 1, 2, 5, 10, then every 30 min",
        answers=_STALL,
    ),
    Case(
        ErrorRule("dose", "no_answer", retries=None),
        "the pump was mute before anything was sent: the dose waits for it, by its lateness rule",
    ),
    Case(
        ErrorRule("dose", "garbled", retries=None),
        "its counter could not be read before anything was sent: it waits likewise",
    ),
    Case(
        ErrorRule("dose", "refused"),
        "the pump says that it did not take the command, so nothing came: failed, with an alarm",
    ),
    Case(
        ErrorRule("dose", "not_given", retries=1),
        "the pump's counter says that nothing came: given again, then failed, with an alarm",
    ),
    Case(
        ErrorRule("dose", "unknown_outcome"),
        "part of it, or all, may have come: it is assumed to be done and counted between bounds, "
        "never as confirmed (`rules.on_unknown_dose` may have what is certainly missing given)",
        never_again="what came of it is not known: given again it may come twice",
        answers=("assume_done", "redo"),
        risky=("redo",),
    ),
    Case(
        ErrorRule("dose", "stalled", then="ask"),
        "the pump stalled in a dose: no other dose is sent to it until it is sound",
        never_again="a part of it has come: its counter says how much, and `unknown_outcome` "
        "what follows",
        answers=_STALL,
    ),
    Case(ErrorRule("dose", "late"), "its time has passed", governed_by="rules.late_dose"),
    Case(
        ErrorRule("train", "no_answer", retries=None),
        f"the stimulator is mute: {_ASKED_ON}; trains that passed meanwhile are missed",
    ),
    _link("train", "garbled", f"the stimulator's answer makes no sense: {_ASKED_ON}"),
    Case(
        ErrorRule("train", "refused"),
        "the stimulator refused a train or its programme: failed, with an alarm; the next train "
        "comes in its time",
        never_again="its time has passed, and the next train is due at its own",
    ),
    Case(
        ErrorRule("train", "unknown_outcome"),
        "it may have played or not: its pulses are counted between none and all",
        never_again="it may be playing: triggered again, the culture gets it twice",
    ),
    _link("move", "no_answer", f"the stage is mute: {_ASKED_ON}; pictures wait, by their rule"),
    _link("move", "garbled", f"the stage's answer makes no sense: {_ASKED_ON}"),
    Case(
        ErrorRule("move", "not_arrived", retries=1),
        "it did not come to where it was sent: moved again, then the picture is taken where it "
        "stands and flagged `position_verified: false`, or missed if it was still moving",
    ),
    Case(
        ErrorRule("move", "lost", then="ask"),
        "it does not stand where it was left: nobody knows where it is",
        never_again="moved by wrong coordinates, it may run into an objective or a plate",
        answers=("homed", "leave"),
        risky=("homed",),
    ),
    *(
        case
        for action, late, doubts in (
            (
                "picture",
                "rules.late_frame",
                "it shows nothing, is dark, torn, out of focus, or the very picture taken before",
            ),
            ("film", "rules.late_film", "it shows nothing, or all of its frames are one"),
        )
        for case in (
            Case(
                ErrorRule(action, "camera_failed", retries=1),  # type: ignore[arg-type]
                "the camera gave no picture, hung or tore it; its process was killed if need be: "
                "taken again, then missed, with an alarm",
            ),
            Case(
                ErrorRule(action, "bad_picture"),  # type: ignore[arg-type]
                f"more than 1 % of it is at the top of the scale, {doubts}: kept and flagged, with "
                "an alarm",
            ),
            Case(
                ErrorRule(action, "late"),  # type: ignore[arg-type]
                "its time has passed",
                governed_by=late,
            ),
        )
    ),
    _link("reading", "no_answer", f"the probe is mute: {_ASKED_ON}; a reading waits, by its rule"),
    _link("reading", "garbled", f"the probe's answer makes no sense: {_ASKED_ON}"),
    Case(ErrorRule("reading", "late"), "its time has passed", governed_by="rules.late_reading"),
    _link("valve", "no_answer", f"the valve is mute: {_ASKED_ON}; then its level is asserted"),
    _link("valve", "garbled", f"the valve's answer makes no sense: {_ASKED_ON}"),
    Case(
        ErrorRule("valve", "refused", retries=None, apart_s=60.0),
        "it does not turn, or does not stand where it should: turned again; an alarm stands until "
        "it does",
    ),
    _link("climate", "no_answer", f"the controller is mute: {_ASKED_ON}"),
    _link("climate", "garbled", f"the controller's answer makes no sense: {_ASKED_ON}"),
    Case(
        ErrorRule("climate", "refused", retries=None, apart_s=60.0),
        "it does not take its set point: set again; an alarm stands until it does",
    ),
    Case(
        ErrorRule("step", "late"),
        "nobody did it in its time",
        governed_by="steps[].if_missed",
    ),
)

CASES: Mapping[tuple[Action, Error], Case] = {
    (case.rule.action, case.rule.error): case for case in _ALL
}
"""Every case that there is."""
ACTIONS: tuple[Action, ...] = tuple(dict.fromkeys(action for action, _ in CASES))
DEFAULTS: tuple[ErrorRule, ...] = tuple(case.rule for case in CASES.values())


@dataclass(frozen=True, slots=True)
class Retry:
    """Do it once more, no sooner than ``apart_s`` from now."""

    apart_s: float


@dataclass(frozen=True, slots=True)
class Continue:
    """It is flagged, and all else goes on."""


@dataclass(frozen=True, slots=True)
class HoldUnit:
    """No dose and no picture of its wells begins until a person says so; levels go on."""


@dataclass(frozen=True, slots=True)
class HoldRun:
    """As ``labrig hold``."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A person decides; ``default`` is taken ``after_s`` later, if there is one."""

    answers: tuple[str, ...]
    default: str
    after_s: float


Decision = Retry | Continue | HoldUnit | HoldRun | Ask


def decide(error: Error, action: Action, rule: ErrorRule, tries: int) -> Decision:
    """What is to be done. Pure.

    Args:
        error: what has happened.
        action: what was being done.
        rule: that of this error and action.
        tries: how often it was repeated already.

    Returns:
        never a :class:`Retry` of what must not be repeated, whatever the rule says; nor a default
        that is a person's alone to choose.

    Raises:
        ValueError: the rule is about something else, or there is no such case.
    """
    case = CASES.get((action, error))
    if case is None or (rule.action, rule.error) != (action, error):
        raise ValueError(f"the rule {rule.action}.{rule.error} says nothing of {action}.{error}")
    if case.may_repeat and (rule.retries is None or tries < rule.retries):
        return Retry(rule.apart_s)
    match rule.then:
        case "continue":
            return Continue()
        case "hold_unit":
            return HoldUnit()
        case "hold_run":
            return HoldRun()
        case "ask":
            sound = rule.default in case.answers and rule.default not in case.risky
            return Ask(case.answers, rule.default if sound else "", rule.after_s if sound else 0.0)
