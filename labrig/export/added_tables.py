"""Long tables of what not every run has: films of chips, and tables that came from elsewhere.

A chip is one unit; its regions are sub-samples, as tubes are of a well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from labrig.export.design import (
    COUNTS,
    PLACE,
    counted,
    left_out_by_dose,
    named_exclusions,
    places_of,
)
from labrig.export.source import Source
from labrig.record.samples import tubes_of
from labrig.report.analysis import Analysis
from labrig.report.junctions import film_rows, junctions
from labrig.report.results import results_shown

_OF_CHIP = ("run", "donor", "arm", "role", "unit", "chip")
_TEST = ("test", "time_h", "assay", "blocked")
_SUMMARY = {
    "regions": "regions_count", "alive": "alive_regions_count",
    "innervated": "innervated_regions_count", "fidelity": "fidelity_ratio",
    "fidelity_slow": "fidelity_slow_ratio", "latency_ms": "latency_ms",
    "junction_ms": "junction_ms", "indirect_um": "indirect_um", "direct_um": "direct_um",
    "indirect_direct": "indirect_direct_ratio", "beats_per_min": "beats_per_min",
    "block_index": "block_index_ratio", "direct_kept": "direct_kept_ratio",
    "stability": "stability_ratio",
}  # fmt: skip
"""Columns of the report's ``junctions.csv``, by their names here."""

CHIPS = (*_OF_CHIP, *_TEST, *_SUMMARY.values())
FREQUENCIES = (
    *_OF_CHIP, *_TEST, "frequency_hz", "impulses_given", "impulses_answered", "fidelity_ratio",
    "latency_ms",
)  # fmt: skip
FILMS = (
    *PLACE, "chip", "field", "film", *_TEST, "stimulus", "way", "frequency_hz", "region",
    "impulses_given", "impulses_resolved", "impulses_answered", "fidelity_ratio", "amplitude_um",
    "latency_ms", "beats_count", "beats_per_min", "noise_um", "status", *COUNTS,
)  # fmt: skip
RESULTS = (
    *PLACE, "result", "measures", "sample", "step", "time_h", "value", "value_unit", "below_limit",
    "limit", "file", "version", *COUNTS,
)  # fmt: skip

ADDED_MEANING: Mapping[str, str] = {
    "chip": "nerve-muscle chip, as the rig names it; one chip is one experimental unit",
    "test": "number of the test of the junction in the run, from 0",
    "blocked": "whether the junction had been blocked before the test",
    "way": "indirect: impulses of the nerve; direct: of electrodes at the muscle; silent: none",
    "frequency_hz": "impulses a second that were asked for",
    "region": "region of the film, from 1; a sub-sample of the chip, never a unit",
    "regions_count": "regions with something that can move",
    "alive_regions_count": "of them, those that answer the electrodes",
    "innervated_regions_count": "of them, those that answer the nerve",
    "impulses_given": "that were delivered",
    "impulses_resolved": "that lie far enough apart for the film to tell their answers",
    "impulses_answered": "that a contraction followed",
    "fidelity_ratio": "answered impulses over impulses of the nerve",
    "fidelity_slow_ratio": "the same at the slowest frequency of the test",
    "latency_ms": "from impulse to the beginning of the contraction",
    "junction_ms": "latency by the nerve less latency by electrodes",
    "indirect_um": "contraction by the nerve",
    "direct_um": "contraction by electrodes",
    "indirect_direct_ratio": "one over the other",
    "beats_count": "contractions in the film, whatever they answer",
    "beats_per_min": "in silence: contractions that answer nothing",
    "block_index_ratio": "share of the answers to the nerve that the block took",
    "direct_kept_ratio": "share of the contraction by electrodes that the block left",
    "stability_ratio": "regions that the nerve moved at first and still moves",
    "noise_um": "what would be taken for a contraction where nothing moves",
    "result": "name of the table from elsewhere, as the protocol names it",
    "measures": "what it measures, where the protocol says so",
    "sample": "label of the tube; empty where the table is by well",
    "step": "step in which the sample was taken",
    "below_limit": "whether it was below the limit of detection",
    "limit": "limit of detection, in the value's unit",
    "file": "the table as it came, in the run's folder results/",
    "version": "of the table; the last one that was taken counts",
}
"""What the columns hold that the other long tables do not have."""

Table = tuple[Sequence[str], Iterator[dict[str, Any]]]


def added_tables(source: Source) -> dict[str, Table]:
    """Columns and rows by name of table; only of what the runs have or were to have."""
    found: dict[str, Table] = {}
    if any(well.chip for run in source.runs for well in run.record.plan.wells):
        found["chips_long"] = (CHIPS, (row for run in source.runs for row in _chips(run)))
        found["chip_frequencies_long"] = (
            FREQUENCIES,
            (row for run in source.runs for row in _frequencies(run)),
        )
        found["chip_films_long"] = (FILMS, (row for run in source.runs for row in _films(run)))
    if any(run.record.protocol.results for run in source.runs):
        found["results_long"] = (RESULTS, (row for run in source.runs for row in _results(run)))
    return found


def _chip_places(run: Analysis) -> dict[str, dict[str, Any]]:
    """By chip, what its rows begin with."""
    places = places_of(run)
    return {
        well.chip: {key: places[well.well][key] for key in _OF_CHIP if key != "chip"}
        | {"chip": well.chip}
        for well in run.record.plan.wells
        if well.chip
    }


def _test(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        "test": row["test"], "time_h": row["hours"], "assay": row["assay"],
        "blocked": bool(row["blocked"]),
    }  # fmt: skip


def _chips(run: Analysis) -> Iterator[dict[str, Any]]:
    found, places = junctions(run.record), _chip_places(run)
    for row in [] if found is None else found.chips.to_dict("records"):
        own = {name: row[column] for column, name in _SUMMARY.items()}
        yield {**places[str(row["chip"])], **_test(row), **own}


def _frequencies(run: Analysis) -> Iterator[dict[str, Any]]:
    found, places = junctions(run.record), _chip_places(run)
    for row in [] if found is None else found.by_frequency.to_dict("records"):
        yield {
            **places[str(row["chip"])],
            **_test(row),
            "frequency_hz": row["frequency_hz"],
            "impulses_given": row["given"],
            "impulses_answered": row["answered"],
            "fidelity_ratio": row["fidelity"],
            "latency_ms": row["latency_ms"],
        }


def _films(run: Analysis) -> Iterator[dict[str, Any]]:
    """A row a region; one without a region where the film could not be measured."""
    table, places, named = film_rows(run.record), places_of(run), named_exclusions(run)
    for row in [] if table is None else table.to_dict("records"):
        well, at_s, status = str(row["well"]), float(row["offset_s"]), str(row["status"])
        if well not in places:
            continue
        reasons = row["reasons"]
        why = "" if status == "ok" else str(reasons if reasons == reasons and reasons else status)
        kept = ("chip", "field", "film", "assay", "test", "stimulus", "way", "frequency_hz",
                "region", "amplitude_um", "latency_ms", "beats_per_min", "noise_um")  # fmt: skip
        yield {
            **places[well],
            **{name: row[name] for name in kept},
            "time_h": at_s / 3600.0,
            "blocked": bool(row["blocked"]),
            "impulses_given": row["given"],
            "impulses_resolved": row["resolved"],
            "impulses_answered": row["answered"],
            "fidelity_ratio": row["fidelity"],
            "beats_count": row["beats"],
            "status": status,
            **counted([named.get(well, ""), why], left_out_by_dose(run, well, at_s)),
        }


def _results(run: Analysis) -> Iterator[dict[str, Any]]:
    """Every row of the version that counts, and a tube or well that has none."""
    record, places, named = run.record, places_of(run), named_exclusions(run)
    measures = {result.called: result.measures or "" for result in record.protocol.results}
    for shown in results_shown(record.folder, record.plan, record.rows, run.units):
        planned, last = shown.planned, shown.versions[-1] if shown.versions else None
        tubes = {tube.label: tube for tube in tubes_of(record.plan, record.rows)}
        by_label = planned.joins == "label"
        for value in shown.values:
            tube = tubes.get(value.key) if by_label else None
            at_s = value.at_s
            dose = left_out_by_dose(run, value.well, float("inf") if at_s is None else at_s)
            why = "" if value.value is not None else (
                "below the limit of detection" if value.below else "the table holds no value"
            )  # fmt: skip
            yield {
                **places[value.well],
                "result": planned.name,
                "measures": measures.get(planned.name, ""),
                "sample": value.key if by_label else "",
                "step": "" if tube is None else tube.step,
                "time_h": None if at_s is None else at_s / 3600.0,
                "value": value.value,
                "value_unit": planned.unit,
                "below_limit": value.below,
                "limit": planned.lod,
                "file": "" if last is None else f"results/{last.file}",
                "version": None if last is None else last.version,
                **counted([named.get(value.well, ""), why], dose),
            }
