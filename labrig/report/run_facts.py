"""What ran, as words and rows for the page: facts, plate, arms, definition, assumptions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from labrig.display.legend import Legend
from labrig.places import rows_and_columns
from labrig.plan.climate_schedule import arm_words as surroundings_words
from labrig.plan.plan import Plan
from labrig.plan.sides import side_arm, sided
from labrig.protocol.compartments import compartments_of
from labrig.protocol.contents import amount_text
from labrig.protocol.models import Protocol
from labrig.protocol.nmj_assay import with_given
from labrig.protocol.programme_words import (
    bolus_for_people,
    factor_words,
    factors_of,
    flow_words,
    pattern_words,
)
from labrig.protocol.segments import boluses
from labrig.report.amendments import amendments_shown
from labrig.report.analysis import Analysis
from labrig.report.clocks import both_clocks, zone_words
from labrig.report.corrections import Corrected
from labrig.report.drawing import style_of
from labrig.report.growth import WINDOW_H
from labrig.report.kinds import MASKS
from labrig.report.maker import Maker
from labrig.report.outcome import LATE_PICTURE_FRACTION, clock
from labrig.report.record import Record
from labrig.report.verdict import PROLIFERATION_V


def facts(analysis: Analysis, legend: Legend) -> list[tuple[str, str]]:
    """Name and value of what a reader asks first."""
    record, outcome = analysis.record, analysis.outcome
    protocol, run, imaging = record.protocol, record.identity, record.protocol.imaging
    donors = ", ".join(
        d.id + (f" (passage {d.passage})" if d.passage is not None else "") for d in protocol.donors
    )
    phases = ", ".join(f"{s.name} {clock(s.end_s - s.start_s)} h" for s in record.plan.phases)
    return [
        ("Protocol", f"{protocol.name} {f'({protocol.catalogue})' if protocol.catalogue else ''}"),
        ("Rig", record.rig.name + (", simulated" if run["simulated"] else "")),
        ("Started by", f"{run['operator']} on {run['machine']}"),
        ("Began", both_clocks(outcome.started_utc, legend) or "never"),
        ("Last entry", both_clocks(outcome.ended_utc, legend) or "–"),
        ("Times of this page", zone_words(record)),
        ("Run clock", f"{clock(outcome.until_s)} of {clock(record.plan.forecast.duration_s)} h"),
        ("Phases", phases),
        ("Cells", protocol.culture.cells),
        ("Donors", donors),
        ("Rounds of pictures", _rounds(analysis)),
        ("Fields per well", str(imaging.sites)),
        ("Corrected by hand", corrected(record.corrections)),
        ("Held by a person", f"{outcome.held} time(s)" if outcome.held else "never"),
    ]  # fmt: skip


def _rounds(analysis: Analysis) -> str:
    record = analysis.record
    apart = f"{len(analysis.rounds_s)}, {clock(record.protocol.imaging.interval_s)} h apart"
    amended = any("imaging.interval" in a.said.changed for a in amendments_shown(record.rows))
    return f"{apart} since that was amended" if amended else apart


def corrected(corrections: Sequence[Corrected]) -> str:
    """In how many pictures whose hand changed outlines."""
    if not corrections:
        return "no outline"
    frames = len({correction.frame for correction in corrections})
    people = ", ".join(dict.fromkeys(correction.by for correction in corrections))
    return f"outlines in {frames} {'picture' if frames == 1 else 'pictures'}, by {people}"


def plate(analysis: Analysis, legend: Legend) -> dict[str, Any]:
    """Rows and columns of the plate map; None where no well is used."""
    wells = {well.well: well for well in analysis.record.plan.wells}
    style = style_of(list(analysis.record.protocol.arms))
    unit_of = {well: unit.name for unit in analysis.units for well in unit.wells}
    rows, columns = rows_and_columns(wells)
    out_s = analysis.ledger.censored_from_s
    letters = letter_of(analysis.record.plan)

    def cell(name: str) -> dict[str, str] | None:
        if name not in wells:
            return None
        well = wells[name]
        return {
            "arm": well.arm,
            "letter": letters[well.arm],
            "colour": style[well.arm][0],
            "unit": unit_of[name].removeprefix(well.arm).strip(),
            "donor": well.donor,
            "out": legend.clock(out_s[name]) if name in out_s else "",
        }

    return {
        "columns": columns,
        "rows": [{"name": r, "cells": [cell(f"{r}{c}") for c in columns]} for r in rows],
    }


def letter_of(plan: Plan) -> dict[str, str]:
    """By arm a letter, for where its name has no room; on the technician's page it is the same."""
    arms = dict.fromkeys(well.arm for well in plan.wells)
    return {arm: chr(ord("a") + index % 26) for index, arm in enumerate(arms)}


def arms(protocol: Protocol, plan: Plan) -> list[dict[str, str]]:
    """What each arm gets, in words."""
    rows = []
    letters = letter_of(plan)
    split = sided(with_given(protocol))
    for name, arm in protocol.arms.items():
        own = [(side, side_arm(name, side)) for side in compartments_of(protocol)]
        factors = [
            _on(side, f"{f} {factor_words(split, part, f, amount_text)}")
            for side, part in own
            for f in factors_of(split, part)
        ]
        at_once = [
            _on(side, bolus_for_people(split, bolus))
            for side, part in own
            for bolus in boluses(split, part)
        ]
        impulses = [_on(side, words) for side, part in own if (words := pattern_words(split, part))]
        rows.append(
            {
                "name": name,
                # An arm that the plan gave no well has none.
                "letter": letters.get(name, ""),
                "role": arm.role,
                "factors": ", ".join(factors) or ("vehicle" if protocol.perfusion else "–"),
                "impulses": ", ".join(impulses) or "–",
                "boluses": ", ".join(at_once) or "–",
                "surroundings": surroundings_words(protocol, name) or "as the incubator",
                "flow": ", ".join(_on(side, flow_words(split, part)) for side, part in own)
                if protocol.perfusion
                else "–",
            }
        )
    return rows


def _on(side: str, said: str) -> str:
    return f"{said} ({side} side)" if side else said


def n_units(analysis: Analysis) -> str:
    """How many units each arm has, in words."""
    counts: dict[str, int] = {}
    for unit in analysis.units:
        counts[unit.arm] = counts.get(unit.arm, 0) + 1
    return ", ".join(f"{arm} {count}" for arm, count in counts.items())


def definition_words(protocol: Protocol) -> str:
    """The definition in one sentence."""
    d = protocol.definition
    return (
        f"low mass m ≤ {d.low_mass_m:g}, low strength s ≤ {d.low_strength_s:g}, low quality "
        f"q ≤ {d.low_quality_q:g}; in {d.assessments} assessment(s) running, at least "
        f"{d.apart_h:g} h apart, after treatment began, each the median of {WINDOW_H:g} h at most; "
        f"guards, as lasting and against the control as well as the unit's own baseline: nuclei "
        f"v ≥ {d.viability_v:g} (and ≤ {PROLIFERATION_V:g}), tube area a ≥ {d.coverage_a:g}; dose "
        f"{d.fidelity_low:g} to {d.fidelity_high:g} of the plan; in every well at least "
        f"{d.min_tubes} tubes with at least {d.min_nuclei} nuclei each. Basis: {d.basis}."
    )


def _source(protocol: Protocol, name: str) -> str:
    factor = protocol.factors.get(name)
    return (
        "as the protocol says" if factor is None else factor.half_life.source or "no source given"
    )


def assumptions(record: Record) -> list[tuple[str, str, str]]:
    """What, its value, and its basis with its mark."""
    protocol, rules = record.protocol, record.plan.rules
    rows = [
        (
            f"Half-life of {loss.factor} at 37 °C",
            f"{loss.half_life_h:g} h ({loss.low_h:g} to {loss.high_h:g} h)",
            f"{loss.basis}: {_source(protocol, loss.factor)}",
        )
        for loss in record.plan.factors
    ]
    recovery = sorted({f.recovery for f in protocol.factors.values()})
    if recovery:
        share = " or ".join(f"{r:.0%}" for r in recovery)
        rows.append(("Survival of factors in tubing", share, "as the protocol says [P]"))
    rows += [
        ("Thresholds of the definition", _thresholds(protocol), protocol.definition.basis),
        ("Rounds joined into one look", f"{WINDOW_H:g} h", "[P]"),
        ("Nuclei at most, of the control's", f"{PROLIFERATION_V:g}", "[P]"),
        ("Dose fidelity allowed", f"{rules.fidelity_low:g} to {rules.fidelity_high:g}", "[P]"),
        ("Gap below half the plan that leaves a well out", f"{rules.max_gap_s / 3600:g} h", "[P]"),
        ("Pictures late from", f"{LATE_PICTURE_FRACTION:.0%} of the interval", "[P]"),
    ]
    if any(channel.shows == "cells" for channel in protocol.imaging.channels.values()):
        mask = protocol.imaging.phase_mask
        rows.append(
            (f"Tubes without a stain (imaging.phase_mask: {mask})", MASKS[mask],
             "not validated on real cultures")
        )  # fmt: skip
    electrodes = {e.resistance_basis for e in record.rig.electrodes.values()}
    if "computed" in electrodes:
        rows.append(("Resistance between electrodes", "computed, not measured", "[C]"))
    if record.identity["simulated"] and record.pictures_from:
        rows.append(
            ("Images", "from " + ", ".join(record.pictures_from),
             "not of this run: nothing that it delivered acted on them")
        )  # fmt: skip
    elif record.identity["simulated"]:
        rows.append(
            ("Growth, atrophy and images", "the culture model of the simulator",
             "assumptions in its parameter file; not biology")
        )  # fmt: skip
        rows += [
            (f"Simulated culture, {finding.where}", finding.why, "no answer is known to it")
            for finding in record.plan.findings
            if finding.code == "simulation.unknown-factor"
        ]
    return rows


def _thresholds(protocol: Protocol) -> str:
    d = protocol.definition
    return f"m {d.low_mass_m:g}, s {d.low_strength_s:g}, q {d.low_quality_q:g}"


def provenance(record: Record, maker: Maker) -> list[tuple[str, str]]:
    """What it takes to make this run and this page again."""
    run = record.identity
    last = "–" if record.gist.last is None else record.gist.last.hash
    return [
        ("analysed by labrig", f"{maker.labrig}, at {maker.utc}"),
        ("run id", run["id"]),
        ("seed", str(run["seed"])),
        ("protocol SHA-256", run["protocol_sha256"]),
        ("rig SHA-256", run["rig_sha256"]),
        ("last hash of the journal", last),
        ("rows in the journal", str(record.gist.count)),
        ("Python (of the run)", run["python"]),
        *((f"{name} (of the run)", version) for name, version in run["versions"].items()),
        *_measure_provenance(record),
    ]


def _measure_provenance(record: Record) -> list[tuple[str, str]]:
    if record.fields.empty or "definition" not in record.fields:
        return []
    definitions = sorted({d for d in record.fields["definition"].dropna()})
    return [("definition of a myotube in the measures", ", ".join(map(str, definitions)))]
