"""Tries routes out, and remembers when: a route that nobody tried is no route."""

from __future__ import annotations

import hashlib
import socket
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from labrig.durable import read_json, write_json
from labrig.plan.findings import Finding
from labrig.plan.plan import Plan
from labrig.problems import FileProblems
from labrig.watch.places import trials_file, watch_folder
from labrig.watch.routes import Route, Routes, RoutesExposed, load_routes
from labrig.watch.sending import send

TESTED_WITHIN = timedelta(days=7)
UNATTENDED_FROM_S = 4 * 3600.0
"""[P] A run that is longer goes on when everybody has left."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of the last trial of one route.

    Attributes:
        utc: when, ISO 8601.
        failure: why nothing went out; empty: the service took the message.
        fingerprint: of the URL that was tried; another URL has not been.
    """

    utc: str
    failure: str
    fingerprint: str

    @property
    def at(self) -> datetime:
        """When, with time zone."""
        return datetime.fromisoformat(self.utc)


def try_out(route: Route) -> Trial:
    """Send a test message by this route now, and write down what came of it.

    The service's word is all there is: that somebody *saw* the message, only they can say.

    Raises:
        OSError: it cannot be written down.
    """
    now = datetime.now(UTC).astimezone()
    host = socket.gethostname()
    failure = send(
        route.url,
        f"labrig test from {host}",
        f"This is a test of the route {route.name!r}, sent {now:%a %d %b %H:%M %Z}.\n"
        f"By it labrig tells you when an experiment on {host} wants somebody. "
        "Nothing needs to be done.",
        "note",
    )
    done = Trial(now.astimezone(UTC).isoformat(timespec="seconds"), failure, _mark(route))
    known = {name: asdict(test) for name, test in _all_trials().items()}
    write_json(watch_folder() / trials_file().name, {**known, route.name: asdict(done)}, 0o600)
    return done


def last_trial(route: Route) -> Trial | None:
    """The last trial of this route as it is written now; None: it was never tried so."""
    test = _all_trials().get(route.name)
    return test if test is not None and test.fingerprint == _mark(route) else None


def reason_to_doubt(routes: Routes, now: datetime) -> str:
    """Why nobody may be reached tonight; empty: a call goes to a route tried within a week.

    Args:
        routes: of this user.
        now: with time zone.
    """
    if not routes.routes:
        return "no alarm route is set up: nobody would be called"
    tried = [test for route in routes.routes if (test := last_trial(route)) is not None]
    sound = [test for test in tried if not test.failure and now - test.at <= TESTED_WITHIN]
    if sound:
        return ""
    if not tried:
        return "no alarm route was ever tried out"
    last = max(tried, key=lambda test: test.at)
    if last.failure:
        return f"the last test of an alarm route failed ({last.failure})"
    return f"no alarm route was tried out since {last.at.astimezone():%a %d %b %Y %H:%M %Z}"


def findings_about(plan: Plan, simulated: bool, now: datetime) -> tuple[Finding, ...]:
    """``watch.untested`` (warn) before a night on a real bench that nobody sits through.

    Args:
        plan: of the night.
        simulated: no bench is real: nobody need be called.
        now: with time zone.
    """
    if simulated or plan.forecast.duration_s < UNATTENDED_FROM_S:
        return ()
    try:
        why = reason_to_doubt(load_routes(), now)
    except (FileProblems, RoutesExposed, OSError) as error:
        why = f"the alarm routes cannot be used: {error}"
    if not why:
        return ()
    hours = plan.forecast.duration_s / 3600
    finding = Finding(
        "watch.untested",
        "warn",
        "alarm routes of this user",
        f"{why}, and the run of {hours:.3g} h is not sat through by anybody",
        "`labrig watch add NAME` sets a route up, `labrig watch test` tries it out",
    )
    return (finding,)


def _all_trials() -> dict[str, Trial]:
    try:
        raw: dict[str, Any] = read_json(trials_file())
        return {name: Trial(**test) for name, test in raw.items()}
    except (OSError, ValueError, TypeError):
        return {}  # none there, or damaged: then nothing counts as tried


def _mark(route: Route) -> str:
    return hashlib.sha256(route.url.encode()).hexdigest()[:16]
