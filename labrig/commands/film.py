"""``labrig film``: optical contraction from a video file."""

from __future__ import annotations

import json
import math
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from labrig.commands import exit_codes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from labrig_analysis.films.contraction import Contraction

TIFF = {".tif", ".tiff"}


class FilmRefused(Exception):
    """The film or what came with it cannot be used; the text says what to do."""


@dataclass(slots=True)
class FilmFile:
    """A film on disk, read frame by frame.

    Attributes:
        frames: Grey frames in order.
        frame_rate_hz: As the file states it; None where it does not.
        promised: How many frames the file says it holds; 0 where it does not say.
    """

    frames: Generator[NDArray[Any]]
    frame_rate_hz: float | None
    promised: int


def film(
    file: Annotated[
        Path, typer.Argument(help="Video (AVI, MP4 ...) or TIFF stack, grey or colour.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the tables and the picture of the trace.")],
    pixel_size_um: Annotated[
        float, typer.Option(help="Width of a pixel in the specimen, in µm, from the calibration.")
    ],
    frame_rate_hz: Annotated[
        float | None, typer.Option(help="Frames a second. Not needed where the video states it.")
    ] = None,
    pulses: Annotated[
        str | None,
        typer.Option(
            help="Times of the stimulus pulses from the first frame, in seconds: '0.5,1.5,2.5', or "
            "a text file with one time a line. Without it, beats are looked for."
        ),
    ] = None,
    mask: Annotated[
        Path | None, typer.Option(help="Image of the frames' size, nonzero in tubes.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Measure how tubes contract in FILE: amplitude, times, capture, fatigue, trains.

    What is measured is movement that can be seen (optical contraction), never force. Writes
    NAME_summary.csv, NAME_pulses.csv, NAME_trains.csv, NAME_trace.csv and NAME_trace.png.

    Example: labrig film twitch.avi --pixel-size-um 0.65 --pulses 1,2,3,4,5 --out results

    Exit status: 0 measured; 1 refused.
    """
    from labrig_analysis.films.contraction import measure_contraction

    try:
        opened = open_film(file)
        rate_hz = opened.frame_rate_hz if frame_rate_hz is None else frame_rate_hz
        if rate_hz is None:
            raise FilmRefused(f"{file} does not state its frame rate: give --frame-rate-hz")
        times_s = None if pulses is None else read_pulses(pulses)
        with closing(opened.frames) as frames:
            found = measure_contraction(
                frames,
                pixel_size_um=pixel_size_um,
                frame_rate_hz=rate_hz,
                pulses_s=times_s,
                mask=_read_mask(mask) if mask else None,
            )
    except (FilmRefused, ValueError) as error:
        typer.echo(f"Not measured: {error}", err=True)
        raise typer.Exit(exit_codes.REFUSED) from error
    _note_missing_frames(found, opened.promised)
    write_contraction(found, out, file.stem)
    if as_json:
        typer.echo(found.summary.iloc[0].to_json())
        return
    for name, value in json.loads(found.summary.iloc[0].to_json()).items():
        shown = (
            "-" if value in (None, "") else f"{value:.4g}" if isinstance(value, float) else value
        )
        typer.echo(f"{name:<18} {shown}")
    typer.echo(f"Tables and trace: {out}")


def open_film(path: Path) -> FilmFile:
    """Open a video, or a TIFF stack of frames.

    Raises:
        FilmRefused: No such file, or nothing in it that can be read as a film.
    """
    if not path.is_file():
        raise FilmRefused(f"{path} is not there; give a video file or a TIFF stack")
    return _open_tiff(path) if path.suffix.lower() in TIFF else _open_video(path)


def read_pulses(text: str) -> list[float]:
    """Pulse times in seconds from a list, or from a file with one a line.

    Raises:
        FilmRefused: It holds no time, or something that is none.
    """
    path = Path(text)
    named = path.is_file()
    parts = path.read_text(encoding="utf-8").splitlines() if named else text.split(",")
    times = []
    for number, part in enumerate((p.strip() for p in parts), start=1):
        if not part:
            continue
        time_s = _seconds(part)
        if time_s is None:
            where = f"{path}, line {number}" if named else "--pulses"
            raise FilmRefused(
                f"{where}: {part!r} is no time in seconds; give numbers such as 0.5,1.5 or a file "
                "with one number a line"
            )
        times.append(time_s)
    if not times:
        raise FilmRefused(
            f"{path if named else '--pulses'} holds no time: give one or more, or leave --pulses "
            "out to look for beats"
        )
    return times


def _seconds(text: str) -> float | None:
    """The number; None where it is none, or not finite."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def write_contraction(found: Contraction, out: Path, name: str) -> None:
    """Write the tables as CSV and the trace as PNG."""
    out.mkdir(parents=True, exist_ok=True)
    for table in ("summary", "pulses", "trains", "trace"):
        getattr(found, table).to_csv(out / f"{name}_{table}.csv", index=False)
    _draw_trace(found, out / f"{name}_trace.png")


def _open_tiff(path: Path) -> FilmFile:
    import tifffile

    try:
        with tifffile.TiffFile(path) as stack:
            series = stack.series[0]
            shape, axes = series.shape, series.axes
    except (tifffile.TiffFileError, OSError, IndexError) as error:
        raise FilmRefused(f"{path} cannot be read as TIFF: {error}") from error
    colour = axes.endswith("S")
    if len(shape) != (4 if colour else 3):
        raise FilmRefused(f"{path} has shape {shape} ({axes}): give a stack of frames (t, y, x)")
    return FilmFile(_tiff_frames(path), None, shape[0])


def _tiff_frames(path: Path) -> Generator[NDArray[Any]]:
    import cv2
    import numpy as np
    import tifffile

    with tifffile.TiffFile(path) as stack:
        pages = stack.series[0].pages
        for number, page in enumerate(pages):
            if page is None:
                raise FilmRefused(f"{path}: frame {number} is not in the file")
            frame = page.asarray()
            if frame.ndim == 3 and frame.shape[2] in (3, 4):
                frame = np.asarray(cv2.cvtColor(frame[..., :3], cv2.COLOR_RGB2GRAY))
            yield frame


def _open_video(path: Path) -> FilmFile:
    import cv2

    video = cv2.VideoCapture(str(path))
    if not video.isOpened():
        raise FilmRefused(f"{path} cannot be read as a video; convert it to AVI, MP4 or TIFF")
    rate_hz = video.get(cv2.CAP_PROP_FPS)
    promised = max(0, int(video.get(cv2.CAP_PROP_FRAME_COUNT)))
    return FilmFile(_video_frames(video), rate_hz if rate_hz > 0 else None, promised)


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


def _read_mask(path: Path) -> NDArray[Any]:
    import cv2
    import numpy as np

    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED) if path.is_file() else None
    if image is None:
        raise FilmRefused(f"{path} cannot be read as the image of the mask")
    return np.asarray(image if image.ndim == 2 else image[..., :3].max(axis=2))


def _note_missing_frames(found: Contraction, promised: int) -> None:
    read = len(found.trace)
    if read < promised:
        said = str(found.summary["flags"].iloc[0])
        gap = f"the file promises {promised} frames, {read} could be read"
        found.summary["flags"] = f"{said}; {gap}" if said else gap


def _draw_trace(found: Contraction, path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(found.trace["time_s"], found.trace["displacement_um"], color="0.2", linewidth=0.8)
    for followed, colour in ((True, "tab:green"), (False, "tab:red")):
        times = found.pulses.loc[found.pulses["followed"] == followed, "pulse_s"]
        axes.plot(times, [0.0] * len(times), "|", color=colour, markersize=10)
    axes.set_xlabel("time (s)")
    axes.set_ylabel("displacement (µm)\noptical contraction")
    axes.set_title("pulses: green followed, red missed or not to be told", fontsize=8)
    figure.savefig(path, dpi=120)
