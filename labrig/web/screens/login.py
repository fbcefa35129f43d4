"""``/login``: from other computers; and on this one, how whoever sits here is called."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from labrig.web.access import NAME_COOKIE, Viewer, is_here, person_of
from labrig.web.acts import Acts
from labrig.web.forms import fields_of
from labrig.web.pages import rendered
from labrig.web.people import People
from labrig.web.sessions import COOKIE, LASTS_S, Guesses, Sessions
from labrig.web.site import site_of

router = APIRouter()


@router.get("/login")
async def ask(request: Request, to: str = "/") -> Response:
    """The form; whoever is known already needs none."""
    if person_of(request) is not None and not is_here(request):
        return RedirectResponse(_inside(to), 303)
    return HTMLResponse(rendered("login.html.j2", to=_inside(to), site=site_of(request)))


@router.post("/login")
async def log_in(request: Request) -> Response:
    """Begin a session, or say what is wrong; five wrong passwords a minute from one address."""
    given = await fields_of(request)
    guesses: Guesses = request.app.state.guesses
    address = request.client.host if request.client is not None else ""
    wait_s = guesses.wait_s(address)
    if wait_s > 0:
        return _wrong(f"Too many tries: wait {wait_s:.0f} s.", 429)
    people: People = request.app.state.people
    deeds: Acts = request.app.state.acts
    # Counted before it is known, so that many at once gain nothing.
    guesses.wrong(address)
    account = await deeds.aside(
        lambda: people.with_password(given.get("name", ""), given.get("password", ""))
    )
    if account is None:
        return _wrong("Nobody of that name has that password.", 403)
    guesses.right(address)
    sessions: Sessions = request.app.state.sessions
    response = Response(headers={"HX-Redirect": _inside(given.get("to", "/"))})
    response.set_cookie(
        COOKIE, sessions.begin(account), max_age=LASTS_S, httponly=True, samesite="strict",
        secure=site_of(request).secure,
    )  # fmt: skip
    return response


@router.post("/logout")
async def log_out(person: Viewer) -> Response:
    """End the session of this browser."""
    response = Response(headers={"HX-Redirect": "/login"})
    response.delete_cookie(COOKIE, samesite="strict", httponly=True)
    return response


@router.post("/me")
async def call_me(request: Request, person: Viewer) -> Response:
    """On this computer, where nobody logs in: the name that acts are to bear."""
    name = " ".join((await fields_of(request)).get("name", "").split())[:60]
    response = Response(headers={"HX-Refresh": "true"})
    if name and name.isprintable() and is_here(request):
        response.set_cookie(
            NAME_COOKIE, quote(name), max_age=LASTS_S * 365, httponly=True, samesite="strict"
        )
    else:
        response.delete_cookie(NAME_COOKIE)
    return response


def _inside(to: str) -> str:
    """An address of ours, never one elsewhere."""
    # A browser leaves out tabs and line breaks, and takes a backslash for a slash.
    plain = to.isascii() and to.isprintable() and "\\" not in to
    return to if plain and to.startswith("/") and not to.startswith("//") else "/"


def _wrong(text: str, status: int) -> Response:
    return HTMLResponse(rendered("parts/refused.html.j2", text=text, status=status), status)
