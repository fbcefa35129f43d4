"""The report of a run whose arms are still coded: what a judge of pictures may read, and no more.

Made of chosen facts, so that nothing new in the report can tell an arm by oversight: no doses, no
pulses, no plan, no comparison and no verdict, and no well beside a code.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import TYPE_CHECKING

from labrig.report import figures
from labrig.report.amendments import amendments_shown
from labrig.report.analysis import Analysis
from labrig.report.clocks import legend_of_record
from labrig.report.maker import Maker
from labrig.report.outcome import clock
from labrig.report.standing import standing

if TYPE_CHECKING:
    import pandas as pd

TABLE = "growth_by_code.csv"


def render_blind(analysis: Analysis, codes: dict[str, str], maker: Maker) -> str:
    """The page; the same run and maker give the same text.

    Args:
        analysis: of the run.
        codes: by arm.
        maker: who makes it.
    """
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    folder = files("labrig.report").joinpath("templates")
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    template = environment.from_string(folder.joinpath("blind.html.j2").read_text("utf-8"))
    record, outcome = analysis.record, analysis.outcome
    coded = by_code(analysis.itt, codes)
    order = in_order(codes)
    growth = figures.growth_figure(coded, order, record.plan, legend_of_record(record))
    found = record.integrity
    return template.render(
        css=Markup(folder.joinpath("report.css").read_text("utf-8")),
        growth=Markup(growth) if growth else None,
        run=record.identity["id"],
        simulated=bool(record.identity["simulated"]),
        line=standing(record.commitment, bool(record.identity["pilot"])).line,
        failures=len(found.failures),
        codes=order,
        condition=outcome.condition,
        until=clock(outcome.until_s),
        length=clock(record.plan.forecast.duration_s),
        counts=[
            ("Wells", len(record.plan.wells)),
            ("Rounds of pictures", len(analysis.rounds_s)),
            ("Fields judged for quality", analysis.frames_checked),
            ("of them flagged", sum(flag.count for flag in analysis.frames_flagged)),
            ("Films of contraction", len(record.films)),
            ("of them left out", sum(flag.count for flag in analysis.films_left_out)),
            ("Outcomes named before the run", len(record.protocol.outcomes)),
            ("Deviations, late or missed", len(outcome.deviations) + len(outcome.slips)),
            ("Amendments while it ran", len(amendments_shown(record.rows))),
        ],
        maker=maker,
        table=TABLE,
    )


def by_code(units: pd.DataFrame, codes: dict[str, str]) -> pd.DataFrame:
    """The unit table with codes for arms, in units' names too, and sorted by them."""
    coded = units.assign(
        arm=units["arm"].map(codes),
        unit=[
            f"{codes[arm]} {name.removeprefix(arm).strip()}"
            for arm, name in zip(units["arm"], units["unit"], strict=True)
        ],
    )
    order = coded["arm"].map(_number) if len(coded) else coded["round"]
    return coded.assign(_code=order).sort_values(["round", "_code", "unit"]).drop(columns="_code")


def in_order(codes: Mapping[str, str]) -> list[str]:
    """The codes themselves, so that their order tells nothing of the arms."""
    return sorted(codes.values(), key=_number)


def _number(code: str) -> int:
    return int(code.rpartition("-")[2])
