"""The imaging host: takes pictures and stores them, on request, one JSON line at a time.

It is a process of its own because a camera that hangs must be killed without killing the
night, and because OpenCV and zarr have no place in the runner. Requests and replies are lines
of JSON on stdin and stdout::

    {"id": 7, "do": "snap", "camera": "cam", "channel": "phase", "well": "B4", "field": 0,
     "round": 3, "exposure_ms": 20.0, "attachment": null}
    {"id": 7, "ok": true, "path": "plate.ome.zarr/B/4/0/0/c/3/0/0/0", "sha256": "...",
     "focus": 312.5, "exposure_ms": 20.0, "bytes": 264570}

A request that fails is answered ``{"id": 7, "ok": false, "what": ..., "remedy": ...}``, with the
name of the driver's ``error`` where it was one; the host goes on. Stages of this process are
served beside the cameras: :mod:`labrig.frames.stage_host`.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

import cv2
import numpy as np
from numpy.typing import NDArray

from labrig.frames.doubts import UNSEEN, Doubts
from labrig.frames.film_store import write_film
from labrig.frames.plate_store import PlateStore
from labrig.frames.stage_host import StageHost, failure
from labrig_drivers.errors import InstrumentError
from labrig_drivers.kinds import Camera, Picture

_log = logging.getLogger(__name__)
Prepare = Callable[[str, Mapping[str, Any]], None]


def focus_score(pixels: NDArray[Any]) -> float:
    """Variance of the Laplacian over the squared mean: sharpness that brightness leaves alone.

    Dimensionless, comparable only within one field and channel (Pech-Pacheco et al. 2000).
    """
    grey = pixels.astype(np.float32)
    mean = float(grey.mean())
    if mean <= 0:
        return 0.0
    return float(cv2.Laplacian(grey, cv2.CV_32F).var()) / (mean * mean)


def as_uint16(pixels: NDArray[Any]) -> NDArray[np.uint16]:
    """Widen 8-bit pixels without rescaling: a grey value stays the number the camera gave."""
    return pixels.astype(np.uint16)


def measured_rate_hz(pictures: Sequence[Picture]) -> float | None:
    """Frames in a second, from when the first and the last of a film came; None if unknown."""
    times_s = [picture.taken_s for picture in pictures]
    if len(times_s) < 2 or times_s[0] is None or times_s[-1] is None:
        return None
    passed_s = times_s[-1] - times_s[0]
    return (len(times_s) - 1) / passed_s if passed_s > 0 else None


def _looked_at(look: Callable[[], tuple[float, float, tuple[str, ...]]]) -> dict[str, Any]:
    """Sharpness, share over-exposed and doubts, as keys of a reply.

    What looks at a picture that is stored must not lose it, however it fails.
    """
    try:
        focus, saturated, doubts = look()
    except Exception:
        _log.exception("a stored picture could not be looked at")
        return {"focus": None, "saturated_fraction": None, "doubts": (UNSEEN,)}
    return {"focus": round(focus, 6), "saturated_fraction": round(saturated, 6), "doubts": doubts}


class ImagingHost:
    """Answers requests with the cameras and stores it is given.

    Args:
        cameras: by the rig's names.
        store: the plate that single frames go to.
        film_folder: where films go.
        pixel_size_um: by channel.
        full_scale: by channel, the largest value of its camera (4095 of 12 bits); where it is
            left out, that of the pixels' type.
        prepare: called with the camera's name and the request before a picture is taken
            (the simulated bench points its camera at the scene); None on a real bench.
        stages: stages of this process; None: there is none.
        unstained: channels that show the cells themselves.
    """

    def __init__(
        self,
        cameras: Mapping[str, Camera],
        store: PlateStore,
        film_folder: Path,
        pixel_size_um: Mapping[str, float],
        prepare: Prepare | None = None,
        full_scale: Mapping[str, float] | None = None,
        stages: StageHost | None = None,
        unstained: Iterable[str] = (),
    ) -> None:
        self._doubts = Doubts(frozenset(unstained))
        self._cameras = cameras
        self._store = store
        self._film_folder = film_folder
        self._pixel_size_um = pixel_size_um
        self._prepare = prepare
        self._full_scale = full_scale or {}
        self._stages = stages

    def serve(self, requests: Iterable[str], replies: TextIO) -> None:
        """Answer every line until the requests end."""
        for line in requests:
            if not line.strip():
                continue
            replies.write(json.dumps(self.answer(json.loads(line))) + "\n")
            replies.flush()

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """One reply to one request; a failed picture is a reply, never an exception."""
        doing = {"snap": self._snap, "film": self._film, "identify": self._identify}
        try:
            of_stages = None if self._stages is None else self._stages.action(request["do"])
            action = of_stages or doing[request["do"]]
            return {"id": request["id"], "ok": True, **action(request)}
        except InstrumentError as error:
            return failure(request, error.what, error.remedy, type(error).__name__)
        except OSError as error:
            return failure(
                request,
                f"the picture could not be stored: {error}",
                "Free disk space or check the disk; earlier pictures are safe.",
            )
        except (KeyError, ValueError) as error:
            return failure(
                request,
                f"the request does not fit this bench: {error}",
                "Compare cameras, channels and image size in the rig file with the plan.",
            )

    def _camera(self, request: Mapping[str, Any]) -> Camera:
        name = request["camera"]
        if request.get("z_um") is not None:
            # Better none than one at a height that nobody asked for.
            raise ValueError(f"no focus drive, and z = {request['z_um']:g} µm is asked for")
        if self._prepare is not None:
            self._prepare(name, request)
        return self._cameras[name]

    def _snap(self, request: Mapping[str, Any]) -> dict[str, Any]:
        picture = self._camera(request).snap(request["exposure_ms"])
        written = self._store.write(
            request["well"],
            request["field"],
            request["round"],
            request["channel"],
            as_uint16(picture.pixels),
        )
        return {
            "path": written.path,
            "sha256": written.sha256,
            "bytes": written.bytes,
            "exposure_ms": picture.exposure_ms,
            **_looked_at(lambda: self._looks_of_frame(request, picture.pixels)),
        }

    def _looks_of_frame(
        self, request: Mapping[str, Any], pixels: NDArray[Any]
    ) -> tuple[float, float, tuple[str, ...]]:
        channel = request["channel"]
        doubts = self._doubts.of_frame(
            request["camera"],
            (request["well"], request["field"]),
            channel,
            pixels,
            self._most(channel, pixels),
        )
        return focus_score(pixels), self._saturated(channel, pixels), doubts

    def _film(self, request: Mapping[str, Any]) -> dict[str, Any]:
        camera = self._camera(request)
        rate_hz, count = request["frame_rate_hz"], request["frames"]
        pictures = camera.film(request["exposure_ms"], rate_hz, count)
        stack = np.stack([p.pixels for p in pictures])
        rate_hz = measured_rate_hz(pictures) or rate_hz
        written = write_film(
            self._film_folder,
            request["name"].replace("/", "_"),
            stack,
            self._pixel_size_um[request["channel"]],
            rate_hz,
        )
        return {
            "path": written.path,
            "sha256": written.sha256,
            "bytes": written.bytes,
            "exposure_ms": pictures[0].exposure_ms,
            "frames": len(pictures),
            "frame_rate_hz": round(rate_hz, 6),
            **_looked_at(
                lambda: (
                    focus_score(pictures[0].pixels),
                    self._saturated(request["channel"], stack),
                    self._doubts.of_film(request["camera"], stack),
                )
            ),
        }

    def _saturated(self, channel: str, pixels: NDArray[Any]) -> float:
        """Share of pixels at the top of the camera's own scale: what they show is cut off."""
        return float(np.mean(pixels >= self._most(channel, pixels)))

    def _most(self, channel: str, pixels: NDArray[Any]) -> float:
        most = float(np.iinfo(pixels.dtype).max)
        return min(most, self._full_scale.get(channel, most))

    def _identify(self, request: Mapping[str, Any]) -> dict[str, Any]:
        identity = self._cameras[request["camera"]].identify()
        return {"vendor": identity.vendor, "model": identity.model, "firmware": identity.firmware}
