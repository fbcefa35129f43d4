"""Driver of whatever OpenCV can read frames from."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from labrig_drivers.errors import NoReply, OutOfRange, PortMissing, ReplyError
from labrig_drivers.kinds import Identity, Picture
from labrig_drivers.opencv_camera.address import parse_address
from labrig_drivers.opencv_camera.settings import OpenCvCameraSettings

if TYPE_CHECKING:
    from labrig_drivers.opencv_camera.sources import Pixels, Source

_RATE_TOLERANCE = 0.05
_DEPTHS = ("uint8", "uint16")


class OpenCvCamera:
    """A camera over ``cv2.VideoCapture`` (:class:`labrig_drivers.kinds.Camera`).

    Opens at the first use, not before. OpenCV itself is loaded then, too.

    Args:
        address: device number, video file, folder of images (sorted by name), numbered image
            sequence (``frame_%04d.png``) or stream URL.
        settings: see :class:`OpenCvCameraSettings`.
        name: the rig file's name for it, used in errors.
    """

    def __init__(self, address: int | str, settings: OpenCvCameraSettings, name: str) -> None:
        self._address = parse_address(address)
        self._settings = settings
        self._name = name
        self._source: Source | None = None
        self._shape: tuple[int, ...] | None = None
        self._last_read = ""

    def identify(self) -> Identity:
        """Open it, and say through what it is read. A file or device says no more of itself."""
        import cv2

        source = self._opened()
        return Identity(
            vendor="OpenCV",
            model=f"{self._address.kind} read by {source.backend()}",
            firmware=cv2.__version__,
        )

    def close(self) -> None:
        """Let go of the device; the next use opens it again, a folder where it was left."""
        if self._source is not None:
            self._last_read = self._source.last_read()
            self._source.close()
        self._source = None
        self._shape = None

    def snap(self, exposure_ms: float) -> Picture:
        """One frame exposed after the call.

        Raises:
            PortMissing: it cannot be opened.
            OutOfRange: an exposure of 0, or a frame size that the device does not give.
            NoReply: no more frames.
            ReplyError: a torn frame.
        """
        self._check_exposure(exposure_ms)
        source = self._opened()
        reported_ms = source.set_exposure(exposure_ms)
        pixels = self._whole(source.fresh(exposure_ms))
        return self._picture(pixels, exposure_ms if reported_ms is None else reported_ms)

    def film(self, exposure_ms: float, frame_rate_hz: float, frames: int) -> list[Picture]:
        """Frames at an even rate; those of a file are taken as recorded, the next one first.

        Raises:
            OutOfRange: the rate cannot be held: a file was recorded at another, a device
                says or shows another.
            PortMissing, NoReply, ReplyError: as for :meth:`snap`.
        """
        self._check_exposure(exposure_ms)
        if frames < 1 or not 0 < frame_rate_hz < float("inf"):
            raise OutOfRange(
                self._name,
                f"cannot film {frames} frames at {frame_rate_hz:g} Hz.",
                "Give at least one frame and a rate above 0.",
            )
        source = self._opened()
        reported_ms = source.set_exposure(exposure_ms)
        source.set_frame_rate(frame_rate_hz)
        self._check_rate(source.frame_rate_hz(), frame_rate_hz)
        recorded_hz = None if self._address.live else source.frame_rate_hz()
        raw = [self._whole(source.fresh(exposure_ms))]
        came_s = [time.monotonic()]
        for _ in range(frames - 1):
            raw.append(self._whole(source.next()))
            came_s.append(time.monotonic())
        if self._address.live and frames > 1:
            self._check_rate((frames - 1) / (came_s[-1] - came_s[0]), frame_rate_hz)
        used_ms = exposure_ms if reported_ms is None else reported_ms
        return [
            self._picture(pixels, used_ms, self._taken_s(number, at_s, recorded_hz))
            for number, (pixels, at_s) in enumerate(zip(raw, came_s, strict=True))
        ]

    def _taken_s(self, number: int, came_s: float, recorded_hz: float | None) -> float | None:
        """When a frame of a film was taken: as it came, or as the file says."""
        if self._address.live:
            return came_s
        return number / recorded_hz if recorded_hz else None

    def _opened(self) -> Source:
        if self._source is None:
            from labrig_drivers.opencv_camera.sources import CannotOpen, OtherSize, open_source

            try:
                self._source = open_source(self._address, self._settings, self._last_read)
            except CannotOpen as error:
                raise PortMissing(
                    self._name,
                    f"{error}.",
                    "Check the address in the rig file, that the camera is plugged in and that "
                    "no other program uses it.",
                ) from error
            except OtherSize as error:
                raise OutOfRange(
                    self._name,
                    f"{error}.",
                    "Correct width_px and height_px in the rig file, or leave both out.",
                ) from error
        return self._source

    def _whole(self, pixels: Pixels | None) -> Pixels:
        if pixels is None and self._address.live:
            self.close()
            raise NoReply(
                self._name,
                "no more frames come from it.",
                "Check cable and power; the next use opens it again.",
            )
        if pixels is None:
            raise NoReply(
                self._name,
                "its last frame has been read.",
                "Set at_end: loop to begin again; a folder goes on when another image comes.",
            )
        expected = self._shape or pixels.shape
        if pixels.size == 0 or pixels.shape != expected or pixels.dtype.name not in _DEPTHS:
            raise ReplyError(
                self._name,
                f"a frame of shape {pixels.shape} and type {pixels.dtype.name} came, where "
                f"{expected} of {' or '.join(_DEPTHS)} was expected.",
                "A frame was torn, or the source holds frames of several kinds.",
            )
        self._shape = expected
        return pixels

    def _picture(self, pixels: Pixels, exposure_ms: float, taken_s: float | None = None) -> Picture:
        from labrig_drivers.opencv_camera.grey import to_grey

        return Picture(to_grey(pixels, self._settings.grey), exposure_ms, taken_s)

    def _check_exposure(self, exposure_ms: float) -> None:
        if not 0 < exposure_ms < float("inf"):
            raise OutOfRange(
                self._name, f"exposure_ms = {exposure_ms:g}.", "Give milliseconds above 0."
            )

    def _check_rate(self, actual_hz: float | None, wanted_hz: float) -> None:
        if actual_hz is None:
            return
        if abs(actual_hz - wanted_hz) > _RATE_TOLERANCE * wanted_hz:
            raise OutOfRange(
                self._name,
                f"frames come at {actual_hz:.4g} Hz where {wanted_hz:g} Hz was asked.",
                "Ask for the rate it has, or shorten the exposure.",
            )
