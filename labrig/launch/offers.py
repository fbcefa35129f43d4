"""Offers of a start.

A schedule only *offers* a start: it may come late, twice, or while the rig is busy. Who makes an
offer writes ``offer.json`` into a prepared run folder; the keeper of the rig answers in
``answer.json`` of the same folder, once, and starts the runner when it accepts.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from labrig.durable import read_json, write_json
from labrig.run_folder import RunFolder

DEFAULT_GRACE_S = 900.0


class OfferRefused(Exception):
    """The keeper of the rig refused to start; the message says why."""


class NoKeeper(Exception):
    """Nobody answered an offer: no `labrig serve` keeps this folder of runs."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A start that somebody wants.

    Attributes:
        due_utc: when the start was meant to be, ISO 8601.
        grace_s: how late it may still be accepted.
        by: who or what offers it.
    """

    due_utc: str
    grace_s: float
    by: str
    speed: float


def make_offer(folder: RunFolder, offer: Offer) -> None:
    """Offer the start of a prepared run. Offering twice changes nothing.

    Raises:
        OSError: the disk refuses.
    """
    path = folder.offer
    if not path.exists():
        write_json(path, asdict(offer))


def read_offer(folder: RunFolder) -> Offer:
    """What is offered in a run folder.

    Raises:
        OSError: it cannot be read.
        ValueError: it is damaged, or says what no offer can.
    """
    raw = read_json(folder.offer)
    try:
        offer = Offer(**raw)
        datetime.fromisoformat(offer.due_utc) - datetime.now(UTC)
        float(offer.grace_s), float(offer.speed)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{folder.offer} is no offer ({error})") from error
    return replace(offer, grace_s=float(offer.grace_s), speed=float(offer.speed))


def offered_by(runs: Path, by: str) -> RunFolder | None:
    """The run that ``by`` has offered before and that was accepted.

    Raises:
        ValueError: a file of an offer is damaged.
    """
    for path in sorted(runs.glob("*/offer.json")):
        answer = RunFolder(path.parent).answer
        if read_json(path)["by"] == by and answer.exists() and read_json(answer)["accepted"]:
            return RunFolder(path.parent)
    return None


def await_answer(folder: RunFolder, within_s: float = 90.0) -> None:
    """Return once the offer was accepted and the runner is ready.

    Raises:
        OfferRefused: with the keeper's reason.
        NoKeeper: no answer came.
    """
    deadline = time.monotonic() + within_s
    path = folder.answer
    while time.monotonic() < deadline:
        if path.exists():
            answer = read_json(path)
            if answer["accepted"]:
                return
            raise OfferRefused(answer["reason"])
        time.sleep(0.05)
    raise NoKeeper(
        f"nobody answered the offer in {folder.root} within {within_s:.0f} s: is `labrig serve` "
        "running for this folder of runs?"
    )
