"""``/launch``: from a protocol and a bench to a run, in six steps.

Every address says what was chosen; what was ticked and typed lies in the draft on the disk. Each
post gives the step anew, so that the page shows what the server judges by.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Lock

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from labrig.launch.examining import Answer
from labrig.launch.prepare import StartRefused
from labrig.plan.arm_texts import arm_texts
from labrig.plan.sources import planned_protocol
from labrig.problems import FileProblems
from labrig.watch.routes import RoutesExposed, load_routes
from labrig.watch.trials import reason_to_doubt
from labrig.web.access import Person, Scientist, Technician, Viewer
from labrig.web.acts import Acts
from labrig.web.bench_asking import answers_of
from labrig.web.bench_table import BenchRow, bench_rows
from labrig.web.choices import Chosen, bench_choices, places_of, protocol_choices
from labrig.web.forms import fields_of, form_of
from labrig.web.hub import Hub
from labrig.web.launch_draft import Answered, Draft, Drafts
from labrig.web.launch_steps import STEPS, due, first_hour, plate_map, seen_id
from labrig.web.launching import Launch, about, considered, rehearse, start
from labrig.web.pages import Shown, page, rendered
from labrig.web.site import Site, site_of

router = APIRouter(prefix="/launch")
SPEEDS = {"": "as the clock goes", "60": "60 times as fast", "inf": "as fast as it can"}
"""Of a simulated run."""
LEAST_REASON = 10
_starting = Lock()
"""What was signed is started once, however many press Start."""
"""Letters, as a protocol's own overrides have."""


@router.get("")
async def launch(request: Request, person: Viewer) -> Response:
    """The screen, at one of its steps."""
    chosen = Chosen.of(dict(request.query_params), len(STEPS))
    site = site_of(request)
    part = await _aside(request, lambda: _part(site, person, chosen))
    hub: Hub = request.app.state.hub
    shown = Shown(site, person, None, await hub.live_now())
    return page(request, "launch.html.j2", shown, {"launch": part})


@router.post("/ask")
async def ask(request: Request, person: Technician) -> Response:
    """Ask every instrument of the bench who it is, unless a run has it."""
    chosen = Chosen.of(await fields_of(request), len(STEPS))
    site = site_of(request)

    def asked() -> str:
        answers = answers_of(site, chosen.bench_of(site))
        return _part(site, person, chosen, answers)

    return HTMLResponse(await _aside(request, asked))


@router.post("/tick")
async def tick(request: Request, person: Technician) -> Response:
    """Ticks and lots of one step, as its form has them."""
    form = await form_of(request)
    ticked = set(form.get("ticked", ()))
    lines = {line: line in ticked for line in form.get("line", ())}
    lots = {
        name.removeprefix("lot:"): values[-1].strip()[:80]
        for name, values in form.items()
        if name.startswith("lot:")
    }

    def change(draft: Draft) -> None:
        draft.settle(lines, person.name, datetime.now(UTC))
        draft.lots.update(lots)

    return await _changed(request, person, _last(form), change)


@router.post("/answer")
async def answer_for(request: Request, person: Scientist) -> Response:
    """Take responsibility for a finding that blocks; an empty reason takes it back."""
    given = await fields_of(request)
    code, reason = given.get("code", ""), given.get("reason", "")
    if 0 < len(reason) < LEAST_REASON:
        return _refused(f"Write why it is right here, in {LEAST_REASON} letters or more.", 400)

    def change(draft: Draft) -> None:
        draft.answered.pop(code, None)
        if reason:
            now = datetime.now(UTC).isoformat(timespec="seconds")
            draft.answered[code] = Answered(person.name, reason[:500], now)

    return await _changed(request, person, given, change)


@router.post("/sign")
async def sign(request: Request, person: Technician) -> Response:
    """Who signs, and when it is to begin."""
    form = await form_of(request)
    given = _last(form)

    def change(draft: Draft) -> None:
        names = [" ".join(name.split())[:60] for name in form.get("name", ())]
        draft.names = tuple(name for name in names if name)[:2]
        draft.at = given.get("at", "")[:8]
        draft.speed = given["speed"] if given.get("speed") in SPEEDS else ""

    return await _changed(request, person, given, change)


@router.post("/rehearse")
async def rehearse_first(request: Request, person: Technician) -> Response:
    """The whole run on simulators, without pictures, in seconds."""
    chosen = Chosen.of(await fields_of(request), len(STEPS))
    site, now = site_of(request), datetime.now(UTC)

    def begin() -> str:
        folder = rehearse(site, _considered(site, chosen, now), person.name, now)
        return f"/run/{folder.root.name}"

    return await _begun(request, begin)


@router.post("/start")
async def start_it(request: Request, person: Technician) -> Response:
    """Start what was signed; everything is judged again here."""
    chosen = Chosen.of(await fields_of(request), len(STEPS))
    site, now = site_of(request), datetime.now(UTC)

    def begin() -> str:
        with _starting:
            found = _considered(site, chosen, now)
            folder = start(site, found, now)
            Drafts(site.runs).drop(about(found.protocol, found.bench, simulate=chosen.simulate))
        return "/runs" if found.draft.at else f"/run/{folder.root.name}"

    return await _begun(request, begin)


async def _begun(request: Request, begin: Callable[[], str]) -> Response:
    """Begin it and go to it, or say why not."""
    try:
        where = await _aside(request, begin)
    except (StartRefused, FileProblems, ValueError) as error:
        return _refused(str(error), 409)
    return Response(headers={"HX-Redirect": where})


async def _changed(
    request: Request, person: Person, given: dict[str, str], change: Callable[[Draft], None]
) -> Response:
    """Change the draft, and give the step anew."""
    chosen = Chosen.of(given, len(STEPS))
    site = site_of(request)

    def changed() -> str:
        protocol, bench = chosen.protocol_of(site), chosen.bench_of(site)
        with Drafts(site.runs).changing(about(protocol, bench, simulate=chosen.simulate)) as draft:
            change(draft)
        return _part(site, person, chosen)

    return HTMLResponse(await _aside(request, changed))


def _considered(site: Site, chosen: Chosen, now: datetime) -> Launch:
    protocol, bench = chosen.protocol_of(site), chosen.bench_of(site)
    draft = Drafts(site.runs).read(about(protocol, bench, simulate=chosen.simulate))
    return considered(site, protocol, bench, draft, now, simulate=chosen.simulate)


def _part(site: Site, person: Person, chosen: Chosen, answers: tuple[Answer, ...] = ()) -> str:
    """All that changes on the screen."""
    now, places = datetime.now(UTC), places_of(site)
    found = _considered(site, chosen, now) if chosen.protocol and chosen.bench else None
    step = chosen.step if found is not None else min(chosen.step, 2 if chosen.protocol else 1)
    last = step == len(STEPS)
    context: dict[str, object] = {"starts": None, "ends": None, "hour": ()}
    if found is not None and found.plan is not None:
        try:
            starts = due(found.draft.at, now, site.zone)
        except ValueError:
            starts = now  # step 5 says that it is no time of day
        context = {
            "starts": starts,
            "ends": starts + timedelta(seconds=found.plan.forecast.duration_s),
            "hour": first_hour(found.plan, starts) if last and not found.blind else (),
        }
    rows: tuple[BenchRow, ...] = ()
    if found is not None and found.rig is not None:
        rows = bench_rows(found.rig, now.astimezone(site.zone).date())
    plate, given = None, dict[str, str]()
    if found is not None and found.plan is not None and not found.blind:
        plate = plate_map(found.plan)
        given = arm_texts(planned_protocol(found.plan, found.protocol.path))
    return rendered(
        "parts/launch.html.j2",
        site=site, zone=site.zone, person=person, chosen=chosen, step=step, steps=STEPS,
        launch=found, now=now, standing={} if found is None else found.draft.standing(now),
        protocols=protocol_choices(places), benches=bench_choices(places),
        answers={answer.instrument: answer for answer in answers}, rows=rows,
        seen_id=seen_id, speeds=SPEEDS, plate=plate, given=given,
        **(_voice(now) if last else {}), **context,
    )  # fmt: skip


def _voice(now: datetime) -> dict[str, object]:
    """Who is called, or why perhaps nobody is."""
    try:
        routes = load_routes()
    except (FileProblems, RoutesExposed) as error:
        return {"doubt": str(error), "called": []}
    return {"doubt": reason_to_doubt(routes, now), "called": [r.name for r in routes.routes]}


async def _aside(request: Request, deed: Callable[[], str]) -> str:
    """In a thread of those that may take long."""
    deeds: Acts = request.app.state.acts
    return await deeds.aside(deed)


def _last(form: dict[str, list[str]]) -> dict[str, str]:
    return {name: values[-1].strip() for name, values in form.items()}


def _refused(text: str, status: int) -> Response:
    """Said beside the dock; the step stays as it is."""
    return HTMLResponse(
        rendered("parts/refused.html.j2", text=text, status=status),
        status,
        {"HX-Retarget": "#said", "HX-Reswap": "innerHTML"},
    )
