"""``/run/NAME/well/B3``: all about one well, for the drawer of the live night."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import HTMLResponse

from labrig.record.rows import JournalError
from labrig.web.access import Viewer
from labrig.web.curves import curve_drawings
from labrig.web.glance import last_pictures
from labrig.web.hub import Hub
from labrig.web.log_lines import log_lines
from labrig.web.nights import legend_for, night_of
from labrig.web.pages import Shown, rendered
from labrig.web.plate import plate_rows
from labrig.web.screens.live import shown_run

router = APIRouter(prefix="/run/{name}")
EVENTS = 12


@router.get("/well/{well}")
async def well_drawer(request: Request, name: str, well: str, person: Viewer) -> Response:
    """The drawer's contents."""
    shown = await shown_run(request, person, name)
    hub: Hub = request.app.state.hub
    return HTMLResponse(await hub.aside(lambda: _drawer(shown, well)))


def _drawer(shown: Shown, well: str) -> str:
    look = shown.look
    assert look is not None, "this screen is about a run"
    night = night_of(look.run.folder)
    planned = None if night is None else night.wells.get(well)
    if night is None or planned is None:
        raise HTTPException(404, f"{look.run.name} has no well {well}")
    legend = legend_for(look, shown.site)
    pictures = last_pictures(look.run.folder.journal)
    cells = [cell for _, row in plate_rows(look, night, legend, pictures) for cell in row]
    try:
        lines = log_lines(look.run.folder.journal, legend)
    except JournalError:
        lines = []
    return rendered(
        "parts/well.html.j2",
        shown=shown,
        zone=shown.site.zone,
        well=planned,
        cell=next(cell for cell in cells if cell.well == well),
        arm=legend.arms.get(well, ""),
        letter=night.arms.get(legend.arms.get(well, ""), ""),
        inlets=next((c.inlets for c in night.plan.chambers if c.well == well), ()),
        blind=legend.blind,
        picture=pictures.get(well),
        curves=curve_drawings(
            night.plan.forecast.curves, night.plan.factors, well, look, blind=legend.blind
        ),
        lines=[line for line in lines if well in line.wells][:EVENTS],
    )
