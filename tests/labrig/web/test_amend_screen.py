"""A running protocol is amended on the page: looked at first, then signed."""

from __future__ import annotations

import re
import shutil

import pytest

from labrig.run_folder import RunFolder

from .conftest import HERE


@pytest.fixture
def night(play, demo_plan):
    runner = play("night-1", demo_plan)
    for name in ("protocol.yaml", "rig.yaml"):
        shutil.copy(demo_plan.with_name(name), runner.folder.root / name)
    return runner


def post(page, what="amend", **fields):
    return page.post(f"/run/night-1/{what}", data=fields, headers=HERE)


def protocol_of(night):
    return night.folder.protocol.read_text(encoding="utf-8")


def test_what_changes_is_shown_and_signed_and_offered_to_the_runner(page, night):
    assert "interval: 30 min" in page.get("/run/night-1/amend").text
    changed = protocol_of(night).replace("interval: 30 min", "interval: 20 min")
    shown = post(page, "amend/look", protocol=changed).text
    assert "imaging.interval" in shown
    assert "frame of stage" in shown
    assert night.taken == []
    seen = re.search(r'name="seen" value="(\w+)"', shown)[1]

    assert "reason" in post(page, protocol=changed, seen=seen, by="A. Miller").text
    other = post(page, protocol=changed + "# more", seen=seen, by="A. Miller", reason="growth")
    assert "look at what changes first" in other.text
    assert night.taken == []

    done = post(page, protocol=changed, seen=seen, by="A. Miller", reason="growth")
    assert "Amended: plan 2" in done.text
    [(name, args)] = night.taken
    assert (name, args["by"], args["reason"], args["number"]) == (
        "amend", "A. Miller", "growth", "2",
    )  # fmt: skip
    assert list(night.folder.root.glob("protocol-002.yaml.*.offered"))


def test_what_cannot_be_says_why_and_has_nothing_to_sign(page, night):
    renamed = protocol_of(night).replace("name: demo-night", "name: another")
    shown = post(page, "amend/look", protocol=renamed).text
    assert "cannot be made like this" in shown
    assert "Sign it" not in shown
    assert "arms" in post(page, "amend/look", protocol="name: x").text
    night.refuse = "too late: repeat it"
    changed = protocol_of(night).replace("interval: 30 min", "interval: 20 min")
    seen = re.search(r'name="seen" value="(\w+)"', post(page, "amend/look", protocol=changed).text)
    answer = post(page, protocol=changed, seen=seen[1], by="A", reason="growth")
    assert "too late" in answer.text
    assert not list(RunFolder(night.folder.root).root.glob("*.offered"))
