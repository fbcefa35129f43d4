"""Names grouped by what they share, directly or by others between them."""

from __future__ import annotations

from collections.abc import Mapping


def joined(shares: Mapping[str, set[str]]) -> list[list[str]]:
    """Names grouped so that those with anything in common are together, in the given order."""
    groups: list[tuple[set[str], list[str]]] = []
    for name, things in shares.items():
        touching = [group for group in groups if group[0] & things]
        groups = [group for group in groups if not group[0] & things]
        merged = set(things).union(*(group[0] for group in touching))
        groups.append((merged, [n for group in touching for n in group[1]] + [name]))
    return [names for _, names in groups]
