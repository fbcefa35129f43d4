"""Tubes followed over rounds: growth, fusion, loss, gaps; on drawn labels and synthetic truth."""

import numpy as np
import pytest

from labrig_analysis.synthetic.culture import CultureState
from labrig_analysis.synthetic.scene import make_scene
from labrig_analysis.synthetic.truth import truth
from labrig_analysis.timelapse.tracking import track_tubes

BARS = {"left": slice(5, 15), "right": slice(25, 35), "far": slice(50, 60)}


def picture(**bars: int | tuple[int, int]) -> np.ndarray:
    """Labels of vertical bars: name=label, or name=(label, length)."""
    labels = np.zeros((80, 80), np.int32)
    for name, what in bars.items():
        label, length = what if isinstance(what, tuple) else (what, 60)
        labels[10 : 10 + length, BARS[name]] = label
    return labels


def test_a_tube_keeps_its_track_when_labels_are_renumbered_and_it_grows():
    found = track_tubes([picture(left=(1, 30), right=2), picture(left=(7, 60), right=3)])
    by_round = found.observations.pivot(index="round", columns="track", values="label")
    assert by_round.to_numpy().tolist() == [[1, 2], [7, 3]]
    assert found.tracks["began"].tolist() == ["present", "present"]
    assert found.tracks["ended"].tolist() == ["present", "present"]


def test_a_new_tube_appears_and_another_is_lost_after_the_gap():
    rounds = [picture(left=1, right=2)] + [picture(right=1, far=2)] * 4
    found = track_tubes(rounds).tracks.set_index("track")
    assert found.loc[1, ["ended", "last_round"]].tolist() == ["lost", 0]
    assert found.loc[2, ["ended", "rounds"]].tolist() == ["present", 5]
    assert found.loc[3, ["began", "first_round"]].tolist() == ["appeared", 1]


@pytest.mark.parametrize("hidden", [1, 2])
def test_a_tube_unseen_for_a_round_or_two_comes_back_as_itself(hidden):
    rounds = [picture(left=1, right=2)] + [picture(right=1)] * hidden + [picture(left=1, right=2)]
    found = track_tubes(rounds).tracks
    assert found["track"].tolist() == [1, 2]
    assert found["rounds"].tolist() == [2, hidden + 2]
    assert found["ended"].tolist() == ["present", "present"]


def test_bad_frames_end_no_track():
    found = track_tubes([picture(left=1), None, None, None, None, picture(left=4)])
    assert found.tracks["ended"].tolist() == ["present"]
    assert found.observations["round"].tolist() == [0, 5]


def test_two_tubes_becoming_one_label_is_a_fusion_into_the_larger():
    apart = picture(left=(1, 40), right=2)
    one = (picture(left=(1, 40), right=1) > 0).astype(np.int32)
    one[20:24, 10:30] = 1
    found = track_tubes([apart, one, one]).tracks.set_index("track")
    assert found.loc[1, ["ended", "into", "last_round"]].tolist() == ["fused", 2, 0]
    assert found.loc[2, "ended"] == "present"


def test_one_tube_becoming_two_is_a_split():
    whole = picture(left=1)
    halves = whole.copy()
    halves[30:34] = 0
    halves[34:] *= 2
    found = track_tubes([whole, halves]).tracks.set_index("track")
    assert found.loc[2, ["began", "parent"]].tolist() == ["split", 1]


def test_nothing_in_gives_nothing_out():
    assert len(track_tubes([]).tracks) == 0
    assert len(track_tubes([None, np.zeros((5, 5), np.int32)]).tracks) == 0


def test_shapes_must_agree():
    with pytest.raises(ValueError, match="round 1 has shape"):
        track_tubes([np.zeros((5, 5), np.int32), np.zeros((5, 6), np.int32)])


def test_tubes_of_a_fusing_synthetic_field_keep_their_true_numbers():
    scene = make_scene(3, "A1", 0, height_um=500, width_um=500)
    rounds = [
        truth(scene, CultureState(fused_fraction=f), (384, 384), 1.3).tube_labels
        for f in np.linspace(0.2, 0.7, 12)
    ]
    found = track_tubes(rounds)
    true_numbers = found.observations.groupby("track")["label"].nunique()
    assert len(true_numbers) == len(set(np.unique(rounds[-1])) - {0})
    assert (true_numbers == 1).all()
