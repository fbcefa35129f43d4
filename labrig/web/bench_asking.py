"""Speaks to the instruments of a bench for a person at the page, when no run has them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import HTTPException

from labrig.launch.bench_in_use import reason_against_asking
from labrig.launch.examining import Answer, ask_instruments
from labrig.launch.port_claims import claimed_ports
from labrig.problems import FileProblems
from labrig.rig.bench import BenchSpec, bench_spec, configure, open_real_port
from labrig.rig.loading import load_rig
from labrig.web.choices import BenchChoice
from labrig.web.site import Site
from labrig_drivers.errors import InstrumentError


def answers_of(site: Site, bench: BenchChoice) -> tuple[Answer, ...]:
    """Ask each instrument who it is; changes none. Raises HTTPException 409: not now, and why."""
    with _free(site, bench) as spec:
        return ask_instruments(spec)


def configured(site: Site, bench: BenchChoice, instrument: str) -> str:
    """Write to one instrument what its rig file says; returns who it is.

    Raises:
        HTTPException: 409, not done, and why.
    """
    with _free(site, bench) as spec:
        try:
            who = configure(spec, instrument, open_real_port)
        except ValueError as error:
            raise HTTPException(409, str(error)) from None
    return f"{who.vendor} {who.model} {who.firmware}"


@contextmanager
def _free(site: Site, bench: BenchChoice) -> Iterator[BenchSpec]:
    """The bench, held: no run begins on ports that somebody talks to."""
    try:
        spec = bench_spec(load_rig(bench.path).model)
        if reason := reason_against_asking(spec):
            raise HTTPException(409, reason)
        with claimed_ports(spec, site.runs / "(the page speaks to its instruments)"):
            yield spec
    except (FileProblems, InstrumentError) as error:
        raise HTTPException(409, str(error)) from None
