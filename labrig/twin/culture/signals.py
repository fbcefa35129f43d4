"""What all factors in a well say to its cells: occupancy, blockers, antagonists, resistance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from labrig.twin.culture.donor import Donor
from labrig.twin.responses.factors import Factor, Responses

ORIGINS = ("nerve", "muscle", "supply", "other")


def _none() -> dict[str, float]:
    return dict.fromkeys(ORIGINS, 0.0)


@dataclass(slots=True)
class Signals:
    """The sum of what factors do.

    Attributes:
        log_diameter, log_contraction: by origin.
        log_coupling, log_threshold, log_fatigue, log_nuclei_per_tube, log_clusters, log_neurites,
            log_transmission, log_nerve: as of :class:`labrig.twin.responses.factors.AfterFusion`.
        fused, log_nuclei_per_day: before fusion.
        kills_per_h: hazard of nuclei.
        unprotected: share of the hazard that is left.
        blocked: by pathway, 0 to 1.
        resists: how much resistance there would be in the end, by factor that meets it.
        ends_per_h: how fast resistance ends.
        supplied: components of the medium over normal, of those that factors are.
        spared: share of a component's lack that is made good.
        lasting: occupancy by factor whose effect turns.
    """

    log_diameter: dict[str, float] = field(default_factory=_none)
    log_contraction: dict[str, float] = field(default_factory=_none)
    log_coupling: float = 0.0
    log_threshold: float = 0.0
    log_fatigue: float = 0.0
    log_nuclei_per_tube: float = 0.0
    log_clusters: float = 0.0
    log_neurites: float = 0.0
    log_transmission: float = 0.0
    log_nerve: float = 0.0
    fused: float = 0.0
    log_nuclei_per_day: float = 0.0
    kills_per_h: float = 0.0
    unprotected: float = 1.0
    blocked: dict[str, float] = field(default_factory=dict)
    resists: float = 0.0
    resisted: tuple[str, ...] = ()
    ends_per_h: float = 0.0
    supplied: dict[str, float] = field(default_factory=dict)
    spared: dict[str, float] = field(default_factory=dict)
    lasting: dict[str, float] = field(default_factory=dict)


def signals(
    held_ng_ml: Mapping[str, float],
    responses: Responses,
    donor: Donor,
    resistance: Mapping[str, float],
) -> Signals:
    """What these concentrations say to cells of this donor.

    Args:
        held_ng_ml: by the names of ``responses``.
        responses: what factors do.
        donor: whose cells they are.
        resistance: by factor, the share of its effect that is lost.
    """
    said = Signals()
    there = [
        (factor, ng_ml)
        for name, ng_ml in held_ng_ml.items()
        if ng_ml > 0.0 and (factor := responses.factors.get(name)) is not None
    ]
    for factor, ng_ml in there:
        for what, ic50 in factor.blocks:
            free = 1.0 - said.blocked.get(what, 0.0)
            said.blocked[what] = 1.0 - free * ic50 / (ic50 + ng_ml)
        if factor.supplies:
            said.supplied[factor.supplies] = ng_ml / factor.normal_ng_ml
    for factor, ng_ml in there:
        _say(said, factor, ng_ml, donor, resistance)
    return said


def _say(
    said: Signals, factor: Factor, ng_ml: float, donor: Donor, resistance: Mapping[str, float]
) -> None:
    bound = ng_ml / (ng_ml + factor.ec50_ng_ml)
    bound *= _let_through(factor, said.blocked)
    own = donor.answers * (factor.old_donors if donor.old else 1.0)
    strength = bound * own * (1.0 - resistance.get(factor.name, 0.0))
    after, before = factor.after, factor.before
    said.log_diameter[factor.origin] += after.log_diameter * strength
    said.log_contraction[factor.origin] += after.log_contraction * strength
    said.log_coupling += after.log_coupling * bound
    said.log_threshold += after.log_threshold * bound
    said.log_fatigue += after.log_fatigue * bound
    said.log_nuclei_per_tube += after.log_nuclei_per_tube * strength
    said.log_clusters += after.log_clusters * bound
    said.log_neurites += after.log_neurites * bound
    said.log_transmission += after.log_transmission * bound
    said.log_nerve += after.log_nerve * bound
    said.fused += before.fused * strength
    said.log_nuclei_per_day += before.log_nuclei_per_day * strength
    said.kills_per_h += factor.kills_per_ng_ml_h * ng_ml
    said.unprotected *= 1.0 - factor.protects * bound
    if factor.blunts:
        said.resists = max(said.resists, bound)
        said.resisted = (*said.resisted, *factor.blunts)
    if factor.ends_resistance_h:
        said.ends_per_h += bound / factor.ends_resistance_h
    for component, share in factor.spares:
        said.spared[component] = min(1.0, said.spared.get(component, 0.0) + share * strength)
    if factor.lasting is not None:
        said.lasting[factor.name] = bound


def _let_through(factor: Factor, blocked: Mapping[str, float]) -> float:
    """The share of a factor's effect that blockers leave."""
    if not blocked:
        return 1.0
    left = 1.0 - blocked.get(factor.name, 0.0)
    if factor.pathway and factor.pathway != factor.name:
        left *= 1.0 - blocked.get(factor.pathway, 0.0)
    for pathway, share in factor.via:
        left *= 1.0 - share * blocked.get(pathway, 0.0)
    return left
