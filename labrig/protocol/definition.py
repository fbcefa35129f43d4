"""The definition of sarcopenia in vitro that is committed before a run.

Mirrors the GLIS (2024) components mass, strength, muscle-specific strength. The thresholds
are proposals [P] of the labrig developers, editable until committed; cultured myotubes are not
aged muscle, so "sarcopenia-like" is the strongest wording permitted.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from labrig.quantities import Hours
from labrig.strict_model import Strict


class Definition(Strict):
    """Per experimental unit, relative to the within-donor vehicle control.

    m = GM(D)/GM(D_control); s = C/C_control; q = s/m; v = attached-nuclei ratio;
    a = tube-area-fraction ratio.
    """

    named: Literal["sarcopenia", "mass_only", "myopenia", "dynapenia", "low_quality"] = Field(
        default="sarcopenia",
        description="what an arm has to show to have it: mass and strength lost; mass alone (1988; "
        "myopenia is the same by another word); strength and not mass; strength for its mass",
    )
    low_mass_m: float = Field(default=0.85, gt=0, lt=1)
    low_strength_s: float = Field(default=0.80, gt=0, lt=1)
    low_quality_q: float = Field(default=0.85, gt=0, lt=1)
    viability_v: float = Field(default=0.80, gt=0, lt=1)
    coverage_a: float = Field(default=0.60, gt=0, lt=1)
    fidelity_low: float = Field(
        default=0.8, gt=0, lt=1, description="delivered over planned dose below this: censored"
    )
    fidelity_high: float = Field(default=1.2, gt=1)
    assessments: int = Field(default=2, ge=1, description="consecutive assessments that must agree")
    apart_h: Hours = Field(default=12.0, alias="apart", gt=0)
    min_nuclei: int = Field(default=2, ge=1, description="nuclei that make a tube a myotube")
    min_tubes: int = Field(
        default=20,
        ge=1,
        description="tubes a well needs to count, in a unit and in the control",
    )
    reference_stimulus: str = ""
    basis: str = "labrig proposal [P] after GLIS 2024 components"
