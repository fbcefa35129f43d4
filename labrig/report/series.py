"""Test series at the experimental unit: what each says by arm, and the curves behind it.

Wells are averaged to units, units to arms; n is units. Only series of which every film counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any

from labrig.plan.experimental_units import Unit
from labrig.protocol.assays import Assay, Fatigue, Frequencies, Staircase
from labrig.protocol.models import Protocol
from labrig.protocol.nmj_assay import Nmj
from labrig.report.drawing import new_figure, style_of, styled, to_svg
from labrig.report.record import Record

if TYPE_CHECKING:
    import pandas as pd

READOUTS = {
    "capture_v": ("Capture threshold", "V"),
    "half_response_v": ("Half of the largest response at", "V"),
    "capture_ma": ("Capture threshold", "mA"),
    "half_response_ma": ("Half of the largest response at", "mA"),
    "twitch_um": ("Twitch", "µm"),
    "largest_um": ("Largest contraction", "µm"),
    "tetanus_twitch_ratio": ("Largest over twitch", ""),
    "f50_hz": ("Half way from twitch to largest at", "Hz"),
    "fused_at_hz": ("Fused from", "Hz"),
    "fatigue_ratio": ("Left at the end", ""),
}
"""By column of ``series.csv``, its words and unit."""
_OF_KIND = {
    "staircase": ("capture_v", "half_response_v"),
    "frequencies": ("twitch_um", "largest_um", "tetanus_twitch_ratio", "f50_hz", "fused_at_hz"),
    "fatigue": ("fatigue_ratio",),
    "twitch": ("twitch_um",),
}


@dataclass(frozen=True, slots=True)
class ArmValue:
    """One read-out of one arm: mean and SD over units; None where there are none, or one."""

    arm: str
    words: str
    unit: str
    mean: float | None
    sd: float | None
    units: int
    wells: int


@dataclass(frozen=True, slots=True)
class SeriesShown:
    """One series of the run.

    Attributes:
        asks: what the assay asks, in words.
        complete / wells: wells of which every film counts, of all.
        curve: figure by arm; None: nothing to draw.
        out: why wells are left out, and how many.
    """

    number: int
    assay: str
    asks: str
    hours: float
    complete: int
    wells: int
    values: tuple[ArmValue, ...]
    curve: str | None
    out: tuple[tuple[str, int], ...]


def series_shown(
    record: Record, units: Sequence[Unit], arms: Sequence[str]
) -> tuple[SeriesShown, ...]:
    """Every series that was measured, in order of time.

    Args:
        record: of the run.
        units: of the run.
        arms: in the order they are shown in.
    """
    table = series_table_of(record)
    if table.empty:
        return ()
    shown = []
    for number in sorted({int(n) for n in table["series"]}):
        own = table[table["series"] == number]
        name, kind = str(own["assay"].iloc[0]), str(own["kind"].iloc[0])
        counted = own[own["status"] == "ok"]
        films = record.films[(record.films["series"] == number) & (record.films["status"] == "ok")]
        films = films[films["well"].isin(counted["well"])]
        out = own[own["status"] != "ok"]["reasons"].value_counts()
        shown.append(
            SeriesShown(
                number=number,
                assay=name,
                asks=assay_words(record.protocol.assays[name]),
                hours=float(own["offset_s"].min()) / 3600.0,
                complete=len(counted),
                wells=len(own),
                values=tuple(_values(counted, kind, units, arms)),
                curve=_curve(films, kind, units, arms, f"series-{number}"),
                out=tuple((str(why), int(n)) for why, n in out.items()),
            )
        )
    return tuple(shown)


def series_table_of(record: Record) -> pd.DataFrame:
    """``series.csv``; empty where there is none."""
    import pandas as pd

    path = record.folder.measures / "series.csv"
    if not path.exists() or path.stat().st_size <= 1:
        return pd.DataFrame(columns=["series", "assay", "kind", "well", "status"])
    return pd.read_csv(path, dtype={"well": str})


def assay_words(assay: Assay) -> str:
    """What an assay asks of a culture."""
    match assay:
        case Staircase():
            steps, unit = assay.amplitude.steps, assay.amplitude.unit
            return (
                f"{assay.pulses} pulses at {assay.frequency_hz:g} Hz in each of {len(steps)} steps "
                f"from {steps[0]:g} to {steps[-1]:g} {unit}; captured: "
                f"{assay.captured_percent:g} % followed"
            )
        case Frequencies():
            rates = ", ".join(f"{rate:g}" for rate in assay.at_hz)
            return f"trains of {assay.train_s:g} s at {rates} Hz, {assay.rest_s:g} s apart"
        case Fatigue():
            bursts = "" if assay.on_s is None else f", {assay.on_s:g} s on, {assay.off_s:g} s off"
            return f"{assay.frequency_hz:g} Hz{bursts}, for {assay.for_s:g} s"
        case _:
            return ""


def planned_assays(protocol: Protocol) -> bool:
    """Whether the protocol does any test series; those of chips have a section of their own."""
    done = (protocol.assays[series.assay] for series in protocol.imaging.series)
    return any(not isinstance(assay, Nmj) for assay in done)


def _values(
    counted: pd.DataFrame, kind: str, units: Sequence[Unit], arms: Sequence[str]
) -> list[ArmValue]:
    values = []
    columns = _OF_KIND.get(kind, ())
    if kind == "staircase" and "capture_ma" in counted and not counted["capture_v"].notna().any():
        of_current = [f"{column.removesuffix('_v')}_ma" for column in columns]
        columns = tuple(of_current) if counted["capture_ma"].notna().any() else columns
    for column in columns:
        words, unit_ = READOUTS[column]
        for arm in arms:
            own = [
                counted[counted["well"].isin(unit.wells)][column].dropna()
                for unit in units
                if unit.arm == arm
            ]
            means = [float(found.mean()) for found in own if len(found)]
            values.append(
                ArmValue(
                    arm, words, unit_, fmean(means) if means else None,
                    stdev(means) if len(means) > 1 else None, len(means),
                    sum(len(found) for found in own),
                )
            )  # fmt: skip
    return values


@styled
def _curve(
    films: pd.DataFrame, kind: str, units: Sequence[Unit], arms: Sequence[str], name: str
) -> str | None:
    """Response against what was asked: units faint, the mean of an arm's units bold."""
    x, label = {"staircase": ("asked_v", "amplitude (V)"), "frequencies": ("asked_hz", "Hz")}.get(
        kind, ("offset_s", "")
    )
    if kind == "staircase" and films["asked_v"].isna().all() and "asked_ma" in films:
        x, label = "asked_ma", "current (mA a well)"
    if kind == "fatigue":
        films = films.assign(ends=films["part"].map({"first": 0, "last": 1}))
        x, label = "ends", ""
    if kind not in ("staircase", "frequencies", "fatigue") or films.empty:
        return None
    figure, (axes,) = new_figure(6.5, 3.3)
    style = style_of(arms)
    handles: list[Any] = []
    for arm in arms:
        colour, marker = style[arm]
        curves = []
        for unit in (unit for unit in units if unit.arm == arm):
            own = films[films["well"].isin(unit.wells)]
            # By step: of amplitudes in % of capture each channel has its own.
            mean = own.groupby(["step", "part"] if kind == "fatigue" else "step")[
                [x, "amplitude_um"]
            ].mean()
            if not mean.empty:
                axes.plot(mean[x], mean["amplitude_um"], color=colour, alpha=0.35, linewidth=1)
                curves.append(mean.sort_values(x).reset_index(drop=True))
        if curves:
            joined = sum(curves[1:], curves[0].copy()) / len(curves)
            handles += axes.plot(joined[x], joined["amplitude_um"], color=colour, marker=marker,
                                 linewidth=2.2, markersize=5, label=arm)  # fmt: skip
    if not handles:
        return None
    if kind == "frequencies":
        axes.set_xscale("log")
        rates = sorted(films["asked_hz"].unique())
        axes.set_xticks(rates, [f"{rate:g}" for rate in rates])
        axes.minorticks_off()
    if kind == "fatigue":
        axes.set_xticks([0, 1], ["beginning", "end"])
    axes.set_xlabel(label)
    axes.set_ylim(bottom=0)
    axes.set_title("Optical contraction (µm)")
    figure.legend(handles=handles, loc="outside lower center", ncols=4, fontsize=9)
    return to_svg(figure, name)
