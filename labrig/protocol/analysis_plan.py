"""The analysis plan: what a report may claim, fixed with the definition before a run.

Everything that the plan does not name is shown as exploratory. Defaults are proposals [P] of the
labrig developers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from labrig.name_types import WellName
from labrig.quantities import Hours
from labrig.strict_model import Strict

if TYPE_CHECKING:
    from labrig.protocol.models import Protocol

Component = Literal["mass", "strength"]
"""What a primary read-out stands for: diameter; contraction at the reference stimulus."""


class PlannedContrast(Strict):
    """One arm against another."""

    arm: str
    against: str | None = Field(default=None, description="an arm; omitted: the control")
    must_show: tuple[Component, ...] = Field(
        default=(),
        description="a gate: no later contrast is interpreted unless this one shows their loss",
    )


class PlannedDonors(Strict):
    """How many donors the study is to have, and when one may look before."""

    planned: int = Field(ge=1, le=1000, description="in all nights of the study together")
    looks: tuple[int, ...] = Field(
        default=(),
        description="numbers of donors at which the study is judged before all are there and may "
        "stop (error spent after O'Brien and Fleming); none: it is judged once, at the end",
    )


class Exclusion(Strict):
    """A well that is in no analysis, for a reason known before treatment."""

    well: WellName
    reason: str = Field(min_length=3)


class AnalysisPlan(Strict):
    """What is claimed, of which arms, at what time, and at what risk of being wrong."""

    primary: tuple[Component, ...] | None = Field(
        default=None,
        min_length=1,
        description="primary read-outs; omitted: mass, and strength where films can tell it",
    )
    at_h: Hours | None = Field(
        default=None,
        alias="at",
        gt=0,
        description="when arms are compared, from the start of the run: the last round and films "
        "not after it; omitted: the last that an end did not cut short",
    )
    analysis_set: Literal["per-protocol", "intention-to-treat"] = Field(
        default="per-protocol",
        description="per-protocol: without wells whose doses did not come; the other is shown too",
    )
    baseline: Literal["change", "covariance", "none"] = Field(
        default="change",
        description="adjustment of a read-out that is planned before treatment: change within each "
        "well, covariate, or none",
    )
    contrasts: tuple[PlannedContrast, ...] = Field(
        default=(),
        description="in order, gates first; omitted: the first positive control as a gate, then "
        "every arm against the control",
    )
    correction: Literal["dunnett", "holm", "in-order"] = Field(
        default="dunnett",
        description="for several contrasts. in-order: each is tested only if the one before showed "
        "a loss, at the whole error rate",
    )
    error_rate: float = Field(
        default=0.05, gt=0, le=0.2, description="one-sided, for all claims of a loss together"
    )
    mass_share: float = Field(
        default=0.6,
        gt=0,
        lt=1,
        description="of the error rate, where strength is primary too and gets the rest",
    )
    claim: Literal["shown", "at-least-threshold"] = Field(
        default="shown",
        description="what a class asks of a loss: shown, with an estimate past the threshold; or "
        "shown to be at least the threshold",
    )
    equivalence_margin: float = Field(
        default=1.10, gt=1, description="a ratio from 1/margin to margin is no difference"
    )
    donors: PlannedDonors | None = None
    exclusions: tuple[Exclusion, ...] = Field(
        default=(),
        description="wells left out by name; all other exclusions are by the definition's rules",
    )


def reference_arm(protocol: Protocol) -> str | None:
    """The arm all others are compared with: the first with role ``control``; None: no others."""
    if len(protocol.arms) < 2:
        return None
    return next((name for name, arm in protocol.arms.items() if arm.role == "control"), None)


def plan_in_force(protocol: Protocol) -> AnalysisPlan:
    """The protocol's plan, or the default one, with its contrasts and primary read-outs named.

    Contrasts that the plan leaves out follow from the roles of arms; there are none without a
    control. Without a plan, a definition whose thresholds reach into the default margin of
    equivalence has one half as wide as its smallest loss.
    """
    plan = protocol.analysis or _default_plan(protocol)
    control = reference_arm(protocol)
    contrasts = tuple(
        c.model_copy(update={"against": c.against or control}) for c in plan.contrasts
    )
    if not contrasts and control is not None:
        contrasts = _by_roles(protocol, control)
    primary = plan.primary or (("mass", "strength") if _films_compare(protocol) else ("mass",))
    return plan.model_copy(update={"contrasts": contrasts, "primary": primary})


def _default_plan(protocol: Protocol) -> AnalysisPlan:
    plan, definition = AnalysisPlan(), protocol.definition
    highest = max(definition.low_mass_m, definition.low_strength_s)
    if 1 / plan.equivalence_margin > highest:
        return plan
    return plan.model_copy(update={"equivalence_margin": highest**-0.5})


def _by_roles(protocol: Protocol, control: str) -> tuple[PlannedContrast, ...]:
    others = [(name, arm.role) for name, arm in protocol.arms.items() if name != control]
    gates = [name for name, role in others if role == "positive-control"][:1]
    return tuple(
        PlannedContrast(arm=name, against=control, must_show=("mass",) if name in gates else ())
        for name in [*gates, *(name for name, _ in others if name not in gates)]
    )


def _films_compare(protocol: Protocol) -> bool:
    """Whether films show every well under the reference stimulus, so that arms can be compared."""
    films, reference = protocol.imaging.films, protocol.definition.reference_stimulus
    return films is not None and films.stimulus in (
        (reference,) if reference else protocol.patterns
    )
