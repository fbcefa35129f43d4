"""What the pulses of one step of an assay are called: ``ASSAY:STEP``, as no pattern can be."""

from __future__ import annotations

_BETWEEN = ":"


def step_name(assay: str, step: int) -> str:
    """What the pattern of one step is called."""
    return f"{assay}{_BETWEEN}{step}"


def assay_of(pattern: str) -> str:
    """The assay that a pattern is a step of; "" for a pattern of the protocol.

    >>> assay_of("ff:3"), assay_of("tonic_10hz_2mean")
    ('ff', '')
    """
    assay, between, _ = pattern.rpartition(_BETWEEN)
    return assay if between else ""
