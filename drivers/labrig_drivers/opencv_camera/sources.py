"""Where frames come from: a running capture, or a list of files. Errors are plain here."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from labrig_drivers.opencv_camera.address import CameraAddress, images_in
from labrig_drivers.opencv_camera.settings import AtEnd, OpenCvCameraSettings

Pixels = NDArray[Any]


class Source(Protocol):
    """Raw frames, colour or grey, as they come."""

    def backend(self) -> str:
        """What reads the frames."""
        ...

    def frame_rate_hz(self) -> float | None:
        """The rate at which frames were or are taken; None where they have none."""
        ...

    def set_exposure(self, exposure_ms: float) -> float | None:
        """Ask for an exposure; what the source says it now is, None where it does not say."""
        ...

    def set_frame_rate(self, frame_rate_hz: float) -> None:
        """Ask for a rate; see :meth:`frame_rate_hz` for what came of it."""
        ...

    def fresh(self, exposure_ms: float) -> Pixels | None:
        """A frame exposed after this call; None when frames have stopped."""
        ...

    def next(self) -> Pixels | None:
        """The frame that follows the last one; None when frames have stopped."""
        ...

    def last_read(self) -> str:
        """Name of the image read last; empty where frames have none."""
        ...

    def close(self) -> None:
        """Let go."""
        ...


class CannotOpen(Exception):
    """Nothing to read from at this address."""


class OtherSize(Exception):
    """The device gives frames of another size than the settings ask for."""


def open_source(address: CameraAddress, settings: OpenCvCameraSettings, after: str = "") -> Source:
    """Open what the address names.

    Args:
        address: what to open.
        settings: how.
        after: of a folder, the image that was read last: it and those before it are not given
            again as fresh ones.

    Raises:
        CannotOpen: it is not there, is empty, or no backend reads it.
        OtherSize: a live device does not give the frame size asked for.
    """
    if address.kind == "path" and Path(address.text).is_dir():
        if not images_in(address.text):
            raise CannotOpen(f"the folder {address.text} holds no images")
        return FolderSource(address.text, settings.at_end, after)
    if address.kind == "device":
        capture = cv2.VideoCapture(int(address.text))
    elif address.kind == "stream":
        milliseconds = {
            cv2.CAP_PROP_OPEN_TIMEOUT_MSEC: settings.open_timeout_s,
            cv2.CAP_PROP_READ_TIMEOUT_MSEC: settings.read_timeout_s,
        }
        parameters = [
            number
            for prop, seconds in milliseconds.items()
            for number in (prop, int(seconds * 1000))
        ]
        capture = cv2.VideoCapture(address.text, cv2.CAP_FFMPEG, parameters)
    else:
        # A name with % in it is a numbered sequence, frame_%04d.png, which OpenCV counts.
        if "%" not in address.text and not Path(address.text).is_file():
            raise CannotOpen(f"there is no file {address.text}")
        capture = cv2.VideoCapture(address.text)
    if not capture.isOpened():
        capture.release()
        raise CannotOpen(f"OpenCV cannot open {address.kind} {address.text}")
    if not address.live:
        return FileSource(capture, settings.at_end)
    if settings.width_px:
        _set_size(capture, settings.width_px, settings.height_px)
    return LiveSource(capture, settings.stale_frames)


def _set_size(capture: cv2.VideoCapture, width_px: int, height_px: int) -> None:
    sizes = {cv2.CAP_PROP_FRAME_WIDTH: width_px, cv2.CAP_PROP_FRAME_HEIGHT: height_px}
    for prop, size_px in sizes.items():
        capture.set(prop, size_px)
    given_px = [int(capture.get(prop)) for prop in sizes]
    if given_px != [width_px, height_px]:
        capture.release()
        raise OtherSize(
            f"frames of {width_px} × {height_px} px were asked, and the device gives "
            f"{given_px[0]} × {given_px[1]} px"
        )


class FolderSource:
    """Images of a folder in the order of their names, those that come later too.

    They have no rate and no exposure.
    """

    def __init__(self, folder: str, at_end: AtEnd, after: str = "") -> None:
        self._folder = folder
        self._at_end = at_end
        self._after = after
        self._paths: list[Path] = []

    def last_read(self) -> str:
        """The image read last."""
        return self._after

    def backend(self) -> str:
        """Images are decoded by OpenCV's imread."""
        return "image folder"

    def frame_rate_hz(self) -> float | None:
        """Images have no rate."""
        return None

    def set_exposure(self, exposure_ms: float) -> float | None:
        """Images were exposed long ago."""
        return None

    def set_frame_rate(self, frame_rate_hz: float) -> None:
        """Images have no rate."""

    def fresh(self, exposure_ms: float) -> Pixels | None:
        """The next image: nothing in a folder is stale."""
        return self.next()

    def next(self) -> Pixels | None:
        """The next image; an empty array where a file cannot be decoded."""
        if not self._paths:
            found = images_in(self._folder)
            self._paths = [path for path in found if path.name > self._after]
            if not self._paths and self._at_end == "loop":
                self._paths = found
            if not self._paths:
                return None
        path = self._paths.pop(0)
        self._after = path.name
        pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        return np.empty((0, 0), np.uint8) if pixels is None else pixels

    def close(self) -> None:
        """Nothing is held."""


class FileSource:
    """A video file, or a numbered image sequence."""

    def __init__(self, capture: cv2.VideoCapture, at_end: AtEnd) -> None:
        self._capture = capture
        self._at_end = at_end

    def last_read(self) -> str:
        """Frames have no names."""
        return ""

    def backend(self) -> str:
        """OpenCV's name for what decodes the file."""
        return self._capture.getBackendName()

    def frame_rate_hz(self) -> float | None:
        """As written in the file."""
        return self._capture.get(cv2.CAP_PROP_FPS) or None

    def set_exposure(self, exposure_ms: float) -> float | None:
        """Frames were exposed long ago."""
        return None

    def set_frame_rate(self, frame_rate_hz: float) -> None:
        """The rate is that of the file."""

    def fresh(self, exposure_ms: float) -> Pixels | None:
        """The next frame: nothing in a file is stale."""
        return self.next()

    def next(self) -> Pixels | None:
        """The next frame, from the beginning again when the settings say so."""
        found, pixels = self._capture.read()
        if not found and self._at_end == "loop":
            self._capture.set(cv2.CAP_PROP_POS_FRAMES, 0)
            found, pixels = self._capture.read()
        return pixels if found else None

    def close(self) -> None:
        """Close the file."""
        self._capture.release()


class LiveSource:
    """A device or a stream, whose driver keeps frames that nobody asked for."""

    def __init__(self, capture: cv2.VideoCapture, stale_frames: int) -> None:
        self._capture = capture
        self._stale_frames = stale_frames
        # Most backends refuse; those that obey keep one frame instead of four.
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)

    def last_read(self) -> str:
        """Frames have no names."""
        return ""

    def backend(self) -> str:
        """OpenCV's name for the capture interface."""
        return self._capture.getBackendName()

    def frame_rate_hz(self) -> float | None:
        """What the device says."""
        return self._capture.get(cv2.CAP_PROP_FPS) or None

    def set_exposure(self, exposure_ms: float) -> float | None:
        """Manual exposure, in the units of the backend, read back."""
        if self.backend() != "V4L2":
            # Other backends count exposure in units of their own (log2 s, driver steps).
            return None
        manual = 1.0
        self._capture.set(cv2.CAP_PROP_AUTO_EXPOSURE, manual)
        units_per_ms = 10.0
        if not self._capture.set(cv2.CAP_PROP_EXPOSURE, exposure_ms * units_per_ms):
            return None
        return self._capture.get(cv2.CAP_PROP_EXPOSURE) / units_per_ms or None

    def set_frame_rate(self, frame_rate_hz: float) -> None:
        """Ask the device; not all obey."""
        self._capture.set(cv2.CAP_PROP_FPS, frame_rate_hz)

    def fresh(self, exposure_ms: float) -> Pixels | None:
        """Grab until a frame was begun after the call, as far as the backend tells time."""
        called_s = time.monotonic()
        for _ in range(self._stale_frames):
            if not self._capture.grab():
                return None
            if self._begun_s(exposure_ms) >= called_s:
                return self._retrieved()
        return self.next()

    def next(self) -> Pixels | None:
        """The next frame of the stream."""
        return self._retrieved() if self._capture.grab() else None

    def close(self) -> None:
        """Close the device."""
        self._capture.release()

    def _begun_s(self, exposure_ms: float) -> float:
        """When the grabbed frame's exposure began, on the monotonic clock; −inf if unknown.

        V4L2 stamps the end of a frame with the kernel's monotonic clock; other backends
        count from the beginning of the stream.
        """
        if self.backend() != "V4L2":
            return -float("inf")
        return (self._capture.get(cv2.CAP_PROP_POS_MSEC) - exposure_ms) / 1000

    def _retrieved(self) -> Pixels | None:
        found, pixels = self._capture.retrieve()
        return pixels if found else None
