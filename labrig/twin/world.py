"""One world behind all the simulators of a bench, on the run's one clock.

Plants report what instruments really do (flow, trains, stage moves); the world lets liquid and
cultures follow. :meth:`World.scene` is what light shows: it goes to the simulated camera and
nowhere else.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from typing import Any

from labrig.twin import excursions
from labrig.twin.chips import chips_of, grow_chips
from labrig.twin.climate import AT_FIRST, Climate
from labrig.twin.culture import Surroundings
from labrig.twin.effluent import Effluent, downstream
from labrig.twin.excursions import LiquidFaults, disturbed
from labrig.twin.impulses import Impulses
from labrig.twin.liquid import Chamber, Line, Plumbing, Reservoir
from labrig.twin.media import Components
from labrig.twin.responses import read_responses
from labrig.twin.seeding import seeded_culture
from labrig.twin.showing import defocus_um, shown
from labrig.twin.spec import LineSpec, TwinSpec
from labrig.twin.trains import Train
from labrig.twin.valves import put_valves

STEP_S = 300.0  # cultures change over hours: surroundings are held constant for five minutes


class World:
    """Liquid, cultures, air and stage of a simulated bench.

    Thread-safe: any worker may reach it, one at a time.
    """

    def __init__(self, spec: TwinSpec) -> None:
        self.spec = spec
        self._lock = threading.RLock()
        self._responses = read_responses(spec.own_responses)
        self._components = Components(spec, self._responses)
        reservoirs = {
            r.name: Reservoir(
                {**r.contents_ng_ml, **self._components.of_reservoir(r)}, r.is_medium, r.usable_ul
            )
            for r in spec.reservoirs
        }
        self._reservoirs = reservoirs
        decay = {f.name: 0.6931471805599453 / (f.true_half_life_h * 60.0) for f in spec.factors}
        self._plumbing = Plumbing(
            lines={
                line.name: Line(
                    reservoirs[line.reservoir],
                    line.wells,
                    0.0 if line.primed else line.dead_volume_ul,
                )
                for line in spec.lines
                if not line.chamber
            },
            chambers={
                w.well: Chamber(spec.chamber_volume_ul, decay, self._components.at_first())
                for w in spec.wells
            },
            recovery={f.name: f.recovery for f in spec.factors},
            reservoirs=reservoirs,
            effluents=downstream(
                (line.name, Effluent(line.chamber, line.wells, plugs=[self._filling(line)]))
                for line in spec.lines
                if line.chamber
            ),
        )
        self._liquid_faults = LiquidFaults(spec.faults)
        self._lines_of_valve = put_valves(self._plumbing, spec.selectors, reservoirs)
        self._lines_of_pump: dict[str, list[str]] = {}
        for line in spec.lines:
            self._lines_of_pump.setdefault(line.pump, []).append(line.name)
        self._resistance_ohm = {
            (e.stimulator, e.channel): e.resistance_ohm for e in spec.electrodes
        }
        self._culture = {
            w.well: seeded_culture(w, spec.seed, self._responses.numbers) for w in spec.wells
        }
        self._chips = chips_of(spec.wells)
        self._impulses = Impulses(spec, self._culture, self._chips, self._responses)
        self._held: dict[tuple[str, int], tuple[float, float]] = {}
        self._direct_v_s: dict[tuple[str, int], float] = {}
        self._fields_um = {
            (w.well, index): place for w in spec.wells for index, place in enumerate(w.fields_um)
        }
        # factors of the protocol, by the name under which the culture answers to them
        self._answered_as = {f.name: self._responses.known_as(f.name) for f in spec.factors}
        self._exchanged: set[str] = set()
        self._climate = Climate({each.quantity: each.value for each in spec.ambient})
        self._stage_um = (0.0, 0.0)
        self._next_step_s = STEP_S
        self._secrete()

    def _filling(self, line: LineSpec) -> tuple[float, dict[str, float], float]:
        """A tube from a chamber is filled with medium before the start."""
        return line.dead_volume_ul, self._components.at_first(), 1.0

    def _secrete(self) -> None:
        """Cells that live give off what they do."""
        numbers = self._responses.numbers
        volume_ml = self.spec.chamber_volume_ul / 1000.0
        for each in self.spec.secretions:
            alive = min(1.0, self._culture[each.well].death.coverage(numbers))
            made = self._plumbing.secreted_ng_min.setdefault(each.well, {})
            made[each.name] = alive * each.per_h * volume_ml / 60.0

    def advance(self, now_s: float) -> None:
        """Let everything run until ``now_s``; a time already reached changes nothing.

        Liquid moves exactly; cultures take a step at every full :data:`STEP_S`, so that what
        becomes of them does not depend on how often somebody looks.
        """
        with self._lock:
            self._grow_until(now_s)
            self._flow_until(now_s)

    def _flow_until(self, now_s: float) -> None:
        while (due_s := self._liquid_faults.next_s()) <= now_s:
            self._plumbing.advance(due_s)
            self._liquid_faults.happen(self._plumbing)
        self._plumbing.advance(now_s)

    def _grow_until(self, now_s: float) -> None:
        """Every step of the cultures that is due; liquid may stay behind, nobody looks at it."""
        while self._next_step_s <= now_s:
            self._flow_until(self._next_step_s)
            self._impulses.feel_all(self._next_step_s)
            self._grow()
            self._next_step_s += STEP_S

    def _grow(self) -> None:
        hours = STEP_S / 3600.0
        activity, said = self._impulses.activity, {}
        for well, culture in self._culture.items():
            chamber = self._plumbing.chambers[well]
            temperature_c, co2_percent, o2_percent = self._around(well, self._next_step_s)
            around = Surroundings(
                self._felt_ng_ml(chamber.factors_ng_ml),
                chamber.freshness,
                self._components.read(chamber.factors_ng_ml),
                temperature_c,
                co2_percent,
                o2_percent,
            )
            said[well] = culture.advance(hours, around, activity[well], self._responses)
        numbers = self._responses.numbers
        grow_chips(self._chips, hours, said, self._culture, activity, numbers)
        self._impulses.fade(hours)
        self._secrete()

    def _felt_ng_ml(self, held_ng_ml: Mapping[str, float]) -> dict[str, float]:
        """Concentrations by the names of ``responses.toml``; two names of one substance add up."""
        felt: dict[str, float] = {}
        for name, known in self._answered_as.items():
            if known is not None and (ng_ml := held_ng_ml.get(name, 0.0)):
                felt[known] = felt.get(known, 0.0) + ng_ml
        return felt

    def exchange(
        self,
        key: str,
        wells: tuple[str, ...],
        share: float,
        medium: str,
        bottles: Mapping[str, float],
        now_s: float,
    ) -> None:
        """People replace a share of what chambers hold, and bottles; of one ``key`` once.

        ``bottles``: by reservoir, the mL of the medium that can be drawn from now on.
        """
        with self._lock:
            if key in self._exchanged:
                return
            self._exchanged.add(key)
            self.advance(now_s)
            for well in wells:
                if (chamber := self._plumbing.chambers.get(well)) is not None:
                    chamber.exchange(share, self._components.of_medium(medium))
            for name, usable_ml in bottles.items():
                self._change_bottle(name, medium, usable_ml)

    def _change_bottle(self, name: str, medium: str, usable_ml: float) -> None:
        """Another one; what stands in the lines goes into the wells before it."""
        fresh = Reservoir(self._components.of_medium(medium), True, usable_ml * 1000.0)
        for line in self.spec.lines:
            if line.reservoir == name and line.name in self._plumbing.lines:
                self._plumbing.lines[line.name].put_on(fresh, line.dead_volume_ul)
        self._reservoirs[name] = self._plumbing.reservoirs[name] = fresh

    def fill(self, key: str, reservoir: str, usable_ml: float, now_s: float) -> None:
        """People fill a reservoir, or change its syringe; of one ``key`` once."""
        with self._lock:
            if key in self._exchanged:
                return
            self._exchanged.add(key)
            self.advance(now_s)
            if (found := self._reservoirs.get(reservoir)) is not None:
                found.left_ul = usable_ml * 1000.0

    def held_ng_ml(self, well: str, now_s: float) -> dict[str, float]:
        """What a chamber truly holds, as a sample of it does."""
        with self._lock:
            self.advance(now_s)
            return self._components.left_out_of(self._plumbing.chambers[well].factors_ng_ml)

    def set_flow(self, pump: str, now_s: float, rate_ul_min: float) -> None:
        """A pump really moves this much from now on."""
        with self._lock:
            self.advance(now_s)
            for name in self._lines_of_pump.get(pump, ()):
                line = self._plumbing.effluents.get(name) or self._plumbing.lines[name]
                line.rate_ul_min = rate_ul_min

    def volts(
        self, stimulator: str, channel: int, volts: float | None, milliamperes: float | None
    ) -> float:
        """What reaches the wells of a channel: a source's volts, or its current through them.

        Wells on one channel stand in parallel and share its current evenly.
        """
        if volts is not None:
            return volts
        wells = self._impulses.wells_of_channel.get((stimulator, channel), ())
        resistance_ohm = self._resistance_ohm.get((stimulator, channel), 0.0)
        return (milliamperes or 0.0) / 1000.0 * resistance_ohm / max(1, len(wells))

    def start_train(
        self,
        stimulator: str,
        channel: int,
        now_s: float,
        amplitude_v: float,
        frequency_hz: float,
        burst_s: float,
        gap_s: float,
        duration_s: float,
    ) -> None:
        """A train of pulses begins; it is counted as delivered unless it is cut."""
        with self._lock:
            self._grow_until(now_s)
            train = Train(now_s, duration_s, frequency_hz, burst_s, gap_s, amplitude_v)
            self._impulses.start((stimulator, channel), train)

    def stop_train(self, stimulator: str, channel: int, now_s: float) -> None:
        """A train was cut off: its undelivered pulses are taken back."""
        with self._lock:
            self._grow_until(now_s)
            self._impulses.stop((stimulator, channel), now_s)

    def hold_voltage(self, stimulator: str, channel: int, now_s: float, volts: float) -> None:
        """The electrodes stand at this voltage outside pulses from now on."""
        with self._lock:
            key = (stimulator, channel)
            since_s, held_v = self._held.get(key, (now_s, 0.0))
            self._direct_v_s[key] = self._direct_v_s.get(key, 0.0) + abs(held_v) * (now_s - since_s)
            self._held[key] = (now_s, volts)

    def direct_v_s(self, well: str, now_s: float) -> float:
        """Direct voltage that a well's electrodes have borne, whatever its sign, in V s."""
        with self._lock:
            for key, (_, held_v) in list(self._held.items()):
                self.hold_voltage(*key, now_s, held_v)
            return sum(
                v_s
                for key, v_s in self._direct_v_s.items()
                if well in self._impulses.wells_of_channel.get(key, ())
            )

    def move_stage(self, now_s: float, x_um: float, y_um: float) -> None:
        """The stage has come to rest here."""
        with self._lock:
            self._stage_um = (x_um, y_um)

    def set_valve(self, valve: str, now_s: float, position: str) -> None:
        """A selector stands there from now on."""
        with self._lock:
            self.advance(now_s)
            for name in self._lines_of_valve.get(valve, ()):
                self._plumbing.lines[name].select(position)

    def set_climate(self, controller: str, now_s: float, quantity: str, value: float | str) -> None:
        """A controller drives its surroundings towards this from now on; ``off``: they drift."""
        with self._lock:
            self.advance(now_s)
            self._climate.hold(controller, quantity, now_s, value)

    def climate_at(self, controller: str, now_s: float, quantity: str) -> float:
        """What the surroundings of a controller have come to by now."""
        with self._lock:
            at = self._climate.at(controller, quantity, now_s)
            air = disturbed(
                tuple(at if name == quantity else AT_FIRST[name] for name in AT_FIRST),  # type: ignore[arg-type]
                self.spec.faults, now_s,
            )  # fmt: skip
            return dict(zip(AT_FIRST, air, strict=True)).get(quantity, at)

    def _around(self, place: str, now_s: float) -> tuple[float, float, float]:
        """Degrees, CO2 and O2 there, with all that befalls the air."""
        air = self._climate.over(place, self.spec.climate, now_s)
        return disturbed(air, self.spec.faults, now_s)

    def air(self, now_s: float, probe: str = "") -> tuple[float, float]:
        """CO2 in percent and temperature in °C at a probe, with a slow, seeded ripple."""
        slot = random.Random(f"{self.spec.seed}/air/{int(now_s // 60)}")
        temperature_c, co2_percent, _ = self._around(probe, now_s)
        return co2_percent + slot.gauss(0.0, 0.03), temperature_c + slot.gauss(0.0, 0.05)

    def scene(self, now_s: float, since_s: float) -> dict[str, Any]:
        """What stands under the objective, for the simulated camera alone.

        Args:
            now_s: when the picture or film ends.
            since_s: when it was begun.
        """
        with self._lock:
            self.advance(now_s)
            x_um, y_um = self._stage_um
            (well, field), (field_x_um, field_y_um) = min(
                self._fields_um.items(),
                key=lambda item: (item[1][0] - x_um) ** 2 + (item[1][1] - y_um) ** 2,
            )
            return {
                "seed": self.spec.seed,
                "well": well,
                "field": field,
                "dx_um": round(x_um - field_x_um, 3),
                "dy_um": round(y_um - field_y_um, 3),
                "now_s": round(now_s, 3),
                **{name: round(value, 6) for name, value in self._shown(well).items()},
                **self._impulses.shown(well, since_s, now_s),
                "defocus_um": round(
                    defocus_um(self._responses.numbers["optics"], now_s)
                    + excursions.defocus_um(self.spec.faults, now_s),
                    4,
                ),
                "lamp": 0.0 if excursions.is_dark(self.spec.faults, now_s) else 1.0,
            }

    def _shown(self, well: str) -> dict[str, float]:
        junctions = [c.junction for c in self._chips.values() if well in (c.nerve, c.muscle)]
        junction = junctions[0] if junctions else None
        return shown(self._culture[well], junction, self._responses.numbers)

    def truth(self, now_s: float) -> dict[str, dict[str, Any]]:
        """Everything true of every well, for the ground-truth file and for tests of the twin."""
        with self._lock:
            self.advance(now_s)
            self._impulses.feel_all(now_s)
            return {
                well: {
                    **self._shown(well),
                    "freshness": self._plumbing.chambers[well].freshness,
                    "pulses": self._impulses.activity[well].pulses,
                    "direct_v_s": round(self.direct_v_s(well, now_s), 9),
                    "factors_ng_ml": self._components.left_out_of(
                        self._plumbing.chambers[well].factors_ng_ml
                    ),
                }
                for well, culture in self._culture.items()
            }
