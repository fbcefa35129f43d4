"""From protocol and rig to the plan: allocation, schedules, forecast, findings.

Pure: the same files, date, system and free space give the same plan, and no instrument is touched.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from labrig.documents import Loaded, whole_text
from labrig.plan.allocation import allocate
from labrig.plan.amending import Kept
from labrig.plan.bottles import first_ml, with_volumes
from labrig.plan.chambers import chamber_plans, draws, factor_losses
from labrig.plan.checks import every_check
from labrig.plan.checks.draft import Draft
from labrig.plan.checks.overrides import lift
from labrig.plan.climate_schedule import climate_levels, climate_plans, safe_climate
from labrig.plan.dose_schedule import doses
from labrig.plan.drawn import drawn_courses
from labrig.plan.error_rules import error_rules_of
from labrig.plan.film_schedule import LATE_S, film_blocks, films, stimulus_spans
from labrig.plan.findings import Finding, Severity
from labrig.plan.flow_demand import demands
from labrig.plan.flow_schedule import flow_levels
from labrig.plan.forecast import forecast, picture_sizes, predicted_curves, pulse_figures
from labrig.plan.imaging_schedule import Positions, frames, readings
from labrig.plan.interlocks import measured_by_hand, planned_interlocks
from labrig.plan.plan import Plan, WellPlan
from labrig.plan.pumps import pump_rates
from labrig.plan.refills import refills, supplies, with_refills
from labrig.plan.run_rules import RunRules
from labrig.plan.seen_sides import filmed_in, seen_in, where_taken
from labrig.plan.selection import Lines, constant_roles, safe_states, valve_levels
from labrig.plan.series import rounds_in_the_way, rounds_s, series_blocks, series_films
from labrig.plan.series_findings import left_out
from labrig.plan.series_levels import played_tests, tested_by, with_series
from labrig.plan.sides import sided, sided_wells
from labrig.plan.solutions import line_solutions, resting
from labrig.plan.step_schedule import person_steps, pictures_after_steps
from labrig.plan.stimulation_schedule import (
    electrode_arms,
    film_patterns,
    played,
    stimulation_levels,
)
from labrig.plan.stock_roles import stock_roles
from labrig.plan.supplies import depletion, loading
from labrig.plan.targets import phase_spans
from labrig.plan.timeline import (
    Dose,
    FlowLevel,
    PersonStep,
    StimulationLevel,
    TimelineEntry,
    ValveLevel,
)
from labrig.plan.wear import wear
from labrig.protocol.compartments import opsins_of
from labrig.protocol.error_entries import Viability
from labrig.protocol.models import Protocol
from labrig.protocol.nmj_assay import with_given
from labrig.protocol.tests_as_patterns import with_every_pattern
from labrig.rig.graph import field_position_um, well_centre_um
from labrig.rig.models import Rig
from labrig_drivers.instrument import InstrumentType, installed_types

_ORDER: dict[Severity, int] = {"block": 0, "warn": 1, "note": 2}


def compile(
    protocol: Loaded[Protocol],
    rig: Loaded[Rig],
    *,
    today: date,
    free_bytes: int | None = None,
    system: str = sys.platform,
    kept: Kept | None = None,
) -> Plan:
    """The plan of one run, with everything that speaks against it.

    Args:
        protocol: what the experiment is.
        rig: what stands on the bench.
        today: for ages of calibrations and expiry.
        free_bytes: on the disk that images go to; None: not checked.
        system: of the computer that the run will be on.
        kept: of a run that is under way: what has passed, and who got which wells.

    Returns:
        A plan even when it is blocked (``Plan.blocked``), so that all findings are seen at once.
    """
    plan = assemble(
        protocol.model,
        rig.model,
        allocate(protocol.model, rig.model) if kept is None else (kept.plan.wells, []),
        installed_types(),
        today=today,
        free_bytes=free_bytes,
        system=system,
        kept=kept,
    )
    return replace(
        plan,
        protocol_sha256=protocol.sha256,
        rig_sha256=rig.sha256,
        protocol=whole_text(protocol.model),
        rig=whole_text(rig.model),
        findings=tuple(_placed(finding, protocol, rig) for finding in plan.findings),
    )


def assemble(
    protocol: Protocol,
    rig: Rig,
    allocation: tuple[tuple[WellPlan, ...], Sequence[Finding]],
    types: Mapping[str, InstrumentType],
    *,
    today: date,
    free_bytes: int | None,
    system: str = sys.platform,
    kept: Kept | None = None,
) -> Plan:
    """The plan of a given allocation, without files: no hashes, no line numbers."""
    whole, (placed, problems) = with_given(with_every_pattern(protocol)), allocation
    # what lines and channels reach is a side of a chip; what is drawn and looked at, the chip
    protocol, wells = sided(whole), sided_wells(placed)
    found = list(problems)
    spans = phase_spans(protocol)
    pumps = pump_rates(rig, types)
    roles = stock_roles(protocol, rig)
    carried, selected, more = line_solutions(protocol, rig, wells)
    found += more
    constant = constant_roles(rig, carried, selected, resting(protocol, rig, roles))
    lines = Lines(carried, selected, constant)
    wanted, more = ((), []) if not wells else demands(protocol, rig, wells, lines, roles)
    found += more
    levels, more = flow_levels(protocol, rig, spans, wanted, carried, pumps)
    found += more
    turns = valve_levels(selected, spans)
    given, more = doses(protocol, rig, spans, wells, carried, levels, pumps, roles)
    found += more
    positions, more = _positions(protocol, rig, wells)
    found += more
    filmed = [well for well in wells if well.compartment in filmed_in(whole)]
    seen = [well for well in wells if well.compartment in seen_in(whole)]
    blocks, more = film_blocks(protocol, rig, filmed, positions)
    found += more
    moving = films(protocol, rig, spans, filmed, positions, blocks)
    taken_s = [(block.start_s, block.end_s + LATE_S) for block in blocks]
    series, more = series_blocks(protocol, rig, filmed, positions, taken_s, wells)
    found += more
    moving += series_films(protocol, rig, spans, positions, series)
    filmed_s = [block.start_s for block in blocks]
    in_the_way = rounds_in_the_way(rounds_s(protocol, rig, seen, positions), series)
    found += left_out(protocol, in_the_way)
    pictures, more = frames(protocol, rig, spans, seen, positions, filmed_s, in_the_way)
    found += more
    tests_s = stimulus_spans(protocol, blocks)
    stimulation, more = stimulation_levels(protocol, rig, spans, wells, tests_s)
    found += more
    stimulation = with_series(stimulation, spans, series)
    probe = readings(protocol, rig, spans)
    surroundings = climate_levels(whole, rig, spans, placed)
    drawn_from = draws(rig, carried, selected)
    supplied = supplies(rig, drawn_from, wells, types)
    courses = drawn_courses(supplied, drawn_from, levels, given, protocol.duration_s, turns)
    filled = refills(rig, supplied, courses, spans, protocol.duration_s)
    theirs = with_volumes(person_steps(protocol, rig, spans, wells, carried), rig, courses)
    by_people = (*theirs, *filled)
    rounds = 1 + max((picture.round for picture in pictures), default=-1)
    after = pictures_after_steps(protocol, rig, seen, positions, by_people, rounds)
    pictures, after = where_taken(whole, wells, pictures), where_taken(whole, wells, after)
    entries: list[TimelineEntry] = [
        *levels, *turns, *given, *stimulation, *pictures, *moving, *probe, *by_people, *after,
        *surroundings,
    ]  # fmt: skip
    timeline = tuple(sorted(entries, key=lambda entry: (entry.offset_s, entry.key)))
    if kept is not None:
        timeline = kept.joined(timeline, spans)
        levels = tuple(e for e in timeline if isinstance(e, FlowLevel))
        turns = tuple(e for e in timeline if isinstance(e, ValveLevel))
        given = tuple(e for e in timeline if isinstance(e, Dose))
        stimulation = tuple(e for e in timeline if isinstance(e, StimulationLevel))
        by_people = tuple(e for e in timeline if isinstance(e, PersonStep))
        courses = drawn_courses(supplied, drawn_from, levels, given, protocol.duration_s, turns)

    used = tuple(with_refills(depletion(rig, courses), courses, by_people))
    chambers = chamber_plans(protocol, rig, wells, carried, levels, selected)
    losses = factor_losses(protocol)
    curves = predicted_curves(
        protocol, wells, {chamber.well: chamber for chamber in chambers}, losses, levels, given,
        by_people, turns,
    )  # fmt: skip
    patterns = played(protocol, electrode_arms(protocol, rig, wells)[0])
    pulses = pulse_figures(protocol, rig, stimulation, patterns)
    tested = film_patterns(protocol, rig, wells, patterns)
    pulses += pulse_figures(protocol, rig, stimulation, tested.items())
    for name in played_tests(stimulation):
        by_electrodes = tested_by(rig, stimulation, name)
        pulses += pulse_figures(protocol, rig, stimulation, by_electrodes.items())
    plan = Plan(
        protocol_name=protocol.name,
        protocol_sha256="",
        rig_name=rig.name,
        rig_sha256="",
        pilot=protocol.pilot,
        seed=protocol.randomisation.seed,
        plate=rig.plate,
        wells=tuple(placed),
        loading=loading(protocol, rig, carried, used, selected, first_ml(by_people, courses)),
        phases=spans,
        timeline=timeline,
        findings=(),
        forecast=forecast(protocol, rig, timeline, used, curves, pulses),
        factors=losses,
        chambers=chambers,
        draws=drawn_from,
        rules=_rules(protocol, rig),
        interlocks=planned_interlocks(rig),
        safe=(*safe_states(selected), *safe_climate(whole, rig)),
        climate=climate_plans(whole, rig),
        errors=error_rules_of(whole, rig),
        supplies=supplied,
        wear=wear(rig, drawn_from, today),
        pictures=picture_sizes(protocol, rig),
        by_hand=measured_by_hand(rig),
    )
    draft = Draft(
        protocol=whole,
        rig=rig,
        plan=plan,
        carried=carried,
        selected=selected,
        roles=roles,
        demands=tuple(wanted),
        types=types,
        pumps=pumps,
        today=today,
        free_bytes=free_bytes,
        system=system,
        opsins=opsins_of(whole),
    )
    found += every_check(draft)
    return replace(plan, findings=_sorted(lift(whole, found)))


def _rules(protocol: Protocol, rig: Rig) -> RunRules:
    viability = protocol.viability or Viability()
    return RunRules(
        fidelity_low=protocol.definition.fidelity_low,
        fidelity_high=protocol.definition.fidelity_high,
        max_gap_s=protocol.rules.max_gap_h * 3600.0,
        co2_percent=protocol.environment.at_first("co2_percent") or 0.0,
        temperature_c=protocol.environment.at_first("temperature_c") or 0.0,
        warn_co2_percent=protocol.environment.warn_co2_percent,
        warn_temperature_c=protocol.environment.warn_temperature_c,
        arrive_within_um=rig.stage.arrive_within_um,
        settle_s=rig.stage.settle_s,
        additives_on_stop=rig.ends.additives,
        medium_at_abort=rig.ends.medium_at_abort,
        short_gap_s=viability.short_s,
        viable_gap_s=viability.limit_s,
        longer_gap=viability.longer,
    )


def _positions(
    protocol: Protocol, rig: Rig, wells: Sequence[WellPlan]
) -> tuple[Positions, list[Finding]]:
    sites = range(protocol.imaging.sites)
    try:
        return {
            well.well: [field_position_um(rig, well.well, site, protocol) for site in sites]
            for well in wells
        }, []
    except ValueError as error:
        why, _, remedy = str(error).partition(": ")
        finding = Finding(
            "imaging.field-does-not-fit",
            "block",
            "protocol: imaging.wall_distance",
            why,
            remedy or "lower imaging.wall_distance",
        )
        centres = {well.well: [well_centre_um(rig, well.well)] * len(sites) for well in wells}
        return centres, [finding]


def _sorted(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    unique = dict.fromkeys(findings)
    return tuple(sorted(unique, key=lambda f: (_ORDER[f.severity], f.code, f.where)))


def _placed(finding: Finding, protocol: Loaded[Protocol], rig: Loaded[Rig]) -> Finding:
    """``rig: lines.a (note)`` as ``bench.yaml:31 lines.a (note)``."""
    kind, _, rest = finding.where.partition(": ")
    path, space, note = rest.partition(" ")
    if kind == "protocol":
        return replace(finding, where=protocol.cite(path) + space + note)
    if kind == "rig":
        return replace(finding, where=rig.cite(path) + space + note)
    return finding
