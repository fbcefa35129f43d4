"""``/run/NAME``: the night as it stands, and the acts of the dock."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from labrig.web import acts
from labrig.web.access import Person, Stopper, Technician, Viewer
from labrig.web.acts import Acts
from labrig.web.forms import fields_of
from labrig.web.hub import Hub
from labrig.web.live_runs import ShownRun, run_named
from labrig.web.pages import Shown, page, parts_of, rendered
from labrig.web.site import site_of

router = APIRouter(prefix="/run/{name}")


def parts(shown: Shown) -> dict[str, str]:
    """Everything on it that changes."""
    return parts_of({"state": "state", "alarms": "alarms", "questions": "questions"}, shown)


async def shown_run(request: Request, person: Person, name: str) -> Shown:
    """What a screen about one run shows. Raises NoSuchRun, SeveralRuns."""
    hub: Hub = request.app.state.hub
    run = await _run(request, name)
    return Shown(site_of(request), person, await hub.look_now(run), await hub.live_now())


@router.get("")
async def night(request: Request, name: str, person: Viewer) -> Response:
    """The screen."""
    shown = await shown_run(request, person, name)
    return page(request, "live.html.j2", shown, parts(shown))


@router.post("/stop")
async def stop(request: Request, name: str, person: Stopper) -> Response:
    """One click, no question: the reason is asked for afterwards."""
    run = await _run(request, name)
    deeds: Acts = request.app.state.acts
    what = await deeds.do(lambda: acts.stop(run, person))
    return _taken(request, run, person, what)


@router.post("/hold")
async def hold(request: Request, name: str, person: Technician) -> Response:
    """No event begins, no impulse is given; perfusion goes on."""
    run = await _run(request, name)
    deeds: Acts = request.app.state.acts
    await deeds.do(lambda: acts.hold(run, person))
    return _taken(request, run, person, "HOLD taken")


@router.post("/resume")
async def resume(request: Request, name: str, person: Technician) -> Response:
    """End a hold."""
    run = await _run(request, name)
    deeds: Acts = request.app.state.acts
    await deeds.do(lambda: acts.go_on(run, person))
    return _taken(request, run, person, "GO ON taken")


@router.post("/answer")
async def answer(request: Request, name: str, person: Technician) -> Response:
    """Answer a question that stands; the first answer counts."""
    run = await _run(request, name)
    given = await fields_of(request)
    deeds: Acts = request.app.state.acts
    await deeds.do(
        lambda: acts.answer(run, person, given.get("question", ""), given.get("choice", ""))
    )
    return _taken(request, run, person, "Answer taken")


@router.post("/note")
async def note(request: Request, name: str, person: Technician) -> Response:
    """Into the journal and the report."""
    run = await _run(request, name)
    text = (await fields_of(request)).get("text", "")
    if not text:
        return HTMLResponse(
            rendered("parts/refused.html.j2", text="The note is empty.", status=400), 400
        )
    deeds: Acts = request.app.state.acts
    await deeds.do(lambda: acts.note(run, person, text))
    return _taken(request, run, person, "Note written")


async def _run(request: Request, name: str) -> ShownRun:
    """Not by way of the hub's last look: a deed is for the run that lives now."""
    deeds: Acts = request.app.state.acts
    runs = site_of(request).runs
    return await deeds.do(lambda: run_named(name, runs))


def _taken(request: Request, run: ShownRun, person: Person, what: str) -> Response:
    hub: Hub = request.app.state.hub
    hub.hurry(run.name)
    return HTMLResponse(
        rendered("parts/taken.html.j2", run=run, person=person, what=what, site=site_of(request))
    )
