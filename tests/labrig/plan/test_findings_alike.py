"""What twelve pumps share is said once, with every place."""

from __future__ import annotations

from labrig.plan.alike import alike
from labrig.plan.findings import Finding


def test_grouped_by_all_but_their_place_the_gravest_first():
    def one(code, severity, where, why="w"):
        return Finding(code, severity, where, why, "r", overridable=severity == "block")

    groups = alike(
        [
            one("a", "note", "1"), one("b", "warn", "2"), one("a", "note", "3"),
            one("c", "block", "4"), one("b", "warn", "5", why="other"),
        ]
    )  # fmt: skip
    assert [(g.severity, g.code, g.why, g.places, g.overridable) for g in groups] == [
        ("block", "c", "w", ("4",), True),
        ("warn", "b", "w", ("2",), False),
        ("warn", "b", "other", ("5",), False),
        ("note", "a", "w", ("1", "3"), False),
    ]
