"""``/run/NAME/log``: what happened, in sentences."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from labrig.web.access import Viewer
from labrig.web.pages import page
from labrig.web.screens.live import shown_run

router = APIRouter(prefix="/run/{name}")


@router.get("/log")
async def log(request: Request, name: str, person: Viewer) -> Response:
    """The screen."""
    shown = await shown_run(request, person, name)
    return page(request, "log.html.j2", shown)
