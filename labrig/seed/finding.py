"""Which protocol asks a question: by words of the question, not by a number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from labrig.seed.index import Index


@dataclass(frozen=True, slots=True)
class Found:
    """A protocol below the folder of the catalogue, what it asks, and a bench for it."""

    protocol: str
    asks: str
    bench: str
    rows: tuple[str, ...] = ()


def every_protocol(index: Index) -> Iterator[Found]:
    """The catalogue in its order, then the paper's rows, each file once, under its first question.

    A file of the catalogue that asks for rows of the paper bears their numbers.
    """
    rows: dict[str, list[str]] = {}
    for number, row in index.rows.items():
        if row.protocol:
            rows.setdefault(_below_catalogue(row.protocol), []).append(number)
    for protocol, offered in index.catalogue.items():
        yield Found(protocol, offered.asks, offered.bench, tuple(rows.pop(protocol, ())))
    for protocol, numbers in rows.items():
        first = index.rows[numbers[0]]
        yield Found(protocol, first.asks, first.bench or "", tuple(numbers))


def about(found: Iterable[Found], words: Iterable[str]) -> list[Found]:
    """Those in whose name, question or numbers every word occurs."""
    wanted = [word.casefold() for word in words]
    return [
        one
        for one in found
        if all(
            word in f"{one.protocol} {one.asks} {' '.join(one.rows)}".casefold() for word in wanted
        )
    ]


def _below_catalogue(protocol: str) -> str:
    return protocol.removeprefix("../") if protocol.startswith("../") else f"seed/{protocol}"
