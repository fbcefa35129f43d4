"""Nuclei that die, tubes that peel off, and what protects them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from labrig.twin.culture.relaxing import approach, between, toward
from labrig.twin.culture.signals import Signals

Numbers = Mapping[str, Mapping[str, float]]


@dataclass(slots=True)
class Death:
    """Shares, 0 to 1, except for the logarithm of the domain.

    Attributes:
        dying: nuclei that are condensed by an insult.
        lost: nuclei that are gone.
        starved: condensed nuclei and lost area by want of medium, 0 to 1.
        peeled: tubes that came off by themselves.
        heat_shock: proteins of it.
        hardy: by little glucose.
        log_domain: what tubes lost in width since they have fewer nuclei.
    """

    dying: float = 0.0
    lost: float = 0.0
    starved: float = 0.0
    peeled: float = 0.0
    heat_shock: float = 0.0
    hardy: float = 0.0
    log_domain: float = 0.0

    def step(
        self,
        hours: float,
        said: Signals,
        *,
        starved: float,
        missed: float,
        trained: float,
        glucose: float,
        temperature_c: float,
        age_days: float,
        numbers: Numbers,
    ) -> None:
        """Let nuclei die and tubes peel for so long.

        Args:
            hours: how long.
            said: by factors.
            starved: 1 less the freshness of the medium.
            missed: of the usual support, log diameter.
            trained: 0 to 1, by impulses.
            glucose: over normal.
            temperature_c: of the culture.
            age_days: of differentiation.
            numbers: of ``responses.toml``.
        """
        death, climate, medium = numbers["death"], numbers["climate"], numbers["medium"]
        self._harden(hours, glucose, temperature_c, climate, medium)
        left = said.unprotected * (1.0 - numbers["activity"]["protects"] * trained)
        left *= 1.0 - climate["hsp_protects"] * self.heat_shock
        left *= 1.0 - medium["sparing_protects"] * self.hardy
        hot = max(0.0, temperature_c - climate["heat_kills_from_c"])
        per_h = (said.kills_per_h + climate["heat_kills_per_c_h"] * hot) * left
        per_h += death["deprived_per_log_h"] * missed
        alive = max(0.0, 1.0 - self.dying - self.lost)
        self.dying += alive * (1.0 - math.exp(-per_h * hours))
        gone = self.dying * approach(hours, death["condensed_h"])
        self.dying -= gone
        self.lost += gone
        self.starved = toward(self.starved, starved, hours, numbers["starvation"]["coverage_h"])
        if age_days > death["peels_from_day"]:
            self.peeled += (1.0 - self.peeled) * death["peels_per_day"] * hours / 24.0
        domain = death["diameter_per_log_nuclei"] * math.log(max(0.05, 1.0 - self.lost))
        self.log_domain = toward(self.log_domain, domain, hours, death["domain_h"])

    def _harden(
        self,
        hours: float,
        glucose: float,
        temperature_c: float,
        climate: Mapping[str, float],
        medium: Mapping[str, float],
    ) -> None:
        self.heat_shock = toward(self.heat_shock, 0.0, hours, climate["hsp_h"])
        heat = between(climate["heat_from_c"], climate["heat_full_c"], temperature_c)
        if heat > 0.0:
            tau_h = climate["heat_answer_h"] / heat
            self.heat_shock = toward(self.heat_shock, 1.0, hours, tau_h)
        sparing = between(medium["sparing_from"], medium["sparing_full"], glucose)
        if glucose < medium["glucose_from"]:
            sparing = 0.0
        self.hardy = toward(self.hardy, sparing, hours, medium["sparing_h"])

    def pyknotic(self, numbers: Numbers) -> float:
        """Share of the nuclei that are there and condensed."""
        own = numbers["death"]["baseline"] + numbers["starvation"]["pyknotic"] * self.starved
        return min(1.0, own + self.dying / max(0.05, 1.0 - self.lost))

    def coverage(self, numbers: Numbers) -> float:
        """Share of the area that still holds cells."""
        area = 1.0 + numbers["starvation"]["coverage"] * self.starved
        return max(0.0, area + numbers["death"]["coverage"] * self.lost)

    def detached(self, numbers: Numbers) -> float:
        """Share of the tubes that came off."""
        return 1.0 - (1.0 - self.peeled) * (1.0 - numbers["death"]["tubes"] * self.lost)
