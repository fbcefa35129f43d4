"""``/run/NAME``: the night as it stands."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from labrig.display.questions import question_words
from labrig.display.upcoming import needs_people, waiting_words
from labrig.record.alarms import Question
from labrig.web import standing
from labrig.web.access import Person, Viewer
from labrig.web.glance import last_pictures, last_rates
from labrig.web.hub import Hub
from labrig.web.live_runs import run_named
from labrig.web.nights import legend_for, night_of
from labrig.web.pages import Shown, page, parts_of
from labrig.web.plate import plate_rows
from labrig.web.site import site_of

router = APIRouter(prefix="/run/{name}")
PARTS = {
    "state": "state",
    "alarms": "alarms",
    "questions": "questions",
    "plate": "plate",
    "next": "next",
    "supplies": "supplies",
    "by_hand": "by_hand",
    "endings": "endings",
    "air": "air",
}


def parts(shown: Shown) -> dict[str, str]:
    """Everything on it that changes."""
    look = shown.look
    assert look is not None, "this screen is about a run"
    night = night_of(look.run.folder)
    legend = legend_for(look, shown.site)
    pictures = last_pictures(look.run.folder.journal)
    status = look.status
    return parts_of(
        PARTS,
        shown,
        alarms=standing.alarms(look, legend),
        questions=[
            (question["since_s"], question_words(Question(**question), legend))
            for question in status.get("questions", ())
        ],
        rows=[] if night is None else plate_rows(look, night, legend, pictures),
        arms={} if night is None else night.arms,
        phases=() if night is None else night.plan.phases,
        counted=standing.counted_of(look),
        turning=last_rates(look.run.folder.journal) if look.dead else (),
        by_hand=() if night is None or look.ended else standing.by_hand(night),
        waiting=""
        if not status.get("at_boundary") or not look.lives
        else waiting_words(status["at_boundary"], legend),
        medium_stands=night is not None and night.plan.rules.medium_at_abort == "off",
        events=[] if night is None else standing.next_events(look, night, legend),
        needs=""
        if look.now_s is None or look.ended
        else needs_people(legend, look.now_s, look.status.get("supplies")),
        reservoirs=standing.soon_empty(look, legend),
        supplies=() if look.ended else standing.fillable(look),
        air=standing.air(look, night),
        instruments=standing.instruments(look),
        last_picture=next(iter(pictures.values()), None),
        hung=[thread for thread in status.get("threads", ()) if not thread["alive"]],
        why=[*look.outcome.get("failures", ()), *look.outcome.get("shortfalls", ())],
        unsafe=look.outcome.get("unsafe", ()),
        complete=look.run.folder.complete.exists(),
    )


async def shown_run(request: Request, person: Person, name: str) -> Shown:
    """What a screen about one run shows. Raises NoSuchRun, SeveralRuns."""
    hub: Hub = request.app.state.hub
    runs = site_of(request).runs
    run = await hub.aside(lambda: run_named(name, runs))
    return Shown(site_of(request), person, await hub.look_now(run), await hub.live_now())


@router.get("")
async def night_screen(request: Request, name: str, person: Viewer) -> Response:
    """The screen."""
    shown = await shown_run(request, person, name)
    hub: Hub = request.app.state.hub
    return page(request, "live.html.j2", shown, await hub.aside(lambda: parts(shown)))
