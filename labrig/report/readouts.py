"""Every read-out by name as one value per well and moment, read from the tables of a run.

What read-outs there are, and which column of which table each is, says
:mod:`labrig.protocol.readouts`. Here a table becomes values: tubes and fields of a well at one
round are averaged to the well, and wells are averaged to units where arms are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labrig.protocol.readouts import Readout, Table
from labrig.record.result_tables import imports_of
from labrig.report.growth import tubes_that_count
from labrig.report.junctions import of_living_regions
from labrig.report.record import Record
from labrig.report.results import planned_of, values_of

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("well", "moment", "hours", "value")


@dataclass(frozen=True, slots=True)
class Series:
    """A read-out over time.

    Attributes:
        table: columns :data:`COLUMNS`; a moment is a round, a block of films or a step of a test.
        starts_s: by moment, when it began.
        cut_off: moments that the end of the run cut short.
        why_not: why there is nothing; "" where there is something.
    """

    table: pd.DataFrame
    starts_s: Mapping[int, float]
    cut_off: Collection[int]
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Ask:
    """What more is asked of a read-out.

    Attributes:
        quantile: in per cent, of what has a distribution in each well; None: its mean.
        assay: the test series; None: any that gives it.
        frequency_hz: the step of a series; None: its largest answer, or a mean over steps.
    """

    quantile: float | None = None
    assay: str | None = None
    frequency_hz: float | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """What a run measured, as far as it counts.

    Attributes:
        wells: from ``growth.well_table`` with what is left of each well's own baseline, diameters
            that rest on too few tubes left out.
        films: ``contractions.csv`` without wells that the plan excludes.
        rounds_s: when each imaging round began.
        cut_off: rounds that the end of the run cut short.
    """

    record: Record
    wells: pd.DataFrame
    films: pd.DataFrame
    rounds_s: Mapping[int, float]
    cut_off: Collection[int]


def series_of(measured: Measured, known: Readout, ask: Ask | None = None) -> Series:
    """A read-out of a run; without rows, and why, where it was not measured.

    Args:
        measured: of the run.
        known: the read-out.
        ask: what more is asked of it.
    """
    reader = _READERS.get(known.from_table)
    if reader is None:
        return nothing(f"{known.words}: this labrig reads no table '{known.from_table}' yet")
    found = reader(measured, known, ask or Ask())
    if found.table.empty and not found.why_not:
        return nothing(f"{known.words} was not measured")
    return found


def nothing(why: str) -> Series:
    """No values, and why."""
    import pandas as pd

    return Series(pd.DataFrame(columns=list(COLUMNS)), {}, frozenset(), why)


def _rounds(measured: Measured, table: pd.DataFrame, known: Readout) -> Series:
    kept = table[table["value"].notna()].rename(columns={"round": "moment"})
    kept = kept.assign(value=kept["value"].astype(float) * known.times)
    return Series(kept[list(COLUMNS)].reset_index(drop=True), measured.rounds_s, measured.cut_off)


def _of_tubes(measured: Measured, known: Readout, ask: Ask) -> Series:
    """A geometric mean over a well's tubes, as the definition takes it, or a quantile of them."""
    import numpy as np

    definition, quantile = measured.record.protocol.definition, ask.quantile
    if quantile is None and known.column == "diameter_mean_um":
        widths = np.exp(measured.wells["log_diameter"].astype(float))
        return _rounds(measured, measured.wells.assign(value=widths), known)
    tubes = tubes_that_count(measured.record.tubes, definition.min_nuclei)
    if known.column not in tubes:
        return nothing(f"{known.words} was not measured")
    tubes = tubes[tubes[known.column].notna()]
    enough = measured.wells[measured.wells["log_diameter"].notna()]
    rows = []
    for row in enough.to_dict("records"):
        own = tubes[(tubes["well"] == row["well"]) & (tubes["round"] == row["round"])]
        values = own[known.column].to_numpy(float)
        if len(values):
            value = (
                float(np.exp(np.log(values).mean())) if quantile is None
                else float(np.percentile(values, quantile))
            )  # fmt: skip
            rows.append({"well": row["well"], "round": row["round"], "hours": row["hours"],
                         "value": value})  # fmt: skip
    return _rounds(measured, _frame(rows), known)


def _of_fields(measured: Measured, known: Readout, ask: Ask) -> Series:
    """A plain mean over the fields of a well and round."""
    fields = measured.record.fields
    if known.column == "detached_share":
        lost = 1.0 - measured.wells["coverage_own"].astype(float)
        return _rounds(measured, measured.wells.assign(value=lost), known)
    if fields.empty:
        return nothing(f"{known.words} was not measured")
    values = _derived(fields, known.column)
    if values is None:
        return nothing(f"{known.words} was not measured")
    kept = fields.assign(value=values, hours=fields["offset_s"] / 3600.0)
    kept = kept[kept["well"].isin(measured.wells["well"])]
    means = kept.groupby(["well", "round"], as_index=False)[["hours", "value"]].mean()
    return _rounds(measured, means, known)


def _derived(fields: pd.DataFrame, column: str) -> pd.Series | None:
    """A column of ``fields.csv``, or what follows from some; None where they are not there."""
    if column in fields:
        return fields[column]
    if column == "unfused_nuclei_share" and "differentiation_index" in fields:
        return 1.0 - fields["differentiation_index"]
    if column == "pyknotic_share" and {"nuclei", "pyknotic_nuclei"} <= set(fields):
        # Pyknotic nuclei are counted apart from the others.
        return fields["pyknotic_nuclei"] / (fields["nuclei"] + fields["pyknotic_nuclei"])
    return None


def _of_films(measured: Measured, known: Readout, ask: Ask) -> Series:
    """A mean over the films of a well in one block; only films that count."""
    films = measured.films
    if known.column == "specific_strength" and not films.empty:
        films = _over_diameter(films, measured.wells)
    if films.empty or known.column not in films:
        return nothing(f"{known.words} was not measured")
    counted = films[(films["status"] == "ok") & films[known.column].notna()]
    if "assay" in counted:
        counted = counted[counted["assay"].isna() | (counted["assay"] == "")]
    counted = counted.assign(value=counted[known.column], hours=counted["offset_s"] / 3600.0)
    means = counted.groupby(["well", "film"], as_index=False)[["hours", "value"]].mean()
    means = means.rename(columns={"film": "moment"}).assign(
        value=means["value"].astype(float) * known.times
    )
    starts = films.groupby("film", as_index=False)["offset_s"].min()
    starts_s = dict(zip(starts["film"].astype(int), starts["offset_s"].astype(float), strict=True))
    return Series(means[list(COLUMNS)], starts_s, frozenset())


def _over_diameter(films: pd.DataFrame, wells: pd.DataFrame) -> pd.DataFrame:
    """Films with their amplitude over the well's diameter in the round nearest to them."""
    import numpy as np

    widths = wells[["well", "round", "log_diameter"]]
    both = films.merge(widths, on=["well", "round"], how="left")
    width = np.exp(both["log_diameter"].astype(float))
    return both.assign(specific_strength=both["amplitude_um"] / width)


def _of_stains(measured: Measured, known: Readout, ask: Ask) -> Series:
    """A plain mean over the fields of a well and round, of ``stains.csv``."""
    rows = _read(measured, "stains.csv")
    if rows is None:
        return nothing(f"{known.words} was not measured")
    own = rows[(rows["readout"] == known.column) & rows["value"].notna()]
    own = own.assign(hours=own["offset_s"] / 3600.0)
    means = own.groupby(["well", "round"], as_index=False)[["hours", "value"]].mean()
    return _rounds(measured, means, known)


def _of_tests(measured: Measured, known: Readout, ask: Ask) -> Series:
    """Of each well and series one value: a column of ``series.csv``, or one step of the series."""
    if known.kinds == ("nmj",):
        return _of_junctions(measured, known, ask)
    table = _read(measured, "series.csv")
    if table is None or known.column not in table:
        return nothing(f"{known.words} was not measured")
    own = table[(table["status"] == "ok") & table["kind"].isin(known.kinds)]
    value = known.column
    if ask.frequency_hz is not None and not measured.films.empty:
        films = measured.films
        step = (films["status"] == "ok") & (films["asked_hz"] == ask.frequency_hz)
        own, value = films[step & films["assay"].notna()], "amplitude_um"
    if ask.assay is not None:
        own = own[own["assay"] == ask.assay]
    own = own[own["well"].isin(measured.wells["well"]) & own[value].notna()]
    own = own.assign(value=own[value].astype(float) * known.times, hours=own["offset_s"] / 3600.0)
    means = own.groupby(["well", "series"], as_index=False)[["hours", "value"]].mean()
    return _numbered(means, table.groupby("series", as_index=False)[["offset_s"]].min())


def _of_junctions(measured: Measured, known: Readout, ask: Ask) -> Series:
    """A mean over the regions of a chip whose muscle works, of impulses of its nerve, unblocked.

    Which regions those are the electrodes tell, in the same test: as in the section of chips.
    """
    table = _read(measured, "nmj.csv")
    if table is None:
        return nothing(f"{known.words} was not measured")
    living = of_living_regions(table[(table["status"] == "ok") & table["region"].notna()])
    own = living[(living["way"] == "indirect") & ~living["blocked"]]
    if ask.frequency_hz is not None:
        own = own[own["frequency_hz"] == ask.frequency_hz]
    if ask.assay is not None:
        own = own[own["assay"] == ask.assay]
    own = own[own[known.column].notna()].rename(columns={"test": "series"})
    own = own.assign(
        value=own[known.column].astype(float) * known.times, hours=own["offset_s"] / 3600.0
    )
    means = own.groupby(["well", "series"], as_index=False)[["hours", "value"]].mean()
    return _numbered(means, own.groupby("series", as_index=False)[["offset_s"]].min())


def _numbered(means: pd.DataFrame, starts: pd.DataFrame) -> Series:
    """Series of tests as moments, by their number."""
    begun = dict(zip(starts["series"].astype(int), starts["offset_s"].astype(float), strict=True))
    return Series(means.rename(columns={"series": "moment"})[list(COLUMNS)], begun, frozenset())


def _read(measured: Measured, name: str) -> pd.DataFrame | None:
    import pandas as pd

    path = measured.record.folder.measures / name
    if not path.exists() or path.stat().st_size <= 1:
        return None
    return pd.read_csv(path, dtype={"well": str})


def _of_results(measured: Measured, known: Readout, ask: Ask) -> Series:
    """What a table from elsewhere gave, by well and time of its sample."""
    record = measured.record
    planned = planned_of(record.plan).get(known.name)
    if planned is None:
        return nothing(f"the protocol has no result '{known.name}'")
    versions = tuple(imports_of(record.rows).get(known.name, ()))
    values, why_not = values_of(record.folder, record.plan, record.rows, planned, versions)
    if why_not:
        return nothing(f"{known.words}: {why_not}")
    end_s = record.plan.forecast.duration_s
    # One sampling is one moment, though people take a while from well to well.
    times = sorted({end_s if value.at_s is None else value.at_s for value in values})
    moments = {at_s: number for number, at_s in enumerate(times)}
    rows: list[dict[str, object]] = [
        {"well": v.well, "round": moments[end_s if v.at_s is None else v.at_s],
         "hours": (end_s if v.at_s is None else v.at_s) / 3600.0, "value": v.value}
        for v in values
        if v.value is not None
    ]  # fmt: skip
    table = _frame(rows).groupby(["well", "round"], as_index=False)[["hours", "value"]].mean()
    table = table.rename(columns={"round": "moment"})
    starts_s = {number: at_s for at_s, number in moments.items()}
    return Series(table[list(COLUMNS)], starts_s, frozenset())


def _frame(rows: list[dict[str, object]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows, columns=["well", "round", "hours", "value"])


_READERS: Mapping[Table, Callable[[Measured, Readout, Ask], Series]] = {
    "tubes": _of_tubes,
    "fields": _of_fields,
    "contractions": _of_films,
    "stains": _of_stains,
    "tests": _of_tests,
    "results": _of_results,
}
"""Who adds a table adds its reader."""
