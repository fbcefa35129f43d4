"""A night's pictures without a stain are measured with the mask that its protocol asks for."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from drawn_sheet import PIXEL_UM, SIDE, draw_sheet_and_tube

from labrig.catalogue import copy_catalogue
from labrig.durable import read_json
from labrig.frames.plate_layout import PlateLayout
from labrig.frames.plate_store import PlateStore
from labrig.launch.prepare import StartRequest, prepare_run
from labrig.measure.closing import tables_so_far
from labrig.measure.review import program_measures
from labrig.measure.sealing import seal
from labrig.night.measuring import RoundMeasurer
from labrig.night.progress import TakenFrame
from labrig.night.reviewing import Results
from labrig.plan.sources import planned_protocol
from labrig.plan.store import read_plan
from labrig.protocol.imaging import Imaging
from labrig.report.kinds import MASKS
from labrig.report.sealed_measures import faults_of_measures
from labrig_analysis.tubes.phase_masks import PhaseMask

MADE = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
FRAME = "A1_f0_t000_phase"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab") / "lab"
    copy_catalogue(folder)
    return folder


@pytest.fixture(scope="module")
def nights(lab, tmp_path_factory):
    """By mask, a run whose first picture shows a sheet and a tube, measured."""
    picture, _, _ = draw_sheet_and_tube(True, True)
    demo = (lab / "demo-night.yaml").read_text("utf-8")
    rig = lab / "rigs" / "simulated-bench.yaml"
    found = {}
    for mask in get_args(PhaseMask):
        night = lab / f"{mask}.yaml"
        asked = "" if mask == "rules" else f"  phase_mask: {mask}\n"
        night.write_text(demo.replace("imaging:\n", f"imaging:\n{asked}", 1), "utf-8")
        runs = tmp_path_factory.mktemp(mask)
        folder = prepare_run(StartRequest(night, rig, runs, True, operator="t"), MADE)
        layout = PlateLayout("p", ("A1",), 1, ("phase",), 1, SIDE, SIDE, PIXEL_UM, 1800.0)
        PlateStore.create(folder.plate, layout).write(
            "A1", 0, 0, "phase", picture.astype(np.uint16) * 16
        )
        camera = read_json(folder.camera)
        camera["layout"]["pixel_size_um"] = PIXEL_UM
        folder.camera.write_text(json.dumps(camera), "utf-8")
        measurer = RoundMeasurer.of(folder)
        assert measurer.measure([TakenFrame("A1", 0, 0, "phase", 7.0, "A/1/0", 0)]) == 1
        tables_so_far(folder.measures)
        seal(folder.measures, measurer.run, "the night", settings=measurer.settings)
        found[mask] = folder
    return found


def table(folder, name):
    return pd.read_csv(folder.measures / f"{name}.csv")


def test_the_plan_holds_the_mask_and_rims_are_no_tubes_with_it(nights):
    rules, learned = nights["rules"], nights["learned"]
    for mask, folder in nights.items():
        assert planned_protocol(read_plan(folder), folder.protocol).imaging.phase_mask == mask
    assert len(table(rules, "tubes")) > len(table(learned, "tubes")) >= 1


def test_rows_say_which_mask_and_that_nothing_validates_it(nights):
    for mask, folder in nights.items():
        row = table(folder, "fields").iloc[0]
        assert row["validation"] == f"not validated on real cultures (mask: {mask})"
    assert "sheets" in table(nights["learned"], "fields")["reasons"][0]


def test_a_person_who_corrects_outlines_sees_those_of_the_mask(nights):
    for folder in nights.values():
        review = Results.at(folder.root).open([FRAME])
        again = program_measures(review, review.fields[0])
        assert len(again.tubes) == len(table(folder, "tubes"))


def test_measures_made_with_another_mask_than_asked_are_told(nights):
    for mask, folder in nights.items():
        run = read_json(folder.identity)["id"]
        for asked, other in nights.items():
            protocol = planned_protocol(read_plan(other), other.protocol)
            told = [*faults_of_measures(folder.measures, run, protocol, closed=True)]
            assert [asked in fault and mask in fault for fault in told] == [True] * (asked != mask)


def test_every_mask_of_the_library_can_be_asked_for_and_is_told():
    asked = get_args(Imaging.model_fields["phase_mask"].annotation)
    assert set(asked) == set(get_args(PhaseMask)) == set(MASKS)
