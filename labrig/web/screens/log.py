"""``/run/NAME/log``: what happened, in sentences."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from labrig.record.rows import JournalError
from labrig.web.access import Person, Viewer
from labrig.web.hub import Hub
from labrig.web.log_lines import KINDS, LogLine, Wanted, log_lines, people_of
from labrig.web.nights import legend_for, night_of
from labrig.web.pages import Shown, page, rendered
from labrig.web.screens.live import shown_run

router = APIRouter(prefix="/run/{name}")


@router.get("/log")
async def log(
    request: Request, name: str, person: Viewer, kind: str = "", well: str = "", by: str = "",
    text: str = "",
) -> Response:  # fmt: skip
    """The screen."""
    shown, lines, problem = await _lines(request, person, name)
    wanted = Wanted(kind, well, by, text)
    night = None if shown.look is None else night_of(shown.look.run.folder)
    return page(
        request,
        "log.html.j2",
        shown,
        lines=[line for line in lines if line in wanted],
        problem=problem,
        kinds=KINDS,
        wells=() if night is None else tuple(night.wells),
        people=people_of(lines),
        wanted=wanted,
    )


@router.get("/log/lines")
async def only_lines(
    request: Request, name: str, person: Viewer, kind: str = "", well: str = "", by: str = "",
    text: str = "",
) -> Response:  # fmt: skip
    """Its lines alone, for a filter that changed and for what came since."""
    shown, lines, problem = await _lines(request, person, name)
    wanted = Wanted(kind, well, by, text)
    return HTMLResponse(
        rendered(
            "parts/log_lines.html.j2",
            shown=shown,
            zone=shown.site.zone,
            lines=[line for line in lines if line in wanted],
            problem=problem,
        )
    )


async def _lines(request: Request, person: Person, name: str) -> tuple[Shown, list[LogLine], str]:
    """What the tab shows, every line, and why there are none."""
    shown = await shown_run(request, person, name)
    hub: Hub = request.app.state.hub
    look = shown.look
    assert look is not None, "this screen is about a run"

    def read() -> list[LogLine]:
        return log_lines(look.run.folder.journal, legend_for(look, shown.site))

    try:
        return shown, await hub.aside(read), ""
    except JournalError as error:
        return shown, [], str(error)
