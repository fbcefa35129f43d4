"""From regions of films to what one chip's junctions do: fidelity, latency, block, stability.

A region is *alive* when it answers the electrodes (at least half of the pulses of the direct film),
and *innervated* when it is alive and answers the nerve at the lowest frequency tried. Fidelity is
over regions that are alive, so that a region which lost its nerve counts as unanswered; what is
left of the regions that were innervated first is the stability (Smith et al. 2021: junctions after
over before).
"""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

LEAST_SHARE = 0.5
"""Share of pulses that a region must answer to count as alive, or as innervated [P]."""

CHIP_COLUMNS = (
    "chip", "test", "regions", "alive", "innervated", "fidelity", "fidelity_slow", "latency_ms",
    "junction_ms", "indirect_um", "direct_um", "indirect_direct", "beats_per_min", "block_index",
    "direct_kept", "stability",
)  # fmt: skip
FREQUENCY_COLUMNS = ("chip", "test", "frequency_hz", "given", "answered", "fidelity", "latency_ms")


def fidelity_by_frequency(rows: pd.DataFrame) -> pd.DataFrame:
    """Answered over given at each frequency of the nerve's impulses, over regions that are alive.

    Args:
        rows: One per chip, test, film and region: ``chip``, ``test`` (number of the test in the
            run), ``way`` (indirect, direct, silent), ``frequency_hz``, ``region``, ``resolved``,
            ``answered``, ``latency_ms``.

    Returns:
        Columns `FREQUENCY_COLUMNS`; none for a chip and test without indirect films.
    """
    found = []
    for (chip, test), own in rows.groupby(["chip", "test"], sort=True):
        alive = alive_regions(own)
        indirect = own[(own["way"] == "indirect") & own["region"].isin(alive)]
        for frequency, films in indirect.groupby("frequency_hz", sort=True):
            given, answered = int(films["resolved"].sum()), int(films["answered"].sum())
            found.append(
                {
                    "chip": chip,
                    "test": test,
                    "frequency_hz": frequency,
                    "given": given,
                    "answered": answered,
                    "fidelity": answered / given if given else math.nan,
                    "latency_ms": float(films["latency_ms"].median()),
                }
            )
    return pd.DataFrame(found, columns=list(FREQUENCY_COLUMNS))


def alive_regions(rows: pd.DataFrame) -> set[int]:
    """Regions of one test whose muscle answers the electrodes; all of them without direct films."""
    direct = rows[rows["way"] == "direct"]
    if direct.empty:
        return set(rows.loc[rows["points"] > 0, "region"].astype(int))
    return _answering(direct)


def innervated_regions(rows: pd.DataFrame) -> set[int]:
    """Regions of one test that are alive and answer the nerve at its lowest frequency."""
    indirect = rows[rows["way"] == "indirect"]
    if indirect.empty:
        return set()
    slow = indirect[indirect["frequency_hz"] == indirect["frequency_hz"].min()]
    return _answering(slow) & alive_regions(rows)


def _answering(films: pd.DataFrame) -> set[int]:
    sums = films.groupby("region")[["resolved", "answered"]].sum()
    share = sums["answered"] / sums["resolved"].where(sums["resolved"] > 0)
    # a film without regions beside them makes their numbers floats
    return set(sums.index[share >= LEAST_SHARE].astype(int))


def chip_summary(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per chip and test, columns `CHIP_COLUMNS`.

    ``junction_ms`` is the latency by the nerve less that by the electrodes: the muscle's own rise
    drops out. ``block_index`` is 1 less the fidelity over that of the chip's test before, in a
    test that follows a block (``blocked``); ``direct_kept`` the amplitude by the electrodes over
    that before. ``stability``: regions innervated in the first test that still are.
    """
    found: list[dict[str, Any]] = []
    for chip, of_chip in rows.groupby("chip", sort=True):
        first: set[int] | None = None
        before: dict[str, Any] | None = None
        for test, own in of_chip.groupby("test", sort=True):
            row = _test_row(own) | {"chip": chip, "test": test}
            now = innervated_regions(own)
            first = now if first is None else first
            row["stability"] = len(now & first) / len(first) if first else math.nan
            if before is not None and bool(own["blocked"].any()):
                row["block_index"] = _lost(row["fidelity"], before["fidelity"])
                row["direct_kept"] = _over(row["direct_um"], before["direct_um"])
            found.append(row)
            before = before if bool(own["blocked"].any()) else row
    table = pd.DataFrame(found, columns=list(CHIP_COLUMNS))
    return table


def _test_row(own: pd.DataFrame) -> dict[str, Any]:
    alive = alive_regions(own)
    inside = own[own["region"].isin(alive)]
    indirect, direct = inside[inside["way"] == "indirect"], inside[inside["way"] == "direct"]
    silent = own[own["way"] == "silent"]
    slow = indirect[indirect["frequency_hz"] == indirect["frequency_hz"].min()]
    latency_ms = float(indirect["latency_ms"].median())
    indirect_um, direct_um = (float(films["amplitude_um"].median()) for films in (indirect, direct))
    if len(indirect) and math.isnan(indirect_um):
        indirect_um = 0.0  # impulses were given and no region answered
    return {
        **dict.fromkeys(CHIP_COLUMNS, math.nan),
        "regions": int(own["region"].nunique()),
        "alive": len(alive),
        "innervated": len(innervated_regions(own)),
        "fidelity": _share(indirect),
        "fidelity_slow": _share(slow),
        "latency_ms": latency_ms,
        "junction_ms": latency_ms - float(direct["latency_ms"].median()),
        "indirect_um": indirect_um,
        "direct_um": direct_um,
        "indirect_direct": _over(indirect_um, direct_um),
        "beats_per_min": float(silent["beats_per_min"].median()),
    }


def _share(films: pd.DataFrame) -> float:
    return _over(float(films["answered"].sum()), float(films["resolved"].sum()))


def _over(part: float, whole: float) -> float:
    return part / whole if whole > 0 else math.nan


def _lost(now: float, before: float) -> float:
    return 1.0 - now / before if before > 0 else math.nan
