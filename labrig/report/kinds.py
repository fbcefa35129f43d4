"""One kind of tube a run: what is shown over time must not change its definition midway.

A round may be measured twice, stained and in phase contrast. The same tube has other edges in
each, so diameters and areas of the two never stand in one curve.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

IN_WORDS = {
    "tube": "stained tubes",
    "tube-like object": "tube-like objects, seen without a stain; not validated on real cultures",
}
STAINED, UNSTAINED = "tube", "tube-like object"
MASKS = {
    "rules": "found by rules",
    "learned": "found by rules, less the sheets of cells that a network trained on drawings sees",
}
"""How tubes are found without a stain, by `imaging.phase_mask` of the protocol."""


def kind_over_time(fields: pd.DataFrame) -> str | None:
    """The kind measured in the most rounds; stained tubes where rounds are equal.

    None where the tables name no kind, so that all rows are of one.
    """
    if fields.empty or "kind" not in fields:
        return None
    rounds = fields.dropna(subset=["kind"]).groupby("kind")["round"].nunique()
    if rounds.empty:
        return None
    return max(map(str, rounds.index), key=lambda kind: (rounds[kind], kind == STAINED))


def of_one_kind(
    fields: pd.DataFrame, tubes: pd.DataFrame, kind: str | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both tables with tubes of one kind; nuclei and fusion of stained rounds are kept.

    Args:
        fields: rows of fields; tube columns of rows of another kind are blanked.
        tubes: rows of tubes; those of another kind are left out.
        kind: from :func:`kind_over_time`; None changes nothing.
    """
    if kind is None:
        return fields, tubes
    about_tubes = [
        name
        for name in fields.columns
        if name.startswith(("diameter_", "tube")) or name in ("alignment", "below_10_um_share")
    ]
    others = fields["kind"].notna() & (fields["kind"] != kind)
    kept = fields.copy()
    kept.loc[others, about_tubes] = float("nan")
    if "kind" not in tubes:
        return kept, tubes
    return kept, tubes[tubes["kind"] == kind]
