"""What the live night sends: stop, hold, abort, go on, answer, sign, note, take over.

The answer to the click says that it was taken; the tab's socket shows what came of it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from labrig.web import acts
from labrig.web.access import Person, Stopper, Technician
from labrig.web.acts import Acts
from labrig.web.forms import fields_of
from labrig.web.hub import Hub
from labrig.web.live_runs import ShownRun, run_named
from labrig.web.pages import rendered
from labrig.web.site import site_of

router = APIRouter(prefix="/run/{name}")


@router.post("/stop")
async def stop(request: Request, name: str, person: Stopper) -> Response:
    """One click, no question: the reason is asked for afterwards."""
    return await _do(request, name, person, lambda run: acts.stop(run, person), why="stop")


@router.post("/take-back")
async def take_back(request: Request, name: str, person: Technician) -> Response:
    """Undo a stop, while its run has not ended."""
    return await _do(request, name, person, lambda run: acts.take_back(run, person))


@router.post("/hold")
async def hold(request: Request, name: str, person: Technician) -> Response:
    """No event begins, no impulse is given; perfusion goes on."""
    return await _do(request, name, person, lambda run: acts.hold(run, person), why="hold")


@router.post("/at-boundary")
async def at_boundary(request: Request, name: str, person: Technician) -> Response:
    """A hold or a stop once nothing is in progress, or the withdrawal of one that waits."""
    given = await fields_of(request)
    what, reason = given.get("choice", ""), given.get("reason", "")
    return await _do(request, name, person, lambda run: acts.at_boundary(run, person, what, reason))


@router.post("/abort")
async def abort(request: Request, name: str, person: Technician) -> Response:
    """Everything into its safe state, at once and for good."""
    given = await fields_of(request)
    reason, sure = given.get("reason", ""), given.get("sure") == "yes"
    return await _do(request, name, person, lambda run: acts.abort(run, person, reason, sure=sure))


@router.post("/resume")
async def resume(request: Request, name: str, person: Technician) -> Response:
    """End a hold."""
    return await _do(request, name, person, lambda run: acts.go_on(run, person))


@router.post("/answer")
async def answer(request: Request, name: str, person: Technician) -> Response:
    """Answer a question that stands; the first answer counts."""
    given = await fields_of(request)
    question, choice = given.get("question", ""), given.get("choice", "")
    return await _do(request, name, person, lambda run: acts.answer(run, person, question, choice))


@router.post("/step")
async def step(request: Request, name: str, person: Technician) -> Response:
    """A step of people begins, was done, or is refused: signed."""
    given = await fields_of(request)
    key, act = given.get("question", ""), given.get("choice", "")
    return await _do(request, name, person, lambda run: acts.sign(run, person, key, act, given))


@router.post("/refill")
async def refill(request: Request, name: str, person: Technician) -> Response:
    """A bottle is filled up, a syringe changed or the waste emptied: signed."""
    given = await fields_of(request)
    return await _do(request, name, person, lambda run: acts.refill(run, person, given))


@router.post("/reading")
async def reading(request: Request, name: str, person: Technician) -> Response:
    """What somebody measured by hand."""
    given = await fields_of(request)
    return await _do(request, name, person, lambda run: acts.reading(run, person, given))


@router.post("/note")
async def note(request: Request, name: str, person: Technician) -> Response:
    """Into the journal and the report."""
    given = await fields_of(request)
    text = acts.note_text(given.get("text", ""), given.get("wells", ""), given.get("when", ""))
    return await _do(request, name, person, lambda run: acts.note(run, person, text))


@router.post("/looking")
async def looking(request: Request, name: str, person: Technician) -> Response:
    """Somebody sees to an alarm."""
    given = await fields_of(request)
    about, title = given.get("about", ""), given.get("title", "")
    return await _do(request, name, person, lambda run: acts.looking(run, person, about, title))


@router.post("/take-over")
async def take_over(request: Request, name: str, person: Technician) -> Response:
    """Go on with a run whose runner is dead."""
    return await _do(request, name, person, lambda run: acts.take_over(run, person))


async def _do(
    request: Request, name: str, person: Person, deed: Callable[[ShownRun], str], why: str = ""
) -> Response:
    """Carry out a deed on the run that lives now, not on the one that a look saw.

    ``why``: of what the reason is asked afterwards; empty: of nothing.
    """
    hub: Hub = request.app.state.hub
    deeds: Acts = request.app.state.acts
    site = site_of(request)

    def done() -> tuple[ShownRun, str]:
        run = run_named(name, site.runs)
        return run, deed(run)

    run, what = await deeds.do(done)
    hub.hurry(run.name)
    return HTMLResponse(
        rendered(
            "parts/taken.html.j2", run=run, person=person, what=what, why=why, zone=site.zone,
            at=datetime.now(UTC),
        )
    )  # fmt: skip
