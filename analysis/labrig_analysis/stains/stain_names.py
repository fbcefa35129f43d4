"""What a stain beside tubes and nuclei may be called."""

from __future__ import annotations

import re

ROLES = {
    "clusters": "acetylcholine receptors (alpha-bungarotoxin): spots, per tube",
    "terminals": "nerve terminals (synaptophysin, SV2): spots, and their overlap with clusters",
    "neurites": "neurites (neurofilament, beta-III tubulin): length, contact with tubes",
    "striations": "sarcomeres (alpha-actinin, titin, or the tubes' own stain): striated share",
    "live": "live cells (calcein)",
    "dead": "dead nuclei (propidium iodide)",
    "marker:NAME": "any nuclear stain by its name (marker:EdU): share of positive nuclei",
}
"""By role, what the stain shows and what is measured."""
_MARKER = re.compile(r"marker:(?P<name>[A-Za-z0-9_+-][A-Za-z0-9_.+-]*)")


def is_stain(channel: str) -> bool:
    """Whether a channel is one of `ROLES`.

    >>> is_stain("clusters"), is_stain("marker:EdU"), is_stain("marker:NAME!"), is_stain("nuclei")
    (True, True, False, False)
    """
    return channel in ROLES or marker_name(channel) is not None


def marker_name(channel: str) -> str | None:
    """The name of a nuclear marker, ``EdU`` of ``marker:EdU``; None for any other channel.

    A marker cannot bear the name of a role: rows and columns of both would be called alike.

    >>> marker_name("marker:EdU"), marker_name("marker:dead")
    ('EdU', None)
    """
    found = _MARKER.fullmatch(channel)
    return found["name"] if found and found["name"].lower() not in ROLES else None
