"""A stage that the imaging process owns, as its handler in the runner sees it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from labrig.rig.bench import BenchSpec, InstrumentSpec, OpenPort, PortSpec
from labrig.run.imaging_link import Imaging, ImagingFailed
from labrig.run.port_gate import Leave
from labrig_drivers import errors
from labrig_drivers.errors import InstrumentError, NoReply
from labrig_drivers.instrument import installed_types
from labrig_drivers.kinds import Identity, StageLimits

_AS_THE_DRIVER_SAID = {
    kind.__name__: kind
    for kind in (
        errors.LinkError, errors.PortMissing, errors.PortBusy, errors.PortLost, errors.NoReply,
        errors.ReplyError, errors.WrongInstrument, errors.Refused, errors.OutOfRange, errors.NotNow,
    )
}  # fmt: skip


class HostedStage:
    """Satisfies :class:`labrig_drivers.kinds.Stage`; each method is one request.

    Args:
        imaging: the imaging process.
        name: as in the rig file.
        travel: where it may be sent, as its type declares it.
        leave: nothing is asked of it once a stop has come that its worker has not taken.
        now: seconds on the run's clock.

    Besides what a stage raises, each request raises StaleEpoch.
    """

    def __init__(
        self,
        imaging: Imaging,
        name: str,
        travel: StageLimits,
        leave: Leave,
        now: Callable[[], float],
    ) -> None:
        self._imaging, self._name, self._travel = imaging, name, travel
        self._leave, self._now = leave, now

    def identify(self) -> Identity:
        """Who it says it is."""
        said = self._ask("identify_stage")
        serial_number = said.get("serial_number")
        return Identity(
            str(said["vendor"]),
            str(said["model"]),
            str(said["firmware"]),
            None if serial_number is None else str(serial_number),
        )

    def close(self) -> None:
        """The imaging process keeps it open."""

    def limits(self) -> StageLimits:
        """Travel that it may be sent over. No I/O."""
        return self._travel

    def position_um(self) -> tuple[float, float]:
        """Where the stage says it is (x, y)."""
        said = self._ask("position")
        return float(said["x_um"]), float(said["y_um"])

    def move_to(self, x_um: float, y_um: float) -> None:
        """Start an absolute move."""
        self._ask("move_to", x_um=x_um, y_um=y_um)

    def moving(self) -> bool:
        """Whether a move is still under way."""
        return bool(self._ask("moving")["moving"])

    def stop(self) -> None:
        """Halt now, wherever it is."""
        self._ask("stop")

    def _ask(self, do: str, **what: float) -> dict[str, Any]:
        self._leave.check()
        try:
            return self._imaging.request(
                0.0, do=do, instrument=self._name, now_s=self._now(), **what
            )
        except ImagingFailed as failed:
            raise self._error(failed) from failed

    def _error(self, failed: ImagingFailed) -> InstrumentError:
        kind = _AS_THE_DRIVER_SAID.get(failed.error, NoReply)
        return kind(self._name, failed.what, failed.remedy)


class NoBytes:
    """The transport of a port on which no bytes travel."""

    def write(self, data: bytes) -> None:
        """Nobody writes here."""
        raise AssertionError("a hosted instrument has no port of bytes")

    def read(self, size: int, timeout_s: float) -> bytes:
        """Nothing ever comes."""
        return b""

    def discard_input(self) -> bytes:
        """Nothing has come."""
        return b""

    def close(self) -> None:
        """Nothing is open."""


def looked_after(bench: BenchSpec, port: str) -> tuple[InstrumentSpec, ...]:
    """What on this port a worker of the runner looks after: all but cameras."""
    types = installed_types()
    return tuple(i for i in bench.instruments if i.port == port and types[i.type].kind != "camera")


def ports_with_workers(bench: BenchSpec) -> tuple[PortSpec, ...]:
    """Every port that the runner has something to look after on."""
    return tuple(port for port in bench.ports if looked_after(bench, port.name))


def hosts_a_stage(bench: BenchSpec) -> bool:
    """Whether the imaging process moves a stage."""
    return any(not bench.on_port(port.name) for port in ports_with_workers(bench))


def hosted_port(
    bench: BenchSpec, port: PortSpec, imaging: Imaging, leave: Leave, now: Callable[[], float]
) -> OpenPort:
    """A port whose stages the imaging process owns; it opens them itself."""
    drivers: dict[str, Any] = {}
    for entry in looked_after(bench, port.name):
        kind = installed_types()[entry.type]
        assert kind.travel is not None  # else the type could not have been made
        travel = kind.travel(kind.settings(**entry.settings))
        drivers[entry.name] = HostedStage(imaging, entry.name, travel, leave, now)
    return OpenPort(port, NoBytes(), drivers)
