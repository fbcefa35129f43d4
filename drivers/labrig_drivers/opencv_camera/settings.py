"""What a rig file may set for an OpenCV camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

AtEnd = Literal["stop", "loop"]
Grey = Literal["luminance", "mean", "red", "green", "blue"]


@dataclass(frozen=True, slots=True)
class OpenCvCameraSettings:
    """Settings of one camera, video file, image folder or stream.

    Attributes:
        grey: how a colour frame becomes grey: ``luminance`` weighs channels as ITU-R BT.601,
            ``mean`` weighs them equally, a colour takes that channel alone.
        at_end: at the last frame of a file or folder, ``stop`` with an error or ``loop``.
        stale_frames: frames that a live device may have buffered; at most so many are thrown
            away before each snap.
        width_px, height_px: asked of a live device; 0 leaves its own.
        open_timeout_s, read_timeout_s: given to the backends that know time-outs (FFmpeg and
            GStreamer streams; V4L2 keeps its own 10 s).
    """

    grey: Grey = "luminance"
    at_end: AtEnd = "stop"
    stale_frames: int = 5
    width_px: int = 0
    height_px: int = 0
    open_timeout_s: float = 5.0
    read_timeout_s: float = 5.0

    def __post_init__(self) -> None:
        for field, value, legal in (
            ("grey", self.grey, get_args(Grey)),
            ("at_end", self.at_end, get_args(AtEnd)),
        ):
            if value not in legal:
                raise ValueError(f"{field} is {value!r}; give one of {', '.join(legal)}")
        if self.stale_frames < 0:
            raise ValueError(f"stale_frames is {self.stale_frames}; give 0 or more")
        if (self.width_px > 0) != (self.height_px > 0) or self.width_px < 0:
            raise ValueError(
                f"width_px and height_px are {self.width_px} and {self.height_px}; "
                "give both above 0, or neither"
            )
        for field, seconds in (
            ("open_timeout_s", self.open_timeout_s),
            ("read_timeout_s", self.read_timeout_s),
        ):
            if not 0 < seconds <= 600:
                raise ValueError(f"{field} is {seconds}; give seconds above 0 and at most 600")
