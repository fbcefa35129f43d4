"""Asks an authority to witness a commitment; what did not come does not undo the commitment."""

from __future__ import annotations

from pathlib import Path

ALONE = "On this computer, by its clock and its disk: nobody else has witnessed the time."


def witnessed_by(url: str, protocol: Path, chain: str) -> tuple[str, bool]:
    """Have a commitment stamped and keep the token beside it.

    Args:
        url: of the authority; "" asks nobody.
        protocol: the protocol's file.
        chain: of the commitment.

    Returns:
        What can be said of its time, and whether somebody has witnessed it.
    """
    if not url:
        return ALONE, False
    from labrig.protocol.witness import (
        NotWitnessed,
        append_token,
        ask_for_stamp,
        check_token,
        known_roots,
        witness_path,
    )

    try:
        token = ask_for_stamp(url, chain)
    except NotWitnessed as error:
        return (
            f"Not witnessed: {error}. The commitment stands; ask again with a network: labrig "
            f"commit {protocol} --witness {url}",
            False,
        )
    append_token(witness_path(protocol), token)
    found = check_token(token, known_roots())
    at = "" if found.at is None else f"{found.at:%Y-%m-%d %H:%M:%S} UTC"
    said = f"Stamped at {at} by {found.authority} (RFC 3161): {witness_path(protocol).name}"
    if not found.trusted:
        said += (
            f"\n  This computer cannot verify it ({found.fault}): give the authority's certificate "
            "to `labrig verify RUN --witness-roots PEM`"
        )
    return said, True
