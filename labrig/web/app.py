"""Puts the page together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from labrig.run.control_client import CommandRefused, NoRunner
from labrig.run.lease import LeaseHeld
from labrig.web import tabs
from labrig.web.access import Guard, NotAllowed, NotLoggedIn
from labrig.web.acts import Acts
from labrig.web.choices import NotListed
from labrig.web.hub import Hub
from labrig.web.live_runs import NoSuchRun, SeveralRuns
from labrig.web.pages import rendered
from labrig.web.people import People
from labrig.web.picture_desk import Busy, PictureDesk
from labrig.web.run_pictures import NoPicture
from labrig.web.screens import SCREENS
from labrig.web.screens.pictures import Albums
from labrig.web.screens.plots import Plots
from labrig.web.sessions import Guesses, Sessions, settle_secret
from labrig.web.site import Site
from labrig.web.tabs import PartsOfNow

STATUS = {
    NotAllowed: 403, NoSuchRun: 404, NotListed: 404, SeveralRuns: 409, NoRunner: 503,
    CommandRefused: 409, LeaseHeld: 409, NoPicture: 404, Busy: 503, OSError: 503,
}  # fmt: skip
"""Of errors that a person can mend; their message is theirs to read."""


def create_app(site: Site) -> FastAPI:
    """The page of a site; looks at nothing until somebody opens it.

    Raises:
        OSError: the page's secret cannot be read or written.
    """
    app = FastAPI(
        title="labrig", docs_url=None, redoc_url=None, openapi_url=None, lifespan=_lifespan
    )
    people = People(site.state)
    app.state.site = site
    app.state.people = people
    app.state.sessions = Sessions(people, settle_secret(site.state))
    app.state.guesses = Guesses()
    app.state.hub = Hub(site.runs)
    app.state.acts = Acts()
    app.state.parts = PartsOfNow(site, app.state.hub)
    app.state.albums = Albums()
    app.state.pictures = PictureDesk()
    app.state.plots = Plots()
    app.add_middleware(Guard, site=site)
    for module in (*SCREENS, tabs):
        app.include_router(module.router)
    static = Path(str(files("labrig.web") / "static"))
    app.mount("/static", _Static(directory=static), name="static")
    app.add_exception_handler(NotLoggedIn, _to_the_login)
    app.add_exception_handler(HTTPException, _http_error)
    for error in STATUS:
        app.add_exception_handler(error, _told)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    app.state.hub.close()
    app.state.acts.close()
    app.state.pictures.close()


class _Static(StaticFiles):
    """Kept by the browser, and asked for again only where it has changed."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


async def _to_the_login(request: Request, error: Exception) -> Response:
    where = f"/login?to={quote(request.url.path)}"
    if request.headers.get("hx-request") == "true":
        return Response(status_code=401, headers={"HX-Redirect": where})
    return RedirectResponse(where, 303)


async def _told(request: Request, error: Exception) -> Response:
    return _error(request, next(s for e, s in STATUS.items() if isinstance(error, e)), str(error))


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _error(request, error.status_code, str(error.detail))


def _error(request: Request, status: int, text: str) -> Response:
    """As a part for the page's own script, as a page of its own for a browser."""
    part = request.headers.get("hx-request") == "true"
    template = "parts/refused.html.j2" if part else "error.html.j2"
    # Whatever was to be changed stays as it is: what was refused is said beside the dock.
    headers = {"HX-Retarget": "#said", "HX-Reswap": "innerHTML"} if part else {}
    return Response(
        rendered(template, text=text, status=status), status, headers, media_type="text/html"
    )
