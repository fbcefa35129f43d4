"""Commitments made by earlier versions stand, and every key they lack is accounted for."""

import json
import shutil
import types
import typing
from pathlib import Path

import pytest
from pydantic import BaseModel

from labrig.protocol import added_keys, commitment, verification
from labrig.protocol.added_keys import ADDED_KEYS, ANY, AddedKey, changes
from labrig.protocol.commitment_file import commitment_path
from labrig.protocol.fixed_part import NOT_FIXED, NOT_FIXED_ANYWHERE, fixed_part
from labrig.protocol.loading import load_protocol
from labrig.protocol.models import Protocol
from labrig.protocol.verification import start_permission, verify

HERE = Path(__file__).parent
COMMITTED = sorted(HERE.glob("committed_by_*/*.commitment.json"))
EVERYTHING = HERE / "committed_by_0.1.0" / "everything.yaml"


def protocol_of(committed: Path) -> Path:
    return committed.with_name(committed.name.replace(".commitment.json", ".yaml"))


@pytest.mark.parametrize("path", COMMITTED, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_a_commitment_of_every_released_version_still_stands(path):
    found = verify(protocol_of(path))
    assert (found.state, found.changed) == ("committed", ())


def key_paths(annotation, path=()):
    """Paths of all fields of all models within a type, with ANY for names and places in lists."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        yield from key_paths(typing.get_args(annotation)[0], path)
    elif origin in (typing.Union, types.UnionType):
        for choice in typing.get_args(annotation):
            yield from key_paths(choice, path)
    elif origin is dict:
        yield from key_paths(typing.get_args(annotation)[1], (*path, ANY))
    elif origin is tuple:
        yield from key_paths(typing.get_args(annotation)[0], (*path, ANY))
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            if name in NOT_FIXED_ANYWHERE:
                continue
            if not path and name in NOT_FIXED:
                continue
            here = (*path, field.alias or name)
            yield here
            yield from key_paths(field.annotation, here)


def committed_paths(value, path=()):
    if isinstance(value, dict):
        for key, inside in value.items():
            for here in {(*path, key), (*path, ANY)}:
                yield here
                yield from committed_paths(inside, here)
    elif isinstance(value, list):
        for inside in value:
            yield from committed_paths(inside, (*path, ANY))


def test_every_key_that_a_commitment_of_an_old_version_lacks_is_in_the_ledger():
    oldest = json.loads(EVERYTHING.with_suffix(".commitment.json").read_text(encoding="utf-8"))
    held = set(committed_paths(oldest["entries"][0]["fixed"]))
    accounted = held | {key.path for key in ADDED_KEYS}
    lacking = {path for path in key_paths(Protocol) if path not in accounted}
    # what lies under an added key came with it, unless it is listed on its own
    lacking = {p for p in lacking if not any(p[:n] in accounted - held for n in range(len(p)))}
    assert not lacking, f"write them into labrig/protocol/added_keys.py: {sorted(lacking)}"


def test_the_fixture_holds_every_model_of_a_protocol():
    # else a key that a model gains could hide where no fixture looks
    paths = set(key_paths(Protocol))
    for deep in (
        ("arms", ANY, "boluses", ANY, "volume"),
        ("arms", ANY, "targets", ANY, ANY, "concentration"),
        ("imaging", "films", "stimulus"),
        ("factors", ANY, "half_life", "value"),
        ("rules", "late_dose", "grace"),
        ("donors", ANY, "passage"),
    ):
        assert deep in paths


def test_the_ledger_names_fields_that_exist():
    paths = set(key_paths(Protocol))
    assert [key.path for key in ADDED_KEYS if key.path not in paths] == []


@pytest.fixture
def fixed():
    return fixed_part(load_protocol(EVERYTHING).model)


def without(document, path):
    """The document as a version wrote it that did not know the key at ``path``."""
    if isinstance(document, list):
        return [without(item, path[1:]) for item in document]
    if not isinstance(document, dict):
        return document
    return {
        key: value if path[0] not in (ANY, key) else without(value, path[1:])
        for key, value in document.items()
        if not (len(path) == 1 and key == path[0])
    }


@pytest.mark.parametrize(
    "path",
    [
        ("environment",),
        ("definition", "min_tubes"),
        ("arms", ANY, "flow"),
        ("phases", ANY, "stimulation"),
        ("arms", ANY, "boluses", ANY, "rate"),
        ("imaging", "films", "stimulus"),
    ],
    ids=".".join,
)
def test_an_added_key_is_a_change_unless_the_ledger_says_what_it_meant(fixed, path):
    older = without(fixed, path)
    assert older != fixed
    assert changes(older, fixed, ()) != ()
    assert changes(older, fixed, [AddedKey(path, "9.9", "something else")]) != ()


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        (("definition", "min_tubes"), 20),
        (("imaging", "films", "stimulus"), "tonic"),
        (("donors", ANY, "wells"), None),
        (("arms", ANY, "boluses"), None),
        (("phases", ANY, "stimulation"), "on"),
    ],
    ids=str,
)
def test_only_places_that_say_what_older_versions_did_are_unchanged(fixed, path, meant):
    added = [AddedKey(path, "9.9", meant)]
    found = changes(without(fixed, path), fixed, added)
    # unchanged exactly where today's value is the one of the ledger
    expected = {
        "definition.min_tubes": (),
        "imaging.films.stimulus": (),
        "donors": ("donors",),
        "arms": ("arms.control.boluses", "arms.steps.boluses"),
        "phases": ("phases",),  # the baseline phase says "off"
    }
    key = ".".join(path) if ANY not in path else path[0]
    assert found == expected[key]


def test_a_key_added_in_a_list_of_models_stands_when_every_place_means_the_same(fixed):
    today = {**fixed, "phases": [{**phase, "tempo": None} for phase in fixed["phases"]]}
    added = [AddedKey(("phases", ANY, "tempo"), "9.9", None)]
    assert changes(fixed, today, added) == ()
    assert changes(fixed, today, ()) == ("phases",)
    today["phases"][1]["medium"] = "growth"
    assert changes(fixed, today, added) == ("phases",)


def test_a_key_whose_default_is_not_what_older_versions_did_is_a_change(fixed):
    # the file says nothing, so today's default is in force: the run would differ from what was
    # committed, and only writing the old meaning down mends it
    added = [AddedKey(("rules", "on_clog"), "9.9", "go-on")]
    assert changes(fixed, {**fixed, "rules": {**fixed["rules"], "on_clog": "stop"}}, added) == (
        "rules.on_clog",
    )
    said = {**fixed, "rules": {**fixed["rules"], "on_clog": "go-on"}}
    assert changes(fixed, said, added) == ()


def test_the_ledger_excuses_nothing_else(fixed):
    added = [AddedKey(("definition", "min_tubes"), "9.9", 20)]
    # a value that the commitment does hold, a key that is gone, an arm of the same name deep down
    altered = {**fixed, "definition": {**fixed["definition"], "min_tubes": 19}}
    assert changes(fixed, altered, added) == ("definition.min_tubes",)
    gone = without(fixed, ("definition", "min_tubes"))
    assert changes(fixed, gone, added) == ("definition.min_tubes",)
    moved = {**fixed, "arms": {**fixed["arms"], "min_tubes": 20}}
    assert changes(fixed, moved, added) == ("arms.min_tubes",)


def test_a_key_that_went_is_a_change_even_when_it_said_nothing(fixed):
    assert fixed["arms"]["control"]["flow"] is None
    assert changes(fixed, without(fixed, ("arms", ANY, "flow")), ()) == (
        "arms.control.flow",
        "arms.steps.flow",
    )


def test_true_is_not_one(fixed):
    today = {**fixed, "randomisation": {**fixed["randomisation"], "balance_edges": 1}}
    assert changes(fixed, today, ()) == ("randomisation.balance_edges",)


def test_the_order_of_keys_means_nothing_and_that_of_phases_does(fixed):
    backwards = {key: fixed[key] for key in reversed(fixed)}
    assert changes(fixed, backwards, ()) == ()
    swapped = {**fixed, "phases": fixed["phases"][::-1]}
    assert changes(fixed, swapped, ()) == ("phases",)
    longer = {**fixed, "phases": [*fixed["phases"], fixed["phases"][0]]}
    assert changes(fixed, longer, ()) == ("phases",)


def test_a_changed_default_is_noticed(monkeypatch, tmp_path):
    # the file is the same, and what it would be judged by is not
    protocol = tmp_path / EVERYTHING.name
    shutil.copy(EVERYTHING, protocol)
    path = commitment_path(protocol)
    shutil.copy(EVERYTHING.with_suffix(".commitment.json"), path)
    assert verify(protocol).state == "committed"

    def other_default(model):
        return {**fixed_part(model), "definition": {**fixed_part(model)["definition"], "apart": 1}}

    monkeypatch.setattr(verification, "fixed_part", other_default)
    assert verify(protocol).changed == ("definition.apart",)


def test_a_run_starts_under_a_commitment_that_lacks_a_key_of_the_ledger(monkeypatch, tmp_path):
    protocol = tmp_path / "night.yaml"
    shutil.copy(EVERYTHING, protocol)
    key = ("imaging", "channels", ANY, "rounds")
    for room in (commitment, verification):
        monkeypatch.setattr(room, "fixed_part", lambda model: without(fixed_part(model), key))
    commitment.commit(protocol, ("A. Jansen", "B. Okoro"))
    monkeypatch.undo()
    assert not start_permission(protocol).allowed
    assert "imaging.channels.phase.rounds" in start_permission(protocol).reason
    monkeypatch.setattr(added_keys, "ADDED_KEYS", (AddedKey(key, "9.9", "all"),))
    permission = start_permission(protocol)
    assert permission.allowed
    assert not permission.amended


def test_names_that_look_like_records_are_fixed(tmp_path):
    # an arm may be called "note" and a factor "lot"; only the *fields* of that name are records
    text = EVERYTHING.read_text(encoding="utf-8").replace("  steps:\n", "  note:\n")
    protocol = tmp_path / "night.yaml"
    protocol.write_text(text, encoding="utf-8")
    commitment.commit(protocol, ("A. Jansen", "B. Okoro"))
    protocol.write_text(text.replace("flow: 1 mL/h\n    boluses", "flow: 2 mL/h\n    boluses"))
    assert verify(protocol).changed == ("arms.note.flow",)
