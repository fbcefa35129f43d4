"""What can be named as an outcome: every read-out, where it stands and what it needs.

A read-out has one value per well and moment; wells are then averaged to experimental units. Who
adds a table or a column to what is measured adds a line here, and whatever asks for read-outs by
name (outcomes, checks, report, exports) knows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from labrig.protocol.models import Protocol

Table = Literal["tubes", "nuclei", "fields", "contractions", "tests", "stains", "results"]
"""Where it is: a row per tube, nucleus or field and round; per film; per step of a test series; per
field of an end-point stain; per sample or unit of an imported table."""

Needs = Literal["tubes", "nuclei", "films", "stain", "assay", "result"]
"""What the protocol must plan for it."""

Scale = Literal["ratio", "difference"]
"""Arms are compared by the ratio of values, or by their difference where values may be 0."""


@dataclass(frozen=True, slots=True)
class Readout:
    """One read-out.

    Attributes:
        name: as protocols write it.
        words: for people.
        unit: of a value, "" for a plain number.
        from_table: the table it is read from.
        column: of that table.
        times: what a value of the column is multiplied by to be in ``unit``.
        higher_is: what a larger value speaks for.
        needs: what the protocol must plan, or nobody can measure it.
        shows: what a channel must show, where ``needs`` is a stain.
        kinds: kinds of assay that give it, where ``needs`` is one.
        scale: how arms are compared in it.
        each: whether the table has a row per tube, so that it has a distribution in a well.
        caveat: what a reader must know of it; "" for nothing.
    """

    name: str
    words: str
    unit: str
    from_table: Table
    column: str
    times: float = 1.0
    higher_is: Literal["stronger", "weaker", "neither"] = "neither"
    needs: Needs = "tubes"
    shows: str = ""
    kinds: tuple[str, ...] = ()
    scale: Scale = "ratio"
    each: bool = False
    caveat: str = ""


_KNOWN = (
    Readout("diameter", "diameter of tubes", "µm", "tubes", "diameter_mean_um",
            higher_is="stronger", each=True),
    Readout("coverage", "area covered by tubes", "%", "fields", "tube_area_fraction", 100.0,
            higher_is="stronger", scale="difference"),
    Readout("fusion_index", "fusion index", "%", "fields", "fusion_index", 100.0,
            higher_is="stronger", needs="nuclei", scale="difference"),
    Readout("nuclei", "nuclei a field", "", "fields", "nuclei", needs="nuclei",
            higher_is="stronger"),
    Readout("nuclei_per_tube", "nuclei per myotube", "", "fields", "nuclei_per_myotube",
            needs="nuclei", higher_is="stronger"),
    Readout("nuclear_domain", "tube area per nucleus", "µm²", "fields", "nuclear_domain_um2",
            needs="nuclei"),
    Readout("unfused_nuclei", "nuclei outside tubes", "%", "fields", "unfused_nuclei_share", 100.0,
            needs="nuclei", scale="difference"),
    Readout("pyknotic_share", "pyknotic nuclei", "%", "fields", "pyknotic_share", 100.0,
            needs="nuclei", higher_is="weaker", scale="difference"),
    Readout("detachment", "tube area lost since the well's first rounds", "%", "fields",
            "detached_share", 100.0, higher_is="weaker", scale="difference",
            caveat="tubes that shrink lose area too: read it beside the diameter"),
    Readout("contraction", "optical contraction", "µm", "contractions", "amplitude_um",
            needs="films", higher_is="stronger"),
    Readout("specific_strength", "contraction over diameter", "", "contractions",
            "specific_strength", needs="films", higher_is="stronger",
            caveat="needs a picture of the tubes in the round nearest to the films"),
    Readout("rate_of_rise", "rate of rise of contraction", "µm/s", "contractions",
            "rate_of_rise_um_s", needs="films", higher_is="stronger"),
    Readout("time_to_peak", "time to peak", "ms", "contractions", "time_to_peak_s", 1000.0,
            needs="films"),
    Readout("half_relaxation", "half relaxation", "ms", "contractions", "half_relaxation_s",
            1000.0, needs="films"),
    Readout("fatigue", "last over first twitches of a film", "", "contractions", "fatigue_ratio",
            needs="films", higher_is="stronger",
            caveat="needs 10 resolved pulses in one film"),
    Readout("clusters", "receptor clusters a mm²", "1/mm²", "stains", "clusters_per_mm2",
            needs="stain", shows="clusters", higher_is="stronger", scale="difference"),
    Readout("cluster_area", "area of receptor clusters", "µm²", "stains", "cluster_area_um2",
            needs="stain", shows="clusters", higher_is="stronger", scale="difference"),
    Readout("cluster_fragmentation", "fragmentation of clusters", "%", "stains",
            "fragmentation_index", 100.0, higher_is="weaker", needs="stain", shows="clusters",
            scale="difference"),
    Readout("cluster_faced", "area of clusters that faces a terminal", "%", "stains",
            "cluster_area_faced_share", 100.0, higher_is="stronger", needs="stain",
            shows="clusters", scale="difference"),
    Readout("neurite_length", "length of neurites", "mm/mm²", "stains",
            "neurite_length_mm_per_mm2", needs="stain", shows="neurites", higher_is="stronger",
            scale="difference"),
    Readout("neurite_contact", "length of neurites on tubes", "%", "stains", "contact_share",
            100.0, needs="stain", shows="neurites", higher_is="stronger", scale="difference"),
    Readout("striated_area", "striated area", "%", "stains", "striated_area_share", 100.0,
            needs="stain", shows="striations", higher_is="stronger", scale="difference"),
    Readout("sarcomere_length", "length of sarcomeres", "µm", "stains", "sarcomere_length_um",
            needs="stain", shows="striations"),
    Readout("live_share", "living cells", "%", "stains", "live_share", 100.0, needs="stain",
            shows="dead", higher_is="stronger", scale="difference"),
    Readout("marker", "nuclei with the marker", "%", "stains", "positive_share", 100.0,
            needs="stain", shows="marker", scale="difference"),
    Readout("capture_threshold", "capture threshold", "V", "tests", "capture_v",
            higher_is="weaker", needs="assay", kinds=("staircase",),
            caveat="it lies between a step of the staircase and the one below it"),
    Readout("half_recruitment", "amplitude of half the largest contraction", "V", "tests",
            "half_response_v", higher_is="weaker", needs="assay", kinds=("staircase",)),
    Readout("force_frequency", "largest contraction in a train", "µm", "tests", "largest_um",
            higher_is="stronger", needs="assay", kinds=("frequencies",)),
    Readout("tetanus_ratio", "largest contraction in a train over a twitch", "", "tests",
            "tetanus_twitch_ratio", needs="assay", kinds=("frequencies",)),
    Readout("f50", "frequency halfway from a twitch to the largest contraction", "Hz", "tests",
            "f50_hz", needs="assay", kinds=("frequencies",)),
    Readout("fatigue_test", "contraction left after minutes of trains", "", "tests",
            "fatigue_ratio", higher_is="stronger", needs="assay", kinds=("fatigue",)),
    Readout("fidelity", "impulses of the nerve that the muscle answers", "%", "tests", "fidelity",
            100.0, higher_is="stronger", needs="assay", kinds=("nmj",), scale="difference"),
    Readout("latency", "from the nerve's impulse to the muscle's answer", "ms", "tests",
            "latency_ms", needs="assay", kinds=("nmj",)),
    Readout("capture", "pulses followed", "%", "contractions", "capture_fraction", 100.0,
            needs="films", higher_is="stronger", scale="difference"),
)  # fmt: skip

READOUTS: Mapping[str, Readout] = {each.name: each for each in _KNOWN}
"""By name; beside these every table of ``results:`` is one."""


def readout(protocol: Protocol, name: str) -> Readout | None:
    """The read-out of that name in a protocol; None where there is none."""
    if name in READOUTS:
        return _in_unit_of_staircases(protocol, READOUTS[name])
    for result in protocol.results:
        if result.called == name:
            return Readout(
                name, name.replace("_", " "), result.unit, "results", result.column,
                needs="result",
            )  # fmt: skip
    return None


def _in_unit_of_staircases(protocol: Protocol, known: Readout) -> Readout:
    """Thresholds of staircases in mA are read in mA."""
    if known.kinds != ("staircase",):
        return known
    found = [assay for assay in protocol.assays.values() if assay.kind == "staircase"]
    if not found or any(assay.amplitude.unit == "V" for assay in found):
        return known
    return replace(known, unit="mA", column=f"{known.column.removesuffix('_v')}_ma")


def names_of_readouts(protocol: Protocol) -> list[str]:
    """Every name that an outcome of this protocol may give."""
    return [*READOUTS, *(result.called for result in protocol.results)]


def planned(protocol: Protocol, known: Readout) -> bool:
    """Whether the protocol plans what a read-out is measured from."""
    shown = {channel.shows for channel in protocol.imaging.channels.values()}
    if known.needs == "films":
        return protocol.imaging.films is not None
    if known.needs == "stain":
        return known.shows in shown
    if known.needs == "assay":
        done = {series.assay for series in protocol.imaging.series}
        return any(protocol.assays[name].kind in known.kinds for name in done)
    if known.needs == "result":
        return True
    has_tubes = bool(shown & {"cells", "tubes"})
    return has_tubes and (known.needs == "tubes" or "nuclei" in shown)


def what_to_add(known: Readout) -> str:
    """Keys of a protocol that would measure it."""
    return {
        "films": "add `films:` under `imaging:`",
        "stain": f"add a channel with `shows: {known.shows}` under `imaging.channels:`",
        "assay": f"add an assay of kind {' or '.join(known.kinds)} and a line with it under "
        "`imaging.series:`",
        "nuclei": "add a channel with `shows: nuclei` beside one that shows tubes or cells",
        "tubes": "add a channel with `shows: tubes` or `shows: cells`",
        "result": "add the table under `results:`",
    }[known.needs]
