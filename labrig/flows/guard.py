"""Stands before the whole of the Prefect server: pages, API, documentation, websockets.

Prefect's own credentials leave its page, its health check and the handshake of its websockets
open, and it answers to any ``Host``, so that a web page could reach it by rebinding a name.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from labrig.flows.login import Login

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

UNAUTHORIZED, FORBIDDEN = 401, 403
_POLICY_VIOLATION = 1008


class Guard:
    """An ASGI application that lets only the owner, from our own page or a program, through.

    Args:
        app: what is guarded.
        port: on the loopback interface.
        login: the only one that is let in.
    """

    def __init__(self, app: App, port: int, login: Login) -> None:
        self._app = app
        self._hosts = frozenset({f"127.0.0.1:{port}", f"localhost:{port}"})
        self._login = login

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one connection, or refuse it before anything behind sees it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if scope["type"] == "http":
            if refusal is None:
                await self._app(scope, receive, _unframed(send))
            else:
                await _answer(send, *refusal)
        elif refusal is None:
            await self._app(scope, receive, send)
        else:
            # before it was accepted, so the server answers the handshake with 403
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})

    def _refusal(self, scope: Message) -> tuple[int, str] | None:
        """Status and reason of a refusal; None for whoever may pass."""
        headers: dict[str, list[str]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
        hosts = [host.lower() for host in headers.get("host", [])]
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            return FORBIDDEN, f"this is {' or '.join(sorted(self._hosts))} and nothing else"
        if any(origin != f"http://{hosts[0]}" for origin in headers.get("origin", [])):
            return FORBIDDEN, "another site's page has no business here"
        if not _from_here(scope, headers):
            return FORBIDDEN, "another site's page has no business here"
        given = headers.get("authorization", [])
        if len(given) != 1 or not hmac.compare_digest(
            given[0].encode("latin-1"), self._login.header.encode("ascii")
        ):
            return UNAUTHORIZED, "sign in as the file `login` in this server's folder says"
        return None


def _from_here(scope: Message, headers: dict[str, list[str]]) -> bool:
    """Whether a browser, if it is one, was asked by our own page or by a person.

    A link on another page may be followed; a picture, a frame or a form of it may not ask.
    """
    sites = set(headers.get("sec-fetch-site", []))
    if sites <= {"same-origin", "none"}:
        return True
    return (
        scope.get("method") == "GET"
        and headers.get("sec-fetch-mode") == ["navigate"]
        and headers.get("sec-fetch-dest") == ["document"]
    )


async def _answer(send: Send, status: int, why: str) -> None:
    body = f"{why}\n".encode("latin-1")
    headers = [
        (b"content-type", b"text/plain; charset=latin-1"),
        (b"content-length", str(len(body)).encode()),
    ]
    if status == UNAUTHORIZED:
        headers.append((b"www-authenticate", b'Basic realm="labrig"'))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _unframed(send: Send) -> Send:
    """Answers that no browser shows inside another page, where a click could be stolen."""

    async def unframed(message: Message) -> None:
        if message["type"] == "http.response.start":
            ours = (b"x-frame-options", b"DENY")
            message = {**message, "headers": [*message.get("headers", []), ours]}
        await send(message)

    return unframed
