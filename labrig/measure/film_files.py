"""Films on disk: videos, TIFF stacks and folders of frames, read frame by frame."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labrig.measure.film_refusals import FilmRefused
from labrig_measure.errors import UnreadableImage
from labrig_measure.tiff_planes import tiff_pixel_size_um

if TYPE_CHECKING:
    from numpy.typing import NDArray

TIFF = {".tif", ".tiff"}
PICTURES = {*TIFF, ".png", ".jpg", ".jpeg", ".bmp"}
MICROSCOPES = {".czi", ".nd2", ".lif", ".vsi", ".oib", ".oif", ".lsm"}
_SECONDS = {"s": 1.0, "sec": 1.0, "ms": 1e-3, "msec": 1e-3, "µs": 1e-6, "us": 1e-6, "min": 60.0}


@dataclass(slots=True)
class FilmFile:
    """A film on disk, read frame by frame.

    Attributes:
        frames: grey frames (y, x) in order.
        frame_rate_hz: as the file states it; None where it does not.
        pixel_size_um: likewise.
        promised: how many frames the file says it holds; 0 where it does not say.
    """

    frames: Generator[NDArray[Any]]
    frame_rate_hz: float | None
    pixel_size_um: float | None
    promised: int


def open_film(path: Path) -> FilmFile:
    """Open a video, a TIFF stack of frames, or a folder with one picture per frame.

    Raises:
        FilmRefused: there is none, or nothing in it that can be read as a film.
    """
    if path.is_dir():
        return _open_folder(path)
    if not path.is_file():
        raise FilmRefused(f"{path} is not there; give a video, a TIFF stack or a folder of frames")
    if path.suffix.lower() in MICROSCOPES:
        raise FilmRefused(
            f"{path} is a microscope's own format, which is not read: export it as OME-TIFF or AVI"
        )
    return _open_tiff(path) if path.suffix.lower() in TIFF else _open_video(path)


def in_number_order(path: Path) -> tuple[Any, ...]:
    """Sorts ``frame_10`` behind ``frame_9``."""
    parts = re.split(r"(\d+)", path.name)
    return tuple((int(p), "") if p.isdigit() else (-1, p.casefold()) for p in parts)


def _open_folder(path: Path) -> FilmFile:
    pictures = sorted(
        (p for p in path.iterdir()
         if p.is_file() and p.suffix.lower() in PICTURES and not p.name.startswith(".")),
        key=in_number_order,
    )  # fmt: skip
    if not pictures:
        endings = ", ".join(sorted(PICTURES))
        raise FilmRefused(f"{path} is a folder without pictures ({endings}): nothing to measure")
    if len(pictures) == 1:
        raise FilmRefused(
            f"{path} holds one picture, {pictures[0].name}: a film has many. Give the file itself "
            "where it is a stack"
        )
    kinds = {p.suffix.lower() for p in pictures}
    if len(kinds) > 1:
        raise FilmRefused(
            f"{path} holds pictures of several kinds ({', '.join(sorted(kinds))}), so which are "
            "the film's frames is not clear: leave one kind in it"
        )
    pixel_um = _pixel_size(pictures[0]) if kinds <= TIFF else None
    return FilmFile(_picture_frames(pictures), None, pixel_um, len(pictures))


def _picture_frames(pictures: list[Path]) -> Generator[NDArray[Any]]:
    for path in pictures:
        frame = _tiff_picture(path) if path.suffix.lower() in TIFF else _picture(path)
        if frame.ndim != 2:
            raise FilmRefused(
                f"{path} has shape {frame.shape}: each file of a folder is one frame; give a stack "
                "by its own name"
            )
        yield frame


def _tiff_picture(path: Path) -> NDArray[Any]:
    import tifffile

    try:
        return _grey(tifffile.imread(path).squeeze())
    except (tifffile.TiffFileError, OSError, ValueError) as error:
        raise FilmRefused(f"{path} cannot be read: {error}") from error


def _picture(path: Path) -> NDArray[Any]:
    import cv2
    import numpy as np

    # Not cv2.imread: it cannot open names beyond ASCII on Windows.
    data = np.frombuffer(path.read_bytes(), np.uint8)
    image = cv2.imdecode(data, cv2.IMREAD_ANYDEPTH | cv2.IMREAD_GRAYSCALE) if len(data) else None
    if image is None:
        raise FilmRefused(f"{path} cannot be read as a picture: it is damaged, or cut short")
    return np.asarray(image)


def _open_tiff(path: Path) -> FilmFile:
    import tifffile

    try:
        with tifffile.TiffFile(path) as stack:
            series = stack.series[0]
            shape, axes = series.shape, series.axes
            rate_hz = _ome_rate_hz(stack.ome_metadata) or _imagej_rate_hz(stack.imagej_metadata)
    except (tifffile.TiffFileError, OSError, IndexError) as error:
        raise FilmRefused(f"{path} cannot be read as TIFF: {error}") from error
    kept = [(n, axis) for n, axis in zip(shape, axes, strict=True) if n > 1 or axis in "YX"]
    frames = [(n, axis) for n, axis in kept if axis not in "YXS"]
    if len(frames) != 1:
        raise FilmRefused(f"{path} has shape {shape} ({axes}): give a stack of frames (t, y, x)")
    count, axis = frames[0]
    if axis == "C":
        raise FilmRefused(
            f"{path} holds {count} channels and no time: give a stack of frames (t, y, x). If they "
            "are frames, save them as such (ImageJ: Image > Properties)"
        )
    return FilmFile(_tiff_frames(path, count), rate_hz, _pixel_size(path), count)


def _tiff_frames(path: Path, count: int) -> Generator[NDArray[Any]]:
    import tifffile

    with tifffile.TiffFile(path) as stack:
        pages = stack.series[0].pages
        if len(pages) != count:
            # All frames in one block, as ImageJ writes large stacks.
            for frame in stack.series[0].asarray().squeeze():
                yield _grey(frame)
            return
        for number, page in enumerate(pages):
            if page is None:
                raise FilmRefused(f"{path}: frame {number} is not in the file")
            yield _grey(page.asarray())


def _open_video(path: Path) -> FilmFile:
    import cv2

    video = cv2.VideoCapture(str(path))
    if not video.isOpened():
        raise FilmRefused(f"{path} cannot be read as a video; convert it to AVI, MP4 or TIFF")
    rate_hz = video.get(cv2.CAP_PROP_FPS)
    promised = max(0, int(video.get(cv2.CAP_PROP_FRAME_COUNT)))
    return FilmFile(_video_frames(video), rate_hz if rate_hz > 0 else None, None, promised)


def _video_frames(video: Any) -> Generator[NDArray[Any]]:  # noqa: ANN401 - cv2.VideoCapture
    import cv2

    try:
        while True:
            there, frame = video.read()
            if not there:
                return
            yield cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY) if frame.ndim == 3 else frame
    finally:
        video.release()


def _grey(frame: NDArray[Any]) -> NDArray[Any]:
    import cv2
    import numpy as np

    if frame.ndim == 3 and frame.shape[2] in (3, 4):
        return np.asarray(cv2.cvtColor(np.ascontiguousarray(frame[..., :3]), cv2.COLOR_RGB2GRAY))
    return frame


def _pixel_size(path: Path) -> float | None:
    try:
        return tiff_pixel_size_um(path)
    except UnreadableImage as error:
        raise FilmRefused(str(error)) from error


def _ome_rate_hz(ome_metadata: str | None) -> float | None:
    if not ome_metadata:
        return None
    for element in ElementTree.fromstring(ome_metadata).iter():
        if element.tag.endswith("}Pixels") and element.get("TimeIncrement"):
            return _rate_hz(element.get("TimeIncrement"), element.get("TimeIncrementUnit", "s"))
    return None


def _imagej_rate_hz(metadata: dict[str, Any] | None) -> float | None:
    """ImageJ states the interval between frames, or frames per second."""
    said = metadata or {}
    if said.get("finterval"):
        return _rate_hz(said["finterval"], str(said.get("tunit", "s")))
    return float(said["fps"]) if said.get("fps") else None


def _rate_hz(interval: Any, unit: str) -> float | None:  # noqa: ANN401 - of a file's metadata
    seconds = float(interval) * _SECONDS.get(unit.strip().replace("\\u00B5", "µ"), 0.0)
    return 1.0 / seconds if seconds > 0 else None
