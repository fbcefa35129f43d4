"""A page that was started beside a night stays until nobody has needed it for long."""

from __future__ import annotations

from labrig.web.idleness import Idleness


def test_it_is_over_when_nobody_has_needed_it_for_so_long():
    now = [0.0]
    idleness = Idleness(60.0, lambda: now[0])
    said = []
    for at_s, needed in [(30, False), (59, True), (118, False), (119, False), (120, True)]:
        now[0] = float(at_s)
        said.append(idleness.is_over(needed))
    assert said == [False, False, False, True, False]
