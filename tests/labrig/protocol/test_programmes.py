"""An arm's programme written out: no gaps, what is not named goes on, `for` comes back."""

from __future__ import annotations

import copy
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labrig.catalogue import catalogue_folder
from labrig.plan.aspects import arm_levels
from labrig.protocol.models import Protocol
from labrig.protocol.programme_words import arm_words, factor_words, pattern_words
from labrig.protocol.segments import boluses, moments, segment_at, segments, turns
from labrig.protocol.series_moments import film_times_s
from labrig.rig.loading import load_rig
from labrig.yaml_file import read_yaml

BASE = read_yaml(catalogue_folder() / "demo-night.yaml").data
BENCH = load_rig(catalogue_folder() / "rigs" / "simulated-bench.yaml").model
END_S = 14 * 3600.0
TONIC = "tonic_10hz_2mean"


def protocol(program, films=None, **arm):
    """The demo night with one more arm."""
    document = copy.deepcopy(BASE)
    document["arms"]["timed"] = {**arm, "program": program}
    document["patterns"]["both"] = {
        "sequence": ["tonic_10hz_2mean", "twitch_2hz"],
        "each": "25 min",
    }
    if films is not None:
        document["imaging"]["films"]["at"] = films
    document["phases"] = [{"name": "treatment", "duration": "14 h"}]
    return Protocol.model_validate(document)


def hours(found):
    return [(s.start_s / 3600, s.end_s / 3600) for s in found]


GAP = [
    {"from": "0 h", "targets": {"CNTF": "20 ng/mL", "BDNF": "5 ng/mL"}, "pattern": TONIC},
    {"from": "4 h", "targets": "none", "pattern": "sham", "label": "gap"},
    {"from": "8 h", "targets": {"CNTF": "20 ng/mL"}, "pattern": TONIC, "label": "restore"},
]  # fmt: skip


def test_what_is_not_named_goes_on_and_none_stops_all():
    own = segments(protocol(GAP), "timed")
    assert hours(own) == [(0, 4), (4, 8), (8, 14)]
    assert [dict(s.targets_ng_ml) for s in own] == [{"CNTF": 20.0, "BDNF": 5.0}, {}, {"CNTF": 20.0}]
    assert [s.pattern for s in own] == ["tonic_10hz_2mean", "sham", "tonic_10hz_2mean"]
    assert [s.label for s in own] == ["", "gap", "restore"]
    assert {s.flow.rate_ml_h for s in own} == {1.0}
    assert {s.medium for s in own} == {"differentiation"}


def test_a_factor_that_an_entry_does_not_name_goes_on():
    program = [
        {"from": "0 h", "targets": {"CNTF": "20 ng/mL"}},
        {"from": "2 h", "targets": {"BDNF": "5 ng/mL"}},
    ]
    assert segment_at(protocol(program), "timed", 3 * 3600.0).targets_ng_ml == {
        "CNTF": 20.0,
        "BDNF": 5.0,
    }


def test_short_keys_are_what_a_programme_begins_with():
    arm = {"targets": {"CNTF": "20 ng/mL"}, "pattern": "sham", "flow": "2 mL/h"}
    own = segments(protocol([{"from": "6 h", "pattern": "tonic_10hz_2mean"}], **arm), "timed")
    assert [dict(s.targets_ng_ml) for s in own] == [{"CNTF": 20.0}] * 2
    assert [s.pattern for s in own] == ["sham", "tonic_10hz_2mean"]
    assert [s.flow.rate_ml_h for s in own] == [2.0, 2.0]


def test_an_entry_that_passes_leaves_what_would_be_without_it():
    program = [
        {"from": "0 h", "targets": {"CNTF": "20 ng/mL"}, "flow": "1 mL/h"},
        {"from": "5 h", "for": "2 h", "flow": "5 mL/h", "label": "wash"},
        {"from": "6 h", "flow": "3 mL/h"},
    ]
    made = protocol(program)
    assert [segment_at(made, "timed", h * 3600.0).flow.rate_ml_h for h in (4, 5, 6.5, 7.5)] == [
        1.0, 5.0, 5.0, 3.0,
    ]  # fmt: skip
    assert moments(made, "timed")["wash"] == 5 * 3600.0


def test_repeats_are_written_out_until_they_end_and_their_moments_are_numbered():
    program = [
        {"from": "1 h", "every": "4 h", "for": "1 h", "until": "10 h",
         "targets": {"CNTF": "60 ng/mL"}, "label": "pulse"},
        {"at": "2 h", "every": "5 h", "bolus": {"factor": "leucine", "volume": "20 uL"}},
    ]  # fmt: skip
    made = protocol(program)
    given = [(s.start_s / 3600, bool(s.targets_ng_ml)) for s in segments(made, "timed")]
    assert given == [
        (0, False), (1, True), (2, False), (5, True), (6, False), (9, True), (10, False),
    ]  # fmt: skip
    known = moments(made, "timed")
    assert [known[name] / 3600 for name in ("pulse", "pulse-2", "pulse-3")] == [1, 5, 9]
    assert [bolus.at_s / 3600 for bolus in boluses(made, "timed")] == [2, 7, 12]
    assert boluses(made, "timed")[0].stock == "leucine-stock"


def test_phases_take_out_what_they_are_without():
    document = copy.deepcopy(BASE)  # its baseline has neither factors nor impulses
    document["arms"]["nerve-tonic"] = {"program": GAP}
    own = segments(Protocol.model_validate(document), "nerve-tonic")
    assert (own[0].end_s, dict(own[0].targets_ng_ml), own[0].pattern) == (3600.0, {}, None)
    assert own[1].targets_ng_ml
    assert own[1].pattern == TONIC


def test_mixed_patterns_take_turns():
    made = protocol([{"from": "1 h", "pattern": "both"}])
    played = list(turns(made.mixed_patterns["both"], 3600.0, 3600.0 + 60 * 60))
    assert [(a, b) for a, b, _ in played] == [(3600, 5100), (5100, 6600), (6600, 7200)]
    assert [name for *_, name in played] == ["tonic_10hz_2mean", "twitch_2hz", "tonic_10hz_2mean"]


def test_films_are_taken_at_moments():
    made = protocol(GAP, films=["gap - 1 h", "restore", "restore + 90 min", "end - 2 h", "13 h"])
    assert [at_s / 3600 for at_s in film_times_s(made)] == [3, 8, 9.5, 12, 13]


def test_a_programme_in_words():
    made = protocol(GAP)
    assert factor_words(made, "timed", "CNTF") == (
        "20 ng/mL at 0 h then 0 ng/mL at 4 h then 20 ng/mL at 8 h"
    )
    assert pattern_words(made, "timed") == (
        "tonic_10hz_2mean at 0 h then sham at 4 h then tonic_10hz_2mean at 8 h"
    )
    pulses = protocol([{"every": "2 h", "for": "30 min", "targets": {"CNTF": "60 ng/mL"}}])
    assert arm_words(pulses, "timed") == (
        "CNTF 60 ng/mL for 0.5 h every 2 h from 0 h, 7 times, else 0 ng/mL"
    )


ENTRY = st.fixed_dictionaries(
    {"at": st.integers(0, 13)},
    optional={
        "targets": st.one_of(
            st.just("none"),
            st.dictionaries(st.sampled_from(["CNTF", "BDNF"]), st.integers(0, 9), min_size=1),
        ),
        "pattern": st.sampled_from(["sham", "tonic_10hz_2mean", "both", "none"]),
        "flow": st.integers(1, 4),
        "for": st.integers(1, 4),
    },
).filter(lambda entry: {"targets", "pattern", "flow"} & set(entry))


def written(entries):
    """Entries as YAML, those that last in order and none of them twice at one time."""
    lasting = {e["at"]: e for e in entries if "for" not in e}
    passing = []
    for entry in sorted((e for e in entries if "for" in e), key=lambda e: e["at"]):
        if not passing or entry["at"] >= passing[-1]["at"] + passing[-1]["for"]:
            passing.append(entry)
    made = []
    for entry in [*(lasting[at] for at in sorted(lasting)), *passing]:
        one = {"from": f"{entry['at']} h"}
        for key in ("targets", "pattern", "flow", "for"):
            if key not in entry:
                continue
            value = entry[key]
            if isinstance(value, dict):
                value = {name: f"{amount} ng/mL" for name, amount in value.items()}
            one[key] = {"flow": f"{value} mL/h", "for": f"{min(value, 14 - entry['at'])} h"}.get(
                key, value
            ) if isinstance(value, int) else value  # fmt: skip
        made.append(one)
    return made


@settings(max_examples=60, deadline=None)
@given(st.lists(ENTRY, max_size=8))
def test_segments_cover_the_run_and_each_says_what_the_entries_say(entries):
    program = written(entries)
    made = protocol(program)
    own = segments(made, "timed")
    assert own[0].start_s == 0
    assert own[-1].end_s == END_S
    assert all(a.end_s == b.start_s for a, b in pairwise(own))
    for segment in own:
        targets, pattern, flow = {}, None, 1.0
        at_h = (segment.start_s + segment.end_s) / 2 / 3600
        inside = [e for e in program if float(e["from"][:-2]) <= at_h]
        lasting = [e for e in inside if "for" not in e]
        passing = [
            e for e in inside if "for" in e and at_h < float(e["from"][:-2]) + float(e["for"][:-2])
        ]
        for entry in [*lasting, *passing]:
            if entry.get("targets") == "none":
                targets = {}
            elif "targets" in entry:
                targets |= {n: float(v.split()[0]) for n, v in entry["targets"].items()}
            if "pattern" in entry:
                pattern = None if entry["pattern"] == "none" else entry["pattern"]
            flow = float(entry["flow"].split()[0]) if "flow" in entry else flow
        assert segment.targets_ng_ml == {n: v for n, v in targets.items() if v > 0}
        assert (segment.pattern, segment.flow.rate_ml_h) == (pattern, flow)


@pytest.mark.parametrize("pattern", ["sham", "tonic_10hz_2mean"])
def test_a_programme_of_one_stretch_is_what_the_short_keys_are(pattern):
    keys = {"targets": {"CNTF": "10 ng/mL", "BDNF": "50 ng/mL"}, "pattern": pattern}
    short, timed = protocol([], **keys), protocol([{"from": "0 h", **keys}])
    assert segments(short, "timed") == segments(timed, "timed")
    assert arm_levels(short, BENCH)["timed"] == arm_levels(timed, BENCH)["timed"]
