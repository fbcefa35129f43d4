"""Impulse patterns: their mean rate, and the library that protocols copy from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType

MEAN_RATE_TOLERANCE = 0.01
"""Relative difference allowed between a stated mean rate and the computed one."""


def mean_rate_hz(frequency_hz: float, on_s: float | None, off_s: float | None) -> float:
    """Pulses a second on average: frequency × on / (on + off); continuous without on and off.

    >>> mean_rate_hz(10.0, 10.0, 40.0)
    2.0
    """
    if on_s is None or off_s is None:
        return frequency_hz
    return frequency_hz * on_s / (on_s + off_s)


@dataclass(frozen=True, slots=True)
class LibraryPattern:
    """One pattern of the library, as the YAML of a protocol spells it.

    Attributes:
        source: where it was read, or how it was derived, with its mark.
    """

    pulse_width: str
    amplitude: str
    shape: str
    frequency: str
    source: str
    train_on: str | None = None
    train_off: str | None = None
    mean_rate: str | None = None


_LOMO = "[S] Lømo, Westgaard & Dahl 1974: 10 and 100 Hz, both 2 Hz on average; times [C]"
_EPS = "[S] electrical pulse stimulation protocols, Methods Mol Biol 1889:17-24 (2019)"

LIBRARY: Mapping[str, LibraryPattern] = MappingProxyType(
    {
        "clfs_1hz": LibraryPattern("2 ms", "11.5 V", "biphasic", "1 Hz", _EPS, mean_rate="1 Hz"),
        "acute_100hz": LibraryPattern(
            "2 ms", "20 V", "biphasic", "100 Hz", _EPS, "0.2 s", "4.8 s", "4 Hz"
        ),
        "resistance_100hz": LibraryPattern(
            "0.4 ms",
            "15 V",
            "biphasic",
            "100 Hz",
            "[S] Front Bioeng 2020, 565679; 1 s train [P], its length was not to be seen",
            "1 s",
            "4 s",
            "20 Hz",
        ),
        "tonic_10hz_2mean": LibraryPattern(
            "0.4 ms", "15 V", "biphasic", "10 Hz", _LOMO, "10 s", "40 s", "2 Hz"
        ),
        "phasic_100hz_2mean": LibraryPattern(
            "0.4 ms", "15 V", "biphasic", "100 Hz", _LOMO, "0.5 s", "24.5 s", "2 Hz"
        ),
        "hypertrophy_bout": LibraryPattern(
            "2.5 ms",
            "50 V",
            "biphasic",
            "1 Hz",
            "[S] C2C12 hypertrophy by EPS, CiNii 1050001338427289984",
            "300 s",
            "3300 s",
            "0.08333 Hz",
        ),
        "mature_0p1hz": LibraryPattern(
            "6 ms", "4 V", "biphasic", "0.1 Hz", "[S, truncated] 4 V for 24 h; rate [K]"
        ),
        "twitch_2hz": LibraryPattern(
            "0.4 ms", "15 V", "biphasic", "2 Hz", "[P] single twitches, each relaxed by the next"
        ),
        "sham": LibraryPattern(
            "0.4 ms", "0 V", "biphasic", "10 Hz", "electrodes in, outputs silent"
        ),
    }
)


def library_yaml(name: str) -> str:
    """A pattern of the library as one YAML line, ready to be put under ``patterns:``.

    >>> library_yaml("mature_0p1hz").partition(", source")[0]
    'mature_0p1hz: {pulse_width: 6 ms, amplitude: 4 V, shape: biphasic, frequency: 0.1 Hz'
    """
    written = {key: value for key, value in asdict(LIBRARY[name]).items() if value is not None}
    source = written.pop("source")
    entries = ", ".join(f"{key}: {value}" for key, value in written.items())
    return f'{name}: {{{entries}, source: "{source}"}}'
