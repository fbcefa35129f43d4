"""What people do during a run, and what they bring back: ``steps:`` and ``results:``.

A step is a question with a deadline, to one or two people. A result is a table that another
laboratory, or another instrument, gives afterwards.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from string import Formatter
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from labrig.name_types import FileName, Name, WellName
from labrig.problems import KeyPath, Mistake, did_you_mean
from labrig.protocol.moments import MomentText, moment_of, moments_of_arm
from labrig.quantities import Percent, Seconds, Ul
from labrig.strict_model import Strict

if TYPE_CHECKING:
    from labrig.protocol.models import Protocol


AFTER_STEP = "after-step "
LABEL_PARTS = ("plate", "well", "hour", "step")
LONGEST_HOLD_S = 1800.0
"""[P] Myotubes go without exchange of medium for so long at most while hands are at the plate."""
WITHIN_S = 1800.0
TAKES_S = 600.0

Act = Literal["change-medium", "refill", "wash", "stain", "fix", "sample", "other"]
ENDS_THE_CULTURE = frozenset({"stain", "fix"})
"""After these the cells do not live on [K]; a live dye is `do: other`."""


def _one_or_more(value: object) -> object:
    return value if isinstance(value, list | tuple) else (value,)


def _time_or_moment(value: object) -> str:
    return "=moment" if isinstance(value, str) and value.strip()[:1].isalpha() else "=time"


When = Annotated[
    Annotated[Seconds, Tag("=time")] | Annotated[MomentText, Tag("=moment")],
    Discriminator(_time_or_moment),
]
"""A time from the start, or a moment: ``end - 2 h``, ``restore``."""

Signs = Literal["operator", "second"]


class Then(Strict):
    """What the run does once the step was done."""

    image: Annotated[
        tuple[FileName, ...],
        BeforeValidator(_one_or_more, json_schema_input_type=FileName | tuple[FileName, ...]),
    ] = Field(default=(), description="channels of imaging.channels that are taken after the step")


class PersonStep(Strict):
    """What a person does at the plate, at one time or several."""

    name: Name | None = Field(default=None, description="omitted: as `do` says")
    at: Annotated[
        tuple[When, ...],
        BeforeValidator(_one_or_more, json_schema_input_type=When | tuple[When, ...]),
        Field(min_length=1),
    ] = Field(description="times from the start, or moments: '48 h', 'end', 'restore + 24 h'")
    do: Act
    what: str = Field(default="", max_length=200, description="in words, for who does it")
    to: Name | None = Field(default=None, description="the medium that comes in")
    exchange_percent: Percent = Field(
        default=100.0, alias="exchange", gt=0, le=100,
        description="share of a chamber's liquid that is replaced",
    )  # fmt: skip
    with_: tuple[str, ...] = Field(default=(), alias="with", description="stains or washes")
    of: Literal["effluent", "medium", "lysate", "cells"] | None = Field(
        default=None, description="what a sample is taken of"
    )
    volume_ul: Ul | None = Field(default=None, alias="volume", gt=0, description="into each tube")
    label: str = Field(
        default="{plate}-{well}-{hour}", max_length=60,
        description="of a tube; may hold {plate}, {well}, {hour}, {step}",
    )  # fmt: skip
    wells: tuple[WellName, ...] = Field(default=(), description="empty: every well of the plan")
    arms: tuple[Name, ...] = Field(default=(), description="empty: every arm")
    within_s: Seconds = Field(
        default=WITHIN_S, alias="within", gt=0, description="done later than this is late"
    )
    wait_s: Seconds | None = Field(
        default=None, alias="wait", gt=0,
        description="so long after `at` the run waits for it, cells fed, then it is missed; "
        "omitted: twice `within`",
    )  # fmt: skip
    takes_s: Seconds = Field(
        default=TAKES_S, alias="takes", gt=0, description="how long hands are at the plate [P]"
    )
    sign: Annotated[
        tuple[Signs, ...],
        BeforeValidator(_one_or_more, json_schema_input_type=Signs | tuple[Signs, ...]),
        Field(min_length=1, max_length=2),
    ] = Field(default=("operator",), description="who signs: one person, or two")
    pumps: Literal["keep", "hold"] = Field(
        default="keep", description="hold: pumps stand while hands are at the plate"
    )
    bottles: Literal["keep", "change"] = Field(
        default="keep",
        description="change: the bottles that feed these wells are changed to the same medium; "
        "keep: lines go on bringing what they did",
    )
    if_missed: Literal["censor", "flag", "stop"] = Field(
        default="flag",
        description="what a step that was late, refused or not done means: its wells are left out "
        "from then on, are only flagged, or the run is stopped",
    )
    then: Then = Then()

    @property
    def called(self) -> str:
        """Its name, or what it does."""
        return self.name or self.do

    @property
    def waits_s(self) -> float:
        """How long after its time it may still be done."""
        return 2 * self.within_s if self.wait_s is None else self.wait_s

    def times_s(self, known: Mapping[str, float]) -> tuple[float | None, ...]:
        """When it is due, on the run's clock, in the order of the file.

        ``known``: moments of an arm, by name; None stands where it has no such moment.
        """
        return tuple(
            moment_of(at).at_s(known) if isinstance(at, str) else float(at) for at in self.at
        )

    def concerns(self, arm: str, well: str) -> bool:
        """Whether a well of this arm is among those that it is about."""
        return arm in self.arms if self.arms else not self.wells or well in self.wells


class ResultPlan(Strict):
    """A table that comes from elsewhere, and how it is joined to wells."""

    name: Name | None = Field(default=None, description="omitted: as the file is called")
    file: FileName = Field(description="as it is expected, e.g. nt4_elisa.csv")
    of: Name = Field(
        default="well", description="a step that takes samples, or `well` for one value a well"
    )
    joins: Literal["label", "well"] = Field(
        default="label", description="what its rows are known by"
    )
    column: str = Field(min_length=1, max_length=80, description="that holds the value")
    unit: str = Field(default="", max_length=30, description="of the value, as the report says it")
    measures: Name | None = Field(
        default=None, description="the factor that it measures; simulated runs fill the table by it"
    )
    lod: float | None = Field(
        default=None, gt=0, description="limit of detection, in the unit that `unit` names"
    )
    below: Literal["LOD", "half-LOD", "zero", "missing"] = Field(
        default="missing",
        description="what a value below it counts as: the limit, its half, 0, or nothing",
    )
    show: bool = Field(default=True, description="whether the report shows it")

    @property
    def called(self) -> str:
        """Its name, or that of its file without its ending."""
        return self.name or self.file.rpartition(".")[0] or self.file


def step_of_rounds(rounds: str) -> str:
    """The step that a channel taken ``after-step NAME`` waits for; "" for another."""
    return rounds.removeprefix(AFTER_STEP).strip() if rounds.startswith(AFTER_STEP) else ""


def step_mistakes(protocol: Protocol) -> Iterator[Mistake]:
    """Mistakes in ``steps:``, in ``results:``, and in channels that wait for a step."""
    names = Counter(step.called for step in protocol.steps)
    for index, step in enumerate(protocol.steps):
        path: KeyPath = ("steps", index)
        if names[step.called] > 1:
            yield Mistake(
                (*path, "name"), f"two steps are called '{step.called}'",
                "Give each step its own `name`.", step.called,
            )  # fmt: skip
        yield from _times(protocol, path, step)
        yield from _means(protocol, path, step)
        yield from _label(path, step)
        yield from _pictures(protocol, path, step)
    yield from _waiting_channels(protocol)
    yield from _results(protocol)


def _times(protocol: Protocol, path: KeyPath, step: PersonStep) -> Iterator[Mistake]:
    yield from _moments(protocol, path, step)
    if step.wait_s is not None and step.wait_s < step.within_s:
        yield Mistake(
            (*path, "wait"),
            f"the run waits {step.wait_s / 60:g} min, but the step is on time for "
            f"{step.within_s / 60:g} min",
            "Make `wait` at least as long as `within`, or leave it out.",
            f"{step.wait_s / 60:g} min",
        )
    if step.sign == ("second",) or len(set(step.sign)) < len(step.sign):
        yield Mistake(
            (*path, "sign"), "one person would sign twice, or only a second one",
            "Write `sign: operator`, or `sign: [operator, second]`.",
        )  # fmt: skip
    if step.pumps == "hold" and step.takes_s > LONGEST_HOLD_S:
        yield Mistake(
            (*path, "takes"),
            f"pumps would stand for {step.takes_s / 60:g} min; cells go without medium for "
            f"{LONGEST_HOLD_S / 60:g} min at most",
            "Write `pumps: keep`, or make several steps of it.",
            f"{step.takes_s / 60:g} min",
        )


def _moments(protocol: Protocol, path: KeyPath, step: PersonStep) -> Iterator[Mistake]:
    """Whether every arm that it is about has the moment, once, within the run."""
    duration_s = protocol.duration_s
    told: set[int] = set()
    for arm in step.arms or tuple(protocol.arms):
        if arm not in protocol.arms:
            continue
        known = moments_of_arm(protocol, arm)
        times = step.times_s(known)
        for index, at_s in enumerate(times):
            # One time alone is written without a list.
            here: KeyPath = (*path, "at", index) if len(times) > 1 else (*path, "at")
            if index in told:
                continue
            if at_s is None:
                told.add(index)
                name = moment_of(str(step.at[index])).label
                yield Mistake(
                    here, f"arm '{arm}' has no moment '{name}'",
                    f"{did_you_mean(name, list(known))} Or name the arms that have it: "
                    "`arms: [...]`.", step.at[index],
                )  # fmt: skip
            elif not 0 <= at_s <= duration_s:
                told.add(index)
                yield Mistake(
                    here,
                    f"{at_s / 3600:g} h is outside the run (0 to {duration_s / 3600:g} h)",
                    "Steps are timed from the start of the run; `end` is its last moment.",
                )
        if len(set(times)) < len(times) and len(step.at) not in told:
            told.add(len(step.at))
            yield Mistake((*path, "at"), "the same time stands there twice", "Name it once.")


def _means(protocol: Protocol, path: KeyPath, step: PersonStep) -> Iterator[Mistake]:
    if step.do in ("change-medium", "refill") and step.to is None:
        yield Mistake(
            path, f"'{step.called}' does not say which medium comes in",
            f"Add `to: {next(iter(protocol.media))}`.",
        )  # fmt: skip
    if step.to is not None and step.do not in ("change-medium", "refill"):
        yield Mistake(
            (*path, "to"), f"`to` is for a change of medium, not for `do: {step.do}`",
            "Leave it out, or write `do: change-medium`.", step.to,
        )  # fmt: skip
    elif step.to is not None and step.to not in protocol.media:
        what = f"there is no medium '{step.to}'"
        yield Mistake((*path, "to"), what, did_you_mean(step.to, list(protocol.media)), step.to)
    if step.bottles == "change" and step.do != "change-medium":
        yield Mistake(
            (*path, "bottles"), f"bottles are changed with the medium, not by `do: {step.do}`",
            "Write `do: change-medium` with `to: MEDIUM`, or leave it out.", step.bottles,
        )  # fmt: skip
    if step.do == "stain" and not step.with_:
        yield Mistake(
            path, f"'{step.called}' does not say with what", "Add `with: [MF-20, Hoechst]`."
        )
    if step.do == "sample" and step.of is None:
        yield Mistake(
            path, f"'{step.called}' does not say what is taken",
            "Add `of: effluent`, or medium, lysate, cells.",
        )  # fmt: skip
    for key, given in (("of", step.of), ("volume", step.volume_ul)):
        if given is not None and step.do != "sample":
            yield Mistake(
                (*path, key), f"`{key}` is for a sample, not for `do: {step.do}`",
                "Leave it out, or write `do: sample`.",
            )  # fmt: skip
    if step.do == "other" and not step.what:
        yield Mistake(
            path, f"'{step.called}' does not say what is done", "Add `what: ...` in a few words."
        )
    for index, arm in enumerate(step.arms):
        if arm not in protocol.arms:
            remedy = did_you_mean(arm, list(protocol.arms))
            yield Mistake((*path, "arms", index), f"there is no arm '{arm}'", remedy, arm)
    if step.arms and step.wells:
        yield Mistake(
            (*path, "wells"), "both `arms` and `wells` say whom it is about", "Name one of them."
        )


def _label(path: KeyPath, step: PersonStep) -> Iterator[Mistake]:
    try:
        parts = {part for _, part, _, _ in Formatter().parse(step.label) if part is not None}
    except ValueError:
        parts = {"?"}
    unknown = sorted(parts - set(LABEL_PARTS))
    if unknown:
        yield Mistake(
            (*path, "label"), f"a label has no {{{unknown[0]}}}",
            "It may hold {plate}, {well}, {hour} and {step}.", step.label,
        )  # fmt: skip
    elif step.do == "sample" and "well" not in parts:
        yield Mistake(
            (*path, "label"), "all tubes of a time would bear one label",
            "Put {well} into it, as in '{plate}-{well}-{hour}'.", step.label,
        )  # fmt: skip
    elif step.do == "sample" and len(step.at) > 1 and "hour" not in parts:
        yield Mistake(
            (*path, "label"), "the tubes of a well would bear one label at every time",
            "Put {hour} into it, as in '{plate}-{well}-{hour}'.", step.label,
        )  # fmt: skip


def _pictures(protocol: Protocol, path: KeyPath, step: PersonStep) -> Iterator[Mistake]:
    channels = protocol.imaging.channels
    for index, name in enumerate(step.then.image):
        here: KeyPath = (*path, "then", "image", index)
        if name not in channels:
            what = f"there is no channel '{name}' in imaging.channels"
            yield Mistake(here, what, did_you_mean(name, list(channels)), name)
            continue
        waits_for = step_of_rounds(channels[name].rounds)
        if waits_for and waits_for != step.called:
            yield Mistake(
                here, f"channel '{name}' is taken after the step '{waits_for}', not after this",
                f"Write `rounds: after-step {step.called}`, or name it there.", name,
            )  # fmt: skip


def _waiting_channels(protocol: Protocol) -> Iterator[Mistake]:
    steps = {step.called: step for step in protocol.steps}
    films = protocol.imaging.films
    for name, channel in protocol.imaging.channels.items():
        waits_for = step_of_rounds(channel.rounds)
        path: KeyPath = ("imaging", "channels", name, "rounds")
        if not waits_for:
            continue
        if waits_for not in steps:
            what = f"there is no step '{waits_for}'"
            yield Mistake(path, what, did_you_mean(waits_for, list(steps)), channel.rounds)
        elif name not in steps[waits_for].then.image:
            yield Mistake(
                path, f"the step '{waits_for}' does not have it taken",
                f"Add `then: {{image: [{name}]}}` to the step.", channel.rounds,
            )  # fmt: skip
        if films is not None and films.channel == name:
            yield Mistake(
                path, "films are taken in this channel during the run",
                "Film in a channel that needs no stain.", channel.rounds,
            )  # fmt: skip


def _results(protocol: Protocol) -> Iterator[Mistake]:
    steps = {step.called: step for step in protocol.steps}
    names = Counter(result.called for result in protocol.results)
    for index, result in enumerate(protocol.results):
        path: KeyPath = ("results", index)
        if names[result.called] > 1:
            yield Mistake(
                (*path, "name"), f"two results are called '{result.called}'",
                "Give each its own `name`.", result.called,
            )  # fmt: skip
        sampled = [name for name, step in steps.items() if step.do == "sample"]
        if result.of != "well" and result.of not in sampled:
            what = f"no step '{result.of}' takes samples"
            yield Mistake(
                (*path, "of"), what, did_you_mean(result.of, [*sampled, "well"]), result.of
            )
        elif result.of == "well" and result.joins == "label":
            yield Mistake(
                (*path, "joins"), "a value of a well has no label of a tube",
                "Write `joins: well`, or `of:` with the step that takes the samples.",
            )  # fmt: skip
        if result.measures is not None and result.measures not in protocol.factors:
            what = f"there is no factor '{result.measures}'"
            remedy = did_you_mean(result.measures, list(protocol.factors))
            yield Mistake((*path, "measures"), what, remedy, result.measures)
        if result.below not in ("missing", "zero") and result.lod is None:
            yield Mistake(
                (*path, "below"), f"`below: {result.below}` needs the limit of detection",
                "Add `lod:` in the unit of the column, or write `below: missing`.", result.below,
            )  # fmt: skip
