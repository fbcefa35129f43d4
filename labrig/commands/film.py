"""``labrig film``: how cells of a film contract, or how their calcium answers."""

from __future__ import annotations

import json
import math
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from labrig.commands import exit_codes
from labrig.measure.film_refusals import FilmRefused

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from labrig_analysis.films.calcium import CalciumResponse
    from labrig_analysis.films.contraction import Contraction
    from labrig_analysis.films.delay import Delays

    Found = Contraction | CalciumResponse


class Signal(StrEnum):
    """What of a film is followed."""

    MOTION = "motion"
    CALCIUM = "calcium"


@dataclass(frozen=True, slots=True)
class _Asked:
    """What to measure, and how the film is calibrated where its file does not say."""

    file: Path
    signal: Signal
    pixel_size_um: float | None
    frame_rate_hz: float | None
    pulses_s: list[float] | None
    background: NDArray[Any] | None


def film(
    file: Annotated[
        Path,
        typer.Argument(
            help="Video (AVI, MOV, MP4 ...), TIFF stack, or folder with one picture per frame."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the tables and the picture of the trace.")],
    pixel_size_um: Annotated[
        float | None,
        typer.Option(
            help="Width of a pixel in the specimen, in µm. Not needed where a TIFF states it, nor "
            "for calcium."
        ),
    ] = None,
    frame_rate_hz: Annotated[
        float | None, typer.Option(help="Frames per second. Not needed where the file states it.")
    ] = None,
    pulses: Annotated[
        str | None,
        typer.Option(
            help="Times of the stimulus pulses from the first frame, in seconds: '0.5,1.5,2.5', or "
            "a text file with one time per line. Without it, beats are looked for."
        ),
    ] = None,
    mask: Annotated[
        Path | None, typer.Option(help="Image of the frames' size, nonzero in tubes.")
    ] = None,
    signal: Annotated[
        Signal,
        typer.Option(help="'motion': contraction. 'calcium': dF/F0 of an indicator's light."),
    ] = Signal.MOTION,
    background: Annotated[
        Path | None,
        typer.Option(help="Calcium: image of the frames' size, nonzero where no cell is."),
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=IMAGE",
            help="Twice, in place of --mask: two regions, such as nerve and muscle side; how long "
            "the second comes behind the first is measured too.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Measure how tubes contract in FILE (amplitude, times, capture, fatigue, trains), or dF/F0.

    What is measured of motion is movement that can be seen (optical contraction), never force.
    Writes NAME_summary.csv, NAME_pulses.csv, NAME_trace.csv, NAME_trace.png, of motion also
    NAME_trains.csv; with two regions NAME_REGION_... of each, and NAME_delays.csv.

    Example: labrig film twitch.avi --pixel-size-um 0.65 --pulses 1,2,3,4,5 --out results

    Example: labrig film chip.tif --signal calcium --region nerve=n.png --region muscle=m.png
    --out results

    Exit status: 0 measured; 1 refused.
    """
    try:
        asked = _Asked(
            file,
            signal,
            pixel_size_um,
            frame_rate_hz,
            None if pulses is None else read_pulses(pulses),
            None if background is None else _read_mask(background),
        )
        if background is not None and signal is not Signal.CALCIUM:
            raise FilmRefused("--background is for --signal calcium: motion needs none")
        regions = _regions(region or [], mask)
        found = {name: _measured(asked, image) for name, image in regions.items()}
        delays = _delays(asked, found) if region else None
    except (FilmRefused, ValueError) as error:
        typer.echo(f"Not measured: {error}", err=True)
        raise typer.Exit(exit_codes.REFUSED) from error
    for name, of_region in found.items():
        write_tables(of_region, out, f"{file.stem}_{name}" if name else file.stem)
    if delays is not None:
        delays.responses.to_csv(out / f"{file.stem}_delays.csv", index=False)
    _tell(found, delays, out, as_json=as_json)


def _regions(given: list[str], mask: Path | None) -> dict[str, NDArray[Any] | None]:
    """By name, the mask of each region; one without a name where the film has no regions."""
    if not given:
        return {"": _read_mask(mask) if mask else None}
    if mask is not None:
        raise FilmRefused("--mask and --region say where cells are in two ways: leave one out")
    pairs = [text.partition("=") for text in given]
    for text, (name, equals, image) in zip(given, pairs, strict=True):
        if not (name.isidentifier() and equals and image):
            raise FilmRefused(f"--region {text!r}: write NAME=IMAGE, such as nerve=nerve.png")
    if len(pairs) != 2 or pairs[0][0] == pairs[1][0]:
        raise FilmRefused(
            f"--region names {', '.join(name for name, *_ in pairs)}: give two of two names, the "
            "one that leads first"
        )
    return {name: _read_mask(Path(image)) for name, _, image in pairs}


def _measured(asked: _Asked, mask: NDArray[Any] | None) -> Found:
    from labrig.measure.film_files import open_film
    from labrig_analysis.films.calcium import measure_calcium
    from labrig_analysis.films.contraction import measure_contraction

    opened = open_film(asked.file)
    with closing(opened.frames) as frames:
        rate_hz = opened.frame_rate_hz if asked.frame_rate_hz is None else asked.frame_rate_hz
        if rate_hz is None:
            raise FilmRefused(f"{asked.file} does not state its frame rate: give --frame-rate-hz")
        found: Found
        if asked.signal is Signal.CALCIUM:
            found = measure_calcium(
                frames,
                frame_rate_hz=rate_hz,
                pulses_s=asked.pulses_s,
                mask=mask,
                background=asked.background,
            )
        else:
            size_um = opened.pixel_size_um if asked.pixel_size_um is None else asked.pixel_size_um
            if size_um is None:
                raise FilmRefused(f"{asked.file} states no pixel size: give --pixel-size-um")
            found = measure_contraction(
                frames,
                pixel_size_um=size_um,
                frame_rate_hz=rate_hz,
                pulses_s=asked.pulses_s,
                mask=mask,
            )
    _note_missing_frames(found, opened.promised)
    return found


def _delays(asked: _Asked, found: dict[str, Found]) -> Delays:
    """How long the second region comes behind the first, at pulses or at the first's own beats."""
    import numpy as np

    from labrig_analysis.films.calcium import NOISE_REACH
    from labrig_analysis.films.delay import response_delays
    from labrig_analysis.films.pulse_responses import FOLLOWED_NOISE

    first, second = found.values()
    column, noise, reach = (
        ("dff", "noise_dff", NOISE_REACH)
        if asked.signal is Signal.CALCIUM
        else ("displacement_um", "noise_um", 1.0)
    )
    least = [FOLLOWED_NOISE * reach * float(f.summary[noise].iloc[0]) for f in (first, second)]
    events = first.pulses["pulse_s"] if asked.pulses_s is None else np.sort(asked.pulses_s)
    return response_delays(
        first.trace["time_s"].to_numpy(),
        first.trace[column].to_numpy(),
        second.trace[column].to_numpy(),
        np.asarray(events, dtype=float),
        (least[0], least[1]),
    )


def _tell(found: dict[str, Found], delays: Delays | None, out: Path, *, as_json: bool) -> None:
    rows = {name: json.loads(f.summary.iloc[0].to_json()) for name, f in found.items()}
    if delays is not None:
        rows["delay"] = json.loads(delays.summary.iloc[0].to_json())
    if as_json:
        typer.echo(json.dumps(rows[""] if "" in rows else rows))
        return
    for name, row in rows.items():
        if name:
            typer.echo(f"{name}:")
        for column, value in row.items():
            shown = f"{value:.4g}" if isinstance(value, float) else value
            typer.echo(f"{column:<18} {'-' if value in (None, '') else shown}")
    typer.echo(f"Tables and trace: {out}")


def read_pulses(text: str) -> list[float]:
    """Pulse times in seconds from a list, or from a file with one per line.

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
                "with one number per line"
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


def write_tables(found: Found, out: Path, name: str) -> None:
    """Write the tables as CSV and the trace as PNG."""
    out.mkdir(parents=True, exist_ok=True)
    for table in ("summary", "pulses", "trains", "trace"):
        if hasattr(found, table):
            getattr(found, table).to_csv(out / f"{name}_{table}.csv", index=False)
    _draw_trace(found.trace, found.pulses, out / f"{name}_trace.png")


def _read_mask(path: Path) -> NDArray[Any]:
    import cv2
    import numpy as np

    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED) if path.is_file() else None
    if image is None:
        raise FilmRefused(f"{path} cannot be read as the image of the mask")
    return np.asarray(image if image.ndim == 2 else image[..., :3].max(axis=2))


def _note_missing_frames(found: Found, promised: int) -> None:
    read = len(found.trace)
    if read < promised:
        said = str(found.summary["flags"].iloc[0])
        gap = f"the file promises {promised} frames, {read} could be read"
        found.summary["flags"] = f"{said}; {gap}" if said else gap


def _draw_trace(trace: pd.DataFrame, pulses: pd.DataFrame, path: Path) -> None:
    from matplotlib.figure import Figure

    column, axis = (
        ("dff", "ΔF/F0")
        if "dff" in trace
        else ("displacement_um", "displacement (µm)\noptical contraction")
    )
    figure = Figure(figsize=(10, 3), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(trace["time_s"], trace[column], color="0.2", linewidth=0.8)
    for followed, colour in ((True, "tab:green"), (False, "tab:red")):
        times = pulses.loc[pulses["followed"] == followed, "pulse_s"]
        axes.plot(times, [0.0] * len(times), "|", color=colour, markersize=10)
    axes.set_xlabel("time (s)")
    axes.set_ylabel(axis)
    axes.set_title("pulses: green followed, red missed or not to be told", fontsize=8)
    figure.savefig(path, dpi=120)
