"""Drawn fields that stains are drawn over."""

from functools import lru_cache

import numpy as np
import pytest

from labrig_analysis.synthetic.culture import CultureState
from labrig_analysis.synthetic.scene import make_scene
from labrig_analysis.synthetic.truth import truth


class DrawnField:
    """Tubes and nuclei of a drawn field, numbered without gaps."""

    def __init__(self, pixel_um, size_um, seed):
        side = round(size_um / pixel_um)
        scene = make_scene(seed, "A1", 0, height_um=size_um, width_um=size_um)
        drawn = truth(scene, CultureState(), (side, side), pixel_um)
        self.pixel_um = pixel_um
        self.tubes = numbered(drawn.tube_labels)
        self.nuclei = numbered(drawn.nucleus_labels)
        self.area_mm2 = (side * pixel_um / 1000) ** 2

    @property
    def tube_table(self):
        """As `measure_tables` makes it, with what stains ask of it; lengths of 100 µm."""
        count = int(self.tubes.max())
        return {"tube": np.arange(1, count + 1), "length_um": np.full(count, 100.0)}


def numbered(labels):
    there, places = np.unique(labels, return_inverse=True)
    first = 0 if there[0] == 0 else 1
    return (places.reshape(labels.shape) + first).astype(np.int32)


@pytest.fixture(scope="session")
def drawn_field():
    """By pixel size, side and seed; drawn once."""
    return lru_cache(DrawnField)
