"""All that a synthetic field needs to know of a culture, and of its microscope, at one moment."""

from __future__ import annotations

from dataclasses import dataclass, fields

_FRACTIONS = (
    "fused_fraction",
    "coverage",
    "pyknotic_fraction",
    "detached_fraction",
    "dead_fraction",
    "contamination",
    "bleached_fraction",
    "capture_probability",
)
_NOT_NEGATIVE = (
    "diameter_factor",
    "nuclei_factor",
    "nuclei_per_tube",
    "clusters",
    "terminals",
    "neurites",
    "capture_log_sd",
    "tired_pulses",
    "contraction_um",
    "capture_threshold_v",
    "fatigue_per_pulse",
    "light",
    "bubble_um",
)


@dataclass(frozen=True, slots=True)
class CultureState:
    """The culture, and the optics it is seen through, at one moment.

    The geometry (where each tube and nucleus is) belongs to the `Scene`; the state says how
    much of it is there. Changing the state a little changes the picture a little, so a
    sequence of states is a time-lapse of one and the same field.

    Culture:
        diameter_factor: Width of every tube over its own fully grown width (1 = as drawn from
            the scene's log-normal; 0.47 = starved, Stevenson 2005).
        fused_fraction: Share of the nuclei that has fused, 0 to about 0.8 (the scene's limit).
            Tubes appear in a fixed order as it rises. The exact fusion index is in the truth.
        coverage: Share of the field that still holds cells; what is lost is lost in patches.
        nuclei_factor: Number of nuclei over the nominal number, up to 1.5.
        pyknotic_fraction: Share of the nuclei that is condensed.
        nuclei_per_tube: Nuclei in a tube over its own number; what is more than 1 was taken up
            from free ones, as far as there are any.
        fast_log: Log by which the widest tubes are wider still; none for the median tube.
        slow_log: Log by which the thinnest tubes are wider; none for the median tube.
        detached_fraction: Share of the tubes that has peeled off.
        dead_fraction: Share of the nuclei that a stain of the dead shows.
        clusters: Area of receptor clusters over the usual; terminals and neurites alike.
        contamination: Turbidity, 0 (clear) to 1 (nothing else to be seen).

    Contraction (see `film`):
        contraction_um: 95th percentile, inside tubes, of the displacement in one unfatigued
            twitch.
        capture_threshold_v: Median over tubes of the lowest pulse amplitude that they follow.
        capture_log_sd: SD over tubes of the logarithm of that amplitude; None: as drawn.
        capture_probability: Chance that the culture follows a supra-threshold pulse at all.
        fatigue_per_pulse: Each captured pulse lowers the next response by this fraction.
        tired_pulses: Pulses before the film whose fatigue is still there.

    Microscope:
        light: Illumination over nominal (1 = well exposed).
        bleached_fraction: Share of the fluorescence that is bleached.
        defocus_um: Distance from focus; the sign does not matter.
        drift_px: (dy, dx) by which the culture is moved in the picture, pixels.
        bubble_um: Diameter of a gas bubble in the middle of the field; 0 = none.
        hot_pixels: Number of stuck bright pixels on the sensor.
    """

    diameter_factor: float = 1.0
    fused_fraction: float = 0.6
    coverage: float = 1.0
    nuclei_factor: float = 1.0
    nuclei_per_tube: float = 1.0
    pyknotic_fraction: float = 0.02
    fast_log: float = 0.0
    slow_log: float = 0.0
    detached_fraction: float = 0.0
    dead_fraction: float = 0.05
    clusters: float = 1.0
    terminals: float = 1.0
    neurites: float = 1.0
    contamination: float = 0.0
    contraction_um: float = 2.0
    capture_threshold_v: float = 8.0
    capture_log_sd: float | None = None
    capture_probability: float = 1.0
    fatigue_per_pulse: float = 0.0
    tired_pulses: float = 0.0
    light: float = 1.0
    bleached_fraction: float = 0.0
    defocus_um: float = 0.0
    drift_px: tuple[float, float] = (0.0, 0.0)
    bubble_um: float = 0.0
    hot_pixels: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is None:
                continue
            if field.name in _FRACTIONS and not 0.0 <= value <= 1.0:
                raise ValueError(
                    f"CultureState.{field.name} is {value}: it is a share, give 0 to 1"
                )
            if field.name in _NOT_NEGATIVE and not value >= 0.0:
                raise ValueError(f"CultureState.{field.name} is {value}: give 0 or more")


EMPTY = CultureState(fused_fraction=0.0, nuclei_factor=0.0)
"""A field with no cells in it, only debris and light."""
