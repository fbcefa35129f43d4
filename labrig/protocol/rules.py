"""What is fixed before the run: allocation, rules for what comes late, and who overrides."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from labrig.quantities import Hours, Seconds
from labrig.strict_model import Strict


class Randomisation(Strict):
    """Restricted, seeded allocation of arms to experimental units."""

    seed: int = Field(ge=0)
    balance_edges: bool = True
    candidates: int = Field(default=500, ge=1, le=100_000, description="layouts drawn and scored")


class LatenessRule(Strict):
    """What to do with an event whose time has passed."""

    rule: Literal["skip", "once_within", "coalesce", "ask", "abort_arm"]
    grace_s: Seconds = Field(default=0.0, alias="grace", ge=0)


class Rules(Strict):
    """Rules fixed before the run."""

    late_frame: LatenessRule = LatenessRule.model_construct(rule="once_within", grace_s=300.0)
    late_film: LatenessRule = LatenessRule.model_construct(rule="once_within", grace_s=600.0)
    late_reading: LatenessRule = LatenessRule(rule="skip")
    late_dose: LatenessRule = LatenessRule.model_construct(rule="once_within", grace_s=900.0)
    on_unknown_dose: Literal["assume_done", "redo", "ask"] = "assume_done"
    max_gap_h: Hours = Field(default=4.0, alias="max_gap", description="below half target: censor")


class Override(Strict):
    """A person takes responsibility for one blocking finding."""

    finding: str
    reason: str = Field(min_length=10)
    by: str = Field(min_length=2)
