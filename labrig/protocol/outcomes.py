"""Outcomes: what a run is to show, named and committed before it begins.

Each outcome is one question of one or several read-outs, answered at the experimental unit with an
interval. All that are named here make one family (Holm) beside the analysis plan's primary
read-outs; whatever else a report shows is exploratory.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from labrig.name_types import Name
from labrig.protocol.moments import MomentText
from labrig.quantities import Hertz, Percent
from labrig.strict_model import Strict

Readouts = Annotated[
    Name | Annotated[tuple[Name, ...], Field(min_length=1)],
    Field(description="a read-out or a list of them, each a question of its own"),
]
Level = Name | Annotated[int, Field(ge=0)] | Annotated[tuple[Name, ...], Field(min_length=1)]


class _Outcome(Strict):
    name: Name | None = Field(default=None, description="omitted: the kind and the read-outs")
    of: Readouts

    @property
    def readouts(self) -> tuple[str, ...]:
        """Names of the read-outs it asks of."""
        return (self.of,) if isinstance(self.of, str) else self.of


class _BetweenArms(_Outcome):
    arms: tuple[Name, ...] = Field(default=(), description="omitted: every arm but the control")
    against: Name | None = Field(default=None, description="an arm; omitted: the control")


class ValueOutcome(_BetweenArms):
    """A read-out at one moment, adjusted for where wells began as the analysis plan says."""

    kind: Literal["value"] = "value"
    at: MomentText | None = Field(
        default=None, description="omitted: when the analysis plan compares arms"
    )
    assay: Name | None = Field(
        default=None, description="the test series that gives it, where several could"
    )
    frequency_hz: Hertz | None = Field(
        default=None, alias="frequency", gt=0, description="the step of a force-frequency series"
    )


class NamedBaseline(BaseModel):
    """The moment whose value each well is divided by."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at: MomentText


def _shape_of_baseline(value: object) -> str:
    return "=named" if isinstance(value, (Mapping, NamedBaseline)) else "=moment"


class RatioOutcome(_BetweenArms):
    """A read-out over what it was at a named baseline, in the same well."""

    kind: Literal["ratio"]
    baseline: Annotated[
        Annotated[MomentText, Tag("=moment")] | Annotated[NamedBaseline, Tag("=named")],
        Discriminator(_shape_of_baseline),
    ]
    at: MomentText | None = None

    @property
    def baseline_at(self) -> str:
        """The moment of the baseline."""
        return self.baseline if isinstance(self.baseline, str) else self.baseline.at


class QuantilesOutcome(_BetweenArms):
    """Quantiles of a well's tubes, each compared as a value: fibres of one kind are a tail."""

    kind: Literal["quantiles"]
    at: tuple[Annotated[float, Field(gt=0, lt=100)], ...] = Field(
        min_length=1, description="quantiles in per cent, e.g. [10, 50, 90]"
    )
    when: MomentText | None = None


class SlopeOutcome(_BetweenArms):
    """The slope of the logarithm on time, a day, within each well."""

    kind: Literal["slope"]
    since: MomentText = Field(default="treatment", alias="from")
    until: MomentText = Field(default="end", alias="to")


class TimeToLossOutcome(_BetweenArms):
    """Hours until a unit has lost this share of what it had, in two rounds running."""

    kind: Literal["time-to-loss"]
    loss_percent: Annotated[Percent, Field(ge=1, le=90)] = Field(alias="loss")
    since: MomentText = Field(default="treatment", alias="from")
    until: MomentText = Field(
        default="end", alias="to", description="until when means are compared (tau)"
    )


class OrderOutcome(_Outcome):
    """Whether read-outs lose this share one after the other, in the order written."""

    kind: Literal["order"]
    of: Annotated[tuple[Name, ...], Field(min_length=2)]
    loss_percent: Annotated[Percent, Field(ge=1, le=90)] = Field(alias="loss")
    arms: tuple[Name, ...] = Field(
        default=(), description="in which the order is claimed; omitted: every arm but the control"
    )
    since: MomentText = Field(default="treatment", alias="from")
    until: MomentText = Field(default="end", alias="to")


class RecoveredFraction(_Outcome):
    """What comes back after support was gone for a while, against how long it was gone."""

    kind: Literal["recovered-fraction"]
    before: MomentText = Field(description="where the gap begins, e.g. gap")
    ended: MomentText | None = Field(
        default=None, description="where it ends, e.g. restore; omitted: the label of after"
    )
    after: MomentText = Field(description="when it is looked at, e.g. restore + 48 h")
    against: Literal["gap length"] = "gap length"
    arms: tuple[Name, ...] = Field(
        default=(), description="omitted: every arm that has both moments, and the control as gap 0"
    )


class InteractionOutcome(_Outcome):
    """Whether the effect of one factor depends on another: a ratio of ratios."""

    kind: Literal["interaction"]
    cells: dict[Name, tuple[Level, Level]] = Field(
        min_length=2,
        max_length=3,
        description="two or three factors, each with two levels, the reference first. A level is "
        "an arm or a list of arms; of donor.age_group, donor.age, donor.sex, donor.genotype, "
        "donor.morbidity, donor.passage it is a value of that attribute (of age e.g. 'under-40', "
        "'from-65')",
    )
    at: MomentText | None = None


class BetweenDonorsOutcome(_Outcome):
    """A read-out itself, between donors that differ in an attribute: its main effect.

    Donors are not drawn, so it is a comparison of people as they are; their number is the n.
    """

    kind: Literal["between-donors"]
    between: dict[Name, tuple[Level, Level]] = Field(
        min_length=1,
        max_length=1,
        description="an attribute of donors and two of its levels, the reference first, as "
        "`donor.age_group: [young, old]`; levels are those of an interaction",
    )
    arms: tuple[Name, ...] = Field(default=(), description="in these; omitted: the control")
    at: MomentText | None = Field(
        default=None, description="omitted: when the analysis plan compares arms"
    )


_KINDS = {
    "value": ValueOutcome,
    "ratio": RatioOutcome,
    "quantiles": QuantilesOutcome,
    "slope": SlopeOutcome,
    "time-to-loss": TimeToLossOutcome,
    "order": OrderOutcome,
    "recovered-fraction": RecoveredFraction,
    "interaction": InteractionOutcome,
    "between-donors": BetweenDonorsOutcome,
}


def _kind(value: Any) -> str | None:  # noqa: ANN401 - whatever a file holds
    if isinstance(value, Mapping):
        kind = value.get("kind", "value")
    else:
        kind = getattr(value, "kind", "value")
    return f"={kind}" if isinstance(kind, str) and kind in _KINDS else None


Outcome = Annotated[
    Annotated[ValueOutcome, Tag("=value")]
    | Annotated[RatioOutcome, Tag("=ratio")]
    | Annotated[QuantilesOutcome, Tag("=quantiles")]
    | Annotated[SlopeOutcome, Tag("=slope")]
    | Annotated[TimeToLossOutcome, Tag("=time-to-loss")]
    | Annotated[OrderOutcome, Tag("=order")]
    | Annotated[RecoveredFraction, Tag("=recovered-fraction")]
    | Annotated[InteractionOutcome, Tag("=interaction")]
    | Annotated[BetweenDonorsOutcome, Tag("=between-donors")],
    Discriminator(
        _kind,
        custom_error_type="outcome_kind",
        custom_error_message="there is no outcome of this kind",
        custom_error_context={"remedy": f"Give `kind:` one of {', '.join(_KINDS)}."},
    ),
]


def name_of_outcome(outcome: Outcome) -> str:
    """Its name, or its kind and read-outs where it has none."""
    if outcome.name:
        return outcome.name
    asked = ", ".join(outcome.readouts)
    return asked if outcome.kind == "value" else f"{outcome.kind} of {asked}"
