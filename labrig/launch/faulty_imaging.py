"""Cameras of a simulated night that hang or take no picture, and pictures that arrive torn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from labrig.record.virtual_clock import VirtualClock
from labrig.rig.fault_kinds import CAMERA_FAULTS
from labrig.run.imaging_link import Imaging, ImagingFailed
from labrig.twin.spec import FaultSpec

HANGS_S = 20.0
"""The deadline of :class:`labrig.run.imaging_link.ImagingLink`."""


SAID: Mapping[str, tuple[str, str]] = {
    "unfocused": (
        "the focus was not found (scripted).",
        "Look whether the plate lies flat; the next round tries again.",
    ),
    "refused": (
        "the camera took no picture (scripted).",
        "If it happens again, unplug the camera and plug it in.",
    ),
    "not_stored": (
        "the picture could not be stored: [Errno 5] Input/output error (scripted).",
        "Free disk space or check the disk; earlier pictures are safe.",
    ),
}
"""By fault, what a camera that takes no picture says, and what helps."""


class FaultyImaging:
    """Imaging in which scripted cameras fail; a hang costs time of the run's clock.

    Args:
        inner: what really answers.
        faults: of the run; those of cameras have a camera's name.
        clock: of the run.
    """

    def __init__(self, inner: Imaging, faults: Sequence[FaultSpec], clock: VirtualClock) -> None:
        self._inner, self._clock = inner, clock
        self._faults = [fault for fault in faults if fault.name in CAMERA_FAULTS]

    def request(self, extra_s: float, **what: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Ask, and wait for the answer.

        Raises:
            ImagingFailed: as the inner one, and when the camera hangs.
        """
        camera = what.get("camera", "")
        if self._active("hung", camera):
            wait_s = HANGS_S + extra_s
            self._clock.mailbox(f"{camera} hangs").get(self._clock.now_s() + wait_s)
            raise ImagingFailed(
                f"no answer within {wait_s:.0f} s; the imaging process was killed and is started "
                "again (scripted).",
                "If it happens again, unplug the camera and plug it in.",
            )
        for name, said in SAID.items():
            if self._active(name, camera):
                raise ImagingFailed(*said)
        if self._active("torn_frame", camera):
            what["torn"] = True
        return self._inner.request(extra_s, **what)

    def close(self) -> None:
        """Let the inner one go."""
        self._inner.close()

    def _active(self, name: str, camera: str) -> bool:
        now_s = self._clock.now_s()
        return any(
            fault.name == name
            and fault.instrument == camera
            and fault.from_s <= now_s < fault.until_s
            for fault in self._faults
        )
