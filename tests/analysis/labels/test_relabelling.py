import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from labrig_analysis.labels.relabelling import label_areas, narrowed, relabel_sequential


@given(arrays(np.int32, (6, 7), elements=st.integers(0, 9)))
def test_objects_stay_the_same_and_numbers_have_no_gap(labels):
    renumbered = relabel_sequential(labels)

    assert ((renumbered > 0) == (labels > 0)).all()
    numbers = np.unique(renumbered[renumbered > 0])
    assert list(numbers) == list(range(1, len(numbers) + 1))
    pairs = {(int(a), int(b)) for a, b in zip(labels.ravel(), renumbered.ravel(), strict=True)}
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


@given(arrays(np.uint16, (6, 7), elements=st.integers(0, 9)))
def test_areas_are_those_of_each_number(labels):
    assert list(label_areas(labels)) == np.bincount(labels.ravel()).tolist()


def test_labels_are_narrow_where_they_fit():
    assert narrowed(np.array([[0, 65535]])).dtype == np.uint16
    assert narrowed(np.array([[0, 65536]])).dtype == np.int32
