"""What chips show of their junctions: impulses answered by frequency, latency, block, stability.

A chip is one value; its regions are sub-samples and never counted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labrig.report.drawing import QUIET, new_figure, style_of, styled, to_svg
from labrig.report.record import Record

if TYPE_CHECKING:
    import pandas as pd

NUMBERS = (
    "regions", "alive", "innervated", "fidelity", "fidelity_slow", "latency_ms", "junction_ms",
    "indirect_um", "direct_um", "indirect_direct", "beats_per_min", "block_index", "direct_kept",
    "stability",
)  # fmt: skip
COLUMNS = ("chip", "arm", "donor", "test", "hours", "assay", "blocked", *NUMBERS)
FREQUENCY_COLUMNS = (
    "chip", "arm", "donor", "test", "hours", "assay", "blocked", "frequency_hz", "given",
    "answered", "fidelity", "latency_ms",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ArmAnswers:
    """How an arm's chips answer at one frequency in one test; fidelity is the mean over chips."""

    arm: str
    test: int
    hours: float
    blocked: bool
    frequency_hz: float
    chips: int
    fidelity: float
    low: float
    high: float
    latency_ms: float


@dataclass(frozen=True, slots=True)
class Junctions:
    """The junctions of a run.

    Attributes:
        chips: a row per chip and test, columns :data:`COLUMNS`.
        by_frequency: a row per chip, test and frequency, columns :data:`FREQUENCY_COLUMNS`.
        arms: what a table by arm says.
        sentences: the same in plain words, first what matters most.
        films / counted: how many films were measured, and how many count.
        left_out: why others do not, with how many.
        frame_interval_ms: what one latency cannot be told better than.
        regions: of a field.
    """

    chips: pd.DataFrame
    by_frequency: pd.DataFrame
    arms: tuple[ArmAnswers, ...]
    sentences: tuple[str, ...]
    films: int
    counted: int
    left_out: tuple[tuple[str, int], ...]
    frame_interval_ms: float
    regions: int


def film_rows(record: Record) -> pd.DataFrame | None:
    """``nmj.csv`` of a run, a row a region; None where no film of a chip was measured."""
    import pandas as pd

    path = record.folder.measures / "nmj.csv"
    if not path.exists() or path.stat().st_size <= 1:
        return None
    return pd.read_csv(path, dtype={"well": str, "chip": str})


def junctions(record: Record) -> Junctions | None:
    """Of a run; None where no film of a chip was measured."""
    from labrig_analysis.films.junction_summary import chip_summary, fidelity_by_frequency

    table = film_rows(record)
    if table is None:
        return None
    counting = table[(table["status"] == "ok") & table["region"].notna()]
    chips, by_frequency = chip_summary(counting), fidelity_by_frequency(counting)
    told = _told(record, counting)
    chips = chips.merge(told, on=["chip", "test"], how="left")
    by_frequency = by_frequency.merge(told, on=["chip", "test"], how="left")
    arms = tuple(_arms(record, by_frequency))
    films = table.groupby(["well", "film"])["status"].apply(lambda own: (own == "ok").any())
    return Junctions(
        chips[list(COLUMNS)],
        by_frequency[list(FREQUENCY_COLUMNS)],
        arms,
        tuple(_sentences(record, arms, chips)),
        len(films),
        int(films.sum()),
        _reasons(table),
        float(table["frame_interval_ms"].median()),
        int(table["region"].nunique()),
    )


def of_living_regions(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of ``nmj.csv`` of regions that answer the electrodes in the same test."""
    from labrig_analysis.films.junction_summary import alive_regions

    kept = [
        own[own["region"].isin(alive_regions(own))] for _, own in table.groupby(["chip", "test"])
    ]
    if not kept:
        return table
    import pandas as pd

    return pd.concat(kept).sort_index()


def _told(record: Record, table: pd.DataFrame) -> pd.DataFrame:
    """By chip and test, its arm and donor, and when and with what it was tested."""
    own = {well.chip: (well.arm, well.donor) for well in record.plan.wells if well.chip}
    first = table.groupby(["chip", "test"], as_index=False).agg(
        {"offset_s": "min", "assay": "first", "blocked": "first"}
    )
    return first.assign(
        arm=[own.get(chip, ("", ""))[0] for chip in first["chip"]],
        donor=[own.get(chip, ("", ""))[1] for chip in first["chip"]],
        hours=first["offset_s"] / 3600.0,
    ).drop(columns="offset_s")


def _reasons(table: pd.DataFrame) -> tuple[tuple[str, int], ...]:
    bad = table[table["status"] != "ok"]
    counts = bad["reasons"].fillna("").value_counts()
    return tuple((str(reason), int(count)) for reason, count in counts.items() if reason)


def _arms(record: Record, table: pd.DataFrame) -> list[ArmAnswers]:
    found = []
    for _, own in table.groupby(["test", "arm", "frequency_hz"], sort=True):
        values = own["fidelity"].dropna()
        if values.empty:
            continue
        first = own.iloc[0]
        found.append(
            ArmAnswers(
                str(first["arm"]),
                int(first["test"]),
                float(own["hours"].min()),
                bool(own["blocked"].any()),
                float(first["frequency_hz"]),
                len(values),
                float(values.mean()),
                float(values.min()),
                float(values.max()),
                float(own["latency_ms"].median()),
            )
        )
    order = list(record.protocol.arms)
    return sorted(found, key=lambda a: (a.test, order.index(a.arm), a.frequency_hz))


def _sentences(record: Record, arms: Sequence[ArmAnswers], chips: pd.DataFrame) -> list[str]:
    said = []
    last = max((a.test for a in arms if not a.blocked), default=None)
    for arm in record.protocol.arms:
        own = [a for a in arms if a.arm == arm and a.test == last]
        if own:
            by_rate = ", ".join(f"{a.fidelity:.0%} at {a.frequency_hz:g} Hz" for a in own)
            said.append(
                f"{arm}: after {own[0].hours:.1f} h the muscle answered {by_rate} of its nerve's "
                f"impulses (mean of {_counted(own[0].chips)})"
            )
    for arm in record.protocol.arms:
        own_chips = chips[(chips["arm"] == arm) & chips["blocked"].astype(bool)]
        lost, kept = own_chips["block_index"].dropna(), own_chips["direct_kept"].dropna()
        if len(lost):
            electrodes = "" if kept.empty else (
                f", and {kept.mean():.0%} of what electrodes make it do was left"
            )  # fmt: skip
            said.append(
                f"{arm}: the block took {lost.mean():.0%} of the answers to the nerve{electrodes}: "
                + (
                    "what was answered came through the junction"
                    if lost.mean() > 0.5 and (kept.empty or kept.mean() > 0.5)
                    else "this does not show that answers came through the junction"
                )
            )
    first, final = chips["test"].min(), chips.loc[~chips["blocked"].astype(bool), "test"].max()
    if final > first:
        for arm in record.protocol.arms:
            own_chips = chips[(chips["arm"] == arm) & (chips["test"] == final)]
            share = own_chips["stability"].dropna()
            if len(share):
                said.append(
                    f"{arm}: of the regions that the nerve moved at first, {share.mean():.0%} were "
                    f"still moved by it in the last test before a block (mean of "
                    f"{_counted(len(share))})"
                )
    return said


def _counted(chips: int) -> str:
    return "1 chip" if chips == 1 else f"{chips} chips"


@styled
def fidelity_figure(found: Junctions | None, arms: Sequence[str]) -> str | None:
    """Inline SVG: impulses answered by frequency, a panel a test; chips faint, arms bold."""
    if found is None or not found.arms:
        return None
    tests = list(dict.fromkeys((a.test, a.hours, a.blocked) for a in found.arms))
    numbers = list(dict.fromkeys(test for test, _, _ in tests))
    figure, axes = new_figure(7.2, 3.0, 1, len(numbers))
    style = style_of(arms)
    for panel, number in zip(axes, numbers, strict=True):
        own = [a for a in found.arms if a.test == number]
        hours = min(a.hours for a in own)
        blocked = any(a.blocked for a in own)
        for arm in arms:
            colour, marker = style[arm]
            table = found.by_frequency
            mine = table[(table["test"] == number) & (table["arm"] == arm)]
            for _, chip in mine.groupby("chip"):
                panel.plot(
                    chip["frequency_hz"], 100 * chip["fidelity"], color=colour, alpha=0.3,
                    linewidth=1.0,
                )  # fmt: skip
            line = [(a.frequency_hz, 100 * a.fidelity) for a in own if a.arm == arm]
            if line:
                panel.plot(*zip(*line, strict=True), color=colour, marker=marker, label=arm)
        panel.set_title(f"{hours:.1f} h" + (", after the block" if blocked else ""))
        panel.set_ylim(-4, 104)
        panel.set_xlabel("impulses (Hz)")
        panel.axhline(0, color=QUIET, linewidth=0.8)
    axes[0].set_ylabel("answered (%)")
    axes[0].legend(fontsize=8)
    return to_svg(figure, "junctions")


def chip_rows(found: Junctions | None) -> list[dict[str, Any]]:
    """Rows of the table by chip; what is not known is None."""
    if found is None:
        return []
    rows = found.chips.to_dict("records")
    return [
        {str(k): None if isinstance(v, float) and math.isnan(v) else v for k, v in row.items()}
        for row in rows
    ]
