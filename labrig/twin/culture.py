"""The simulated culture of one well: a small dose-response model.

State variables relax towards targets that the well's factors, its impulses and the freshness of
its medium set. The numbers are the assumptions of ``responses.toml``.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any


def load_responses() -> dict[str, Any]:
    """The simulator's assumptions, as read from ``responses.toml``."""
    text = files("labrig.twin").joinpath("responses.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@dataclass(slots=True)
class Activity:
    """How much a culture was driven lately: mean pulse rates in Hz, tonic and phasic apart."""

    tonic_hz: float = 0.0
    phasic_hz: float = 0.0
    pulses: float = 0.0

    def pulse(self, count: float, *, burst_hz: float, tau_h: float) -> None:
        """Count pulses that a train delivered, as an exponential moving mean rate."""
        added = count / (tau_h * 3600.0)
        if burst_hz >= 50.0:
            self.phasic_hz += added
        else:
            self.tonic_hz += added
        self.pulses += count

    def fade(self, hours: float, tau_h: float) -> None:
        """Let time pass without pulses."""
        keep = math.exp(-hours / tau_h)
        self.tonic_hz *= keep
        self.phasic_hz *= keep


@dataclass(slots=True)
class Culture:
    """What is true of the myotubes of one well at one moment.

    Attributes:
        base: the donor's and well's own log deviation, fixed.
        log_diameter: log of mean diameter relative to a standard mature culture.
        log_contraction: log of contraction amplitude, likewise.
        fused: share of tubes that have formed.
        coverage: share of the tubes' area still attached.
        pyknotic: share of nuclei that are condensed.
    """

    base: float
    log_diameter: float
    log_contraction: float
    fused: float
    coverage: float = 1.0
    pyknotic: float = 0.02

    def advance(
        self,
        hours: float,
        factors_ng_ml: Mapping[str, float],
        freshness: float,
        activity: Activity,
        responses: Mapping[str, Any],
    ) -> None:
        """Let ``hours`` pass in constant surroundings."""
        starved = 1.0 - min(1.0, max(0.0, freshness))
        starvation, drive, growth = (
            responses["starvation"],
            responses["activity"],
            responses["growth"],
        )
        diameter = self.base + starvation["log_diameter"] * starved
        contraction = self.base + starvation["contraction"] * starved
        for name, effect in responses["factors"].items():
            held = factors_ng_ml.get(name, 0.0)
            bound = held / (held + effect["ec50_ng_ml"])
            diameter += effect["log_diameter"] * bound
            contraction += effect["log_contraction"] * bound
        for kind, hertz in (("tonic", activity.tonic_hz), ("phasic", activity.phasic_hz)):
            level = min(1.0, hertz / drive["full_at_hz"])
            diameter += drive[f"{kind}_log_diameter"] * level
            contraction += drive[f"{kind}_log_contraction"] * level
        step = 1.0 - math.exp(-hours / growth["tau_h"])
        self.log_diameter += (diameter - self.log_diameter) * step
        self.log_contraction += (contraction - self.log_contraction) * step
        fusing = 1.0 - math.exp(-hours / growth["fusion_tau_h"])
        self.fused += (growth["fused_at_end"] - self.fused) * fusing
        attached = 1.0 + starvation["coverage"] * starved
        self.coverage += (attached - self.coverage) * step
        self.pyknotic += ((0.02 + 0.10 * starved) - self.pyknotic) * step
