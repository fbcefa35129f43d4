import json
from dataclasses import replace

import pytest

from labrig.plan.packed import PackedTimeline, alike, packed
from labrig.plan.packed_file import packed_plan
from labrig.plan.store import PlanFormatError, from_json, to_json
from labrig.plan.timeline import Film, Frame, Lateness, Picture


def frame(number, place=0, **also):
    made = Frame(
        f"frame/{number}/{place}", number * 600.0 + place, "growth", "camera", "stage", "A1", place,
        "phase", number, -0.0, 12.5, 20.0, Lateness("skip"),
    )  # fmt: skip
    return replace(made, **also)


FRAMES = [frame(number, place) for number in range(50) for place in range(3)]


@pytest.fixture
def long_plan(small_plan):
    also = [frame(7, 1, key='odd "key" ü', offset_s=1e-9), *FRAMES]
    timeline = sorted((*small_plan.timeline, *also), key=lambda entry: entry.offset_s)
    return replace(small_plan, timeline=tuple(timeline))


def test_entries_come_out_as_they_went_in(long_plan):
    timeline = packed(long_plan.timeline)
    assert tuple(timeline) == long_plan.timeline == timeline
    assert repr(tuple(timeline)) == repr(long_plan.timeline)
    assert timeline[3:9] == long_plan.timeline[3:9]
    assert timeline[-1] == long_plan.timeline[-1]
    with pytest.raises(IndexError):
        timeline[len(timeline)]


def test_entries_are_put_in_order_of_time_and_stay_in_theirs_at_one_time(long_plan):
    mixed = long_plan.timeline[::2] + long_plan.timeline[1::2]
    assert list(packed(mixed)) == sorted(mixed, key=lambda entry: entry.offset_s)


def test_pictures_that_differ_in_time_and_round_alone_share_the_rest():
    assert len(packed(FRAMES).specimens()) == 3


def test_what_is_written_differently_is_no_one_thing():
    unlike = [frame(0, key="a"), frame(0, key="b", x_um=0.0)]
    assert [str(each.x_um) for each in packed(unlike)] == ["-0.0", "0.0"]


def test_entries_are_found_by_key_and_by_kind(long_plan):
    timeline = packed(long_plan.timeline)
    for place, entry in enumerate(long_plan.timeline):
        assert timeline.place(entry.key) == place
    assert timeline.place("nobody's") is None
    for kind in (Frame, Film, Picture):
        of_kind = [entry for entry in long_plan.timeline if isinstance(entry, kind)]
        assert list(timeline.of_kind(kind)) == of_kind


def test_some_can_be_left_out():
    timeline = packed(FRAMES)
    kept = timeline.without(frozenset({"frame/3/1", "frame/49/2"}))
    assert len(kept) == len(FRAMES) - 2
    assert kept.place("frame/3/1") is None
    assert timeline.without(frozenset()) is timeline


def test_the_same_is_told_of_a_packed_timeline_and_of_a_plain_one(long_plan):
    told = [
        [(key, at_s, type(like), like.instrument, like.wells) for key, at_s, like in alike(each)]
        for each in (long_plan.timeline, packed(long_plan.timeline))
    ]
    assert told[0] == told[1]


def written(tmp_path, text):
    path = tmp_path / "plan.json"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_is_read_packed_and_to_the_same_plan(long_plan, tmp_path):
    read = packed_plan(written(tmp_path, to_json(long_plan)))
    assert isinstance(read.timeline, PackedTimeline)
    assert read == long_plan
    assert to_json(read) == to_json(long_plan)


@pytest.mark.parametrize("block", [1, 7, 64, 1000])
def test_wherever_a_block_of_it_ends(long_plan, tmp_path, monkeypatch, block):
    monkeypatch.setattr("labrig.plan.packed_file._BLOCK", block)
    path = written(tmp_path, to_json(replace(long_plan, timeline=long_plan.timeline[-20:])))
    assert to_json(packed_plan(path)) == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("indent", [0, 2])
def test_a_file_of_another_layout_is_read_all_the_same(long_plan, tmp_path, indent):
    path = written(tmp_path, json.dumps(json.loads(to_json(long_plan)), indent=indent))
    assert packed_plan(path) == long_plan


def test_a_file_out_of_order_is_put_in_order(long_plan, tmp_path):
    turned = replace(long_plan, timeline=long_plan.timeline[::-1])
    read = packed_plan(written(tmp_path, to_json(turned)))
    assert read.timeline == sorted(turned.timeline, key=lambda entry: entry.offset_s)


def test_a_plan_without_entries_is_read(small_plan, tmp_path):
    empty = replace(small_plan, timeline=())
    assert packed_plan(written(tmp_path, to_json(empty))) == empty


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ('"offset_s":600.0', '"offset_s":"soon"'),
        ('"offset_s":600.0', '"offset_s":06.0'),
        ('"round":1,', '"round":1.5,'),
        ('"well":"A1","field":0,"channel":"phase","round":2', '"well":1,"field":0,"round":2'),
        ('"kind":"frame"', '"kind":"explosion"'),
        ('"findings"', '"found"'),
    ],
)
def test_a_mistake_is_told_as_when_the_whole_is_read(long_plan, tmp_path, good, bad):
    text = to_json(long_plan)
    assert good in text
    wrong = text.replace(good, bad, 1)
    with pytest.raises(PlanFormatError) as whole:
        from_json(wrong)
    with pytest.raises(PlanFormatError) as packed_:
        packed_plan(written(tmp_path, wrong))
    assert str(packed_.value) == str(whole.value)
