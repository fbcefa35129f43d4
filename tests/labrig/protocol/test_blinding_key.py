"""Codes of arms: sealed by the commitment, not to be guessed, not to be chosen afterwards."""

import json
import os
import stat

import pytest

from labrig.catalogue import catalogue_folder
from labrig.protocol.blinding_key import (
    KeyDamaged,
    draw_key,
    how_it_is_known,
    key_path,
    note_seen,
    read_key,
    who_has_seen,
)
from labrig.protocol.commitment import commit
from labrig.protocol.commitment_file import commitment_path
from labrig.protocol.loading import load_protocol
from labrig.protocol.verification import start_permission, verify

TEXT = (catalogue_folder() / "nerve-factor-factorial.yaml").read_text(encoding="utf-8")
TWO = ("A. Jansen", "B. Okoro")
BLOCK = "\nblinding: {arms: coded, handlers: [Hanna Berg], judges: [Jan Vos]}\n"


@pytest.fixture
def protocol(tmp_path):
    file = tmp_path / "night.yaml"
    file.write_text(TEXT + BLOCK, encoding="utf-8")
    return file


def test_a_commitment_seals_a_key_that_only_its_owner_can_read(protocol):
    entry = commit(protocol, TWO).entries[-1]
    path = key_path(protocol)
    key = read_key(path, entry.blinding)
    model = load_protocol(protocol).model
    assert set(key.arms) == set(model.arms)
    assert sorted(key.arms.values()) == [f"code-{n}" for n in range(1, 1 + len(model.arms))]
    assert set(key.solutions) == {*model.media, *model.stocks}
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    held = commitment_path(protocol).read_text(encoding="utf-8")
    assert key.salt not in held
    assert "code-" not in held


def test_the_salt_decides_the_codes_and_differs_every_time(protocol):
    model = load_protocol(protocol).model
    keys = [draw_key(model) for _ in range(12)]
    assert len({key.sha256 for key in keys}) == 12
    assert len({tuple(key.arms.items()) for key in keys}) > 1
    assert draw_key(model, keys[0].salt) == keys[0]


def test_a_key_that_was_exchanged_or_lost_stops_the_start(protocol):
    commit(protocol, TWO)
    assert verify(protocol).state == "committed"
    path = key_path(protocol)
    whole = path.read_text(encoding="utf-8")
    raw = json.loads(whole)
    first, second, *_ = raw["arms"]
    raw["arms"][first], raw["arms"][second] = raw["arms"][second], raw["arms"][first]
    path.write_text(json.dumps(raw), encoding="utf-8")
    assert "not the key that was sealed" in verify(protocol).detail
    assert not start_permission(protocol).allowed
    path.unlink()
    assert "is not there" in start_permission(protocol).reason
    path.write_text(whole, encoding="utf-8")
    assert start_permission(protocol).allowed
    path.write_text("{", encoding="utf-8")
    with pytest.raises(KeyDamaged, match="Put it back"):
        read_key(path)


def test_an_amendment_keeps_the_key_unless_arms_change(protocol):
    first = commit(protocol, TWO).entries[-1]
    text = protocol.read_text(encoding="utf-8")
    protocol.write_text(text.replace("seed: ", "seed: 1", 1), encoding="utf-8")
    second = commit(protocol, TWO, "another seed").entries[-1]
    assert second.blinding == first.blinding
    arm = next(iter(load_protocol(protocol).model.arms))
    protocol.write_text(text.replace(arm, f"{arm}-x"), encoding="utf-8")
    third = commit(protocol, TWO, "another name").entries[-1]
    assert third.blinding != first.blinding
    assert verify(protocol).state == "committed"


def test_who_handles_syringes_is_not_who_judges(tmp_path, problems_of):
    file = tmp_path / "night.yaml"
    block = "\nblinding: {arms: coded, handlers: [Jan A. Vos], judges: ['J. Vos']}\n"
    file.write_text(TEXT + block, encoding="utf-8")
    [problem] = problems_of(file)
    assert problem.path == "blinding.judges.0"
    assert "knows the arms" in problem.what


def test_named_arms_have_no_key(tmp_path):
    file = tmp_path / "night.yaml"
    file.write_text(TEXT, encoding="utf-8")
    assert commit(file, TWO).entries[-1].blinding == ""
    assert not key_path(file).exists()


def test_who_has_seen_it_stays_written(protocol):
    commit(protocol, TWO)
    note_seen(key_path(protocol), "Hanna Berg", "handles the syringes")
    seen = who_has_seen(key_path(protocol))
    assert how_it_is_known("H. Berg", seen) == "handles the syringes"
    assert how_it_is_known("Jan Vos", seen) == ""
