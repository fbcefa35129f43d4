"""``/runs``: every run, newest first, and several of them side by side."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from labrig.launch.wanted_start import how_it_stands
from labrig.night.listing import list_runs
from labrig.run.stop_file import StopRequest, write_stop
from labrig.web.access import Technician, Viewer
from labrig.web.acts import Acts
from labrig.web.forms import fields_of
from labrig.web.hub import Hub
from labrig.web.live_runs import ShownRun, run_named
from labrig.web.pages import Shown, page, rendered
from labrig.web.run_cards import RunCard, card_of
from labrig.web.runs_compared import MOST, Compared, compared
from labrig.web.signed_start import leave_to_begin
from labrig.web.site import Site, site_of

router = APIRouter(prefix="/runs")


@router.get("")
async def runs(request: Request, person: Viewer) -> Response:
    """The screen; ``?with=NAME&with=NAME`` puts these side by side."""
    site, chosen = site_of(request), request.query_params.getlist("with")
    deeds: Acts = request.app.state.acts
    cards, unreadable, beside = await deeds.aside(lambda: _listed(site, chosen))
    hub: Hub = request.app.state.hub
    shown = Shown(site, person, None, await hub.live_now())
    return page(
        request, "runs.html.j2", shown, cards=cards, unreadable=unreadable, beside=beside,
        chosen=chosen, most=MOST,
    )  # fmt: skip


@router.post("/call-off")
async def call_off(request: Request, person: Technician) -> Response:
    """A start that waits for its time is not to come."""
    given = await fields_of(request)
    site = site_of(request)
    deeds: Acts = request.app.state.acts

    def called_off() -> str:
        run = run_named(given.get("run", ""), site.runs)
        if how_it_stands(run.folder)[0] not in ("waits", "nobody waits"):
            return "It has begun, or will not: there is nothing to call off."
        write_stop(run.folder.stop, StopRequest.now("called off before it began", person.name))
        return ""

    refused = await deeds.aside(called_off)
    return _refused(refused) if refused else Response(headers={"HX-Refresh": "true"})


@router.post("/wait")
async def wait_again(request: Request, person: Technician) -> Response:
    """A start whose waiting process is gone is waited for again."""
    given = await fields_of(request)
    site = site_of(request)
    deeds: Acts = request.app.state.acts

    def waiting() -> str:
        run = run_named(given.get("run", ""), site.runs)
        if how_it_stands(run.folder)[0] != "nobody waits":
            return "It is waited for, has begun, or will not begin."
        leave_to_begin(run.folder)
        return ""

    refused = await deeds.aside(waiting)
    return _refused(refused) if refused else Response(headers={"HX-Refresh": "true"})


def _listed(
    site: Site, chosen: list[str]
) -> tuple[tuple[RunCard, ...], tuple[str, ...], Compared | None]:
    listing = list_runs(site.runs)
    cards = tuple(card_of(run) for run in listing.runs)
    named: list[ShownRun] = [run_named(name, site.runs) for name in dict.fromkeys(chosen)]
    beside = compared([run.folder for run in named]) if len(named) > 1 else None
    return cards, listing.unreadable, beside


def _refused(text: str) -> Response:
    return HTMLResponse(
        rendered("parts/refused.html.j2", text=text, status=409),
        409,
        {"HX-Retarget": "#said", "HX-Reswap": "innerHTML"},
    )
