"""The imaging process of a night: ``python -m labrig.launch.imaging_process RUN/camera.json``.

Puts its host together from cameras, and stages that a library moves, or simulated ones; then
answers the runner's requests until its stdin closes.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from labrig.durable import read_json
from labrig.frames.imaging_host import ImagingHost
from labrig.frames.plate_layout import PlateLayout
from labrig.frames.plate_store import PlateStore
from labrig.launch.hosted_stages import hosted_stages, real
from labrig.launch.imaging_spec import ImagingSpec
from labrig.rig.bench import SIMULATED
from labrig.twin.cameras import SceneCamera
from labrig_drivers.kinds import Camera

RUNNER_GONE = 3


def build_host(spec: ImagingSpec, run: Path) -> ImagingHost:
    """Open (or create) the plate and make the host; instruments open when first used.

    Raises:
        OSError: the disk refuses.
    """
    layout = PlateLayout.from_json(spec.layout)
    root = run / "images" / "plate.ome.zarr"
    complete = (root / "zarr.json").exists()
    store = PlateStore.open(root) if complete else PlateStore.create(root, layout)
    simulated: dict[str, SceneCamera] = {}
    cameras: dict[str, Camera] = {}
    for entry in spec.cameras:
        if entry.address == SIMULATED:
            simulated[entry.name] = SceneCamera(
                entry.name,
                (layout.height_px, layout.width_px),
                spec.pixel_size_um,
                spec.shows,
                run / "twin" / "truth.jsonl",
            )
            cameras[entry.name] = simulated[entry.name]
        else:
            cameras[entry.name] = real(entry)

    def aim(name: str, request: Mapping[str, Any]) -> None:
        if name in simulated:
            simulated[name].aim(request)

    films = run / "films"
    stages = hosted_stages(spec.stages, run)
    unstained = [channel for channel, shows in spec.shows.items() if shows == "cells"]
    return ImagingHost(
        cameras, store, films, spec.pixel_size_um, aim, spec.full_scale, stages, unstained
    )


def end_with_parent(look_every_s: float = 1.0) -> None:
    """End soon after the runner, also while a camera that hangs keeps stdin from being read."""
    runner = os.getppid()

    def watch() -> None:
        while os.getppid() == runner:
            time.sleep(look_every_s)
        os._exit(RUNNER_GONE)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def main(arguments: list[str]) -> int:
    """Serve one run's cameras and hosted stages until stdin closes."""
    end_with_parent()
    spec_path = Path(arguments[0])
    # the reply channel is ours alone: a library that prints must not break a line of JSON
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    host = build_host(ImagingSpec.from_json(read_json(spec_path)), spec_path.parent)
    try:
        host.serve(sys.stdin, replies)
    except BrokenPipeError:
        # The runner was killed: whoever takes over starts an imaging process of its own.
        return RUNNER_GONE
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
