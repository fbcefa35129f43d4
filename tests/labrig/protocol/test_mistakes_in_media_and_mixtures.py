"""What people get wrong in amounts, mixtures, media: where it is, what it is, how to mend it."""

from __future__ import annotations

import copy
import json

import pytest

from labrig.catalogue import catalogue_folder
from labrig.protocol.loading import load_protocol
from labrig.yaml_file import read_yaml

BASE = read_yaml(catalogue_folder() / "demo-night.yaml").data
STABLE = {"value": "100 h", "basis": "assumed"}

# name: (changes by dotted path, path, what, remedy)
MISTAKES = {
    "moles without a molar mass": (
        {"factors.CNTF.molar_mass": None, "arms.nerve-sham.targets.CNTF": "10 nM"},
        "arms.nerve-sham.targets.CNTF",
        "'10 nM' is a molar amount, and factor 'CNTF' has no molar_mass",
        "Add `molar_mass: ... g/mol` (or kDa) to factors.CNTF",
    ),
    "moles in a step without a molar mass": (
        {
            "factors.CNTF.molar_mass": None,
            "arms.nerve-sham.targets.CNTF": [{"at": "2 h", "concentration": "1 uM"}],
        },
        "arms.nerve-sham.targets.CNTF.0.concentration",
        "no molar_mass",
        "factors.CNTF",
    ),
    "a molar mass in other units": (
        {"factors.CNTF.molar_mass": "22.7 mL", "arms.nerve-sham.targets.CNTF": "10 nM"},
        "factors.CNTF.molar_mass",
        "a mass of one molecule is wanted",
        "'10 kDa'",
    ),
    "moles of nothing": (
        {"arms.nerve-sham.targets": {"CNFT": "10 nM"}},
        "arms.nerve-sham.targets.CNFT",
        "no factor 'CNFT'",
        "'CNTF'",
    ),
    "a mass of a mixture": (
        {"arms.nerve-sham.targets": {"serum": "10 ug/mL"}},
        "arms.nerve-sham.targets.serum",
        "is a mixture, and its amount is a strength",
        "'1 x' or '33 %'",
    ),
    "a strength without a unit": (
        {"stocks.serum-stock.strength": 50},
        "stocks.serum-stock.strength",
        "50 is not a strength",
        "'50 x' or '100 %'",
    ),
    "a mixture without parts": (
        {"mixtures.serum": {}},
        "mixtures.serum",
        "has no parts",
        "conditioned-medium",
    ),
    "parts of nothing": (
        {"mixtures.serum.parts": {"CNFT": "10 nM"}},
        "mixtures.serum.parts.CNFT",
        "no factor 'CNFT'",
        "'CNTF'",
    ),
    "parts of a conditioned medium": (
        {"mixtures.serum.kind": "conditioned-medium", "mixtures.serum.control": "vehicle"},
        "mixtures.serum.parts",
        "nobody knows its parts",
        "Leave out `parts`",
    ),
    "a conditioned medium without control": (
        {"mixtures.serum": {"kind": "conditioned-medium"}},
        "mixtures.serum",
        "has no control",
        "Add `control: STOCK`",
    ),
    "a control that is no stock": (
        {"mixtures.serum": {"kind": "conditioned-medium", "control": "vehicel"}},
        "mixtures.serum.control",
        "no stock 'vehicel'",
        "'nerve-vehicle'",
    ),
    "a stock of a mixture without strength": (
        {"stocks.serum-stock.strength": None},
        "stocks.serum-stock",
        "and not how strong",
        "`strength: 50 x`",
    ),
    "a stock of no mixture": (
        {"stocks.serum-stock.mixture": "serom"},
        "stocks.serum-stock.mixture",
        "no mixture 'serom'",
        "'serum'",
    ),
    "a stock with contents and a mixture": (
        {"stocks.serum-stock.contents": {"CNTF": "1 ug/mL"}},
        "stocks.serum-stock.contents",
        "has contents and a mixture",
        "Keep one",
    ),
    "a factor beside its mixture": (
        {"arms.nerve-sham.targets": {"serum": "1 x", "CNTF": "10 ng/mL"}},
        "arms.nerve-sham.targets.CNTF",
        "is in mixture 'serum'",
        "Take it out",
    ),
    "a mixture with the name of a factor": (
        {"mixtures.CNTF": {"parts": {"BDNF": "1 ng/mL"}}},
        "mixtures.CNTF",
        "also the name of a factor",
        "another name",
    ),
    "a medium that is not there, by phase": (
        {"phases.0.medium": "low-ca"},
        "phases.0.medium",
        "no medium 'low-ca'",
        "differentiation",
    ),
    "a medium that is not there, by arm": (
        {"arms.nerve-sham.medium": "diferentiation"},
        "arms.nerve-sham.medium",
        "no medium 'diferentiation'",
        "'differentiation'",
    ),
    "calcium by mass": (
        {"media.differentiation.calcium": "1.8 mg"},
        "media.differentiation.calcium",
        "cannot be turned into mM",
        "'10 mM'",
    ),
}


def changed(changes):
    document = copy.deepcopy(BASE)
    document["mixtures"] = {"serum": {"parts": {"CNTF": "10 ng/mL"}}}
    document["stocks"]["serum-stock"] = {
        "mixture": "serum", "strength": "50 x", "carrier": "0.1 % BSA",
    }  # fmt: skip
    for path, value in changes.items():
        at, *rest = path.split(".")
        inside, key = document, at
        for part in rest:
            inside = inside[int(key) if isinstance(inside, list) else key]
            key = part
        key = int(key) if isinstance(inside, list) else key
        if value is None:
            inside.pop(key, None)
        else:
            inside[key] = value
    return document


@pytest.mark.parametrize("name", MISTAKES)
def test_each_is_placed_and_explained(name, tmp_path, problems_of):
    changes, path, what, remedy = MISTAKES[name]
    file = tmp_path / "protocol.yaml"
    file.write_text(json.dumps(changed(changes), indent=1), encoding="utf-8")
    found = [problem for problem in problems_of(file) if problem.path == path]
    assert found, [str(problem) for problem in problems_of(file)]
    assert any(what in problem.what and remedy in problem.remedy for problem in found), found


def test_the_file_without_a_mistake_is_read(tmp_path):
    file = tmp_path / "protocol.yaml"
    file.write_text(json.dumps(changed({}), indent=1), encoding="utf-8")
    assert load_protocol(file).model.stocks["serum-stock"].strength == 50.0
