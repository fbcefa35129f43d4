"""``/run/NAME/morning``: the report in its place, and what to look at."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import FileResponse

from labrig.night.noting import note
from labrig.report.tables import FILES
from labrig.web.access import Technician, Viewer
from labrig.web.acts import Acts
from labrig.web.live_runs import run_named
from labrig.web.pages import page
from labrig.web.run_cards import READ, found_in
from labrig.web.screens.live import shown_run
from labrig.web.site import site_of

router = APIRouter(prefix="/run/{name}")

PAGE = "report.html"
OF_REPORT = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "frame-ancestors 'self'; base-uri 'none'; form-action 'none'; sandbox allow-popups"
}
"""The report stands alone: its styles and pictures are in it, and it runs no script."""
TYPES = {".csv": "text/csv; charset=utf-8", ".json": "application/json"}


@router.get("/morning")
async def morning(request: Request, name: str, person: Viewer) -> Response:
    """The screen."""
    shown = await shown_run(request, person, name)
    assert shown.look is not None
    folder = shown.look.run.folder
    return page(
        request, "morning.html.j2", shown, found=found_in(folder),
        reported=(folder.report / PAGE).exists(),
        tables=[(file, what) for file, what in FILES if (folder.report / file).exists()],
    )  # fmt: skip


@router.get("/report/{file}")
async def report(request: Request, name: str, file: str, person: Viewer) -> Response:
    """The report's own page or one of the tables beside it, and nothing else of the folder."""
    if file != PAGE and file not in dict(FILES):
        raise HTTPException(404, f"{file} is no part of a report")
    path = run_named(name, site_of(request).runs).folder.report / file
    if not path.is_file():
        raise HTTPException(404, f"this run has no {file}")
    if file == PAGE:
        return FileResponse(path, media_type="text/html; charset=utf-8", headers=OF_REPORT)
    return FileResponse(path, media_type=TYPES[path.suffix], filename=f"{name}_{file}")


@router.post("/read")
async def mark_as_read(request: Request, name: str, person: Technician) -> Response:
    """Somebody has read it; stands in the journal."""
    deeds: Acts = request.app.state.acts
    run = run_named(name, site_of(request).runs)
    await deeds.aside(
        lambda: note(run.folder, "read the report", person.name, f"{READ}:{person.name}")
    )
    return Response(headers={"HX-Refresh": "true"})
