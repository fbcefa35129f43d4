"""``/setup``: who may do what, who is called and how, and drills."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import ValidationError

from labrig.catalogue import DEMO_PROTOCOL, DEMO_RIG
from labrig.launch.drills import SPEED, Drill, faults_on_rig
from labrig.launch.prepare import StartRefused
from labrig.launch.scripted_faults import NoSuchFault
from labrig.problems import FileProblems
from labrig.watch.routes import QuietHours, Route, Routes, RoutesExposed, load_routes, save_routes
from labrig.watch.sending import HOW_TO_WRITE, fault_of_url, shown
from labrig.watch.trials import last_trial, reason_to_doubt, try_out
from labrig.web.access import Person, Scientist, Technician, Viewer
from labrig.web.acts import Acts
from labrig.web.choices import Chosen, bench_choices, places_of, protocol_choices
from labrig.web.forms import fields_of
from labrig.web.hub import Hub
from labrig.web.launching import begin_drill
from labrig.web.pages import Shown, page, rendered
from labrig.web.people import MAY, ROLES, BadPerson, People
from labrig.web.site import Site, site_of

router = APIRouter(prefix="/setup")


@router.get("")
async def setup(request: Request, person: Viewer) -> Response:
    """The screen."""
    deeds: Acts = request.app.state.acts
    chosen = Chosen.of(dict(request.query_params), 1)
    part = await deeds.aside(lambda: _part(request, person, chosen))
    hub: Hub = request.app.state.hub
    shown_ = Shown(site_of(request), person, None, await hub.live_now())
    return page(request, "setup.html.j2", shown_, {"setup": part})


@router.post("/person")
async def keep_person(request: Request, person: Scientist) -> Response:
    """Add somebody, or change a role or a password."""
    given = await fields_of(request)
    people: People = request.app.state.people

    def keep() -> str:
        people.keep(given.get("name", ""), given.get("role", ""), given.get("password", ""))
        return f"{given.get('name', '')} is {given.get('role', '')}."

    return await _done(request, person, keep)


@router.post("/person/remove")
async def remove_person(request: Request, person: Scientist) -> Response:
    """Take somebody out; their sessions end."""
    name = (await fields_of(request)).get("name", "")
    people: People = request.app.state.people

    def remove() -> str:
        people.remove(name)
        return f"{name} cannot log in any more."

    return await _done(request, person, remove)


@router.post("/route")
async def keep_route(request: Request, person: Scientist) -> Response:
    """Add a way to reach somebody, or change the one of that name."""
    given = await fields_of(request)

    def keep() -> str:
        if fault := fault_of_url(given.get("url", "")):
            raise HTTPException(400, f"{fault}. {HOW_TO_WRITE}")
        minutes = given.get("after_min", "") or "0"
        route = Route.model_validate(
            {
                "name": given.get("name", ""), "url": given.get("url", ""),
                "takes": given.get("takes", ""), "after_min": minutes,
            }
        )  # fmt: skip
        before = load_routes()
        others = tuple(each for each in before.routes if each.name != route.name)
        save_routes(before.model_copy(update={"routes": (*others, route)}))
        return f"{route.name} is kept. Send a test by it now."

    return await _done(request, person, keep)


@router.post("/route/remove")
async def remove_route(request: Request, person: Scientist) -> Response:
    """Nobody is reached by it any more."""
    name = (await fields_of(request)).get("name", "")

    def remove() -> str:
        before = load_routes()
        left = tuple(each for each in before.routes if each.name != name)
        save_routes(before.model_copy(update={"routes": left}))
        return f"Nobody is told by {name} any more."

    return await _done(request, person, remove)


@router.post("/route/test")
async def test_route(request: Request, person: Technician) -> Response:
    """Send a message by it now."""
    name = (await fields_of(request)).get("name", "")

    def test() -> str:
        route = load_routes().named(name)
        if route is None:
            raise HTTPException(404, f"there is no route {name!r}")
        trial = try_out(route)
        if trial.failure:
            raise HTTPException(409, f"nothing went out by {name}: {trial.failure}")
        return f"A test went out by {name}. Whether it arrived, only its reader can say."

    return await _done(request, person, test)


@router.post("/quiet")
async def quiet(request: Request, person: Scientist) -> Response:
    """When only calls are sent; and whether a good end is told as well."""
    given = await fields_of(request)

    def keep() -> str:
        hours = None
        if given.get("from") or given.get("to"):
            hours = QuietHours.model_validate({"from": given.get("from"), "to": given.get("to")})
        changes = {"quiet_hours": hours, "closing": given.get("closing") == "1"}
        save_routes(load_routes().model_copy(update=changes))
        return "Kept."

    return await _done(request, person, keep)


@router.post("/drill")
async def start_drill(request: Request, person: Technician) -> Response:
    """A simulated night with a fault, to practise with this very page."""
    given = await fields_of(request)
    chosen, site = Chosen.of(given, 1), site_of(request)
    instrument, _, fault = given.get("what", "").partition(":")
    after_h = _number(given.get("after_h", ""))
    if after_h is None:
        return _refused("Write after how many hours of the night it happens, as a number.")
    deeds: Acts = request.app.state.acts

    def begin() -> str:
        protocol, bench = chosen.protocol_of(site), chosen.bench_of(site)
        wanted = Drill(fault, instrument, after_h * 3600.0)
        now = datetime.now(UTC)
        return begin_drill(site, protocol, bench, wanted, person.name, now).root.name

    try:
        name = await deeds.aside(begin)
    except (NoSuchFault, StartRefused, FileProblems) as error:
        return _refused(str(error))
    return Response(headers={"HX-Redirect": f"/run/{name}"})


async def _done(request: Request, person: Person, deed: Callable[[], str]) -> Response:
    """Do it, and give the screen anew; or say why not."""
    deeds: Acts = request.app.state.acts

    def do() -> str:
        told = deed()
        return _part(request, person, Chosen(), told)

    try:
        return HTMLResponse(await deeds.aside(do))
    except (BadPerson, FileProblems, RoutesExposed) as error:
        return _refused(str(error))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return _refused(f"{where}: {first['msg']}")


def _part(request: Request, person: Person, chosen: Chosen, told: str = "") -> str:
    """All of the screen."""
    site, people = site_of(request), request.app.state.people
    problem, routes = "", Routes()
    try:
        routes = load_routes()
    except (FileProblems, RoutesExposed) as error:
        problem = str(error)
    now = datetime.now(UTC)
    bench = chosen.bench or f"catalogue/{DEMO_RIG}"
    return rendered(
        "parts/setup.html.j2", site=site, zone=site.zone, person=person, told=told,
        people=people.all().values(), roles=ROLES, may=MAY, routes=routes, problem=problem,
        shown_url=shown, trials={route.name: last_trial(route) for route in routes.routes},
        doubt="" if problem else reason_to_doubt(routes, now),
        protocols=protocol_choices(places_of(site)), benches=bench_choices(places_of(site)),
        bench=bench, protocol=chosen.protocol or f"catalogue/{DEMO_PROTOCOL}",
        faults=_faults(bench, site), speed=SPEED,
    )  # fmt: skip


def _faults(bench: str, site: Site) -> dict[str, str]:
    """What a bench's simulators can play: ``INSTRUMENT:FAULT``, and what that is."""
    choice = next((c for c in bench_choices(places_of(site)) if c.id == bench), None)
    if choice is None or choice.problems:
        return {}
    return {
        f"{name}:{fault}": kind.what
        for name, faults in faults_on_rig(choice.path).items()
        for fault, kind in faults.items()
    }


def _number(text: str) -> float | None:
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        return None
    return number if 0 <= number <= 1000 else None


def _refused(text: str) -> Response:
    return HTMLResponse(
        rendered("parts/refused.html.j2", text=text, status=409),
        409,
        {"HX-Retarget": "#said", "HX-Reswap": "innerHTML"},
    )
