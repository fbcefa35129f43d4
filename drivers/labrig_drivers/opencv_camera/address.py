"""What a camera address stands for: a device number, a stream or a path."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

IMAGE_SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg", ".bmp")


@dataclass(frozen=True, slots=True)
class CameraAddress:
    """A parsed address; ``live`` sources have frames of their own time, and may go stale."""

    kind: Literal["device", "stream", "path"]
    text: str

    @property
    def live(self) -> bool:
        """Frames come whether or not they are asked for."""
        return self.kind in ("device", "stream")


def parse_address(address: int | str) -> CameraAddress:
    """Tell a device number (``0``), a URL and a path apart. Looks at no disk."""
    text = str(address)
    if text.isdecimal():
        return CameraAddress("device", text)
    if "://" in text:
        return CameraAddress("stream", text)
    return CameraAddress("path", text)


def images_in(folder: str) -> list[Path]:
    """The image files of a folder, sorted by name."""
    return sorted(path for path in Path(folder).iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)
