"""An object that lies in several bands of rows is measured as one, and lies in one tube."""

import numpy as np
import pytest

from labrig_analysis.labels import run_lengths
from labrig_analysis.labels.region_properties import measure_regions
from labrig_analysis.labels.relabelling import label_areas, relabel_sequential
from labrig_analysis.nuclei.fusion import overlap_nuclei
from labrig_analysis.synthetic.phantoms import Arc, Straight, paint

SHAPE = (120, 150)


@pytest.fixture(scope="module")
def field():
    """Nuclei and tubes as labels, and light: objects across many rows."""
    nuclei = paint([Straight(12.0, a, 20, (30 * k, 20 * k)) for k, a in enumerate(range(5), 1)])
    nuclei = relabel_sequential(nuclei.labels[: SHAPE[0], : SHAPE[1]])
    tubes = paint([Arc(25.0, 80.0, 70, 60), Straight(30.0, 5, 200, (60, 20))], SHAPE).labels
    light = np.random.default_rng(8).integers(0, 255, SHAPE).astype(np.uint8)
    return nuclei, tubes, light


@pytest.mark.parametrize("rows", [1, 7, 32])
def test_shapes_and_overlaps_do_not_depend_on_bands(field, rows, monkeypatch):
    nuclei, tubes, light = field
    whole = measure_regions(nuclei, light)
    lies = overlap_nuclei(nuclei, tubes, whole.centroids_yx)
    assert len(whole.areas_px) >= 4
    assert (lies.tube > 0).any()
    monkeypatch.setattr(run_lengths, "_BAND_PX", rows * SHAPE[1])
    for name, values in measure_regions(nuclei, light)._asdict().items():
        assert values == pytest.approx(getattr(whole, name)), name
    again = overlap_nuclei(nuclei, tubes, whole.centroids_yx)
    assert again.tube.tolist() == lies.tube.tolist()
    assert again.share == pytest.approx(lies.share)


@pytest.mark.parametrize("rows", [1, 7, 32])
def test_shapes_over_bands_are_those_of_their_pixels(field, rows, monkeypatch):
    nuclei, tubes, light = field
    monkeypatch.setattr(run_lengths, "_BAND_PX", rows * SHAPE[1])
    shapes = measure_regions(nuclei, light)
    lies = overlap_nuclei(nuclei, tubes, shapes.centroids_yx)
    assert label_areas(nuclei)[1:].tolist() == shapes.areas_px.tolist()
    for label in range(1, int(nuclei.max()) + 1):
        inside = nuclei == label
        centroid = [where.mean() for where in np.nonzero(inside)]
        assert shapes.centroids_yx[label - 1] == pytest.approx(centroid)
        assert shapes.mean_intensities[label - 1] == pytest.approx(light[inside].mean())
        covers = np.bincount(tubes[inside], minlength=3)[1:]
        assert lies.share[label - 1] == pytest.approx(covers.max() / inside.sum())
        if covers.any():
            assert lies.tube[label - 1] == covers.argmax() + 1
