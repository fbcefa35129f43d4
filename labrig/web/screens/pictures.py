"""``/run/NAME/pictures``: the plate's pictures over time, one beside another where asked."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request, Response

from labrig.places import rows_and_columns
from labrig.plan.plan import Plan
from labrig.plan.sources import planned_protocol
from labrig.plan.store import read_plan
from labrig.plan.words import hours
from labrig.protocol.models import Protocol
from labrig.record.lateness import PUNCTUAL_S
from labrig.report.outcome import LATE_PICTURE_FRACTION
from labrig.run_folder import RunFolder
from labrig.web.access import Viewer
from labrig.web.hub import Hub
from labrig.web.live_runs import run_named
from labrig.web.nights import LETTERS
from labrig.web.pages import clock, page
from labrig.web.picture_desk import PictureDesk
from labrig.web.run_curves import arms_are_coded
from labrig.web.run_pictures import Asked, NoPicture, RunPictures, media_type
from labrig.web.screens.live import shown_run
from labrig.web.site import site_of
from labrig.web.taken import Moment

router = APIRouter(prefix="/run/{name}")
RUNS_AT_HAND = 8


@dataclass(frozen=True, slots=True)
class Album:
    """One run: what was planned, and its pictures."""

    plan: Plan
    protocol: Protocol
    pictures: RunPictures


class Albums:
    """The few runs that were looked at last, each by the plan that is in force."""

    def __init__(self) -> None:
        self._of = lru_cache(RUNS_AT_HAND)(_album)

    def of(self, root: Path) -> Album:
        """Of one run; raises what reading its plan and protocol raises."""
        return self._of(root, RunFolder(root).plan_in_force)


def _album(root: Path, by: Path) -> Album:
    # ``by`` is what it is remembered by: another plan has other pictures.
    folder = RunFolder(root)
    plan = read_plan(folder)
    protocol = planned_protocol(plan, folder.protocol)
    late_from_s = max(PUNCTUAL_S, LATE_PICTURE_FRACTION * protocol.imaging.interval_s)
    return Album(plan, protocol, RunPictures(folder, plan, late_from_s))


@router.get("/pictures")
async def pictures(
    request: Request,
    name: str,
    person: Viewer,
    well: str = "",
    field: int = 0,
    channel: str = "",
    round: int = -1,
) -> Response:
    """The screen; without a round the last that was taken."""
    shown = await shown_run(request, person, name)
    assert shown.look is not None
    folder, zone = shown.look.run.folder, site_of(request).zone
    hub: Hub = request.app.state.hub
    albums: Albums = request.app.state.albums
    found = await hub.aside(lambda: _screen(albums, folder, (well, field, channel, round), zone))
    return page(request, "pictures.html.j2", shown, **found)


@router.get("/pictures/rounds")
async def rounds(
    request: Request, name: str, person: Viewer, well: str, field: int, channel: str
) -> dict[str, Any]:
    """What the slider shows of one field in one channel."""
    site = site_of(request)
    desk: PictureDesk = request.app.state.pictures
    albums: Albums = request.app.state.albums

    def look() -> dict[str, Any]:
        album = albums.of(run_named(name, site.runs).folder.root).pictures
        album.taken.look()
        layout = album.layout()
        if layout is None or well not in layout.wells or not 0 <= field < layout.fields:
            raise NoPicture("There is no such field on this run's plate.")
        window = album.window(channel)
        flagged = album.flagged()
        return {
            "moments": [
                _moment_json(moment, site.zone)
                | {
                    "flagged": flagged.get((well, field, moment.round), ""),
                    "overlay": album.has_overlay(well, field, moment.round),
                }
                for moment in album.taken.moments(well, field, channel)
            ],
            "contrast": None if window is None else [round(window.low), round(window.high)],
        }

    return await desk.do(look)


@router.get("/img/{well}/{field}/{round}/{channel}")
async def picture(
    request: Request,
    name: str,
    person: Viewer,
    well: str,
    field: int,
    round: int,
    channel: str,
    w: Annotated[int, Query(ge=16, le=65536)] = 1024,
    auto: bool = False,
    overlay: bool = False,
) -> Response:
    """One picture, at most ``w`` pixels wide; asked for again, it is sent only if it changed."""
    site = site_of(request)
    albums: Albums = request.app.state.albums
    desk: PictureDesk = request.app.state.pictures
    known = request.headers.get("if-none-match")
    asked = Asked(well, field, round, channel, w, auto, overlay)

    def make() -> tuple[str, bytes]:
        album = albums.of(run_named(name, site.runs).folder.root).pictures
        album.taken.look()
        stamp = album.stamp(asked)
        tag = f'"{hashlib.sha256(repr(stamp).encode()).hexdigest()[:32]}"'
        return tag, b"" if tag == known else desk.once(stamp, lambda: album.encoded(asked))

    tag, content = await desk.do(make)
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if not content:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type(content), headers=headers)


def _screen(
    albums: Albums, folder: RunFolder, asked: tuple[str, int, str, int], zone: ZoneInfo
) -> dict[str, Any]:
    """What the template needs. Raises NoPicture where an address names what is not there."""
    well, field, channel, round_ = asked
    album = albums.of(folder.root)
    layout = album.pictures.layout()
    coded = arms_are_coded(folder, album.protocol)
    if layout is None:
        return {"layout": None, "coded": coded}
    well, channel = well or layout.wells[0], channel or layout.channels[0]
    if well not in layout.wells or channel not in layout.channels or not 0 <= field < layout.fields:
        raise NoPicture("There is no such field on this run's plate.")
    album.pictures.taken.look()
    taken = [m for m in album.pictures.taken.moments(well, field, channel) if m.taken]
    moment = next((m for m in taken if m.round == round_), taken[-1] if taken else None)
    return {
        "layout": layout,
        "coded": coded,
        "plate": _plate(album, layout.wells, coded=coded),
        "chosen": {"well": well, "field": field, "channel": channel},
        "moment": None if moment is None else _moment_json(moment, zone),
        "bar_um": scale_bar_um(layout.width_px * layout.pixel_size_um),
        "width_um": layout.width_px * layout.pixel_size_um,
    }


def scale_bar_um(width_um: float) -> float:
    """A round length below a third of the picture's width."""
    return next((bar for bar in (1000, 500, 200, 100, 50, 20, 10, 5) if bar < width_um / 3), 2)


def _plate(album: Album, wells: tuple[str, ...], *, coded: bool) -> dict[str, Any]:
    """Rows and columns of wells, each with its arm's letter; without arms while they are coded."""
    rows, columns = rows_and_columns(wells)
    arms = {} if coded else {well.well: well.arm for well in album.plan.wells}
    letters = {} if coded else dict(zip(dict.fromkeys(arms.values()), LETTERS, strict=False))

    def cell(well: str) -> dict[str, str] | None:
        if well not in wells:
            return None
        arm = arms.get(well, "")
        return {"well": well, "arm": arm, "letter": letters.get(arm, "")}

    return {
        "columns": columns,
        "rows": [{"name": row, "cells": [cell(f"{row}{c}") for c in columns]} for row in rows],
        "arms": [{"name": arm, "letter": letter} for arm, letter in letters.items()],
    }


def _moment_json(moment: Moment, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "round": moment.round,
        "taken": moment.taken,
        "late_s": round(moment.late_s),
        "film": moment.film,
        "clock": clock(moment.utc, zone, "%a %H:%M"),
        "elapsed": hours(moment.at_s),
    }
