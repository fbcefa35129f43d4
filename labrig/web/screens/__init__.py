"""Every screen: a module with a ``router``, and ``parts`` where it changes by itself.

``router``: its routes, each with one of `labrig.web.access`'s roles. ``parts(shown)``: its parts
by the id of their element, made anew whenever the run has changed; it runs in a thread and may
read files. The name of the module is the name of its template, style sheet and script.
"""

from __future__ import annotations

from types import ModuleType

from labrig.web.screens import (
    amend,
    bench,
    dock,
    home,
    launch,
    live,
    log,
    login,
    morning,
    pictures,
    plots,
    runs,
    setup,
    well,
)

SCREENS: tuple[ModuleType, ...] = (
    bench,
    home,
    launch,
    live,
    dock,
    log,
    login,
    morning,
    runs,
    setup,
    amend,
    well,
    pictures,
    plots,
)
"""A new screen adds a line."""
