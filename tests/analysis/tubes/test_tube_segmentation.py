"""Masks of tubes: found at any grey scale; bad pictures are flagged, impossible calls refused."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from labrig_analysis.synthetic.phantoms import Arc, Look, Straight, paint
from labrig_analysis.tubes.fluorescence import segment_tubes
from labrig_analysis.tubes.phase import segment_tube_like_objects
from labrig_analysis.tubes.tube_labels import TubeSettings

IMAGES = Path(__file__).parents[3] / "shared" / "images"
TUBES = [Straight(18.0, 90.0, 300, (60, 200)), Arc(26.0, 300, 10.0, 50, (320, 250))]
LOOK = Look(noise_sd=3)


def field(look=LOOK):
    return paint(TUBES, (400, 500), look)


def dice(a, b):
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


AS_TYPES = {
    "8 bit": lambda im: im.clip(0, 255).astype(np.uint8),
    "12 bit in 16": lambda im: (im * 16).clip(0, 4095).astype(np.uint16),
    "16 bit": lambda im: (im * 200).clip(0, 65535).astype(np.uint16),
    "signed 32 bit": lambda im: (im * 1e5).astype(np.int32),
    "float 0..1": lambda im: im / 255,
    "float64": lambda im: im.astype(np.float64) * 1e6,
    "big-endian": lambda im: (im * 200).clip(0, 65535).astype(">u2"),
    "transposed strides": lambda im: np.ascontiguousarray(im.T).T,
    "every second column": lambda im: np.repeat(im, 2, axis=1)[:, ::2],
    "read-only": lambda im: np.broadcast_to(im, im.shape),
}


@pytest.mark.parametrize("name", AS_TYPES)
def test_any_type_gives_the_same_tubes(name):
    phantom = field()
    found = segment_tubes(AS_TYPES[name](phantom.image), 1.0)
    assert found.n_tubes == 2
    assert found.reasons == ()
    assert found.labels.dtype == np.uint16
    assert dice(found.labels > 0, phantom.labels > 0) > 0.85


def spoiled(image, place, value):
    image = image.copy()
    image[place] = value
    return image


FLAWS = {
    "lifted black": lambda im: im + 1000,
    "hot pixel": lambda im: spoiled(im, (50, 50), 65535),
    "dead pixel": lambda im: spoiled(im, (60, 60), -500),
    "black margin": lambda im: spoiled(im, np.s_[:, :20], 0),
    "light from one side": lambda im: im + np.linspace(0, 150, im.shape[1], dtype=np.float32),
}


@pytest.mark.parametrize("name", FLAWS)
def test_a_camera_s_flaws_do_not_move_the_masks(name):
    phantom = field()
    found = segment_tubes(FLAWS[name](phantom.image), 1.0)
    assert found.n_tubes == 2
    assert dice(found.labels > 0, phantom.labels > 0) > 0.9


NOTHING = {
    "all black": (np.zeros((300, 300), np.uint8), "all black"),
    "constant": (np.full((300, 300), 7, np.uint16), "all pixels are 7"),
    "over-exposed": (np.full((300, 300), 255, np.uint8), "all pixels are 255"),
    "all NaN": (np.full((300, 300), np.nan), "no pixel is a finite number"),
    "lamp off": (
        np.random.default_rng(1).integers(0, 2, (300, 300)).astype(np.uint8),
        "nearly blank: its grey levels run from 0 to 1",
    ),
    "noise": (np.random.default_rng(1).normal(20, 5, (300, 300)), "empty field"),
    "debris": (paint([], (300, 300), Look(debris=5, noise_sd=2)).image, "empty field"),
}


@pytest.mark.parametrize("name", NOTHING)
def test_nothing_to_find_is_said_and_not_raised(name):
    image, reason = NOTHING[name]
    found = segment_tubes(image, 1.0)
    assert found.n_tubes == 0
    assert not found.labels.any()
    assert reason in " ".join(found.reasons)


def test_saturation_is_flagged_and_still_measured():
    image = field(Look(core=600.0)).image.clip(0, 255).astype(np.uint8)
    found = segment_tubes(image, 1.0)
    assert "saturated" in " ".join(found.reasons)
    assert found.n_tubes == 2


def test_holes_in_the_data_are_flagged_and_filled():
    image = field().image.copy()
    image[:5, :5] = np.nan
    image[0, 0] = np.inf
    found = segment_tubes(image, 1.0)
    assert found.n_tubes == 2
    assert "25 pixels are not finite" in " ".join(found.reasons)


REFUSED = {
    "colour": (np.zeros((9, 9, 3), np.uint8), 1.0, ValueError, "one channel"),
    "text": (np.array([["a"]]), 1.0, TypeError, "real numbers"),
    "complex": (np.zeros((9, 9), complex), 1.0, TypeError, "real numbers"),
    "no pixels": (np.zeros((0, 9)), 1.0, ValueError, "no pixels"),
    "no calibration": (np.zeros((9, 9)), None, ValueError, "objective's calibration"),
    "negative pixel": (np.zeros((9, 9)), -0.5, ValueError, "objective's calibration"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_meant_is_refused(name):
    image, pixel_size_um, error, message = REFUSED[name]
    with pytest.raises(error, match=message):
        segment_tubes(image, pixel_size_um)


def test_settings_refuse_nonsense():
    with pytest.raises(ValueError, match="min_area_um2"):
        TubeSettings(min_area_um2=0)


def test_a_tiny_image_is_no_error():
    assert segment_tubes(np.arange(4).reshape(2, 2), 1.0).n_tubes == 0


def test_phase_bodies_are_found_dark_on_grey_and_called_tube_like():
    phantom = field(Look(background=120.0, core=70.0, noise_sd=2))
    found = segment_tube_like_objects(phantom.image, 1.0)
    assert found.kind == "tube-like object"
    assert dice(found.labels > 0, phantom.labels > 0) > 0.85


def test_phase_of_an_empty_field_is_flagged():
    image = np.random.default_rng(2).normal(120, 3, (300, 300))
    found = segment_tube_like_objects(image, 1.0)
    assert found.n_tubes == 0
    assert "empty field" in found.reasons[0]


@pytest.mark.slow
def test_a_hundred_megapixels_go_through():
    tile = field(LOOK).image.clip(0, 255).astype(np.uint8)
    image = np.tile(tile, (25, 20))
    assert image.size == 100_000_000
    found = segment_tubes(image, 1.0)
    assert 400 <= found.n_tubes <= 1000


@pytest.mark.skipif(not IMAGES.exists(), reason="../shared/images (real fields) is not here")
@pytest.mark.parametrize("field_name", ["17M_Dex_XY10", "68M_Dex_XY01"])
def test_real_fields_with_outlines(field_name):
    image = cv2.imread(str(IMAGES / "skmc" / f"{field_name}_myhc.png"), cv2.IMREAD_UNCHANGED)
    truth = cv2.imread(str(IMAGES / "skmc" / f"{field_name}_gt_myotube.png"), cv2.IMREAD_UNCHANGED)
    found = segment_tubes(image, 0.35)
    assert dice(found.labels > 0, truth > 0) > 0.8
