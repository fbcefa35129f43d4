import json
import math
import subprocess
import sys
from dataclasses import replace

import pytest

from labrig.plan.store import PlanFormatError, from_json, to_json


def test_a_plan_survives_the_way_to_disk_and_back(small_plan):
    assert from_json(to_json(small_plan)) == small_plan


def test_the_text_is_the_same_for_the_same_plan(small_plan):
    assert to_json(small_plan) == to_json(from_json(to_json(small_plan)))


def test_infinite_figures_survive(small_plan):
    silent = replace(small_plan.forecast.pulses[0], shannon_k=-math.inf)
    plan = replace(small_plan, forecast=replace(small_plan.forecast, pulses=(silent,)))
    assert from_json(to_json(plan)) == plan


def bend_version(document):
    document["version"] = 99


def bend_format(document):
    document["format"] = "recipe"


def bend_missing(document):
    del document["plan"]["seed"]


def bend_unknown(document):
    document["plan"]["wells"][1]["colour"] = "red"


def bend_type(document):
    document["plan"]["timeline"][3]["offset_s"] = "soon"


def bend_kind(document):
    document["plan"]["timeline"][0]["kind"] = "explosion"


def bend_literal(document):
    document["plan"]["findings"][0]["severity"] = "mild"


@pytest.mark.parametrize(
    ("bend", "says"),
    [
        (bend_version, "version 99"),
        (bend_format, "not a labrig.plan"),
        (bend_missing, "plan: missing or unknown in Plan: seed"),
        (bend_unknown, r"plan\.wells\[1\]: missing or unknown in WellPlan: colour"),
        (bend_type, r"plan\.timeline\[3\]\.offset_s: 'soon' is not a number"),
        (bend_kind, r"plan\.timeline\[0\]: kind 'explosion'"),
        (bend_literal, r"plan\.findings\[0\]\.severity: 'mild' is none of block, warn, note"),
    ],
)
def test_a_bad_document_says_where(small_plan, bend, says):
    document = json.loads(to_json(small_plan))
    bend(document)
    with pytest.raises(PlanFormatError, match=says):
        from_json(json.dumps(document))


def test_a_plan_of_before_carriers_is_read(small_plan):
    document = json.loads(to_json(small_plan))
    for well in document["plan"]["wells"]:
        assert well.pop("carriers")
        assert well.pop("open_to")
    plan = from_json(json.dumps(document))
    assert all(well.carriers == well.open_to == () for well in plan.wells)
    document["plan"]["wells"][0].pop("edge")
    with pytest.raises(PlanFormatError, match="missing or unknown in WellPlan: edge"):
        from_json(json.dumps(document))


def test_half_a_file_is_refused(small_plan):
    with pytest.raises(PlanFormatError, match="not JSON"):
        from_json(to_json(small_plan)[:1000])


def test_what_the_runner_loads_is_standard_library_only():
    """The runner must stay small: no pydantic, pint, numpy through these modules."""
    code = (
        "import sys, labrig.plan.store, labrig.plan.concentration, labrig.plan.timeline;"
        "top = {name.partition('.')[0] for name in sys.modules};"
        "print(sorted(top - set(sys.stdlib_module_names) - set(sys.argv[1:])))"
    )
    bare = subprocess.run(
        [sys.executable, "-c", "import sys; print(*{n.partition('.')[0] for n in sys.modules})"],
        capture_output=True,
        text=True,
        check=True,
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *bare.stdout.split()],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "['labrig']"
