"""What time stamps say of the commitment that a run was started under: no more than they do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from labrig.protocol.witness import Witness, check_token, known_roots, read_tokens
from labrig.record.rows import Row
from labrig.run_folder import RunFolder


def witness_of(
    folder: RunFolder,
    identity: Mapping[str, Any],
    rows: Sequence[Row],
    roots: Sequence[Path] = (),
) -> str:
    """In words, who has witnessed the time of the commitment in force; "" for nobody.

    Args:
        folder: the run's.
        identity: its ``run.json``.
        rows: its journal; its first row says when it began.
        roots: certificates (PEM) of authorities to trust beside those of this computer.
    """
    chain = identity.get("commitment")
    tokens = [token for token in read_tokens(folder.witness) if token.chain == chain]
    if not tokens:
        return ""
    trusted = known_roots(roots)
    found = [check_token(token, trusted) for token in tokens]
    sure = [w for w in found if w.trusted and w.at is not None]
    if not sure:
        return _unsure(found)
    first = min(sure, key=lambda w: w.at or datetime.max.replace(tzinfo=UTC))
    assert first.at is not None
    said = f"witnessed at {_minute(first.at)} UTC by {first.authority} (RFC 3161)"
    began = next((r.utc for r in rows if r.kind == "run" and r.key == "started"), "")
    if began and first.at > datetime.fromisoformat(began):
        return f"{said}, which is after the run had begun: its time before that is not witnessed"
    return said


def _unsure(found: Sequence[Witness]) -> str:
    stamped = next((w for w in found if w.at is not None), None)
    if stamped is None or stamped.at is None:
        return f"time not witnessed: {found[0].fault}"
    return (
        f"time not witnessed: a stamp names {_minute(stamped.at)} UTC and {stamped.authority}, and "
        f"cannot be verified here ({stamped.fault})"
    )


def _minute(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"
