"""An imaging process for tests: answers like the real one, without OpenCV.

``python fake_imaging_host.py hang 3`` hangs on the third request of its life;
``... die 3`` ends there; ``... refuse 3`` says no once, ``... refuse-on 3`` from there on;
``... bright 3`` is over-exposed once, ``... frozen 3`` is the picture before it.
"""

import hashlib
import json
import sys
import time
from collections.abc import Mapping
from typing import Any


def answer(request: Mapping[str, Any]) -> dict[str, Any]:
    name = f"{request['do']}-{request['well']}-{request['channel']}-{request['offset_s']}"
    return {
        "id": request["id"], "ok": True, "path": name,
        "sha256": hashlib.sha256(name.encode()).hexdigest(), "focus": 1.0,
        "exposure_ms": request["exposure_ms"], "bytes": 10,
    }  # fmt: skip


def serve(trouble: str, at: int) -> None:
    for count, line in enumerate(sys.stdin, start=1):
        request = json.loads(line)
        reply = answer(request)
        if count == at and trouble == "hang":
            time.sleep(600)
        if count == at and trouble == "die":
            sys.exit(3)
        if (count == at and trouble == "refuse") or (count >= at and trouble == "refuse-on"):
            reply = {"id": request["id"], "ok": False, "what": "too dark.", "remedy": "More light."}
        if count == at and trouble == "bright":
            reply["saturated_fraction"] = 0.4
        if count == at and trouble == "frozen":
            reply["doubts"] = ["frozen"]
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    serve(*((sys.argv[1], int(sys.argv[2])) if len(sys.argv) > 2 else ("", -1)))
