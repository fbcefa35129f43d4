"""``/run/NAME/amend``: change what is still to come of a run that is under way."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from labrig.web.access import Scientist, Viewer
from labrig.web.acts import Acts
from labrig.web.amending import NoProtocol, amend, looked_at, text_in_force
from labrig.web.forms import fields_of
from labrig.web.hub import Hub
from labrig.web.live_runs import run_named
from labrig.web.nights import legend_for
from labrig.web.pages import page, rendered
from labrig.web.screens.live import shown_run
from labrig.web.site import site_of

router = APIRouter(prefix="/run/{name}")
MOST_BYTES = 2 * 1024 * 1024
"""[P] A protocol with a sheet of 384 wells, as a form sends it, has a tenth of that."""


@router.get("/amend")
async def amend_screen(request: Request, name: str, person: Viewer) -> Response:
    """The screen, with the protocol in force to start from."""
    shown = await shown_run(request, person, name)
    assert shown.look is not None
    run, deeds = shown.look.run, _deeds(request)
    text = await deeds.aside(lambda: text_in_force(run))
    return page(request, "amend.html.j2", shown, text=text)


@router.post("/amend/look")
async def look(request: Request, name: str, person: Scientist) -> Response:
    """What a changed protocol would change; changes nothing."""
    given = await fields_of(request, MOST_BYTES)
    shown = await shown_run(request, person, name)
    assert shown.look is not None
    run = shown.look.run
    try:
        seen = await _deeds(request).aside(lambda: looked_at(run, given.get("protocol", "")))
    except NoProtocol as error:
        return HTMLResponse(rendered("parts/no_protocol.html.j2", problems=str(error)))
    return HTMLResponse(
        rendered(
            "parts/proposal.html.j2", shown=shown, seen=seen, zone=site_of(request).zone,
            legend=legend_for(shown.look, site_of(request)),
        )
    )  # fmt: skip


@router.post("/amend")
async def amend_it(request: Request, name: str, person: Scientist) -> Response:
    """Put it in force from the next boundary on."""
    given = await fields_of(request, MOST_BYTES)
    hub: Hub = request.app.state.hub
    site = site_of(request)

    def done() -> str:
        return amend(
            run_named(name, site.runs), person, given.get("protocol", ""), given.get("seen", ""),
            given.get("by", ""), given.get("reason", ""),
        )  # fmt: skip

    what = await _deeds(request).aside(done)
    hub.hurry(name)
    return HTMLResponse(rendered("parts/amended.html.j2", name=name, what=what))


def _deeds(request: Request) -> Acts:
    deeds: Acts = request.app.state.acts
    return deeds
