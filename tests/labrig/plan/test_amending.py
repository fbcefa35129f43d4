"""What an amendment may change, what the joined plan holds, and where its boundary lies."""

import copy
import json
from dataclasses import replace
from pathlib import Path

import pytest

from labrig.launch.amending import Proposal, changed_paths, offer, told, told_paths, withdraw
from labrig.plan.allocation import allocate
from labrig.plan.amending import Kept, differences, refusals
from labrig.plan.boundaries import next_boundary_s
from labrig.plan.compile import assemble
from labrig.plan.film_schedule import film_numbers
from labrig.plan.timeline import Frame
from labrig.protocol.models import Protocol
from labrig.record.origin import file_sha256
from labrig.rig.models import Rig
from labrig.run.amendments import offered
from labrig.run_folder import RunFolder

FROM_S = 6 * 3600.0


@pytest.fixture
def amended(bench):
    """The old plan, the joined one, and what speaks against it, for a change of the protocol."""
    rig = Rig.model_validate(bench.rig)

    def plan(document, kept=None):
        protocol = Protocol.model_validate(document)
        wells = allocate(protocol, rig) if kept is None else (kept.plan.wells, [])
        made = assemble(
            protocol, rig, wells, bench.types, today=bench.today, free_bytes=None, kept=kept
        )
        return protocol.model_dump(mode="json", by_alias=True), made

    def amend(change, before=(), from_s=FROM_S):
        document = copy.deepcopy(bench.protocol)
        if before:
            set_at(*before)(document)
        before, old = plan(document)
        change(document)
        after, new = plan(document, Kept(old, from_s, 2))
        return old, new, refusals(tuple(changed_paths(before, after)), old, new, from_s)

    return amend


def set_at(*path):
    *keys, last, value = path

    def change(document):
        for key in keys:
            document = document[key]
        document[last] = value

    return change


def test_the_past_stays_and_the_rest_is_new(amended):
    old, new, wrong = amended(set_at("imaging", "interval", "10 min"))
    assert wrong == ()
    past = [e for e in new.timeline if e.offset_s < FROM_S]
    assert past == [e for e in old.timeline if e.offset_s < FROM_S]
    before = {e.round for e in past if isinstance(e, Frame)}
    coming = {e.round for e in new.timeline if isinstance(e, Frame) and e.offset_s >= FROM_S}
    assert min(coming) == max(before) + 1
    assert coming == set(range(min(coming), max(coming) + 1))
    keys = [e.key for e in new.timeline]
    assert len(keys) == len(set(keys))
    assert {d.kind for d in differences(old, new, FROM_S)} == {"frame"}
    kept = {e.key for e in old.timeline} & set(keys)
    assert {e.key for e in new.timeline if not isinstance(e, Frame)} <= kept


def test_a_level_of_the_phase_that_runs_is_set_anew_at_the_boundary(amended):
    old, new, wrong = amended(set_at("perfusion", "flow", "0.2 mL/h"))
    assert wrong == ()
    at_once = [e for e in new.timeline if e.offset_s == FROM_S and e.kind == "flow"]
    assert at_once
    assert all(e.key.endswith("@2") for e in at_once)
    rates = {e.instrument: e.rate_ul_min for e in at_once}
    due = {e.instrument: e.rate_ul_min for e in old.timeline
           if e.kind == "flow" and e.offset_s < FROM_S}  # fmt: skip
    assert all(rates[pump] != due[pump] for pump in rates)


def test_films_to_come_are_numbered_after_those_that_were(amended):
    """Also where the new plan alone would give its first block the number of one that was."""
    films = {"at": ["2 h", "12 h"], "channel": "phase", "duration": "5 s", "frame_rate": "50 Hz",
             "exposure": "10 ms"}  # fmt: skip
    old, new, _ = amended(
        set_at("imaging", "films", "at", ["8 h", "12 h", "14 h"]), ("imaging", "films", films)
    )
    before, after = film_numbers(old.timeline), film_numbers(new.timeline)
    taken = [key for key in before if key in after]
    assert all(before[key] == after[key] for key in taken)
    added = {after[key] for key in after if key not in before}
    assert added
    assert not added & {after[key] for key in taken}


REFUSED = {
    "randomisation.seed": set_at("randomisation", "seed", 99),
    "definition.min_nuclei": set_at("definition", {"min_nuclei": 5}),
    "name": set_at("name", "another"),
    "imaging.sites": set_at("imaging", "sites", 3),
    "imaging.phase_mask": set_at("imaging", "phase_mask", "learned"),
}


@pytest.mark.parametrize("path", REFUSED)
def test_what_was_committed_begun_or_stored_by_is_refused_by_its_key(amended, path):
    _, _, wrong = amended(REFUSED[path])
    assert path in {refusal.where for refusal in wrong}
    assert all(refusal.why and refusal.remedy for refusal in wrong)


def test_a_phase_that_is_over_cannot_be_changed(amended):
    _, _, wrong = amended(set_at("phases", 0, "duration", "2 h"))
    assert any(refusal.where.startswith("phases.0") for refusal in wrong)


def test_nothing_to_change_is_said(amended):
    _, _, wrong = amended(set_at("title", "The same under another title"))
    assert [refusal.where for refusal in wrong] == ["the protocol"]


def test_a_boundary_lies_where_nothing_is_under_way(small_plan):
    timeline, end_s = small_plan.timeline, small_plan.forecast.duration_s
    frames = [e for e in timeline if isinstance(e, Frame)]
    in_a_round_s = frames[0].offset_s + 0.5
    at_s = next_boundary_s(timeline, in_a_round_s, end_s)
    assert at_s > in_a_round_s
    assert next_boundary_s(timeline, at_s, end_s) == at_s


def proposal(old, new):
    return Proposal(
        new, Path("new.yaml"), 2, FROM_S, ("arms",), differences(old, new, FROM_S), (), (), ()
    )


def test_where_arms_are_coded_no_instrument_or_well_is_named(amended):
    old, new, _ = amended(set_at("perfusion", "flow", "0.2 mL/h"))
    pumps = {name for one in differences(old, new, FROM_S) for name in one.instruments}
    assert any(name in "".join(told(proposal(old, new))) for name in pumps)
    coded = {"blinding": {"arms": "coded"}}
    hidden = proposal(old, replace(new, protocol=json.dumps(coded)))
    hidden = replace(hidden, changed=("arms.nerve.targets", "arms.sham.targets", "imaging.films"))
    assert told_paths(hidden) == ("arms.*.targets", "imaging.films")
    words = told(hidden)
    assert words
    assert not [name for name in pumps if name in "".join(words)]


def test_who_amends_at_the_same_time_takes_nobodys_offer_away(amended, tmp_path):
    protocol = tmp_path / "new.yaml"
    protocol.write_text("name: new", encoding="utf-8")
    folder, offers = RunFolder(tmp_path), []
    for flow in ("0.2 mL/h", "0.3 mL/h"):
        old, new, _ = amended(set_at("perfusion", "flow", flow))
        mine = replace(proposal(old, new), protocol=protocol)
        offers.append(offer(folder, mine, "Anna Vos", "they grow"))
    withdraw(folder, offers[0])
    theirs = offers[1]["plan_sha256"]
    assert file_sha256(offered(folder.amended_plan(2), theirs)) == theirs
    assert not offered(folder.amended_plan(2), offers[0]["plan_sha256"]).exists()
