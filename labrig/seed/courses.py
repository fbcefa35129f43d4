"""How each arm of a probed plan fares: one number a quantity and moment, over its wells."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from labrig.plan.plan import Plan
from labrig.protocol.models import Protocol

Truth = Mapping[float, Mapping[str, Mapping[str, Any]]]
"""By seconds from the start and by well."""

_FATIGUE_PULSES = 100
"""A fatigue ratio is the last response over the first of so many pulses."""

QUANTITIES: Mapping[str, Callable[[Mapping[str, Any]], float]] = {
    "diameter": lambda well: math.exp(well["log_diameter"]),
    "diameter_q90": lambda well: math.exp(well["log_diameter"] + well["fast_log"]),
    "diameter_q10": lambda well: math.exp(well["log_diameter"] + well["slow_log"]),
    "contraction": lambda well: math.exp(well["log_contraction"]),
    "specific_strength": lambda well: math.exp(well["log_contraction"] - well["log_diameter"]),
    "rate_of_rise": lambda well: math.exp(well["log_contraction"]) / well["time_to_peak_s"],
    "half_relaxation": lambda well: well["half_relaxation_s"],
    "capture_threshold": lambda well: well["threshold_v"],
    "fatigue": lambda well: (1.0 - well["fatigue_per_pulse"]) ** _FATIGUE_PULSES,
    "fusion_index": lambda well: well["fused"],
    "nuclei": lambda well: well["nuclei"],
    "nuclei_per_tube": lambda well: well["nuclei_per_tube"],
    "pyknotic_share": lambda well: well["pyknotic"],
    "detachment": lambda well: well["detached"],
    "clusters": lambda well: well["clusters"],
    "neurite_length": lambda well: well["neurites"],
    "fidelity": lambda well: well["fidelity"],
    "neurites": lambda well: well["neurites"],
    "myogenin_per_gapdh": lambda well: well["myogenin"],
}
"""A read-out of the truth of a well, on a scale of its own: only signs are read from it."""

OWN_START = frozenset(
    {"diameter", "diameter_q10", "diameter_q90", "contraction", "specific_strength", "rate_of_rise"}
)
"""Wells differ in these before anything is done: each is held against itself at the start."""


class NotModelled(Exception):
    """The simulated culture has no such quantity."""


@dataclass(frozen=True, slots=True)
class Courses:
    """What became of the wells of a plan.

    Attributes:
        truth: at the start (0) and at every moment that is asked for.
        arms: by well; of a chip by its muscle side, where what passes the junction shows.
        donors: by well, the names that its donor goes by: its own, and its group's.
    """

    truth: Truth
    arms: Mapping[str, str]
    donors: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, protocol: Protocol, plan: Plan, truth: Truth) -> Courses:
        """The courses of a plan's wells."""
        names = {donor.id: frozenset({donor.id, donor.age_group}) for donor in protocol.donors}
        return cls(
            truth,
            {well.well: well.arm for well in plan.wells if well.compartment != "nerve"},
            {well.well: names[well.donor] for well in plan.wells},
        )

    def value(self, of: str, arm: str | None, at_s: float, among: str | None = None) -> float:
        """Mean over the wells of an arm (None: all) and of a group of donors (None: all).

        Raises:
            NotModelled: the truth holds no such quantity.
        """
        wells = [
            well
            for well, its in self.arms.items()
            if arm in (None, its) and (among is None or among in self.donors[well])
        ]
        values = [self._of_well(of, well, at_s) for well in wells]
        return sum(values) / len(values)

    def first_loss_s(self, of: str, arm: str, against: str, share: float) -> float:
        """When an arm is first this share below another; infinite when it never is."""
        for at_s in sorted(self.truth):
            held = self.value(of, arm, at_s) / self.value(of, against, at_s)
            if held <= 1.0 - share:
                return at_s
        return math.inf

    def _of_well(self, of: str, well: str, at_s: float) -> float:
        try:
            read = QUANTITIES[of]
            now = read(self.truth[at_s][well])
            start = read(self.truth[0.0][well]) if of in OWN_START else 1.0
        except KeyError:
            raise NotModelled(of) from None
        return now / start
