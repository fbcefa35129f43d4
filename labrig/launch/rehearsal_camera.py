"""The camera process of a rehearsal: answers every request at once and stores nothing.

A rehearsal runs the whole night on the simulated bench in seconds, to see that it fits together;
rendering and storing pictures would take most of that time. Same protocol as
``labrig.frames.camera_host``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any


def answer(request: Mapping[str, Any]) -> dict[str, Any]:
    """A reply that says no picture was stored: an empty path and no hash."""
    return {
        "id": request["id"],
        "ok": True,
        "path": "",
        "sha256": "",
        "focus": 0.0,
        "exposure_ms": request.get("exposure_ms", 0.0),
        "bytes": 0,
    }


def main() -> int:
    """Answer until stdin closes."""
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(json.loads(line))) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
