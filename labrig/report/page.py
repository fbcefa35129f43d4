"""The page: words and rows for the template, and nothing that is worked out there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import files
from typing import Any

from labrig.display.alarms import AlarmWords, alarm_words
from labrig.display.concentrations import scale_of
from labrig.display.deviations import deviation_words
from labrig.display.legend import Legend
from labrig.plan.timeline import Film
from labrig.plan.words import MANY_ROWS
from labrig.record.acts import acts_of_people
from labrig.record.alarms import AlarmSpan
from labrig.record.completeness import Counted
from labrig.record.lateness import PUNCTUAL_S
from labrig.record.well_doses import WellDose
from labrig.report import figures, run_facts, strips
from labrig.report.amendments import amendments_shown
from labrig.report.analysis import Analysis, n_table
from labrig.report.arm_rows import arm_rows, margin_words, plan_words
from labrig.report.arms.named_definition import IN_WORDS as DEFINITIONS
from labrig.report.arms.named_definition import answers_of
from labrig.report.clocks import both_clocks, legend_of_record, zone_words
from labrig.report.contraction import of_no_series, why_no_strength
from labrig.report.effluents import effluent_rows, effluent_words
from labrig.report.growth import tubes_that_count
from labrig.report.headline import capital, headline
from labrig.report.junctions import chip_rows, fidelity_figure, junctions
from labrig.report.kinds import IN_WORDS, MASKS, UNSTAINED
from labrig.report.maker import Maker
from labrig.report.named.drawing import answers_figure
from labrig.report.named.rows import rows_of
from labrig.report.named.sentences import summary
from labrig.report.outcome import LATE_PICTURE_FRACTION, TALLIED, clock
from labrig.report.record import Record
from labrig.report.results import results_shown
from labrig.report.series import planned_assays, series_shown
from labrig.report.stains import stains
from labrig.report.standing import standing
from labrig.report.steps import steps_shown
from labrig.report.subtypes import subtype_in_words
from labrig.report.surroundings import surroundings_figure, surroundings_rows
from labrig.report.tables import FILES
from labrig.report.verdict_lines import chance_sentence
from labrig.run_folder import is_rehearsal

MOST_ROWS = 60
SECTIONS = (
    ("ran", "What ran"),
    ("doses", "Delivered and intended dose"),
    ("time", "Late, missed, uncertain"),
    ("amendments", "Amendments while it ran"),
    ("people", "What people did at the plate"),
    ("growth", "Growth"),
    ("results", "Results from elsewhere"),
    ("contraction", "Contraction"),
    ("series", "Test series"),
    ("junctions", "From nerve to muscle"),
    ("stains", "Stains"),
    ("pictures", "Pictures"),
    ("verdict", "Verdict"),
    ("outcomes", "Outcomes"),
    ("sensitivity", "If the definition were another"),
    ("background", "Behind the run"),
)


def render(analysis: Analysis, maker: Maker) -> str:
    """The whole page as one self-contained document; the same run and maker give the same text."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    folder = files("labrig.report").joinpath("templates")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=False, keep_trailing_newline=True
    )
    environment.filters["capital"] = capital
    template = environment.from_string(folder.joinpath("report.html.j2").read_text("utf-8"))
    record = analysis.record
    legend = legend_of_record(record)
    svgs = _figures(analysis, legend)
    drawn = {name: Markup(svg) if svg else None for name, svg in svgs.items()}
    css = Markup(folder.joinpath("report.css").read_text("utf-8"))
    doses = fidelity_rows(analysis, legend)
    steps = steps_shown(record.plan, record.rows, analysis.units)
    amended = amendments_shown(record.rows)
    results = results_shown(record.folder, record.plan, record.rows, analysis.units)
    tests = series_shown(record, analysis.units, list(record.protocol.arms))
    of_chips, of_stains = junctions(record), stains(record, analysis.units)
    there = {
        "people": bool(steps),
        "amendments": bool(amended),
        "results": bool(results),
        "series": planned_assays(record.protocol),
        "junctions": of_chips is not None,
        "stains": of_stains is not None,
    }
    return template.render(
        css=css,
        figures=drawn,
        analysis=analysis,
        record=record,
        head=headline(analysis),
        standing=standing(record.commitment, bool(record.identity["pilot"]), record.integrity),
        sections=[section for section in SECTIONS if there.get(section[0], True)],
        steps=steps,
        amendments=amended,
        series=tests,
        has_series=planned_assays(record.protocol),
        junctions=of_chips,
        chip_rows=chip_rows(of_chips),
        junction_plot=_markup(fidelity_figure(of_chips, list(record.protocol.arms))),
        stains=of_stains,
        results=[result for result in results if result.planned.name in shown_results(record)],
        clock=clock,
        legend=legend,
        zone=zone_words(record),
        both_clocks=both_clocks,
        happened=_happened(analysis, legend),
        alarms=_alarms(analysis, legend),
        many=MANY_ROWS,
        expected=_expected(analysis, legend),
        journal_head=record.gist.last,
        fates=TALLIED,
        files=FILES,
        most_rows=MOST_ROWS,
        acts=acts_of_people(record.rows),
        late_picture_s=max(PUNCTUAL_S, LATE_PICTURE_FRACTION * record.protocol.imaging.interval_s),
        facts=run_facts.facts(analysis, legend),
        plate=run_facts.plate(analysis, legend),
        many_donors=len(record.protocol.donors) > 1,
        kind_note=_kind_note(analysis.record.kind, record.protocol.imaging.phase_mask),
        single_donor=len({unit.donor for unit in analysis.units}) == 1,
        arms=run_facts.arms(record.protocol, record.plan),
        heated=any(step.arms for step in record.protocol.environment.steps),
        counts=n_table(analysis),
        fidelity=doses,
        all_doses_ok=all(row["ok"] and not row["out"] for row in doses),
        pulses=_pulses(analysis),
        n_units=run_facts.n_units(analysis),
        growth_rates=_growth_rates(analysis),
        no_measures="; ".join(record.absent) or "no diameter was measured",
        unit_rows=list(analysis.itt.itertuples()),
        flagged_frames=_flagged_frames(analysis),
        films=contraction_facts(analysis),
        rehearsal=is_rehearsal(record.identity),
        contraction_rows=list(analysis.contractions.itertuples()),
        strips=_strips(analysis),
        strip_rule=strips.RULE,
        definition_words=run_facts.definition_words(record.protocol),
        verdicts=list(zip(analysis.verdicts, analysis.verdicts_itt, strict=True)),
        shared_reasons=_shared_reasons(analysis),
        comparisons=_comparison_tables(analysis),
        both_alike=not analysis.left_out,
        no_comparison=_no_comparison(analysis),
        arm_rows=arm_rows(analysis),
        named_definition=DEFINITIONS[record.protocol.definition.named],
        has_it=answers_of(analysis.arms, record.protocol.definition),
        plan_words=plan_words(analysis.arms.plan),
        chance=chance_sentence(analysis),
        named=rows_of(analysis.named),
        subtype=subtype_in_words(analysis.subtypes),
        named_summary=summary(analysis.named),
        margin=margin_words(analysis.arms.plan),
        sensitivity=_sensitivity(analysis),
        surroundings=surroundings_rows(
            analysis.record.plan, analysis.record.rows, analysis.outcome.until_s, legend
        ),
        effluents=effluent_rows(analysis.ledger.effluents, legend),
        effluent_words=effluent_words(analysis.ledger.effluents),
        left={now.reservoir: now.left_ml for now in analysis.reservoirs},
        assumptions=run_facts.assumptions(record),
        provenance=run_facts.provenance(record, maker),
        maker=maker,
    )


def shown_results(record: Record) -> set[str]:
    """Names of the results that the protocol wants shown."""
    return {result.called for result in record.protocol.results if result.show}


def _markup(svg: str | None) -> str | None:
    from markupsafe import Markup

    return None if svg is None else Markup(svg)


def fidelity_rows(analysis: Analysis, legend: Legend) -> list[dict[str, Any]]:
    """By unit and factor, whatever was planned above 0: a row for wells that got the same."""
    rows = []
    for unit in analysis.units:
        own = [d for d in analysis.ledger.wells if d.well in unit.wells and d.fidelity is not None]
        for factor in dict.fromkeys(dose.factor for dose in own):
            alike: dict[tuple[float, float | None], list[WellDose]] = {}
            for dose in own:
                if dose.factor == factor:
                    out_s = analysis.ledger.censored_from_s.get(dose.well)
                    alike.setdefault((round(dose.fidelity or 0.0, 3), out_s), []).append(dose)
            rows += [
                _fidelity_row(unit.name, doses, out_s, analysis, legend)
                for (_, out_s), doses in sorted(alike.items(), key=lambda item: item[0][0])
            ]
    return rows


def _fidelity_row(
    unit: str, doses: Sequence[WellDose], out_s: float | None, analysis: Analysis, legend: Legend
) -> dict[str, Any]:
    rules, fidelity = analysis.record.plan.rules, doses[0].fidelity or 0.0
    planned = _area(doses[0].curve.times_s, doses[0].curve.target_ng_ml)
    return {
        "unit": unit,
        "wells": " ".join(dose.well for dose in doses),
        "factor": doses[0].factor,
        "planned": _exposure(planned, doses[0].factor, analysis),
        "delivered": _exposure(planned * fidelity, doses[0].factor, analysis),
        "fidelity": fidelity,
        "ok": rules.fidelity_low <= fidelity <= rules.fidelity_high,
        "gap_min": max(dose.longest_gap_s for dose in doses) / 60,
        "out": "" if out_s is None else legend.clock(out_s),
    }


def _expected(analysis: Analysis, legend: Legend) -> tuple[Counted, ...]:
    """Of a run that has ended, what was expected of it; factors unnamed where nobody may know."""
    if analysis.outcome.condition not in ("finished", "stopped") or not analysis.record.rows:
        return ()
    found = analysis.expected
    if not legend.blind:
        return found
    return tuple(
        replace(each, sort=each.sort.partition(" of ")[0]) if " of " in each.sort else each
        for each in found
    )


def _happened(analysis: Analysis, legend: Legend) -> list[tuple[float, str, str]]:
    """When, which code, and in words; of a code that a newer labrig has, what its row holds."""
    return [
        (d.at_s, d.code, d.detail if d.said is None else deviation_words(d.said, legend))
        for d in analysis.outcome.deviations[:MOST_ROWS]
    ]


def _alarms(analysis: Analysis, legend: Legend) -> list[tuple[AlarmSpan, AlarmWords]]:
    """Each with its words."""
    return [(span, alarm_words(span, legend)) for span in analysis.outcome.alarms[:MOST_ROWS]]


def _flagged_frames(analysis: Analysis) -> int:
    fields = analysis.record.fields
    return 0 if "quality" not in fields else int((fields["quality"] == "flagged").sum())


def contraction_facts(analysis: Analysis) -> dict[str, Any]:
    """How many films there are, how many count, and what was asked of them."""
    record = analysis.record
    planned = record.protocol.imaging.films
    films = of_no_series(record.films)
    status = [] if films.empty else list(films["status"])
    due = [entry for entry in record.plan.timeline if isinstance(entry, Film) and not entry.assay]
    return {
        "planned": len(due),
        "measured": len(status) - status.count("failed"),
        "counted": status.count("ok"),
        "stimulus": planned.stimulus if planned is not None else None,
        "why_no_strength": why_no_strength(record.protocol),
        "seconds": planned.duration_s if planned is not None else 0.0,
        "frame_rate_hz": planned.frame_rate_hz if planned is not None else 0.0,
    }


def _exposure(area: float, factor: str, analysis: Analysis) -> str:
    """An amount over time, in hours of the unit that people think of a factor in."""
    scale, unit = scale_of(analysis.record.plan.factors, factor, area)
    amount, slash, per = unit.partition("/")
    return f"{area / scale:.3g} {amount}·h{slash}{per}"


def _area(times_s: Sequence[float], values: Sequence[float]) -> float:
    """∫C dt in ng·h/mL by trapezes."""
    pairs = zip(times_s, times_s[1:], values, values[1:], strict=False)
    return sum((b - a) * (p + q) / 2 for a, b, p, q in pairs) / 3600


def _figures(analysis: Analysis, legend: Legend) -> dict[str, str | None]:
    record = analysis.record
    arms, plan = list(record.protocol.arms), record.plan
    return {
        "timeline": figures.timeline_figure(plan, analysis.outcome, legend),
        "doses": figures.concentration_figure(plan, analysis.ledger, legend),
        "growth": figures.growth_figure(analysis.itt, arms, plan, legend),
        "superplot": _superplot(analysis, arms),
        "contraction": figures.contraction_figure(analysis.contractions, arms, plan, legend),
        "environment": figures.environment_figure(plan, record.rows, legend),
        "surroundings": surroundings_figure(plan, record.rows, legend),
        "named": answers_figure(analysis.named),
    }


def _kind_note(kind: str | None, phase_mask: str) -> str:
    """Which tubes the curves are of, and how they were found."""
    if kind is None:
        return ""
    found = f"; {MASKS[phase_mask]}" if kind == UNSTAINED else ""
    return f"Diameter and area: {IN_WORDS.get(kind, kind)}{found}. "


def _superplot(analysis: Analysis, arms: Sequence[str]) -> str | None:
    import numpy as np

    measured = analysis.itt[analysis.itt["diameter_um"].notna()]
    if measured.empty:
        return None
    last = measured["round"].max() if analysis.last_round is None else analysis.last_round
    plan_wells = analysis.record.plan.wells
    arm_of = {well.well: well.arm for well in plan_wells}
    donor_of = {well.well: well.donor for well in plan_wells}
    counted = tubes_that_count(
        analysis.record.tubes, analysis.record.protocol.definition.min_nuclei
    )
    tubes = counted[counted["round"] == last]
    wells = analysis.wells[analysis.wells["round"] == last]
    return figures.superplot(
        tubes.assign(arm=tubes["well"].map(arm_of), donor=tubes["well"].map(donor_of)),
        wells.assign(
            arm=wells["well"].map(arm_of),
            donor=wells["well"].map(donor_of),
            diameter_um=np.exp(wells["log_diameter"]),
        ),
        measured[measured["round"] == last],
        arms,
    )


def _strips(analysis: Analysis) -> tuple[strips.Strip, ...]:
    plate = analysis.record.plate
    if plate is None:
        return ()
    chosen = strips.representatives(analysis.units, analysis.itt)
    overlays = analysis.record.folder.measures / "overlays"
    return strips.strips(plate, chosen, analysis.rounds_s, overlays)


def _pulses(analysis: Analysis) -> list[dict[str, str | int]]:
    wells: dict[str, list[str]] = {}
    for well in analysis.record.plan.wells:
        wells.setdefault(well.pattern_unit, []).append(well.well)
    return [
        {
            "name": f"{p.stimulator} {p.channel}",
            "wells": " ".join(wells.get(f"{p.stimulator}:{p.channel}", [])),
            "planned": p.planned,
            "delivered": p.delivered,
            "share": f"{p.delivered / p.planned:.1%}" if p.planned else "–",
            "uncertain": p.uncertain,
            "tests": f"{p.tests_delivered} of {p.tests_planned}" if p.tests_planned else "–",
        }
        for p in analysis.ledger.pulses
    ]


def _growth_rates(analysis: Analysis) -> list[dict[str, Any]]:
    """A unit's growth in numbers chosen beforehand: log-slope a day, time to a loss of 10 %."""
    from labrig_analysis.timelapse.growth import growth_by_unit

    if analysis.itt.empty:
        return []
    table = growth_by_unit(analysis.itt, unit="unit", value="diameter_um", time_h="hours")
    by_unit: dict[str, Any] = {str(row["unit"]): row for row in table.to_dict("records")}
    return [by_unit[unit.name] for unit in analysis.units if unit.name in by_unit]


def _shared_reasons(analysis: Analysis) -> tuple[str, ...]:
    """Reasons that hold for every unit: said once."""
    reasons = [verdict.reasons for verdict in analysis.classed]
    return tuple(r for r in reasons[0] if all(r in other for other in reasons)) if reasons else ()


def _comparison_tables(analysis: Analysis) -> list[dict[str, Any]]:
    """By readout, the rows to show; both analyses as one where nothing was left out."""
    both_alike = not analysis.left_out
    tables = []
    for readout in dict.fromkeys(c.readout for c in analysis.comparisons):
        rows = [c for c in analysis.comparisons if c.readout == readout]
        if both_alike:
            rows = [c for c in rows if c.analysis == "intention to treat"]
        tables.append({"readout": readout, "rows": rows, "hours": rows[0].hours})
    return tables


def _no_comparison(analysis: Analysis) -> str:
    if analysis.control is None:
        return "There is no control arm and another to compare with it."
    return "Nothing was measured after treatment began."


def _sensitivity(analysis: Analysis) -> list[tuple[Any, list[str]]]:
    names = [verdict.unit.name for verdict in analysis.classed]
    return [
        (row, [n for n, answer in zip(names, row.answers, strict=True) if answer == "yes"])
        for row in analysis.sensitivity
    ]
