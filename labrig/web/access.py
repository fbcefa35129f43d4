"""Who asks, what they may, and which requests no page of ours would send.

Every route depends on one of :func:`viewer`, :func:`technician`, :func:`scientist`. That a request
comes from our own page is seen for all of them by :class:`Guard`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import unquote, urlsplit

from fastapi import Depends
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from labrig.login_name import login_name
from labrig.web.people import ROLES, Role
from labrig.web.sessions import COOKIE, Sessions
from labrig.web.site import Site

NAME_COOKIE = "labrig_name"
"""On this computer, where nobody logs in: how whoever sits here wants to be called."""
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_PASSED_ON = ("x-forwarded-for", "forwarded", "via", "x-real-ip")
"""A header that only a proxy sets: what it passes on comes from anywhere."""
_SAFE = frozenset({"GET", "HEAD"})
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Of every answer that does not say otherwise itself."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks.

    Attributes:
        here: at this computer itself; what is done here bears the name of whoever sits here.
    """

    name: str
    role: Role
    here: bool

    def may(self, needed: Role) -> bool:
        """Whether they may do what needs this role."""
        return ROLES.index(self.role) >= ROLES.index(needed)

    @property
    def may_stop(self) -> bool:
        """A stop is open to everybody at the bench's own computer."""
        return self.here or self.may("technician")


class NotLoggedIn(Exception):
    """Nobody knows who asks: they are sent to the login."""


class NotAllowed(Exception):
    """Their role does not suffice; the message says which would."""


def person_of(connection: HTTPConnection) -> Person | None:
    """Who asks; None: they have to log in."""
    sessions: Sessions = connection.app.state.sessions
    account = sessions.account(connection.cookies.get(COOKIE, ""))
    here = is_here(connection)
    if account is not None:
        return Person(account.name, account.role, here)
    if not here:
        return None
    name = " ".join(unquote(connection.cookies.get(NAME_COOKIE, "")).split())[:60]
    return Person(name if name and name.isprintable() else login_name(), "scientist", True)


def is_here(connection: HTTPConnection) -> bool:
    """Whether the browser runs on this computer and calls it so."""
    client = connection.client
    return (
        client is not None
        and client.host in LOOPBACK
        and _host(connection.headers.get("host", "")) in LOOPBACK
        and not any(name in connection.headers for name in _PASSED_ON)
    )


def _needs(role: Role) -> Callable[[HTTPConnection], Person]:
    def asked(connection: HTTPConnection) -> Person:
        person = person_of(connection)
        if person is None:
            raise NotLoggedIn
        if not person.may(role):
            raise NotAllowed(f"this needs the role {role}; {person.name} is a {person.role}")
        return person

    return asked


viewer, technician, scientist = _needs("viewer"), _needs("technician"), _needs("scientist")


def stopper(connection: HTTPConnection) -> Person:
    """Whoever may stop a run. Raises NotLoggedIn, NotAllowed."""
    person = viewer(connection)
    if not person.may_stop:
        raise NotAllowed(
            f"a stop from another computer needs the role technician; {person.name} is a "
            f"{person.role}. At the bench: its own computer, `labrig stop`, or the switch."
        )
    return person


Viewer = Annotated[Person, Depends(viewer)]
Technician = Annotated[Person, Depends(technician)]
Scientist = Annotated[Person, Depends(scientist)]
Stopper = Annotated[Person, Depends(stopper)]


class Guard:
    """Refuses what no page of ours would send, and sets the headers of every answer.

    A page elsewhere can point a name at this computer, and can have a browser post here; it can
    neither send the right ``Host`` and ``Origin`` nor a header of its own.
    """

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app = app
        self._names = LOOPBACK | {name.lower() for name in site.names}
        self._lan = site.lan

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Of ASGI."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        why = self._refused(connection, scope)
        if why and scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 4403, "reason": why})
            return
        app = PlainTextResponse(f"Refused: {why}.", 403) if why else self._app
        await app(scope, receive, _with_headers(send))

    def _refused(self, connection: HTTPConnection, scope: Scope) -> str:
        """Why it is; empty: it is not."""
        host = connection.headers.get("host", "")
        if _host(host) not in self._names and not (self._lan and _is_address(_host(host))):
            return f"this page is not called {host!r} (labrig page --lan --name NAME adds a name)"
        if scope["type"] == "http" and scope["method"] in _SAFE:
            return ""
        origin = urlsplit(connection.headers.get("origin", ""))
        if origin.netloc.lower() != host.lower() or origin.scheme not in ("http", "https"):
            return "it does not come from this page"
        if scope["type"] == "http" and connection.headers.get("hx-request") != "true":
            return "it was not sent by this page's own script"
        return ""


def _with_headers(send: Send) -> Send:
    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            there = {name.lower() for name, _ in message["headers"]}
            message["headers"] = [
                *message["headers"],
                *(
                    (name.encode(), value.encode())
                    for name, value in HEADERS.items()
                    if name.lower().encode() not in there
                ),
            ]
        await send(message)

    return with_headers


def _is_address(host: str) -> bool:
    """Whether it is a number, which unlike a name nobody elsewhere can point here."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _host(netloc: str) -> str:
    try:
        return (urlsplit(f"//{netloc}").hostname or "").lower()
    except ValueError:
        return ""
