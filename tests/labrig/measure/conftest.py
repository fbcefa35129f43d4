"""A folder of three small fields, drawn once."""

import cv2
import numpy as np
import pytest


def draw_field(seed):
    """A tube 30 px wide with two nuclei in it and one outside; 300 x 260 px."""
    rng = np.random.default_rng(seed)
    tube, nuclei = np.full((260, 300), 12, np.float32), np.full((260, 300), 10, np.float32)
    cv2.rectangle(tube, (30, 60), (270, 89), 140, -1)
    for x, y in ((90, 75), (200, 75), (150, 200), (60, 190)):
        cv2.ellipse(nuclei, (x, y), (13, 9), 25, 0, 360, 120, -1)
    return [
        np.clip(cv2.GaussianBlur(p, (0, 0), 1.2) + rng.normal(0, 1, p.shape), 0, 255).astype("u1")
        for p in (tube, nuclei)
    ]


@pytest.fixture(scope="session")
def drawn():
    """`drawn(seed)` gives the tube and the nucleus plane of a field."""
    return draw_field


@pytest.fixture
def folder(tmp_path):
    """`a`, `b` and `c`, each `_myhc.png` and `_dapi.png`."""
    images = tmp_path / "images"
    images.mkdir()
    for seed, name in enumerate("abc"):
        for plane, channel in zip(draw_field(seed), ("myhc", "dapi"), strict=True):
            cv2.imwrite(str(images / f"{name}_{channel}.png"), plane)
    return images


@pytest.fixture
def patterns():
    return {"tubes": "*_myhc.png", "nuclei": "*_dapi.png"}
