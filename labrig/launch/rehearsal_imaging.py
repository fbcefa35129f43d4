"""The imaging process of a rehearsal: answers every request at once and stores no picture.

A rehearsal runs the whole night on the simulated bench in seconds, to see that it fits together;
rendering and storing pictures would take most of that time. Same protocol as
``labrig.frames.imaging_host``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from labrig.durable import read_json
from labrig.frames.stage_host import StageHost, failure
from labrig.launch.hosted_stages import hosted_stages
from labrig.launch.imaging_spec import ImagingSpec
from labrig_drivers.errors import InstrumentError


def answer(request: Mapping[str, Any], stages: StageHost) -> dict[str, Any]:
    """Stages move; of a picture it is said that none was stored: an empty path and no hash."""
    of_stages = stages.action(request["do"])
    if of_stages is not None:
        try:
            return {"id": request["id"], "ok": True, **of_stages(request)}
        except InstrumentError as error:
            return failure(request, error.what, error.remedy, type(error).__name__)
    return {
        "id": request["id"],
        "ok": True,
        "path": "",
        "sha256": "",
        "focus": 0.0,
        "exposure_ms": request.get("exposure_ms", 0.0),
        "bytes": 0,
    }


def main(arguments: list[str]) -> int:
    """Answer until stdin closes."""
    path = Path(arguments[0])
    stages = hosted_stages(ImagingSpec.from_json(read_json(path)).stages, path.parent)
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(json.loads(line), stages)) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
