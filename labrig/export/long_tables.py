"""Long tables: one row per tube, film, well and experimental unit, with what counts and why not.

The same rows as in ``measures/`` joined to the design, so that a statistics program needs no other
file. Every row stays, also one that counts for nothing: ``excluded_why`` then says the reason.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from labrig.export.added_tables import ADDED_MEANING, added_tables
from labrig.export.design import (
    COUNTS,
    PLACE,
    counted,
    left_out_by_dose,
    named_exclusions,
    places_of,
)
from labrig.export.source import Source, run_id
from labrig.export.spreadsheet import csv_text
from labrig.plan.timeline import Frame
from labrig.protocol.readouts import readout
from labrig.record.kinds.levels import NotDone
from labrig.record.kinds.pictures import PictureMissed
from labrig.record.said import said
from labrig.report.analysis import Analysis
from labrig.report.named.rows import point_rows
from labrig.report.readouts import Ask

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "tubes_long": (
        *PLACE, "field", "round", "time_h", "tube", "track", "kind", "diameter_mean_um",
        "length_um", "area_um2", "nuclei_count", *COUNTS,
    ),
    "films_long": (
        *PLACE, "field", "film", "round", "time_h", "stimulus", "assay", "asked_hz", "asked_v",
        "asked_ma",
        "amplitude_um", "time_to_peak_ms", "half_relaxation_ms", "capture_percent", "status",
        *COUNTS,
    ),
    "wells_long": (
        *PLACE, "round", "time_h", "tubes_count", "diameter_geometric_mean_um",
        "diameter_over_baseline_ratio", "tube_area_percent", "fusion_index_percent",
        "nuclei_per_field", "fields_count", *COUNTS,
    ),
    "units_long": (
        "run", "donor", "arm", "role", "unit", "round", "time_h", "wells_count", "tubes_count",
        "diameter_geometric_mean_um", "tube_area_percent", "fusion_index_percent",
        "nuclei_per_field", "in_pp", "excluded_why",
    ),
    "readouts_long": (
        *PLACE, "readout", "moment", "time_h", "value", "value_unit", *COUNTS,
    ),
    "outcomes_long": (
        "run", "outcome", "outcome_kind", "readout", "asked", "of", "against", "group", "unit",
        "donor", "value", "value_unit",
    ),
}  # fmt: skip

MEANING: Mapping[str, str] = {
    "run": "id of the run, its first twelve characters",
    "donor": "pseudonym of the donor",
    "arm": "treatment, as the protocol names it",
    "role": "control, positive-control or test",
    "unit": "experimental unit of the run: what was treated on its own",
    "carriers": "what brought the treatment, by aspect: line, reservoir, pump, channel",
    "well": "well of the plate",
    "field": "field within the well, from 0",
    "round": "imaging round, from 0",
    "film": "block of contraction films, from 0",
    "time_h": "hours since the run began",
    "tube": "number within its field and round",
    "track": "number of the same tube over time; empty where it was not followed",
    "kind": "myotube or tube-like object, by whether nuclei were imaged",
    "diameter_mean_um": "mean of the tube's chords",
    "length_um": "length of its centreline",
    "area_um2": "area of the tube",
    "nuclei_count": "nuclei in the tube; empty where none were imaged",
    "stimulus": "pattern of the film's test pulses",
    "assay": "test series that the film is part of; empty at the reference stimulus",
    "asked_hz": "frequency that its step asks for; empty outside of test series",
    "asked_v": "amplitude that its step asks for, or came to; empty outside of test series",
    "asked_ma": "current a well that its step asks for; empty outside of test series",
    "amplitude_um": "optical contraction, never a force",
    "time_to_peak_ms": "from pulse to peak",
    "half_relaxation_ms": "from peak to half",
    "capture_percent": "pulses that were answered",
    "status": "ok, flagged or failed",
    "tubes_count": "tubes that count for the diameter",
    "diameter_geometric_mean_um": "over tubes that count; of a unit: over its wells",
    "diameter_over_baseline_ratio": "over the same well's before treatment",
    "tube_area_percent": "share of the fields that tubes cover",
    "fusion_index_percent": "share of nuclei in myotubes",
    "nuclei_per_field": "mean over fields",
    "fields_count": "fields measured",
    "wells_count": "wells measured",
    "in_itt": "whether its diameter or amplitude counts in the analysis of all that was allocated",
    "in_pp": "the same per protocol: not where doses did not come as planned",
    "excluded_why": "why not; empty where it counts in both",
    "readout": "what was measured, by the name that outcomes give it (of outcomes: in words)",
    "moment": "number of the round, of the block of films or of the test series, from 0",
    "value": "of the well at that moment, or what a unit or donor gives to an answer",
    "value_unit": "unit of the value; empty for ratios and plain numbers",
    "outcome": "name of the outcome in the protocol",
    "outcome_kind": "its kind",
    "asked": "what more was asked, e.g. which quantile",
    "of": "arm or factors that the question is about",
    "against": "what it is compared with; empty for nothing",
    "group": "side of the comparison: an arm, a gap, a level of donors",
}
"""What a column holds; its unit is the end of its name."""


def long_tables(source: Source) -> dict[str, str]:
    """Text by name of file: the tables and ``columns.csv``, which explains them."""
    rows = {
        "tubes_long": _tubes, "films_long": _films, "wells_long": _wells, "units_long": _units,
        "readouts_long": _readouts, "outcomes_long": _outcomes,
    }  # fmt: skip
    tables = {
        f"{name}.csv": csv_text(COLUMNS[name], (row for run in source.runs for row in make(run)))
        for name, make in rows.items()
    }
    added = added_tables(source)
    tables |= {f"{name}.csv": csv_text(columns, rows) for name, (columns, rows) in added.items()}
    written = {**COLUMNS, **{name: columns for name, (columns, _) in added.items()}}
    explained = [
        {"table": f"{name}.csv", "column": column, "meaning": {**MEANING, **ADDED_MEANING}[column]}
        for name, columns in written.items()
        for column in columns
    ]
    return tables | {"columns.csv": csv_text(("table", "column", "meaning"), explained)}


def _tubes(run: Analysis) -> Iterator[dict[str, Any]]:
    definition, places, named = (
        run.record.protocol.definition,
        places_of(run),
        named_exclusions(run),
    )
    counting = {(r["well"], r["round"]): int(r["tubes"]) for r in run.wells.to_dict("records")}
    for row in run.record.tubes.to_dict("records"):
        well, round_, at_s = str(row["well"]), row["round"], float(row["offset_s"])
        if well not in places:
            continue
        nuclei, diameter = row.get("nuclei"), row.get("diameter_mean_um", math.nan)
        few = nuclei is not None and nuclei == nuclei and nuclei < definition.min_nuclei
        own = "no diameter could be measured" if diameter != diameter else ""
        if not own and few:
            own = f"{nuclei:g} nuclei, a myotube has {definition.min_nuclei} at least"
        thin = counting.get((well, round_), 0)
        of_well = (
            f"its well shows {thin} tubes of {definition.min_tubes} needed"
            if thin < definition.min_tubes
            else ""
        )
        yield {
            **places[well],
            "field": row["field"],
            "round": round_,
            "time_h": at_s / 3600.0,
            "tube": row["tube"],
            "track": row.get("track"),
            "kind": row.get("kind"),
            "diameter_mean_um": diameter,
            "length_um": row.get("length_um"),
            "area_um2": row.get("area_um2"),
            "nuclei_count": nuclei,
            **counted([named.get(well, ""), own, of_well], left_out_by_dose(run, well, at_s)),
        }


def _films(run: Analysis) -> Iterator[dict[str, Any]]:
    places, named = places_of(run), named_exclusions(run)
    for row in run.record.films.to_dict("records"):
        well, at_s = str(row["well"]), float(row["offset_s"])
        if well not in places:
            continue
        status = str(row["status"])
        reasons = row.get("reasons")
        why = "" if status == "ok" else str(reasons if reasons == reasons and reasons else status)
        yield {
            **places[well],
            "field": row["field"],
            "film": row["film"],
            "round": row["round"],
            "time_h": at_s / 3600.0,
            "stimulus": row.get("stimulus"),
            **{name: row.get(name) for name in ("assay", "asked_hz", "asked_v", "asked_ma")},
            "amplitude_um": row["amplitude_um"],
            "time_to_peak_ms": 1000.0 * float(row["time_to_peak_s"]),
            "half_relaxation_ms": 1000.0 * float(row["half_relaxation_s"]),
            "capture_percent": 100.0 * float(row["capture_fraction"]),
            "status": status,
            **counted([named.get(well, ""), why], left_out_by_dose(run, well, at_s)),
        }


def _wells(run: Analysis) -> Iterator[dict[str, Any]]:
    min_tubes, places = run.record.protocol.definition.min_tubes, places_of(run)
    named = named_exclusions(run)
    baseline = _baseline_diameters(run)
    measured = set()
    for row in run.wells.to_dict("records"):
        well, at_s = str(row["well"]), 3600.0 * float(row["hours"])
        if well not in places:
            continue
        measured.add((well, int(row["round"])))
        tubes, logarithm = int(row["tubes"]), float(row["log_diameter"])
        thin = f"{tubes} tubes of {min_tubes} needed" if tubes < min_tubes else ""
        yield {
            **places[well],
            "round": row["round"],
            "time_h": row["hours"],
            "tubes_count": tubes,
            "diameter_geometric_mean_um": math.exp(logarithm),
            "diameter_over_baseline_ratio": math.exp(logarithm - baseline.get(well, math.nan)),
            "tube_area_percent": row["coverage"],
            "fusion_index_percent": row["fusion_index"],
            "nuclei_per_field": row["nuclei"],
            "fields_count": row["fields"],
            **counted([named.get(well, ""), thin], left_out_by_dose(run, well, at_s)),
        }
    missed = _why_missed(run)
    for well, round_, at_s in _planned(run):
        if (well, round_) not in measured and well in places:
            why = missed.get((well, round_), "no picture was measured")
            yield {
                **places[well],
                "round": round_,
                "time_h": at_s / 3600.0,
                **counted([named.get(well, ""), why], left_out_by_dose(run, well, at_s)),
            }


def _units(run: Analysis) -> Iterator[dict[str, Any]]:
    kept = set(zip(run.per_protocol["unit"], run.per_protocol["round"], strict=True))
    wells_of = {unit.name: unit.wells for unit in run.units}
    for row in run.itt.to_dict("records"):
        inside = (row["unit"], row["round"]) in kept
        reasons = [run.left_out[well] for well in wells_of[row["unit"]] if well in run.left_out]
        yield {
            "run": run_id(run),
            "donor": row["donor"],
            "arm": row["arm"],
            "role": run.record.protocol.arms[row["arm"]].role,
            "unit": row["unit"],
            "round": row["round"],
            "time_h": row["hours"],
            "wells_count": row["wells"],
            "tubes_count": row["tubes"],
            "diameter_geometric_mean_um": row["diameter_um"],
            "tube_area_percent": row["coverage"],
            "fusion_index_percent": row["fusion_index"],
            "nuclei_per_field": row["nuclei"],
            "in_pp": inside,
            "excluded_why": "" if inside else "; ".join(reasons),
        }


def _readouts(run: Analysis) -> Iterator[dict[str, Any]]:
    """Every read-out that the protocol's outcomes name, by well and moment."""
    protocol, places, named = run.record.protocol, places_of(run), named_exclusions(run)
    asked = dict.fromkeys(name for outcome in protocol.outcomes for name in outcome.readouts)
    for name in asked:
        known = readout(protocol, name)
        if known is None:
            continue
        for row in run.grounds.series(known, Ask()).table.to_dict("records"):
            well, hours = str(row["well"]), float(row["hours"])
            if well in places:
                yield {
                    **places[well],
                    "readout": name,
                    "moment": int(row["moment"]),
                    "time_h": hours,
                    "value": float(row["value"]),
                    "value_unit": known.unit,
                    **counted([named.get(well, "")], left_out_by_dose(run, well, 3600.0 * hours)),
                }


def _outcomes(run: Analysis) -> Iterator[dict[str, Any]]:
    """What each answer rests on, by unit or donor."""
    for row in point_rows(run.named):
        yield {
            **row,
            "run": run_id(run),
            "outcome_kind": row["kind"],
            "unit": row["unit_name"],
            "value_unit": row["unit"],
        }


def _baseline_diameters(run: Analysis) -> dict[str, float]:
    """By well, the log diameter of its last round before treatment that has one."""
    before = run.wells[run.wells["hours"] * 3600.0 <= run.treated_from_s]
    known = before[before["log_diameter"].notna()].sort_values("round")
    return {str(row["well"]): float(row["log_diameter"]) for row in known.to_dict("records")}


def _planned(run: Analysis) -> list[tuple[str, int, float]]:
    """Well, round and time of every picture that was to be taken before the run's end."""
    due: dict[tuple[str, int], float] = {}
    for entry in run.record.plan.timeline:
        if isinstance(entry, Frame) and entry.offset_s <= run.outcome.until_s:
            due.setdefault((entry.well, entry.round), entry.offset_s)
    return [(well, round_, at_s) for (well, round_), at_s in due.items()]


def _why_missed(run: Analysis) -> dict[tuple[str, int], str]:
    """By well and round, what the journal says of pictures that did not come."""
    why: dict[tuple[str, int], str] = {}
    frames = {e.key: e for e in run.record.plan.timeline if isinstance(e, Frame)}
    for row in run.record.pictures():
        if row.kind == "frame" and row.state in ("missed", "failed", "skipped"):
            told = said(row)
            if isinstance(told, NotDone | PictureMissed) and row.key in frames:
                frame = frames[row.key]
                reason = told.reason or row.state
                why.setdefault((frame.well, frame.round), f"picture {row.state}: {reason}")
    return why
