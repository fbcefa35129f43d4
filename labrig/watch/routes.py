"""The alarm routes: who is told by which way, how soon, and when to let people sleep.

The file holds passwords (they are part of the routes' URLs), so it must be readable by its user
only, and no route is shown but through :func:`labrig.watch.sending.shown`.
"""

from __future__ import annotations

import io
import logging
import os
import stat
from datetime import time
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from ruamel.yaml import YAML

from labrig.documents import Mistaken, load
from labrig.durable import write_text_whole
from labrig.problems import FileProblems, Mistake, raise_mistakes
from labrig.watch.causes import Severity
from labrig.watch.places import routes_file, watch_folder

_log = logging.getLogger(__name__)

Bench = Literal["real bench", "simulated", "rehearsal"]
Minutes = Annotated[float, Field(ge=0, le=24 * 60)]
ClockTime = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
RouteName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
_PROTOCOL = Mistaken("arms", "this is a protocol, not a file of alarm routes", "Name routes.yaml.")


class RoutesExposed(Exception):
    """Other users of this computer could read the routes' passwords."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Route(_Strict):
    """One way to reach somebody.

    Attributes:
        url: as apprise reads it, e.g. ``mailtos://user:password@example.org?to=lab@example.org``.
        takes: causes of this severity and graver.
        after_min: a call that nobody has acknowledged comes here after so many minutes; 0: at once.
    """

    name: RouteName
    url: Annotated[str, Field(min_length=3, max_length=2000, repr=False)]
    takes: Severity = "tell"
    after_min: Minutes = 0.0


class QuietHours(_Strict):
    """From when to when, on the clock on the wall, only calls are sent; the rest waits."""

    from_: Annotated[ClockTime, Field(alias="from")]
    to: ClockTime

    def hold_at(self, local: time) -> bool:
        """Whether this is a quiet time."""
        begin, end = (time.fromisoformat(text) for text in (self.from_, self.to))
        if begin <= end:
            return begin <= local < end
        return local >= begin or local < end


class Heartbeat(_Strict):
    """Where a sign of life is sent: a page of the healthchecks.io kind, or ``watch --remote``.

    Attributes:
        token: of the second host, as its ``labrig watch --remote`` names it; empty elsewhere.
    """

    url: Annotated[str, Field(min_length=3, max_length=2000, repr=False)]
    every_s: Annotated[float, Field(ge=5, le=3600)] = 30.0
    token: Annotated[str, Field(repr=False)] = ""


class Routes(_Strict):
    """All of it.

    Attributes:
        closing: also tell that a run has ended well.
        when_over: also tell that what somebody was called for is over.
        benches: runs on these are told of; simulated ones are for drills.
        severities: by code of an alarm, another severity than labrig's own.
    """

    routes: tuple[Route, ...] = ()
    quiet_hours: QuietHours | None = None
    closing: bool = False
    when_over: bool = False
    heartbeat: Heartbeat | None = None
    benches: tuple[Bench, ...] = ("real bench",)
    severities: dict[str, Severity] = Field(default_factory=dict)

    @field_validator("benches")
    @classmethod
    def _each_once(cls, benches: tuple[Bench, ...]) -> tuple[Bench, ...]:
        return tuple(dict.fromkeys(benches))

    @model_validator(mode="after")
    def _names_are_names(self) -> Routes:
        seen: set[str] = set()
        mistakes = []
        for index, route in enumerate(self.routes):
            if route.name in seen:
                mistakes.append(
                    Mistake(
                        ("routes", index, "name"),
                        f"two routes are named {route.name!r}",
                        "Give each a name of its own.",
                    )
                )
            seen.add(route.name)
        if self.heartbeat and not self.heartbeat.url.startswith(("http://", "https://")):
            mistakes.append(
                Mistake(
                    ("heartbeat", "url"),
                    "a heartbeat goes to a web address",
                    "Write one that begins with https:// or http://.",
                )
            )
        raise_mistakes("Routes", mistakes)
        return self

    def named(self, name: str) -> Route | None:
        """The route of this name."""
        return next((route for route in self.routes if route.name == name), None)


def load_routes(path: Path | None = None) -> Routes:
    """The routes of this user; none where there is no file.

    Raises:
        FileProblems: the file is wrong.
        RoutesExposed: others can read it.
    """
    path = path or routes_file()
    if not path.exists():
        return Routes()
    if os.name != "nt" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise RoutesExposed(
            f"{path} holds passwords and other users of this computer can read it, so nothing is "
            f"sent by it. `chmod 600 {path}` mends that; change the passwords if others may have "
            "looked."
        )
    return load(path, Routes, _PROTOCOL).model


class RoutesFile:
    """The routes as they stand in the file, which is read again when it has changed.

    One that is wrong leaves them as they were: half a mended file calls nobody.
    """

    def __init__(self) -> None:
        self._routes = Routes()
        self._mark = ""

    def read(self) -> Routes:
        """The routes."""
        mark = _mark_of(routes_file())
        if mark != self._mark:
            self._mark = mark
            try:
                self._routes = load_routes()
            except (FileProblems, RoutesExposed, OSError) as error:
                _log.error("the alarm routes stay as they were: %s", error)
        return self._routes


def _mark_of(path: Path) -> str:
    """Changes whenever the file does."""
    try:
        found = path.stat()
    except OSError:
        return "none"
    return f"{found.st_ino} {found.st_mtime_ns} {found.st_size} {found.st_mode}"


def save_routes(routes: Routes, path: Path | None = None) -> None:
    """Write them, readable by this user only.

    Raises:
        OSError: they cannot be written.
    """
    if path is None:
        path = watch_folder() / routes_file().name
    text = io.StringIO()
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.dump(routes.model_dump(mode="json", by_alias=True, exclude_defaults=True), text)
    content = text.getvalue() if routes != Routes() else "routes: []\n"
    write_text_whole(path, f"{_HEADER}{content}", 0o600)


_HEADER = """\
# Who is told when a run wants somebody. `labrig watch test` tries every route out; docs/watch.md
# explains each key. This file holds passwords: keep it readable by yourself only.
"""
