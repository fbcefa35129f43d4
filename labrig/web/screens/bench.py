"""``/bench``: what stands on a bench, whether it answers, and how it was calibrated.

While a run has a bench nothing is sent to its instruments from here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import HTMLResponse

from labrig.catalogue import catalogue_folder
from labrig.durable import read_json
from labrig.launch.bench_in_use import reason_against_asking
from labrig.launch.examining import Answer, plugged_in, this_computer
from labrig.problems import FileProblems
from labrig.record.glimpse import pump_hours
from labrig.record.rows import JournalError
from labrig.rig.bench import bench_spec
from labrig.rig.calibrating import ENOUGH, BadCalibration, Weighed, dated, found_by, write_entry
from labrig.rig.loading import load_rig
from labrig.rig.models import Rig
from labrig.run_folder import RunFolder
from labrig.web.access import Person, Scientist, Technician, Viewer
from labrig.web.acts import Acts
from labrig.web.bench_asking import answers_of, configured
from labrig.web.bench_table import BenchRow, bench_rows
from labrig.web.choices import BenchChoice, Chosen, bench_choices, places_of
from labrig.web.forms import fields_of, form_of
from labrig.web.hub import Hub
from labrig.web.pages import Shown, page, rendered
from labrig.web.site import Site, site_of
from labrig_drivers.instrument import installed_types

router = APIRouter(prefix="/bench")
MOST_DAYS = 90


@router.get("")
async def bench(request: Request, person: Viewer) -> Response:
    """The screen; ``?bench=ID`` shows that one."""
    site, chosen = site_of(request), Chosen.of(dict(request.query_params), 1)
    deeds: Acts = request.app.state.acts
    part = await deeds.aside(lambda: _part(site, person, chosen))
    hub: Hub = request.app.state.hub
    shown = Shown(site, person, None, await hub.live_now())
    return page(request, "bench.html.j2", shown, {"bench": part})


@router.post("/ask")
async def ask(request: Request, person: Technician) -> Response:
    """Ask every instrument who it is."""
    chosen = Chosen.of(await fields_of(request), 1)
    site = site_of(request)
    return await _shown(
        request, lambda: _part(site, person, chosen, answers_of(site, chosen.bench_of(site)))
    )


@router.post("/configure")
async def configure(request: Request, person: Scientist) -> Response:
    """Write to one instrument what the rig file says of it."""
    given = await fields_of(request)
    chosen, site = Chosen.of(given, 1), site_of(request)

    def done() -> str:
        name = given.get("instrument", "")
        who = configured(site, chosen.bench_of(site), name)
        told = f"{name} is set as the rig file says ({who}); its volume counters begin at 0."
        return _part(site, person, chosen, told=told)

    return await _shown(request, done)


@router.post("/calibrate")
async def calibrate(request: Request, person: Technician) -> Response:
    """Three rates weighed: an entry of today in the rig file."""
    form = await form_of(request)
    given = {name: values[-1].strip() for name, values in form.items()}
    chosen, site = Chosen.of(given, 1), site_of(request)

    def done() -> str:
        choice = chosen.bench_of(site)
        if choice.path.is_relative_to(catalogue_folder()):
            raise HTTPException(
                409,
                "a bench of the catalogue is an example and stays as it is: `labrig init FOLDER` "
                "makes your own copy",
            )
        weights = _weights(form)
        days = int(given["days"]) if given.get("days", "").isdecimal() else 0
        if not 1 <= days <= MOST_DAYS:
            raise HTTPException(400, f"it holds for 1 to {MOST_DAYS} days")
        try:
            found = found_by(weights)
            today = datetime.now(site.zone).date()
            entry = dated(given.get("instrument", ""), found, person.name, today, days)
            write_entry(choice.path, entry)
        except (BadCalibration, FileProblems) as error:
            raise HTTPException(409, str(error)) from None
        told = f"{entry.of} {found.words}. Written into {choice.path.name}, until {days} days on."
        return _part(site, person, chosen, told=told)

    return await _shown(request, done)


async def _shown(request: Request, deed: Callable[[], str]) -> Response:
    deeds: Acts = request.app.state.acts
    return HTMLResponse(await deeds.aside(deed))


def _weights(form: dict[str, list[str]]) -> tuple[Weighed, ...]:
    columns = [form.get(name, []) for name in ("rate", "minutes", "before", "after")]
    weights = []
    for row in zip(*columns, strict=False):
        try:
            rate, minutes, before, after = (float(text.strip().replace(",", ".")) for text in row)
        except ValueError:
            raise HTTPException(400, "fill in every rate, time and weight as a number") from None
        if not all(map(math.isfinite, (rate, minutes, before, after))):
            raise HTTPException(400, "fill in every rate, time and weight as a number")
        weights.append(Weighed(rate, minutes, after - before))
    return tuple(weights)


def _part(
    site: Site, person: Person, chosen: Chosen, answers: tuple[Answer, ...] = (), told: str = ""
) -> str:
    """All that changes on the screen."""
    choices = bench_choices(places_of(site))
    choice: BenchChoice | None = next((c for c in choices if c.id == chosen.bench), None)
    choice = choice or next((c for c in choices if not c.problems), None)
    rows: tuple[BenchRow, ...] = ()
    busy, pumps, configurable = "", [], []
    if choice is not None and not choice.problems:
        rig = load_rig(choice.path).model
        today = datetime.now(site.zone).date()
        rows = bench_rows(rig, today, _hours(site.runs, rig.name))
        busy = reason_against_asking(bench_spec(rig))
        pumps = _pumps(rig)
        types = installed_types()
        configurable = [
            name for name, entry in rig.instruments.items() if types[entry.type].syringe is not None
        ]
    runs = site.runs if site.runs.exists() else Path.cwd()
    return rendered(
        "parts/bench.html.j2", site=site, zone=site.zone, person=person, choices=choices,
        choice=choice, rows=rows, busy=busy, pumps=pumps, configurable=configurable, told=told,
        answers={answer.instrument: answer for answer in answers}, enough=ENOUGH,
        ports=plugged_in(), computer=this_computer(runs), now=datetime.now(UTC),
    )  # fmt: skip


def _pumps(rig: Rig) -> list[str]:
    return list(dict.fromkeys(line.pump for line in rig.lines.values()))


def _hours(runs: Path, rig: str) -> dict[str, tuple[tuple[date, float], ...]]:
    """By pump, how long it ran in each run of this bench, simulated ones left out."""
    found: dict[str, list[tuple[date, float]]] = {}
    for path in sorted(runs.glob("*/run.json")):
        folder = RunFolder(path.parent)
        try:
            identity = read_json(path)
            if identity["rig"] != rig or identity["simulated"] or not folder.journal.exists():
                continue
            made = datetime.fromisoformat(identity["made_utc"]).astimezone().date()
            changed = folder.journal.stat().st_mtime_ns
            for pump, hours in _hours_of(folder.journal, changed).items():
                found.setdefault(pump, []).append((made, hours))
        except (OSError, ValueError, KeyError, JournalError):
            continue  # a run that cannot be read adds no hours, and its own screen says why
    return {pump: tuple(of) for pump, of in found.items()}


@lru_cache(maxsize=512)
def _hours_of(journal: Path, changed_ns: int) -> dict[str, float]:
    return pump_hours(journal)
