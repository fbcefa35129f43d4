"""The one socket of each tab: a beat twice a second, and every part that has changed.

One socket, because a browser grants an address six connections for all tabs together, and a stop
needs one.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from labrig.web.access import Person, Viewer, person_of
from labrig.web.hub import Hub
from labrig.web.look import Look
from labrig.web.pages import FRAME, Shown, parts_of
from labrig.web.screens import SCREENS
from labrig.web.site import Site, site_of

router = APIRouter()
BEAT_S = 0.5
KNOWN_EVERY_S = 10.0
"""[P] So long somebody whose session has ended, or whose role was changed, still sees a tab."""
UNKNOWN = 4401
"""Code of the socket of such a tab."""
FAILED = 4500
"""Code of a socket that our own error ended; the page takes up those of others."""
_log = logging.getLogger(__name__)

_PARTS = {
    module.__name__.rpartition(".")[2]: module.parts
    for module in SCREENS
    if hasattr(module, "parts")
}


class PartsOfNow:
    """What has been rendered of the present version, for all tabs of one person on one screen."""

    def __init__(self, site: Site, hub: Hub) -> None:
        self._site = site
        self._hub = hub
        self._version = -1
        self._made: dict[tuple[Any, ...], asyncio.Task[dict[str, str]]] = {}

    async def of(self, screen: str, shown: Shown) -> dict[str, str]:
        """Parts by id."""
        if self._hub.version != self._version:
            self._version = self._hub.version
            self._made.clear()
        name = "" if shown.look is None else shown.look.run.name
        key = (screen, name, shown.person)
        if key not in self._made:
            self._made[key] = asyncio.create_task(
                self._hub.quickly(lambda: parts_now(screen, shown))
            )
        # One tab that is closed meanwhile must not take it from the others.
        return await asyncio.shield(self._made[key])


def parts_now(screen: str, shown: Shown) -> dict[str, str]:
    """The frame's parts and those of a screen."""
    own = _PARTS.get(screen)
    return {**parts_of(FRAME, shown), **(own(shown) if own is not None else {})}


@router.websocket("/ws/{screen}")
async def tab(socket: WebSocket, screen: str, person: Viewer, run: str = "") -> None:
    """Serve one tab until it is closed."""
    hub: Hub = socket.app.state.hub
    made: PartsOfNow = socket.app.state.parts
    await socket.accept()
    with hub.watching(run):
        tasks = [
            asyncio.create_task(_gone(socket)),
            asyncio.create_task(_beats(socket, hub, run)),
            asyncio.create_task(_until_unknown(socket, hub, person)),
            asyncio.create_task(_news(socket, hub, made, Tab(screen, person, run))),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
        # Not by gather: one that is cancelled meanwhile hides who cancelled it.
        await asyncio.wait(tasks)
        for task in tasks:
            error = None if task.cancelled() else task.exception()
            if error is not None and not isinstance(error, _GONE):
                _log.error("a tab on %s can be shown nothing new", screen, exc_info=error)
                # Not to be taken up again: a tab that hears beats and shows what is old would lie.
                await socket.close(FAILED)


_GONE = (WebSocketDisconnect, RuntimeError)
"""Starlette says that a tab is gone by either, depending on who noticed first."""


@dataclass(frozen=True, slots=True)
class Tab:
    """What one tab has open; ``run`` is empty where its screen is about none."""

    screen: str
    person: Person
    run: str


async def _beats(socket: WebSocket, hub: Hub, run: str) -> None:
    """Twice a second, whatever else there is to do: who hears none says that it is not live."""
    while True:
        await socket.send_json({"beat": _beat(hub.look(run), hub)})
        await asyncio.sleep(BEAT_S)


async def _until_unknown(socket: WebSocket, hub: Hub, person: Person) -> None:
    """Close the tab of whoever may not see it any more."""
    while await hub.quickly(lambda: person_of(socket)) == person:
        await asyncio.sleep(KNOWN_EVERY_S)
    await socket.close(UNKNOWN)


async def _news(socket: WebSocket, hub: Hub, made: PartsOfNow, tab: Tab) -> None:
    """Parts, whenever they have changed."""
    sent: dict[str, str] = {}
    version = -1
    while True:
        look, news = hub.look(tab.run), hub.version
        if news != version and (look is not None or not tab.run):
            shown = Shown(site_of(socket), tab.person, look, hub.live())
            await _send_changed(socket, await made.of(tab.screen, shown), sent)
        version = news
        await hub.news(version, BEAT_S)


def _beat(look: Look | None, hub: Hub) -> Mapping[str, Any]:
    """What the page's script needs to know whether it is live, and what to call for.

    ``heard_s`` is the age of the runner's last word; None where no runner is to be heard.
    """
    heard_s = look.heard_s if look is not None and look.lives else None
    return {
        "now_ms": round(time.time() * 1000),
        "heard_s": None if heard_s is None else round(time.monotonic() - heard_s, 1),
        "condition": "" if look is None else look.condition,
        "alarms": sum(len(each.status.get("alarms", ())) for each in hub.live()),
        "questions": sum(len(each.status.get("questions", ())) for each in hub.live()),
        "dead": sum(each.dead for each in hub.live()),
    }


async def _send_changed(socket: WebSocket, parts: Mapping[str, str], sent: dict[str, str]) -> None:
    changed = {element: text for element, text in parts.items() if sent.get(element) != text}
    if changed:
        sent.update(changed)
        content = "".join(
            f'<hx-partial hx-target="#{element}" hx-swap="innerMorph">{text}</hx-partial>'
            for element, text in changed.items()
        )
        await socket.send_json({"content": content})


async def _gone(socket: WebSocket) -> None:
    with suppress(WebSocketDisconnect, RuntimeError):
        while True:
            await socket.receive_text()
