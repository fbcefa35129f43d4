"""``/``: the run that lives, or those that do."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from labrig.web.access import Viewer
from labrig.web.hub import Hub
from labrig.web.pages import Shown, page, parts_of
from labrig.web.site import site_of

router = APIRouter()


def parts(shown: Shown) -> dict[str, str]:
    """A line for each run that lives."""
    return parts_of({"live-runs": "live_runs"}, shown)


@router.get("/")
async def home(request: Request, person: Viewer) -> Response:
    """Straight to the night, where there is one and no more."""
    hub: Hub = request.app.state.hub
    live = await hub.live_now()
    if len(live) == 1:
        return RedirectResponse(f"/run/{live[0].run.name}", 303)
    shown = Shown(site_of(request), person, None, live)
    return page(request, "home.html.j2", shown, parts(shown))
