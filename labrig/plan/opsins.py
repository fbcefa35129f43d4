"""Which light drives which opsin: the band outside of which a light is taken not to move cells.

Peaks are where the makers and users put their lamps; bands are read off published action spectra
from memory, where the response has fallen to about a tenth: check yours before you rely on an edge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Opsin:
    """A light-gated channel. Wavelengths in nm; ``basis``: with its mark."""

    peak_nm: float
    low_nm: float
    high_nm: float
    basis: str

    def driven_by(self, wavelength_nm: float, bandwidth_nm: float = 0.0) -> bool:
        """Whether any of a light falls into the band."""
        half = bandwidth_nm / 2.0
        return self.low_nm <= wavelength_nm + half and wavelength_nm - half <= self.high_nm


_CHR2 = Opsin(
    470.0, 380.0, 560.0,
    "peak 470 nm [S] Erofeev 2016 (Opera Med Physiol 2:117), [S] PLoS Comput Biol 9:e1003220; "
    "band [K]",
)  # fmt: skip
_RED = "peak and band [K]"

OPSINS: Mapping[str, Opsin] = MappingProxyType(
    {
        "ChR2": _CHR2,
        "ChR2-H134R": _CHR2,
        "CoChR": Opsin(480.0, 380.0, 560.0, "480 nm [S] PMC6554551; band [K]"),
        "Chronos": Opsin(500.0, 400.0, 590.0, _RED),
        "C1V1": Opsin(550.0, 420.0, 630.0, _RED),
        "ReaChR": Opsin(590.0, 420.0, 650.0, _RED),
        "ChrimsonR": Opsin(590.0, 420.0, 680.0, _RED),
    }
)


def opsin(name: str) -> Opsin | None:
    """The opsin of that name, however it is hyphenated; None: not known here.

    >>> opsin("chr2 (H134R)") is opsin("ChR2-H134R")
    True
    """
    plain = _letters(name)
    return next((known for own, known in OPSINS.items() if _letters(own) == plain), None)


def _letters(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())
