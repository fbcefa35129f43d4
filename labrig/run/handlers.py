"""Which handler each instrument gets, and what of an earlier runner's it is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from labrig.plan.packed import packed
from labrig.plan.plan import Plan
from labrig.record.recovery import RunState
from labrig.rig.bench import InstrumentSpec
from labrig.run.captures import Captures
from labrig.run.climate import ControllerHandler
from labrig.run.clog import Clog
from labrig.run.desk import Desk
from labrig.run.disk_room import DiskRoom
from labrig.run.flow import PumpHandler
from labrig.run.handler import Handler
from labrig.run.imaging import Attach, ImagingHandler
from labrig.run.imaging_link import Imaging
from labrig.run.probes import ProbeHandler
from labrig.run.stimulation import StimulatorHandler
from labrig.run.strengths import Strengths
from labrig.run.valves import POSITION, ValveHandler
from labrig.run.whereabouts import Whereabouts, left_by_an_earlier_runner
from labrig_drivers.instrument import installed_types
from labrig_drivers.kinds import Quantity

POLL_S = 60.0
WATCHDOG_SHARE = 0.4
"""A pump with a host watchdog is asked this often, in parts of its time-out: below one half."""


class Handlers:
    """Makes the handlers of one run.

    Args:
        plan: what is to be done.
        desk: clock, journal, fence and board.
        state: what the journal says was done before.
        camera: the imaging process.
        attachment: see :class:`labrig.run.imaging.ImagingHandler`.
        captures: capture thresholds.
        room: on the disk.
    """

    def __init__(
        self, plan: Plan, desk: Desk, state: RunState, camera: Imaging, attachment: Attach | None,
        captures: Captures, room: DiskRoom | None = None,
    ) -> None:  # fmt: skip
        self._room = room
        self._captures = captures
        self._plan = plan
        self._desk = desk
        self._state = state
        self._camera = camera
        self._attachment = attachment

    def of(self, instrument: InstrumentSpec, pause_until: Callable[[float], None]) -> Handler:
        """The handler of an instrument.

        Args:
            instrument: on a port of bytes.
            pause_until: how its worker waits inside an action.

        Raises:
            ValueError: its kind has no place on such a port.
        """
        name = instrument.name
        kind = installed_types()[instrument.type].kind
        match kind:
            case "pump":
                return PumpHandler(
                    name, self._desk, self._at_stop(name), _poll_s(instrument),
                    _clog(name, self._state), feeds(self._plan, name), self._plan.rules.max_gap_s,
                    self._plan.rules.medium_at_abort,
                )  # fmt: skip
            case "stimulator":
                asked = self._state.questions.get(f"capture:{name}")
                strengths = Strengths(
                    name, self._desk, self._captures, None if asked is None else asked.choice
                )
                return StimulatorHandler(
                    name, self._desk, _poll_s(instrument), strengths, measures_of(instrument)
                )
            case "stage":
                return ImagingHandler(
                    name, self._desk, self._camera, self._plan.rules, pause_until,
                    self._attachment, self._whereabouts(name), name in self._state.lost_stages,
                    self._room,
                )  # fmt: skip
            case "probe":
                return ProbeHandler(name, self._desk, measures_of(instrument))
            case "valve":
                safe = self._safe(name).get(POSITION)
                return ValveHandler(name, self._desk, _poll_s(instrument), safe)
            case "controller":
                points = {quantity: float(value) for quantity, value in self._safe(name).items()}
                return ControllerHandler(name, self._desk, _poll_s(instrument), points)
            case _:
                raise ValueError(f"{name}: a {kind} has no place on a byte port")

    def _whereabouts(self, stage: str) -> Whereabouts:
        earlier = left_by_an_earlier_runner(
            packed(self._plan.timeline), stage, self._state, self._desk.clock.now_s()
        )
        within_um = self._plan.rules.arrive_within_um
        return Whereabouts(within_um, earlier, stage in self._state.marked_stages)

    def _safe(self, instrument: str) -> dict[str, str]:
        """By quantity, its safe setting."""
        return {s.quantity: s.value for s in self._plan.safe if s.instrument == instrument}

    def _at_stop(self, pump: str) -> Literal["keep", "off"]:
        """Pumps that carry additives alone may be stopped; medium and outflow never are."""
        return "keep" if feeds(self._plan, pump) else self._plan.rules.additives_on_stop


def feeds(plan: Plan, pump: str) -> bool:
    """Whether anything but additives goes through it."""
    return {draw.carries for draw in plan.draws if draw.pump == pump} != {"additive"}


def _clog(pump: str, state: RunState) -> Clog | None:
    """The stall in which an earlier process left a pump."""
    stall = state.stalls.get(pump)
    if stall is None and pump not in state.pumps_given_up:
        return None
    clog = Clog(state.last_s) if stall is None else Clog(stall.from_s, dosing=stall.dosing)
    if pump in state.pumps_given_up:
        clog.wait(state.last_s)
    if pump in state.pumps_left:
        clog.leave()
    return clog


def _poll_s(instrument: InstrumentSpec) -> float:
    """Polling feeds the host watchdog of an instrument that has one."""
    kind = installed_types()[instrument.type]
    silence_s = kind.heartbeat_s(kind.settings(**instrument.settings))
    return POLL_S if silence_s is None else min(POLL_S, WATCHDOG_SHARE * silence_s)


def measures_of(instrument: InstrumentSpec) -> tuple[Quantity, ...]:
    """What its readings hold, as its type declares it; a probe's type declares some."""
    kind = installed_types()[instrument.type]
    return () if kind.measures is None else kind.measures(kind.settings(**instrument.settings))
