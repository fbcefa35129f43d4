"""Strength as films show it: optical contraction at the experimental unit, and films left out.

Movement that is seen, in µm, never force. Only films with ``status`` ok count: a film whose test
pulses did not come says nothing about its culture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from labrig.plan.experimental_units import Unit
from labrig.protocol.models import Protocol
from labrig.report.flags import Flag, counted
from labrig.report.growth import geometric

if TYPE_CHECKING:
    import pandas as pd

READOUTS = {
    "amplitude_um": "Optical contraction (µm)",
    "time_to_peak_ms": "Time to peak (ms)",
    "half_relaxation_ms": "Half relaxation (ms)",
}
"""What the figure shows, with its axis label; the first is the definition's strength."""

COLUMNS = (
    "unit", "arm", "donor", "film", "round", "hours", "wells", "amplitude_um", "time_to_peak_ms",
    "half_relaxation_ms", "capture_percent",
)  # fmt: skip


def unit_contractions(
    films: pd.DataFrame,
    units: Sequence[Unit],
    censored_from_s: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """One row per unit and block of films, from its wells' films that count.

    Its amplitude, of which ratios are taken, is the geometric mean over its wells (0 where one
    does not move), its times are plain means.

    Args:
        films: ``contractions.csv``.
        units: of the run.
        censored_from_s: by well; its films from then on are left out. None keeps all.

    Returns:
        columns :data:`COLUMNS`; ``wells`` is how many the row rests on.
    """
    import pandas as pd

    if films.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    films = of_no_series(films)
    unit_of = {well: unit for unit in units for well in unit.wells}
    kept = films[films["well"].isin(unit_of) & (films["status"] == "ok") & films["round"].notna()]
    if censored_from_s:
        from_s = kept["well"].map(censored_from_s).astype(float).fillna(float("inf"))
        kept = kept[kept["offset_s"] < from_s]
    kept = kept.assign(
        unit=[unit_of[well].name for well in kept["well"]],
        time_to_peak_ms=1000.0 * kept["time_to_peak_s"],
        half_relaxation_ms=1000.0 * kept["half_relaxation_s"],
        capture_percent=100.0 * kept["capture_fraction"],
    )
    rows = []
    for unit in units:
        own = kept[kept["unit"] == unit.name]
        for film, group in own.groupby("film", sort=True):
            wells = group.groupby("well").mean(numeric_only=True)
            means = {name: float(wells[name].mean()) for name in COLUMNS[7:]}
            means["amplitude_um"] = geometric(list(wells["amplitude_um"]))
            rows.append(
                {
                    "unit": unit.name,
                    "arm": unit.arm,
                    "donor": unit.donor,
                    "film": film,
                    "round": int(group["round"].iloc[0]),
                    "hours": float(group["offset_s"].mean()) / 3600.0,
                    "wells": len(wells),
                    **means,
                }
            )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def of_no_series(films: pd.DataFrame) -> pd.DataFrame:
    """Films at the reference stimulus: those of test series show other tests."""
    if "assay" not in films:
        return films
    return films[films["assay"].isna() | (films["assay"] == "")]


def strength_by_round(table: pd.DataFrame) -> dict[tuple[str, int], float]:
    """By unit and round, the amplitude in µm that the definition's *s* is a ratio of.

    Args:
        table: from :func:`unit_contractions`; of two films near one round the later counts.
    """
    known = table[table["amplitude_um"].notna()].sort_values("film", kind="stable")
    return {
        (str(row["unit"]), int(row["round"])): float(row["amplitude_um"])
        for row in known.to_dict("records")
    }


def why_no_strength(protocol: Protocol) -> str:
    """Why films cannot give the definition's strength, whatever they show; empty if they can."""
    films, reference = protocol.imaging.films, protocol.definition.reference_stimulus
    if films is None or not films.at:
        return "strength not assessable: the protocol takes no films of contraction"
    if films.stimulus is None:
        return "strength not assessable: films show each well under its own impulses"
    if reference and films.stimulus != reference:
        return (
            f"strength not assessable: films were taken under {films.stimulus}, the definition "
            f"asks for {reference}"
        )
    return ""


def films_left_out(films: pd.DataFrame, arm_of: Mapping[str, str]) -> tuple[Flag, ...]:
    """Why films do not count, of ``contractions.csv``."""
    if films.empty:
        return ()
    return counted(films[films["status"] != "ok"], "reasons", arm_of)
