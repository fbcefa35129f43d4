"""The imaging of a rehearsal: answers every request at once and stores no picture.

A rehearsal runs the whole night on the simulated bench in seconds, to see that it fits together;
rendering and storing pictures would take most of that time. Nothing here can hang, so it needs no
process of its own, and a picture costs no turn of two.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from labrig.durable import read_json
from labrig.frames.stage_host import StageHost
from labrig.launch.hosted_stages import hosted_stages
from labrig.launch.imaging_spec import ImagingSpec
from labrig.run.imaging_link import ImagingFailed
from labrig_drivers.errors import InstrumentError


class RehearsedImaging:
    """Satisfies :class:`labrig.run.imaging_link.Imaging`.

    Args:
        stages: those that an imaging process would host.
    """

    def __init__(self, stages: StageHost) -> None:
        self._stages = stages

    def request(self, extra_s: float, **what: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Stages move; of a picture it is said that none was stored: an empty path and no hash.

        Raises:
            ImagingFailed: a stage said no.
        """
        of_stages = self._stages.action(what["do"])
        if of_stages is None:
            exposure_ms = what.get("exposure_ms", 0.0)
            return {
                "ok": True, "path": "", "sha256": "", "focus": 0.0, "exposure_ms": exposure_ms,
                "bytes": 0,
            }  # fmt: skip
        try:
            return {"ok": True, **of_stages(what)}
        except InstrumentError as error:
            raise ImagingFailed(error.what, error.remedy, type(error).__name__) from error

    def close(self) -> None:
        """Nothing is held."""


def rehearsed_imaging(camera: Path) -> RehearsedImaging:
    """That of a run.

    Args:
        camera: what its imaging process would host, ``camera.json`` in the run folder.

    Raises:
        DamagedFile, labrig.typed_json.NotAsTyped: it cannot be read.
    """
    spec = ImagingSpec.from_json(read_json(camera))
    return RehearsedImaging(hosted_stages(spec.stages, camera.parent))
