"""The tables beside the page, for statistics programs and for a reviewer."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from labrig.frames.manifest import COLUMNS as FRAME_COLUMNS
from labrig.record.clock_of_run import clock_of_run, taken_s
from labrig.report.analysis import Analysis
from labrig.report.arm_rows import arms_document
from labrig.report.clocks import legend_of_record
from labrig.report.growth import IN_PERCENT
from labrig.report.headline import headline
from labrig.report.integrity import CommitmentShown
from labrig.report.junctions import COLUMNS as CHIP_COLUMNS
from labrig.report.junctions import FREQUENCY_COLUMNS, junctions
from labrig.report.maker import Maker
from labrig.report.named.rows import COLUMNS, POINT_COLUMNS, as_text, csv_lines, point_rows, rows_of
from labrig.report.stains import COLUMNS as STAIN_COLUMNS
from labrig.report.stains import stains
from labrig.report.standing import when_known
from labrig.report.subtypes import subtype_in_words
from labrig.run_folder import is_rehearsal
from labrig_measure.tables import as_ascii

FILES = (
    ("units.csv", "measures at the experimental unit, round by round"),
    ("contractions.csv", "optical contraction at the experimental unit, film by film"),
    ("junctions.csv", "of chips: fidelity, latency, block and stability, test by test"),
    ("junction_frequencies.csv", "of chips: impulses answered at each frequency"),
    ("stains.csv", "what stains show, at the experimental unit"),
    ("dose_ledger.csv", "dose by well and factor"),
    ("deviations.csv", "deviations, alarms, and all that was late, missed or uncertain"),
    ("frames.csv", "every picture"),
    ("verdict.json", "verdicts on arms and units, comparisons, origins"),
    ("outcomes.csv", "outcomes that the protocol names, answered"),
    ("outcome_units.csv", "what each answer rests on, by unit or donor"),
    ("definition_sensitivity.csv", "every unit under every definition"),
)


def write_tables(analysis: Analysis, folder: Path, maker: Maker) -> None:
    """Write all of :data:`FILES`.

    Raises:
        OSError: the disk refuses.
    """
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "units.csv": _units(analysis),
        "contractions.csv": analysis.contractions.to_csv(index=False, float_format="%.6g"),
        **_chips(analysis),
        "stains.csv": _stains(analysis),
        "dose_ledger.csv": _doses(analysis),
        "deviations.csv": _deviations(analysis),
        "verdict.json": _verdict(analysis, maker),
        "outcomes.csv": as_text(COLUMNS, rows_of(analysis.named)),
        "outcome_units.csv": as_text(POINT_COLUMNS, point_rows(analysis.named)),
        "definition_sensitivity.csv": _sensitivity(analysis),
    }
    for name, text in texts.items():
        plain = as_ascii(text) if name.endswith(".csv") else text
        (folder / name).write_text(plain, encoding="utf-8", newline="")
    with (folder / "frames.csv").open("w", encoding="utf-8", newline="") as stream:
        # Line by line: a week has a hundred thousand.
        for line in csv_lines([*FRAME_COLUMNS, "state", "reason"], _frames(analysis)):
            stream.write(as_ascii(line))


def _units(analysis: Analysis) -> str:
    kept = set(zip(analysis.per_protocol["unit"], analysis.per_protocol["round"], strict=True))
    table = analysis.itt.assign(
        in_per_protocol=[
            (unit, round_) in kept
            for unit, round_ in zip(analysis.itt["unit"], analysis.itt["round"], strict=True)
        ],
        unit_shares=analysis.unit_is,
    )
    return str(table.rename(columns=IN_PERCENT).to_csv(index=False, float_format="%.6g"))


def _chips(analysis: Analysis) -> dict[str, str]:
    found = junctions(analysis.record)
    if found is None:
        return {
            "junctions.csv": as_text(CHIP_COLUMNS, []),
            "junction_frequencies.csv": as_text(FREQUENCY_COLUMNS, []),
        }
    return {
        "junctions.csv": found.chips.to_csv(index=False, float_format="%.6g"),
        "junction_frequencies.csv": found.by_frequency.to_csv(index=False, float_format="%.6g"),
    }


def _stains(analysis: Analysis) -> str:
    found = stains(analysis.record, analysis.units)
    if found is None:
        return as_text(STAIN_COLUMNS, [])
    return str(found.table.to_csv(index=False, float_format="%.6g"))


def _doses(analysis: Analysis) -> str:
    unit_of = {well: unit for unit in analysis.units for well in unit.wells}
    rows = [
        {
            "unit": unit_of[dose.well].name,
            "arm": unit_of[dose.well].arm,
            "well": dose.well,
            "factor_unit": dose.factor_unit,
            "factor": dose.factor,
            "fidelity": dose.fidelity,
            "longest_gap_s": dose.longest_gap_s,
            "censored_from_s": dose.censored_from_s,
            "well_censored_from_s": analysis.ledger.censored_from_s.get(dose.well),
        }
        for dose in analysis.ledger.wells
        if dose.well in unit_of
    ]
    return as_text(list(rows[0]) if rows else ["unit", "arm", "well", "factor", "fidelity"], rows)


def _deviations(analysis: Analysis) -> str:
    legend = legend_of_record(analysis.record)
    columns = ["at_s", "clock", "kind", "what", "where", "late_s", "detail"]
    rows: list[dict[str, Any]] = [
        {"at_s": d.at_s, "kind": "deviation", "what": d.code, "where": d.about, "detail": d.detail}
        for d in analysis.outcome.deviations
    ]
    rows += [
        {"at_s": a.from_s, "kind": "alarm", "what": a.code, "where": a.about,
         "detail": a.what + ("" if a.to_s is None else f" (until {a.to_s:.0f} s)")}
        for a in analysis.outcome.alarms
    ]  # fmt: skip
    rows += [
        {"at_s": s.due_s, "kind": s.kind, "what": s.fate, "where": s.where, "late_s": s.late_s,
         "detail": s.why}
        for s in analysis.outcome.slips
    ]  # fmt: skip
    for row in rows:
        row["clock"] = legend.date_and_time(row["at_s"])
    return as_text(columns, sorted(rows, key=lambda row: float(row["at_s"])))


def _frames(analysis: Analysis) -> Iterator[dict[str, Any]]:
    """From the journal, which is the record; in the columns of the manifest beside the images."""
    clock = clock_of_run(analysis.record.rows, analysis.record.identity)
    for row in analysis.record.pictures():
        if row.state in ("confirmed", "missed", "failed"):
            taken = {name: row.detail.get(name) for name in FRAME_COLUMNS}
            if row.state == "confirmed":
                taken |= clock.cells(taken_s(row.detail))
            reason = row.detail.get("reason", "")
            yield taken | {"key": row.key, "state": row.state, "reason": reason}


def _verdict(analysis: Analysis, maker: Maker) -> str:
    record = analysis.record
    run, commitment = record.identity, record.commitment
    document = {
        "run": run["id"],
        "pilot": run["pilot"],
        "simulated": run["simulated"],
        "rehearsal": is_rehearsal(run),
        "committed_sha256": commitment.entries[-1]["sha256"] if commitment else None,
        "post_hoc": _post_hoc(analysis),
        "headline": asdict(headline(analysis)),
        "integrity": list(record.integrity.failures),
        "integrity_warnings": [*record.integrity.warnings, *record.integrity.notes],
        "amended": _amended(commitment),
        "commitment_time": when_known(commitment) if commitment else None,
        "analysed_by": {"labrig": maker.labrig, "utc": maker.utc},
        "ran_under": {"labrig": analysis.record.identity["versions"].get("labrig")},
        "strongest_wording": "sarcopenia-like: cultured myotubes are not aged muscle",
        "definition": analysis.record.protocol.definition.model_dump(mode="json", by_alias=True),
        "unit_shares": analysis.unit_is,
        "control": analysis.control,
        "excluded": analysis.excluded,
        **arms_document(analysis),
        "units": [asdict(verdict) for verdict in analysis.verdicts],
        "units_intention_to_treat": [
            {"unit": verdict.unit.name, "label": verdict.label, "reasons": verdict.reasons}
            for verdict in analysis.verdicts_itt
        ],
        "outcomes": rows_of(analysis.named),
        "comparisons": [asdict(comparison) for comparison in analysis.comparisons],
        "subtype": subtype_in_words(analysis.subtypes),
        "subtypes": [asdict(each) for each in analysis.subtypes],
        "origins": [asdict(origin) for origin in analysis.origins],
    }
    return json.dumps(_finite(document), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _post_hoc(analysis: Analysis) -> bool | None:
    """None where nothing was committed that could be."""
    record = analysis.record
    if record.integrity.failures:
        return True
    return None if record.commitment is None else record.commitment.post_hoc


def _amended(commitment: CommitmentShown | None) -> list[str]:
    if commitment is None:
        return []
    before = ["before data"] if commitment.amended_before_data else []
    return before + (["post hoc"] if commitment.post_hoc else [])


def _sensitivity(analysis: Analysis) -> str:
    columns = ["definition", "rule", "unit", "arm", "answer"]
    rows = [
        {"definition": row.name, "rule": row.rule, "unit": verdict.unit.name,
         "arm": verdict.unit.arm, "answer": answer}
        for row in analysis.sensitivity
        for verdict, answer in zip(analysis.classed, row.answers, strict=True)
    ]  # fmt: skip
    return as_text(columns, rows)


def _finite(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
