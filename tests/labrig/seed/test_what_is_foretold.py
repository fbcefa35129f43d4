"""A prediction holds where the culture answers with its sign, and not where it does not."""

from dataclasses import replace
from datetime import date

import pytest

from labrig.catalogue import catalogue_folder
from labrig.plan.compile import compile
from labrig.plan.store import to_json
from labrig.plan.timeline import StimulationLevel
from labrig.protocol.loading import load_protocol
from labrig.record.result_tables import read_table
from labrig.record.samples import tubes_of
from labrig.report.results import planned_of
from labrig.rig.loading import load_rig
from labrig.run_folder import RunFolder
from labrig.seed.courses import Courses, NotModelled
from labrig.seed.foretelling import Told, foretold, moment_s
from labrig.seed.index import Compared, load_index, seed_folder
from labrig.seed.laboratory import tables_sent
from labrig.seed.measured import Shown


@pytest.fixture(scope="module")
def night():
    protocol = load_protocol(seed_folder() / "mass-and-strength.yaml")
    rig = load_rig(catalogue_folder() / "rigs" / "wide-bench.yaml")
    plan = compile(protocol, rig, today=date(2026, 11, 30))
    return protocol.model, rig.model, plan


def _told(night, **said):
    (told,) = foretold(*night, [Compared.model_validate(said)])
    return told


def test_a_sign_that_comes_out_holds_and_its_opposite_does_not(night):
    pair = ["tnf", "vehicle-tonic"]
    assert _told(night, compare=pair, of="diameter", **{"is": "lower"}).holds
    assert not _told(night, compare=pair, of="diameter", **{"is": "higher"}).holds
    assert not _told(night, compare=pair, of="diameter", **{"is": "alike"}).holds


def test_nothing_has_happened_at_the_end_of_the_baseline(night):
    said = {"compare": ["tnf", "vehicle-tonic"], "of": "diameter", "at": "12 h", "is": "alike"}
    assert _told(night, **said).holds


def test_what_the_culture_does_not_have_is_said_to_be_unknown(night):
    told = _told(night, compare=["tnf", "vehicle-tonic"], of="smell", **{"is": "lower"})
    assert told.holds is None
    assert "smell" in told.figures


def test_moments_are_phases_labels_times_and_the_end(night):
    protocol = night[0]
    assert moment_s(protocol, "tnf", "treatment") == 12 * 3600
    assert moment_s(protocol, "tnf", "36 h") == 36 * 3600
    assert moment_s(protocol, "tnf", "end") == protocol.duration_s


def courses(first, second):
    """Two arms of one well each, whose diameters are given hour by hour."""
    from math import log

    truth = {
        3600.0 * hour: {"A1": {"log_diameter": log(one)}, "A2": {"log_diameter": log(other)}}
        for hour, (one, other) in enumerate(zip(first, second, strict=True))
    }
    return Courses(truth, {"A1": "x", "A2": "y"}, {"A1": frozenset(), "A2": frozenset()})


def test_a_loss_is_timed_at_the_first_hour_that_shows_it():
    seen = courses([1, 0.99, 0.94, 0.8], [1, 1, 1, 1])
    assert seen.first_loss_s("diameter", "x", "y", 0.05) == 2 * 3600
    assert seen.first_loss_s("diameter", "x", "y", 0.5) == float("inf")


def test_wells_are_held_against_their_own_beginning():
    seen = courses([2, 2], [1, 1])
    assert seen.value("diameter", "x", 3600.0) == seen.value("diameter", "y", 3600.0) == 1.0
    with pytest.raises(NotModelled):
        seen.value("smell", "x", 0.0)


def told(change, holds):
    row = load_index().rows["D1"]
    return Told(row.predicts[0], holds, "", change)


def test_a_clear_effect_must_be_measured_and_a_small_one_must_not_be_contradicted():
    clear, small = told(-0.2, holds=True), told(-0.05, holds=True)
    unseen = Shown("finished", (), (told(0.02, holds=None),))
    assert unseen.good
    assert unseen.missed([clear]) == unseen.told
    assert unseen.missed([small]) == ()
    assert not Shown("finished", (), (told(0.2, holds=False),)).good
    assert not Shown("failed", (), ()).good
    assert not Shown("finished", ("diameter: was not measured",), ()).good


def test_a_dose_in_per_cent_of_capture_is_what_the_first_tubes_that_follow_make_of_it():
    protocol = load_protocol(seed_folder() / "training-dose.yaml")
    rig = load_rig(catalogue_folder() / "rigs" / "wide-bench.yaml")
    plan = compile(protocol, rig, today=date(2026, 11, 30))
    said = Compared.model_validate(
        {"compare": ["dose-100", "dose-60"], "of": "rate_of_rise", "is": "higher"}
    )
    (all_follow,) = foretold(protocol.model, rig.model, plan, [said])
    few = replace(plan, timeline=tuple(_fainter(entry, 0.5) for entry in plan.timeline))
    (few_follow,) = foretold(protocol.model, rig.model, few, [said])
    assert all_follow.change > 0.1
    assert few_follow.change < 0.05


def _fainter(entry, by):
    if not isinstance(entry, StimulationLevel):
        return entry
    trains = (
        spec if spec.of_capture is None else replace(spec, of_capture=spec.of_capture * by)
        for spec in entry.trains
    )
    return replace(entry, trains=tuple(trains))


def test_a_laboratory_sends_what_the_culture_says_of_a_gene(tmp_path):
    protocol = load_protocol(seed_folder() / "myogenin.yaml")
    rig = load_rig(catalogue_folder() / "rigs" / "wide-bench.yaml")
    plan = compile(protocol, rig, today=date(2026, 11, 30))
    run = RunFolder(tmp_path / "run")
    run.root.mkdir()
    run.plan.write_text(to_json(plan), encoding="utf-8")
    ((name, table),) = tables_sent(run, protocol.model, rig.model, tmp_path)
    planned = planned_of(plan)[name]
    values = read_table(table.read_text(), planned, tubes_of(plan), [w.well for w in plan.wells])
    arms = {well.well: well.arm for well in plan.wells}
    silent, trained = (
        [value.value for value in values if arms[value.well] == arm]
        for arm in ("silent", "tonic10")
    )
    assert len(values) == len(plan.wells)
    assert max(trained) < 0.7 < min(silent)
