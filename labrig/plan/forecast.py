"""What the timeline will use and do: pictures, liquid, concentrations, pulses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from labrig.plan import pulse_physics as physics
from labrig.plan.chamber_tree import all_inlets, pumps_of, wells_of, with_sources
from labrig.plan.concentration import (
    BolusStep,
    ExchangeStep,
    FlowStep,
    ValveStep,
    chamber_models,
    histories,
)
from labrig.plan.consumables import PictureSize
from labrig.plan.dose_model import ChamberPlan, FactorLoss
from labrig.plan.foreseen import Curve, Depletion, Forecast, PulseFigures
from labrig.plan.plan import WellPlan
from labrig.plan.pulse_times import pulses_given
from labrig.plan.stimulation_schedule import train
from labrig.plan.targets import targeted_factors, targets_over_time
from labrig.plan.timeline import (
    Dose,
    Film,
    FlowLevel,
    Frame,
    PersonStep,
    StimulationLevel,
    ValveLevel,
)
from labrig.protocol.models import Protocol
from labrig.protocol.patterns import mean_rate_hz
from labrig.protocol.segments import boluses, segments
from labrig.protocol.step_names import assay_of
from labrig.protocol.tests_as_patterns import test_rate_hz
from labrig.rig.models import Electrodes, Optics, Rig

CURVE_POINTS = 240
LARGE_PX = 1024
"""A picture with a longer side does not fit on a screen, and is stored at half its size too."""


def forecast(
    protocol: Protocol,
    rig: Rig,
    entries: Sequence[object],
    depletion: tuple[Depletion, ...],
    curves: tuple[Curve, ...],
    pulses: tuple[PulseFigures, ...],
) -> Forecast:
    """The digest of a timeline."""
    frames = [entry for entry in entries if isinstance(entry, Frame)]
    films = [entry for entry in entries if isinstance(entry, Film)]
    return Forecast(
        duration_s=protocol.duration_s,
        frames=len(frames),
        films=len(films),
        image_bytes=sum(_stored_bytes(rig.optics[frame.channel]) for frame in frames)
        + sum(_frame_bytes(rig.optics[film.channel]) * film.frames for film in films),
        depletion=depletion,
        curves=curves,
        pulses=pulses,
    )


def picture_sizes(protocol: Protocol, rig: Rig) -> tuple[PictureSize, ...]:
    """How large the pictures of each channel are that the protocol takes."""
    channels = protocol.imaging.channels
    return tuple(
        PictureSize(
            name,
            _stored_bytes(optics),
            _frame_bytes(optics),
            name in channels and channels[name].secondary,
        )
        for name, optics in rig.optics.items()
    )


def stored_levels(optics: Optics) -> int:
    """How many resolution levels of a picture are stored, each of half the size of the last."""
    return 2 if max(optics.height_px, optics.width_px) > LARGE_PX else 1


def _stored_bytes(optics: Optics) -> int:
    return sum(_frame_bytes(optics) // 4**level for level in range(stored_levels(optics)))


def _frame_bytes(optics: Optics) -> int:
    return optics.width_px * optics.height_px * (1 if optics.bit_depth == 8 else 2)


def flow_steps(levels: Sequence[FlowLevel]) -> list[FlowStep]:
    """All pumps' rates after each change of any."""
    rates: dict[str, float] = {}
    steps: list[FlowStep] = []
    for level in sorted(levels, key=lambda level: level.offset_s):
        rates = {**rates, level.instrument: level.rate_ul_min}
        if steps and steps[-1].at_s == level.offset_s:
            steps.pop()
        steps.append(FlowStep(level.offset_s, rates))
    return steps


def valve_steps(turns: Sequence[ValveLevel]) -> list[ValveStep]:
    """Where each valve stands from when."""
    return [ValveStep(turn.offset_s, turn.instrument, turn.position) for turn in turns]


def predicted_curves(
    protocol: Protocol,
    wells: Sequence[WellPlan],
    chambers: Mapping[str, ChamberPlan],
    losses: Sequence[FactorLoss],
    levels: Sequence[FlowLevel],
    doses: Sequence[Dose],
    steps: Sequence[PersonStep] = (),
    turns: Sequence[ValveLevel] = (),
) -> tuple[Curve, ...]:
    """One curve a factor for the first well of each arm in each factor unit.

    The target of a factor that is given as a bolus only is its predicted history: the bolus is
    the intention. So is that of one that comes along with effluent.
    """
    times = tuple(protocol.duration_s * i / CURVE_POINTS for i in range(CURVE_POINTS + 1))
    representatives = {(w.arm, w.factor_unit): w for w in reversed(wells)}
    curves = []
    known: dict[object, tuple[tuple[float, ...], ...]] = {}
    asked = {arm: segments(protocol, arm) for arm in protocol.arms}
    for well in wells:
        if representatives[(well.arm, well.factor_unit)] is not well:
            continue
        chamber = chambers[well.well]
        pumps = pumps_of(chamber)
        flows = flow_steps([level for level in levels if level.instrument in pumps])
        own = exchanges(step for step in steps if wells_of(chamber) & set(step.wells))
        at_once = [
            BolusStep(d.offset_s, d.instrument, d.volume_ul) for d in doses if d.instrument in pumps
        ]
        by_hand = tuple((step.at_s, step.share, well.well in step.wells) for step in own)
        steady = targeted_factors(protocol, well.arm)
        given = [bolus.factor for bolus in boluses(protocol, well.arm)]
        for loss in losses:
            along = any(i.source is not None and i.brings(loss.factor) for i in chamber.inlets)
            if loss.factor not in (*steady, *given) and not along:
                continue
            alike = (loss.factor, by_hand, _as_fed(chamber, levels, doses, turns))
            if alike not in known:  # most wells of an arm are fed exactly alike
                known[alike] = histories(
                    chamber_models(chamber, loss), chamber, flows, [*at_once, *own], times,
                    valve_steps(turns),
                )  # fmt: skip
            value, low, high = known[alike]
            target = value
            if loss.factor in steady:
                target = targets_over_time(protocol, asked[well.arm], loss.factor, times)
            curves.append(Curve(well.well, loss.factor, target, times, value, low, high))
    return tuple(curves)


def exchanges(steps: Iterable[PersonStep]) -> list[ExchangeStep]:
    """Changes of medium by hand, where they were planned."""
    return [ExchangeStep(s.offset_s, s.wells, s.exchange) for s in steps if s.exchange]


def _as_fed(
    chamber: ChamberPlan,
    levels: Sequence[FlowLevel],
    doses: Sequence[Dose],
    turns: Sequence[ValveLevel],
) -> tuple[object, ...]:
    """Everything that decides a chamber's history, without the names of what carries it."""
    return tuple(
        (
            replace(
                inlet,
                line="",
                pump="",
                valve="",
                source=None,
                choices=tuple(replace(choice, reservoir="") for choice in inlet.choices),
            ),
            tuple((t.offset_s, t.position) for t in turns if t.instrument == inlet.valve),
            tuple((v.offset_s, v.rate_ul_min) for v in levels if v.instrument == inlet.pump),
            tuple((d.offset_s, d.volume_ul) for d in doses if d.instrument == inlet.pump),
        )
        for inlet in all_inlets(chamber)
    ) + tuple(each.secretes for each in with_sources(chamber))


def pulse_figures(
    protocol: Protocol,
    rig: Rig,
    levels: Sequence[StimulationLevel],
    played: Iterable[tuple[str, str]],
) -> tuple[PulseFigures, ...]:
    """Electrical figures of each live pattern at each electrode pair, a well.

    ``played``: electrode pairs, each with a pattern that it plays at some time.
    """
    return tuple(_live(protocol, rig, levels, played))


def well_resistance_ohm(electrodes: Electrodes) -> float:
    """As measured, else from spacing, area and the conductivity of medium."""
    if electrodes.resistance_ohm is not None:
        return electrodes.resistance_ohm
    return physics.resistance_ohm(electrodes.spacing_cm, electrodes.area_cm2)


def _live(
    protocol: Protocol,
    rig: Rig,
    levels: Sequence[StimulationLevel],
    played: Iterable[tuple[str, str]],
) -> Iterable[PulseFigures]:
    for name, pattern_name in played:
        if not protocol.patterns[pattern_name].live or name not in rig.electrodes:
            continue
        pattern, electrodes = protocol.patterns[pattern_name], rig.electrodes[name]
        spec = train(electrodes.channel, pattern_name, pattern)
        long_bouts = pattern.on_s is not None and pattern.off_s and pattern.on_s > spec.every_s
        tested = protocol.assays.get(assay_of(pattern_name))
        rate = (
            mean_rate_hz(pattern.frequency_hz, pattern.on_s, pattern.off_s)
            if long_bouts
            else spec.pulses / spec.every_s
        )
        if tested is not None:
            rate = test_rate_hz(tested, rate)
        resistance_ohm = well_resistance_ohm(electrodes)
        volts, current = physics.volts_and_ma(
            pattern.amplitude_v, pattern.amplitude_ma, resistance_ohm
        )
        charge = physics.charge_uc(current, pattern.phase_ms)
        density = physics.charge_density_uc_cm2(charge, electrodes.area_cm2)
        energy = physics.energy_per_phase_mj(volts, current, pattern.phase_ms)
        power = physics.mean_power_mw(energy, 2 if pattern.shape == "biphasic" else 1, rate)
        given = pulses_given(levels, electrodes.stimulator, electrodes.channel, protocol.duration_s)
        yield PulseFigures(
            pattern=pattern_name,
            electrode=name,
            current_ma=current,
            charge_uc=charge,
            charge_density_uc_cm2=density,
            shannon_k=physics.shannon_k(charge, density),
            field_v_cm=physics.field_v_cm(volts, electrodes.spacing_cm),
            power_mw=power,
            heating_k=physics.heating_steady_k(power),
            mean_rate_hz=rate,
            pulses=given.get(pattern_name, 0),
        )
