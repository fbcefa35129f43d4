"""Where the page's links lead: a screen that stands in a bar adds a line here."""

from __future__ import annotations

NAVIGATION: tuple[tuple[str, str], ...] = (
    ("Now", "/"),
    ("Launch", "/launch"),
    ("Runs", "/runs"),
    ("Bench", "/bench"),
    ("Set-up", "/setup"),
)
"""Title and address of the screens about no single run."""

RUN_TABS: tuple[tuple[str, str], ...] = (
    ("Night", ""),
    ("Pictures", "/pictures"),
    ("Plots", "/plots"),
    ("Log", "/log"),
    ("Morning", "/morning"),
)
"""Title and rest of the address, below ``/run/NAME``, of the screens about one run."""
