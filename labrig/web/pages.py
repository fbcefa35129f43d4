"""Makes HTML: whole pages, and the parts of them that are sent again when they change.

A part is a template in ``templates/parts`` that stands in the page within an element of its own
id, and comes again through the tab's socket when its text has changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from labrig.display.times import clock_words, elapsed_words, length_words
from labrig.web.access import Person
from labrig.web.look import Look
from labrig.web.navigation import NAVIGATION, RUN_TABS
from labrig.web.site import Site, site_of
from labrig.web.words import CONDITION_WORDS


@dataclass(frozen=True, slots=True)
class Shown:
    """What a tab shows.

    Attributes:
        look: at the run that its screen is about; None: it is about none.
        live: at every run that lives, or whose runner died.
    """

    site: Site
    person: Person
    look: Look | None
    live: tuple[Look, ...]

    @property
    def docked(self) -> tuple[Look, ...]:
        """Runs that the dock acts on: the one shown, or else all that have no end."""
        if self.look is not None and not self.look.ended:
            return (self.look,)
        return self.live

    @property
    def several(self) -> bool:
        """Whether each act must name its run: another one lives, or it is not the one shown."""
        shown = {self.look.run.folder.root} if self.look is not None else set()
        return bool({look.run.folder.root for look in (*self.live, *self.docked)} - shown)


@cache
def environment() -> Environment:
    """Templates, filters and words of every page."""
    made = Environment(
        loader=PackageLoader("labrig.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters["at"] = at
    made.filters["clock"] = clock
    made.filters["lasting"] = length_words
    made.globals.update(words=CONDITION_WORDS, navigation=NAVIGATION, run_tabs=RUN_TABS)
    return made


def rendered(template: str, **context: Any) -> str:  # noqa: ANN401 - whatever it shows
    """One template."""
    return environment().get_template(template).render(context)


def parts_of(names: Mapping[str, str], shown: Shown, **context: Any) -> dict[str, str]:  # noqa: ANN401
    """Parts by the id of their element.

    Args:
        names: by id, the template in ``templates/parts``.
        shown: what the tab shows.
        context: what else they need.
    """
    return {
        element: rendered(f"parts/{name}.html.j2", shown=shown, zone=shown.site.zone, **context)
        for element, name in names.items()
    }


FRAME = {"strip": "strip", "dock": "dock", "banners": "banners"}
"""Parts that every page has."""


def page(
    request: Request,
    template: str,
    shown: Shown,
    parts: Mapping[str, str] | None = None,
    status_code: int = 200,
    **context: Any,  # noqa: ANN401
) -> HTMLResponse:
    """A whole page.

    Args:
        request: what asked for it.
        template: extends ``base.html.j2``.
        shown: who asks, and for which run.
        parts: those of its screen, by id; :data:`FRAME` comes by itself.
        status_code: of the answer.
        context: what else the template needs.
    """
    all_parts = {**parts_of(FRAME, shown), **(parts or {})}
    return HTMLResponse(
        rendered(
            template,
            shown=shown,
            zone=site_of(request).zone,
            screen=template.partition(".")[0],
            path=request.url.path,
            part={element: Markup(text) for element, text in all_parts.items()},
            **context,
        ),
        status_code,
    )


def at(look: Look, at_s: float, zone: ZoneInfo) -> Markup:
    """A moment of a run: the time of day, or how far the run was; the reader's switch decides."""
    utc, elapsed = look.utc(at_s), elapsed_words(at_s)
    if utc is None:
        return Markup('<span class="moment">{}</span>').format(elapsed)
    return Markup(
        '<time class="moment" datetime="{}"><span class="clock">{}</span>'
        '<span class="elapsed">{}</span></time>'
    ).format(utc.isoformat(timespec="seconds"), clock_words(utc, zone), elapsed)


def clock(utc: str | datetime, zone: ZoneInfo, form: str = "%a %H:%M:%S") -> str:
    """A time of day, as the clock on the lab's wall has it."""
    moment = datetime.fromisoformat(utc) if isinstance(utc, str) else utc
    return f"{moment.astimezone(zone):{form}}"
