"""What one factor does to a simulated culture, and all of them with the culture's numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from labrig.protocol.substances import spellings

Origin = Literal["nerve", "muscle", "supply", "other"]


@dataclass(frozen=True, slots=True)
class AfterFusion:
    """Effects on tubes at full occupancy: natural logarithms of ratios where ``log_`` is said.

    Attributes:
        log_diameter: of the mean diameter.
        log_contraction: of the amplitude of one twitch.
        log_coupling: of the amplitude, at once, by excitation and contraction coming apart.
        log_threshold: of the pulse amplitude that tubes need.
        log_fatigue: of what each pulse takes from the next response.
        log_nuclei_per_tube: nuclei that tubes take up.
        log_clusters: of the area of receptor clusters.
        log_neurites: of the length of neurites.
        log_transmission: of the chance that an impulse passes from nerve to muscle.
        log_nerve: of the health of motor neurons.
    """

    log_diameter: float = 0.0
    log_contraction: float = 0.0
    log_coupling: float = 0.0
    log_threshold: float = 0.0
    log_fatigue: float = 0.0
    log_nuclei_per_tube: float = 0.0
    log_clusters: float = 0.0
    log_neurites: float = 0.0
    log_transmission: float = 0.0
    log_nerve: float = 0.0


@dataclass(frozen=True, slots=True)
class BeforeFusion:
    """Effects on what has not fused: on the share that can, and on how fast cells multiply.

    Attributes:
        fused: change of the share of nuclei that will fuse, of 1.
        log_nuclei_per_day: growth of the number of nuclei that have not fused.
    """

    fused: float = 0.0
    log_nuclei_per_day: float = 0.0


@dataclass(frozen=True, slots=True)
class WhenLasting:
    """An effect that turns: small exposures act as ``at_first``, lasting ones as ``lasting``.

    Attributes:
        memory_h: over which exposure is averaged.
        turns_at: mean occupancy from which the lasting effect begins.
        at_first: on the diameter, log.
        lasting: on the diameter, log, at a mean occupancy of 1.
    """

    memory_h: float
    turns_at: float
    at_first: float
    lasting: float


@dataclass(frozen=True, slots=True)
class Factor:
    """What one factor does.

    Attributes:
        name: the usual one.
        aliases: others.
        origin: whose support or insult it is: sets how fast what follows.
        pathway: what a blocker may block; "" for its own.
        ec50_ng_ml: half of an effect.
        no_effect: why none is predicted; "" for a factor with effects.
        old_donors: times every effect in cultures of old donors.
        kills_per_ng_ml_h: hazard of the nuclei.
        protects: share of killing that it prevents at full occupancy.
        blocks: pathway or factor, and ic50 in ng/mL.
        via: pathway, and the share of its effects that passes through it.
        blunts: factors that it makes cultures resist.
        ends_resistance_h: time constant at which it ends resistance; 0 for none.
        supplies: component of the medium that it is; "" for none.
        normal_ng_ml: how much of that component is normal.
        spares: component, and the share of its lack that it makes good.
    """

    name: str
    aliases: tuple[str, ...] = ()
    origin: Origin = "other"
    pathway: str = ""
    ec50_ng_ml: float = 1.0
    no_effect: str = ""
    old_donors: float = 1.0
    after: AfterFusion = AfterFusion()
    before: BeforeFusion = BeforeFusion()
    lasting: WhenLasting | None = None
    kills_per_ng_ml_h: float = 0.0
    protects: float = 0.0
    blocks: tuple[tuple[str, float], ...] = ()
    via: tuple[tuple[str, float], ...] = ()
    blunts: tuple[str, ...] = ()
    ends_resistance_h: float = 0.0
    supplies: str = ""
    normal_ng_ml: float = 1.0
    spares: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Responses:
    """All that the simulated culture is made of besides its state.

    Attributes:
        factors: by usual name.
        numbers: by section and key, as in the file.
    """

    factors: Mapping[str, Factor]
    numbers: Mapping[str, Mapping[str, float]]
    _by_spelling: dict[str, str] = field(default_factory=dict)

    def known_as(self, name: str) -> str | None:
        """The usual name of a factor that the culture answers to; None for another.

        >>> from labrig.twin.responses import read_responses
        >>> read_responses().known_as("rhTNF-a")
        'TNF-alpha'
        """
        if not self._by_spelling:
            for factor in self.factors.values():
                for written in (factor.name, *factor.aliases):
                    for spelling in spellings(written)[:1]:
                        self._by_spelling.setdefault(spelling, factor.name)
        for spelling in spellings(name):
            if spelling in self._by_spelling:
                return self._by_spelling[spelling]
        return None
