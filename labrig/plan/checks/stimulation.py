"""Current, charge and heat at the electrodes, and whether patterns can be compared.

Shannon's k is shown in the table and never judged: it is a rule for brain tissue, and every
published myotube protocol is beyond it.
"""

from __future__ import annotations

from collections.abc import Iterator

from labrig.plan import pulse_physics as physics
from labrig.plan.checks.draft import Draft, Limit
from labrig.plan.findings import Finding
from labrig.plan.foreseen import PulseFigures
from labrig.plan.timeline import StimulationLevel, TrainSpec
from labrig.protocol.impulses import Pattern
from labrig.protocol.models import Protocol
from labrig.protocol.patterns import mean_rate_hz
from labrig.protocol.segments import is_live, plain_patterns, programme, segments
from labrig.protocol.step_names import assay_of
from labrig.protocol.tests_as_patterns import place_of
from labrig_drivers.errors import OutOfRange
from labrig_drivers.kinds import PulseTrain

CHARGE_DENSITY = {
    "platinum": Limit(50, 150, "µC/cm²", "[K] Rose & Robblee 1990, Merrill 2005"),
    "graphite": Limit(200, 500, "µC/cm²", "[P] from the double layer of porous carbon"),
    "carbon": Limit(200, 500, "µC/cm²", "[P] from the double layer of porous carbon"),
}
POLARISATION = Limit(0.6, 1.2, "V", "[K] the water window")
FIELD = Limit(5.0, 8.0, "V/cm", "[S] 8 V/cm lowered viability of adipose stem cells, PMC6700204")
PULSE_WIDTH = Limit(5.0, 10.0, "ms", "[S] 12 ms lowered viability, PMC6700204", overridable=False)
CURRENT = Limit(100.0, None, "mA a well", "[P]")
HEATING = Limit(0.3, 1.0, "K", "[P] at 10 mW/K a well, calibrate", overridable=False)
NET_DC = Limit(0.5, 2.0, "µA/cm²", "[P]")
WITHOUT_EXCHANGE = Limit(
    24.0, 48.0, "h", "[K] medium is changed daily under EPS", overridable=False
)
MATCHED_WITHIN = 0.05
RATE_AS_ASKED_WITHIN = 0.005


def check(draft: Draft) -> Iterator[Finding]:
    """Findings ``stim.*`` that need the whole plan."""
    figures = {
        (f.electrode, place_of(f.pattern)): f
        for f in sorted(draft.plan.forecast.pulses, key=_strain)  # of an assay its hardest step
    }
    judged: set[tuple[str, float, float, str]] = set()
    for (name, _), figure in figures.items():
        electrodes = draft.rig.electrodes[name]
        alike = (figure.pattern, electrodes.area_cm2, figure.current_ma, electrodes.material)
        if alike not in judged:
            judged.add(alike)
            yield from _electrical(draft, figure)
    yield from _unmatched(draft)
    yield from _without_exchange(draft)
    yield from _units(draft)
    yield from _shared_currents(draft)
    yield from _instrument_limits(draft)
    yield from _resistances(draft)


def _strain(figure: PulseFigures) -> tuple[float, float]:
    return figure.current_ma, figure.heating_k


def _electrical(draft: Draft, figure: PulseFigures) -> Iterator[Finding]:
    electrodes = draft.rig.electrodes[figure.electrode]
    pattern = draft.protocol.patterns[figure.pattern]
    where = place_of(figure.pattern)
    capacity = physics.DOUBLE_LAYER_MF_CM2[electrodes.material]
    polarisation = physics.polarisation_v(figure.charge_density_uc_cm2, capacity)
    less = "lower amplitude or pulse_width, or use larger electrodes"
    judged = [
        CHARGE_DENSITY[electrodes.material].judge(
            "stim.charge-density",
            where,
            f"charge density on {electrodes.material} ({figure.electrode})",
            figure.charge_density_uc_cm2,
            less,
        ),
        POLARISATION.judge(
            "stim.polarisation",
            where,
            f"polarisation of {electrodes.material} at {capacity * 1000:g} µF/cm²",
            polarisation,
            less + ", or of porous carbon",
        ),
        FIELD.judge("stim.field", where, "field", figure.field_v_cm, "lower the amplitude"),
        PULSE_WIDTH.judge(
            "stim.pulse-width", where, "pulse width", pattern.phase_ms, "shorten pulse_width"
        ),
        CURRENT.judge("stim.current", where, "current", figure.current_ma, "lower the amplitude"),
        HEATING.judge(
            "stim.heating",
            where,
            f"heating by {figure.power_mw:.3g} mW",
            figure.heating_k,
            "lower amplitude, pulse_width or mean rate",
        ),
    ]
    yield from (finding for finding in judged if finding is not None)
    if pattern.shape == "monophasic":
        yield from _net_dc(draft, figure, electrodes.area_cm2)


def _net_dc(draft: Draft, figure: PulseFigures, area_cm2: float) -> Iterator[Finding]:
    current_ua = physics.net_dc_ua(figure.charge_uc, figure.mean_rate_hz, 1.0)
    acid = physics.acid_equivalents_mm(current_ua, 24.0, draft.rig.chambers.volume_ml)
    finding = NET_DC.judge(
        "stim.net-dc",
        f"{place_of(figure.pattern)}.shape",
        f"a monophasic pattern leaves a direct current, {acid:.2g} mM acid a day without "
        "exchange [C]; its density",
        current_ua / area_cm2,
        "use shape: biphasic",
    )
    if finding is not None:
        yield finding


def _unmatched(draft: Draft) -> Iterator[Finding]:
    """Live patterns of arms that differ in dose as well as in kind (Lømo, Westgaard & Dahl 1974).

    Patterns that follow each other in one arm are its programme; compared are those that different
    arms have at one time.
    """
    protocol = draft.protocol
    facing = _facing(protocol)
    rates = {name: _mean_rate(protocol, name) for name in facing}
    if rates and max(rates.values()) > (1 + MATCHED_WITHIN) * min(rates.values()):
        yield Finding(
            "stim.unmatched-rate",
            "warn",
            "protocol: patterns",
            "mean pulse rates differ: "
            + ", ".join(f"{name} {rate:.3g} Hz" for name, rate in rates.items())
            + "; pattern and number of pulses cannot be told apart [S] Lømo 1974",
            "choose on and off times that give the same mean rate",
        )
    names = dict.fromkeys(part for name in facing for part in plain_patterns(protocol, name))
    live = {n: protocol.patterns[n] for n in names if protocol.patterns[n].live}
    if len({(p.phase_ms, p.amplitude, p.shape) for p in live.values()}) > 1:
        yield Finding(
            "stim.unmatched-pulse",
            "warn",
            "protocol: patterns",
            "pulse width, amplitude or shape differ between live patterns: "
            + ", ".join(f"{n} {p.phase_ms:g} ms {p.amplitude}" for n, p in live.items()),
            "give all live patterns the same pulse",
        )


def _facing(protocol: Protocol) -> tuple[str, ...]:
    """Live patterns that two arms have at one time, other than each other's."""
    programmes = {arm: programme(protocol, arm) for arm in protocol.arms}
    found: dict[str, None] = {}
    for own in programmes.values():
        for segment in own:
            if segment.pattern in found or not is_live(protocol, segment.pattern):
                continue
            others = (
                other.pattern
                for programmed in programmes.values()
                for other in programmed
                if other.start_s < segment.end_s and other.end_s > segment.start_s
            )
            if any(p != segment.pattern and is_live(protocol, p) for p in others):
                found[segment.pattern or ""] = None
    return tuple(found)


def _mean_rate(protocol: Protocol, name: str) -> float:
    """Of a mixed pattern, whose parts play equally long, the mean of theirs."""
    parts = [protocol.patterns[part] for part in plain_patterns(protocol, name)]
    return sum(_rate(part) if part.live else 0.0 for part in parts) / len(parts)


def _rate(pattern: Pattern) -> float:
    return mean_rate_hz(pattern.frequency_hz, pattern.on_s, pattern.off_s)


def _without_exchange(draft: Draft) -> Iterator[Finding]:
    protocol = draft.protocol
    for name in protocol.arms:
        standing = [
            segment.end_s - segment.start_s
            for segment in segments(protocol, name)
            if segment.flow.mean_ml_h == 0 and is_live(protocol, segment.pattern)
        ]
        hours = sum(standing) / 3600.0
        if standing:
            finding = WITHOUT_EXCHANGE.judge(
                "stim.without-exchange",
                f"protocol: arms.{name}.pattern",
                "stimulation without exchange of medium",
                hours,
                "perfuse, or stimulate for less long",
            )
            if finding is not None:
                yield finding


def _units(draft: Draft) -> Iterator[Finding]:
    """Patterns in a unit that the stimulator of some wells does not hold."""
    for name, stimulator, unit in sorted(_asked_units(draft)):
        kind = draft.types[draft.rig.instruments[stimulator].type]
        if unit in kind.holds:
            continue
        figure = next(
            f
            for f in draft.plan.forecast.pulses
            if f.pattern == name and draft.rig.electrodes[f.electrode].stimulator == stimulator
        )
        spacing_cm = draft.rig.electrodes[figure.electrode].spacing_cm
        same = f"{figure.field_v_cm * spacing_cm:.3g} V"
        if unit == "V":
            same = f"{figure.current_ma:.3g} mA"
        key = {"V": "amplitude", "mA": "current"}
        other = "mA" if unit == "V" else "V"
        yield Finding(
            "stim.instrument-unit",
            "block",
            f"{place_of(name)}.{key[unit]}",
            f"{name} asks for {unit}, and {stimulator} (a {kind.name}) holds {other} only",
            f"write {key[other]}: {same}, which is as much at the resistance of the wells, or wire "
            f"the wells to a stimulator that holds {unit}",
        )


def _asked_units(draft: Draft) -> set[tuple[str, str, str]]:
    """Pattern, stimulator, and the unit that the pattern asks of it."""
    return {
        (spec.pattern, level.instrument, "V" if spec.amplitude_ma is None else "mA")
        for level in draft.plan.timeline
        if isinstance(level, StimulationLevel)
        for spec in level.trains
        if spec.live
    }


def _shared_currents(draft: Draft) -> Iterator[Finding]:
    """Wells in parallel share a current as their resistances say, not evenly."""
    used = {well.well for well in draft.plan.wells}
    for figure in draft.plan.forecast.pulses:
        electrodes = draft.rig.electrodes[figure.electrode]
        pattern = draft.protocol.patterns[figure.pattern]
        if pattern.amplitude_ma is None or len(electrodes.wells) < 2:
            continue
        empty = [well for well in electrodes.wells if well not in used]
        yield Finding(
            "stim.shared-current",
            "block" if empty else "warn",
            f"rig: electrodes.{figure.electrode}",
            f"{len(electrodes.wells)} wells on one channel share the current of {figure.pattern} "
            "as their resistances are: unequal depth of medium is unequal current"
            + (f"; {', '.join(empty)} of them have no culture in this run" if empty else ""),
            "give each well a channel of its own, or use a voltage source",
            overridable=bool(empty),
        )


class _ReachedInstrument(Exception):
    """A driver began to talk: all that it checks beforehand was in order."""


class _NoLink:
    """Stands in for a transport: any use of it says that the checks have passed."""

    def __getattr__(self, name: str) -> object:
        raise _ReachedInstrument(name)


def _instrument_limits(draft: Draft) -> Iterator[Finding]:
    """Ask each stimulator's driver whether it could make the trains; nothing is sent."""
    asked: set[tuple[str, tuple[TrainSpec, ...]]] = set()
    for level in draft.plan.timeline:
        if not isinstance(level, StimulationLevel) or not level.trains:
            continue
        if (level.instrument, level.trains) in asked or not _holds(draft, level):
            continue
        asked.add((level.instrument, level.trains))
        entry = draft.rig.instruments[level.instrument]
        kind = draft.types[entry.type]
        driver = kind.driver(_NoLink(), kind.settings(**entry.settings), level.instrument)
        try:
            # a sham is never programmed, and its unit is nobody's
            asked_of_it = [s for s in level.trains if s.live or s.amplitude_ma is None]
            driver.program({spec.channel: _pulse_train(spec) for spec in asked_of_it})
        except _ReachedInstrument:
            continue
        except OutOfRange as error:
            yield Finding(
                "stim.instrument-limit",
                "block",
                _where(level),
                error.what,
                error.remedy or f"change the pattern to what a {entry.type} can make",
            )


def _where(level: StimulationLevel) -> str:
    """A test is played by itself; treatments are programmed together."""
    patterns = tuple(dict.fromkeys(spec.pattern for spec in level.trains))
    if len(patterns) == 1 and assay_of(patterns[0]):
        return place_of(patterns[0])
    return f"protocol: patterns ({', '.join(patterns)})"


def _holds(draft: Draft, level: StimulationLevel) -> bool:
    """Whether the stimulator holds the units that are asked of it; else that is told of it."""
    holds = draft.types[draft.rig.instruments[level.instrument].type].holds
    return all(
        ("V" if spec.amplitude_ma is None else "mA") in holds for spec in level.trains if spec.live
    )


def _pulse_train(spec: TrainSpec) -> PulseTrain:
    return PulseTrain(
        phase_ms=spec.phase_ms,
        amplitude_v=spec.amplitude_v,
        amplitude_ma=spec.amplitude_ma,
        biphasic=spec.biphasic,
        frequency_hz=spec.frequency_hz,
        burst_s=spec.burst_s,
        gap_s=spec.gap_s,
        duration_s=spec.duration_s,
    )


def _resistances(draft: Draft) -> Iterator[Finding]:
    used = {figure.electrode for figure in draft.plan.forecast.pulses}
    computed = [n for n in used if draft.rig.electrodes[n].resistance_basis == "computed"]
    if computed:
        yield Finding(
            "stim.resistance-computed",
            "note",
            f"rig: electrodes ({', '.join(sorted(computed))})",
            "current and charge rest on a computed resistance",
            "measure the current of a pulse, and say resistance_basis: measured",
        )
    shared = {
        figure.electrode: (len(draft.rig.electrodes[figure.electrode].wells), figure.current_ma)
        for figure in draft.plan.forecast.pulses
    }
    crowded = {name: n * ma for name, (n, ma) in shared.items() if n > 1}
    if crowded:
        name = max(crowded, key=crowded.__getitem__)
        yield Finding(
            "stim.channel-current",
            "note",
            f"rig: electrodes.{name}",
            f"wells on one channel are driven in parallel: {crowded[name]:.0f} mA in all [C]",
            "check that the isolator or amplifier can give it; a stimulator alone usually cannot",
        )
    for figure in draft.plan.forecast.pulses:
        pattern = draft.protocol.patterns[figure.pattern]
        asked = _rate(pattern)
        if assay_of(figure.pattern):
            continue  # a test is so many pulses, not a rate
        if abs(figure.mean_rate_hz - asked) > RATE_AS_ASKED_WITHIN * asked:
            yield Finding(
                "stim.rearm-gap",
                "note",
                f"protocol: patterns.{figure.pattern}",
                f"whole pulses in finite trains give {figure.mean_rate_hz:.4g} Hz on average "
                f"instead of {asked:.4g} Hz",
                "nothing, or choose on and off times that end in a pause",
            )
