"""What a plan is foreseen to use and to do: volumes, concentrations, pulses."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Depletion:
    """When a reservoir runs dry at the planned rates; None when it outlasts the run.

    Attributes:
        needed_ml: in all.
        available_ml: of one filling.
        refills_s: when people are asked to fill it up.
        between_ml: the most that is drawn between two fillings, by people who come late; 0 where
            none is planned.
    """

    reservoir: str
    needed_ml: float
    available_ml: float
    dry_at_s: float | None
    refills_s: tuple[float, ...] = ()
    between_ml: float = 0.0

    @property
    def of_a_filling_ml(self) -> float:
        """What one filling has to give."""
        return self.between_ml if self.refills_s else self.needed_ml


@dataclass(frozen=True, slots=True)
class Curve:
    """Predicted (or, in the ledger, modelled-as-delivered) concentration in one well.

    ``low``/``high`` are the band from the uncertainty of an assumed half-life; in the ledger, from
    what nobody knows of its pumps.
    """

    well: str
    factor: str
    target_ng_ml: tuple[float, ...]
    times_s: tuple[float, ...]
    values_ng_ml: tuple[float, ...]
    low_ng_ml: tuple[float, ...]
    high_ng_ml: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class PulseFigures:
    """What one pattern does electrically at one electrode pair; formulas in pulse_physics."""

    pattern: str
    electrode: str
    current_ma: float
    charge_uc: float
    charge_density_uc_cm2: float
    shannon_k: float
    field_v_cm: float
    power_mw: float
    heating_k: float
    mean_rate_hz: float
    pulses: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """Readers' digest of the timeline: duration, consumption, physics."""

    duration_s: float
    frames: int
    films: int
    image_bytes: int
    depletion: tuple[Depletion, ...]
    curves: tuple[Curve, ...]
    pulses: tuple[PulseFigures, ...]
