"""The camera process of a night: ``python -m labrig.launch.camera_process RUN/camera.json``.

Puts the camera host together from real cameras or the simulated one, then answers the runner's
requests until its stdin closes.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from labrig.durable import read_json
from labrig.frames.camera_host import CameraHost
from labrig.frames.plate_store import PlateLayout, PlateStore
from labrig.twin.cameras import SceneCamera
from labrig_drivers.instrument import installed_types
from labrig_drivers.kinds import Camera

RUNNER_GONE = 3


@dataclass(frozen=True, slots=True)
class CameraEntry:
    """One camera as the rig file names it."""

    name: str
    type: str
    address: str
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class CameraProcessSpec:
    """All that the camera process needs; ``camera.json`` in the run folder.

    ``pixel_size_um``, ``shows`` and ``full_scale`` are by channel. A camera at the address
    ``sim`` is the simulated one.
    """

    layout: dict[str, Any]
    cameras: tuple[CameraEntry, ...]
    pixel_size_um: dict[str, float]
    shows: dict[str, str]
    full_scale: dict[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> CameraProcessSpec:
        """The reverse of :meth:`to_json`."""
        return cls(
            layout=raw["layout"],
            cameras=tuple(CameraEntry(**c) for c in raw["cameras"]),
            pixel_size_um=raw["pixel_size_um"],
            shows=raw["shows"],
            full_scale=raw.get("full_scale", {}),
        )


def build_host(spec: CameraProcessSpec, run: Path) -> CameraHost:
    """Open (or create) the plate and make the host; cameras open when first used.

    Raises:
        OSError: the disk refuses.
    """
    layout = PlateLayout.from_json(spec.layout)
    root = run / "images" / "plate.ome.zarr"
    complete = (root / "zarr.json").exists()
    store = PlateStore.open(root) if complete else PlateStore.create(root, layout)
    simulated: dict[str, SceneCamera] = {}
    cameras: dict[str, Camera] = {}
    types = installed_types()
    for entry in spec.cameras:
        if entry.address == "sim":
            simulated[entry.name] = SceneCamera(
                entry.name,
                (layout.height_px, layout.width_px),
                spec.pixel_size_um,
                spec.shows,
                run / "twin" / "truth.jsonl",
            )
            cameras[entry.name] = simulated[entry.name]
        else:
            kind = types[entry.type]
            cameras[entry.name] = kind.driver(
                entry.address, kind.settings(**entry.settings), entry.name
            )

    def aim(camera: str, request: Mapping[str, Any]) -> None:
        if camera in simulated:
            simulated[camera].aim(request)

    films = run / "films"
    return CameraHost(cameras, store, films, spec.pixel_size_um, aim, spec.full_scale)


def end_with_parent(look_every_s: float = 1.0) -> None:
    """End soon after the runner, also while a camera that hangs keeps stdin from being read."""
    runner = os.getppid()

    def watch() -> None:
        while os.getppid() == runner:
            time.sleep(look_every_s)
        os._exit(RUNNER_GONE)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def main(arguments: list[str]) -> int:
    """Serve one run's cameras until stdin closes."""
    end_with_parent()
    spec_path = Path(arguments[0])
    # the reply channel is ours alone: a library that prints must not break a line of JSON
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    host = build_host(CameraProcessSpec.from_json(read_json(spec_path)), spec_path.parent)
    try:
        host.serve(sys.stdin, replies)
    except BrokenPipeError:
        # The runner was killed: whoever takes over starts a camera process of its own.
        return RUNNER_GONE
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
