"""``/run/NAME/plots``: dose, incubator, growth, contraction and lateness over one time axis."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import json
import math
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, HTTPException, Query, Request, Response

from labrig.plan.words import hours
from labrig.run_folder import RunFolder
from labrig.web.access import Viewer
from labrig.web.live_runs import run_named
from labrig.web.pages import clock, page
from labrig.web.panels import Panel, thinned, within
from labrig.web.run_curves import Curves, read_curves
from labrig.web.screens.live import shown_run
from labrig.web.seldom import Seldom
from labrig.web.site import site_of

router = APIRouter(prefix="/run/{name}")
RUNS_AT_HAND = 4
ROWS_OF_A_TABLE = 13


class Plots:
    """Curves of the few runs that were looked at last."""

    def __init__(self) -> None:
        self._of = lru_cache(RUNS_AT_HAND)(_curves)

    async def of(self, root: Path) -> Curves:
        """The curves of a run; while it lives, as old as :class:`Seldom` lets them grow."""
        # Made here and not in the thread, so that two tabs never begin twice.
        curves = self._of(root)
        return await asyncio.to_thread(curves.get)


def _curves(root: Path) -> Seldom[Curves]:
    folder = RunFolder(root)
    return Seldom(lambda: read_curves(folder), lambda: _stamp(folder))


def _stamp(folder: RunFolder) -> tuple[object, ...]:
    """Changes with whatever curves are made of."""
    wal = folder.journal.with_name(folder.journal.name + "-wal")
    made_of = (folder.journal, wal, folder.measures / "records", folder.measures / "fields.csv")
    return tuple(
        (path.stat().st_mtime_ns, path.stat().st_size) if path.exists() else None
        for path in made_of
    )


@router.get("/plots")
async def plots(request: Request, name: str, person: Viewer) -> Response:
    """The screen, with each plot as a table too."""
    shown = await shown_run(request, person, name)
    assert shown.look is not None
    found: Plots = request.app.state.plots
    curves = await found.of(shown.look.run.folder.root)
    zone = site_of(request).zone
    panels = [
        {"panel": panel, "rows": _rows(thinned(panel, ROWS_OF_A_TABLE), curves, zone)}
        for panel in curves.panels
    ]
    seen = _clock(curves, curves.until_s / 3600.0, zone)
    return page(request, "plots.html.j2", shown, curves=curves, panels=panels, seen=seen)


@router.get("/plots.json")
async def data(request: Request, name: str, person: Viewer) -> Response:
    """All panels, for the page's script; asked for again, they are sent only if they changed."""
    curves = await _of(request, name)
    panels = [asdict(panel) for panel in curves.panels]
    content = json.dumps(
        {
            "started_utc": curves.started_utc,
            "zone": str(site_of(request).zone),
            "until_h": curves.until_s / 3600.0,
            "duration_h": curves.duration_s / 3600.0,
            "arms": curves.arms,
            "seen": _clock(curves, curves.until_s / 3600.0, site_of(request).zone),
            "panels": panels,
        },
        allow_nan=False,
    ).encode()
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type="application/json", headers=headers)


@router.get("/plots/{key}.csv")
async def table(
    request: Request,
    name: str,
    person: Viewer,
    key: str,
    from_h: Annotated[float, Query(allow_inf_nan=False)] = 0.0,
    to_h: Annotated[float, Query(allow_inf_nan=False)] = 1e9,
) -> Response:
    """One panel between two times, as it is seen; with a mark by which Excel knows UTF-8."""
    curves = await _of(request, name)
    panel = curves.panel(key)
    if panel is None:
        raise HTTPException(404, f"no plot of this run is called {key}")
    text = io.StringIO()
    writer = csv.writer(text)
    zone = site_of(request).zone
    writer.writerow(["hours", f"clock ({zone})", *_headings(panel)])
    for at_h, *values in _points(within(panel, from_h, to_h)):
        writer.writerow([f"{at_h:.4f}", _clock(curves, at_h, zone, "%Y-%m-%d %H:%M:%S"), *values])
    headers = {"Content-Disposition": f'attachment; filename="{key}.csv"'}
    return Response(text.getvalue().encode("utf-8-sig"), media_type="text/csv", headers=headers)


async def _of(request: Request, name: str) -> Curves:
    found: Plots = request.app.state.plots
    runs = site_of(request).runs
    run = await asyncio.to_thread(run_named, name, runs)
    return await found.of(run.folder.root)


def _headings(panel: Panel) -> list[str]:
    names = []
    for line in panel.lines:
        named = f"{line.name} ({panel.unit})"
        names += [named, *([f"{named}, lowest", f"{named}, highest"] if line.low else [])]
    return names


def _points(panel: Panel) -> list[tuple[Any, ...]]:
    """By point in time: hours, and the cells under :func:`_headings`."""
    columns: list[tuple[float | None, ...]] = []
    for line in panel.lines:
        columns += [line.values, *([line.low, line.high] if line.low else [])]
    cells = [["" if v is None else f"{v:.6g}" for v in column] for column in columns]
    return list(zip(panel.hours, *cells, strict=True))


def _rows(panel: Panel, curves: Curves, zone: ZoneInfo) -> list[dict[str, Any]]:
    """Of a table to read: the lines alone, without their bands."""
    return [
        {
            "clock": _clock(curves, at_h, zone),
            "elapsed": hours(at_h * 3600.0),
            "values": [_short(line.values[place]) for line in panel.lines],
        }
        for place, at_h in enumerate(panel.hours)
    ]


def _short(value: float | None) -> str:
    return "–" if value is None or math.isnan(value) else f"{value:.3g}"


def _clock(curves: Curves, at_h: float, zone: ZoneInfo, form: str = "%a %H:%M") -> str:
    if not curves.started_utc:
        return ""
    return clock(datetime.fromisoformat(curves.started_utc) + timedelta(hours=at_h), zone, form)
